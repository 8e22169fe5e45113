"""Defaults: values are kept, moments too; what a server makes and other expressions are told apart."""

import pytest

from bot.planning.schema_files.default_values import set_default
from bot.planning.schema_files.source import Column, Source


@pytest.mark.parametrize(
    ("text", "quoted", "kind", "default"),
    [
        ("-1.5", False, "decimal", "-1.5"),
        ("TRUE", False, "boolean", "TRUE"),
        ("now()", True, "string", "now()"),
        ("now()", False, "datetime", "now()"),
        ("CURRENT_DATE", False, "date", "CURRENT_DATE"),
        ("NULL", False, "string", None),
        ("a", False, "enum", "a"),
    ],
)
def test_a_value_is_kept(text: str, quoted: bool, kind: str, default: str | None) -> None:  # noqa: FBT001  # a table
    source, column = Source("SQL"), Column("x", 1, kind=kind, labels=["a"])
    set_default(source, "t", column, text, quoted=quoted)

    assert (column.default, column.generated, source.left_out) == (default, False, [])


@pytest.mark.parametrize(
    "text", ["gen_random_uuid()", "nextval('x'::regclass)", "cuid()", "autoincrement()", "NEWID()"]
)
def test_what_the_server_makes_is_no_default(text: str) -> None:
    column = Column("x", 1)
    set_default(Source("SQL"), "t", column, text, quoted=False)

    assert (column.default, column.generated) == (None, True)


def test_another_expression_is_listed() -> None:
    source, column = Source("SQL"), Column("x", 1, kind="integer")
    set_default(source, "t", column, "a + 1", quoted=False)

    assert source.left_out == [(1, "default 'a + 1' of t.x, because it is an expression")]
