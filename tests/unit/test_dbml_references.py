"""References of DBML: who holds the key, and how many there are."""

import pytest

from tests.unit.schemas import fields, read

_TABLES = "Table a {{\n id int [pk]\n b_id int\n}}\nTable b {{\n id int [pk]\n a_id int\n}}\nRef: {}"


@pytest.mark.parametrize(
    ("reference", "of_a", "of_b"),
    [
        ("a.b_id > b.id", "b -> B?", "a_id integer?"),
        ("a.id < b.a_id [delete: cascade]", "b_id integer?", "a -> A? on delete cascade"),
        ("b.a_id - a.id", "b_id integer?", "a -> A unique?"),
        ("a.id - b.a_id [delete: set null]", "b_id integer?", "a -> A unique? on delete set null"),
    ],
)
def test_the_arrow_says_who_holds_the_key(reference: str, of_a: str, of_b: str) -> None:
    text = _TABLES.format(reference)

    assert fields(text, "DBML") == [of_a]
    assert fields(text, "DBML", 1) == [of_b]


def test_many_to_many_is_on_the_left_side_once() -> None:
    text = _TABLES.format("a.id <> b.id")

    assert fields(text, "DBML") == ["b_id integer?", "b -> B*"] or fields(text, "DBML")[-1].endswith("-> B*")
    assert "->" not in fields(text, "DBML", 1)[0]


def test_what_a_relation_has_no_place_for_is_told() -> None:
    spec = read(_TABLES.format("a.(id, b_id) > b.(id, a_id)"), "DBML")

    assert spec.left_out == ["line 9: Ref a.id, b_id > b.id, a_id, because a relation refers to one column"]
    assert (
        "on update is needless, because the built-in id never changes"
        in read(_TABLES.format("a.b_id > b.id [update: cascade]"), "DBML").notes
    )
