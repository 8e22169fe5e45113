"""A small plan that fits any recipe, to try its templates with."""

from collections.abc import Iterator
from itertools import chain, islice

from bot.errors import UsageError
from bot.planning.entities import Entity, Field, Item
from bot.planning.plan import Option, Plan
from bot.planning.plan_checks import find_problems, name_problem
from bot.planning.recipe import Recipe
from bot.planning.recipe_fit import has_entities
from bot.planning.recipe_model import ENTITIES
from bot.planning.text_patterns import matches

_NAMES = (
    *("Sample", "Example", "Thing", "Widget", "Gadget", "Alpha", "Beta", "Gamma", "Order", "Home", "About", "Menu"),
    *("A", "B", "C", "D", "E", "F", "Aa", "Bb", "Cc", "Dd", "AB", "CD", "A1", "B2"),
)
_EACH = 2
"""How many entities there are, and how many items of each collection."""
_MAX_PLANS, _MAX_NAMES = 50, 500


def sample_plans(recipe: Recipe) -> list[Plan]:
    """Return plans of *recipe* that differ in one option each; the first has the defaults.

    Raises:
        UsageError: No plan fits the recipe, as far as the names that are tried go.
    """
    plan = _sample(recipe)
    changes = [{name: value} for name in recipe.options for value in _other_values(recipe, name)]
    return [plan, *(plan.model_copy(update={"options": change}) for change in changes[: _MAX_PLANS - 1])]


def _other_values(recipe: Recipe, name: str) -> Iterator[Option]:
    option = recipe.options[name]
    if option.type == "boolean":
        yield not option.default
    yield from (choice for choice in option.choices if choice != option.default)


def _sample(recipe: Recipe) -> Plan:
    names = _names(recipe)
    listed = [name for name in recipe.collections if name != ENTITIES]
    counts = {name: _count(recipe, name) for name in (*([ENTITIES] if has_entities(recipe) else []), *listed)}
    found = list(islice(_names(recipe), sum(counts.values())))
    if len(found) < sum(counts.values()):
        raise UsageError(
            "too few names of samples fit its limits and reserved names, so its templates were not tried; allow a "
            "simple name such as Sample"
        )
    names = iter(found)
    entities = _entities(recipe, names, counts.get(ENTITIES, 0))
    collections = {name: tuple(_items(recipe, name, islice(names, counts[name]), entities)) for name in listed}
    if problems := find_problems(entities, recipe.reserved, collections):
        raise UsageError(f"no sample fits it, so its templates were not tried: {problems[0]}")
    return Plan(
        project="Sample project",
        description="A sample, to try the recipe with.",
        recipe=recipe.name,
        entities=entities,
        collections=collections,
        rules=("A sample rule holds.",),
    )


def _names(recipe: Recipe) -> Iterator[str]:
    limits = recipe.name_limits
    for name in chain(_NAMES, (f"Sample{number}" for number in range(_MAX_NAMES))):
        is_long = limits.length is not None and len(name) > limits.length
        fits = limits.matches is None or matches(limits.matches, name)
        if fits and not is_long and name_problem("entity", name, recipe.reserved.entities) is None:
            yield name


def _count(recipe: Recipe, collection: str) -> int:
    limits = recipe.collections.get(collection)
    return min(_EACH, limits.max) if limits else _EACH


def _entities(recipe: Recipe, names: Iterator[str], count: int) -> tuple[Entity, ...]:
    entities: list[Entity] = []
    for name in islice(names, count):
        fields = [*_FIELDS]
        for each in entities:
            fields.append(Field(name="parent", type="relation", target=each.name, on_delete="cascade"))
            fields.append(Field(name="others", type="relation", target=each.name, many=True))
        kept = tuple(field for field in fields if field.name not in recipe.reserved.fields)
        entities.append(Entity(name=name, fields=kept))
    return tuple(entities)


_FIELDS = (
    Field(name="title", type="string", unique=True),
    Field(name="body", type="text", optional=True),
    Field(name="amount", type="integer", index=True, default="1"),
    Field(name="ratio", type="float", optional=True),
    Field(name="price", type="decimal", default="9.90"),
    Field(name="done", type="boolean", default="false"),
    Field(name="day", type="date"),
    Field(name="moment", type="datetime", default="now"),
    Field(name="token", type="uuid"),
    Field(name="mail", type="email"),
    Field(name="link", type="url", optional=True),
    Field(name="extra", type="json", optional=True),
    Field(name="state", type="enum", choices=("open", "closed"), default="open"),
    Field(name="opens", type="time", optional=True),
    Field(name="cover", type="bytes", optional=True),
    Field(name="password", type="password"),
    Field(name="api_key", type="string", secret=True, optional=True),
    Field(name="slug", type="string", minimum="3", maximum="80", pattern="[a-z0-9-]+", doc="Its part of the address."),
    Field(name="rating", type="integer", minimum="1", maximum="5", optional=True),
    Field(name="rate", type="decimal", digits=10, places=2, minimum="0"),
    Field(name="created_at", type="datetime", auto="create"),
    Field(name="changed_at", type="datetime", auto="update"),
)


def _items(recipe: Recipe, collection: str, names: Iterator[str], entities: tuple[Entity, ...]) -> Iterator[Item]:
    planned = any(phase.is_planned for phase in recipe.phases if phase.collection == collection)
    uses = entities[0].name if entities else None
    for name in names:
        item = Item(name=name, does="It shows how it works.", uses=(uses,) if uses else (), rules=("It works.",))
        files = (f"planned/{item.module}.txt", f"planned/{item.module}_more.txt") if planned else ()
        yield item.model_copy(update={"files": files})
        uses = name
