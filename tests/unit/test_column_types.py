"""Types of databases as types of a plan."""

import pytest

from bot.planning.schema_files.column_types import set_type
from bot.planning.schema_files.source import Column, Source


@pytest.mark.parametrize(
    ("name", "arguments", "kind"),
    [
        ("VARCHAR", ["20"], "string"),
        ("longtext", [], "text"),
        ("bigint", [], "integer"),
        ("numeric", ["10"], "integer"),
        ("numeric", ["10", "0"], "integer"),
        ("numeric", ["10", "2"], "decimal"),
        ("double precision", [], "float"),
        ("tinyint", ["1"], "boolean"),
        ("tinyint", ["4"], "integer"),
        ("bit", [], "boolean"),
        ("timestamp with time zone", [], "datetime"),
        ("uniqueidentifier", [], "uuid"),
        ("jsonb", [], "json"),
        ("bytea", [], "bytes"),
        ("shop.state", [], "enum"),
    ],
)
def test_a_known_type(name: str, arguments: list[str], kind: str) -> None:
    source, column = Source("SQL", enums={"state": ["a"]}), Column("x", 1)

    assert set_type(source, "t", column, name, arguments)
    assert (column.kind, source.notes, source.left_out) == (kind, [], [])


def test_unsigned_is_not_negative_and_serial_is_made_by_the_database() -> None:
    columns = [Column("x", 1) for _ in range(4)]
    for column, name in zip(columns, ("INT UNSIGNED", "uint", "UnsignedBigInt", "bigserial"), strict=True):
        set_type(Source("SQL"), "t", column, name)

    assert [column.low for column in columns] == ["0", "0", "0", ""]
    assert columns[3].generated


def test_a_type_that_only_a_text_can_hold_is_noted() -> None:
    source, column = Source("SQL"), Column("x", 1)

    assert set_type(source, "t", column, "inet")
    assert set_type(source, "t", column, "wibble", ["3"])
    assert [what for _, what in source.notes] == [
        "t.x of type inet is a string",
        "t.x of unknown type wibble(3) is a string",
    ]


def test_a_type_that_a_plan_has_no_values_for_is_left_out() -> None:
    source = Source("SQL")

    assert not set_type(source, "t", Column("x", 1), "tsvector")
    assert source.left_out == [(1, "column x of t, because a plan has no type tsvector")]
