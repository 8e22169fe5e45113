"""DBML: tables, settings, partials, and what is wrong with each."""

import pytest

from tests.unit.schemas import fields, read, refused


@pytest.mark.parametrize(
    ("column", "field"),
    [
        ("name varchar(30) [not null]", "name string(30)"),
        ("name varchar(300)", "name text(300)?"),
        ("n int [not null, default: 5]", "n integer = 5"),
        ("n int [default: `random()`]", "n integer?"),
        ("n smallint [not null, check: `n between 1 and 5`]", "n integer(1..5)"),
        ("price decimal(10,2) [not null, check: `price > 0`]", "price decimal(10,2)(0.01..)"),
        ("createdAt timestamp [default: `now()`]", "created_at datetime auto"),
        ("at timestamp with time zone [not null, default: `now()`]", "at datetime = now"),
        ("s varchar [unique, note: 'the \\'best\\'']", "s string unique? \"the 'best'\""),
        ('"is ok" bool [not null, default: true]', "is_ok boolean = true"),
        ("tags text[]", "tags json?"),
        ("secret_key varchar [not null]", "secret_key string secret"),
        ("class int", "class_value integer?"),
        ("data blob", "data bytes?"),
    ],
)
def test_a_column_becomes_a_field(column: str, field: str) -> None:
    assert fields(f"Table a {{\n id int [pk]\n {column}\n}}", "DBML") == [field]


def test_partials_add_columns_and_a_table_may_override_them() -> None:
    text = "TablePartial p {\n x int [not null]\n y int\n}\nTable a {\n y date\n ~p\n}"

    assert fields(text, "DBML") == ["y date?", "x integer"]


def test_an_alias_may_come_before_its_table() -> None:
    text = "Table a {\n b_id int [ref: > B.id, not null]\n}\nTable bees as B {\n n int\n}"

    assert fields(text, "DBML") == ["b -> Bee"]


def test_a_check_over_two_columns_is_left_out() -> None:
    spec = read("Table a {\n x int\n y int\n checks {\n  `x < y` [name: 'z']\n }\n}", "DBML")

    assert spec.left_out == ["line 5: CHECK (x < y) of a"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Table a {\n b int", "line 1: the block of Table a is not closed; add a '}'"),
        ("Table a {\n b\n}", "line 2: column 'b' of a has no type"),
        ("Table a { b int [note: 'x] }", 'line 1: the string that begins with "\'x] }" is not closed'),
        ("Table a { b int }\nTable a { b int }", "line 2: table a is defined twice; rename one or merge them"),
        ("Tabel a { b int }", "line 1: 'Tabel' is none of Project, Table, Enum, Ref, TableGroup and Note"),
        ("Table a { ~p\n b int }", "line 1: there is no TablePartial 'p'"),
        ("Table a { b int }\nRef: a.c > a.b", "line 2: Ref a.c > a.b: a has no column 'c'"),
        ("Table a { b int }\nRef: a.b", "line 2: a reference is written 'Ref: table.column > other.column'"),
        ("Table a { b int [ref: c] }", "line 1: the ref of a.b needs the form 'ref: > table.column'"),
        ("Table a { b int [pk }", "line 1: the bracket '[' is not closed"),
        ("/* x", "line 1: the comment that begins with /* is not closed"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, message: str) -> None:
    assert message in refused(text, "DBML").split("\n")
