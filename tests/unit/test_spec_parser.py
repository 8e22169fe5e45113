"""Specs in every form, and the plan file in both directions, for any text."""

import contextlib
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.errors import UsageError
from bot.planning.plan import Entity, Field, Plan
from bot.planning.plan_file import format_plan
from bot.planning.spec_parser import read_spec
from bot.text import CONTROL
from tests.unit.test_field_grammar import valid_fields
from tests.unit.values import BLOG, SOURCE, read_plan

_YAML_BLOG = """\
project: Blog API
description: A small blog with comments and tags.
entities:
  User:
    username: string unique
    email: email unique
    bio: text?
  Post:
    - title string
    - body text
    - published boolean = false
    - author -> User
  Comment: body text, post -> Post, author -> User
  Tag: name string unique
  PostTag: {post: -> Post, tag: -> Tag}
"""

_PIECES = [*" \n\t#-:`~|>'\"{}[]&*!%@?,\\=", "```", "\nentities:", "\n- User: a text", "\n---\n", "\n..."]
_TEXT = (
    st.lists(st.sampled_from(_PIECES) | st.characters(exclude_categories=["Cs", "Cc"]), max_size=30)
    .map("".join)
    .filter(lambda text: not CONTROL.search(text))
)
_LINE = _TEXT.map(lambda text: " ".join(text.split())[:100].strip()).filter(bool)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Draw a valid plan whose texts are hostile."""
    fields = draw(st.lists(valid_fields(), max_size=4, unique_by=lambda field: field.name))
    made = [field.model_copy(update={"name": f"f{n}", "optional": True}) for n, field in enumerate(fields)]
    post = Entity(name="Post", fields=(Field(name="title", type="string"), *made))
    more = [Entity(name=f"E{n}", fields=post.fields) for n in range(draw(st.integers(0, 2)))]
    return Plan(
        project=draw(_LINE),
        description=draw(_TEXT),
        recipe=draw(st.sampled_from(["fastapi", "./recipes/mine", "no", "1.0", "a: b"])),
        output_dir=draw(st.sampled_from([".", "api", "a/b c", "null"])),
        entities=(post, *more),
        instructions=draw(st.dictionaries(st.sampled_from(["core", "entity/Post", "y"]), _TEXT, max_size=2)),
    )


# ---- the forms


def test_a_markdown_spec_gives_project_description_and_entities_in_order() -> None:
    plan = read_plan(BLOG)

    assert (plan.project, plan.slug) == ("Blog API", "blog-api")
    assert plan.description == "A small blog with comments and tags."
    assert [entity.name for entity in plan.entities] == ["User", "Post", "Comment", "Tag", "PostTag"]
    assert [field.name for field in plan.entities[1].fields] == ["title", "body", "published", "author"]
    assert plan.entities[1].fields[2].default_value is False


@pytest.mark.parametrize(
    "text",
    [
        _YAML_BLOG,
        f"# Blog API\nA small blog with comments and tags.\n\n```yaml\n{_YAML_BLOG}```\n",
        f"# Blog API\n\nA small blog with comments and tags.\n~~~\n{_YAML_BLOG}~~~\n",
        BLOG.replace("\n", "\r\n"),
        BLOG.replace("\n", "\r"),
        "\ufeff" + BLOG,
        BLOG.replace("- ", "* "),
        BLOG.replace("- ", "  -   "),
        BLOG.replace("# Blog API", "## Blog   API ##"),
        BLOG.replace("string, body", "string,\n    body"),
        BLOG.removesuffix("\n"),
    ],
    ids=["yaml", "fenced", "tildes", "crlf", "cr", "bom", "stars", "indented", "closed-heading", "continued", "no-end"],
)
def test_every_form_of_the_blog_is_the_same_plan(text: str) -> None:
    assert read_plan(text) == read_plan(BLOG)


def test_prose_bullets_and_other_code_blocks_are_description() -> None:
    text = (
        "# Shop\n- fast, and simple\n- see https://example.com: it explains\n"
        "```\n- User: code here\n```\n- Item: name text"
    )

    plan = read_plan(text)

    assert [entity.name for entity in plan.entities] == ["Item"]
    assert plan.description == (
        "- fast, and simple\n- see https://example.com: it explains\n```\n- User: code here\n```"
    )


def test_only_the_first_heading_is_the_project() -> None:
    plan = read_plan("intro\n# C#\n## Details\n- Item: name text")

    assert (plan.project, plan.description) == ("C#", "intro\n## Details")


def test_a_silent_text_takes_the_callers_project_recipe_and_folder() -> None:
    draft = read_spec("- Item: name text", source=SOURCE)

    plan = draft.plan(project="Issue title", recipe="mine", output_dir="api")

    assert (plan.project, plan.recipe, plan.output_dir) == ("Issue title", "mine", "api")


def test_yaml_names_recipe_folder_and_instructions() -> None:
    text = "title: Shop\nrecipe: mine\noutput-dir: ./a/b/\nentities: {Item: name text}\ninstructions: {core: use uv}\n"

    plan = read_plan(text)

    assert (plan.project, plan.recipe, plan.output_dir) == ("Shop", "mine", "a/b")
    assert dict(plan.instructions) == {"core": "use uv"}


def test_yaml_values_stay_the_words_they_are() -> None:
    plan = read_plan(
        "project: yes\ndescription: 1.0\nentities:\n  Item:\n    on: boolean = no\n".replace("= no", "= true")
    )

    assert (plan.project, plan.description, plan.entities[0].fields[0].name) == ("yes", "1.0", "on")


def test_a_long_project_name_is_cut() -> None:
    plan = read_plan(f"# {'long ' * 50}\n- Item: name text")

    assert len(plan.project) <= 100


# ---- the plan file


def test_the_plan_file_reads_well() -> None:
    plan = read_plan(
        '# Blog\nOne.\n\nTwo.\n- User: name string unique\n- Post: title string = "a, b", author -> User ?'
    )

    assert format_plan(plan) == (
        "# The plan of this project. Edit it to change what is built, commit, and run generate again.\n"
        "# A field is: name type [unique] [index] [?] [= default], or name -> Entity [?]\n"
        "project: Blog\n"
        "description: |-\n"
        "  One.\n"
        "\n"
        "  Two.\n"
        "recipe: fastapi\n"
        "output-dir: .\n"
        "entities:\n"
        "  User:\n"
        "    name: string unique\n"
        "  Post:\n"
        '    title: string = "a, b"\n'
        "    author: -> User?\n"
    )


@given(plans())
@example(read_plan(BLOG).model_copy(update={"description": "a\n```\nb"}))
@example(read_plan(BLOG).model_copy(update={"description": "x\t" + "entities: x" * 500}))
@example(read_plan(BLOG).model_copy(update={"instructions": {"core": "entities:\n```"}}))
def test_a_plan_file_reads_back_as_the_same_plan(plan: Plan) -> None:
    written = format_plan(plan)

    assert read_spec(written, source="the plan file").plan(project="x", recipe="x", output_dir="x") == plan


@given(plans())
def test_writing_a_plan_file_again_changes_nothing(plan: Plan) -> None:
    written = format_plan(plan)

    assert format_plan(read_plan(written)) == written


# ---- anything at all


@given(
    st.text()
    | _TEXT
    | st.lists(st.sampled_from([*BLOG.splitlines(True), *_YAML_BLOG.splitlines(True), "```\n", "? ", "- ", ": "])).map(
        "".join
    )
)
def test_any_text_is_a_plan_or_a_usage_error(text: str) -> None:
    with contextlib.suppress(UsageError):
        plan = read_plan(text)

        assert json.dumps(plan.model_dump(mode="json"))
        assert read_plan(format_plan(plan)) == plan


@given(st.data())
def test_a_damaged_spec_is_a_plan_or_a_usage_error(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from([BLOG, _YAML_BLOG, format_plan(read_plan(BLOG))]))
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 20)))
    damaged = text[:start] + data.draw(st.text(max_size=10)) + text[end:]

    with contextlib.suppress(UsageError):
        plan = read_plan(damaged)

        assert read_plan(format_plan(plan)) == plan
