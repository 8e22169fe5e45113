"""The forms in which a model writes a plan, also for recipes with options and collections of their own."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest

from bot.generation.llm.client import ModelResponse
from bot.generation.llm.plan_draft import PlanDraft, PlanRefused
from bot.generation.llm.plan_prompts import coverage_request, plan_request
from bot.generation.llm.planner import Planner
from bot.generation.llm.proposal import read_coverage, read_proposal
from bot.generation.llm.token_budget import TokenBudget
from bot.generation.provider import Tokens
from bot.planning.entities import Entity
from bot.planning.plan import Plan
from bot.planning.recipe import Recipe, load_recipe, read_recipe
from bot.planning.resolved_plan import ProseSpec
from tests.gemini_server import covered
from tests.unit.test_llm_provider import ScriptedModel, client_of
from tests.unit.values import run_here

_SITE = """\
name: site
options:
  theme: {type: choice, choices: [light, dark], default: light, about: How the pages look.}
  search: {type: boolean, default: false, about: Whether there is a search.}
collections:
  pages: {singular: page, about: One page of the site.}
prompts: {system: system.j2, plan: plan.j2}
phases:
  - {key: "page/${name}", title: "page ${name}", for-each: pages, files: planned, prompt: page.j2}
  - {key: index, title: index, needs: [pages/*], sees: [pages/names, options], files: {index.html: index.j2}}
"""
_FILES = {
    "prompts/system.j2": "S",
    "prompts/plan.j2": "P {{ phases }}",
    "prompts/page.j2": "p",
    "templates/index.j2": "i",
}
_SETTINGS = {"project": "It", "recipe": "site", "output-dir": "."}
_PAGE = {"name": "Home", "does": "Greets.", "files": ["home.html"]}


def _site() -> Recipe:
    files = _FILES | {"recipe.yaml": _SITE}
    return read_recipe("site", lambda path: files[path].encode())


def _plan(content: Mapping[str, Any], recipe: Recipe) -> Plan:
    draft = PlanDraft()
    read_proposal(json.dumps(content), recipe, exact=False).add_to(draft)
    return draft.plan(_SETTINGS, recipe.reserved)


def _entity(**more: object) -> Entity:
    content = {"entities": [{"name": "Post", "fields": ["title string", "state string", "author -> Post?"], **more}]}
    return _plan(content, load_recipe("fastapi")).entities[0]


@pytest.mark.parametrize(
    ("more", "key", "value"),
    [
        ({"unique": ["title, state"]}, "unique", (("title", "state"),)),
        ({"unique": [["title", "author_id"]]}, "unique", (("title", "author"),)),
        ({"unique": "title, state"}, "unique", (("title", "state"),)),
        ({"index": ["title, state", "state, author"]}, "index", (("title", "state"), ("state", "author"))),
        ({"plural": "entries"}, "plural_name", "entries"),
        ({"table": "blog_posts"}, "table_name", "blog_posts"),
        ({"plural": "", "table": None}, "plural_name", None),
        ({"access": "read anyone; delete owner, admin"}, "access", {"read": ("anyone",), "delete": ("owner", "admin")}),
        ({"access": {"read": "anyone", "delete": ["owner"]}}, "access", {"read": ("anyone",), "delete": ("owner",)}),
        ({"rules": "One."}, "rules", ("One.",)),
        ({"rules": ["One.", " ", "two\nlines"]}, "rules", ("One.", "two lines")),
    ],
)
def test_what_an_entity_says_besides_its_fields(more: Mapping[str, object], key: str, value: object) -> None:
    assert getattr(_entity(**more), key) == value


@pytest.mark.parametrize(
    "field",
    [
        {"name": "price", "type": "decimal", "digits": 10, "places": 2, "minimum": 0, "doc": "in euro"},
        'price decimal(10,2)(0..) "in euro"',
    ],
)
def test_a_field_is_a_line_or_an_object(field: object) -> None:
    content = {"entities": [{"name": "Item", "fields": [field]}]}

    [made] = _plan(content, load_recipe("fastapi")).entities[0].fields
    assert made.model_dump(exclude_defaults=True) == {
        "name": "price", "type": "decimal", "digits": 10, "places": 2, "minimum": "0", "doc": "in euro",
    }  # fmt: skip


def test_access_that_names_nobody_is_told() -> None:
    with pytest.raises(PlanRefused, match="Post: access: 'read' names nobody"):
        _entity(access="read")


def test_a_recipe_s_own_collections_and_options_are_asked_for_and_read() -> None:
    recipe = _site()
    question = plan_request("A site.", recipe, run=run_here)

    properties = (question.schema or {})["properties"]
    assert list(properties) == ["project", "description", "options", "pages", "rules", "instructions", "left_out"]
    assert properties["pages"]["description"] == "One page of the site."
    assert properties["pages"]["items"]["required"] == ["name", "does", "files"]
    assert properties["options"]["properties"]["theme"]["enum"] == ["light", "dark"]
    assert question.system == "P ['index']\n"
    assert '"options": {"theme": "light", "search": false}, "pages": [{"name": "Feed", "does"' in question.form

    plan = _plan({"pages": [_PAGE], "options": {"theme": "dark"}}, recipe)
    assert [(item.name, item.files) for item in plan.collections["pages"]] == [("Home", ("home.html",))]
    assert dict(plan.options) == {"theme": "dark"}


def test_the_second_look_adds_to_a_recipe_s_own_collections() -> None:
    recipe = _site()
    question = coverage_request(["It greets.", "It says goodbye."], "x", recipe, exact=False, run=run_here)
    sentence = (question.schema or {})["properties"]["sentences"]["items"]["properties"]
    assert sentence["kind"]["enum"] == ["covered", "background", "rule", "pages", "instruction", "left_out"]
    assert "files" in sentence

    draft = PlanDraft(_plan({"pages": [_PAGE]}, recipe))
    page = {"number": 2, "kind": "pages", "of": "End", "text": "Says goodbye.", "files": ["end.html"]}
    read_coverage(json.dumps(covered([1], page))).add_to(draft, 2, recipe, exact=False)
    assert [item.name for item in draft.plan(_SETTINGS, recipe.reserved).items("pages")] == ["Home", "End"]


def test_an_empty_plan_is_refused() -> None:
    with pytest.raises(PlanRefused, match="it has no entities"):
        _plan({"left_out": ["all"]}, _site())


def test_an_option_that_a_person_named_wins_over_the_model() -> None:
    content = {"project": "It", "pages": [_PAGE], "options": {"theme": "light", "search": True}, "left_out": []}
    model, budget = ScriptedModel(lambda *_: ModelResponse(json.dumps(content), Tokens(1, 1))), TokenBudget()
    settings = {"theme": "dark"}
    spec = ProseSpec("A site.", "the spec", "", "it", "site", ".", load=lambda _: _site(), options=settings)

    proposed = asyncio.run(Planner(client_of(model, budget=budget), budget).plan(spec))

    assert dict(proposed.planned.plan.options) == {"theme": "dark", "search": True}
