"""The plan as data: what a plan can't hold, the first problem of its entities, and the names that follow from it."""

from collections.abc import Mapping

import pytest
from pydantic import ValidationError

from bot.planning.plan import MAX_ENTITIES, Entity, Field, Plan, Reserved, find_problem
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


# ---- problems


def test_sound_entities_have_no_problem() -> None:
    assert find_problem(read_plan(BLOG).entities) is None


@pytest.mark.parametrize(
    ("entities", "place", "message"),
    [
        ([entity("post")], "post", "can't name an entity"),
        ([entity("Post"), entity("Post")], "Post", "given twice"),
        ([entity("Post", relation("tag", "Tag"))], "Post.tag", "relation to unknown entity 'Tag'"),
        ([entity("Post", Field(name="class", type="string"))], "Post.class", "is a Python keyword"),
        (
            [entity("Post", Field(name="state", type="enum", choices=("a", "a")))],
            "Post.state",
            "an enum choice is given twice",
        ),
        ([entity("Post", relation("up", "Post"))], "Post.up", "Post -> Post; none could be created first"),
        (
            [entity("A", relation("b", "B")), entity("B", relation("c", "C")), entity("C", relation("a", "A"))],
            "A.b",
            "A -> B -> C -> A; none could be created first",
        ),
    ],
)
def test_the_first_problem_names_its_place(entities: list[Entity], place: str, message: str) -> None:
    found = find_problem(entities)

    assert found
    assert str(found).startswith(f"{place}: ")
    assert message in found.message


def test_an_optional_relation_breaks_a_circle() -> None:
    circle = [entity("A", relation("b", "B")), entity("B", relation("a", "A", optional=True))]

    assert find_problem(circle) is None


def test_a_recipe_reserves_names_of_entities_and_of_fields() -> None:
    reserved = Reserved(frozenset({"Doc"}), frozenset({"id"}))

    assert [str(find_problem([each], reserved)).partition(": ")[0] for each in (entity("Doc"), entity("Docs"))] == [
        "Doc",
        "None",
    ]
    assert str(find_problem([entity("Post", Field(name="id", type="integer"))], reserved)).startswith("Post.id: ")


def test_a_plan_has_a_largest_number_of_entities() -> None:
    many = [entity(f"E{number}") for number in range(MAX_ENTITIES + 1)]

    assert find_problem(many[:-1]) is None
    assert "are too many" in str(find_problem(many))
