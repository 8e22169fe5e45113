"""Many boxes in groups of related ones."""

from itertools import combinations

from bot.page.groups import find_groups, place_groups


def test_what_is_related_is_together_and_the_best_connected_comes_first() -> None:
    lines = [("hub", "a"), ("hub", "b"), ("hub", "c"), ("x", "y"), ("y", "z"), ("x", "z")]

    assert [list(each) for each in find_groups(["a", "b", "c", "hub", "x", "y", "z", "alone"], lines)] == [
        ["hub", "a", "b", "c"],
        ["x", "y", "z"],
        ["alone"],
    ]


def test_a_line_to_itself_makes_no_group() -> None:
    assert find_groups(["a", "b"], [("a", "a")]) == [["a", "b"]]


def test_no_group_holds_everything() -> None:
    names = [f"n{number}" for number in range(500)]
    lines = [("n0", name) for name in names[1:]]

    found = find_groups(names, lines)

    assert sorted(name for group in found for name in group) == sorted(names)
    assert max(map(len, found)) < 100


def test_groups_and_boxes_do_not_overlap() -> None:
    groups = [[f"g{group}n{number}" for number in range(group * 3 + 1)] for group in range(12)]
    found = place_groups(groups, 176, 44)

    for one, other in combinations(found.groups, 2):
        (x, y), (u, v) = one.place, other.place
        assert x + one.width <= u or u + other.width <= x or y + one.height <= v or v + other.height <= y
    for group in found.groups:
        for name in group.names:
            x, y = found.places[name]
            assert group.place.x < x < x + 176 < group.place.x + group.width
            assert group.place.y < y < y + 44 < group.place.y + group.height
    assert all(each.place.x + each.width <= found.width for each in found.groups)
    assert place_groups([], 176, 44).height == 0
