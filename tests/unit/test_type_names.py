"""Types by the names that other languages give them."""

import pytest

from bot.planning.type_names import other_type


@pytest.mark.parametrize(
    ("name", "brackets", "expected"),
    [
        ("varchar", ["100"], "string(100)"),
        ("VARCHAR", ["1000"], "text(1000)"),
        ("String", [], "string"),
        ("int", ["11"], "integer"),
        ("numeric", ["10,2"], "decimal(10,2)"),
        ("decimal", ["10,2", "0.."], "decimal(10,2)(0..)"),
        ("timestamp", ["6"], "datetime"),
        ("bytea", [], "bytes"),
        ("ENUM", ["a|b"], "enum(a|b)"),
        ("colour", [], None),
    ],
)
def test_another_name_of_a_type_is_known(name: str, brackets: list[str], expected: str | None) -> None:
    assert other_type(name, brackets) == expected
