"""Whether a plan fits its recipe: its options, its collections, the names and files of their items."""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import NamedTuple

from bot.errors import UsageError
from bot.planning.entities import Item
from bot.planning.path_rules import path_problem
from bot.planning.plan import Option, Plan
from bot.planning.recipe import Recipe
from bot.planning.recipe_conditions import holds
from bot.planning.recipe_model import ENTITIES
from bot.planning.text_patterns import matches
from bot.text import shown

_MAX_PROBLEMS = 20


class Misfit(NamedTuple):
    """What of a plan does not fit its recipe: the name of a collection or an item, and what is wrong with it."""

    name: str
    message: str


def check_fit(plan: Plan, recipe: Recipe) -> None:
    """Refuse a plan that does not fit its recipe.

    Raises:
        UsageError: All problems with collections and items, or with options.
    """
    if found := [*_options(plan, recipe), *find_misfits(plan, recipe)]:
        told = "; ".join(f"{name}: {message}" for name, message in found[:_MAX_PROBLEMS])
        more = f"; and {len(found) - _MAX_PROBLEMS} more" if len(found) > _MAX_PROBLEMS else ""
        raise UsageError(f"the plan does not fit recipe {recipe.name!r}: {told}{more}")


def find_misfits(plan: Plan, recipe: Recipe) -> list[Misfit]:
    """Return what of the collections of *plan* and their items does not fit *recipe*; options are not looked at."""
    return [*_collections(plan, recipe), *_names(plan, recipe), *_files(plan, recipe)]


def _options(plan: Plan, recipe: Recipe) -> Iterator[Misfit]:
    """Yield options that the plan can't have; those that are unknown or wrong are told by themselves."""
    for name, value in recipe.read_options(plan.options).items():
        condition = recipe.options[name].needs
        if condition and not holds(condition, plan.entities, recipe.options, plan.options):
            what = f"a field of the type {condition.partition('/')[2]}" if condition.startswith("types/") else condition
            yield Misfit("options", f"{name}: {_written(value)} needs {what}; add one, or take the option out")


def _written(value: Option) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _collections(plan: Plan, recipe: Recipe) -> Iterator[Misfit]:
    known = collections_of(recipe)
    for name, items in plan.collections.items():
        if not items or name in known:
            continue
        near = get_close_matches(name, [*known, ENTITIES], n=1)
        listed = f"its collections are {', '.join([ENTITIES, *known])}" if has_entities(recipe) else ", ".join(known)
        remedy = f"did you mean {near[0]!r}?" if near else f"{listed}; take it out, or use another recipe"
        yield Misfit(name, f"recipe {recipe.name!r} has no collection {shown(name)}; {remedy}")
    if plan.entities and not has_entities(recipe):
        message = f"recipe {recipe.name!r} makes nothing of entities; its collections are {', '.join(known)}"
        yield Misfit(ENTITIES, message)
    for name, limits in recipe.collections.items():
        if (count := len(plan.items(name))) > limits.max:
            yield Misfit(name, f"{count} are too many; recipe {recipe.name!r} takes {limits.max}: split the project")


def collections_of(recipe: Recipe) -> list[str]:
    """Return the collections, besides entities, that a plan of *recipe* can have."""
    return [name for name in recipe.collections if name != ENTITIES]


def has_entities(recipe: Recipe) -> bool:
    """Whether any phase depends on the entities of a plan; a recipe without collections of its own is about them."""
    own = collections_of(recipe)
    words = {"names", ENTITIES, f"{ENTITIES}/names"}
    return not own or any(phase.collection == ENTITIES or phase.seen & words for phase in recipe.phases)


def _names(plan: Plan, recipe: Recipe) -> Iterator[Misfit]:
    limits = recipe.name_limits
    names = [each.name for each in plan.entities] + [each.name for items in plan.collections.values() for each in items]
    for name in names:
        if limits.length is not None and len(name) > limits.length:
            yield Misfit(name, f"the name has {len(name)} characters; recipe {recipe.name!r} takes {limits.length}")
        if limits.matches is not None and not matches(limits.matches, name):
            yield Misfit(name, f"recipe {recipe.name!r} takes only names that match /{limits.matches}/; rename it")


def _files(plan: Plan, recipe: Recipe) -> Iterator[Misfit]:
    planned = {phase.collection for phase in recipe.phases if phase.is_planned}
    for collection, items in plan.collections.items():
        for item in items if collection in recipe.collections else ():
            if collection not in planned and item.files:
                yield Misfit(item.name, f"recipe {recipe.name!r} itself says which files it has; take out 'files'")
            elif collection in planned:
                yield from _planned(item)


def _planned(item: Item) -> Iterator[Misfit]:
    if not item.files:
        yield Misfit(item.name, "it lists no files; say under 'files' which ones it has")
    for path in item.files:
        if problem := path_problem(path):
            yield Misfit(item.name, f"its file {shown(path)} {problem}")
    if len({path.lower() for path in item.files}) < len(item.files):
        yield Misfit(item.name, "it lists a file twice; take one out")
