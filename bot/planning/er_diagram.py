"""Draw a plan as a Mermaid entity-relationship diagram."""

from collections.abc import Iterator

from bot.planning.plan import Entity, Plan

_WORDS = frozenset(
    ("accdescr", "acctitle", "class", "classdef", "end", "erdiagram", "many", "one", "style", "subgraph", "to")
)
"""What Mermaid takes for words of its own, in any case, where a name could stand."""
_KEYS = frozenset(("pk", "fk", "uk"))


def format_diagram(plan: Plan) -> str:
    """Return the ``erDiagram`` of *plan*, entities and fields in the plan's order."""
    lines = ["erDiagram"]
    for entity in plan.entities:
        lines += [f"    {_name(entity.name)} {{", *_attributes(entity), "    }"]
    lines += [line for entity in plan.entities for line in _relations(entity)]
    return "\n".join(lines) + "\n"


def _attributes(entity: Entity) -> Iterator[str]:
    yield "        integer id PK"
    for field in entity.fields:
        keys = [key for key, on in (("FK", field.is_relation), ("UK", field.unique)) if on]
        kind = "integer" if field.is_relation else field.type
        note = ' "optional"' if field.optional else ""
        column = f"{field.column}_" if field.column in _KEYS else field.column  # quotes don't help a column
        yield f"        {kind} {column} {', '.join(keys)}".rstrip() + note


def _relations(entity: Entity) -> Iterator[str]:
    for field in entity.fields:
        if field.is_relation:
            left = "|o" if field.optional else "||"
            right = "o|" if field.unique else "o{"
            ends = f"{_name(field.target or '')} {left}--{right} {_name(entity.name)}"
            yield f"    {ends} : {_name(field.name)}"


def _name(name: str) -> str:
    return f'"{name}"' if name.lower() in _WORDS else name
