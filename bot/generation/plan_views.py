"""What templates and prompts see of a plan: plain values, and of each phase only its slice."""

import hashlib
import json
import re
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from bot.planning import names
from bot.planning.plurals import plural
from bot.planning.recipe_model import CHANGES, TYPES

if TYPE_CHECKING:
    from bot.planning.entities import Entity, Field
    from bot.planning.phases import Phase
    from bot.planning.plan import Plan
    from bot.planning.samples import FieldSamples
    from bot.planning.schema_changes import FieldChange


class _EntityName:
    """An entity as other entities' templates see it: its name only."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.module = names.module_name(name)
        self.plural = self.table = plural(names.snake_case(name))

    @property
    def order(self) -> str:
        """Sort key that orders modules as import sorters do: numbers by value."""
        return _in_order(self.module)

    @property
    def plural_module(self) -> str:
        """The name of modules that have the plural for a name."""
        return names.plural_module_name(self.plural)

    @property
    def plural_order(self) -> str:
        """The same as ``order`` for those modules."""
        return _in_order(self.plural_module)


def _in_order(module: str) -> str:
    return re.sub(r"\d+", lambda digits: digits[0].zfill(20), module)


class _FieldView:
    """A field as templates see it."""

    def __init__(self, field: "Field", target: "Entity | None" = None) -> None:
        self.name = field.name
        self.type = field.type
        self.column = field.column
        self.unique = field.unique
        self.index = field.index
        self.optional = field.optional
        self.has_default = field.has_default
        self.default = field.default_value
        self.choices = field.choices
        self.is_relation = field.is_relation
        self.target = _named(target) if target else None
        self.minimum, self.maximum = (_limit(field, limit) for limit in (field.minimum, field.maximum))
        self.digits, self.places, self.pattern = field.digits, field.places, field.pattern
        self.secret, self.is_password = field.secret, field.is_password
        self.auto, self.doc, self.was = field.auto, field.doc, field.was
        self.on_delete, self.many = field.on_delete, field.many
        self.samples: tuple[Any, ...] = ()
        self.accepted: tuple[Any, ...] = ()
        self.refused: tuple[Any, ...] = ()
        self.numbered: tuple[str, int, str] | None = None
        self.is_exclusive = False

    def sample(self, found: "FieldSamples", exclusive: Collection[str]) -> None:
        """Take values for tests; *exclusive* names the relations that need another row in each sample."""
        self.samples, self.accepted, self.refused = found.values, found.accepted, found.refused
        self.numbered, self.is_exclusive = found.numbered, self.name in exclusive


def _limit(field: "Field", text: str | None) -> int | float | Decimal | None:
    """Return a limit as a number of the field's type; lengths are whole numbers."""
    if text is None:
        return None
    if field.type == "decimal":
        return Decimal(text)
    return float(text) if field.type == "float" else int(text)


class _EntityView(_EntityName):
    """An entity as its own phase sees it."""

    def __init__(self, entity: "Entity", others: Mapping[str, "Entity"]) -> None:
        """*others* are the plan's entities, of which this one sees plural and table."""
        from bot.planning.samples import entity_samples

        super().__init__(entity.name)
        self.plural, self.table = entity.plural, entity.table
        self.fields = tuple(_FieldView(field, others.get(field.target or "")) for field in entity.fields)
        by_name = {field.name: field for field in self.fields}
        self.unique = tuple(tuple(by_name[name] for name in group) for group in entity.unique or ())
        self.index = tuple(tuple(by_name[name] for name in group) for group in entity.index)
        self.rules = entity.rules
        self.access = {verb: tuple(who) for verb, who in entity.access.items()}
        samples = entity_samples(entity)
        self.rows = samples.rows
        for field, found in zip(self.fields, samples.fields, strict=True):
            field.sample(found, samples.exclusive)


class _TableChange:
    """A table before and after a migration, with its columns."""

    def __init__(self, before: _EntityView, after: _EntityView, fields: "Sequence[FieldChange]") -> None:
        self.before, self.after = before, after
        old, new = ({field.name: field for field in each.fields} for each in (before, after))
        self.fields = [(old[was.name] if was else None, new[now.name] if now else None) for was, now in fields]
        """Pairs of fields; one is None where the column does not exist."""


class _ChangesView:
    """What a migration changes, as its template sees it."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        """*content* is its part of a slice."""
        from bot.planning.schema_changes import find_changes, read_stored

        old, new = (read_stored(content[each]) for each in ("old", "new"))
        before, after = ({each.name: _EntityView(each, all_) for each in all_.values()} for all_ in (old, new))
        found = find_changes([*old.values()], [*new.values()])
        self.revision: str = content["revision"]
        self.identifier = f"{self.revision}_{_digest(content)}"
        """Another one for each version of the migration, so that no database takes one for the other."""
        self.after: tuple[str, ...] = tuple(content["after"])
        self.created = [after[each.name] for each in found.created]
        self.dropped = [before[each.name] for each in found.dropped]
        self.kept = [
            _TableChange(before[each.before.name], after[each.after.name], each.fields)
            for each in sorted(found.kept, key=lambda each: each.after.name)
        ]
        self.risks = tuple(content.get("risks", ()))


def _digest(content: Mapping[str, Any]) -> str:
    compared = {name: content[name] for name in ("after", "old", "new")}
    return hashlib.sha256(json.dumps(compared, sort_keys=True).encode()).hexdigest()[:8]


def _named(entity: "Entity") -> _EntityName:
    """Return *entity* as others see it."""
    view = _EntityName(entity.name)
    view.plural, view.table = entity.plural, entity.table
    return view


class _UsedName(_EntityName):
    """What an item uses, as the item sees it."""

    def __init__(self, name: str, collection: str) -> None:
        super().__init__(name)
        self.collection = collection


class _ItemView(_EntityName):
    """An item of a collection such as features, as phases see it; *content* is its part of a slice."""

    def __init__(self, content: Mapping[str, Any], collections: Mapping[str, str] | None = None) -> None:
        """*collections* says of which collection each item is that it uses; without it, they are not shown."""
        super().__init__(content["name"])
        self.does = content.get("does", "")
        self.rules = tuple(content.get("rules", ()))
        self.files = tuple(content.get("files", ()))
        self.uses = tuple(_UsedName(name, collections[name]) for name in content.get("uses", ()) if collections)


def phase_context(plan: "Plan", phase: "Phase") -> dict[str, Any]:
    """Return the template variables of *phase*: only its slice of the plan, because its digest covers just that."""
    content = phase.slice
    context: dict[str, Any] = {}
    if "project" in content:
        context["project"] = {
            "name": plan.project,
            "slug": plan.slug,
            "description": content.get("description", ""),
            "folder": plan.output_dir,
        }
    by_name = {entity.name: entity for entity in plan.entities}
    if "entity" in content:
        context["entity"] = _EntityView(by_name[content["entity"]["name"]], by_name)
    if "entities" in content:
        context["entities"] = [
            _named(by_name[each]) if isinstance(each, str) else _EntityView(by_name[each["name"]], by_name)
            for each in content["entities"]
        ]
    if CHANGES in content:
        context[CHANGES] = _ChangesView(content[CHANGES])
    return context | _items_context(plan, phase, by_name)


def _items_context(plan: "Plan", phase: "Phase", entities: "Mapping[str, Entity]") -> dict[str, Any]:
    """Return the variables about items of other collections than entities, options and rules."""
    content = phase.slice
    context: dict[str, Any] = {**phase.implied, "rules": list(content.get("rules", ()))}
    if TYPES in content or TYPES in phase.implied:
        seen = {**phase.implied.get(TYPES, {}), **content.get(TYPES, {})}
        context[TYPES] = {kind: [_view(each, entities) for each in listed] for kind, listed in seen.items()}
    if "options" in phase.implied:
        context["options"] = {**phase.implied["options"], **content.get("options", {})}
    for name in plan.collections:
        if name in content:
            context[name] = [_view(each, entities) for each in content[name]]
    if "item" in content:
        used = content.get("uses", {})
        names = {_name(each): collection for collection, listed in used.items() for each in listed}
        context["item"] = _ItemView(content["item"], names)
        context["uses"] = {name: [_view(each, entities) for each in listed] for name, listed in used.items()}
    return context


def _name(seen: str | Mapping[str, Any]) -> str:
    return seen if isinstance(seen, str) else str(seen["name"])


def _view(seen: str | Mapping[str, Any], entities: "Mapping[str, Entity]") -> _EntityName:
    """Return the view of what stands in a slice: a name, an item, or an entity, which has fields."""
    if isinstance(seen, str):
        return _EntityName(seen)
    return _EntityView(entities[seen["name"]], entities) if "fields" in seen else _ItemView(seen)
