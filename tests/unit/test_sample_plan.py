"""A sample plan fits any recipe whose limits leave room for one."""

from pathlib import Path

import pytest

from bot.errors import UsageError
from bot.planning.phases import derive_phases
from bot.planning.recipe import Recipe, load_recipe
from bot.planning.sample_plan import sample_plans
from tests.unit.values import write_recipe

_RECIPE = """\
name: x
{more}
collections:
  pages: {{singular: page, about: x, max: 1}}
  parts: {{singular: part, about: x}}
phases:
  - {{key: "page/${{name}}", title: t, for-each: pages, needs: [uses], files: planned}}
  - {{key: "part/${{name}}", title: t, for-each: parts, files: {{"${{module}}": t.j2}}}}
"""


def _recipe(folder: Path, more: str = "") -> Recipe:
    return write_recipe(folder, _RECIPE.format(more=more), {"t.j2": ""})


def test_a_sample_has_items_of_each_collection_within_its_limits(tmp_path: Path) -> None:
    (plan,) = sample_plans(_recipe(tmp_path))

    assert plan.entities == ()
    assert [len(plan.collections[name]) for name in ("pages", "parts")] == [1, 2]
    assert plan.collections["parts"][1].uses == (plan.collections["parts"][0].name,)
    assert len(plan.collections["pages"][0].files) == 2


def test_names_of_samples_keep_to_the_recipes_limits(tmp_path: Path) -> None:
    more = "limits: {names: {max-length: 2, matches: '[A-Z][a-z]?'}}\nreserved: {entities: [A, B]}"

    (plan,) = sample_plans(_recipe(tmp_path, more))

    assert [item.name for items in plan.collections.values() for item in items] == ["C", "D", "E"]


def test_a_recipe_that_no_sample_fits_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="too few names of samples fit its limits and reserved names"):
        sample_plans(_recipe(tmp_path, "limits: {names: {matches: 'Xyz[0-9]+'}}"))


def test_each_value_of_an_option_has_its_plan(tmp_path: Path) -> None:
    more = (
        "options: {a: {type: choice, choices: [x, y, z], default: y, about: q}, "
        "b: {type: boolean, default: true, about: q}, c: {type: integer, default: 1, about: q}}"
    )

    plans = sample_plans(_recipe(tmp_path, more))

    assert [dict(plan.options) for plan in plans] == [{}, {"a": "x"}, {"a": "z"}, {"b": False}]


def test_the_sample_of_the_built_in_recipe_has_entities_and_features() -> None:
    recipe = load_recipe("fastapi")

    (plan, *_) = sample_plans(recipe)

    assert len(plan.entities) == len(plan.features) == 2
    assert len(derive_phases(plan, recipe)) == 8
