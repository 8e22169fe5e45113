"""Conditions of a recipe: for which plans it has a phase, a file, or a value that new plans get.

A condition is ``options/NAME=VALUE`` or ``types/TYPE``: some field of the plan has that type.
"""

from collections.abc import Iterable, Mapping, Sequence

from bot.planning.entities import SCALARS, Entity, Field, Item
from bot.planning.plan import Option
from bot.planning.recipe_document import nearest
from bot.planning.recipe_model import RecipeOption
from bot.text import shown

DELETION = "deletion"
"""In place of a type: the field with ``auto delete``, which tells when a row was deleted."""
TYPES = (*SCALARS, "enum", "relation", DELETION)


def condition_problem(condition: str, options: Mapping[str, RecipeOption]) -> str | None:
    """Return what is wrong with *condition* in a recipe that has *options*; None if nothing is."""
    kind, _, rest = condition.partition("/")
    name, has_value, value = rest.partition("=")
    if kind == "types" and not has_value:
        return None if name in TYPES else f"{shown(name)} is not a type; {nearest(name, TYPES, 'types are')}"
    if kind != "options" or not has_value:
        return f"{shown(condition)} is not a condition; write options/NAME=VALUE or types/TYPE"
    if name not in options:
        return f"{shown(name)} is not an option; {nearest(name, [*options], 'options are')}"
    return options[name].problem(options[name].read(value))


def holds(
    condition: str,
    entities: Iterable[Entity | Item],
    options: Mapping[str, RecipeOption],
    chosen: Mapping[str, Option],
) -> bool:
    """Tell whether *condition*, which is valid, is true for a plan that has *entities* and has *chosen* options."""
    kind, _, rest = condition.partition("/")
    name, _, value = rest.partition("=")
    if kind == "types":
        return bool(having(name, entities))
    option = options[name]
    return chosen.get(name, option.default) == option.read(value)


def having(kind: str, entities: Iterable[Entity | Item]) -> list[Entity]:
    """Return those of *entities* that have a field of the type *kind*, in their order."""
    return [each for each in entities if isinstance(each, Entity) if any(_is(field, kind) for field in each.fields)]


def _is(field: Field, kind: str) -> bool:
    if kind == DELETION:
        return field.auto == "delete"
    return field.type == kind or (kind == "password" and field.is_password)


def options_of_new_plan(
    options: Mapping[str, RecipeOption], entities: Sequence[Entity], named: Iterable[str]
) -> dict[str, Option]:
    """Return the options that a new plan with *entities* gets although nobody *named* them."""
    return {
        name: option.new
        for name, option in options.items()
        if option.new is not None and name not in named
        if option.new_when is None or holds(option.new_when, entities, options, {})
    }
