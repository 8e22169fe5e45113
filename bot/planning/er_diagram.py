"""Draw a plan as a Mermaid entity-relationship diagram."""

import re
from collections.abc import Iterator, Mapping, Sequence

from bot.planning.entities import Entity
from bot.planning.plan import Plan
from bot.text import truncate, without_hidden

_RESERVED_WORDS = frozenset(
    ("accdescr", "acctitle", "class", "classdef", "end", "erdiagram", "many", "one", "style", "subgraph", "to")
)
"""Words that Mermaid reserves, in any case, in places where a name can appear."""
_KEY_WORDS = frozenset(("pk", "fk", "uk"))
_NOT_PLAIN = re.compile(r"[^\w .,;()/+*=?!'%-]|(?<=[/%])[/%]")
_GITHUB_REFERENCE = re.compile(r"\b(gh)-", re.IGNORECASE)
_MAX_COMMENT = 80


def format_diagram(plan: Plan) -> str:
    """Return the ``erDiagram`` of *plan*, with entities and fields in plan order."""
    return draw(plan.entities)


def draw(entities: Sequence[Entity], *, with_fields: bool = True) -> str:
    """Return the ``erDiagram`` of *entities*, which holds all that they relate to."""
    lines = ["erDiagram"]
    for entity in entities:
        name = _quote_reserved(entity.name)
        lines += [f"    {name} {{", *_attribute_lines(entity), "    }"] if with_fields else [f"    {name}"]
    lines += [line for entity in entities for line in _relation_lines(entity)]
    return "\n".join(lines) + "\n"


def _attribute_lines(entity: Entity) -> Iterator[str]:
    yield "        integer id PK"
    together = {} if entity.unique == entity.implied_unique else _unique_with(entity)
    for field in entity.fields:
        if field.many:  # a table of its own holds them
            continue
        keys = [key for key, applies in (("FK", field.is_relation), ("UK", field.unique)) if applies]
        kind = "integer" if field.is_relation else field.type
        notes = ["optional" if field.optional else "", together.get(field.name, ""), _comment(field.doc)]
        note = f' "{told}"' if (told := "; ".join(filter(None, notes))) else ""
        column = f"{field.column}_" if field.column in _KEY_WORDS else field.column  # it can't be quoted here
        yield f"        {kind} {column} {', '.join(keys)}".rstrip() + note


def _unique_with(entity: Entity) -> Mapping[str, str]:
    """Return for each field the other ones that it is unique together with."""
    columns = {field.name: field.column for field in entity.fields}
    return {
        name: f"unique with {', '.join(columns.get(other, other) for other in group if other != name)}"
        for group in entity.unique or ()
        for name in group
    }


def _comment(doc: str) -> str:
    """Return the documentation of a field for a comment, in which neither Mermaid nor GitHub acts on any of it."""
    plain = _GITHUB_REFERENCE.sub(r"\1 ", without_hidden(doc))
    return truncate(" ".join(_NOT_PLAIN.sub(" ", plain).split()), _MAX_COMMENT)


def _relation_lines(entity: Entity) -> Iterator[str]:
    for field in entity.fields:
        if field.is_relation:
            left = "}o" if field.many else "|o" if field.optional else "||"
            right = "o|" if field.unique else "o{"
            ends = f"{_quote_reserved(field.target or '')} {left}--{right} {_quote_reserved(entity.name)}"
            yield f"    {ends} : {_quote_reserved(field.name)}"


def _quote_reserved(name: str) -> str:
    return f'"{name}"' if name.lower() in _RESERVED_WORDS else name
