"""What can be wrong with one field: its limits, its modifiers, its default."""

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation

from bot.planning import names
from bot.planning.entities import ME, NUMBERS, TEXTS, Field
from bot.planning.field_defaults import MAX_DIGITS, STRING_LIMIT, parse_default
from bot.planning.samples import field_samples
from bot.planning.text_patterns import matches, pattern_problem
from bot.text import CONTROL, shown

MAX_CHOICES = 200
MAX_DOC = 300
_NOT_COMPARED = ("json", "bytes", "password")
_AUTO = ("date", "datetime")


def field_problems(field: Field) -> Iterator[str]:
    """Yield what is wrong with *field*, apart from its name and its target."""
    if field.is_relation:
        yield from _relation_problems(field)
        return
    if field.type == "enum":
        yield from _choice_problems(field.choices)
    if field.type in _NOT_COMPARED and (field.unique or field.index):
        what = {"json": "documents", "bytes": "contents", "password": "passwords"}[field.type]
        yield f"a {field.type} field can't be unique or indexed: databases don't compare {what}"
    yield from _modifier_problems(field)
    yield from _limit_problems(field)
    if field.pattern is not None:
        if field.type not in ("string", "text"):
            yield f"'matches' is for string and text, not for {field.type}"
        elif problem := pattern_problem(field.pattern):
            yield f"matches {shown(field.pattern)}: {problem}"
        elif not field_samples(field).values:
            yield f"matches {shown(field.pattern)}: no text was found that matches and keeps the limits; simplify it"
    yield from _default_problems(field)


def _relation_problems(field: Field) -> Iterator[str]:
    if field.default not in (None, ME):
        yield "a relation can't have a default other than me; make it optional with '?'"
    if field.many and (field.unique or field.optional or field.default or field.on_delete):
        yield f"'{field.name} -> {field.target}*' refers to any number of rows, so it takes no modifier"
    if field.on_delete == "set null" and not field.optional:
        yield f"'on delete set null' needs a field that can be empty: '{field.name} -> {field.target} ?'"
    if field.secret or field.auto:
        yield "a relation can't be secret or auto"
    yield from _doc_problems(field)


def _modifier_problems(field: Field) -> Iterator[str]:
    if field.auto == "delete":
        yield from _deletion_problems(field)
    elif field.type == "integer" and field.auto == "create":
        yield "an integer that the server sets counts the changes of its row: write 'auto update'"
    elif field.auto and field.type not in (*_AUTO, "integer"):
        yield f"'auto' is for date and datetime, and 'auto update' also for integer, not for {field.type}"
    if field.auto and (field.default is not None or (field.optional and field.auto != "delete")):
        yield "an auto field is always set by the server, so it takes no default and no '?'"
    if field.on_delete:
        yield "'on delete' is for relations"
    if field.is_password and field.secret:
        yield "a password is never shown anyway; leave 'secret' out"
    if field.type in ("password", "bytes") and field.default is not None:
        yield f"a {field.type} field can't have a default"
    yield from _doc_problems(field)


def _deletion_problems(field: Field) -> Iterator[str]:
    if field.type != "datetime":
        yield f"'auto delete' says when a row was deleted, so it is for datetime, not for {field.type}"
    if field.unique or field.secret or not field.optional:
        yield "'auto delete' takes neither 'unique' nor 'secret', and its field can be empty: 'datetime? auto delete'"


def _doc_problems(field: Field) -> Iterator[str]:
    if len(field.doc) > MAX_DOC:
        yield f"its text has {len(field.doc)} characters; the limit is {MAX_DOC}"
    if bad := CONTROL.search(field.doc):
        yield f"its text holds the character U+{ord(bad[0]):04X}; remove it"
    if field.was is not None and (not names.FIELD_NAME.fullmatch(field.was) or field.was == field.name):
        yield f"was {shown(field.was)}: write the name that the field had before, such as 'was {field.name}_old'"


def _limit_problems(field: Field) -> Iterator[str]:
    if field.type == "decimal" and field.digits is not None:
        places = field.places or 0
        if not (0 < field.digits <= MAX_DIGITS and 0 <= places <= field.digits):
            yield f"decimal({field.digits},{places}): write 1 to {MAX_DIGITS} digits, and how many are behind the point"
    limits = [limit for limit in (field.minimum, field.maximum) if limit is not None]
    if not limits:
        return
    if field.type not in (*TEXTS, *NUMBERS, "bytes"):
        yield f"{field.type} takes no limits in brackets; texts and numbers do: string(120), integer(1..5)"
        return
    try:
        values = [_limit(field.type, limit) for limit in limits]
    except ValueError as exc:
        yield str(exc)
        return
    if len(values) > 1 and values[0] > values[1]:
        yield f"its limits {limits[0]}..{limits[1]} are the wrong way round; write {limits[1]}..{limits[0]}"
    if field.type == "string" and max(values) > STRING_LIMIT:
        yield f"a string has at most {STRING_LIMIT} characters; write text({field.maximum})"
    if field.type in (*TEXTS, "bytes") and field.maximum is not None and values[-1] < 1:
        yield f"a {field.type} of no characters is of no use; write a limit of 1 or more"
    if field.type == "decimal" and (field.digits or field.places) and max(map(_whole_digits, values)) > _room(field):
        yield f"its limits do not fit into decimal({field.digits},{field.places or 0})"


def _limit(kind: str, text: str) -> Decimal:
    if kind in (*TEXTS, "bytes", "integer") and not re.fullmatch(r"-?\d{1,18}", text):
        raise ValueError(f"limit {shown(text)} is not a whole number; write, for example, {kind}(1..10)")
    try:
        value = Decimal(text)
    except InvalidOperation as exc:
        raise ValueError(f"limit {shown(text)} is not a number; write, for example, {kind}(0..10)") from exc
    if kind in (*TEXTS, "bytes") and value < 0:
        raise ValueError(f"limit {shown(text)} is less than nothing; write, for example, {kind}(1..10)")
    return value


def _whole_digits(value: Decimal) -> int:
    return max(value.adjusted() + 1, 0) if value else 0


def _room(field: Field) -> int:
    return (field.digits or MAX_DIGITS) - (field.places or 0)


def _choice_problems(choices: Sequence[str]) -> Iterator[str]:
    if not 0 < len(choices) <= MAX_CHOICES:
        yield f"an enum needs 1 to {MAX_CHOICES} choices: enum(draft|published)"
    for choice in choices:
        if not names.ENUM_CHOICE.fullmatch(choice) or len(choice) > names.NAME_LIMIT:
            yield f"enum choice {shown(choice)}: use letters, digits and '_', '-', '.', at most {names.NAME_LIMIT}"
    if len(set(choices)) < len(choices):
        yield "an enum choice appears twice"


def _default_problems(field: Field) -> Iterator[str]:
    if field.default is None or field.type in ("password", "bytes"):
        return
    if bad := CONTROL.search(field.default):
        yield f"its default holds the character U+{ord(bad[0]):04X}; remove it"
    try:
        value = parse_default(field.type, field.default, field.choices)
    except ValueError as exc:
        yield f"default {shown(field.default)} does not fit type {field.type}: {exc}"
        return
    if field.pattern is not None and not pattern_problem(field.pattern) and not matches(field.pattern, str(value)):
        yield f"default {shown(field.default)} does not match /{field.pattern}/"
    size = len(field.default) if field.type in TEXTS else value if field.type in NUMBERS else None
    if isinstance(size, int | float | Decimal):
        yield from _outside_limits(field, Decimal(str(size)))


def _outside_limits(field: Field, size: Decimal) -> Iterator[str]:
    try:
        low, high = (Decimal(limit) if limit is not None else None for limit in (field.minimum, field.maximum))
    except InvalidOperation:
        return  # told above
    if (low is not None and size < low) or (high is not None and size > high):
        yield f"default {shown(field.default or '')} is outside its limits {field.minimum or ''}..{field.maximum or ''}"
