"""Places boxes in columns, so that lines lead from left to right and rarely cross: Sugiyama's method.  Pure.

There is no small, kept library for it.  The steps are the usual ones: break circles, choose a column for each box, put
a dummy into each column that a line passes, order each column by the neighbours' places, and move all to where their
lines are short.  The same boxes give the same picture.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

_GAP, _ROW_GAP, _LANE = 84.0, 26.0, 14.0
"""Pixels between columns, between boxes of one column, and around a line that passes one."""
_SWEEPS = 12
_MOVES = 8


class Box(NamedTuple):
    """Something to place."""

    name: str
    width: float
    height: float


class Point(NamedTuple):
    """A place in pixels."""

    x: float
    y: float


class Layout(NamedTuple):
    """Where boxes stand, and by which points the lines between them pass."""

    places: Mapping[str, Point]
    """The upper left corner of each box."""
    ways: Mapping[tuple[str, str], Sequence[Point]]
    """From the left box to the right one: where the line passes a column in between, at its left and right border."""
    width: float
    height: float


@dataclass(slots=True)
class _Node:
    """A box, or a dummy where a line passes a column."""

    name: str
    column: int
    height: float
    gap: float
    before: list["_Node"] = field(default_factory=list)
    """Neighbours in the column to the left."""
    after: list["_Node"] = field(default_factory=list)
    y: float = 0.0
    """Of its middle."""


def columns_of(names: Sequence[str], lines: Sequence[tuple[str, str]]) -> Mapping[str, int]:
    """Return the column of each box, so that the first box of each line is left of the second, but for circles."""
    after = _without_circles(names, lines)
    before: dict[str, list[str]] = {name: [] for name in names}
    for name, others in after.items():
        for other in others:
            before[other].append(name)
    columns: dict[str, int] = {}
    for name in _in_order(names, after):
        columns[name] = max((columns[each] + 1 for each in before[name]), default=0)
    for name in reversed(_in_order(names, after)):  # what nothing leads to stands beside what it leads to
        if not before[name] and after[name]:
            columns[name] = min(columns[each] for each in after[name]) - 1
    return columns


def _without_circles(names: Sequence[str], lines: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    """Return where the lines of each box lead; one that would close a circle is turned round."""
    given: dict[str, list[str]] = {name: [] for name in names}
    for start, end in lines:
        if start != end and end not in given[start]:
            given[start].append(end)
    after: dict[str, list[str]] = {name: [] for name in names}
    state: dict[str, bool] = {}
    """True while the search is below the box."""
    for root in names:
        if root in state:
            continue
        state[root] = True
        below = [(root, iter(given[root]))]
        while below:
            name, rest = below[-1]
            other = next(rest, None)
            if other is None:
                state[name] = False
                below.pop()
            elif state.get(other):
                after[other].append(name)
            else:
                after[name].append(other)
                if other not in state:
                    state[other] = True
                    below.append((other, iter(given[other])))
    return {name: list(dict.fromkeys(others)) for name, others in after.items()}


def _in_order(names: Sequence[str], after: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """Return *names* so that each stands behind all that lead to it."""
    waiting = dict.fromkeys(names, 0)
    for others in after.values():
        for other in others:
            waiting[other] += 1
    order = [name for name in names if not waiting[name]]
    for name in order:  # grows meanwhile
        for other in after[name]:
            waiting[other] -= 1
            if not waiting[other]:
                order.append(other)
    return order


def count_dummies(columns: Mapping[str, int], lines: Sequence[tuple[str, str]]) -> int:
    """Return how many places lines pass: what the layout costs besides the boxes."""
    return sum(max(0, abs(columns[one] - columns[other]) - 1) for one, other in {*lines})


def place_in_columns(boxes: Sequence[Box], lines: Sequence[tuple[str, str]], columns: Mapping[str, int]) -> Layout:
    """Place *boxes* in their *columns*; a line between two boxes of one column is none of *lines*."""
    nodes = {box.name: _Node(box.name, columns[box.name], box.height, _ROW_GAP) for box in boxes}
    chains = {
        (start, end): _chain(nodes, start, end) for start, end in sorted({_turned(line, columns) for line in lines})
    }
    rows = _rows([*nodes.values(), *(node for chain in chains.values() for node in chain)])
    _order(rows)
    _move(rows)
    widths = [0.0] * len(rows)
    for box in boxes:
        widths[columns[box.name]] = max(widths[columns[box.name]], box.width)
    lefts = [sum(widths[:number]) + _GAP * number for number in range(len(rows))]
    top = min((node.y - node.height / 2 for row in rows for node in row), default=0)
    places = {box.name: Point(lefts[columns[box.name]], nodes[box.name].y - box.height / 2 - top) for box in boxes}
    ways = {
        line: [
            Point(x, node.y - top)
            for node in chain
            for x in (lefts[node.column], lefts[node.column] + widths[node.column])
        ]
        for line, chain in chains.items()
    }
    bottom = max((node.y + node.height / 2 for row in rows for node in row), default=0)
    return Layout(places, ways, lefts[-1] + widths[-1] if rows else 0, bottom - top)


def _turned(line: tuple[str, str], columns: Mapping[str, int]) -> tuple[str, str]:
    return line if columns[line[0]] <= columns[line[1]] else (line[1], line[0])


def _chain(nodes: Mapping[str, _Node], start: str, end: str) -> Sequence[_Node]:
    """Connect two boxes by a dummy in each column between them, and return the dummies."""
    first, last = nodes[start], nodes[end]
    between = [_Node("", column, 0, _LANE) for column in range(first.column + 1, last.column)]
    chain = [first, *between, last]
    for one, other in itertools.pairwise(chain):
        one.after.append(other)
        other.before.append(one)
    return between


def _rows(nodes: Sequence[_Node]) -> list[list[_Node]]:
    rows: list[list[_Node]] = [[] for _ in range(max((node.column for node in nodes), default=-1) + 1)]
    for node in nodes:
        rows[node.column].append(node)
    return rows


def _order(rows: list[list[_Node]]) -> None:
    """Sort each column by the mean place of the neighbours, to and fro; keep the order with the fewest crossings."""
    best, fewest = [list(row) for row in rows], _crossings(rows)
    for sweep in range(_SWEEPS):
        there = sweep % 2 == 0
        for row in rows[1:] if there else rows[-2::-1]:
            beside = {id(node): place for each in rows for place, node in enumerate(each)}
            means = {
                id(node): sum(beside[id(each)] for each in neighbours) / len(neighbours)
                if neighbours
                else beside[id(node)]
                for node in row
                for neighbours in [node.before if there else node.after]
            }
            row.sort(key=lambda node: means[id(node)])
        if (crossings := _crossings(rows)) < fewest:
            best, fewest = [list(row) for row in rows], crossings
    rows[:] = best


def _crossings(rows: Sequence[Sequence[_Node]]) -> int:
    found = 0
    for row, following in itertools.pairwise(rows):
        place = {id(node): number for number, node in enumerate(following)}
        ends = [number for node in row for number in sorted(place[id(each)] for each in node.after)]
        found += sum(one > other for index, one in enumerate(ends) for other in ends[index + 1 :])
    return found


def _move(rows: Sequence[Sequence[_Node]]) -> None:
    """Move each node to the mean of its neighbours, as far as the order and the gaps of its column allow."""
    for row in rows:
        y = 0.0
        for node in row:
            y += node.height / 2 + node.gap
            node.y = y
            y += node.height / 2
    for move in range(_MOVES):
        for row in rows if move % 2 == 0 else reversed(rows):
            wanted = []
            for node in row:
                beside = [*node.before, *node.after]
                wanted.append(sum(each.y for each in beside) / len(beside) if beside else node.y)
            for node, y in zip(row, _spread(row, wanted), strict=True):
                node.y = y


def _spread(row: Sequence[_Node], wanted: Sequence[float]) -> Iterator[float]:
    """Yield the places nearest to the *wanted* ones that keep order and distances: the pool of adjacent violators."""
    offsets = [0.0]
    for above, below in itertools.pairwise(row):
        offsets.append(offsets[-1] + (above.height + below.height) / 2 + max(above.gap, below.gap))
    pools: list[tuple[float, int]] = []
    """Sum and number of those that stand as close together as they may."""
    for place, offset in zip(wanted, offsets, strict=True):
        pools.append((place - offset, 1))
        while len(pools) > 1 and pools[-2][0] / pools[-2][1] > pools[-1][0] / pools[-1][1]:
            (first, one), (second, other) = pools[-2:]
            pools[-2:] = [(first + second, one + other)]
    starts = [total / number for total, number in pools for _ in range(number)]
    yield from (start + offset for start, offset in zip(starts, offsets, strict=True))
