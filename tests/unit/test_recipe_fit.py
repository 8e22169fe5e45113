"""What of a plan does not fit its recipe."""

from pathlib import Path

import pytest

from bot.errors import UsageError
from bot.planning.entities import Item
from bot.planning.phases import derive_phases
from bot.planning.plan import Plan
from bot.planning.recipe import Recipe
from bot.planning.recipe_fit import Misfit, check_fit, find_misfits
from tests.unit.values import read_plan, write_recipe

_SITE = """\
name: site
collections:
  pages: {singular: page, about: x, max: 2}
  parts: {singular: part, about: x}
limits: {names: {max-length: 5, matches: "[A-Z][a-z]+"}}
phases:
  - {key: "page/${name}", title: t, for-each: pages, files: planned}
  - {key: "part/${name}", title: t, for-each: parts, files: {"${module}": t.j2}}
"""


@pytest.fixture
def site(tmp_path: Path) -> Recipe:
    return write_recipe(tmp_path, _SITE, {"t.j2": ""})


def _plan(**collections: tuple[Item, ...]) -> Plan:
    return Plan(project="Site", collections=collections)


def _item(name: str, *files: str) -> Item:
    return Item(name=name, does="It is.", files=files)


def test_a_plan_that_fits_has_no_misfits(site: Recipe) -> None:
    assert (
        find_misfits(_plan(pages=(_item("Home", "a"), _item("Blog", "b")), parts=(_item("Menu"),), features=()), site)
        == []
    )


@pytest.mark.parametrize(
    ("plan", "found"),
    [
        (_plan(page=(_item("Home"),)), Misfit("page", "recipe 'site' has no collection 'page'; did you mean 'pages'?")),
        (
            _plan(features=(_item("Feed"),)),
            Misfit(
                "features",
                "recipe 'site' has no collection 'features'; pages, parts; take it out, or use another recipe",
            ),
        ),
        (_plan(pages=tuple(_item(name, name) for name in ("A", "B", "Cc"))), Misfit("pages", "3 are too many")),
        (_plan(parts=(_item("Sidebar"),)), Misfit("Sidebar", "the name has 7 characters; recipe 'site' takes 5")),
        (
            _plan(parts=(_item("ABC"),)),
            Misfit("ABC", "recipe 'site' takes only names that match /[A-Z][a-z]+/; rename"),
        ),
        (_plan(pages=(_item("Home"),)), Misfit("Home", "it lists no files; say under 'files' which ones it has")),
        (_plan(parts=(_item("Menu", "x"),)), Misfit("Menu", "recipe 'site' itself says which files it has; take out")),
        (_plan(pages=(_item("Home", "../x"),)), Misfit("Home", "its file '../x' leaves the project")),
        (
            _plan(pages=(_item("Home", ".github/workflows/x.yml"),)),
            Misfit("Home", "its file '.github/workflows/x.yml' conf"),
        ),
        (_plan(pages=(_item("Home", "x", "X"),)), Misfit("Home", "it lists a file twice; take one out")),
        (
            read_plan("- Post: title string"),
            Misfit("entities", "recipe 'site' makes nothing of entities; its collections"),
        ),
    ],
)
def test_what_does_not_fit_is_named(plan: Plan, found: Misfit, site: Recipe) -> None:
    misfits = find_misfits(plan, site)

    assert any(each.name == found.name and each.message.startswith(found.message) for each in misfits), misfits
    with pytest.raises(UsageError, match="the plan does not fit recipe 'site': "):
        derive_phases(plan, site)


def test_options_that_do_not_fit_are_refused(site: Recipe) -> None:
    with pytest.raises(UsageError, match="it has no option 'auth'; it has none"):
        check_fit(Plan(project="Site", options={"auth": "jwt"}), site)


def test_a_recipe_without_collections_is_about_entities(tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path, "name: x\nphases: [{key: a, title: a, files: {x: t.j2}}]\n", {"t.j2": ""})

    assert find_misfits(read_plan("- Post: title string"), recipe) == []


def test_an_option_can_need_a_type_of_field(tmp_path: Path) -> None:
    text = """\
name: x
options: {auth: {type: boolean, default: false, needs: types/password, about: x}}
phases: [{key: main, title: t, sees: [names, options], files: {main: t.j2}}]
"""
    recipe = write_recipe(tmp_path, text, {"t.j2": ""})
    closed = read_plan("- User: password string").model_copy(update={"options": {"auth": True}})
    check_fit(closed, recipe)

    with pytest.raises(UsageError, match="auth: true needs a field of the type password; add one, or take the option"):
        check_fit(closed.model_copy(update={"entities": read_plan("- User: name string").entities}), recipe)
