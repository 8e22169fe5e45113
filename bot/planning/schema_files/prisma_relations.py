"""Relations of Prisma, which each of the two models writes down."""

from collections.abc import Sequence
from typing import NamedTuple

from bot.planning.schema_files import naming
from bot.planning.schema_files.source import MAX_COLUMNS, Column, Source, Table


class Link(NamedTuple):
    """A field whose type is a model."""

    table: Table
    column: Column
    target: str
    is_list: bool
    name: str
    """The name that both sides of a relation share."""
    fields: list[str]
    references: list[str]
    on_delete: str


def connect(source: Source, links: Sequence[Link]) -> None:
    """Make a relation of each pair of *links*, on the side that holds the key."""
    for link in links:
        if link.fields:
            _own(source, link)
    sides: dict[tuple[str, str], list[tuple[int, Link]]] = {}
    for place, link in enumerate(links):
        sides.setdefault((link.table.name, link.target), []).append((place, link))
    for (model, target), found in sides.items():
        if len(found) > MAX_COLUMNS:
            source.fail(found[0][1].column.line, f"{model} has {len(found):,} relations to {target}; that is too many")
            return
    for place, link in enumerate(links):
        if not link.fields:
            _other_side(source, link, place, sides.get((link.target, link.table.name), []))


def _own(source: Source, link: Link) -> None:
    """Make one relation of the field and the column that holds the key."""
    table, column = link.table, link.column
    scalar = table.column(link.fields[0])
    if len(link.fields) > 1 or scalar is None:
        why = "a relation refers to one column" if scalar else f"there is no field {link.fields[0]}"
        source.leave_out(column.line, f"relation {column.name} of {table.name} to {link.target}, because {why}")
        return
    scalar.target, scalar.on_delete = link.target, link.on_delete
    scalar.target_column = link.references[0] if link.references else ""
    scalar.field_name = naming.snake(column.name)
    scalar.exact_name = True
    scalar.doc = column.doc or scalar.doc
    scalar.required = scalar.required and column.required


def _other_side(source: Source, link: Link, place: int, sides: Sequence[tuple[int, Link]]) -> None:
    """Read a side of a relation that holds no key: a list, or the other end of a one-to-one."""
    others = [
        (n, each) for n, each in sides if n != place and (each.name == link.name or not (each.name and link.name))
    ]
    owner = next((each for _, each in others if each.fields), None)
    here = f"{link.column.name} of {link.table.name}"
    if owner:
        source.note(link.column.line, f"{here} is the other side of {owner.column.name} of {owner.table.name}")
        return
    first = next(((n, each) for n, each in others if each.is_list), None)
    if link.is_list and first and first[0] < place:
        source.note(link.column.line, f"{here} is the other side of {first[1].column.name} of {link.target}")
    elif link.is_list and first:
        link.column.target, link.column.many = link.target, True
        link.column.kind = "relation"
        link.table.columns.append(link.column)
    else:
        source.leave_out(link.column.line, f"{here}, because {link.target} has no field for it")
