"""Boxes in columns: nothing overlaps, lines lead to the right, the same boxes give the same picture."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from bot.page.layers import Box, Layout, columns_of, count_dummies, place_in_columns

NAMES = "abcdefghijkl"


def lay_out(names: str, lines: list[tuple[str, str]]) -> tuple[Layout, list[Box]]:
    boxes = [Box(name, 100 + ord(name) % 5 * 20, 60 + ord(name) % 7 * 15) for name in names]
    return place_in_columns(boxes, lines, columns_of(names, lines)), boxes


def test_a_chain_and_what_only_its_end_needs() -> None:
    lines = [("a", "b"), ("b", "c"), ("d", "c")]

    assert columns_of("abcd", lines) == {"a": 0, "b": 1, "c": 2, "d": 1}
    assert count_dummies(columns_of("abcd", lines), lines) == 0


def test_a_circle_is_broken_and_a_long_line_passes_the_columns_between() -> None:
    columns = columns_of("abc", [("a", "b"), ("b", "c"), ("c", "a")])
    assert columns == {"a": 0, "b": 1, "c": 2}

    layout, _ = lay_out("abc", [("a", "b"), ("b", "c"), ("a", "c")])
    (left, right) = layout.ways["a", "c"]
    assert left.y == right.y
    assert layout.places["b"].x == left.x
    box = layout.places["b"]
    assert not box.y <= left.y <= box.y + 60, "it does not run through the box"


def test_nothing_is_a_picture_too() -> None:
    assert place_in_columns([], [], {}) == Layout({}, {}, 0, 0)


def test_crossings_are_removed_where_that_is_easy() -> None:
    layout, _ = lay_out("abcd", [("a", "d"), ("b", "c")])
    places = layout.places
    assert (places["a"].y < places["b"].y) == (places["d"].y < places["c"].y)


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), max_size=30))
def test_no_two_boxes_overlap_and_all_fit(lines: list[tuple[str, str]]) -> None:
    lines = [line for line in lines if line[0] != line[1]]
    layout, boxes = lay_out(NAMES, lines)

    assert layout == lay_out(NAMES, lines)[0]
    for box in boxes:
        x, y = layout.places[box.name]
        assert -0.001 <= x <= layout.width - box.width + 0.001
        assert -0.001 <= y <= layout.height - box.height + 0.001
    for one, other in combinations(boxes, 2):
        (x, y), (u, v) = layout.places[one.name], layout.places[other.name]
        apart = (
            x + one.width <= u or u + other.width <= x or y + one.height <= v + 0.001 or v + other.height <= y + 0.001
        )
        assert apart, (one, other)
