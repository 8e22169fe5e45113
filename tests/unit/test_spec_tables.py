"""Tables of fields in Markdown."""

from bot.planning.spec_tables import fields_of_table


def _rows(text: str) -> list[tuple[int, str]]:
    return list(enumerate(text.strip().split("\n"), 1))


def test_a_table_of_fields_is_read_in_the_grammar_of_fields() -> None:
    table = """
| **Field** | Type | Required | Unique | Default | Description |
|:---|---|---|---|---|---|
| `title` | string(120) | yes | x | - | shown "on top" |
| state | enum(a\\|b) | no | | a | |
"""

    assert fields_of_table(_rows(table)) == [
        ('title string(120) unique "shown \\"on top\\""', 3),
        ("state enum(a|b) ? = a", 4),
    ]


def test_nullable_columns_are_optional() -> None:
    assert fields_of_table(_rows("| Name | Type | Nullable |\n|-|-|-|\n| a | text | yes |\n| b | text | no |")) == [
        ("a text ?", 3),
        ("b text", 4),
    ]


def test_another_table_is_none() -> None:
    assert fields_of_table(_rows("| Path | Does |\n|---|---|\n| /feed | lists |")) == ()


def test_a_short_row_is_a_field_without_a_type() -> None:
    assert fields_of_table(_rows("| Field | Type |\n| a |")) == [("a ", 2)]
