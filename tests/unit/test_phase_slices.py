"""What phases see of the plan: nothing that is not in their digest, and no default."""

from pathlib import Path

import pytest

from bot.planning.entities import Item
from bot.planning.phases import derive_phases
from bot.planning.plan import Plan
from bot.planning.recipe import Recipe
from tests.unit.values import read_plan, write_recipe

_RECIPE = """\
name: x
options:
  auth: {type: boolean, default: false, about: x}
  size: {type: integer, default: 5, about: x}
collections: {features: {singular: feature, about: x}}
phases:
  - {key: "entity/${name}", title: t, for-each: entities, sees: [options/auth], files: {"${module}": t.j2}}
  - {key: "feature/${name}", title: t, for-each: features, needs: [uses], sees: [uses], files: {"f/${module}": t.j2}}
  - {key: "short/${name}", title: t, for-each: features, files: {"s/${module}": t.j2}}
  - {key: main, title: t, sees: [names, features/names], files: {main: t.j2}}
  - {key: whole, title: t, sees: [features, options], files: {whole: t.j2}}
  - {key: core, title: t, files: {core: t.j2}}
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    return write_recipe(tmp_path, _RECIPE, {"t.j2": ""})


_POST = read_plan("- Post: title string")
_FEED = Item(name="Feed", does="Lists posts.", uses=("Post",))
_PLAN = _POST.model_copy(update={"collections": {"features": (_FEED,)}})


def _changed(recipe: Recipe, before: Plan, after: Plan) -> set[str]:
    old, new = derive_phases(before, recipe), {phase.key: phase.inputs for phase in derive_phases(after, recipe)}
    return {phase.key for phase in old if phase.key in new and new[phase.key] != phase.inputs}


def test_only_phases_that_see_an_option_depend_on_it(recipe: Recipe) -> None:
    assert _changed(recipe, _PLAN, _PLAN.model_copy(update={"options": {"auth": True}})) == {
        "plan",
        "entity/Post",
        "whole",
    }
    assert _changed(recipe, _PLAN, _PLAN.model_copy(update={"options": {"size": 6}})) == {"plan", "whole"}
    assert _changed(recipe, _PLAN, _PLAN.model_copy(update={"options": {"size": 5, "auth": False}})) == {"plan"}


def test_an_item_is_part_of_the_slices_that_see_it(recipe: Recipe) -> None:
    def with_feed(**changes: object) -> Plan:
        return _PLAN.model_copy(update={"collections": {"features": (_FEED.model_copy(update=changes),)}})

    own = {"plan", "feature/Feed", "short/Feed", "whole"}
    assert _changed(recipe, _PLAN, with_feed(does="Lists newest posts.")) == own
    assert _changed(recipe, _PLAN, with_feed(rules=("At most 20.",))) == own
    assert _changed(recipe, _POST, _PLAN) == {"plan", "main", "whole"}


def test_what_an_item_uses_is_seen_by_name_or_whole(recipe: Recipe) -> None:
    slices = {phase.key: phase.slice for phase in derive_phases(_PLAN, recipe)}

    assert slices["short/Feed"]["uses"] == {"entities": ["Post"]}
    assert slices["feature/Feed"]["uses"] == {"entities": [_POST.entities[0].content()]}


def test_the_rules_of_the_project_go_to_phases_of_items_and_to_those_that_see_names(recipe: Recipe) -> None:
    ruled = _PLAN.model_copy(update={"rules": ("Nothing is deleted.",)})

    assert _changed(recipe, _PLAN, ruled) == {"plan", "entity/Post", "feature/Feed", "short/Feed", "main"}


def test_empty_collections_and_defaults_are_seen_but_not_part_of_the_slice(recipe: Recipe) -> None:
    phases = {phase.key: phase for phase in derive_phases(_POST, recipe)}

    assert phases["main"].slice == {"output-dir": ".", "project": "Untitled", "entities": ["Post"]}
    assert phases["main"].implied == {"features": []}
    assert phases["whole"].slice == {"output-dir": "."}
    assert phases["whole"].implied == {"features": [], "options": {"auth": False, "size": 5}}


def test_the_old_form_of_an_entitys_phase_sees_the_project_and_no_names(tmp_path: Path) -> None:
    text = 'name: x\nphases: [{key: "${name}", title: t, for-each: entity, sees: names, files: {"${module}": t.j2}}]\n'

    old = derive_phases(_POST, write_recipe(tmp_path, text, {"t.j2": ""}))[1]
    new = derive_phases(_POST, write_recipe(tmp_path, text.replace("entity", "entities"), {"t.j2": ""}))[1]

    assert set(old.slice) == {"output-dir", "project", "entity"}
    assert set(new.slice) == {"output-dir", "project", "entity", "entities"}


_TYPES = """\
name: x
options:
  auth: {type: choice, choices: [none, jwt], default: none, needs: types/password, about: x}
phases:
  - key: "entity/${name}"
    title: t
    for-each: entities
    sees: [options/auth, types/password/names]
    when: {types/password/names: options/auth=jwt}
    carries-out: {access: options/auth=jwt}
    files: {"${module}": t.j2}
  - {key: login, title: t, sees: [types/password], when: options/auth=jwt, files: {login: t.j2}}
"""
_OPEN = read_plan(
    "- User: password string\n- Post: title string, author -> User = me\n  - access: read anyone\n  - short\n"
)
_CLOSED = _OPEN.model_copy(update={"options": {"auth": "jwt"}})


@pytest.fixture
def typed(tmp_path: Path) -> Recipe:
    return write_recipe(tmp_path, _TYPES, {"t.j2": ""})


def test_entities_of_a_type_are_seen_whole_or_by_name_on_the_condition(typed: Recipe) -> None:
    phases = {phase.key: phase for phase in derive_phases(_CLOSED, typed)}

    assert phases["entity/Post"].slice["types"] == {"password": ["User"]}
    assert phases["login"].slice["types"] == {"password": [_OPEN.entities[0].content()]}


def test_what_is_not_seen_is_not_part_of_the_slice(typed: Recipe) -> None:
    phases = {phase.key: phase for phase in derive_phases(_OPEN, typed)}

    assert "types" not in phases["entity/Post"].slice
    assert phases["entity/Post"].implied["types"] == {"password": []}
    assert "login" not in phases


def test_what_templates_carry_out_is_not_asked_of_people(typed: Recipe) -> None:
    asked = {
        plan.options.get("auth"): {phase.key: phase.asks for phase in derive_phases(plan, typed)}["entity/Post"]
        for plan in (_OPEN, _CLOSED)
    }

    assert asked == {None: ("short", "access: read anyone", "author = me"), "jwt": ("short",)}
