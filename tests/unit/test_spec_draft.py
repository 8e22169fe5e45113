"""Specs that are refused: what is wrong with each, on which line, and what to do, whatever its size."""

import time

import pytest

from bot.planning.field_grammar import HELP
from bot.planning.plan_checks import Reserved
from bot.text import shown
from tests.unit.values import SOURCE, read_plan, refusal


@pytest.mark.parametrize("text", ["", "   \n\t\n", "\ufeff", "\r\n"])
def test_an_empty_spec_is_answered_with_the_grammar(text: str) -> None:
    assert refusal(text) == f"{SOURCE}: it is empty; {HELP}"


@pytest.mark.parametrize("text", ["# Shop\nPlease make me a shop.", "- no entity here", "# Shop\n- fast\n- cheap"])
def test_a_spec_without_entities_is_answered_with_the_grammar_in_four_lines(text: str) -> None:
    message = refusal(text)

    remedy = "with GEMINI_API_KEY set, a model finds them in prose; without"
    assert message == f"{SOURCE}: it contains no entities; {remedy}, {HELP}"
    assert len(HELP.splitlines()) == 4


@pytest.mark.parametrize(
    ("line", "reason", "remedy"),
    [
        ("- Post: title strin", "unknown type 'strin'", "did you mean 'string'?"),
        ("- Post: title", "field 'title' has no type", "write 'name type'"),
        ("- Post: author -> Usr", "relation to unknown entity 'Usr'", "did you mean 'User'?"),
        ("- Post: author -> Zzz", "relation to unknown entity 'Zzz'", "add an entity of that name, or use one of"),
        ("- Post: author ->", "a relation is written 'name -> Entity'", "with 'unique' or '?' after it"),
        ("- User: name text", "entity User is defined twice", "rename one or merge them"),
        ("- Thing: name text\n- Thing: name text", "entity Thing is defined twice", "rename one or merge them"),
        ("- USER: name text", "entities User and USER would share the module 'user'", "rename one"),
        ("- Post: title string, title text", "name 'title' is used twice in Post", "rename one"),
        ("- Post: author -> User, author_id integer", "name 'author_id' is used twice in Post", "rename one"),
        ("- Post: class string", "'class' is a Python keyword", "rename the field, for example to 'class_value'"),
        ("- None: name text", "'None' is a Python keyword", "rename the entity, for example to 'NoneItem'"),
        ("- Doc: name text", "'Doc' is reserved for the generated project", "choose another name for the entity"),
        ("- Post: id integer", "'id' is reserved for the generated project", "choose another name for the field"),
        ("- Пост: name text", "'Пост' is not a valid entity name", "use a capital letter, then letters and digits"),
        ("- Post: имя string", "'имя' is not a valid field name", "use lowercase letters, digits and single '_'"),
        (f"- Post: {'x' * 61} string", "has 61 characters", "the limit is 60"),
        ("- Post:", "entity Post has no fields", "write, for example, '- Post: name string'"),
        ("- Post: a text,, b text", "a field is empty", "as in 'name type, name type'"),
        ("- Post: a enum(x|y", "a bracket is not closed", "close it"),
        ("- Post: a enum()", "an enum needs 1 to 200 choices", "enum(draft|published)"),
        ("- Post: a enum", "an enum needs 1 to 200 choices", "enum(draft|published)"),
        ("- Post: a enum(x|x)", "an enum choice appears twice", ""),
        ("- Post: a enum(x|y) = z", "default 'z' does not fit type enum", "write one of: x, y"),
        ("- Post: n integer = many", "default 'many' does not fit type integer", "such as 0"),
        ("- Post: n integer = 9223372036854775808", "does not fit type integer", "within 64 bits"),
        ("- Post: n float = nan", "default 'nan' does not fit type float", "such as 0.5"),
        ("- Post: n decimal = 1e5", "default '1e5' does not fit type decimal", "such as 9.99"),
        ("- Post: n boolean = yes", "default 'yes' does not fit type boolean", "write true or false"),
        ("- Post: n date = 2026-02-30", "does not fit type date", "write today, or a date"),
        ("- Post: n datetime = later", "does not fit type datetime", "write now, or a time"),
        ("- Post: n uuid = 1", "does not fit type uuid", "write a UUID"),
        ("- Post: n email = me", "does not fit type email", "someone@example.com"),
        ("- Post: n url = ftp://x", "does not fit type url", "write an http or https URL"),
        ("- Post: n json = NaN", "does not fit type json", "write JSON"),
        ("- Post: n json = 1e999", "does not fit type json", "write JSON"),
        ("- Post: n json = {]}", "does not fit type json", "write JSON"),
        (f"- Post: n string = {'x' * 256}", "does not fit type string", "write at most 255 characters"),
        ('- Post: n string = "\\u0000"', "its default holds the character U+0000", "remove it"),
        ('- Post: n string = "\\ud800"', "its default holds the character U+D800", "remove it"),
        ('- Post: n string = "\\u202e"', "its default holds the character U+202E", "remove it"),
        ("- Post: n json unique", "a json field can't be unique or indexed", ""),
        ("- Post: author -> User = 1", "a relation can't have a default", "make it optional with '?'"),
        (
            "- Post: parent -> Post",
            "required relations form a cycle: Post -> Post",
            "make one relation optional: 'parent -> Post ?'",
        ),
        (
            "- A: b -> B\n- B: a -> A",
            "required relations form a cycle: A -> B -> A",
            "make one relation optional: 'b ->",
        ),
    ],
)
def test_a_bad_entity_is_refused_with_line_text_and_remedy(line: str, reason: str, remedy: str) -> None:
    reserved = Reserved(frozenset({"Doc"}), frozenset({"id"}))
    at = line.splitlines()[-1 if "twice" in reason else 0]
    number = 3 + line.splitlines().index(at) + (line.count("\n") if line == f"{at}\n{at}" else 0)

    message = refusal(f"# Shop\n- User: name text\n{line}\n", reserved=reserved)

    assert message.startswith(f"{SOURCE}, line {number}: {shown(at)}: ")
    assert reason in message
    assert remedy in message


@pytest.mark.parametrize(
    ("first", "second", "shared"),
    [
        ("HTTPServer", "HttpServer", "module 'http_server'"),
        ("Category", "Categorie", "table 'categories'"),
        ("PostTag", "Posttag", "name 'posttag'"),
    ],
)
def test_entities_that_would_share_a_module_table_or_path_are_refused(first: str, second: str, shared: str) -> None:
    message = refusal(f"- {first}: a text\n- {second}: a text\n")

    assert message == (
        f"{SOURCE}, line 2: '- {second}: a text': entities {first} and {second} would share the {shared}; rename one"
    )


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("entities:\n  Post: [title string\n", 3, "not valid YAML"),
        ("entities:\n  Post: @x\n", 2, "not valid YAML"),
        ("entities:\n\tPost: a text\n", 2, "not valid YAML"),
        ('entities:\n  Post: a text\nproject: "\\U00110000"\n', 1, "not valid YAML"),
        ("entities:\n  Post: a text\n---\nproject: x\n", 3, "not valid YAML: but found another document"),
        ("project: x\nentities:\n", 2, "entities must be a mapping"),
        ("entities: [a, b]\n", 1, "entities must be a mapping"),
        ("- 1\nentities: {}\n", 2, "not valid YAML"),
        ("entities: &a\n  Post: a text\n", 1, "anchors, aliases and tags are not allowed; write the value out"),
        ("entities:\n  Post: &a a text\n  Tag: *a\n", 2, "anchors, aliases and tags"),
        ("entities: !!python/object:os.system {}\n", 1, "anchors, aliases and tags"),
        ("project: !!str x\nentities: {Post: a text}\n", 1, "anchors, aliases and tags"),
        ("entities:\n  Post: {a: {b: {c: {d: {e: {f: {g: {}}}}}}}}\n", 2, "nested too deeply"),
        ("entities:\n  Post:\n    title: {a: b}\n", 3, "field title must be text on one line"),
        ("entities:\n  Post:\n    - [a]\n", 3, "a field of Post must be text on one line"),
        ("entities:\n  Post: a text\n  Post: b text\n", 3, "entities: 'Post' appears twice; rename one or merge them"),
        ("entities:\n  Post:\n    a: text\n    a: text\n", 4, "entity Post: 'a' appears twice"),
        ("entities:\n  ? [a]\n  : b text\n", 2, "entities: a key must be plain text"),
        (
            "entities:\n  Post: a text\nauthor: me\n",
            3,
            "unknown key 'author'; the keys are project, description",
        ),
        ("project: [x]\nentities:\n  Post: a text\n", 1, "project must be text on one line"),
        ("output-dir: ../x\nentities: {Post: a text}\n", 1, "'../x' is not a folder inside the repository; give one"),
        ("output-dir: /etc\nentities: {Post: a text}\n", 1, "'/etc' is not a folder inside the repository"),
        ("output-dir: .github\nentities: {Post: a text}\n", 1, "'.github' is not a folder inside the repository"),
        ('entities:\n  Post: a text\nproject: "\\u202e"\n', 3, "it holds the character U+202E; remove it"),
        ('entities:\n  Post: a text\ninstructions: {core: "\\0"}\n', 3, "it holds the character U+0000; remove it"),
        ("entities:\n  Post:\n    - a text\n    - b txt\n", 4, "unknown type 'txt'; did you mean 'text'?"),
        ("entities:\n  Post:\n    a: text\n    b: -> Usr\n", 4, "relation to unknown entity 'Usr'"),
        ("# Shop\n```\nentities:\n  Post: a txt\n```\n", 4, "unknown type 'txt'"),
        ("# Shop\n```\nentities:\n  Post: @\n```\n", 4, "not valid YAML"),
        ("- Tag: a text\n```\nentities:\n  Post: a text\n```\n", 1, "the entities are listed twice; keep either one"),
        ("```\nentities: {}\n```\n```\nentities: {}\n```\n", 4, "the entities are listed twice"),
    ],
)
def test_a_bad_yaml_form_is_refused_with_its_line(text: str, line: int, reason: str) -> None:
    lines = text.splitlines()
    at = lines[line - 1].strip() if line <= len(lines) else ""

    message = refusal(text)

    assert message.startswith(f"{SOURCE}, line {line}: {at!r}: ")
    assert reason in message


@pytest.mark.parametrize(
    "character", ["\x00", "\x08", "\x0b", "\x0c", "\x1b", "\x7f", "\x85", "\u2028", "\u202e", "\u2066", "\ud800"]
)
@pytest.mark.parametrize("text", ["# Shop\n- Post: a text{}\n", "project: Shop\nentities: {{Post: a text{}}}\n"])
def test_a_control_character_is_refused_with_its_line_and_code(character: str, text: str) -> None:
    message = refusal(text.format(character))

    assert message == f"{SOURCE}, line 2: it holds the control character U+{ord(character):04X}; remove it"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("- Post: a text,\n    b txt,\n    c text", "line 2: 'b txt,'"),
        ("# Shop\n\n- Post: a text,\n    b text, c text,\n    d -> Nope,\n    e text", "line 5: 'd -> Nope,'"),
        ("entities:\n  Post: |\n    a text,\n    b txt\n", "line 2: 'Post: |'"),
    ],
)
def test_a_field_on_a_line_of_its_own_is_named_by_that_line(text: str, line: str) -> None:
    assert refusal(text).startswith(f"{SOURCE}, {line}: ")


def test_501_entities_are_too_many() -> None:
    message = refusal("".join(f"- E{n}: name text\n" for n in range(501)))

    assert message == (
        f"{SOURCE}, line 501: '- E500: name text': 501 entities are too many; the limit is 500: split the project"
    )


def test_500_entities_in_a_chain_are_read_at_once() -> None:
    text = "".join(f"- E{n}: name text, next -> E{n + 1}\n" for n in range(499)) + "- E499: name text\n"
    start = time.process_time()

    plan = read_plan(text)

    assert len(plan.entities) == 500
    assert time.process_time() - start < 5


def test_too_many_fields_are_refused() -> None:
    message = refusal("- Post: " + ", ".join(f"f{n} text" for n in range(201)))

    assert "entity Post has 201 fields; the limit is 200" in message


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x" * (1 << 20) + "x", "1,048,577 characters are too many; the limit is 1,048,576"),
        ("- Post: a json = " + "[" * 100_000, "a bracket is not closed"),
        ("- Post: a json = " + "[" * 100_000 + "]" * 100_000, "does not fit type json"),
        ("- Post: a json = " + "[" * 21 + "]" * 21, "nested at most 20 levels deep"),
        ("entities: " + "[" * 100_000, "nested too deeply"),
        ("entities: " + "{a: " * 100_000, "nested too deeply"),
        ("entities:\n" + "- " * 100_000, "nested too deeply"),
        ("entities: {Post: [" + "a," * 500_000 + "]}", "more than 50,000 keys and values; split the project"),
        ("entities: [" + "{a: b}, " * 120_000 + "]", "more than 50,000 keys and values; split the project"),
        ("entities:\n" + "".join(f"  E{n}:\n    a: b\n" for n in range(30_000)), "more than 50,000 keys and values"),
        ("- Post: a string = " + "x" * 500_000, "write at most 255 characters"),
        ("- Post: a string = " + "(" * 500_000, "a bracket is not closed"),
        ("- Post: a " + "x" * 500_000, "unknown type"),
        ("- " + "X" * 500_000 + ": a text", "has 500000 characters"),
        ("- Post: a -> " + "X" * 500_000, "relation to unknown entity"),
        ("# a" + " " * 500_000 + "b", "it contains no entities"),
        ("# " + "#" * 500_000 + "b", "it contains no entities"),
        ("```\n" * 100_000, "it contains no entities"),
        ("entities:\n  Post: {" + "x" * 500_000 + ": a}", "not valid YAML"),
    ],
    ids=lambda value: value[:20] if len(value) > 60 else value,
)
def test_a_huge_or_deep_text_is_refused_in_time_and_briefly(text: str, reason: str) -> None:
    start = time.process_time()

    message = refusal(text)

    assert reason in message
    assert len(message) < 1000
    assert time.process_time() - start < 5
