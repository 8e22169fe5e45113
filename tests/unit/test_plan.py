"""The plan as data: what a plan can't hold, and the names that follow from it."""

from collections.abc import Mapping

import pytest
from pydantic import ValidationError

from bot.planning.entities import Entity, Field
from bot.planning.plan import Plan
from tests.unit.values import BLOG, read_plan


def entity(name: str, *fields: Field) -> Entity:
    """Build an entity, with a field of its own if none is given."""
    return Entity(name=name, fields=fields or (Field(name="title", type="string"),))


def relation(name: str, target: str, *, optional: bool = False) -> Field:
    """Build a relation."""
    return Field(name=name, type="relation", target=target, optional=optional)


@pytest.mark.parametrize(
    "plan",
    [
        {"project": "a\u202eb"},
        {"project": "  "},
        {"description": "a\x00b"},
        {"recipe": "\x1b"},
        {"output_dir": "../x"},
        {"instructions": {"core": "\u2066"}},
    ],
)
def test_a_plan_that_no_file_could_hold_can_not_be_made_at_all(plan: dict[str, object]) -> None:
    whole = read_plan(BLOG).model_dump() | plan

    with pytest.raises(ValueError, match="Plan"):
        Plan.model_validate(whole)


def test_a_plan_made_elsewhere_gets_the_form_its_file_would_give_it() -> None:
    whole = read_plan(BLOG).model_dump() | {"project": " Blog \n API ", "description": "\nText. \n"}

    plan = Plan.model_validate(whole)

    assert (plan.project, plan.description) == ("Blog API", "Text.")


@pytest.mark.parametrize("change", [{"colour": "red"}, {"entities": ({"name": "Post", "fields": ()},)}])
def test_a_plan_that_can_not_be_built_can_not_be_made(change: Mapping[str, object]) -> None:
    with pytest.raises(ValidationError):
        Plan.model_validate({**read_plan(BLOG).model_dump(), **change})


def test_a_plan_does_not_change() -> None:
    with pytest.raises(ValidationError):
        read_plan(BLOG).project = "Other"  # type: ignore[misc]  # on purpose


# ---- names


def test_names_of_code_follow_from_the_names_of_the_plan() -> None:
    tag = entity("BlogCategory", relation("first_author", "User"), Field(name="title", type="string"))

    assert (tag.module, tag.plural) == ("blog_category", "blog_categories")
    assert [field.column for field in tag.fields] == ["first_author_id", "title"]
    assert [field.is_relation for field in tag.fields] == [True, False]
    assert read_plan("# My Blog API!\n- Post: title string").slug == "my-blog-api"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (Field(name="size", type="integer", default="7"), 7),
        (Field(name="on", type="boolean", default="true"), True),
        (Field(name="title", type="string", default="7"), "7"),
        (Field(name="state", type="enum", choices=("new", "done"), default="new"), "new"),
    ],
)
def test_a_default_is_a_value_of_the_fields_type(field: Field, value: object) -> None:
    assert field.has_default
    assert field.default_value == value
    assert type(field.default_value) is type(value)
