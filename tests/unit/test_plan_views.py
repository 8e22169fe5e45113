"""What templates and prompts see of a plan."""

from typing import Any

from bot.generation.plan_views import phase_context
from bot.planning.phases import derive_phases, find_phase
from bot.planning.recipe import load_recipe
from tests.unit.values import read_plan

PLAN = read_plan(
    "# Shop\n- Person: name string(3..30)\n  - plural: humans\n- Item2: price decimal(5,2)(0..), owner -> Person\n"
    "- Item10: key uuid\n\n## Features\n- Sale: sells an item. Uses Item2.\n"
)
RECIPE = load_recipe("fastapi")


def context(key: str) -> dict[str, Any]:
    """Return what the phase *key* sees."""
    return phase_context(PLAN, find_phase(derive_phases(PLAN, RECIPE), key))


def test_a_phase_sees_only_its_own_entity_and_the_names_of_those_it_refers_to() -> None:
    seen = context("entity/Item2")

    assert [*seen] == ["entity", "types", "options", "rules"]
    entity = seen["entity"]
    (price, owner) = entity.fields
    assert (str(price.minimum), price.digits, price.places) == ("0", 5, 2)
    assert (owner.target.name, owner.target.plural, owner.column) == ("Person", "humans", "owner_id")
    assert not hasattr(owner.target, "fields")


def test_entities_sort_as_modules_do() -> None:
    entities = context("support")["entities"]

    assert [each.name for each in sorted(entities, key=lambda each: each.order)] == ["Item2", "Item10", "Person"]


def test_a_feature_sees_what_it_uses_with_its_collection() -> None:
    item = context("feature/Sale")["item"]

    assert [(each.name, each.collection) for each in item.uses] == [("Item2", "entities")]
