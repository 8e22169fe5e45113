"""Turn a column of a schema file into a field of a plan; what a field can't be is listed, never dropped in silence."""

import re
from collections.abc import Iterator
from typing import Any

from bot.planning.entities import TEXTS, Field
from bot.planning.field_checks import MAX_CHOICES, MAX_DOC, field_problems
from bot.planning.field_defaults import MAX_DIGITS, STRING_LIMIT
from bot.planning.schema_files import naming
from bot.planning.schema_files.source import Column, Source
from bot.text import shown

_CREATED = frozenset(("create", "created", "creation", "inserted", "added", "registered", "joined"))
_UPDATED = frozenset(("update", "updated", "modified", "changed", "edited"))
_PASSWORD = re.compile(r"password|passwd|pwd|passphrase|user_password|pass_word")
_SECRET = re.compile(
    r"(?:.*_)?(?:passwords?|passwd|pwd|pass|passphrase)(?:_(?:hash|digest|salt|encrypted|crypt|hashed))?"
    r"|(?:encrypted|hashed|crypted|salted)_(?:password|passwd|pwd)"
    r"|(?:.*_)?(?:token|secret|salt|token_hash|token_digest|secret_hash|otp|totp|pin_hash|private_key|secret_key"
    r"|access_key|api_key|apikey|client_secret)"
)
_LONG = re.compile(
    r"(?:.*_)?(?:content|contents|body|bio|biography|description|text|notes?|comments?|message|summary|about|abstract"
    r"|details|html|markdown|excerpt|instructions|remarks|review|plot|lyrics|article)"
)
"""Names of texts that are long where their type says nothing."""
_NO_SECRET = re.compile(r"(?:.*_)?(?:boarding|day|bus|ski|season|guest)_pass|pass")
_NOW = re.compile(
    r"(?:now|current_timestamp|localtimestamp|getdate|getutcdate|sysdate|sysdatetime|clock_timestamp|current_time|"
    r"statement_timestamp|transaction_timestamp|utc_timestamp|current_date|curdate|today|instant\.now|timezone\.now)"
    r"(?:\(.*\))?"
)
_TODAY = re.compile(r"(?:current_date|curdate|today|date\.today)(?:\(.*\))?")
_TRUE, _FALSE = ("true", "1", "t", "yes", "y", "on"), ("false", "0", "f", "no", "n", "off")


def is_now(text: str) -> bool:
    """Whether a default is the moment at which the row is made."""
    return _NOW.fullmatch(text.strip().lower()) is not None


def is_creation(name: str) -> bool:
    """Whether *name* is that of the moment at which a row is made."""
    return not _CREATED.isdisjoint(name.split("_"))


def is_update(name: str) -> bool:
    """Whether *name* is that of the moment at which a row was last changed."""
    return not _UPDATED.isdisjoint(name.split("_"))


def make_field(source: Source, table: str, column: Column, name: str, target: str | None) -> Field:
    """Return the field *name* for *column* of *table*; a relation has the *target* entity."""
    if column.target:
        return _relation(source, table, column, name, target)
    place = f"{table}.{column.name}"
    _read_moments(source, place, column, name)
    _read_secrets(source, place, column, name)
    if column.generated:
        source.leave_out(column.line, f"that the database numbers or makes {place}; whoever creates a row sends it")
    if column.kind == "string" and column.most is None and not (column.unique or column.index or column.labels):
        column.kind = "text" if _LONG.fullmatch(name) else "string"
    if column.kind == "string" and max(column.most or 0, column.least or 0) > STRING_LIMIT:
        column.kind = "text"
    choices = _choices(source, place, column) if column.kind == "enum" else ()
    if column.kind == "enum" and not choices:
        column.kind, column.default = "string", None
    _fit_digits(source, place, column)
    field = Field(
        name=name,
        type=column.kind,  # type: ignore[arg-type]  # readers use the plan's types
        choices=choices,
        optional=not (column.required or column.auto),
    )
    return _with(source, place, column, field, _candidates(source, place, column, field))


def _with(
    source: Source, place: str, column: Column, field: Field, candidates: Iterator[tuple[str, dict[str, Any]]]
) -> Field:
    """Add to *field* what it can have, and list what it can't."""
    for what, values in candidates:
        trial = field.model_copy(update=values)
        if problem := next(field_problems(trial), None):
            source.leave_out(column.line, f"{what} of {place}, because {problem}")
        else:
            field = trial
    return field


def _relation(source: Source, table: str, column: Column, name: str, target: str | None) -> Field:
    field = Field(name=name, type="relation", target=target, many=column.many, optional=not column.required)
    place = f"{table}.{column.name}"
    if column.many:
        field = field.model_copy(update={"optional": False})
    if column.on_delete == "set null" and column.required:
        field = field.model_copy(update={"optional": True})
        source.note(column.line, f"{place} is optional, because on delete it becomes empty")
    if column.default is not None:
        source.leave_out(column.line, f"default {shown(column.default)} of {place}, because a relation has no default")
    return _with(source, place, column, field, _relation_candidates(source, place, column))


def _relation_candidates(source: Source, place: str, column: Column) -> Iterator[tuple[str, dict[str, Any]]]:
    if column.unique and not column.many:
        yield "unique", {"unique": True}
    if column.on_delete in {"cascade", "set null"} and not column.many:
        yield f"on delete {column.on_delete}", {"on_delete": column.on_delete}
    elif column.on_delete not in {"", "restrict", "no action", "cascade"}:
        source.leave_out(column.line, f"on delete {column.on_delete} of {place}, because a relation has no such action")
    yield from _doc(source, place, column)


def _candidates(source: Source, place: str, column: Column, field: Field) -> Iterator[tuple[str, dict[str, Any]]]:
    if column.kind == "decimal" and column.digits:
        yield f"precision {column.digits}", {"digits": column.digits[0], "places": column.digits[1]}
    low, high = _limits(column)
    if low is not None or high is not None:
        yield f"limits {low or ''}..{high or ''}", {"minimum": low, "maximum": high}
    if column.pattern:
        yield f"pattern {shown(column.pattern)}", {"pattern": column.pattern}
    if column.unique:
        yield "unique", {"unique": True}
    if column.index and not column.unique:
        yield "the index", {"index": True}
    if column.secret:
        yield "secret", {"secret": True}
    if column.auto:
        yield column.auto, {"auto": {"auto": "create", "auto update": "update"}[column.auto]}
    elif column.default is not None and column.kind == "password":
        source.leave_out(column.line, f"the default of {place}, because a password has no default")
    elif column.default is not None:
        yield f"default {shown(column.default)}", {"default": _default(column, field)}
    yield from _doc(source, place, column)


def _doc(source: Source, place: str, column: Column) -> Iterator[tuple[str, dict[str, Any]]]:
    doc = " ".join(column.doc.split())
    if len(doc) > MAX_DOC:
        source.leave_out(column.line, f"the end of the text of {place}, which has more than {MAX_DOC} characters")
        doc = doc[: MAX_DOC - 1].rstrip() + "…"
    if doc:
        yield "the text", {"doc": doc}


def _limits(column: Column) -> tuple[str | None, str | None]:
    if column.kind not in TEXTS:
        return column.low or None, column.high or None
    least, most = column.least or None, column.most
    return (None if least is None else str(least)), (None if most is None else str(most))


def _read_moments(source: Source, place: str, column: Column, name: str) -> None:
    """Make ``auto`` of a default that is the moment of the change, where the name says that nobody else sets it."""
    if column.auto and column.kind not in {"date", "datetime"}:
        source.leave_out(column.line, f"that the server sets {place}, because it is neither a date nor a datetime")
        column.auto = ""
    if column.auto:
        column.default = None
    if column.default is None or column.kind not in {"date", "datetime"} or not is_now(column.default):
        return
    if is_update(name):
        column.auto = "auto update"
        source.note(column.line, f"{place} is set by the server on each change")
    elif is_creation(name):
        column.auto = "auto"
    else:
        column.default = "today" if column.kind == "date" else "now"


def _read_secrets(source: Source, place: str, column: Column, name: str) -> None:
    if column.kind in {"string", "text"} and _PASSWORD.fullmatch(name):
        column.kind = "password"
        source.note(column.line, f"{place} is a password: only its hash is stored, and it is never returned")
        if column.most is not None and column.least is None:
            source.leave_out(column.line, f"length {column.most} of {place}, because it is that of the stored hash")
            column.most = None
    elif column.kind in {"string", "text", "bytes", "uuid"} and not column.secret and _is_secret(name):
        column.secret = True
        source.note(column.line, f"{place} is secret: it is never returned")
    if column.kind == "password":
        column.secret = False


def _is_secret(name: str) -> bool:
    return _SECRET.fullmatch(name) is not None and not _NO_SECRET.fullmatch(name)


def _choices(source: Source, place: str, column: Column) -> tuple[str, ...]:
    """Return the labels of an enum as a plan may write them; none, if it can't be an enum."""
    found: dict[str, str] = {}
    for written in column.labels:
        label = naming.label(written)
        if not label or (label in found and found[label] != written) or len(found) >= MAX_CHOICES:
            labels = ", ".join(column.labels)
            source.leave_out(column.line, f"the values {shown(labels)} of {place}, which is a string")
            return ()
        if label != written and written not in found.values():
            source.note(column.line, f"value {shown(written)} of {place} is {label}")
        found[label] = written
    if column.default is not None:
        plain = naming.label(column.default)
        column.default = plain if plain in found else column.default
    return tuple(found)


def _fit_digits(source: Source, place: str, column: Column) -> None:
    if column.kind != "decimal" or not column.digits:
        return
    digits, places = column.digits
    if digits > MAX_DIGITS:
        source.leave_out(column.line, f"{digits} digits of {place}, because a decimal has at most {MAX_DIGITS}")
        places = min(places, MAX_DIGITS // 2)
        digits = MAX_DIGITS
    column.digits = (digits, places)


def _default(column: Column, field: Field) -> str:
    text = str(column.default)
    if field.type == "boolean":
        plain = text.strip().lower()
        return "true" if plain in _TRUE else "false" if plain in _FALSE else text
    if field.type == "datetime" and not text.endswith("now"):
        return text.replace(" ", "T", 1) if re.match(r"\d{4}-\d\d-\d\d \d", text) else text
    if field.type in {"integer", "float", "decimal"}:
        return text.strip()
    return text
