"""Sample values of fields: valid ones that differ, and those just inside and just outside of limits."""

from decimal import Decimal

import pytest
from hypothesis import given

from bot.planning.entities import Entity, Field
from bot.planning.field_checks import field_problems
from bot.planning.field_grammar import parse_field
from bot.planning.samples import ROWS, entity_samples
from bot.planning.text_patterns import matches
from tests.unit.test_field_grammar import valid_fields


def _samples(text: str) -> tuple[tuple[object, ...], tuple[object, ...]]:
    found = entity_samples(Entity(name="Post", fields=(parse_field(text),))).fields[0]
    return found.values, found.refused


@pytest.mark.parametrize(
    ("text", "values", "refused"),
    [
        ("a integer(1..5)", (1, 2, 3), (0, 6)),
        ("a integer(..2)", (0, 1, 2), (3,)),
        ("a integer(7..8)", (7, 8), (6, 9)),
        ("a integer", (1, 2, 3), ()),
        ("a boolean", (False, True), ()),
        ("a enum(x|y|z|q)", ("x", "y", "z"), ("no-such-choice",)),
        ("a enum(x)", ("x",), ("no-such-choice",)),
    ],
)
def test_values_are_within_the_limits_and_those_beyond_are_known(
    text: str, values: tuple[object, ...], refused: tuple[object, ...]
) -> None:
    assert _samples(text) == (values, refused)


@pytest.mark.parametrize("text", ["a string(3..5)", "a string(1)", "a text(40..)", "a password(8..)", "a string"])
def test_texts_have_an_allowed_length(text: str) -> None:
    field, (values, _) = parse_field(text), _samples(text)

    assert len({*values}) == ROWS
    assert all(int(field.minimum or 1) <= len(str(each)) <= int(field.maximum or 255) for each in values)


@pytest.mark.parametrize("pattern", ["[a-z0-9-]+", "[A-Z]{2}[0-9]{4}", "(red|green|blue)", r"\d{5}(-\d{4})?"])
def test_texts_match_their_pattern(pattern: str) -> None:
    values, refused = _samples(f"a string matches /{pattern}/")

    assert len({*values}) == ROWS
    assert all(matches(pattern, str(each)) for each in values)
    assert refused


def test_decimals_have_as_many_places_as_the_field() -> None:
    values, refused = _samples("a decimal(4,1)(0.5..2)")

    assert all(Decimal("0.5") <= Decimal(str(each)) <= 2 for each in values)
    assert all(Decimal(str(each)).as_tuple().exponent >= -1 for each in values)  # type: ignore[operator]  # finite
    assert refused


@given(valid_fields())
def test_every_sound_field_has_samples(field: Field) -> None:
    if any(field_problems(field)):
        return
    found = entity_samples(Entity(name="Post", fields=(field,)))

    assert 1 <= found.rows <= ROWS
    assert len(found.fields) == 1
