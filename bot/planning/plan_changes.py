"""Which fields of the plan two slices of it differ in, under the names that the plan file has for them.

A slice is laid out for digests and templates, so one field can stand in it twice, and a list says nothing about what in
it is new.  :func:`read_facts` turns it into facts by path, such as ``entities.Post.fields.title``.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from bot.planning.entities import Field
from bot.planning.field_grammar import format_field
from bot.planning.phases import Phase
from bot.planning.plan import Plan
from bot.planning.recipe_model import ENTITIES, TYPES, USES

Path = tuple[str, ...]
Facts = Mapping[Path, Mapping[str, Any]]
"""Path in the plan → what is said there: the properties of a field, or one value under an empty name."""

_FIELDS, _RULES, _ACCESS = "fields", "rules", "access"
_ORDER = ""
"""The end of the path of a list's order; nothing in a plan has an empty name."""
_INSTRUCTIONS = "instructions"
_START, _RISKS = ("migrations of the base",), ("rows at risk",)
_NAMED = 3
"""How long the path of a whole entity is in what is seen of others: ``uses``, the collection, the name."""


class Difference(NamedTuple):
    """One field of the plan that differs."""

    path: Path
    """As in the plan file: ``("entities", "Post", "fields", "title")``."""
    old: str | None
    """In the words of the plan file; None if it was not there."""
    new: str | None
    """The same; None if it is not there any more."""
    properties: tuple[str, ...] = ("",)
    """Which properties of the field differ; see :data:`Facts`."""

    @property
    def subject(self) -> str:
        """What people call the field: ``Post.title``."""
        first, *rest = self.path
        if self.path[-1] == _ORDER:
            return f"order of {'.'.join(rest[:-1]) or first}"
        if first == TYPES:
            return f"entities with the type {rest[0]}"
        if first in (_RULES, _INSTRUCTIONS) or not rest:
            return first
        if rest[1:2] == [_FIELDS]:
            del rest[1]
        if rest[1:2] == [_RULES]:
            del rest[2:]
        return ".".join([first, *rest] if first == "options" else rest)


def phase_facts(phase: Phase | None, plan: Plan) -> Facts:
    """Return what *phase* sees of *plan*; nothing if the plan does not have it."""
    if phase is None:
        return {}
    places = {item.name: name for name, items in plan.collections.items() for item in items}
    return read_facts(phase.slice, places, phase.key, implied=phase.implied)


def read_facts(
    content: Mapping[str, Any], places: Mapping[str, str], key: str, *, implied: Mapping[str, Any] | None = None
) -> Facts:
    """Return the facts of the slice *content* of the phase *key*; *places* has the collection of each item."""
    facts: dict[Path, Mapping[str, Any]] = {}
    for name, value in content.items():
        facts |= _facts(name, value, places, key)
    options = {**(implied or {}).get("options", {}), **content.get("options", {})}
    return facts | {("options", name): {"": value} for name, value in options.items()}


def _facts(name: str, value: Any, places: Mapping[str, str], key: str) -> Mapping[Path, Mapping[str, Any]]:  # noqa: ANN401  # a slice is data
    found: dict[Path, Mapping[str, Any]]
    match name:
        case "entity" | "item":
            place = ENTITIES if name == "entity" else places.get(value["name"], "items")
            found = dict(_item((place, value["name"]), value))
        case "named" | "targets":
            found = {(ENTITIES, each, word): {"": to} for each, said in value.items() for word, to in said.items()}
        case "uses" | "types":
            found = {path: fact for each, items in value.items() for path, fact in _listed((name, each), items)}
        case "changes":
            found = {_START: {word: value[word] for word in ("old", "after", "revision")}}
            found |= {_RISKS: {"": value["risks"]}} if value.get("risks") else {}
            found |= dict(_listed((ENTITIES,), value["new"]))
        case "options":
            found = {}
        case "instruction":
            found = {(_INSTRUCTIONS, key): {"": value}}
        case _:
            found = dict(_listed((name,), value)) if isinstance(value, list) else {(name,): {"": value}}
    return found


def _listed(prefix: Path, items: Sequence[Any]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Yield the facts of a list of names, of sentences, or of whole items."""
    for item in items:
        yield from (
            _item((*prefix, item["name"]), item) if isinstance(item, Mapping) else [((*prefix, item), {"": True})]
        )
    yield (*prefix, _ORDER), {"": [item["name"] if isinstance(item, Mapping) else item for item in items]}


def _item(prefix: Path, content: Mapping[str, Any]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    yield prefix, {"": True}
    for name, value in content.items():
        if name == _FIELDS:
            for field in value:
                yield (*prefix, _FIELDS, field["name"]), field
            yield (*prefix, _FIELDS, _ORDER), {"": [field["name"] for field in value]}
        elif name == _ACCESS:
            yield from (((*prefix, _ACCESS, verb), {"": who}) for verb, who in value.items())
        elif name == _RULES:
            yield from _listed((*prefix, _RULES), value)
        elif name != "name":
            yield (*prefix, name), {"": value}


def find_differences(old: Facts, new: Facts) -> Sequence[Difference]:
    """Return what differs, in the order of *new*, then what is gone.  What is in something that is new is left out."""
    found: dict[Path, Difference] = {}
    paths = [path for path in dict.fromkeys([*new, *old]) if _differing(path, old, new)]
    whole = {path for path in paths if (path in old) != (path in new)}
    for path in paths:
        if any(path[:depth] in whole for depth in range(1, len(path))):
            continue
        if path[0] == USES and path in whole and len(path) <= _NAMED:  # the item's own list says so
            continue
        shown = _place(path)
        words = [_words(path, facts[path]) if path in facts else None for facts in (old, new)]
        found.setdefault(shown, Difference(shown, words[0], words[1], _differing(path, old, new)))
    if len(found) > 1:  # what is at risk follows from the rest
        found.pop(_RISKS, None)
    return [*found.values()]


def newest_changes(difference: Difference, versions: Sequence[Facts]) -> Sequence[int]:
    """Return the places in *versions*, oldest first, that gave the differing properties the values they have now.

    The first version is the one that the difference starts from, the last one is now.
    """
    path = next((each for facts in versions for each in facts if _place(each) == difference.path), difference.path)
    found = {
        place
        for name in difference.properties
        if (place := _newest_change([_value(facts, path, name, versions) for facts in versions]))
    }
    return sorted(found)


def _newest_change(values: Sequence[object]) -> int:
    return next((place for place in range(len(values) - 1, 0, -1) if values[place] != values[place - 1]), 0)


def _value(facts: Facts, path: Path, name: str, versions: Sequence[Facts]) -> object:
    fact = facts.get(path)
    if fact is None:
        return None
    return _common(path, versions[0], versions[-1], fact) if path[-1] == _ORDER else (fact.get(name),)


def _differing(path: Path, old: Facts, new: Facts) -> tuple[str, ...]:
    before, after = old.get(path), new.get(path)
    if path[-1] == _ORDER:
        both = before is not None and after is not None
        return ("",) if both and _common(path, old, new, old[path]) != _common(path, old, new, new[path]) else ()
    if before is None or after is None:
        return tuple(before or after or ())
    return tuple(name for name in dict.fromkeys([*before, *after]) if before.get(name) != after.get(name))


def _common(path: Path, old: Facts, new: Facts, fact: Mapping[str, Any]) -> list[str]:
    """Return the order of what is in both lists."""
    names = [set(facts[path][""]) if path in facts else set() for facts in (old, new)]
    return [name for name in fact[""] if name in names[0] & names[1]]


def _place(path: Path) -> Path:
    """Return where the plan file has what a slice shows under *path*."""
    if path[0] == USES:
        return path[1:]
    return (ENTITIES, *path[2:]) if path[0] == TYPES and len(path) > _NAMED else path


def _words(path: Path, fact: Mapping[str, Any]) -> str:
    """Return what the plan says at *path* in its own words; for what is only there or not, nothing or its text."""
    if path == _START:
        return ", ".join(fact["after"]) or "none"
    if path[-2:-1] == (_FIELDS,) and path[-1] != _ORDER:
        field = Field.model_validate_json(json.dumps(fact))
        return format_field(field).removeprefix(field.name).strip()
    value = fact[""]
    if value is True and path[-2:-1] == (_RULES,):
        return path[-1]
    if value is True and path[0] == TYPES:
        return path[-1]
    if value is True and len(path) > 1 and path[0] != "options":
        return ""
    return _plain(value)


def _plain(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(f"({_plain(each)})" if isinstance(each, list) else _plain(each) for each in value)
    return {True: "true", False: "false"}.get(value, str(value)) if isinstance(value, bool) else str(value)
