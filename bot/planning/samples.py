"""Sample values of fields, for the tests of a generated project: valid ones, and those at and beyond limits."""

import datetime as dt
import re
import string
from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from typing import Any, NamedTuple

from bot.planning.entities import TEXTS, Entity, Field
from bot.planning.field_defaults import MAX_DIGITS, STRING_LIMIT
from bot.planning.text_patterns import matches, sample_texts

ROWS = 3
"""How many samples there are where enough values exist."""
LONGEST = 100_000
"""The longest text, and the largest content, that a test can be asked to send."""
_PLACES = 6
"""How many digits a decimal has behind the point if nothing is said."""
_INTEGERS = (-(2**63), 2**63 - 1)
_PLAIN = re.compile(r"[A-Za-z0-9 .:/@_-]*")
_EXACT = Context(prec=100)
_WRONG_TEXTS = ("!", "?", "x", "0", " ", "A", "-", "x!", "x 1", "xxx", "000", "!?!?!?", "")


class FieldSamples(NamedTuple):
    """Values of a field, as they stand in JSON.

    Texts at limits may be a pair: a character, and how many times.  Of bytes at limits there are only the sizes.
    """

    values: tuple[Any, ...] = ()
    """Up to three different valid values."""
    accepted: tuple[Any, ...] = ()
    """Values just inside its limits."""
    refused: tuple[Any, ...] = ()
    """Values just outside."""

    @property
    def numbered(self) -> tuple[str, int, str] | None:
        """Text before and after the one digit in which the values differ, and the digit of the first; None if so not.

        The texts are plain enough to stand in any quotes.
        """
        if len(self.values) < ROWS or not all(isinstance(value, str) for value in self.values):
            return None
        first = self.values[0]
        for place in (place for place, each in enumerate(first) if each in string.digits):
            before, digit, after = first[:place], int(first[place]), first[place + 1 :]
            texts = tuple(f"{before}{digit + n}{after}" for n in range(ROWS))
            if texts == self.values and _PLAIN.fullmatch(before + after):
                return before, digit, after
        return None


class EntitySamples(NamedTuple):
    """How rows of an entity are made that do not conflict."""

    fields: tuple[FieldSamples, ...]
    rows: int
    """How many rows there can be, as far as the entity's own values go."""
    exclusive: frozenset[str]
    """Relations that must refer to another row in each sample."""


def entity_samples(entity: Entity) -> EntitySamples:
    """Return the samples of all fields of *entity*.  Later dates and times come later."""
    places: dict[str, int] = {}
    samples: dict[str, FieldSamples] = {}
    for field in entity.fields:
        samples[field.name] = field_samples(field, places.setdefault(field.type, 0))
        places[field.type] += 1
    fields = {field.name: field for field in entity.fields}
    groups = [(field.name,) for field in entity.fields if field.unique]
    rows, exclusive = ROWS, set[str]()
    for group in (*groups, *(entity.unique or ())):
        members = [fields[name] for name in group if name in fields]
        relations = [field for field in members if field.is_relation]
        if any(field.optional for field in relations) or exclusive & set(group):
            continue  # no value is no conflict
        distinct = max((len(samples[name].values) for name in group if name in samples), default=0)
        if distinct < ROWS and relations:
            exclusive.add(relations[0].name)
        elif distinct < ROWS:
            rows = min(rows, max(distinct, 1))
    return EntitySamples(tuple(samples.values()), rows, frozenset(exclusive))


def field_samples(field: Field, place: int = 0) -> FieldSamples:
    """Return samples of *field*, which is the one number *place* of its type; none for relations and auto fields."""
    if field.is_relation or field.auto:
        return FieldSamples()
    if field.type in TEXTS:
        return _matching(field) if field.pattern is not None else _text(field)
    made = {"integer": _integer, "float": _float, "decimal": _decimal, "bytes": _bytes, "enum": _enum}.get(field.type)
    if made:
        return made(field)
    return FieldSamples(tuple(_plain(field.type, n, place) for n in range(2 if field.type == "boolean" else ROWS)))


def _plain(kind: str, n: int, place: int) -> Any:  # noqa: ANN401  # whatever the JSON holds
    day = dt.date(2026 + place // 12, place % 12 + 1, n + 1).isoformat()
    values: dict[str, Any] = {
        "boolean": n % 2 == 1,
        "date": day,
        "datetime": f"{day}T12:00:00Z",
        "time": f"{(7 + 3 * place + n) % 24:02}:30:00",
        "uuid": f"00000000-0000-4000-8000-00000000000{n}",
        "email": f"sample-{n}@example.com",
        "url": f"https://example.com/{n}",
        "json": {"sample": [n]},
    }
    return values[kind]


def _lengths(field: Field) -> tuple[int, int]:
    shortest = int(field.minimum) if field.minimum is not None else 0
    default = STRING_LIMIT if field.type in ("string", "password") else max(shortest, 1_000)
    return shortest, int(field.maximum) if field.maximum is not None else default


def _text(field: Field) -> FieldSamples:
    shortest, longest = _lengths(field)
    if shortest > min(longest, LONGEST):
        return FieldSamples()
    words = field.name.replace("_", " ")
    texts = [f"{words} {n}" if len(words) + 2 <= longest else f"{words[: longest - 1]}{n}" for n in range(ROWS)]
    return FieldSamples(
        tuple(text.ljust(shortest, "x") for text in texts),
        tuple(("x", size) for size in _sizes_inside(field)),
        tuple(("x", size) for size in _sizes_outside(field)),
    )


def _bytes(field: Field) -> FieldSamples:
    from base64 import b64encode

    found = _text(field)
    texts = (b64encode(text.encode()).decode() for text in found.values)
    return FieldSamples(tuple(texts), tuple(_sizes_inside(field)), tuple(_sizes_outside(field)))


def _sizes_inside(field: Field) -> Sequence[int]:
    given = [int(each) for each in (field.minimum, field.maximum) if each is not None]
    return sorted({each for each in given if 0 < each <= LONGEST})


def _sizes_outside(field: Field) -> Sequence[int]:
    below = [int(field.minimum) - 1] if field.minimum is not None else []
    above = [int(field.maximum) + 1] if field.maximum is not None else []
    return [each for each in (*below, *above) if 0 <= each <= LONGEST]


def _matching(field: Field) -> FieldSamples:
    pattern = field.pattern or ""
    shortest, longest = _lengths(field)
    longest = min(longest, LONGEST)

    def of_sizes(sizes: Sequence[int]) -> list[str]:
        return [text for size in sizes for text in sample_texts(pattern, size, size, 1)]

    wrong = [text for text in _WRONG_TEXTS if shortest <= len(text) <= longest and not matches(pattern, text)]
    padded = [] if wrong else [text for text in ("!" * shortest,) if text and not matches(pattern, text)]
    return FieldSamples(
        sample_texts(pattern, max(shortest, 1), longest) or sample_texts(pattern, shortest, longest),
        tuple(of_sizes(_sizes_inside(field))),
        (*(wrong or padded)[:1], *of_sizes(_sizes_outside(field))),
    )


def _integer(field: Field) -> FieldSamples:
    least = int(field.minimum) if field.minimum is not None else _INTEGERS[0]
    most = int(field.maximum) if field.maximum is not None else _INTEGERS[1]
    start = max(least, min(1, most - ROWS + 1))
    return FieldSamples(
        tuple(range(start, min(start + ROWS, most + 1))),
        (
            *([least] if field.minimum is not None else []),
            *([most] if field.maximum not in (None, field.minimum) else []),
        ),
        (
            *([least - 1] if field.minimum is not None else []),
            *([most + 1] if field.maximum is not None else []),
        ),
    )


def _float(field: Field) -> FieldSamples:
    least, most = (Decimal(each) if each is not None else None for each in (field.minimum, field.maximum))
    values = [Decimal(n) + Decimal("1.5") for n in range(ROWS)]
    if not all(_within(value, least, most) for value in values):
        low = least if least is not None else (most or 0) - 4
        high = most if most is not None else low + 4
        values = [_EXACT.add(low, _EXACT.multiply(_EXACT.subtract(high, low), Decimal(n + 1) / 4)) for n in range(ROWS)]
    inside = [each for each in (least, most) if each is not None]
    outside = [
        *([_EXACT.subtract(least, _step(least))] if least is not None else []),
        *([_EXACT.add(most, _step(most))] if most is not None else []),
    ]
    return FieldSamples(*(tuple(dict.fromkeys(_finite(listed))) for listed in (values, inside, outside)))


def _step(limit: Decimal) -> Decimal:
    """Return a tenth of the last digit of *limit*: what lies beyond it by that is still near."""
    return Decimal(1).scaleb(max(int(limit.as_tuple().exponent), -15) - 1)


def _finite(values: Sequence[Decimal]) -> list[float]:
    floats = [float(value) for value in values]
    return [each for each in floats if abs(each) < float("inf")]


def _decimal(field: Field) -> FieldSamples:
    digits = field.digits or MAX_DIGITS
    places = (field.places or 0) if field.digits else _PLACES
    unit = Decimal(1).scaleb(-places)
    bound = _EXACT.subtract(Decimal(1).scaleb(digits - places), unit)
    least = _to_unit(field.minimum, unit, ROUND_CEILING, -bound)
    most = _to_unit(field.maximum, unit, ROUND_FLOOR, bound)
    shown = places if field.digits else min(places, 2)
    fraction = Decimal("0." + "25252525252525252525"[:shown]) if places else Decimal(0)
    values = [n + 1 + fraction for n in range(ROWS)]
    if not all(_within(value, least, most) for value in values):
        start = max(least, min(unit, most - (ROWS - 1) * unit))
        values = [value for n in range(ROWS) if (value := start + n * unit) <= most]
    inside = [*([least] if field.minimum is not None else []), *([most] if field.maximum or field.digits else [])]
    outside = [
        *([least - unit] if field.minimum is not None else []),
        *([most + unit] if field.maximum or field.digits else []),
        *([values[0] + unit / 10] if field.digits and values else []),
    ]
    return FieldSamples(*(tuple(f"{each:f}" for each in dict.fromkeys(listed)) for listed in (values, inside, outside)))


def _to_unit(limit: str | None, unit: Decimal, rounding: str, default: Decimal) -> Decimal:
    """Return the *limit*, or the nearest value inside it that has no more places than *unit*."""
    if limit is None:
        return default
    value = Decimal(limit)
    if value.adjusted() > MAX_DIGITS:
        return value
    return value.quantize(unit, rounding=rounding, context=_EXACT)


def _within(value: Decimal, least: Decimal | None, most: Decimal | None) -> bool:
    return (least is None or value >= least) and (most is None or value <= most)


def _enum(field: Field) -> FieldSamples:
    wrong = [each for each in ("no-such-choice", "no.such.choice") if each not in field.choices]
    return FieldSamples(field.choices[:ROWS], (), tuple(wrong[:1]))
