"""Checks of the files that a model writes: what is refused, what is allowed, and that no text is slow to check."""

import asyncio
import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.generation.llm.file_checks import find_fault
from bot.generation.provider import GenerationRequest
from bot.generation.templates import TemplateProvider
from bot.planning.recipe import BUILT_IN
from tests.repositories import planned

_FENCE = "it is wrapped in a Markdown fence"
_DEEP = "it does not parse: it is too large, or nested too deeply"
_ONLY_NAMES = "only names and versions are allowed"


def _holds(line: int, what: str) -> str:
    return f"line {line} holds a placeholder: {what}"


# ---- readable


@pytest.mark.parametrize("path", ["a.py", "a.toml", "a.yaml", "a.json", "requirements.txt", "README.md", "Dockerfile"])
@pytest.mark.parametrize(
    "character",
    [
        *("\0", "\x07", "\x0b", "\x0c", "\r", "\x1b", "\x1f", "\x7f", "\x85", "\x9f"),
        *("\u2028", "\u2029", "\u202a", "\u202e", "\u2066", "\u2069", "\ufeff", "\ud800", "\udfff"),
    ],
)
def test_a_character_that_deceives_or_breaks_is_named_with_its_line(path: str, character: str) -> None:
    found = find_fault(path, f"# one\n# t{character}wo\n")

    assert found == f"line 2 holds the character U+{ord(character):04X}"


def test_a_byte_order_mark_is_refused() -> None:
    assert find_fault("a.py", "\ufeffA = 1\n") == "line 1 holds the character U+FEFF"


def test_a_character_comes_before_all_else() -> None:
    assert find_fault("a.py", "```python\n\0") == "line 2 holds the character U+0000"


@pytest.mark.parametrize("text", ["# \u00fc \u8aac \U0001f600 \u00a0 \u0301\n", "#\ttab\n"])
def test_a_text_of_any_language_is_readable(text: str) -> None:
    assert find_fault("a.py", text) is None


@pytest.mark.parametrize(
    ("path", "limit"),
    [
        ("a.txt", 1_000_000),
        ("a.py", 1_000_000),
        ("a.yaml", 100_000),
        ("a.YML", 100_000),
        ("requirements.txt", 100_000),
    ],
)
def test_the_size_is_counted_in_bytes(path: str, limit: int) -> None:
    assert find_fault(path, f"#{'x' * (limit - 1)}") is None
    assert find_fault(path, f"#{'x' * limit}") == f"it is larger than {limit} bytes"
    assert find_fault(path, f"#{chr(0xFC) * (limit // 2)}") == f"it is larger than {limit} bytes"


@pytest.mark.parametrize("text", ["", "\n", " \n\t\n", "\u00a0\n"])
def test_only_files_that_are_meant_to_be_empty_may_be(text: str) -> None:
    found = {path: find_fault(path, text) for path in ("app/x.py", "a.json", "README.md", "a.txt", "init.py")}

    assert set(found.values()) == {"it is empty"}
    assert not any(find_fault(path, text.strip()) for path in ("__init__.py", "app/__init__.py", "a/py.typed"))
    assert find_fault("data/.gitkeep", text) is None


# ---- fences


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.py", "```\nA = 1\n```\n"),
        ("a.py", "```python\nA = 1\n```\n"),
        ("a.py", "\n\n``` python title=a.py  \nA = 1\n```\n\n"),
        ("a.py", "~~~py\nA = 1\n~~~\n"),
        ("a.py", "````python\nA = 1\n````\n"),
        ("a.py", "```python\nA = 1\n"),
        ("a.py", "A = 1\n```\n"),
        ("a.py", "A = 1\n~~~  \n"),
        ("a.json", '```json\n{"a": 1}\n```\n'),
        ("a.yaml", "```yaml\na: 1\n```\n"),
        ("a.toml", "a = 1\n```\n"),
        ("Dockerfile", "```dockerfile\nFROM a\n```\n"),
        ("requirements.txt", "```\na\n```\n"),
        ("README.md", "```markdown\n# A\n```\n"),
        ("README.md", "```md\n# A\n```\n"),
        ("README.md", "\n```\n# A\n\nText\n```\n\n"),
        ("README.md", "```Markdown\n# A\n\n```bash\nrun\n```\n\n## B\n\n```python\nx\n```\n```\n"),
        ("README.md", "````markdown\n# A\n\n```bash\nrun\n```\n````\n"),
        ("README.md", "````markdown\n# A\n\n```\nrun\n```\n````\n"),
        ("README.MARKDOWN", "```markdown\n# A\n```\n"),
        ("README.md", "```\n"),
        ("README.md", "```markdown\n# A\n"),
    ],
)
def test_the_fence_of_an_answer_is_no_part_of_the_file(path: str, text: str) -> None:
    assert find_fault(path, text) == _FENCE


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.py", '"""Say:\n\n```\nrun\n```\n"""\n'),
        ("a.py", '"""```"""\n'),
        ("a.yaml", "a: |\n  ```\n  run\n  ```\n"),
        ("notes.txt", "``` is a fence` `\nto some\n"),
        ("README.md", "```bash\nrun\n```\n"),
        ("README.md", "```\nrun\n```\n\nText\n"),
        ("README.md", "```\nrun\n```\n\nText\n\n```\nrun\n```\n"),
        ("README.md", "```markdown\n# A\n```\n\nis how it looks:\n\n```bash\nrun\n```\n"),
        ("README.md", "# A\n\n```bash\nrun\n```\n"),
        ("README.md", "- A\n\n  ```\n  run\n  ```\n"),
    ],
)
def test_a_fence_that_belongs_to_the_file_stays(path: str, text: str) -> None:
    assert find_fault(path, text) is None


# ---- what does not parse


@pytest.mark.parametrize(
    ("path", "text", "reason"),
    [
        ("a.py", "A = 1\n\nprint(\n", "line 3 does not parse: '(' was never closed"),
        ("a.py", "if a:\nb\n", "line 2 does not parse: expected an indented block after 'if' statement on line 1"),
        ("a.py", "return 1\n", "line 1 does not parse: 'return' outside function"),
        ("a.py", "try:\n    a()\nfinally:\n    break\n", "line 4 does not parse: 'break' outside loop"),
        ("a.py", "def f(a, a):\n    b()\n", "line 1 does not parse: duplicate "),
        ("a.py", "a = b\u201d\n", "line 1 does not parse: invalid character '\u201d' (U+201D)"),
        ("a.py", "a = \u200b1\n", "line 1 holds the character U+200B"),
        ("a.PY", "a b\n", "line 1 does not parse: invalid syntax"),
        ("a.toml", "[a]\nb = \n", "it does not parse: Invalid value (at line 2, column 5)"),
        ("pyproject.toml", "a = 1\na = 2\n", "it does not parse: Cannot overwrite a value (at line 2, column 6)"),
        ("a.json", '{\n"a": 1,\n}\n', "line 3 does not parse: Expecting property name enclosed in double quotes"),
        ("a.json", "// no\n{}\n", "line 1 does not parse: Expecting value"),
        ("a.yaml", "a: 1\nb: [\n", "line 3 does not parse: expected the node content, but found '<stream end>'"),
        ("a.yml", "a: *b\n", "line 1 does not parse: found undefined alias 'b'"),
        ("a.yaml", "a: 1\n---\n- b\nc\n", "line 5 does not parse: could not find expected ':'"),
        ("a.yaml", "a: 2026-02-31\n", "it does not parse: day is out of range for month"),
        ("a.yaml", "[a]: 1\n", "line 1 does not parse: found unhashable key"),
        (
            "a.yaml",
            "a: 1\nb: !!python/object/apply:os.system [id]\n",
            "line 2 does not parse: could not determine a constructor for the tag 'tag:yaml.org,2002:python/object/",
        ),
        ("a.yaml", "a: !mine 1\n", "line 1 does not parse: could not determine a constructor for the tag '!mine'"),
    ],
)
def test_a_file_that_does_not_parse_is_told_with_its_line(path: str, text: str, reason: str) -> None:
    assert (find_fault(path, text) or "").startswith(reason)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.py", "A = 1\n"),
        ("a.py", '"""Only a docstring."""\n'),
        ("a.py", "# coding: utf-8\nA = '\\d' is 1\n"),
        ("a.py", "try:\n    a()\nexcept* ValueError:\n    b()\nfinally:\n    c()\n"),
        ("a.py", "async def f():\n    async with a:\n        yield 1\n"),
        ("a.py", "for a in b:\n    try:\n        c()\n    finally:\n        continue\n"),
        ("a.toml", '[project]\nname = "a"\ndependencies = ["a>=1.2.3", "b>=1.2.3"]\n"a.b".c.\'d\' = 1.5\n'),
        ("a.json", '{"a": [1, null]}\n'),
        ("a.yaml", "a: &a {x: 1}\nb:\n  <<: *a\n  y: 2\nc:\n  <<: [*a, *a]\n---\nd: 2026-01-31\n...\n"),
        ("a.cfg", "[a\nb ="),
        ("a.sh", "#!/bin/sh\nset -eu\n"),
    ],
)
def test_a_file_that_parses_is_fit(path: str, text: str) -> None:
    assert find_fault(path, text) is None


@pytest.mark.parametrize(
    "tag", ["int ''", "int a", "float ''", "bool a", "timestamp a", "binary \u00e4", "omap a", "set [a]"]
)
def test_an_error_of_any_kind_in_yaml_is_a_reason(tag: str) -> None:
    assert "does not parse: " in (find_fault("a.yaml", f"a: !!{tag}\n") or "")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.json", "[" * 100_000),
        ("a.json", '{"a":' * 100_000),
        ("a.toml", "a = " + "[" * 100_000),
        ("a.toml", "a = " + "{a = " * 100_000),
        ("a.yaml", "[" * 10_000),
        ("a.yaml", "- " * 10_000),
        ("a.yaml", "? " * 10_000),
    ],
)
def test_deep_nesting_is_a_reason(path: str, text: str) -> None:
    assert find_fault(path, text) == _DEEP


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "-" * 100_000 + "1",
        "a = " + "-" * 5_000 + "1",
        "a" + ".b" * 100_000,
        "+".join("a" * 100_000),
        "a" + "()" * 100_000,
        "if a: b()\n" + "elif a: b()\n" * 20_000,
    ],
    ids=lambda text: text[:20],
)
def test_deep_nesting_in_python_is_a_reason_where_the_compiler_gives_up(text: str) -> None:
    assert find_fault("a.py", text) in {_DEEP, None}


def _merges(levels: int) -> str:
    lines = [f"a{level}: &a{level}\n  <<: [{', '.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, levels)]
    return "".join(("a0: &a0 {x: 1}\n", *lines))


def _aliases(levels: int) -> str:
    lines = [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, levels)]
    return "".join(("a0: &a0 [x]\n", *lines))


def _finallies(levels: int) -> str:
    lines = [f"{' ' * level}try:\n{' ' * level} a()\n{' ' * level}finally:\n" for level in range(levels)]
    return "".join((*lines, " " * levels, "b()\n"))


def _returns(ways_out: int, statements: int) -> str:
    tries = "  if a: return b\n" * ways_out
    return f"def f():\n try:\n{tries} finally:\n" + "  c()\n" * statements


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.yaml", _aliases(50)),
        ("a.yaml", _merges(50)),
        ("a.yaml", "a: &a\n  b: *a\n  <<: *a\n"),
        ("a.py", _finallies(18)),
        ("a.py", _returns(10_000, 10_000)),
        ("a.py", "a = 9 ** 9 ** 9 + (1 << 10 ** 9)\nb = 'a' * 10 ** 9\n"),
        ("a.toml", "".join(f"[a{number}]\n" for number in range(50_000))),
        ("requirements.txt", "a" + ",".join([">=1"] * 10_000)),
        ("a.sh", '"\\' * 400_000),
        ("a.sh", '"\\' * 400_000 + "\\"),
        ("a.sh", "'\\\"" * 300_000),
        ("a.md", "```" + " " * 900_000 + "`"),
        ("a.sh", "```" + " " * 900_000 + "`"),
        ("a.sh", "# " + "rest of the " * 80_000),
        ("a.sh", "# " + "." * 900_000 + "a"),
        ("a.sh", "# " + "existing " * 100_000 + "!" * 50_000 + "a"),
        ("a.md", " " * 900_000 + ".."),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else None,
)
def test_a_text_made_to_explode_is_judged_all_the_same(path: str, text: str) -> None:
    assert find_fault(path, text) is None


@pytest.mark.parametrize(
    ("path", "text", "reason"),
    [
        ("a.toml", "b = 1\n" + ".".join("a" * 100_000) + " = 1\n", "line 2 has a key with too many parts"),
        ("a.toml", "b = {" + " . ".join(['"a.b"', "'c'"] * 50_000) + " = 1}", "line 1 has a key with too many parts"),
        ("a.toml", "[" + ".".join("a" * 21) + "]", "line 1 has a key with too many parts"),
        ("a.toml", "." + '"' * 500_000, "it does not parse: Invalid statement (at line 1, column 1)"),
        ("requirements.txt", "a" + " " * 90_000 + "b", "line 1 is not a valid requirement: "),
        ("requirements.txt", "a;" + "(" * 90_000, "line 1 is not a valid requirement: "),
        ("a.json", "9" * 5_000, "it does not parse: Exceeds the limit (4300 digits) for integer string conversion"),
        ("a.py", "a = " + "9" * 5_000, "line 1 does not parse: Exceeds the limit (4300 digits) for integer string"),
        ("a.py", "(" * 500_000, "line 1 does not parse: too many nested parentheses"),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else None,
)
def test_a_text_made_to_explode_is_refused_before_it_does(path: str, text: str, reason: str) -> None:
    assert (find_fault(path, text) or "").startswith(reason)


@pytest.mark.parametrize("path", ["a.py", "requirements.txt"])
@pytest.mark.parametrize("line", [1, 2])
@pytest.mark.parametrize("comment", ["# -*- coding: utf-7 -*-", " # vim: set fileencoding=latin-1 :", "#coding=utf_16"])
def test_a_file_may_not_declare_an_encoding_in_which_it_reads_otherwise(path: str, line: int, comment: str) -> None:
    found = find_fault(path, "#\n" * (line - 1) + f"{comment}\n#+AAo-import os\n")

    assert (found or "").startswith(f"line {line} declares the encoding '")
    assert (found or "").endswith("; only UTF-8 is allowed")


@pytest.mark.parametrize("text", ["# -*- coding: UTF-8 -*-\n", "# coding: utf_8\n", "#\n#\n# coding: latin-1\n"])
def test_an_encoding_that_changes_nothing_may_be_declared(text: str) -> None:
    assert find_fault("a.py", text) is None


# ---- requirements


@pytest.mark.parametrize(
    "text",
    [
        "fastapi>=0.100\n",
        "# all\n\nfastapi>=0.100,<1  # the API\nuvicorn[standard]==0.30.*\n",
        'tomli>=2; python_version < "3.11" and extra == "x"\n',
        "fastapi\\\n>=0.100\n",
        "fastapi \\\n  >=0.100, \\\n  <1  # the API\nuvicorn\n",
        "fastapi \\",
        "fastapi \\\n",
        "fastapi\\\n# the API \\\nuvicorn\n",
        "-r requirements.txt\npytest\n",
        "-rother.txt  # the rest\n--requirement other.txt\n--requirement=other.txt\n",
        "-c constraints.txt\n--constraint constraints.txt\n",
    ],
)
def test_names_and_versions_may_be_required(text: str) -> None:
    assert find_fault("requirements.txt", text) is None


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("--index-url https://example.com/simple", "--index-url"),
        ("--extra-index-url=https://example.com/simple", "--extra-index-url"),
        ("-i https://example.com/simple", "-i"),
        ("-ihttps://example.com", "-ihttps"),
        ("  --pre", "--pre"),
        ("-e .", "-e"),
        ("--editable=./a", "--editable"),
        ("-f ./wheels", "-f"),
        ("--trusted-host example.com", "--trusted-host"),
        ("fastapi --hash=sha256:abc", "--hash"),
        ("fastapi \\\n  --index-url https://example.com", "--index-url"),
        ("-r other.txt --no-index", "-r"),
        ("-r ../other.txt", "-r"),
        ("-r a/b.txt", "-r"),
        ("-r a\\b.txt", "-r"),
        ("-r https://example.com/a.txt", "-r"),
        ("-r ..", "-r"),
        ("-r ${HOME}", "-r"),
        ("--req other.txt", "--req"),
        ("-c file:///a.txt", "-c"),
        ("a @ https://example.com/a.whl", "'https://example.com/a.whl'"),
        ("a[b] @ git+https://example.com/a ; os_name == 'nt'", "'git+https://example.com/a'"),
        ("a @ file:///etc/passwd", "'file:///etc/passwd'"),
        ("a===1\\ --no-index", "\\"),
    ],
)
def test_nothing_else_is_asked_of_pip(line: str, what: str) -> None:
    found = find_fault("requirements-dev.txt", f"fastapi\n\n# more\n{line}\n")

    assert found == f"line 4 asks pip for {what}; {_ONLY_NAMES}"


def test_a_comment_of_its_own_does_not_go_on_behind_a_backslash() -> None:
    assert find_fault("requirements.txt", "a # b \\\n--pre\n") is None  # as for pip, it is all one comment
    assert find_fault("requirements.txt", "\u00a0# b \\\n--pre\n") == f"line 2 asks pip for --pre; {_ONLY_NAMES}"
    assert find_fault("requirements.txt", "a \\\n# b \\\n--pre\n") == f"line 3 asks pip for --pre; {_ONLY_NAMES}"


@pytest.mark.parametrize(
    "line",
    [
        "./a",
        "https://example.com/a.whl",
        "git+https://example.com/a",
        "a b",
        "a>=",
        "a=1",
        "${A}",
        "a; b",
        "a.whl/",
        "-1",
    ],
)
def test_a_line_that_is_no_requirement_is_refused(line: str) -> None:
    found = find_fault("app/requirements.txt", f"fastapi \\\n  >=1\n{line}\n") or ""

    assert found.startswith("line 3 is not a valid requirement: ")


@pytest.mark.parametrize(
    "name", ["requirements.txt", "requirements_dev.txt", "dev-requirements.txt", "constraints.txt"]
)
def test_the_rule_holds_for_each_file_that_pip_reads(name: str) -> None:
    assert find_fault(f"a/{name}", "-e .\n") == f"line 1 asks pip for -e; {_ONLY_NAMES}"
    assert find_fault("a/notes.txt", "-e .\n") is None


# ---- placeholders in comments

_STAND_INS = [
    "TODO",
    "TODO: write",
    "a FIXME, really",
    "XXX",
    "TODO(ada): write",
    "your code here",
    "Your code goes here",
    "Put your own code here.",
    "code goes here",
    "the implementation goes here",
    "Implement this",
    "implement this method",
    "implement this later.",
    "you have to implement this",
    "rest of the code",
    "... rest of the code ...",
    "\u2026 rest of the implementation \u2026",
    "The rest of the routes",
    "(rest of the class)",
    "rest of the methods remain unchanged",
    "the rest of the file is unchanged",
    "Rest of your existing code here",
    "remaining code",
    "... remaining methods ...",
    "existing code",
    "... existing code ...",
    "existing imports stay",
    "same as before",
    "Same as before, with one more field",
    "imports omitted for brevity",
    "add your routes here",
    "Add more fields here as needed",
    "Insert the other handlers here...",
    "...",
    "\u2026",
    ". . .",
    "....",
]
_ORDINARY = [
    "the rest is read lazily",
    "todos are listed by date",
    "a Todo has a title",
    "todo",
    "XXXL is a size",
    "TODOS and FIXMES",
    "TODO_STATES are listed in the plan",
    "the rest of the file is read lazily",
    "the rest of the code relies on this order",
    "skip the rest of the file",
    "validate the remaining fields",
    "remaining methods are looked up by name",
    "an existing code is kept",
    "existing tests cover the other case",
    "the existing model is updated, not replaced",
    "classes that implement this protocol",
    "Implement this protocol to store files elsewhere, such as in a bucket",
    "we add the tenant here because the session knows it",
    "add here",
    "Add new models here so that metadata knows them",
    "https://example.com/a",
    "see the code here",
    "wait... then go on",
    "brevity",
    "---------",
    "",
    "noqa: S101",
    "type: ignore[assignment]",
]
_LEADS = ["# {}", "    x = 1  # {}", "#{}", "### {} ###"]


@pytest.mark.parametrize("comment", _STAND_INS)
@pytest.mark.parametrize("path", ["a.py", "a.toml", "a.yaml", "Dockerfile", "requirements.txt", ".gitignore", "a.cfg"])
def test_a_comment_in_place_of_code_is_a_placeholder(path: str, comment: str) -> None:
    assert find_fault(path, f"\n\n# {comment}\n") == _holds(3, repr(f"# {comment}"))


@pytest.mark.parametrize("comment", _ORDINARY)
@pytest.mark.parametrize("path", ["a.py", "a.toml", "a.yaml", "Dockerfile", "requirements.txt", ".gitignore", "a.cfg"])
def test_an_ordinary_comment_is_none(path: str, comment: str) -> None:
    assert find_fault(path, f"\n\n# {comment}\n") is None


@pytest.mark.parametrize(
    ("path", "text", "line"),
    [
        ("a.py", "def f():\n    a()  # TODO: b\n", 2),
        ("a.py", "A = [\n    1,\n    #...\n]\n", 3),
        ("a.py", "A = '''\n'''  ### TODO ###\n", 2),
        ("a.js", "a();// TODO: b\n", 1),
        ("a.js", "a('//');  // ...\n", 1),
        ("a.js", "const a = 'it\\'s';  // your code here\n", 1),
        ("a.toml", "a = 1  # TODO\n", 1),
        ("a.toml", 'a = "#"  # TODO\n', 1),
        ("a.yaml", "a: it's  # TODO\n", 1),
        ("a.yaml", 'a: 5" # TODO\n', 1),
        ("requirements.txt", "fastapi  # TODO: pin\n", 1),
        ("a.sh", "a\n  # TODO\n", 2),
    ],
)
def test_a_comment_is_found_wherever_it_stands(path: str, text: str, line: int) -> None:
    assert (find_fault(path, text) or "").startswith(f"line {line} holds a placeholder: '")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.py", 'A = \'# TODO\'\nB = """\n# TODO\n"""\n'),
        ("a.py", "class Todo:\n    TODO = 'TODO: your code here'\n"),
        ("a.py", '"""TODO is a state."""\n'),
        ("a.toml", "a = \"a # TODO app\"\nb = '// TODO'\n"),
        ("a.yaml", "a: 'x # TODO'\nb: https://TODO.example.com\nc: x#TODO\nTODO: 1\n"),
        ("a.json", '{"a": "// TODO", "# TODO": "..."}'),
        ("a.js", 'const a = \'https://TODO\';\nconst b = "\\"// TODO";\n'),
        ("notes.txt", "# TODO\n...\n"),
        ("a.csv", "a,# TODO\n"),
        ("a.rst", "# TODO\n"),
        ("README.md", "# TODO\n\n- [ ] TODO: buy milk // FIXME\n"),
        ("a.sh", "echo TODO\n"),
    ],
)
def test_what_is_no_comment_is_no_placeholder(path: str, text: str) -> None:
    assert find_fault(path, text) is None


@pytest.mark.parametrize("line", ["...", "  ...  ", "\u2026", "Lorem ipsum dolor sit amet", "- a lorem IPSUM"])
def test_a_filler_in_markdown_is_a_placeholder(line: str) -> None:
    assert find_fault("README.md", f"# A\n\n{line}\n") == _holds(3, repr(line.strip()))


@pytest.mark.parametrize("line", ["and so on ...", "TODO", "# your code here", "lorem", "....", ">>> a", "... b"])
def test_prose_in_markdown_is_no_placeholder(line: str) -> None:
    assert find_fault("README.md", f"# A\n\n{line}\n") is None


# ---- placeholders in place of bodies


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("def list_posts():\n    ...\n", 2, "the body of list_posts() is only '...'"),
        ("def f(): ...\n", 1, "the body of f() is only '...'"),
        ("def f():\n    '''Do it.'''\n    ...\n", 3, "the body of f() is only '...'"),
        ("async def f():\n    pass\n", 2, "the body of f() is only 'pass'"),
        ("def f():\n    '''Do it.'''\n\n    pass\n", 4, "the body of f() is only 'pass'"),
        ("def f():\n    pass\n    ...\n", 2, "the body of f() is only 'pass'"),
        ("def f():\n    raise NotImplementedError\n", 2, "the body of f() is only 'raise NotImplementedError'"),
        ("def f():\n    raise NotImplementedError('no') from None\n", 2, "the body of f() is only 'raise NotImpl"),
        ("def f():\n    raise builtins.NotImplementedError()\n", 2, "the body of f() is only 'raise NotImpl"),
        ("class A:\n    def f(self):\n        ...\n", 3, "the body of f() is only '...'"),
        ("class A(Base):\n    async def f(self):\n        pass\n", 3, "the body of f() is only 'pass'"),
        ("@cache\ndef f(): pass\n", 2, "the body of f() is only 'pass'"),
        ("@router.get('/')\nasync def f():\n    ...\n", 3, "the body of f() is only '...'"),
        ("def f():\n    def g(): ...\n    return g\n", 2, "the body of g() is only '...'"),
        ("if a:\n    def f(): pass\n", 2, "the body of f() is only 'pass'"),
        ("class P(Protocol):\n    class A:\n        def f(self): ...\n", 3, "the body of f() is only '...'"),
        ("class A(P, key=ABCDEF):\n    def f(self): ...\n", 2, "the body of f() is only '...'"),
        ("import a\n\n...\n", 3, "a lone '...'"),
        ("class A:\n    ...\n", 2, "a lone '...'"),
        ("class A:\n    '''An A.'''\n\n    a: int\n    ...\n", 5, "a lone '...'"),
        ("class A(Error): ...\n", 1, "a lone '...'"),
        ("def f(): ...\n# TODO\n", 1, "the body of f() is only '...'"),
        ("# TODO\ndef f(): ...\n", 1, "'# TODO'"),
        ("def \u00fcber(): pass\n", 1, "the body of \u00fcber() is only 'pass'"),
    ],
)
def test_a_body_that_does_nothing_is_a_placeholder(text: str, line: int, what: str) -> None:
    assert (find_fault("app/a.py", text) or "").startswith(_holds(line, what))


@pytest.mark.parametrize(
    "text",
    [
        "@overload\ndef f(a: int) -> int: ...\n",
        "@typing.overload\ndef f(a: int) -> int: ...\n",
        "class A:\n    @abstractmethod\n    def f(self): ...\n",
        "class A:\n    @property\n    @abc.abstractmethod\n    def f(self):\n        raise NotImplementedError\n",
        "class A:\n    @abc.abstractproperty\n    def f(self): pass\n",
        "class A(Protocol):\n    def f(self) -> int: ...\n",
        "class A(Protocol[T]):\n    '''An A.'''\n\n    def f(self) -> int: ...\n",
        "class A(typing.Protocol):\n    ...\n",
        "class A(ABC):\n    async def f(self): pass\n",
        "class A(abc.ABC):\n    def f(self): raise NotImplementedError\n",
        "class A(metaclass=ABCMeta):\n    def f(self): ...\n",
        "class A(B, metaclass=abc.ABCMeta):\n    def f(self): ...\n",
        "class A(Error):\n    pass\n",
        "class A(Error):\n    '''It is there.'''\n",
        "class A:\n    '''An A.'''\n\n    pass\n",
        "def f():\n    '''Only told.'''\n",
        "def f():\n    try:\n        a()\n    except ValueError:\n        pass\n",
        "def f(a):\n    if a:\n        raise NotImplementedError\n    return a\n",
        "def f():\n    raise ValueError\n",
        "def f():\n    try:\n        raise\n    finally:\n        pass\n",
        "class A(Model):\n    a: str = Field(..., max_length=3)\n    b: tuple[int, ...]\n",
        "A = ...\n",
        "def f(a=...):\n    return a is ...\n",
        "def f():\n    return ...\n",
        "f = lambda: ...\n",
        "if a:\n    pass\n",
        "while a():\n    pass\n",
    ],
)
def test_a_body_that_may_do_nothing_is_none(text: str) -> None:
    assert find_fault("app/a.py", text) is None


# ---- all of it


_PATHS = [
    *(
        "a.py",
        "a/__init__.py",
        "a.toml",
        "a.yaml",
        "a.yml",
        "a.json",
        "requirements.txt",
        "constraints.txt",
        "notes.txt",
    ),
    *("README.md", "Dockerfile", ".gitignore", "a.js", "py.typed", "a.csv", "a.pyi", ""),
]
_PIECES = [
    *("```", "~~~", "...", "\u2026", "# ", "// ", "TODO", "pass", "def f():", "class A:", "try:", "finally:", "raise "),
    *(
        "\n",
        "\n    ",
        " ",
        "\t",
        "\\",
        "\\\n",
        "'",
        '"',
        "'''",
        '"""',
        "{",
        "}",
        "[",
        "]",
        "(",
        ")",
        ",",
        ":",
        "=",
        "-",
    ),
    *("a", "1", "0x", "1e", ".", "<<: *a", "&a ", "*a", "!!int ", "!!timestamp ", "!a ", "- ", "? ", "--- ", "%", "@ "),
    *("-r ", "--pre", ">=1", "; ", "lorem ipsum", "rest of the code", "f'{", "coding: x", "2026-02-31", "\u00fc", "\0"),
]
_TEXT = (
    st.text()
    | st.text(st.characters(exclude_categories=[]))
    | st.text(string.printable)
    | st.lists(st.sampled_from(_PIECES), max_size=30).map("".join)
)


@given(st.sampled_from(_PATHS), _TEXT)
@example("a.yaml", "a: " + "\U000e0001" * 300 + " b: c: d")
@example("a.yaml", "!!int " + "\u00a0" * 300)
@example("a.py", "def " + "a" * 300 + "(): ...")
@example("a.py", "# TODO " + "\u200b\U000e0001" * 300)
@example("a.py", "a = '\\N{" + "x" * 300 + "}'")
@example("requirements.txt", "a @ https://" + "\u00e9\u200b" * 300)
@example("requirements.txt", "--" + "a" * 300)
@example("a.json", "\u00a0")
@example("a.toml", "a = '\u200b'\n\u200b = 1")
def test_any_text_is_judged_in_one_short_printable_line(path: str, text: str) -> None:
    found = find_fault(path, text)

    assert found is None or (0 < len(found) <= 200 and found.isprintable() and found == found.strip())


_HIDING = """\
project: "My \u200bBlog\U000e0041 \u2764\ufe0f"
description: "Of \u3164 a \U0001f469\u200d\U0001f467 \u200eand\u00ad more."
entities:
  Post:
    title: string = "a\u200bb"
"""
"""A plan as an earlier release committed it: it reads as before, and nothing hidden gets into the files."""


@pytest.mark.parametrize("example_project", ["blog", "everything", None])
def test_what_the_recipe_renders_is_fit(example_project: str | None) -> None:
    spec = (BUILT_IN / "fastapi" / "examples" / f"{example_project}.md").read_text() if example_project else _HIDING
    laid_out = planned(spec, recipe="fastapi")
    files: dict[str, str] = {}
    for phase in laid_out.phases:
        if phase.key != "plan":
            request = GenerationRequest(laid_out.plan, laid_out.recipe, phase, tuple(phase.files))
            files |= asyncio.run(TemplateProvider().generate(request)).files

    assert {path: fault for path, text in files.items() if (fault := find_fault(path, text))} == {}
    assert {"main.py", "requirements.txt", "pyproject.toml", "README.md", "Dockerfile"} <= set(files)
    assert (
        example_project or laid_out.plan.description == "Of \u3164 a \U0001f469\u200d\U0001f467 \u200eand\u00ad more."
    )
