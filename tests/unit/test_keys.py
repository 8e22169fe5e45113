"""Keys: the built-in id replaces what means nothing, and what people know a row by stays."""

import pytest

from bot.planning.schema_files.keys import carry_over_keys
from bot.planning.schema_files.source import Column, Group, Source, Table


def carried(*columns: Column, primary: tuple[str, ...] = ()) -> tuple[Table, Source]:
    source, table = Source("SQL"), Table("users", 1, list(columns), primary=list(primary))
    carry_over_keys(source, table, referenced=True)
    return table, source


@pytest.mark.parametrize("name", ["id", "ID", "user_id", "UserId", "userNo"])
def test_a_number_that_counts_rows_is_the_built_in_id(name: str) -> None:
    table, source = carried(Column(name, 2, kind="integer", primary=True), Column("x", 3))

    assert [column.name for column in table.columns] == ["x"]
    assert not source.left_out


@pytest.mark.parametrize(
    "key",
    [
        Column("id", 2, kind="uuid", primary=True),
        Column("id", 2, primary=True, most=36),
        Column("token", 2, primary=True, generated=True),
    ],
)
def test_a_key_that_somebody_made_is_left_out(key: Column) -> None:
    table, source = carried(key, Column("x", 3))

    assert [column.name for column in table.columns] == ["x"]
    assert source.left_out == [(2, f"the {key.kind} key {key.name} of users; the key is the built-in integer id")]


def test_a_key_that_people_know_stays_and_is_unique() -> None:
    table, source = carried(Column("code", 2, primary=True, most=2))

    assert (table.columns[0].unique, table.columns[0].required) == (True, True)
    assert source.left_out == [
        (2, "code as the key of users: it is unique, and the key is the built-in id, which relations refer to")
    ]


def test_a_short_text_called_id_gets_another_name() -> None:
    table, _ = carried(Column("id", 2, primary=True, most=2))

    assert table.columns[0].field_name == "key"


def test_a_key_of_several_columns_is_unique() -> None:
    table, _ = carried(Column("a", 2), Column("b", 3), primary=("a", "b"))

    assert table.uniques == [Group(["a", "b"], 1)]
    assert all(column.required for column in table.columns)


def test_a_key_that_is_a_relation_is_one_to_one() -> None:
    table, _ = carried(Column("user_id", 2, kind="integer", primary=True, target="people"))

    assert table.columns[0].unique
