"""SQL is split into statements, whatever stands in quotes, comments, bodies and data."""

import pytest

from bot.planning.schema_files.source import SchemaError
from bot.planning.schema_files.sql_statements import Statement, dialect_of, statements


@pytest.mark.parametrize(
    ("text", "dialect", "found"),
    [
        ("a;\n\nb ;; c", "postgres", ["a", "b", "c"]),
        ("-- x;\na 'b;''c' \"d;\" `e;`; f", "postgres", ["a 'b;''c' \"d;\" `e;`", "f"]),
        ("a 'b\\';c'; d", "mysql", ["a 'b\\';c'", "d"]),
        ("a $$ b; $x$ c; $$; d $y$ ; $y$", "postgres", ["a $$ b; $x$ c; $$", "d $y$ ; $y$"]),
        ("CREATE TRIGGER a BEGIN b; CASE c END; END; d", "sqlite", ["CREATE TRIGGER a BEGIN b; CASE c END; END", "d"]),
        ("DELIMITER ;;\na; b ;;\nDELIMITER ;\nc; d", "mysql", ["a; b", "c", "d"]),
        ("COPY a FROM stdin;\n1\t'x;\n\\.\nb;", "postgres", ["COPY a FROM stdin", "b"]),
        ("\\connect x\na;\nGO\nb", "tsql", ["a", "b"]),
        ("/* a; */ b /* c; */ ; # d\n", "mysql", ["b /* c; */"]),
    ],
)
def test_statements(text: str, dialect: str, found: list[str]) -> None:
    assert [each.text for each in statements(text, dialect)] == found


def test_a_statement_knows_its_line() -> None:
    assert list(statements("\n-- x\na\nb;\n\nc", "postgres")) == [Statement("a\nb", 3), Statement("c", 6)]


@pytest.mark.parametrize("text", ["a 'b", "a /* b", "a $$ b", '"'])
def test_what_is_not_closed_is_refused(text: str) -> None:
    with pytest.raises(SchemaError, match="is not closed"):
        list(statements(text, "postgres"))


@pytest.mark.parametrize(
    ("text", "dialect"),
    [
        ("CREATE TABLE a (b serial)", "postgres"),
        ("CREATE TABLE `a` (b int) ENGINE=InnoDB", "mysql"),
        ("CREATE TABLE a (b INTEGER PRIMARY KEY AUTOINCREMENT, c DATETIME)", "sqlite"),
        ("CREATE TABLE [a] ([b] [int] IDENTITY(1,1))", "tsql"),
        ("CREATE TABLE a (b int)", "postgres"),
    ],
)
def test_the_dialect_is_seen(text: str, dialect: str) -> None:
    assert dialect_of(text) == dialect
