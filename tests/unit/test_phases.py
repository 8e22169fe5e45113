"""From plan and recipe to phases: order, needs, paths, and what changes the digest of each."""

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.errors import UsageError
from bot.planning import phases as phases_module
from bot.planning.entities import Field, Item
from bot.planning.phases import Phase, derive_phases, find_phase, plan_path, spec_path
from bot.planning.plan import Plan
from bot.planning.recipe import Recipe, load_recipe
from tests.unit.values import BLOG, SMALL, SMALL_TEMPLATES, read_plan, write_recipe

_ENTITIES = ("User", "Post", "Comment", "Tag", "PostTag")
_KEYS = ("plan", "core", *(f"entity/{name}" for name in _ENTITIES), "support", "main")


@pytest.fixture
def small(tmp_path: Path) -> Recipe:
    return write_recipe(tmp_path)


def _changed(recipe: Recipe, before: Plan, after: Plan) -> set[str]:
    """Return the phases whose inputs differ between two plans."""
    old = {phase.key: phase.inputs for phase in derive_phases(before, recipe)}
    new = {phase.key: phase.inputs for phase in derive_phases(after, recipe)}
    return {key for key in old.keys() & new.keys() if old[key] != new[key]}


def test_the_blog_has_nine_phases_in_plan_order(small: Recipe) -> None:
    phases = derive_phases(read_plan(BLOG), small)

    assert tuple(phase.key for phase in phases) == _KEYS
    assert [phase.place for phase in phases] == list(range(1, 10))
    assert [phase.title for phase in phases[:3]] == ["plan", "core", "entity User"]


def test_each_phase_owns_its_files_with_the_entitys_names_filled_in(small: Recipe) -> None:
    phases = derive_phases(read_plan(BLOG), small)

    assert [list(phase.files) for phase in (phases[0], phases[1], phases[6], phases[7])] == [
        [".phasebot/plan.yaml", ".phasebot/spec.md"],
        ["app/core.py"],
        ["app/models/post_tag.py", "app/routers/post_tags.py"],
        ["README.md", ".gitignore"],
    ]
    assert phases[6].files["app/models/post_tag.py"] == "model.j2"


def test_every_path_lies_in_the_output_folder(small: Recipe) -> None:
    plan = read_plan(BLOG).model_copy(update={"output_dir": "services/api"})

    phases = derive_phases(plan, small)

    assert all(path.startswith("services/api/") for phase in phases for path in phase.files)
    assert list(phases[0].files) == [plan_path("services/api"), spec_path("services/api")]


def test_a_phase_needs_what_the_recipe_says(small: Recipe) -> None:
    needs = {phase.key: phase.needs for phase in derive_phases(read_plan(BLOG), small)}

    assert needs["core"] == needs["support"] == needs["plan"] == ()
    assert needs["entity/Post"] == ("core",)
    assert needs["main"] == ("core", *(f"entity/{name}" for name in _ENTITIES))


def test_the_built_in_recipe_gives_disjoint_phases_that_need_only_earlier_ones() -> None:
    phases = derive_phases(read_plan(BLOG), load_recipe("fastapi"))

    before: set[str] = set()
    for phase in phases:
        assert set(phase.needs) <= before
        before.add(phase.key)
    assert tuple(phase.key for phase in phases) == _KEYS


# ---- what a phase depends on


def _replace_entity(plan: Plan, name: str, *fields: Field) -> Plan:
    entities = [
        entity.model_copy(update={"fields": (*entity.fields, *fields)}) if entity.name == name else entity
        for entity in plan.entities
    ]
    return plan.model_copy(update={"entities": tuple(entities)})


_WHOLE = set(_KEYS)


@pytest.mark.parametrize(
    ("change", "phases"),
    [
        (lambda plan: plan, set()),
        (
            lambda plan: _replace_entity(plan, "Post", Field(name="subtitle", type="string")),
            {"plan", "entity/Post", "support"},
        ),
        (
            lambda plan: _replace_entity(plan, "Tag", Field(name="owner", type="relation", target="User")),
            {"plan", "entity/Tag", "support"},
        ),
        (lambda plan: plan.model_copy(update={"entities": plan.entities[:4]}), {"plan", "support", "main"}),
        (lambda plan: plan.model_copy(update={"entities": plan.entities[::-1]}), {"plan", "support", "main"}),
        (lambda plan: plan.model_copy(update={"description": "Other words."}), {"plan", "support"}),
        (lambda plan: plan.model_copy(update={"instructions": {"core": "use uv"}}), {"plan", "core"}),
        (lambda plan: plan.model_copy(update={"instructions": {"entity/Tag": "x"}}), {"plan", "entity/Tag"}),
        (lambda plan: plan.model_copy(update={"instructions": {"entity/Nope": "x"}}), {"plan"}),
        (lambda plan: plan.model_copy(update={"recipe": "elsewhere"}), {"plan"}),
        (lambda plan: plan.model_copy(update={"project": "Other"}), {"plan", "support", "main"}),
        (lambda plan: plan.model_copy(update={"output_dir": "api"}), _WHOLE),
    ],
    ids=[
        "nothing",
        "field",
        "relation",
        "entity-gone",
        "entity-order",
        "description",
        "instruction",
        "entity-instruction",
        "unknown-instruction",
        "recipe-name",
        "project",
        "folder",
    ],
)
def test_inputs_change_exactly_with_the_phases_own_slice(
    change: Callable[[Plan], Plan], phases: set[str], small: Recipe
) -> None:
    plan = read_plan(BLOG)

    assert _changed(small, plan, change(plan)) == phases


def test_field_order_and_every_modifier_are_part_of_the_inputs(small: Recipe) -> None:
    variants = [
        "a string, b string",
        "b string, a string",
        "a string?, b string",
        "a string unique, b string",
        "a string index, b string",
        "a string = x, b string",
        "a text, b string",
        "a enum(x|y), b string",
        "a enum(y|x), b string",
        "a -> Item ?, b string",
    ]

    inputs = {find_phase(derive_phases(read_plan(f"- Item: {each}"), small), "entity/Item").inputs for each in variants}

    assert len(inputs) == len(variants)


def test_titles_and_templates_are_no_inputs(tmp_path: Path) -> None:
    plan = read_plan(BLOG)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    recipe = write_recipe(tmp_path / "a")
    renamed = write_recipe(tmp_path / "b", SMALL.replace("title: core", "title: the core"), _templates("core.j2"))

    old, new = derive_phases(plan, recipe), derive_phases(plan, renamed)

    assert [phase.inputs for phase in old] == [phase.inputs for phase in new]


def _templates(changed: str) -> dict[str, str]:
    return {**SMALL_TEMPLATES, changed: SMALL_TEMPLATES[changed] + "# changed\n"}


@pytest.mark.parametrize(
    ("template", "phases"),
    [
        ("core.j2", {"core"}),
        ("model.j2", {f"entity/{name}" for name in _ENTITIES}),
        ("ignore.j2", {"support"}),
        ("main.j2", {"main"}),
        ("macros.j2", _WHOLE - {"plan"}),
    ],
)
def test_the_recipes_digest_changes_for_the_phases_that_use_the_template(
    template: str, phases: set[str], tmp_path: Path
) -> None:
    plan = read_plan(BLOG)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()

    old = derive_phases(plan, write_recipe(tmp_path / "a"))
    new = derive_phases(plan, write_recipe(tmp_path / "b", templates=_templates(template)))

    assert {after.key for before, after in zip(old, new, strict=True) if before.recipe != after.recipe} == phases
    assert all(phase.recipe.startswith("small@sha256:") for phase in new)


def test_an_entitys_inputs_do_not_depend_on_where_it_stands(small: Recipe) -> None:
    plan = read_plan(BLOG)
    old = {phase.key: phase.inputs for phase in derive_phases(plan, small)}

    for order in itertools.permutations(plan.entities):
        new = derive_phases(plan.model_copy(update={"entities": order}), small)

        assert all(old[phase.key] == phase.inputs for phase in new[1:-2])


# ---- what is refused


def _phase(key: str, files: str, more: str = "") -> str:
    return f"  - {{key: '{key}', title: t, files: {files}{more}}}\n"


@pytest.mark.parametrize(
    ("phases", "reason"),
    [
        (
            _phase("a", "{x.py: t.j2}") + _phase("b", "{x.py: t.j2}"),
            "'x.py' belongs to both 'a' and 'b'; only one phase can own a path",
        ),
        (_phase("a", "{x.py: t.j2}") + _phase("b", "{X.py: t.j2}"), "'X.py' belongs to both 'a' and 'b'"),
        (_phase("a", "{x: t.j2}") + _phase("b", "{x/y: t.j2}"), "of 'b' needs a folder where 'a' has a file"),
        (_phase("a", "{x/y/z: t.j2}") + _phase("b", "{X: t.j2}"), "of 'a' needs a folder where 'b' has a file"),
        (_phase("a", "{x: t.j2, x/y: t.j2}"), "of 'a' needs a folder where 'a' has a file"),
        (_phase("a", "{.phasebot/plan.yaml: t.j2}"), "belongs to both 'plan' and 'a'"),
        (_phase("a", "{.phasebot: t.j2}"), "is hidden, unlike such harmless files"),
        (_phase("a", "{x.py: t.j2}", ", for-each: entity"), "every item of entities would have the key 'a'"),
        (
            _phase("a-${name}", "{x.py: t.j2}", ", for-each: entity"),
            "every item of entities would have the file 'x.py'",
        ),
        (_phase("a", "{x: t.j2}") + _phase("a", "{y: t.j2}"), "two phases have the key 'a'; rename one"),
        (_phase("plan", "{x: t.j2}"), "two phases have the key 'plan'"),
        (_phase("a", "{x: t.j2}", ", needs: [b]"), "phase 'a' needs 'b', which is not the key of an earlier phase"),
        (_phase("a", "{x: t.j2}", ", needs: [a]"), "phase 'a' needs 'a', which is not the key of an earlier phase"),
        (
            _phase("a", "{x: t.j2}", ", needs: [b]") + _phase("b", "{y: t.j2}"),
            "phase 'a' needs 'b', which is not the key of an earlier phase",
        ),
        (_phase("a-${name}", "{x: t.j2}"), "'a-${name}' has a placeholder that is not defined for this phase"),
        (_phase("a", "{'${module}.py': t.j2}"), "has a placeholder that is not defined for this phase"),
        (_phase("a", "{'${oops}.py': t.j2}", ", for-each: entity"), "has a placeholder"),
        (_phase("a", "{'$': t.j2}"), "has a placeholder"),
        (_phase("a", "{../x: t.j2}"), "path '../x' leaves the project"),
        (_phase("a", "{/x: t.j2}"), "path '/x' leaves the project"),
        (
            _phase("a", "{.github/workflows/x.yml: t.j2}"),
            "phase 'a': path '.github/workflows/x.yml' configures git or GitHub, so it is never generated",
        ),
        (_phase("a", "{'': t.j2}"), "does not have 1 to"),
    ],
)
def test_a_recipe_that_can_not_work_is_refused_when_it_is_loaded(phases: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"recipe\.yaml, line \d") as caught:
        write_recipe(tmp_path, f"name: bad\nphases:\n{phases}", {"t.j2": ""})

    assert reason in str(caught.value)


def test_two_entities_may_not_share_a_file_that_differs_only_in_case(tmp_path: Path) -> None:
    recipe = write_recipe(
        tmp_path, "name: bad\nphases:\n" + _phase("${name}", "{'${plural}': t.j2}", ", for-each: entity"), {"t.j2": ""}
    )
    plan = read_plan("- Box: a text\n- Bo: a text")

    assert [list(phase.files) for phase in derive_phases(plan, recipe)[1:]] == [["boxes"], ["bos"]]


def test_an_unknown_phase_is_answered_with_the_phases_nearest_first(small: Recipe) -> None:
    phases = derive_phases(read_plan(BLOG), small)

    with pytest.raises(UsageError, match="phase 'entity/Pots' is not in the plan; phases are: entity/Post, ") as caught:
        find_phase(phases, "entity/Pots")

    assert all(key in str(caught.value) for key in _KEYS)


def test_a_known_phase_is_found_by_its_exact_key(small: Recipe) -> None:
    phases = derive_phases(read_plan(BLOG), small)

    assert find_phase(phases, "entity/Tag") is phases[5]
    with pytest.raises(UsageError, match="entity/tag"):
        find_phase(phases, "entity/tag")


def test_500_entities_are_laid_out_at_once(small: Recipe) -> None:
    plan = read_plan("".join(f"- E{n}: name text\n" for n in range(500)))

    phases = derive_phases(plan, small)

    assert len(phases) == 504
    assert len({path for phase in phases for path in phase.files}) == 2 + 1 + 1000 + 2 + 1


def test_the_digests_that_stand_in_peoples_histories_never_change(small: Recipe) -> None:
    phases = derive_phases(read_plan(BLOG), small)

    assert {phase.key: phase.inputs.removeprefix("sha256:")[:12] for phase in phases[1:]} == {
        "core": "9f54fb5da6a4",
        "entity/User": "a1121743c076",
        "entity/Post": "d63f3b935cb6",
        "entity/Comment": "20063124054e",
        "entity/Tag": "f13e77cf6ee6",
        "entity/PostTag": "5c039f112482",
        "support": "ddacdebcb61a",
        "main": "6a364eb49ac0",
    }


def test_the_recipe_digests_that_stand_in_peoples_histories_never_change(small: Recipe) -> None:
    phases = derive_phases(read_plan(BLOG), small)

    assert {phase.key: phase.recipe.removeprefix("small@sha256:")[:12] for phase in phases[1:-2]} == {
        "core": "f1d0b2b68917",
        **{f"entity/{name}": "32b0325ff9bb" for name in _ENTITIES},
    }
    assert [phase.recipe.removeprefix("small@sha256:")[:12] for phase in phases[-2:]] == [
        "58a59cd62e87",
        "dd3aa4b1637c",
    ]


# ---- phases for the items of any collection

_SITE = """\
name: site
collections:
  parts: {singular: part, about: what pages show}
  pages: {singular: page, about: what people visit}
phases:
  - key: part/${name}
    title: part ${name}
    for-each: parts
    files: {"parts/${module}.html": t.j2, "parts/${module}.css": }
  - key: page/${name}
    title: page ${name}
    for-each: pages
    needs: [uses]
    reads: [uses]
    files: planned
  - key: check/${name}
    title: check of ${name}
    for-each: pages
    needs: ["page/${name}", parts/*]
    reads: [parts/*.html]
    files: {"checks/${module}.txt": t.j2}
  - key: index
    title: index
    needs: [page/*]
    sees: [pages/names]
    files: {index.html: t.j2}
"""


def _site(tmp_path: Path, *pages: Item, parts: tuple[Item, ...] = ()) -> dict[str, Phase]:
    recipe = write_recipe(tmp_path, _SITE, {"t.j2": ""})
    plan = Plan(project="Site", recipe="site", collections={"pages": pages, "parts": parts})
    return {phase.key: phase for phase in derive_phases(plan, recipe)}


def _page(name: str, *uses: str, files: tuple[str, ...] | None = None) -> Item:
    return Item(name=name, does="Shows.", uses=uses, files=files or (f"pages/{name}.html",))


def test_what_an_item_uses_comes_before_it_and_otherwise_the_plan_says_the_order(tmp_path: Path) -> None:
    pages = (_page("Home", "Blog", "Menu"), _page("About"), _page("Blog", "Post"), _page("Post"))

    phases = _site(tmp_path, *pages, parts=(Item(name="Menu", does="Lists."),))

    assert [key for key in phases if key.startswith("page/")] == ["page/Post", "page/Blog", "page/Home", "page/About"]
    assert phases["page/Home"].needs == ("page/Blog", "part/Menu")
    assert phases["page/Home"].reads == ("pages/Blog.html", "parts/menu.html", "parts/menu.css")
    assert phases["check/Home"].needs == ("page/Home", "part/Menu")
    assert phases["check/Home"].reads == ("parts/menu.html",)
    assert phases["index"].needs == ("page/Post", "page/Blog", "page/Home", "page/About")


def test_files_that_no_template_makes_are_known(tmp_path: Path) -> None:
    phases = _site(tmp_path, _page("Home", files=("b.html", "a.html")), parts=(Item(name="Menu", does="Lists."),))

    assert phases["part/Menu"].without_template == ("parts/menu.css",)
    assert phases["page/Home"].without_template == tuple(phases["page/Home"].files) == ("b.html", "a.html")
    assert phases["plan"].without_template == phases["index"].without_template == ()
    assert (phases["page/Home"].is_of_item, phases["index"].is_of_item, phases["plan"].is_of_item) == (
        True, False, False,
    )  # fmt: skip


def test_a_file_that_two_items_plan_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"'A\.html' belongs to both 'page/Home' and 'page/About'"):
        _site(tmp_path, _page("Home", files=("a.html",)), _page("About", files=("A.html",)))
    with pytest.raises(UsageError, match=r"'index\.html' belongs to both 'page/Home' and 'index'"):
        _site(tmp_path, _page("Home", files=("index.html",)))


def test_an_item_can_not_use_what_is_made_later(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match="phase 'part/Menu' uses Home, whose phase comes later; list the phases of pag"
    ):
        _site_with_parts_that_use(tmp_path)


def _site_with_parts_that_use(tmp_path: Path) -> None:
    recipe = write_recipe(
        tmp_path, _SITE.replace("for-each: parts\n", "for-each: parts\n    needs: [uses]\n"), {"t.j2": ""}
    )
    parts = (Item(name="Menu", does="Lists.", uses=("Home",)),)
    derive_phases(Plan(project="Site", collections={"pages": (_page("Home"),), "parts": parts}), recipe)


def test_rules_of_items_and_of_the_project_are_asked_of_their_phases(tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path, _SITE, {"t.j2": ""})
    home = Item(name="Home", does="Shows.", rules=("It is fast.",), files=("a",))
    plan = Plan(project="Site", collections={"pages": (home,)}, rules=("Nothing blinks.",))

    asks = {phase.key: phase.asks for phase in derive_phases(plan, recipe)}

    assert asks["page/Home"] == asks["check/Home"] == ("It is fast.", "Nothing blinks.")
    assert asks["index"] == ()


def test_a_recipe_whose_phases_need_and_read_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = write_recipe(
        tmp_path, SMALL.replace("needs: [core, entity/*]", "needs: [core, entity/*]\n    reads: ['*']"), SMALL_TEMPLATES
    )
    plan = read_plan("".join(f"- E{n}: name text\n" for n in range(30)))
    assert len(derive_phases(plan, recipe)) == 34

    monkeypatch.setattr(phases_module, "_MAX_STEPS", 100)

    with pytest.raises(UsageError, match="its phases need and read too much of each other for this plan; let them"):
        derive_phases(plan, recipe)
