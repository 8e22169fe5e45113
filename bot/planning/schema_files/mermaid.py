"""Read a Mermaid ``erDiagram``, for which there is no library in Python: it is a language of lines."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from bot.planning.plurals import plural
from bot.planning.schema_files import naming
from bot.planning.schema_files.column_types import set_type
from bot.planning.schema_files.source import Column, Source, Table
from bot.text import shown

_STEM = 4
_SHORT = 3
"""So long is a name that only stands for the one in brackets: ``p[Person]``."""
_NAME = r'(?:"[^"\n]++"|[^\W\d][\w.-]*+)'
_ALIAS = r"(?:\[([^\]\n]*+)\]\s*+)?"
_ENTITY = re.compile(rf"({_NAME})\s*+{_ALIAS}(\{{)?")
_RELATION = re.compile(
    rf"({_NAME})\s*+{_ALIAS}(\|\||\|o|\}}o|\}}\|)\s*+(?:--|\.\.)\s*+(\|\||o\||o\{{|\|\{{)\s*+({_NAME})"
    rf"\s*+{_ALIAS}(?::\s*+(.*))?"
)
_SIDE = (
    r"only one|one or zero|zero or one|one or more|one or many|many\(1\)|1\+|zero or more|zero or many|many\(0\)|0\+|1"
)
_IN_WORDS = re.compile(
    rf"({_NAME})\s++{_ALIAS}({_SIDE})\s++(?:optionally to|to)\s++({_SIDE})\s++({_NAME})\s*+{_ALIAS}(?::\s*+(.*))?"
)
_ATTRIBUTE = re.compile(
    r"""([^\W\d][\w\[\].-]*+)\s*+(?:\(([^)\n]*+)\)(\[\])?\s*+)?(\*?[^\W\d][\w\[\]().-]*+|"[^"\n]+")"""
    r"""\s*+((?:PK|FK|UK)(?:\s*+,\s*+(?:PK|FK|UK))*+)?\s*+(?:"([^"\n]*+)"\s*+)?"""
)
_SKIPPED = re.compile(r"(direction|style|classDef|class|accTitle|accDescr|title|linkStyle|click)\b")
_OPTIONAL = re.compile(r"\b(?:nullable|optional|null allowed|may be null)\b", re.IGNORECASE)
_FRONT_TITLE = re.compile(r"title\s*:\s*(.+)")
_MARKERS = {
    "||": (1, 1),
    "|o": (0, 1),
    "o|": (0, 1),
    "}o": (0, 2),
    "o{": (0, 2),
    "}|": (1, 2),
    "|{": (1, 2),
    "only one": (1, 1),
    "1": (1, 1),
    "one or zero": (0, 1),
    "zero or one": (0, 1),
    "one or more": (1, 2),
    "one or many": (1, 2),
    "many(1)": (1, 2),
    "1+": (1, 2),
    "zero or more": (0, 2),
    "zero or many": (0, 2),
    "many(0)": (0, 2),
    "0+": (0, 2),
}
"""Cardinality → the least and the most; 2 is many."""


class _Relation(NamedTuple):
    left: str
    left_least: int
    left_most: int
    right_least: int
    right_most: int
    right: str
    label: str
    line: int


def read_mermaid(text: str) -> Source:
    """Read the entities and relationships of *text*."""
    reader = _Reader()
    reader.read(text.split("\n"))
    return reader.source


class _Reader:
    def __init__(self) -> None:
        self.source = Source("Mermaid")
        self.tables: dict[str, Table] = {}
        self.foreign: dict[int, list[Column]] = {}
        self.relations: list[_Relation] = []

    def read(self, lines: Sequence[str]) -> None:
        first = self._header(lines)
        open_table: Table | None = None
        for number, raw in enumerate(lines[first:], first + 1):
            line = raw.split("%%")[0].strip() if "%%" in raw else raw.strip()
            if not line or line.startswith(("```", "~~~")):
                continue
            if open_table is not None:
                open_table = self._inside(open_table, line, number)
            else:
                open_table = self._outside(line, number)
        if open_table is not None:
            self.source.fail(open_table.line, f"the block of {open_table.name} is not closed; add a '}}'")
        self.source.tables = list(self.tables.values())
        for relation in self.relations:
            self._connect(relation)
        for table in self.source.tables:
            for column in self.foreign.get(id(table), []):
                self._guess(table, column)

    def _header(self, lines: Sequence[str]) -> int:
        """Read what stands before ``erDiagram``; return how many lines that are."""
        for number, line in enumerate(lines, 1):
            if line.strip().startswith("erDiagram"):
                return number
            if match := _FRONT_TITLE.fullmatch(line.strip()):
                self.source.project = match[1].strip().strip("\"'")
        return len(lines)

    def _outside(self, line: str, number: int) -> Table | None:
        match = _RELATION.fullmatch(line) or _IN_WORDS.fullmatch(line)
        if match:
            name, alias, marker, other_marker, other, other_alias, text = match.groups()
            left, right = self._table(name, number, alias=alias), self._table(other, number, alias=other_alias)
            least, most = _MARKERS[marker]
            other_least, other_most = _MARKERS[other_marker]
            label = (text or "").strip().strip('"')
            self.relations.append(_Relation(left, least, most, other_least, other_most, right, label, number))
        elif _SKIPPED.match(line) and not line.endswith("{"):
            self._statement(line, number)
        elif match := _ENTITY.match(line):
            table = self.tables[self._table(match[1], number, alias=match[2])]
            table.line = number
            rest = line[match.end() :].strip()
            if match[3]:
                return self._inside(table, rest, number) if rest else table
            if rest:
                self.source.fail(
                    number, f"{shown(line[:80])} is neither an entity nor a relationship 'A ||--o{{ B : label'"
                )
        else:
            self.source.fail(
                number, f"{shown(line[:80])} is neither an entity nor a relationship 'A ||--o{{ B : label'"
            )
        return None

    def _statement(self, line: str, number: int) -> None:
        word, _, rest = line.partition(" ")
        if word.rstrip(":") in {"title", "accTitle"}:
            self.source.project = self.source.project or rest.lstrip(": ").strip()
        elif word.rstrip(":") == "accDescr":
            self.source.description = rest.lstrip(": ").strip()
        else:
            self.source.leave_out(number, line[:80])

    def _table(self, name: str, number: int, alias: str | None = None) -> str:
        key = name.strip('"').lower()
        if key not in self.tables:
            self.tables[key] = Table(name.strip('"'), number)
        if alias and len(key) <= _SHORT:
            self.tables[key].name = alias.strip().strip('"')
        elif alias:
            self.tables[key].doc = alias.strip().strip('"')
        return key

    def _inside(self, table: Table, line: str, number: int) -> Table | None:
        closes = line.endswith("}")
        line = line.removesuffix("}").strip()
        if line:
            self._attribute(table, line, number)
        return None if closes else table

    def _attribute(self, table: Table, line: str, number: int) -> None:
        match = _ATTRIBUTE.fullmatch(line)
        if not match:
            self.source.fail(number, f"{shown(line[:80])} of {table.name} is not 'type name PK \"comment\"'")
            return
        kind, arguments, is_list, name, keys, comment = match.groups()
        column = Column(name.strip('"').lstrip("*"), number, doc=comment or "")
        if table.column(column.name):
            self.source.fail(number, f"{table.name} has {column.name} twice; rename one")
            return
        column.required = not _OPTIONAL.search(comment or "") or name.startswith("*")
        if is_list or kind.endswith("[]"):
            self.source.note(number, f"{table.name}.{column.name} of type {kind.removesuffix('[]')}[] is json")
            kind, arguments = "json", None
        parts = [each.strip() for each in (arguments or "").split(",") if each.strip()]
        if kind.lower() == "enum" and parts:
            column.kind, column.labels = "enum", [each.strip("'\"") for each in parts]
        elif not set_type(self.source, table.name, column, kind, parts):
            return
        table.columns.append(column)
        found = {each.strip() for each in (keys or "").split(",")}
        column.primary = "PK" in found or name.startswith("*")
        column.unique = "UK" in found
        if "FK" in found:
            self.foreign.setdefault(id(table), []).append(column)

    def _connect(self, relation: _Relation) -> None:
        left, right = self.tables[relation.left], self.tables[relation.right]
        if relation.left_most > 1 and relation.right_most > 1:
            name = plural(naming.snake(naming.entity_name(right.name)))
            if left is right and relation.label:
                name = naming.snake(relation.label)
            left.columns.append(Column(name, relation.line, kind="relation", target=right.name, many=True))
            self._label(relation, f"{name} of {left.name}")
            return
        # The key is on the side of the many; one to one, on the side that declares one, else on the right.
        holder, other, least = right, left, relation.left_least
        if relation.left_most > 1 or (
            relation.right_most == 1 and self._key_for(left, right) and not self._key_for(right, left)
        ):
            holder, other, least = left, right, relation.right_least
        column = self._key_for(holder, other, relation.label)
        if column is None:
            column = Column(
                self._free_name(holder, other, relation.label), relation.line, kind="relation", exact_name=True
            )
            holder.columns.append(column)
        else:
            self.foreign[id(holder)].remove(column)
        column.target = other.name
        column.required = least > 0
        column.unique |= relation.left_most == relation.right_most == 1
        self._label(relation, f"{column.name} of {holder.name}")

    def _label(self, relation: _Relation, what: str) -> None:
        if relation.label:
            left, right = self.tables[relation.left].name, self.tables[relation.right].name
            self.source.note(relation.line, f"{left} {relation.label} {right} is {what}")

    def _free_name(self, holder: Table, other: Table, label: str) -> str:
        name = naming.snake(naming.entity_name(other.name))
        if holder is other and not holder.column("parent"):
            name = "parent"
        elif holder.column(name) and label:
            name = naming.snake(label) or name
        return name

    def _key_for(self, holder: Table, other: Table, label: str = "") -> Column | None:
        """Return the column of *holder* marked FK that refers to *other*, most likely."""
        columns = self.foreign.get(id(holder), [])
        target = naming.snake(naming.entity_name(other.name))
        names = [(column, naming.snake(column.name).removesuffix("_id")) for column in columns]
        keys = {naming.snake(each.name) for each in other.columns if each.primary} - {"id"}
        for column, _ in names:
            if naming.snake(column.name) in keys:
                column.target_column = column.name
                return column
        exact = next((column for column, name in names if name == target), None)
        near = next((column for column, name in names if _fits(name, target, label, is_self=holder is other)), None)
        if exact or near:
            return exact or near
        related = sum(1 for each in self.relations if holder.name.lower() in {each.left, each.right})
        return columns[0] if len(columns) == 1 and related == 1 else None

    def _guess(self, table: Table, column: Column) -> None:
        """Find the entity of a column marked FK that no relationship line names."""
        name = naming.snake(column.name).removesuffix("_id")
        for other in self.source.tables:
            if naming.snake(naming.entity_name(other.name)) == name:
                column.target = other.name
                self.source.note(column.line, f"{column.name} of {table.name} refers to {other.name}, by its name")
                return
        self.source.leave_out(
            column.line, f"FK of {column.name} of {table.name}, because no relationship says what it refers to"
        )


def _fits(name: str, target: str, label: str, *, is_self: bool) -> bool:
    """Whether a key called *name*, without ``_id``, may refer to *target* by a relationship called *label*."""
    word = naming.snake(label)
    return (
        name.endswith(f"_{target}")
        or target.endswith(f"_{name}")
        or name[:_STEM] == word[:_STEM] != ""  # a sender sends
        or (is_self and name in {"parent", "manager", "reports_to", "predecessor"})
    )
