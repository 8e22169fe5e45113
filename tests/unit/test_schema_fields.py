"""One column as a field: limits, moments, secrets, and what a field can't be."""

import pytest

from bot.planning.field_grammar import format_field
from bot.planning.schema_files.schema_fields import is_creation, is_now, is_update, make_field
from bot.planning.schema_files.source import Column, Source


def made(column: Column, name: str = "x") -> tuple[str, list[str], list[str]]:
    source = Source("SQL")
    field = make_field(source, "t", column, name, column.target or None)
    return format_field(field), [what for _, what in source.left_out], [what for _, what in source.notes]


@pytest.mark.parametrize(
    ("column", "name", "text"),
    [
        (Column("x", 1, most=300, required=True), "x", "x text(300)"),
        (Column("x", 1), "description", "description text?"),
        (Column("x", 1, kind="datetime", default="now()", required=True), "x", "x datetime = now"),
        (Column("x", 1, kind="date", default="CURRENT_DATE"), "x", "x date? = today"),
        (Column("x", 1, kind="datetime", default="now()"), "created_at", "created_at datetime auto"),
        (Column("x", 1, kind="datetime", default="now()"), "last_update", "last_update datetime auto update"),
        (Column("x", 1, kind="boolean", default="0", required=True), "x", "x boolean = false"),
        (Column("x", 1, kind="datetime", default="2020-01-01 10:00:00"), "x", "x datetime? = 2020-01-01T10:00:00"),
        (Column("x", 1, kind="integer", low="0", index=True), "x", "x integer(0..) index?"),
        (Column("x", 1, most=20), "pin_hash", "pin_hash string(20)? secret"),
        (Column("x", 1), "boarding_pass", "boarding_pass string?"),
        (
            Column("x", 1, kind="relation", target="A", required=True, on_delete="cascade"),
            "a",
            "a -> A on delete cascade",
        ),
    ],
)
def test_a_column_is_a_field(column: Column, name: str, text: str) -> None:
    found, left_out, _ = made(column, name)

    assert (found, left_out) == (text, [])


@pytest.mark.parametrize(
    ("column", "text", "left_out"),
    [
        (
            Column("x", 1, kind="integer", default="abc"),
            "x integer?",
            "default 'abc' of t.x, because default 'abc' does not fit",
        ),
        (
            Column("x", 1, pattern="(?=a)"),
            "x string?",
            "pattern '(?=a)' of t.x, because matches '(?=a)': it can't be read",
        ),
        (Column("x", 1, kind="json", unique=True), "x json?", "unique of t.x, because a json field can't be unique"),
        (
            Column("x", 1, kind="decimal", digits=(38, 20)),
            "x decimal(18,9)?",
            "38 digits of t.x, because a decimal has at most 18",
        ),
        (Column("x", 1, kind="enum", labels=["表"]), "x string?", "the values '表' of t.x, which is a string"),
        (Column("x", 1, kind="string", auto="auto"), "x string?", "that the server sets t.x, because it is neither"),
        (Column("x", 1, kind="integer", generated=True), "x integer?", "that the database numbers or makes t.x"),
        (
            Column("x", 1, low="5", high="1", kind="integer"),
            "x integer?",
            "limits 5..1 of t.x, because its limits 5..1 are the wrong",
        ),
        (
            Column("x", 1, target="A", kind="relation", default="1"),
            "x -> A?",
            "default '1' of t.x, because a relation has no",
        ),
        (
            Column("x", 1, target="A", kind="relation", on_delete="set default"),
            "x -> A?",
            "on delete set default of t.x",
        ),
        (Column("x", 1, doc="a" * 400), f'x string? "{"a" * 299}…"', "the end of the text of t.x"),
    ],
)
def test_what_a_field_cant_be_is_listed(column: Column, text: str, left_out: str) -> None:
    found, listed, _ = made(column)

    assert found == text
    assert listed[0].startswith(left_out)


def test_a_password_is_hashed_and_noted() -> None:
    found, left_out, notes = made(Column("password", 1, most=60, required=True), "password")

    assert found == "password password"
    assert left_out == ["length 60 of t.password, because it is that of the stored hash"]
    assert notes == ["t.password is a password: only its hash is stored, and it is never returned"]


def test_set_null_makes_a_relation_optional() -> None:
    found, _, notes = made(Column("a", 1, kind="relation", target="A", required=True, on_delete="set null"), "a")

    assert found == "a -> A? on delete set null"
    assert notes == ["t.a is optional, because on delete it becomes empty"]


def test_names_and_moments() -> None:
    assert [is_creation(each) for each in ("created_at", "date_joined", "creator")] == [True, True, False]
    assert [is_update(each) for each in ("updated_at", "last_update", "updates_count")] == [True, True, False]
    assert [is_now(each) for each in ("NOW()", "current_timestamp(6)", "now() + 1")] == [True, True, False]
