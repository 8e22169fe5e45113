"""What a migration has to change: the difference between the entities of two plans, as far as tables depend on it.

A field is the same one as before if it has the same name, or says with ``was`` which name it had.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from bot.planning.entities import Entity, Field

if TYPE_CHECKING:
    from bot.planning.plan import Plan

_NOT_STORED = frozenset(("doc", "secret", "pattern"))
"""Properties of a field that make no difference to its column, nor to the values of rows that exist."""
_ONLY_FOR_ROWS = frozenset(("default", "auto", "was"))
"""Properties that make a difference only to the values of rows that exist."""
_WIDER = {
    "integer": ("decimal", "float"),
    "date": ("datetime",),
    "string": ("text",),
    "email": ("string", "text"),
    "url": ("text",),
    "enum": ("string", "text"),
}
"""Type → types that every value of it can be converted to."""


@dataclass(frozen=True, slots=True)
class MigrationStart:
    """What the migration of a run starts from: the entities of the base, and the migrations that it has."""

    entities: tuple[Entity, ...] = ()
    """None if the base has no migration: then its tables are made from nothing."""
    after: tuple[str, ...] = ()
    """The newest revisions of the base; usually one, and none at first."""
    number: int = 1
    """The number of the new migration."""
    merged: "Plan | None" = None
    """The plan that the migration was made from, once the base has it; from then on it stays as it is."""

    @property
    def revision(self) -> str:
        return f"{self.number:04}"

    def risks(self, plan: "Plan") -> list[str]:
        """Return where the migration to *plan* loses data, or fails on rows that exist, each with its remedy."""
        return find_risks(find_changes(self.entities, plan.entities), plan.left_out) if self.after else []


class FieldChange(NamedTuple):
    """A column before and after; None where it does not exist."""

    before: Field | None
    after: Field | None


@dataclass(frozen=True, slots=True)
class EntityChange:
    """A table that exists before and after."""

    before: Entity
    after: Entity

    @property
    def fields(self) -> Sequence[FieldChange]:
        """The fields that are dropped, and then those that exist afterwards, in their order."""
        earlier = {field.name: field for field in self.before.fields}
        renamed = self.renamed
        pairs = [_pair(earlier.get(renamed.get(each.name, each.name)), each) for each in self.after.fields]
        kept = {pair.before.name for pair in pairs if pair.before}
        return [*(FieldChange(each, None) for each in self.before.fields if each.name not in kept), *pairs]

    @property
    def renamed(self) -> Mapping[str, str]:
        """New name of a field → the name that it had."""
        earlier, names = {each.name for each in self.before.fields}, {each.name for each in self.after.fields}
        return {
            each.name: each.was
            for each in self.after.fields
            if each.was and each.was in earlier - names and each.name not in earlier
        }


def _pair(before: Field | None, after: Field) -> FieldChange:
    """Return *before* and *after*, unless their values have nothing to do with each other: ids of other rows."""
    is_same = before is None or (before.target, before.many) == (after.target, after.many)
    return FieldChange(before if is_same else None, after)


@dataclass(frozen=True, slots=True)
class SchemaChanges:
    """What becomes of the tables between two plans."""

    created: Sequence[Entity]
    """What others refer to comes first, where that is possible."""
    dropped: Sequence[Entity]
    """What refers to others comes first, where that is possible."""
    kept: Sequence[EntityChange]
    """Also those that stay exactly as they are."""


def find_changes(before: Sequence[Entity], after: Sequence[Entity]) -> SchemaChanges:
    """Return what has to change to get from *before* to *after*."""
    earlier, later = {each.name: each for each in before}, {each.name: each for each in after}
    return SchemaChanges(
        created=_in_order([each for each in after if each.name not in earlier]),
        dropped=_in_order([each for each in before if each.name not in later])[::-1],
        kept=[EntityChange(earlier[each.name], each) for each in after if each.name in earlier],
    )


def _in_order(entities: Sequence[Entity]) -> list[Entity]:
    """Return *entities* so that what one refers to comes before it, as far as they don't refer to each other."""
    left, done = list(entities), list[Entity]()
    while left:
        names = {each.name for each in left}
        free = [each for each in left if not any(field.target in names - {each.name} for field in each.fields)]
        done += free or left[:1]
        left = [each for each in left if each not in done]
    return done


def stored(entity: Entity) -> dict[str, Any]:
    """Return what of *entity* its table, and the values of rows that exist, depend on; as data for a digest."""
    content = entity.content()
    content["unique"] = [list(group) for group in entity.unique or ()]
    content["fields"] = [_without(each, _NOT_STORED) for each in content["fields"]]
    kept = {key: value for key, value in content.items() if key in ("name", "fields", "unique", "index") and value}
    return {**kept, "table": entity.table}


def read_stored(contents: Sequence[Mapping[str, Any]]) -> dict[str, Entity]:
    """Return the entities that :func:`stored` wrote, by name."""
    found = [Entity.model_validate_json(json.dumps(content)) for content in contents]
    return {each.name: each for each in found}


def is_same_schema(before: Sequence[Entity], after: Sequence[Entity]) -> bool:
    """Whether no table has to change."""
    return _tables(before) == _tables(after)


def _tables(entities: Sequence[Entity]) -> dict[str, Any]:
    found = {each.name: stored(each) for each in entities}
    for content in found.values():
        content["fields"] = sorted(
            (_without(each, _ONLY_FOR_ROWS) for each in content["fields"]), key=itemgetter("name")
        )
    return found


def _without(content: Mapping[str, Any], keys: frozenset[str]) -> dict[str, Any]:
    return {key: value for key, value in content.items() if key not in keys}


def find_risks(changes: SchemaChanges, left_out: Sequence[str] = ()) -> list[str]:
    """Return what loses data, or fails where there are rows, each with its remedy.

    A dropped table or column is none if a line of *left_out* names it.
    """
    named = {word.strip("`'\".,:;()").lower() for line in left_out for word in line.replace(".", " ").split()}
    found = [
        f"table {each.table} is dropped with all its rows; say so under left-out, or keep {each.name} in the plan"
        for each in changes.dropped
        if each.name.lower() not in named
    ]
    return [*found, *(risk for each in changes.kept for risk in _risks(each, named))]


def _risks(change: EntityChange, named: set[str]) -> Iterator[str]:
    for before, after in change.fields:
        if after is None and before is not None and before.name.lower() not in named:
            yield (
                f"{change.after.name}.{before.name} is dropped with all its values; say so under left-out, or, if it "
                f"has a new name, write 'was {before.name}' behind that field"
            )
        elif before is None and after is not None and not has_value(after):
            yield (
                f"{change.after.name}.{after.name} is required and has no default, so rows that exist have no value "
                "for it; give it a default, or make it optional first"
            )
        elif before is not None and after is not None:
            yield from (f"{change.after.name}.{after.name}: {risk}" for risk in _field_risks(before, after))
    for group in change.after.unique or ():
        if group not in (change.before.unique or ()):
            yield (
                f"{change.after.name}: {' and '.join(group)} become unique together, which fails where rows agree in "
                "them; remove such rows first"
            )


def has_value(field: Field) -> bool:
    """Whether rows that exist can get a value for a new *field*."""
    return field.optional or field.many or (field.has_default and not field.is_relation) or field.auto is not None


def _field_risks(before: Field, after: Field) -> Iterator[str]:
    if before.type != after.type and after.type not in _WIDER.get(before.type, ()):
        yield (
            f"not every {before.type} can be written as {after.type}, and then the migration fails; add a new "
            "field, and drop this one in a later run"
        )
    if is_nullable(before) and not is_nullable(after):
        yield "it becomes required, which fails where a row has no value; give those rows one first"
    if after.unique and not before.unique:
        yield "it becomes unique, which fails where two rows have the same value; change such rows first"
    if lost := [choice for choice in before.choices if choice not in after.choices and after.type == "enum"]:
        yield f"rows that have {', '.join(lost)} make the migration fail; change them first"
    if _is_narrower(before, after):
        yield "its limits become narrower, which fails where a row is beyond them; change such rows first"


def is_nullable(field: Field) -> bool:
    """Whether a row can be without a value of *field*."""
    return field.optional or (field.has_default and field.default_value is None)


def _is_narrower(before: Field, after: Field) -> bool:
    if before.type != after.type:
        return False
    least, most = _limits(before), _limits(after)
    digits = (before.digits or 18) > (after.digits or 18) or (before.places or 6) > (after.places or 6)
    return most[0] > least[0] or most[1] < least[1] or (before.type == "decimal" and digits)


def _limits(field: Field) -> tuple[float, float]:
    longest = 255.0 if field.type == "string" else float("inf")
    low = float(field.minimum) if field.minimum is not None else float("-inf")
    return low, float(field.maximum) if field.maximum is not None else longest
