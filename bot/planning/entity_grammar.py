"""What stands below an entity: ``unique a, b``, ``plural: words``, ``access: …``, or a rule in a sentence."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from bot.planning import names
from bot.planning.entities import Entity

_GROUP = re.compile(
    r"(unique|index)(?:\s*+:)?\s++\(?\s*+([A-Za-z]\w*+(?:\s*+,\s*+[A-Za-z]\w*+)*+)\s*+\)?", re.IGNORECASE
)
_SETTING = re.compile(r"(plural|table|access|rule)\s*+:\s*+(\S.*)", re.IGNORECASE)
OPTIONS = ("unique", "index", "plural", "table", "access", "rules")
"""The keys of an entity in a plan file, besides its fields."""


class Option(NamedTuple):
    """One line below an entity."""

    kind: str
    """``unique``, ``index``, ``plural``, ``table``, ``access`` or ``rule``."""
    text: str


def read_option(text: str) -> Option:
    """Read one line below an entity; what is nothing else is a rule."""
    if match := _GROUP.fullmatch(text):
        return Option(match[1].lower(), match[2])
    if match := _SETTING.fullmatch(text):
        return Option(match[1].lower(), match[2].strip())
    return Option("rule", " ".join(text.split()))


def attributes(options: Collection[Option], fields: Collection[str]) -> dict[str, Any]:
    """Return the attributes of an :class:`Entity` with *fields* that *options* set.

    Raises:
        ValueError: Who may do what can't be read.
    """
    found: dict[str, Any] = {}
    for kind, text in options:
        if kind in ("unique", "index"):
            group = tuple(_field(name.strip(), fields) for name in text.split(","))
            found[kind] = (*found.get(kind, ()), group) if group != ("",) else ()
        elif kind in ("plural", "table"):
            found[kind] = names.field_name(text) or text
        elif kind == "access":
            found["access"] = {**found.get("access", {}), **read_access(text)}
        else:
            found["rules"] = (*found.get("rules", ()), text)
    return found


def _field(name: str, fields: Collection[str]) -> str:
    """Return the field that *name* means: as it is, in our spelling, or without ``_id``."""
    other = names.field_name(name)
    return next((each for each in (name, other, other.removesuffix("_id")) if each in fields), other or name)


def read_access(text: str) -> Mapping[str, tuple[str, ...]]:
    """Read ``read anyone; delete owner, admin``.

    Raises:
        ValueError: An action has nobody who may do it.
    """
    access: dict[str, tuple[str, ...]] = {}
    for part in filter(str.strip, text.split(";")):
        verb, _, who = part.strip().partition(" ")
        if not who.strip():
            raise ValueError(
                f"access: '{verb[:40]}' names nobody; write, for example, 'access: read anyone; delete owner'"
            )
        access[verb.rstrip(":").lower()] = tuple(each.strip().lower() for each in who.split(",") if each.strip())
    return access


def format_access(access: Mapping[str, Sequence[str]]) -> str:
    """Format *access* so that :func:`read_access` returns the same."""
    return "; ".join(f"{verb} {', '.join(who)}" for verb, who in access.items())


def format_options(entity: Entity) -> Sequence[str]:
    """Return the lines below *entity*, each of which :func:`read_option` reads back."""
    lines = [f"unique {', '.join(group)}" for group in entity.unique or ()]
    lines += [f"index {', '.join(group)}" for group in entity.index]
    lines += [f"plural: {entity.plural_name}"] if entity.plural_name else []
    lines += [f"table: {entity.table_name}"] if entity.table_name else []
    lines += [f"access: {format_access(entity.access)}"] if entity.access else []
    return [*lines, *(f"rule: {rule}" for rule in entity.rules)]
