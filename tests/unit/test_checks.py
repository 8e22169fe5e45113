"""Checks of databases: one on one column becomes a limit, a pattern or an enum; any other is listed."""

from dataclasses import replace

import pytest

from bot.planning.schema_files.checks import set_check, whole
from bot.planning.schema_files.source import Column, Source, Table


def checked(expression: str, kind: str = "integer") -> tuple[Column, list[tuple[int, str]]]:
    source, column = Source("SQL"), Column("x", 1, kind=kind, digits=(10, 2) if kind == "decimal" else None)
    set_check(source, Table("t", 1, [column, Column("y", 2, kind=kind)]), expression, 3)
    return column, source.left_out


@pytest.mark.parametrize(
    ("expression", "kind", "low", "high"),
    [
        ("x > 0", "integer", "1", ""),
        ("x >= 0 AND x < 10", "integer", "0", "9"),
        ("((x >= (0)::numeric) AND (x <= (99.5)::numeric))", "decimal", "0", "99.5"),
        ("x > 0", "decimal", "0.01", ""),
        ("0 < x", "integer", "1", ""),
        ('"t"."x" BETWEEN -5 AND 5', "integer", "-5", "5"),
        ("x IN (1, 2, 3)", "integer", "1", "3"),
        ("x >= 0.5", "float", "0.5", ""),
    ],
)
def test_limits_of_numbers(expression: str, kind: str, low: str, high: str) -> None:
    column, left_out = checked(expression, kind)

    assert (column.low, column.high, left_out) == (low, high, [])


@pytest.mark.parametrize(
    "expression", ["x IN ('a', 'b c')", "(x)::text = ANY ((ARRAY['a'::character varying, 'b c'::text])::text[])"]
)
def test_a_list_of_texts_is_an_enum(expression: str) -> None:
    column, left_out = checked(expression, "string")

    assert (column.kind, column.labels, left_out) == ("enum", ["a", "b c"], [])


def test_lengths_and_patterns_of_texts() -> None:
    assert checked("char_length(x) >= 3 AND length(x) < 10", "string")[0] == replace(Column("x", 1), least=3, most=9)
    assert checked("x <> ''", "text")[0].least == 1
    assert checked("x ~ '^[a-z]+$'", "string")[0].pattern == "[a-z]+"


@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        ("x < y", "integer"),
        ("x > 0 OR y > 0", "integer"),
        ("x IS NOT NULL", "integer"),
        ("x % 2 = 0", "integer"),
        ("x IN (1, 5)", "integer"),
        ("x > 0", "float"),
        ("x > 0.5", "integer"),
        ("z > 0", "integer"),
        ("lower(x) = x", "string"),
        ("x ~* 'a'", "string"),
        ("x IN (SELECT 'a')", "string"),
        ("x > '2020-01-01'", "date"),
        ("((", "integer"),
        ("x BETWEEN 1", "integer"),
    ],
)
def test_any_other_check_is_listed_and_changes_nothing(expression: str, kind: str) -> None:
    column, left_out = checked(expression, kind)

    assert left_out == [(3, f"CHECK ({expression}) of t")]
    assert column == Column("x", 1, kind=kind)


def test_a_pattern_that_is_found_anywhere_matches_the_whole_text() -> None:
    assert [whole(each) for each in ("^a$", "^a", "a$", "a")] == ["a", r"a[\s\S]*", r"[\s\S]*a", r"[\s\S]*a[\s\S]*"]
