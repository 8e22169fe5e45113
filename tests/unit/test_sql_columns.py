"""Columns of SQL with their constraints."""

import pytest

from tests.unit.schemas import fields, read


@pytest.mark.parametrize(
    ("column", "field"),
    [
        ("x varchar(30) NOT NULL UNIQUE", "x string(30) unique"),
        ("x varchar", "x text?"),
        ("x numeric(8,2) DEFAULT 9.99 NOT NULL CHECK (x >= 0)", "x decimal(8,2)(0..) = 9.99"),
        ("x text[] DEFAULT '{a,b}'::text[]", 'x json? = ["a", "b"]'),
        ("x jsonb DEFAULT '{}'::jsonb NOT NULL", "x json = {}"),
        ("x int REFERENCES b ON DELETE SET NULL", "x -> B? on delete set null"),
        ("b_id int NOT NULL REFERENCES b (id) ON DELETE CASCADE", "b -> B on delete cascade"),
        ("x date DEFAULT CURRENT_DATE", "x date? = today"),
        ("x int DEFAULT -1", "x integer? = -1"),
        ("x bool NOT NULL DEFAULT false", "x boolean = false"),
        ("x time", "x time?"),
        ("x char(1) CHECK (x IN ('M', 'F'))", "x enum(M|F)?"),
    ],
)
def test_a_column_becomes_a_field(column: str, field: str) -> None:
    text = f"CREATE TABLE a (id serial PRIMARY KEY, {column});\nCREATE TABLE b (id serial PRIMARY KEY, n int);"

    assert fields(text, "SQL") == [field]


def test_columns_of_mysql() -> None:
    text = """CREATE TABLE `a` (
  `x` enum('a','b') DEFAULT 'a' COMMENT 'the x',
  `y` timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  `z` int unsigned NOT NULL DEFAULT '0'
) ENGINE=InnoDB"""

    assert fields(text, "SQL") == ['x enum(a|b)? "the x" = a', "y datetime auto update", "z integer(0..) = 0"]


def test_what_a_column_cant_keep_is_listed() -> None:
    text = """CREATE TABLE a (
  x int,
  y int GENERATED ALWAYS AS (x * 2) STORED,
  z text COLLATE "C",
  w int DEFAULT floor(random()),
  v point
);"""

    assert read(text, "SQL").left_out[:2] == [
        "line 3: the generated column y of a",
        'line 4: options of tables: COLLATE "C"',
    ]
    assert [each.partition(":")[0] for each in read(text, "SQL").left_out] == ["line 3", "line 4", "line 5", "line 6"]
