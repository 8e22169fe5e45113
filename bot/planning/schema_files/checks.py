"""Checks of SQL and DBML on one column, as limits, patterns and enums, where they say nothing else."""

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import NamedTuple

from bot.planning.schema_files.source import Column, Source, Table
from bot.text import truncate

_TOKEN = re.compile(
    r"""\s+|'(?P<text>(?:[^']|'')*+)'|(?P<name>(?:(?:"[^"]*+"|`[^`]*+`|[^\W\d]\w*+)\.?)++)|(?P<number>-?\d+(?:\.\d+)?)"""
    r"""|(?P<cast>::)|(?P<mark><=|>=|<>|!=|~\*|[<>=~,()\[\]])|(?P<other>[\s\S])"""
)
_FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "=": "="}
_ANYTHING = r"[\s\S]*"
_ANCHORED = re.compile(r"\^(.*)\$", re.DOTALL)


class _Piece(NamedTuple):
    kind: str
    text: str


class _Plain(Exception):  # it ends the reading of a check
    """The check is not one that a field can say."""


def set_check(source: Source, table: Table, expression: str, line: int, *, only: Column | None = None) -> None:
    """Carry the check over to the columns of *table*, or list it; without a column in it, it is that of *only*."""
    try:
        changes = [_condition(table, part, only) for part in _conditions(_pieces(expression))]
    except _Plain:
        what = " ".join(expression.split())
        source.leave_out(line, f"CHECK ({truncate(what, 100)}) of {table.name}")
        return
    for change in changes:
        change()


def _pieces(expression: str) -> list[_Piece]:
    """Return the tokens without brackets and casts, which mean nothing in a plain check."""
    found: list[_Piece] = []
    casting = False
    for match in _TOKEN.finditer(expression):
        kind = match.lastgroup or ""
        if not kind:
            continue
        if kind == "other":
            raise _Plain
        text = match[kind]
        if casting and kind == "name":  # ::character varying[]
            casting = text.lower() == "character"
            continue
        if kind == "cast":
            casting = True
        elif text not in {"(", ")", "[", "]"} or kind != "mark":
            casting = False
            found.append(_Piece(kind, text.replace("''", "'") if kind == "text" else text))
    return found


def _conditions(pieces: Sequence[_Piece]) -> list[list[_Piece]]:
    """Split at each AND, but that of a BETWEEN."""
    parts: list[list[_Piece]] = [[]]
    between = False
    for piece in pieces:
        word = piece.text.lower() if piece.kind == "name" else ""
        if word in {"or", "not", "is", "case", "select"}:
            raise _Plain
        if word == "and" and not between:
            parts.append([])
            continue
        between = word == "between" or (between and word != "and")
        parts[-1].append(piece)
    return parts


def _condition(table: Table, part: Sequence[_Piece], only: Column | None) -> Callable[[], None]:
    words = [piece.text.lower() if piece.kind in {"name", "mark"} else piece.kind for piece in part]
    change: Callable[[], None] | None = None
    match words:
        case ["length" | "char_length" | "character_length" | "len", _, mark, "number"]:
            change = _length(_column(table, part[1], only), mark, part[3].text)
        case ["regexp_like", _, ",", "text"]:
            change = _pattern(_column(table, part[1], only), part[3].text)
        case [_, "between", "number", "and", "number"]:
            change = _range(_column(table, part[0], only), {">=": part[2].text, "<=": part[4].text})
        case ["number", ("<" | ">" | "<=" | ">=") as mark, _]:
            change = _range(_column(table, part[2], only), {_FLIPPED[mark]: part[0].text})
        case [_, ("<" | ">" | "<=" | ">=") as mark, "number"]:
            change = _range(_column(table, part[0], only), {mark: part[2].text})
        case [_, ("<>" | "!="), "text"] if not part[2].text:
            change = _length(_column(table, part[0], only), ">=", "1")
        case [_, ("~" | "regexp" | "rlike"), "text"]:
            change = _pattern(_column(table, part[0], only), part[2].text)
        case [_, "in", *rest] | [_, "=", "any", "array", *rest] | [_, "=", "any", *rest]:
            change = _one_of(_column(table, part[0], only), part[-len(rest) :], rest)
    if change is None:
        raise _Plain
    return change


def _column(table: Table, piece: _Piece, only: Column | None) -> Column:
    name = piece.text.rpartition(".")[2].strip('"`')
    column = table.column(name) if piece.kind == "name" else None
    if column is None and only is not None and name.lower() == "value":  # that of a domain
        column = only
    if column is None or column.target:
        raise _Plain
    return column


def _length(column: Column, mark: str, number: str) -> Callable[[], None]:
    if column.kind not in {"string", "text"} or not number.isdecimal() or mark not in {"<", ">", "<=", ">=", "="}:
        raise _Plain
    size = int(number[:9]) + {"<": -1, ">": 1}.get(mark, 0)

    def change() -> None:
        if mark in {">", ">=", "="}:
            column.least = max(size, column.least or 0)
        if mark in {"<", "<=", "="}:
            column.most = min(size, column.most or size)

    return change


def _range(column: Column, limits: dict[str, str]) -> Callable[[], None]:
    step = Decimal(1) if column.kind == "integer" else None
    if column.kind == "decimal" and column.digits:
        step = Decimal(1).scaleb(-column.digits[1])
    if column.kind not in {"integer", "decimal", "float"} or (step is None and {"<", ">"} & set(limits)):
        raise _Plain
    if column.kind == "integer" and any("." in number for number in limits.values()):
        raise _Plain
    exact = {mark: Decimal(number) + {"<": -1, ">": 1}.get(mark, 0) * (step or 0) for mark, number in limits.items()}

    def change() -> None:
        for mark, number in exact.items():
            if mark in {">", ">="}:
                column.low = f"{max(number, Decimal(column.low or number)).normalize():f}"
            else:
                column.high = f"{min(number, Decimal(column.high or number)).normalize():f}"

    return change


def _pattern(column: Column, pattern: str) -> Callable[[], None]:
    if column.kind not in {"string", "text"} or column.pattern:
        raise _Plain

    def change() -> None:
        column.pattern = whole(pattern)

    return change


def whole(pattern: str) -> str:
    """Return a pattern that matches the whole of a text if *pattern* is found in it."""
    if match := _ANCHORED.fullmatch(pattern):
        return match[1]
    start, end = pattern.startswith("^"), pattern.endswith("$") and not pattern.endswith("\\$")
    inner = pattern[1 if start else 0 : -1 if end else None]
    return ("" if start else _ANYTHING) + inner + ("" if end else _ANYTHING)


def _one_of(column: Column, part: Sequence[_Piece], words: Sequence[str]) -> Callable[[], None]:
    values = [piece.text for piece in part if piece.kind in {"text", "number"}]
    if not values or [word for word in words if word not in {"text", "number", ","}]:
        raise _Plain
    if column.kind == "integer":
        numbers = sorted({int(value) for value in values if re.fullmatch(r"-?\d{1,18}", value)})
        if len(numbers) < len(values) or numbers[-1] - numbers[0] >= len(numbers):
            raise _Plain
        return _range(column, {">=": str(numbers[0]), "<=": str(numbers[-1])})
    if column.kind not in {"string", "text"} or len(words) != 2 * len(values) - 1:
        raise _Plain

    def change() -> None:
        column.kind, column.labels = "enum", list(dict.fromkeys(values))

    return change
