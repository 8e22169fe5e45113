"""The entities of a plan as a picture."""

import time

import pytest

from bot.page.er_picture import Picture, draw, width_of
from tests.page_stories import large_spec
from tests.unit.values import BLOG, read_plan


def drawn(spec: str) -> Picture:
    return draw(read_plan(spec).entities)


def test_the_blog_shows_fields_keys_and_the_ends_of_relations() -> None:
    picture = drawn(BLOG)
    post = next(each for each in picture.boxes if each.name == "Post")

    assert [(row.name, row.type, row.keys) for row in post.rows] == [
        ("id", "integer", "PK"),
        ("title", "string", ""),
        ("body", "text", ""),
        ("published", "boolean", ""),
        ("author", "User", "FK"),
    ]
    assert [(each.told, each.start, each.end) for each in picture.lines] == [
        ("Post.author: User", "one", "many"),
        ("Comment.post: Post", "one", "many"),
        ("Comment.author: User", "one", "many"),
        ("PostTag.post: Post", "one", "many"),
        ("PostTag.tag: Tag", "one", "many"),
    ]


def test_optional_unique_many_and_own_relations_have_their_signs() -> None:
    picture = drawn("- A: name string\n- B: one -> A unique, maybe -> A?, more -> A*, self -> B?\n")

    assert [(each.told, each.start, each.end) for each in picture.lines] == [
        ("B.one: A", "one", "maybe"),
        ("B.maybe: A", "maybe", "many"),
        ("B.more: A", "many", "many"),
        ("B.self: B", "maybe", "many"),
    ]


def test_lines_end_at_the_row_of_their_field() -> None:
    picture = drawn("- A: name string\n- B: a -> A\n")
    box, (line,) = picture.boxes[1], picture.lines
    row = box.place.y + box.rows[1].y + 10

    assert line.path.endswith(f"{box.place.x:.0f} {row:.0f}")


def test_entities_without_relations_stand_below() -> None:
    picture = drawn("- A: name string\n- B: a -> A\n" + "".join(f"- Alone{n}: name string\n" for n in range(9)))
    bottom = max(each.place.y + each.height for each in picture.boxes[:2])

    assert all(each.place.y > bottom for each in picture.boxes[2:])
    assert picture.width < 1_200


def test_long_names_and_many_fields_are_cut() -> None:
    fields = ", ".join(f"field{number} string" for number in range(40))
    picture = drawn(f"- {'Very' * 15}: {fields}\n")
    (box,) = picture.boxes

    assert box.label.endswith("…")
    assert (len(box.rows), box.rows[-1].name) == (26, "and 16 more")
    assert width_of("漢字") > width_of("ab")


@pytest.mark.parametrize("number", [5, 40, 60])
def test_some_dozens_of_entities_show_their_fields(number: int) -> None:
    picture = drawn(large_spec(number))

    assert (len(picture.boxes), picture.groups) == (number, ())
    assert all(each.rows for each in picture.boxes)


def test_hundreds_are_boxes_in_groups_made_in_no_time() -> None:
    entities = read_plan(large_spec(500)).entities
    begin = time.process_time()
    picture = draw(entities)

    assert time.process_time() - begin < 2
    assert (len(picture.boxes), len(picture.lines)) == (500, 1)
    assert sum(len(each.names) for each in picture.groups) == 500
    assert all(each.lines for each in picture.boxes)
    assert not any(each.rows for each in picture.boxes)


def test_a_dense_plan_is_drawn_in_groups_before_its_lines_take_forever() -> None:
    names = [f"E{number:02}" for number in range(60)]
    lines = [
        f"- {name}: n string" + "".join(f", r{other} -> {names[other]}?" for other in range(place))
        for place, name in enumerate(names)
    ]
    begin = time.process_time()
    picture = drawn("\n".join(lines) + "\n")

    assert picture.groups
    assert time.process_time() - begin < 5


def test_no_entity_is_a_picture_too() -> None:
    assert draw(()).boxes == []
