"""What readers build, and the message with all problems."""

from bot.planning.schema_files.source import Column, SchemaError, Table


def test_a_message_names_at_most_twenty_problems() -> None:
    error = SchemaError([(n, f"p{n}") for n in range(25)])

    assert error.line == 0
    assert str(error).split("\n")[:2] == ["p0", "line 1: p1"]
    assert str(error).split("\n")[-1] == "and 5 more"
    assert len(str(error).split("\n")) == 21


def test_a_column_is_found_in_any_case() -> None:
    table = Table("t", 1, [Column("UserId", 2)])

    assert table.column("userid") is table.columns[0]
    assert table.column("user_id") is None
