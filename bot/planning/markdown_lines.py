"""What a line of a Markdown spec can be: a heading, an item of a list, the name of an entity, a list of fields."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from bot.planning import field_grammar, names
from bot.planning.field_reader import nearest_type
from bot.planning.spec_draft import Problem, locate_fields

HEADING = re.compile(r" {0,3}(#{1,6})\s+(.*)")
_CLOSING_MARKS = re.compile(r"(?:^|\s)#+$")
ITEM = re.compile(r"(\s*)(?:[-*+]|\d{1,9}[.)])\s+(?:\[[ xX]\]\s+)?(.*)")
EXACT = re.compile(r" {0,3}[-*]\s+(\w+)\s*:(?:\s+(.*))?$")
"""The form of an entity that is never taken for something else."""
_SEPARATORS = (":", "\u2014", "\u2013", " - ", "(")
_MARKUP = "*_`"
_MAX_WORDS = 4
_ARTICLES = frozenset(
    ("the", "a", "an", "this", "that", "its", "their", "each", "every", "any", "all", "no", "some", "what", "is")
)


class Body(NamedTuple):
    """What could be the fields of an entity."""

    fields: Sequence[tuple[str, int]]
    readable: int
    """How many of them are fields."""
    near: int
    """How many look like fields, and can't be read."""
    problem: Problem | None = None


def heading(line: str) -> str:
    """Return the text of a heading, or an empty string."""
    match = HEADING.match(line)
    return _CLOSING_MARKS.sub("", " ".join(match[2].split())).strip() if match else ""


def is_field_or_table(line: str) -> bool:
    """Whether *line* is a bullet with a field, or a row of a table."""
    match = ITEM.fullmatch(line)
    if match is None:
        return line.lstrip().startswith("|")
    body = read_body(match[2], 1)
    return body.readable == len(body.fields) > 0


def split_name(text: str) -> tuple[str, str]:
    """Split ``Name: fields``, ``**Name** — fields`` or ``Name (fields)``."""
    found = [(at, mark) for mark in _SEPARATORS if (at := text.find(mark)) > 0]
    if not found:
        return text, ""
    at, mark = min(found)
    body = text[at + len(mark) :].strip()
    if mark == "(":
        if not body.endswith(")"):
            return text, ""
        body = body[:-1]
    return text[:at], body.lstrip("*_ ") if text[:at].lstrip().startswith(("*", "_")) else body


def entity_name(written: str) -> str:
    """Return the name of the entity that *written* stands for, or an empty string."""
    plain = plain_name(written)
    if not plain or len(plain.split()) > _MAX_WORDS or not plain[0].isalpha():
        return ""
    if names.ENTITY_NAME.fullmatch(plain):
        return plain
    name = names.entity_name(plain)
    return name if names.ENTITY_NAME.fullmatch(name) else ""


def plain_name(text: str) -> str:
    return text.strip().strip(_MARKUP).strip().rstrip(":").strip(_MARKUP).strip()


def read_body(text: str, number: int) -> Body:
    """Tell how much of *text* is fields."""
    try:
        fields = locate_fields(text, number)
    except ValueError as exc:
        return Body([], 0, 1 if _looks_like_field(text) else 0, Problem(number, str(exc)))
    readable = near = 0
    for each, _ in fields:
        try:
            field_grammar.parse_field(each)
            readable += 1
        except ValueError:
            near += _looks_like_field(each)
    return Body(fields, readable, near)


def are_fields(text: str) -> bool:
    """Whether *text* is fields and nothing else, the first with a name in our spelling."""
    body = read_body(text, 1)
    is_named = names.FIELD_NAME.match(text.strip().strip(_MARKUP)) is not None
    return is_named and 0 < len(body.fields) == body.readable


def _looks_like_field(text: str) -> bool:
    """Whether *text* was probably meant as a field: its second word is a type or nearly one, or an arrow."""
    name, _, rest = text.strip().strip(_MARKUP).replace(":", " ").partition(" ")
    if not re.fullmatch(r"[^\W\d]\w*", name.strip(_MARKUP)):
        return False
    return "->" in rest or (name.lower() not in _ARTICLES and nearest_type(rest) is not None)


def first_error(fields: Sequence[tuple[str, int]]) -> str:
    for text, _ in fields:
        try:
            field_grammar.parse_field(text)
        except ValueError as exc:
            return str(exc)
    return ""
