"""The problems of a plan: all of them at once, each with its place and a remedy."""

import pytest

from bot.planning.entities import Entity, Field, Item
from bot.planning.plan_checks import MAX_ENTITIES, MAX_PROBLEMS, Reserved, find_problems
from tests.unit.test_plan import entity, relation
from tests.unit.values import BLOG, read_plan


def test_sound_entities_have_no_problem() -> None:
    assert find_problems(read_plan(BLOG).entities) == []


@pytest.mark.parametrize(
    ("entities", "place", "message"),
    [
        ([entity("post")], "post", "is not a valid entity name"),
        ([entity("Post"), entity("Post")], "Post", "defined twice"),
        ([entity("Post", relation("tag", "Tag"))], "Post.tag", "relation to unknown entity 'Tag'"),
        ([entity("Post", Field(name="class", type="string"))], "Post.class", "is a Python keyword"),
        (
            [entity("Post", Field(name="state", type="enum", choices=("a", "a")))],
            "Post.state",
            "an enum choice appears twice",
        ),
        (
            [entity("Post", *(Field(name=name, type="integer", auto="update") for name in ("a", "b")))],
            "Post",
            "a and b count the same changes; keep one",
        ),
        (
            [entity("Post", *(Field(name=name, type="datetime", auto="delete", optional=True) for name in ("a", "b")))],
            "Post",
            "a and b say the same: when the row was deleted; keep one",
        ),
        ([entity("Post", relation("up", "Post"))], "Post.up", "Post -> Post; no row could be created first"),
        (
            [entity("A", relation("b", "B")), entity("B", relation("c", "C")), entity("C", relation("a", "A"))],
            "A.b",
            "A -> B -> C -> A; no row could be created first",
        ),
    ],
)
def test_the_first_problem_names_its_place(entities: list[Entity], place: str, message: str) -> None:
    found = next(iter(find_problems(entities)))

    assert str(found).startswith(f"{place}: ")
    assert message in found.message


def test_an_optional_relation_breaks_a_circle() -> None:
    circle = [entity("A", relation("b", "B")), entity("B", relation("a", "A", optional=True))]

    assert find_problems(circle) == []


def test_a_recipe_reserves_names_of_entities_and_of_fields() -> None:
    reserved = Reserved(frozenset({"Doc"}), frozenset({"id"}))

    assert [len(find_problems([each], reserved)) for each in (entity("Doc"), entity("Docs"))] == [1, 0]
    found = find_problems([entity("Post", Field(name="id", type="integer"))], reserved)
    assert [(each.entity, each.field) for each in found] == [("Post", "id")]


def test_a_plan_has_a_largest_number_of_entities() -> None:
    many = [entity(f"E{number}") for number in range(MAX_ENTITIES + 1)]

    assert find_problems(many[:-1]) == []
    assert "are too many" in find_problems(many)[0].message


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"unique": (("title", "autor"),)}, "'unique title, autor': 'autor' is not a field; did you mean 'author'?"),
        ({"unique": (("title",),)}, "'unique title' needs two or more different fields"),
        ({"index": (("title", "data"),)}, "'data' can't be part of it"),
        ({"plural": "Blog Posts"}, "plural 'Blog Posts' is not a valid name"),
        ({"plural": "import"}, "plural 'import' is a keyword of Python"),
        ({"table": "x__y"}, "table 'x__y' is not a valid name"),
        ({"access": {"raed": ("anyone",)}}, "access: 'raed' is not an action; did you mean 'read'?"),
        ({"access": {"read": ("The Boss",)}}, "access: 'The Boss' is nobody"),
        ({"rules": ("x" * 1001,)}, "has 1,001 characters; the limit is 1,000"),
    ],
)
def test_what_an_entity_says_beside_its_fields_is_checked(change: dict[str, object], message: str) -> None:
    fields = (Field(name="title", type="string"), Field(name="data", type="json"), Field(name="author", type="string"))
    post = Entity.model_validate({"name": "Post", "fields": fields, **change})

    assert [message in each.message for each in find_problems([post])] == [True]


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([Item(name="Feed", does="x", uses=("Pst",))], "it uses 'Pst', which is not known; did you mean 'Post'?"),
        ([Item(name="Feed", does="")], "Feed does not say what it does"),
        ([Item(name="feed", does="x")], "'feed' is not a valid feature name: use Feed"),
        ([Item(name="Post", does="x")], "Post is defined twice"),
        ([Item(name="A", does="x", uses=("B",)), Item(name="B", does="x", uses=("A",))], "a circle: A -> B -> A"),
        ([Item(name="A", does="x", uses=("A",))], "a circle: A -> A"),
    ],
)
def test_features_and_other_items_are_checked(items: list[Item], message: str) -> None:
    problems = find_problems([entity("Post")], collections={"features": items})

    assert [message in each.message for each in problems] == [True]


def test_all_problems_are_told_at_once_up_to_a_limit() -> None:
    many = [entity(f"E{n}", Field(name="class", type="string")) for n in range(50)]

    assert len(find_problems(many)) == MAX_PROBLEMS
    assert [each.entity for each in find_problems(many[:3])] == ["E0", "E1", "E2"]


def test_a_link_table_is_no_table_of_another_entity() -> None:
    post = entity("Post", Field(name="tags", type="relation", target="Tag", many=True))

    problems = find_problems([post, entity("Tag"), entity("PostTag")])

    assert [each.message for each in problems] == [
        "entities Post and PostTag would share the table 'post_tags'; rename one"
    ]
