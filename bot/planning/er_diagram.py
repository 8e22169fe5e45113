"""Draw a plan as a Mermaid entity-relationship diagram."""

from collections.abc import Iterator

from bot.planning.entities import Entity
from bot.planning.plan import Plan

_RESERVED_WORDS = frozenset(
    ("accdescr", "acctitle", "class", "classdef", "end", "erdiagram", "many", "one", "style", "subgraph", "to")
)
"""Words that Mermaid reserves, in any case, in places where a name can appear."""
_KEY_WORDS = frozenset(("pk", "fk", "uk"))


def format_diagram(plan: Plan) -> str:
    """Return the ``erDiagram`` of *plan*, with entities and fields in plan order."""
    lines = ["erDiagram"]
    for entity in plan.entities:
        lines += [f"    {_quote_reserved(entity.name)} {{", *_attribute_lines(entity), "    }"]
    lines += [line for entity in plan.entities for line in _relation_lines(entity)]
    return "\n".join(lines) + "\n"


def _attribute_lines(entity: Entity) -> Iterator[str]:
    yield "        integer id PK"
    for field in entity.fields:
        keys = [key for key, applies in (("FK", field.is_relation), ("UK", field.unique)) if applies]
        kind = "integer" if field.is_relation else field.type
        note = ' "optional"' if field.optional else ""
        column = f"{field.column}_" if field.column in _KEY_WORDS else field.column  # it can't be quoted here
        yield f"        {kind} {column} {', '.join(keys)}".rstrip() + note


def _relation_lines(entity: Entity) -> Iterator[str]:
    for field in entity.fields:
        if field.is_relation:
            left = "|o" if field.optional else "||"
            right = "o|" if field.unique else "o{"
            ends = f"{_quote_reserved(field.target or '')} {left}--{right} {_quote_reserved(entity.name)}"
            yield f"    {ends} : {_quote_reserved(field.name)}"


def _quote_reserved(name: str) -> str:
    return f'"{name}"' if name.lower() in _RESERVED_WORDS else name
