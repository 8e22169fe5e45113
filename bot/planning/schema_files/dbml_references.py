"""References of DBML: ``Ref: posts.author_id > users.id [delete: cascade]``."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from bot.planning.schema_files.schema_tokens import Token, split
from bot.planning.schema_files.source import Column, Source, Table
from bot.text import shown

_ARROWS = ("<>", ">", "<", "-")


class Reference(NamedTuple):
    """Two ends and the arrow between them: ``>`` points to the one, ``<`` to the many."""

    left: str
    left_columns: list[str]
    symbol: str
    right: str
    right_columns: list[str]
    settings: dict[str, str]
    line: int


class References:
    """Makes relations of references, once all tables are known."""

    def __init__(self, source: Source, tables: Mapping[str, Table], aliases: Mapping[str, str]) -> None:
        self._source = source
        self._tables = tables
        self._aliases = aliases

    def connect(self, reference: Reference) -> None:
        """Make a relation of *reference*, on the side that holds the key."""
        left, left_columns, symbol, right, right_columns, settings, line = reference
        one, other = self._find(left), self._find(right)
        written = f"{left}.{', '.join(left_columns)} {symbol} {right}.{', '.join(right_columns)}"
        if symbol == "<>" and one and other:
            name = self._aliases.get(right.lower(), right).rpartition(".")[2]
            one.columns.append(Column(name, line, kind="relation", target=other.name, many=True))
            return
        if symbol == "<" or (
            symbol == "-" and self._is_key(one, left_columns) and not self._is_key(other, right_columns)
        ):
            left, left_columns, one, right, right_columns = right, right_columns, other, left, left_columns
        if one is None or len(left_columns) > 1:
            why = "no such table is in this file" if one is None else "a relation refers to one column"
            self._source.leave_out(line, f"Ref {written}, because {why}")
            return
        column = one.column(left_columns[0])
        if column is None:
            self._source.fail(line, f"Ref {written}: {one.name} has no column {shown(left_columns[0])}")
            return
        column.target = self._aliases.get(right.lower(), right)
        column.target_column = right_columns[0]
        column.unique |= symbol == "-"
        column.on_delete = settings.pop("delete", "")
        if settings.pop("update", "no action") not in {"no action", "restrict"}:
            self._source.note(line, "on update is needless, because the built-in id never changes")
        settings.pop("color", "")
        for key in settings:
            self._source.leave_out(line, f"setting {shown(key)} of Ref {written}")

    def _find(self, name: str) -> Table | None:
        name = self._aliases.get(name.lower(), name).lower()
        return self._tables.get(name) or self._tables.get(name.rpartition(".")[2])

    @staticmethod
    def _is_key(table: Table | None, columns: Sequence[str]) -> bool:
        column = table.column(columns[0]) if table else None
        return bool(column and column.primary)


def arrow(tokens: Sequence[Token]) -> tuple[str, Sequence[Token]]:
    """Return the arrow that *tokens* begin with, without the marks of optional sides, and the rest."""
    place, text = 0, ""
    while place < len(tokens) and tokens[place].text in {"<", ">", "-", "?"}:
        text += tokens[place].text
        place += 1
    text = text.replace("?", "")
    return (text if text in _ARROWS else ""), tokens[place:]


def read_settings(tokens: Sequence[Token]) -> dict[str, list[Token]]:
    """Return the settings in square brackets: ``note: 'x'`` has a value, ``not null`` has none."""
    found: dict[str, list[Token]] = {}
    for part in split(tokens):
        mark = next((n for n, token in enumerate(part) if token.text == ":" and token.kind == "symbol"), len(part))
        key = " ".join(token.text for token in part[:mark]).lower()
        found[f"{key} {len(found)}" if key == "ref" and key in found else key] = part[mark + 1 :]
    return found
