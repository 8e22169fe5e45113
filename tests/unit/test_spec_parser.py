"""Specs in every form, and the plan file in both directions, for any text."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import UsageError
from bot.planning.plan_file import format_plan
from bot.planning.spec_parser import read_spec
from tests.unit.test_plan_file import TEXT
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
        BLOG.replace("# Blog API", "# Blog   API #"),
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


def test_a_long_project_name_is_cut() -> None:
    plan = read_plan(f"# {'long ' * 50}\n- Item: name text")

    assert len(plan.project) <= 100


# ---- anything at all


@given(
    st.text()
    | TEXT
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
