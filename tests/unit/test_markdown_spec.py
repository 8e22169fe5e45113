"""The forms in which people write a spec in Markdown: read where they are plain, refused where they are nearly so."""

import textwrap

import pytest

from bot.errors import UsageError
from bot.planning.entity_grammar import format_options
from bot.planning.field_grammar import format_field
from bot.planning.plan import Plan
from bot.planning.resolved_plan import resolve_exact_spec
from bot.planning.spec_parser import read_spec
from tests.unit.values import SOURCE, read_plan, refusal


def picture(plan: Plan) -> str:
    """Return the entities of a plan in the exact form."""
    lines = []
    for entity in plan.entities:
        lines.append(f"{entity.name}: {', '.join(map(format_field, entity.fields))}")
        lines += [f"  {line}" for line in format_options(entity)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    "line",
    [
        "- Tag: name string, at datetime",
        "* Tag: name string, at datetime",
        "+ Tag: name string, at datetime",
        "1. Tag: name string, at datetime",
        "12) Tag: name string, at datetime",
        "- [ ] Tag: name string, at datetime",
        "- [x] Tag: name string, at datetime",
        "- **Tag**: name string, at datetime",
        "- **Tag:** name string, at datetime",
        "- `Tag`: name string, at datetime",
        "- Tag \u2014 name string, at datetime",
        "- Tag (name string, at datetime)",
        "- Tag: name:string, at: datetime",
        "- tag: name string, at datetime",
        "Tag: name string, at datetime",
        "- Tag:\n  - name string\n  - at datetime",
        "- Tag\n    * name: string\n    * at: datetime",
        "- **Tag**\n  - **name** string\n  - `at` datetime",
        "### Tag\n- name string\n- at datetime",
        "#### Tag\n\n* name: string\n\n* at: datetime",
        "## Tag\n| Field | Type |\n|---|---|\n| name | string |\n| at | datetime |",
        "- Tag: name string,\n  at datetime",
    ],
)
def test_an_entity_is_read_in_every_form(line: str) -> None:
    plan = read_plan(f"# Shop\n\n- User: name string\n{line}\n- Post: title string\n")

    assert picture(plan) == "User: name string\nTag: name string, at datetime\nPost: title string"
    assert plan.description == ""


def test_all_forms_in_one_text_give_all_entities() -> None:
    text = (
        "- Tag: name string\n- **Author**: name string\n- Blog Post: body text\n+ Picture: url url\n"
        "1. Vote: n integer\n- [ ] Like: n integer\nNote: body text\n"
    )

    assert [each.name for each in read_plan(text).entities] == [
        *("Tag", "Author", "BlogPost", "Picture", "Vote", "Like", "Note")
    ]


def test_what_stands_below_an_entity_is_a_field_or_said_of_it() -> None:
    text = """
- Post: title string, author -> User
  - unique author, title
  - index title, author
  - index integer
  - body: text
  - plural: writings
  - access: read anyone
  - a published post can't
    go back to draft (409)
- User: name string
  - unique name
"""

    assert picture(read_plan(text)) == (
        "Post: title string, author -> User, index integer, body text\n"
        "  unique author, title\n"
        "  index title, author\n"
        "  plural: writings\n"
        "  access: read anyone\n"
        "  rule: a published post can't go back to draft (409)\n"
        "User: name string unique"
    )


def test_features_rules_and_what_is_left_out_have_sections() -> None:
    text = """
# Shop
- Post: title string

## Features
- Feed: `GET /feed` returns posts, newest first. Uses Post.
  - at most 20 of them
- Blog search: finds posts
  by words.

### Follow
A user follows another. Uses Post, Feed.

## Business rules
1. A post is short.
Posts are kept. For ever.

## Out of scope
- Mail
"""
    plan = read_plan(text)

    assert [(each.name, each.does, each.uses, each.rules) for each in plan.features] == [
        ("Feed", "`GET /feed` returns posts, newest first.", ("Post",), ("at most 20 of them",)),
        ("BlogSearch", "finds posts by words.", (), ()),
        ("Follow", "A user follows another.", ("Post", "Feed"), ()),
    ]
    assert plan.rules == ("A post is short.", "Posts are kept.", "For ever.")
    assert (plan.left_out, plan.description) == (("Mail",), "")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("- **Tag**: name strng", "unknown type 'strng'; did you mean 'string'?"),
        ("- Blog Post: name string uniq", "'uniq' is not a modifier"),
        ("### Tag\n- name string\n- at datetim", "unknown type 'datetim'; did you mean 'datetime'?"),
        ("- Tag:\n  - name string\n  - at datetim", "unknown type 'datetim'; did you mean 'datetime'?"),
        ("- Note: this is an internal service", "if it is no entity, take 'Note:' away"),
        ("| Field | Type |\n|---|---|\n| a | text |", "a table of fields needs a heading above it"),
        ("## Features\n- people follow people", "a feature is written 'Name: what it does. Uses A, B.'"),
    ],
)
def test_what_looks_like_an_entity_a_field_or_a_feature_and_is_none_is_refused(line: str, message: str) -> None:
    assert message in refusal(f"# Shop\n- User: name string\n{line}\n")


def test_all_problems_are_told_at_once_with_their_lines() -> None:
    message = refusal("- A: x strng\n- B: y -> Nobody\n- C: class string\n")
    unknown = "relation to unknown entity 'Nobody'; add an entity of that name, or use one of:"

    assert message.split("\n") == [
        f"{SOURCE}: 3 problems",
        "  line 1: '- A: x strng': unknown type 'strng'; did you mean 'string'? types are "
        + message.split("types are ")[1].split("\n")[0],
        f"  line 2: '- B: y -> Nobody': {unknown} A, B, C",
        "  line 3: '- C: class string': 'class' is a Python keyword; rename the field, for example to 'class_value'",
    ]


def test_twenty_problems_are_told_and_the_others_counted() -> None:
    message = refusal("".join(f"- E{n}: x strng\n" for n in range(30)))

    assert message.count("did you mean") == 20
    assert message.endswith("and 10 more")


@pytest.mark.parametrize(
    "line", ["Note: this is an internal service.", "- see https://example.com: it explains", "Tag:"]
)
def test_other_lines_are_the_description(line: str) -> None:
    plan = read_plan(f"# Shop\n{line}\n- User: name string\n")

    assert (plan.description, len(plan.entities)) == (line, 1)


def test_what_is_read_as_something_else_is_noted_by_line() -> None:
    text = "- blog post: createdAt timestamp, author -> Users, api_token string\n- User: n int\n"

    first, second = read_spec(text, source="it").told()

    assert first == (
        "it, line 1: blog post is BlogPost; createdAt is created_at; timestamp is datetime; Users is User; "
        "api_token will be shown to whoever reads it; write 'secret' behind its type to hide it"
    )
    assert second == "it, line 2: int is integer"


@pytest.mark.parametrize(
    ("text", "project"),
    [
        ("---\ntitle: My shop\noptions: {auth: jwt}\n---\n- A: x text\n", "My shop"),
        ("## Goal\n\n- A: x text\n", "given"),
        ("---\n\n# Shop\n- A: x text\n", "Shop"),
    ],
)
def test_the_title_is_in_front_or_a_heading_of_level_1(text: str, project: str) -> None:
    assert read_spec(text, source="it").plan(project="given", recipe="r", output_dir=".").project == project


def test_front_matter_takes_settings_only() -> None:
    with pytest.raises(UsageError, match="front matter takes title, recipe, output-dir, options only"):
        read_plan("---\ntitle: x\nrules: [a]\n---\n- A: x text\n")


@pytest.mark.parametrize("width", [20, 35, 60, 1_000])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_text_gives_the_same_rules_however_it_is_wrapped(width: int, ends: str) -> None:
    paragraphs = [
        "A small blog. A comment has at most 2,000 characters. Gr\u00f6\u00dfen are in cm.",
        "- Comment: body text",
        "- a comment must be polite, and it can't be changed after a day",
        "## Rules",
        "Nobody may vote twice. Votes are counted every night.",
        "- a vote counts only while the poll is open",
    ]
    wrapped = [textwrap.fill(each, width, subsequent_indent="  " * each.startswith("-")) for each in paragraphs]
    spec = (ends * 2).join(each.replace("\n", ends) for each in wrapped)

    plan = resolve_exact_spec(spec, source="the spec").plan

    assert plan.entities[0].rules == (
        "A comment has at most 2,000 characters.",
        "a comment must be polite, and it can't be changed after a day",
    )
    assert plan.rules == (
        "Nobody may vote twice.", "Votes are counted every night.", "a vote counts only while the poll is open",
    )  # fmt: skip
    assert " ".join(plan.description.split()) == "A small blog. Gr\u00f6\u00dfen are in cm."


def test_fields_go_on_in_the_next_line_also_where_a_comma_is_missing() -> None:
    spec = read_spec(
        "- Post: title string\n  body text, words integer\n  It is short.\n- Tag: name string\n", source="it"
    )

    assert [[text for text, _ in each.fields] for each in spec.entities] == [
        ["title string", "body text", "words integer"], ["name string"],
    ]  # fmt: skip
    assert spec.told() == ["it, line 2: 'body text, words integer' is more fields; no comma ends the line above"]
    assert "It is short." in spec.description


def test_words_that_have_no_effect_are_told() -> None:
    text = "- Post: title string, name string was title\n  - acess: read anyone\n  - acts: it acts\n"

    assert read_spec(text, source="it").told() == [
        "it, line 1: name was not title, because Post still has that field",
        "it, line 2: 'acess: read anyone' is taken as a rule; did you mean 'access:'?",
    ]


def test_access_of_nobody_is_told() -> None:
    text = (
        "- User: password string, role enum(member|admin) = member\n  - access: update owner; delete admin, boss\n"
        "- Post: title string\n  - access: update owner\n- Note: text text, by -> User = me\n  - access: read owner\n"
    )

    assert read_spec(text, source="it").told() == [
        "it, line 1: access names boss, which is no choice of a field role",
        "it, line 3: no field of Post is '= me', so its rows have no owner, whom access names",
    ]


def test_a_second_kind_of_account_is_told() -> None:
    text = (
        "- User: password password\n- Shop: name string, password password\n  - access: update owner\n"
        "- Item: title string, shop -> Shop = me\n- Note: by -> User = me, shop -> Shop = me\n  - access: read owner\n"
    )
    people = "people log in as User, the first entity with a password"

    assert read_spec(text, source="it").told() == [
        f"it, line 2: no field of Shop is '= me', so its rows have no owner, whom access names; {people}, not as Shop",
        f"it, line 4: {people}, so '= me' says nothing of shop -> Shop",
        f"it, line 5: {people}, so '= me' says nothing of shop -> Shop",
    ]
