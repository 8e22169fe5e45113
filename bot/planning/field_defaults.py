"""Field defaults: convert the text of the grammar to a Python value of the field's type."""

import datetime as dt
import json
import math
import re
import uuid
from collections.abc import Callable, Sequence
from decimal import Decimal

STRING_LIMIT, EMAIL_LIMIT, URL_LIMIT = 255, 320, 2048
MAX_DIGITS = 18
"""Of a decimal: SQLite keeps them in 64 bits."""

_INTEGER = re.compile(r"[+-]?\d{1,19}")
_FLOAT = re.compile(r"[+-]?(\d++\.?\d*|\.\d+)([eE][+-]?\d{1,2})?")
_DECIMAL = re.compile(r"[+-]?\d{1,12}(\.\d{1,6})?")
_EMAIL = re.compile(r"[^@\s,]+@[^@\s,][^@\s,.]*\.[^@\s,]+")
_JSON_DEPTH = 20
_URL = re.compile(r"https?://[^\s/]\S*")

Default = str | int | float | bool | Decimal | dt.date | dt.time | uuid.UUID | list[object] | dict[str, object] | None


def parse_default(kind: str, text: str, choices: Sequence[str] = ()) -> Default:
    """Return the default *text* as a value of the field type *kind*; ``now`` and ``today`` stay strings.

    Raises:
        ValueError: The text does not fit the type; the message says what to write instead.
    """
    if kind == "enum":
        if text not in choices:
            raise ValueError(f"write one of: {', '.join(choices)}")
        return text
    parse, hint = _PARSERS[kind]
    try:
        return parse(text)
    except ValueError as exc:
        raise ValueError(hint) from exc


def _matching(pattern: re.Pattern[str], limit: int = 100) -> Callable[[str], str]:
    def check(text: str) -> str:
        if len(text) > limit or not pattern.fullmatch(text):
            raise ValueError(text)
        return text

    return check


def _integer(text: str) -> int:
    number = int(_matching(_INTEGER)(text))
    if not -(2**63) <= number < 2**63:
        raise ValueError(text)
    return number


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"


def _date(text: str) -> dt.date | str:
    return text if text == "today" else dt.date.fromisoformat(text)


def _datetime(text: str) -> dt.datetime | str:
    if text == "now":
        return text
    moment = dt.datetime.fromisoformat(text)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    try:
        return moment.astimezone(dt.UTC)
    except OverflowError as exc:
        raise ValueError(text) from exc


def _nothing(text: str) -> str:
    raise ValueError(text)


def _json(text: str) -> Default:
    try:
        value: Default = json.loads(text, parse_constant=_finite, parse_float=_finite)
        depth = _depth(value)
    except RecursionError as exc:
        raise ValueError(text) from exc
    if depth > _JSON_DEPTH:
        raise ValueError(text)
    return value


def _finite(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError(text)
    return number


def _depth(value: object) -> int:
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(_depth, children), default=0)


_ANY = re.compile(r"[\s\S]*")
_PARSERS: dict[str, tuple[Callable[[str], Default], str]] = {
    "string": (_matching(_ANY, STRING_LIMIT), f"write at most {STRING_LIMIT} characters"),
    "text": (str, ""),
    "integer": (_integer, "write a whole number within 64 bits, such as 0"),
    "float": (lambda text: float(_matching(_FLOAT)(text)), "write a number, such as 0.5"),
    "decimal": (lambda text: Decimal(_matching(_DECIMAL)(text)), "write a number, such as 9.99"),
    "boolean": (_boolean, "write true or false"),
    "date": (_date, "write today, or a date such as 2026-01-31"),
    "datetime": (_datetime, "write now, or a time such as 2026-01-31T12:00:00+00:00"),
    "time": (dt.time.fromisoformat, "write a time of the day such as 08:30"),
    "bytes": (_nothing, "leave the default out"),
    "password": (_nothing, "leave the default out"),
    "uuid": (uuid.UUID, "write a UUID such as 00000000-0000-0000-0000-000000000000"),
    "email": (_matching(_EMAIL, EMAIL_LIMIT), "write an email address such as someone@example.com"),
    "url": (_matching(_URL, URL_LIMIT), "write an http or https URL"),
    "json": (_json, f"write JSON, such as {{}}, nested at most {_JSON_DEPTH} levels deep"),
}
