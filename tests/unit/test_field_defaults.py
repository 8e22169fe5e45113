"""Default values of fields: text of each type, as a value or an error."""

import contextlib
import datetime as dt
import json
import math
import uuid
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.planning.entities import SCALARS
from bot.planning.field_defaults import Default, parse_default


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("string", "", ""),
        ("string", "x" * 255, "x" * 255),
        ("text", "a\nb", "a\nb"),
        ("integer", "-7", -7),
        ("integer", "+7", 7),
        ("integer", "9223372036854775807", 2**63 - 1),
        ("integer", "-9223372036854775808", -(2**63)),
        ("float", ".5", 0.5),
        ("float", "1e3", 1000.0),
        ("decimal", "9.90", Decimal("9.90")),
        ("boolean", "TRUE", True),
        ("boolean", "false", False),
        ("date", "2024-02-29", dt.date(2024, 2, 29)),
        ("date", "today", "today"),
        ("datetime", "now", "now"),
        ("datetime", "2026-01-31", dt.datetime(2026, 1, 31, tzinfo=dt.UTC)),
        (
            "datetime",
            "2026-01-31T12:00:00+02:00",
            dt.datetime(2026, 1, 31, 12, tzinfo=dt.timezone(dt.timedelta(hours=2))),
        ),
        ("uuid", "00000000-0000-0000-0000-00000000000f", uuid.UUID(int=15)),
        ("email", "a@b.c", "a@b.c"),
        ("url", "http://x", "http://x"),
        ("json", "[1, null]", [1, None]),
        ("json", '"a"', "a"),
        ("json", "[" * 20 + "]" * 20, json.loads("[" * 20 + "]" * 20)),
    ],
)
def test_a_default_is_read_as_its_type(kind: str, text: str, value: Default) -> None:
    read = parse_default(kind, text)

    assert read == value
    assert type(read) is type(value)


def test_a_time_without_a_zone_is_utc() -> None:
    assert parse_default("datetime", "2026-01-31T12:00:00") == dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("string", "x" * 256),
        ("integer", ""),
        ("integer", "1.0"),
        ("integer", "1_000"),
        ("integer", "9223372036854775808"),
        ("integer", "9" * 5000),
        ("float", "nan"),
        ("float", "inf"),
        ("float", "1e999"),
        ("float", "1" * 5000),
        ("decimal", "NaN"),
        ("decimal", "1.1234567"),
        ("decimal", "1" * 13),
        ("boolean", "1"),
        ("date", "31.1.2026"),
        ("date", "2026-02-29"),
        ("date", "now"),
        ("datetime", "today"),
        ("datetime", "2026-01-31T25:00:00"),
        ("uuid", "x"),
        ("email", "a@b"),
        ("email", "a b@c.d"),
        ("email", "a" * 400 + "@b.c"),
        ("url", "javascript:alert(1)"),
        ("url", "https://"),
        ("url", "https://x y"),
        ("url", "https://" + "x" * 3000),
        ("json", ""),
        ("json", "{'a': 1}"),
        ("json", "NaN"),
        ("json", "[-Infinity]"),
        ("json", '{"a": 1e999}'),
        ("json", "[" * 21 + "]" * 21),
        ("json", "[" * 100_000 + "]" * 100_000),
        ("json", '{"a":' * 100_000 + "1" + "}" * 100_000),
        ("json", "9" * 5000),
    ],
    ids=lambda value: value[:20],
)
def test_what_is_no_value_of_the_type_is_refused_with_what_would_be(kind: str, text: str) -> None:
    with pytest.raises(ValueError, match=r"^write ") as caught:
        parse_default(kind, text)

    assert len(str(caught.value)) < 100


def test_a_default_of_an_enum_is_one_of_its_choices() -> None:
    assert parse_default("enum", "b", ("a", "b")) == "b"
    with pytest.raises(ValueError, match="write one of: a, b"):
        parse_default("enum", "c", ("a", "b"))


@given(st.sampled_from(SCALARS), st.text() | st.from_regex(r"[-+0-9.eETZ:tnull\[\]{}\"]{0,20}", fullmatch=True))
def test_any_text_is_a_default_or_a_value_error(kind: str, text: str) -> None:
    with contextlib.suppress(ValueError):
        value = parse_default(kind, text)

        assert not isinstance(value, float) or math.isfinite(value)
