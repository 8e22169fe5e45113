"""What a migration changes, and which of it rows that exist may not survive."""

import pytest

from bot.planning.schema_changes import find_changes, find_risks, is_same_schema, read_stored, stored
from tests.unit.values import BLOG, read_plan

BASE = "- User: name string(30) unique, born date?, role enum(a|b) = a\n- Post: title string, author -> User\n"


def _risks(after: str, left_out: tuple[str, ...] = (), before: str = BASE) -> list[str]:
    return find_risks(find_changes(read_plan(before).entities, read_plan(after).entities), left_out)


def test_entities_and_fields_are_paired_by_name() -> None:
    changes = find_changes(
        read_plan(BASE).entities,
        read_plan("- User: name string(30) unique, age integer?\n- Tag: label string, post -> User\n").entities,
    )

    assert [each.name for each in changes.created] == ["Tag"]
    assert [each.name for each in changes.dropped] == ["Post"]
    (kept,) = changes.kept
    assert [(old.name if old else None, new.name if new else None) for old, new in kept.fields] == [
        *[("born", None), ("role", None), ("name", "name"), (None, "age")],
    ]


def test_a_renamed_field_is_the_one_that_it_was() -> None:
    (kept, *_) = find_changes(
        read_plan(BASE).entities, read_plan(BASE.replace("born date?", "birth date? was born")).entities
    ).kept

    assert ("born", "birth") in [(old.name if old else None, new.name if new else None) for old, new in kept.fields]
    assert _risks(BASE.replace("born date?", "birth date? was born")) == []


def test_a_name_that_is_still_there_is_not_renamed() -> None:
    assert _risks(BASE.replace("born date?", "born date?, birth date? was born")) == []


def test_what_others_refer_to_is_made_first_and_dropped_last() -> None:
    blog = read_plan(BLOG).entities
    names = [each.name for each in find_changes((), blog).created]

    assert names.index("User") < names.index("Post") < names.index("Comment")
    assert [each.name for each in find_changes(blog, ()).dropped] == names[::-1]


@pytest.mark.parametrize(
    "change",
    [
        BASE.replace("title string", 'title string "Its title"'),
        BASE.replace("role enum(a|b) = a", "role enum(a|b) = b"),
        BASE.replace("name string(30)", "name string(30) matches /[a-z]+/"),
        "- User: born date?, name string(30) unique, role enum(a|b) = a\n- Post: author -> User, title string\n",
        BASE.replace("Post: title string, author -> User", "Post: title string, author -> User\n  - titles are short"),
    ],
)
def test_what_no_table_depends_on_needs_no_migration(change: str) -> None:
    assert is_same_schema(read_plan(BASE).entities, read_plan(change).entities)


@pytest.mark.parametrize(
    "change",
    [
        BASE.replace("name string(30)", "name string(31)"),
        BASE.replace("born date?", "born date"),
        BASE.replace("a|b", "a|b|c"),
        BASE.replace("title string", "title string index"),
        BASE.replace("author -> User", "author -> User on delete cascade"),
        BASE.replace("Post: title string, author -> User", "Post: title string, author -> User\n  - plural: entries"),
    ],
)
def test_what_a_table_depends_on_needs_one(change: str) -> None:
    assert not is_same_schema(read_plan(BASE).entities, read_plan(change).entities)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (BASE.partition("- Post")[0], "table posts is dropped with all its rows"),
        (BASE.replace(", born date?", ""), "User.born is dropped with all its values"),
        (BASE.replace("born date?", "born date?, age integer"), "User.age is required and has no default"),
        (BASE.replace("born date?", "born date"), "it becomes required"),
        (BASE.replace("born date?", "born integer?"), "not every date can be written as integer"),
        (BASE.replace("string(30)", "string(20)"), "its limits become narrower"),
        (BASE.replace("title string", "title string unique"), "it becomes unique"),
        (BASE.replace("a|b", "a|c"), "rows that have b make the migration fail"),
        (BASE + "  - unique title, author\n", "title and author become unique together"),
        (BASE.replace("author -> User", "author -> Post?"), "Post.author is dropped"),
    ],
)
def test_what_rows_may_not_survive_is_told(change: str, told: str) -> None:
    (risk,) = _risks(change)

    assert told in risk
    assert ";" in risk, "it says what to do"


@pytest.mark.parametrize(
    "change",
    [
        BASE.replace("born date?", "born date?, age integer = 3, seen datetime auto, note text?, friends -> User*"),
        BASE.replace("string(30)", "string(40)"),
        BASE.replace("born date?", "born datetime?"),
        BASE.replace("title string", "title text"),
        BASE.replace("a|b", "a|b|c"),
        BASE.replace(" unique", ""),
        BASE.replace("author -> User", "author -> User?"),
    ],
)
def test_what_rows_survive_is_no_risk(change: str) -> None:
    assert _risks(change) == []


def test_what_is_left_out_by_name_is_dropped_without_a_word() -> None:
    assert _risks(BASE.partition("- Post")[0], ("posts: the entity Post goes",)) == []
    assert _risks(BASE.replace(", born date?", ""), ("`born` is not needed.",)) == []


def test_what_is_stored_can_be_read_again() -> None:
    entities = read_plan(BLOG).entities

    again = read_stored([stored(each) for each in entities])

    assert [each.table for each in again.values()] == [each.table for each in entities]
    assert is_same_schema(entities, [*again.values()])
