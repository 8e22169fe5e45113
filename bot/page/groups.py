"""Places many boxes of one size in groups of those that are related, and the groups in rows.  Pure.

Where there are hundreds of entities, nobody follows single lines; which ones belong together is what people look for.
Groups are found by label propagation: each box takes the group that most of its neighbours are in.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from math import ceil, sqrt
from typing import NamedTuple

from bot.page.layers import Point

_ROUNDS = 12
_LARGEST = 48
"""How many boxes a group can have."""
_GAP, _PAD, _TITLE, _ASPECT = 12.0, 14.0, 30.0, 1.7


class Group(NamedTuple):
    """Boxes that are related, in a frame."""

    title: str
    """The box with the most lines in it."""
    names: Sequence[str]
    place: Point
    width: float
    height: float


class Grouped(NamedTuple):
    """Where groups and their boxes stand."""

    groups: Sequence[Group]
    places: Mapping[str, Point]
    width: float
    height: float


def find_groups(names: Sequence[str], lines: Sequence[tuple[str, str]]) -> Sequence[Sequence[str]]:
    """Return the groups, the largest first, and last the boxes without lines; each begins with its best connected."""
    beside: dict[str, list[str]] = {name: [] for name in names}
    for one, other in lines:
        if one != other:
            beside[one].append(other)
            beside[other].append(one)
    order = {name: number for number, name in enumerate(names)}
    label = dict(order)
    by_size = sorted(names, key=lambda name: (len(beside[name]), order[name]))
    for _ in range(_ROUNDS):
        before = dict(label)
        sizes = Counter(label.values())
        for name in by_size:
            votes = Counter(label[other] for other in beside[name] if sizes[label[other]] < _LARGEST)
            if votes:
                best = max(votes, key=lambda each: (votes[each], each == label[name], -each))
                sizes[label[name]] -= 1
                label[name] = best
                sizes[best] += 1
        if label == before:
            break
    found: dict[int, list[str]] = {}
    for name in names:
        found.setdefault(label[name] if beside[name] else -1, []).append(name)
    alone = found.pop(-1, [])
    groups = [sorted(group, key=lambda name: (-len(beside[name]), order[name])) for group in found.values()]
    return [*sorted(groups, key=lambda group: (-len(group), order[group[0]])), *([alone] if alone else [])]


def place_groups(groups: Sequence[Sequence[str]], width: float, height: float) -> Grouped:
    """Place *groups* of boxes that are *width* and *height* each."""
    sizes = []
    for names in groups:
        across = max(1, ceil(sqrt(len(names) * height * _ASPECT / width)))
        down = ceil(len(names) / across)
        sizes.append((across, across * (width + _GAP) - _GAP + 2 * _PAD, down * (height + _GAP) - _GAP + _PAD + _TITLE))
    most = max(sqrt(sum(wide * high for _, wide, high in sizes) * _ASPECT), *(wide for _, wide, _ in sizes), 1)
    placed, places = list[Group](), dict[str, Point]()
    x = y = row = 0.0
    for names, (across, wide, high) in zip(groups, sizes, strict=True):
        if x and x + wide > most:
            x, y, row = 0.0, y + row + 2 * _GAP, 0.0
        placed.append(Group(names[0], names, Point(x, y), wide, high))
        for number, name in enumerate(names):
            left, top = number % across * (width + _GAP), number // across * (height + _GAP)
            places[name] = Point(x + _PAD + left, y + _TITLE + top)
        x, row = x + wide + 2 * _GAP, max(row, high)
    right = max((each.place.x + each.width for each in placed), default=0)
    return Grouped(placed, places, right, y + row)
