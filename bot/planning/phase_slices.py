"""The slice of the plan that a phase sees: all that its files can depend on, and so what its digest covers."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from bot.planning.entities import Entity, Item
from bot.planning.plan import Option, Plan
from bot.planning.recipe import Recipe
from bot.planning.recipe_conditions import having, holds
from bot.planning.recipe_model import CHANGES, ENTITIES, TYPES, USES, RecipePhase
from bot.planning.schema_changes import MigrationStart, is_same_schema, stored


class Seen(NamedTuple):
    """What a phase sees of the plan."""

    slice: Mapping[str, Any]
    """A change to it makes the phase outdated."""
    implied: Mapping[str, Any]
    """What templates see besides: collections that are empty, options that have their defaults."""


class PlanView:
    """A plan of a recipe, looked up by names."""

    def __init__(self, plan: Plan, recipe: Recipe, start: MigrationStart | None = None) -> None:
        """*start* is what a migration starts from; without it, no phase sees changes."""
        self.plan, self.recipe, self.start = plan, recipe, start
        self.options: Mapping[str, Option] = recipe.read_options(plan.options)
        self.collections = [name for name in recipe.collections if name != ENTITIES]
        self.places: dict[str, str] = {}
        """Name of an entity or item → its collection."""
        self._contents: dict[str, dict[str, Any]] = {}
        for collection in (ENTITIES, *plan.collections):
            for item in plan.items(collection):
                self.places[item.name] = collection
                self._contents[item.name] = item.content()

    def has(self, entry: RecipePhase, path: str = "") -> bool:
        """Whether the plan has the phase *entry*, or that file of it, or that word of what it sees.

        A phase that sees changes is there only if there are any.
        """
        if not path and CHANGES in entry.seen and not self._has_changes:
            return False
        condition = entry.conditions.get(path)
        return condition is None or self._holds(condition)

    def carries_out(self, entry: RecipePhase) -> frozenset[str]:
        """Return what of an entity the templates of *entry* carry out for this plan, besides fields."""
        return frozenset(word for word, condition in entry.carries_out.items() if self._holds(condition))

    def _holds(self, condition: str) -> bool:
        return holds(condition, self.plan.entities, self.recipe.options, self.options)

    @property
    def _has_changes(self) -> bool:
        if self.start is None:
            return False
        return not (self.start.after and is_same_schema(self.start.entities, self.plan.entities))

    def see(self, entry: RecipePhase, item: Entity | Item | None, key: str) -> Seen:
        """Return what the phase *key* sees, which is *entry* for *item*.

        Defaults are left out, so a later release can add a property to fields without making every phase outdated.
        """
        content: dict[str, Any] = {"output-dir": self.plan.output_dir}
        implied: dict[str, Any] = {}
        seen = frozenset(word for word in entry.seen if self.has(entry, word))
        self._see_project(seen, content, implied)
        if CHANGES in entry.seen and self.start:
            content[CHANGES] = self._changes(self.start)
        self._see_types(entry.seen, seen, content, implied)
        if item is not None:
            content["entity" if isinstance(item, Entity) else "item"] = self._contents[item.name]
        if isinstance(item, Entity) and (named := self._named_targets(item)):
            content["targets"] = named
        if isinstance(item, Item) and item.uses:
            content[USES] = self._used(item, whole=USES in entry.seen)
        if self.plan.rules and (item is not None or entry.seen & {"names", "rules"}):
            content["rules"] = list(self.plan.rules)
        if names := self.recipe.seen_options(entry):
            implied["options"] = {name: self.recipe.options[name].default for name in names}
            if changed := {name: self.options[name] for name in names if name in self.options}:
                content["options"] = changed
        if key in self.plan.instructions:
            content["instruction"] = self.plan.instructions[key]
        return Seen(content, implied)

    def _see_types(
        self, words: frozenset[str], seen: frozenset[str], content: dict[str, Any], implied: dict[str, Any]
    ) -> None:
        """Add the entities that have a field of one of the types that the recipe's *words* name."""
        for word in sorted(words):
            kind, _, rest = word.partition("/")
            if kind != TYPES:
                continue
            name, _, only_names = rest.partition("/")
            found = having(name, self.plan.entities) if word in seen else []
            listed = [each.name if only_names else self._contents[each.name] for each in found]
            (content if listed else implied).setdefault(TYPES, {})[name] = listed

    def _changes(self, start: MigrationStart) -> dict[str, Any]:
        goal = start.merged or self.plan
        content: dict[str, Any] = {
            "revision": start.revision,
            "after": list(start.after),
            "old": [stored(each) for each in start.entities],
            "new": [stored(each) for each in goal.entities],
        }
        return content | ({"risks": risks} if (risks := start.risks(goal)) else {})

    def _see_project(self, seen: frozenset[str], content: dict[str, Any], implied: dict[str, Any]) -> None:
        """Add what the words *seen* stand for to *content*, and what is empty to *implied*."""
        if seen & {"project", "names", ENTITIES, "description"}:
            content["project"] = self.plan.project
        if seen & {ENTITIES, "description"}:
            content["description"] = self.plan.description
        if seen & {"names", ENTITIES, f"{ENTITIES}/names"}:
            content[ENTITIES] = self._listed(ENTITIES, whole=ENTITIES in seen)
            if ENTITIES not in seen and (named := self._named(self.places)):
                content["named"] = named
        for name in self.collections:
            if seen & {name, f"{name}/names"}:
                listed = self._listed(name, whole=name in seen)
                (content if listed else implied)[name] = listed

    def _listed(self, collection: str, *, whole: bool) -> list[Any]:
        items = self.plan.items(collection)
        return [self._contents[each.name] if whole else each.name for each in items]

    def _named_targets(self, entity: Entity) -> dict[str, Any]:
        """Return plural and table of the entities that *entity* refers to, where the plan gives them."""
        return self._named({field.target for field in entity.fields if field.target})

    def _named(self, names: Iterable[str]) -> dict[str, Any]:
        """Return plural and table of the entities *names*, where the plan gives them."""
        named = {
            name: {key: value for key, value in self._contents[name].items() if key in ("plural", "table")}
            for name in sorted(names)
        }
        return {name: given for name, given in named.items() if given}

    def _used(self, item: Item, *, whole: bool) -> dict[str, list[Any]]:
        """Return what *item* uses, by collection."""
        found: dict[str, list[Any]] = {}
        for name in item.uses:
            found.setdefault(self.places[name], []).append(self._contents[name] if whole else name)
        return found
