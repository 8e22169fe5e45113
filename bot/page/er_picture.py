"""The entities of a plan and their relations as a picture, for a template that draws it as SVG.  Pure.

Up to some dozens of entities show their fields, and stand in columns.  More are boxes with a name only, in groups.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple
from unicodedata import east_asian_width

from bot.page.groups import Group, find_groups, place_groups
from bot.page.layers import Box, Layout, Point, columns_of, count_dummies, place_in_columns
from bot.page.wording import count
from bot.planning.entities import Entity, Field
from bot.text import truncate

_MAX_WITH_FIELDS, _MAX_DUMMIES = 60, 600
"""Above that, entities have no fields."""
_MAX_ROWS, _MAX_NAME, _MAX_TYPE = 24, 26, 22
_CHARACTER, _ROW, _HEAD, _PAD = 7.3, 20.0, 30.0, 12.0
"""Pixels: the width of a character in the diagram's font, a row, the head of a box, and the margin in it."""
_PLAIN_WIDTH, _PLAIN_HEIGHT = 176.0, 44.0
_MARGIN, _LOOP = 20.0, 34.0


class Row(NamedTuple):
    """A line in a box."""

    name: str
    type: str
    keys: str
    """``PK``, ``FK``, ``UK``."""
    y: float


class EntityBox(NamedTuple):
    """An entity."""

    name: str
    label: str
    """The name, cut if it is long."""
    anchor: str
    place: Point
    width: float
    height: float
    rows: Sequence[Row]
    told: str
    """What it has, in a few words."""
    lines: str = ""
    """All its lines; only in a picture of groups."""


class Line(NamedTuple):
    """A relation."""

    path: str
    start: str
    end: str
    """What stands at the ends: ``one``, ``maybe``, ``many``."""
    told: str


class Picture(NamedTuple):
    """A whole diagram."""

    width: float
    height: float
    boxes: Sequence[EntityBox]
    lines: Sequence[Line]
    groups: Sequence[Group] = ()


def draw(entities: Sequence[Entity]) -> Picture:
    """Return the picture of *entities*."""
    names = {each.name for each in entities}
    relations = [
        (each, field) for each in entities for field in each.fields if field.is_relation and field.target in names
    ]
    lines = [(field.target or "", each.name) for each, field in relations]
    if len(entities) <= _MAX_WITH_FIELDS:
        linked = [each.name for each in entities if any(each.name in line for line in lines if line[0] != line[1])]
        columns = columns_of(linked, [line for line in lines if line[0] != line[1]])
        if count_dummies(columns, [line for line in lines if line[0] != line[1]]) <= _MAX_DUMMIES:
            return _with_fields(entities, relations, columns)
    return _in_groups(entities, lines)


def anchor(number: int) -> str:
    """Return the name of the place on the page where entity *number* is told in words."""
    return f"e{number}"


def width_of(text: str) -> float:
    """Return how wide *text* is in the diagram's font; letters of East Asia are nearly twice as wide."""
    return sum(_CHARACTER * (1.7 if east_asian_width(each) in "WF" else 1) for each in text)


# ---- with fields


def _with_fields(
    entities: Sequence[Entity], relations: Sequence[tuple[Entity, Field]], columns: Mapping[str, int]
) -> Picture:
    rows = {each.name: list(_rows(each)) for each in entities}
    sizes = {each.name: _size(each, rows[each.name]) for each in entities}
    linked = [sizes[each.name] for each in entities if each.name in columns]
    lines = [(field.target or "", each.name) for each, field in relations if field.target != each.name]
    layout = place_in_columns(linked, lines, columns)
    places, width, height = _add_alone([box for name, box in sizes.items() if name not in columns], layout)
    boxes = {
        each.name: EntityBox(
            name=each.name,
            label=truncate(each.name, _MAX_NAME),
            anchor=anchor(number),
            place=Point(places[each.name].x + _MARGIN, places[each.name].y + _MARGIN),
            width=sizes[each.name].width,
            height=sizes[each.name].height,
            rows=rows[each.name],
            told=_told(each),
        )
        for number, each in enumerate(entities)
    }
    return Picture(
        width + 2 * _MARGIN + _LOOP, height + 2 * _MARGIN, [*boxes.values()], list(_lines(relations, boxes, layout))
    )


def _rows(entity: Entity) -> Iterator[Row]:
    yield Row("id", "integer", "PK", _HEAD)
    for number, field in enumerate(entity.fields[:_MAX_ROWS], 1):
        name = truncate(field.name, _MAX_NAME) + ("?" if field.optional else "")
        kind = f"{field.target}{'[]' if field.many else ''}" if field.is_relation else field.type
        keys = "FK" if field.is_relation and not field.many else ""
        yield Row(name, truncate(kind, _MAX_TYPE), "UK" if field.unique else keys, _HEAD + number * _ROW)
    if (more := len(entity.fields) - _MAX_ROWS) > 0:
        yield Row(f"and {more} more", "", "", _HEAD + (_MAX_ROWS + 1) * _ROW)


def _size(entity: Entity, rows: Sequence[Row]) -> Box:
    widest = max(width_of(row.name) + width_of(row.type) + (30 if row.keys else 0) + 16 for row in rows)
    title = width_of(truncate(entity.name, _MAX_NAME)) * 1.1
    return Box(entity.name, max(widest, title, 120.0) + 2 * _PAD, _HEAD + len(rows) * _ROW + 6)


def _add_alone(boxes: Sequence[Box], layout: Layout) -> tuple[Mapping[str, Point], float, float]:
    """Return all places, with those of *boxes* without lines in rows below the others, and the size of it all."""
    most = max(layout.width, 900.0)
    places, width = dict(layout.places), layout.width
    x, y, row = 0.0, layout.height + (40 if layout.places else 0), 0.0
    for box in boxes:
        if x and x + box.width > most:
            x, y, row = 0.0, y + row + 26, 0.0
        places[box.name] = Point(x, y)
        width, row = max(width, x + box.width), max(row, box.height)
        x += box.width + 26
    return places, width, y + row if boxes else layout.height


def _lines(relations: Sequence[tuple[Entity, Field]], boxes: Mapping[str, EntityBox], layout: Layout) -> Iterator[Line]:
    ports = _ports(relations, boxes)
    for entity, field in relations:
        one, many = boxes[field.target or ""], boxes[entity.name]
        number = next(place for place, each in enumerate(entity.fields) if each is field)
        row = many.place.y + _HEAD + (min(number, _MAX_ROWS) + 1.5) * _ROW
        ends = ("many" if field.many else "maybe" if field.optional else "one", "maybe" if field.unique else "many")
        told = f"{entity.name}.{field.name}: {field.target}"
        if one is many:
            yield Line(_loop(many, row), *ends, told)
            continue
        port = Point(one.place.x, ports[entity.name, field.name])
        if one.place.x < many.place.x:
            way = layout.ways.get((one.name, many.name), ())
            points = [Point(port.x + one.width, port.y), *_shifted(way), Point(many.place.x, row)]
        else:
            way = layout.ways.get((many.name, one.name), ())
            points = [port, *reversed(_shifted(way)), Point(many.place.x + many.width, row)]
        yield Line(_curve(points), *ends, told)


def _ports(
    relations: Sequence[tuple[Entity, Field]], boxes: Mapping[str, EntityBox]
) -> Mapping[tuple[str, str], float]:
    """Return where lines begin at the entity that they refer to: one below the other, in the order of their ends."""
    found: dict[str, list[tuple[float, str, str]]] = {}
    for entity, field in relations:
        if field.target != entity.name:
            found.setdefault(field.target or "", []).append((boxes[entity.name].place.y, entity.name, field.name))
    ports = {}
    for name, ends in found.items():
        box = boxes[name]
        room = box.height - _HEAD
        for number, (_, entity_name, field_name) in enumerate(sorted(ends), 1):
            ports[entity_name, field_name] = box.place.y + _HEAD + room * number / (len(ends) + 1)
    return ports


def _shifted(points: Sequence[Point]) -> Sequence[Point]:
    return [Point(each.x + _MARGIN, each.y + _MARGIN) for each in points]


def _curve(points: Sequence[Point]) -> str:
    """Return a path by *points*: curved between columns, straight where it passes one."""
    parts = [f"M{_xy(points[0])}"]
    for number, (one, other) in enumerate(itertools.pairwise(points)):
        middle = (one.x + other.x) / 2
        bend = f"C{_xy(Point(middle, one.y))} {_xy(Point(middle, other.y))} {_xy(other)}"
        parts.append(bend if number % 2 == 0 else f"L{_xy(other)}")
    return "".join(parts)


def _loop(box: EntityBox, row: float) -> str:
    right, top = box.place.x + box.width, box.place.y + _HEAD / 2
    out = right + _LOOP
    return f"M{_xy(Point(right, top))}C{_xy(Point(out, top))} {_xy(Point(out, row))} {_xy(Point(right, row))}"


def _xy(point: Point) -> str:
    return f"{point.x:.0f} {point.y:.0f}"


# ---- in groups


def _in_groups(entities: Sequence[Entity], lines: Sequence[tuple[str, str]]) -> Picture:
    grouped = place_groups(find_groups([each.name for each in entities], lines), _PLAIN_WIDTH, _PLAIN_HEIGHT)
    middle = {
        name: Point(place.x + _MARGIN + _PLAIN_WIDTH / 2, place.y + _MARGIN + _PLAIN_HEIGHT / 2)
        for name, place in grouped.places.items()
    }
    own: dict[str, list[str]] = {}
    for one, other in dict.fromkeys(lines):
        if one != other:
            path = f"M{_xy(middle[one])}L{_xy(middle[other])}"
            own.setdefault(one, []).append(path)
            own.setdefault(other, []).append(path)
    boxes = [
        EntityBox(
            name=each.name,
            label=_cut(each.name),
            anchor=anchor(number),
            place=Point(grouped.places[each.name].x + _MARGIN, grouped.places[each.name].y + _MARGIN),
            width=_PLAIN_WIDTH,
            height=_PLAIN_HEIGHT,
            rows=(),
            told=_told(each),
            lines="".join(own.get(each.name, ())),
        )
        for number, each in enumerate(entities)
    ]
    drawn = dict.fromkeys(path for paths in own.values() for path in paths)
    groups = [
        each._replace(place=Point(each.place.x + _MARGIN, each.place.y + _MARGIN), title=_group_title(each))
        for each in grouped.groups
    ]
    all_lines = [Line("".join(drawn), "", "", "")] if drawn else []
    return Picture(grouped.width + 2 * _MARGIN, grouped.height + 2 * _MARGIN, boxes, all_lines, groups)


def _group_title(group: Group) -> str:
    others = len(group.names) - 1
    return f"{_cut(group.title)} and {count(others, 'other')}" if others else _cut(group.title)


def _cut(name: str) -> str:
    while width_of(name) > _PLAIN_WIDTH - 2 * _PAD:
        name = f"{name[:-2]}…"
    return name


def _told(entity: Entity) -> str:
    relations = sum(field.is_relation for field in entity.fields)
    told = count(len(entity.fields), "field")
    return f"{told}, {count(relations, 'relation')}" if relations else told
