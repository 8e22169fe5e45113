"""The template provider: what each template sees, and that a broken one costs its own file only."""

import asyncio
from pathlib import Path

import pytest

from bot.generation.provider import GenerationRequest, GenerationResult, Tokens
from bot.generation.templates import TemplateProvider
from bot.history.reasons import code_of
from bot.planning.entities import Item
from bot.planning.phases import derive_phases, find_phase
from bot.planning.plan import Plan
from tests.unit.values import BLOG, SMALL, SMALL_TEMPLATES, read_plan, write_recipe


def _render(folder: Path, phase: str, templates: dict[str, str], plan: Plan | None = None) -> GenerationResult:
    """Generate *phase* of the blog by the small recipe, with some templates replaced."""
    recipe = write_recipe(folder, SMALL, {**SMALL_TEMPLATES, **templates})
    plan = plan or read_plan(BLOG)
    chosen = find_phase(derive_phases(plan, recipe), phase)
    return asyncio.run(TemplateProvider().generate(GenerationRequest(plan, recipe, chosen, tuple(chosen.files))))


def test_every_wanted_file_is_rendered_in_order(tmp_path: Path) -> None:
    made = _render(tmp_path, "entity/PostTag", {})

    assert made == GenerationResult(
        {"app/models/post_tag.py": "class PostTag: ...\n", "app/routers/post_tags.py": "# post_tags\n"}
    )
    assert list(made.files) == ["app/models/post_tag.py", "app/routers/post_tags.py"]
    assert (made.model, made.tokens) == (None, Tokens())


def test_only_the_wanted_files_are_rendered(tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path)
    plan = read_plan(BLOG)
    phase = find_phase(derive_phases(plan, recipe), "support")

    made = asyncio.run(TemplateProvider().generate(GenerationRequest(plan, recipe, phase, (".gitignore",))))

    assert made == GenerationResult({".gitignore": "*.pyc\n"})


def test_a_file_ends_with_a_newline_unless_it_is_empty(tmp_path: Path) -> None:
    made = _render(tmp_path, "support", {"readme.j2": "no end", "ignore.j2": "{# nothing #}"})

    assert made.files == {"README.md": "no end\n", ".gitignore": ""}


def test_rendering_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    plan = read_plan(BLOG)

    assert _render(tmp_path, "main", {}, plan) == _render(tmp_path, "main", {}, plan)


def test_an_entitys_template_sees_its_fields_but_of_a_target_only_the_names(tmp_path: Path) -> None:
    template = "{% for f in entity.fields %}{{ f.column }} {{ f.type }} {{ f.target.plural if f.target }}\n{% endfor %}"

    made = _render(
        tmp_path, "entity/Comment", {"model.j2": template, "router.j2": "{{ entity.fields[1].target.fields }}"}
    )

    assert made.files == {"app/models/comment.py": "body text \npost_id relation posts\nauthor_id relation users\n"}
    assert "app/routers/comments.py" in made.missing


def test_defaults_reach_a_template_as_values(tmp_path: Path) -> None:
    plan = read_plan('- Post: on boolean = false, price decimal = 9.90, note string = "a\\"b", data json = [null]')
    template = "{% for f in entity.fields %}{{ f.default | python }}\n{% endfor %}"

    made = _render(tmp_path, "entity/Post", {"model.j2": template}, plan)

    assert made.files["app/models/post.py"] == 'False\nDecimal("9.90")\n\'a"b\'\n[None]\n'


@pytest.mark.parametrize(
    ("phase", "expression"),
    [
        ("core", "{{ entities }}"),
        ("core", "{{ entity }}"),
        ("core", "{{ plan }}"),
        ("entity/Post", "{{ entities }}"),
        ("main", "{{ entity.name }}"),
        ("main", "{{ entities[0].fields }}"),
        ("support", "{{ entity }}"),
        ("support", "{{ entities[0].nothing }}"),
    ],
)
def test_a_template_sees_only_its_phases_slice(phase: str, expression: str, tmp_path: Path) -> None:
    templates = dict.fromkeys(("core.j2", "model.j2", "main.j2", "readme.j2"), expression)

    made = _render(tmp_path, phase, templates)

    (reason,) = made.missing.values()
    assert "UndefinedError" in reason


def test_the_description_is_seen_only_by_a_phase_that_depends_on_it(tmp_path: Path) -> None:
    templates = dict.fromkeys(("core.j2", "readme.j2"), "<{{ project.description }}>")

    seen = [_render(tmp_path, phase, templates) for phase in ("core", "support")]

    assert "'project' is undefined" in seen[0].missing["app/core.py"]
    assert seen[1].files["README.md"] == "<A small blog with comments and tags.>\n"


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ ''['__class__'] }}",
        "{{ (''|attr('__class__')).__mro__ }}",
        "{{ entity.__init__.__globals__ }}",
        "{{ entity.__class__.__init__.__globals__['names'] }}",
        "{{ '{0.__class__}'.format(entity) }}",
        "{{ self.__init__.__globals__ }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{{ range.__self__ }}",
        "{{ range(10 ** 9) | list }}",
        "{% set x = entity.fields.append(1) %}",
        "{{ 1 / 0 }}",
        "{{ none.x.y }}",
        "{{ none | docstring }}",
        "{{ 1 + 'a' }}",
        "{{ [][1] }}",
        "{{ 'x' | nothing }}",
        "{{ 'x'.encode('ascii').decode('nothing') }}",
        "{% if %}",
        "{{ 'a\nb' | int(base='x') }}\n{{ oops }}",
        "{% include 'main.j2' %}{% include '../../recipe.yaml' %}",
        "{% include '/etc/passwd' %}",
        "{% import 'nothing.j2' as x %}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{{ " + "(" * 500 + "1" + ")" * 500 + " }}",
    ],
)
def test_a_template_that_fails_costs_its_own_file_only(template: str, tmp_path: Path) -> None:
    made = _render(tmp_path, "entity/Post", {"model.j2": template})

    assert list(made.missing) == ["app/models/post.py"]
    assert made.missing["app/models/post.py"].startswith("template model.j2: ")
    assert made.missing["app/models/post.py"].isprintable()
    assert made.files == {"app/routers/posts.py": "# posts\n"}


def test_a_hidden_character_in_a_template_costs_its_own_file_only(tmp_path: Path) -> None:
    made = _render(tmp_path, "entity/Post", {"model.j2": "# one\n# t\u200bwo\n"})

    assert "line 2 of app/models/post.py would hold the hidden character U+200B" in made.missing["app/models/post.py"]
    assert made.files == {"app/routers/posts.py": "# posts\n"}


def test_a_secret_costs_its_own_file_only_and_is_not_shown(tmp_path: Path) -> None:
    secret = "AIza" + "Zq7Rk2mVx9Tb4Lw8Hs3Nd6Jf1Gc5Py0Ua81"
    made = _render(tmp_path, "entity/Post", {"model.j2": f"# one\nKEY = '{secret}'\n"})

    assert made.missing == {
        "app/models/post.py": "line 2 holds a Google API key, from the plan or from the recipe's template model.j2"
    }
    assert code_of(made.missing["app/models/post.py"]) == "secret"
    assert made.files == {"app/routers/posts.py": "# posts\n"}


def test_the_text_of_a_plan_is_no_template(tmp_path: Path) -> None:
    plan = read_plan("# {{ 1 + 1 }}\n{% raw %}\n- Post: a text")

    made = _render(tmp_path, "support", {"readme.j2": "NAME = {{ project.name | python }}\n"}, plan)

    assert made.files["README.md"] == 'NAME = "{{ 1 + 1 }}"\n'


_WITH_ITEMS = """\
name: site
options:
  theme: {type: choice, choices: [light, dark], default: light, about: How it looks.}
collections:
  pages: {singular: page, about: what people visit}
phases:
  - key: page/${name}
    title: page ${name}
    for-each: pages
    sees: [options/theme, uses]
    files: {"${module}.html": page.j2}
  - key: index
    title: index
    sees: [project, pages, entities/names]
    files: {index.html: index.j2}
"""
_PAGE = """\
{{ item.name }} {{ item.module }} {{ item.plural }}: {{ item.does }} {{ item.rules|join }} {{ rules|join }}
{{ options.theme }}
{% for each in item.uses %}{{ each.collection }} {{ each.name }} {{ each.module }}, {% endfor %}
{{ uses.pages[0].does }} {{ uses.entities[0].fields[0].name }}
"""
_INDEX = "{{ project.name }}:{% for page in pages %} {{ page.name }} {{ page.does }}{% endfor %} {{ entities|length }}"


def _page(folder: Path, plan: Plan, phase: str, **templates: str) -> GenerationResult:
    recipe = write_recipe(folder, _WITH_ITEMS, {"page.j2": _PAGE, "index.j2": _INDEX, **templates})
    chosen = find_phase(derive_phases(plan, recipe), phase)
    return asyncio.run(TemplateProvider().generate(GenerationRequest(plan, recipe, chosen, tuple(chosen.files))))


def test_a_template_of_an_item_sees_the_item_what_it_uses_and_its_options(tmp_path: Path) -> None:
    home = Item(name="HomePage", does="Greets.", uses=("Blog", "Post"), rules=("It is short.",))
    pages = (home, Item(name="Blog", does="Lists."))
    plan = read_plan("- Post: title string").model_copy(
        update={"collections": {"pages": pages}, "rules": ("No ads.",), "options": {"theme": "dark"}}
    )

    assert _page(tmp_path, plan, "page/HomePage").files["home_page.html"] == (
        "HomePage home_page home_pages: Greets. It is short. No ads.\ndark\n"
        "pages Blog blog, entities Post post, Lists. title\n"
    )
    assert _page(tmp_path, plan, "index").files["index.html"] == "Untitled: HomePage Greets. Blog Lists. 1\n"


def test_a_template_sees_defaults_and_empty_collections_and_no_option_of_others(tmp_path: Path) -> None:
    plan = Plan(project="Site", collections={"pages": (Item(name="Home", does="Greets."),)})
    empty = Plan(project="Site")

    assert _page(tmp_path, plan, "page/Home", **{"page.j2": "{{ options.theme }}"}).files["home.html"] == "light\n"
    assert _page(tmp_path, empty, "index").files["index.html"] == "Site: 0\n"
    assert (
        "'options' is undefined"
        in _page(tmp_path, plan, "index", **{"index.j2": "{{ options.theme }}"}).missing["index.html"]
    )
