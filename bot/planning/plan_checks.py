"""What can be wrong with the entities and the other items of a plan."""

import keyword
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from itertools import islice
from typing import NamedTuple

from bot.planning import names
from bot.planning.entities import VERBS, Entity, Field, Item
from bot.planning.field_checks import field_problems
from bot.text import shown

MAX_ENTITIES = 500
MAX_FIELDS = 200
MAX_RULE = 1_000
"""Longest rule, in characters."""
MAX_RULES = 100
MAX_PROBLEMS = 20
"""How many problems are told at once."""
_WHO = re.compile(r"[a-z][a-z0-9_-]*")


class Problem(NamedTuple):
    """What is wrong, and where: in a field, in an entity or item (*field* is None), or in the plan (both are None)."""

    entity: str | None
    field: str | None
    message: str

    def __str__(self) -> str:
        place = ".".join(filter(None, (self.entity, self.field)))
        return f"{place}: {self.message}" if place else self.message


class Reserved(NamedTuple):
    """Names that the recipe keeps for itself: no entity or field can have them."""

    entities: frozenset[str] = frozenset()
    fields: frozenset[str] = frozenset()
    plurals: frozenset[str] = frozenset()
    """Plurals, which are paths: an entity of this plural would hide what the project itself serves there."""


NOTHING_RESERVED = Reserved()


def find_problems(
    entities: Sequence[Entity],
    reserved: Reserved = NOTHING_RESERVED,
    collections: Mapping[str, Sequence[Item]] | None = None,
) -> Sequence[Problem]:
    """Return the first problems with names, fields, relations, limits and uses; none if the plan is valid."""
    items = [item for each in (collections or {}).values() for item in each]
    return list(islice(dict.fromkeys(_problems(entities, items, reserved)), MAX_PROBLEMS))


def _problems(entities: Sequence[Entity], items: Sequence[Item], reserved: Reserved) -> Iterator[Problem]:
    for kind, found in (("entities", entities), ("features and other items", items)):
        if len(found) > MAX_ENTITIES:
            message = f"{len(found)} {kind} are too many; the limit is {MAX_ENTITIES}: split the project"
            yield Problem(found[MAX_ENTITIES].name, None, message)
    for entity in entities:
        yield from _entity_problems(entity, reserved)
    for item in items:
        yield from _item_problems(item, reserved)
    yield from _clashes([*entities, *items])
    yield from _unknown_names(entities, items)
    yield from _cycles(entities)
    yield from _circles_of_uses(items)


def _unknown_names(entities: Sequence[Entity], items: Sequence[Item]) -> Iterator[Problem]:
    known = {entity.name for entity in entities}
    for entity in entities:
        for field in entity.fields:
            if field.is_relation and field.target not in known:
                message = f"relation to unknown entity {shown(field.target or '')}; {suggestion(known, field.target)}"
                yield Problem(entity.name, field.name, message)
    usable = known | {item.name for item in items}
    for item in items:
        for name in item.uses:
            if name not in usable:
                yield Problem(item.name, None, f"it uses {shown(name)}, which is not known; {suggestion(usable, name)}")


def _clashes(owners: Sequence[Entity | Item]) -> Iterator[Problem]:
    taken: dict[tuple[str, str], str] = {}
    for owner in owners:
        tables = [("table", owner.table), ("path", owner.plural)] if isinstance(owner, Entity) else []
        if isinstance(owner, Entity):
            tables += [("table", link_table(owner, field)) for field in owner.fields if field.many]
        for place in (("module", owner.module), ("name", owner.name.lower()), *tables):
            other = taken.get(place)
            if other == owner.name and place[0] in ("module", "name"):
                kind = "entity " if isinstance(owner, Entity) else ""
                yield Problem(owner.name, None, f"{kind}{owner.name} is defined twice; rename one or merge them")
                break
            if other and place in tables[2:]:
                yield Problem(
                    owner.name, None, f"the links of a relation would share the table {place[1]!r}; rename it"
                )
                break
            if other and other != owner.name:
                kind = "entities " if isinstance(owner, Entity) else ""
                message = f"{kind}{other} and {owner.name} would share the {place[0]} {place[1]!r}; rename one"
                yield Problem(owner.name, None, message)
                break
            taken[place] = owner.name


def link_table(entity: Entity, field: Field) -> str:
    """Return the table of the links of a relation to many."""
    return f"{entity.module}_{field.name}"


def suggestion(known: Iterable[str], name: str | None) -> str:
    """Return what to do about a *name* that is not among the *known* ones."""
    near = get_close_matches(name or "", list(known), n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    return "add an entity of that name, or use one of: " + ", ".join(sorted(known)[:10])


def _entity_problems(entity: Entity, reserved: Reserved) -> Iterator[Problem]:
    if message := name_problem("entity", entity.name, reserved.entities):
        yield Problem(entity.name, None, message)
    elif entity.plural in reserved.plurals:
        message = f"plural {entity.plural!r} is reserved for the generated project itself; write another 'plural: …'"
        yield Problem(entity.name, None, message)
    if not entity.fields:
        yield Problem(
            entity.name, None, f"entity {entity.name} has no fields; write, for example, '- {entity.name}: name string'"
        )
    if len(entity.fields) > MAX_FIELDS:
        yield Problem(
            entity.name, None, f"entity {entity.name} has {len(entity.fields)} fields; the limit is {MAX_FIELDS}"
        )
    columns: set[str] = set()
    for field in entity.fields:
        if message := name_problem("field", field.name, reserved.fields):
            yield Problem(entity.name, field.name, message)
        if clash := {field.name, field.column} & columns:
            yield Problem(entity.name, field.name, f"name {min(clash)!r} is used twice in {entity.name}; rename one")
        columns |= {field.name, field.column}
        yield from (Problem(entity.name, field.name, message) for message in field_problems(field))
    yield from (Problem(entity.name, None, message) for message in _option_problems(entity))


def _option_problems(entity: Entity) -> Iterator[str]:
    fields = {field.name: field for field in entity.fields}
    for kind, groups in (("unique", entity.unique or ()), ("index", entity.index)):
        for group in groups:
            yield from _group_problems(kind, group, fields)
    for key, name in (("plural", entity.plural_name), ("table", entity.table_name)):
        if name is not None and (not names.FIELD_NAME.fullmatch(name) or len(name) > names.NAME_LIMIT):
            yield f"{key} {shown(name)} is not a valid name: use lowercase letters, digits and single '_'"
    if entity.plural_name and keyword.iskeyword(entity.plural_name):
        yield f"plural {shown(entity.plural_name)} is a keyword of Python, and a module is named after it; take another"
    if len(counting := [field.name for field in entity.fields if field.type == "integer" and field.auto]) > 1:
        yield f"{' and '.join(counting)} count the same changes; keep one"
    if len(marks := [field.name for field in entity.fields if field.auto == "delete"]) > 1:
        yield f"{' and '.join(marks)} say the same: when the row was deleted; keep one"
    for group in entity.unique or ():
        if found := [name for name in group if name in marks]:
            yield f"unique {', '.join(group)}: {found[0]} is empty until a row is deleted, so none agree; leave it out"
    yield from _access_problems(entity)
    yield from _rule_problems(entity.rules)


def _access_problems(entity: Entity) -> Iterator[str]:
    for verb, who in entity.access.items():
        if verb not in VERBS:
            near = get_close_matches(verb, VERBS, n=1)
            yield f"access: {shown(verb)} is not an action; " + (
                f"did you mean {near[0]!r}?" if near else f"use one of: {', '.join(VERBS)}"
            )
        for each in who:
            if not _WHO.fullmatch(each) or len(each) > names.NAME_LIMIT:
                yield f"access: {shown(each)} is nobody; write anyone, user, owner, or a role in small letters"


def _group_problems(kind: str, group: Sequence[str], fields: Mapping[str, Field]) -> Iterator[str]:
    text = f"{kind} {', '.join(group)}"
    if len(set(group)) < len(group) or len(group) < 2:  # noqa: PLR2004
        yield f"'{text}' needs two or more different fields; for one, write '{kind}' behind its type"
    for name in group:
        field = fields.get(name)
        if field is None:
            near = get_close_matches(name, fields, n=1)
            fix = f"did you mean {near[0]!r}?" if near else f"fields are: {', '.join([*fields][:10])}"
            yield f"'{text}': {shown(name)} is not a field; {fix}"
        elif field.many or field.is_password or field.type in ("json", "bytes"):
            yield f"'{text}': {name!r} can't be part of it, because databases don't compare such values"


def _item_problems(item: Item, reserved: Reserved) -> Iterator[Problem]:
    if message := name_problem("feature", item.name, reserved.entities):
        yield Problem(item.name, None, message)
    if not item.does:
        yield Problem(item.name, None, f"{item.name} does not say what it does; write a sentence after the ':'")
    yield from (Problem(item.name, None, message) for message in _rule_problems(item.rules))


def _rule_problems(rules: Sequence[str]) -> Iterator[str]:
    if len(rules) > MAX_RULES:
        yield f"{len(rules)} rules are too many; the limit is {MAX_RULES}"
    for rule in rules:
        if len(rule) > MAX_RULE:
            yield f"rule {shown(rule[:40])}… has {len(rule):,} characters; the limit is {MAX_RULE:,}: split it"


def name_problem(kind: str, name: str, reserved: frozenset[str]) -> str | None:
    """Return what is wrong with the *name* of an entity, a feature or a field (*kind*); None if it can be used."""
    is_field = kind == "field"
    pattern = names.FIELD_NAME if is_field else names.ENTITY_NAME
    if not pattern.fullmatch(name):
        shape = "lowercase letters, digits and single '_'" if is_field else "a capital letter, then letters and digits"
        example = names.field_name(name) if is_field else names.entity_name(name)
        use = f"use {example}" if pattern.fullmatch(example) else f"use {shape}"
        return f"{shown(name)} is not a valid {kind} name: {use}"
    if len(name) > names.NAME_LIMIT:
        return f"name {name[:20]!r}… has {len(name)} characters; the limit is {names.NAME_LIMIT}"
    if keyword.iskeyword(name):
        other = f"{name}_value" if is_field else f"{name}Item"
        return f"{name!r} is a Python keyword; rename the {kind}, for example to {other!r}"
    if name in reserved:
        return f"{name!r} is reserved for the generated project itself; choose another name for the {kind}"
    return None


def _cycles(entities: Sequence[Entity]) -> Iterator[Problem]:
    """Yield a problem if required relations form a cycle, because then no entity's row could be created first."""
    needs = {e.name: [f for f in e.fields if f.is_relation and not (f.optional or f.many)] for e in entities}
    creatable: set[str] = set()
    while ready := {
        name for name, fields in needs.items() if name not in creatable and all(f.target in creatable for f in fields)
    }:
        creatable |= ready
    stuck = [entity.name for entity in entities if entity.name not in creatable]
    if not stuck:
        return
    path: list[str] = []
    name = stuck[0]
    while name not in path:
        path.append(name)
        field = next((f for f in needs[name] if f.target not in creatable), None)
        if field is None or field.target not in needs:
            return
        name = field.target or ""
    cycle = [*path[path.index(name) :], name]
    field = next(f for f in needs[name] if f.target == cycle[1])
    yield Problem(
        name,
        field.name,
        f"required relations form a cycle: {' -> '.join(cycle)}; no row could be created first, "
        f"so make one relation optional: '{field.name} -> {field.target} ?'",
    )


def _circles_of_uses(items: Sequence[Item]) -> Iterator[Problem]:
    uses = {item.name: item.uses for item in items}
    open_items = dict(uses)
    while ready := [name for name, needs in open_items.items() if not any(need in open_items for need in needs)]:
        for name in ready:
            del open_items[name]
    path: list[str] = []
    name = next(iter(open_items), "")
    while name and name not in path:
        path.append(name)
        name = next((need for need in uses[name] if need in open_items), "")
    if name:
        circle = " -> ".join([*path[path.index(name) :], name])
        yield Problem(name, None, f"the uses form a circle: {circle}; none could be made first, so take one use out")
