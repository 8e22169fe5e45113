"""Draws with Mermaid what people can read on GitHub: how long the phases took, and the entities of a plan.  Pure."""

import re
from collections import Counter
from collections.abc import Sequence

from bot.forge.markdown import fenced, paths, span
from bot.planning.entities import Entity
from bot.planning.er_diagram import draw
from bot.planning.plan import Plan
from bot.text import truncate

_MAX_DIAGRAM = 12_000
"""Characters; a diagram crowds out nothing else."""
_FEW_ALONE = 3
_WIDEST, _WIDEST_WITHOUT_FIELDS = 6, 12
"""How many entities may stand side by side: GitHub shrinks a diagram to the width of the text."""
_MAX_NAME = 100
_MAX_BAR = 60
_HOUR = 3600
_MAX_TICKS = 5
"""More would stand on top of each other on a phone."""
_STEPS = (1, 2, 5, 10, 15, 30, *(60 * each for each in (1, 2, 5, 10, 15, 30)), *(_HOUR * each for each in (1, 2, 4, 8)))


def entity_diagram(plan: Plan) -> str:
    """Return the entities of *plan* as a diagram, in Markdown, or a sentence if nobody could read it.

    Entities without relations would stand in one endless row, so many of them are only named.  A diagram that is too
    wide or too long has no fields.
    """
    alone = _alone(plan.entities)
    drawn = [each for each in plan.entities if each.name not in alone] if len(alone) > _FEW_ALONE else plan.entities
    chart = _readable(drawn)
    if not chart:
        number = len(plan.entities)
        return f"The plan has {number:,} entities, too many for a diagram that people can read." if number else ""
    if drawn == plan.entities:
        return chart
    names = paths([truncate(name, _MAX_NAME) for name in alone])
    return f"{chart}\n\nNot drawn, because they relate to no other entity: {names}."


def _readable(entities: Sequence[Entity]) -> str:
    width = _width(entities)
    for with_fields, widest in ((True, _WIDEST), (False, _WIDEST_WITHOUT_FIELDS)):
        if entities and width <= widest and len(text := draw(entities, with_fields=with_fields)) <= _MAX_DIAGRAM:
            return fenced(text, "mermaid")
    return ""


def _alone(entities: Sequence[Entity]) -> Sequence[str]:
    """Return the names of the entities without relations, to others or from others."""
    related = {
        name for each in entities for field in each.fields if field.is_relation for name in (each.name, field.target)
    }
    return [each.name for each in entities if each.name not in related]


def _width(entities: Sequence[Entity]) -> int:
    """Return how many entities stand side by side: Mermaid puts each below those that it relates to."""
    levels: dict[str, int] = {}
    targets = {
        each.name: {field.target for field in each.fields if field.is_relation} - {each.name} for each in entities
    }
    for _ in entities:  # cycles end after so many rounds
        before = dict(levels)
        for name, others in targets.items():
            levels[name] = min(len(entities), 1 + max((levels.get(other or "", 0) for other in others), default=0))
        if levels == before:
            break
    return max(Counter(levels.values()).values(), default=0)


def gantt(bars: Sequence[tuple[int, str, float, float]]) -> str:
    """Return a Gantt chart of number, name, start and end in seconds; the first start is zero.

    Times are written as clock times of some day: Mermaid would show numbers in the time zone of who looks.
    """
    start, end = min(bar[2] for bar in bars), max(bar[3] for bar in bars)
    seconds = end - start
    step = next((each for each in _STEPS if seconds <= each * _MAX_TICKS), _STEPS[-1])
    unit, size = next(
        (unit, size) for unit, size in (("hour", _HOUR), ("minute", 60), ("second", 1)) if step % size == 0
    )
    lines = ["gantt", "    dateFormat YYYY-MM-DD HH:mm:ss.SSS", "    todayMarker off"]
    lines += [f"    axisFormat {'%H:%M' if seconds >= _HOUR else '%M:%S'}", f"    tickInterval {step // size}{unit}"]
    for number, name, begin, finish in bars:  # the number keeps a name from being a Mermaid keyword
        shown = truncate(re.sub(r"[^A-Za-z0-9_./ -]+", " ", name), _MAX_BAR)
        first, last = round((begin - start) * 1000), round((finish - start) * 1000)
        times = f"{_clock(first)}, {_clock(max(first + 1, last))}"
        lines.append(f"    {number}. {shown}, {span(finish - begin)} :done, {times}")
    return "\n".join(lines)


def _clock(milliseconds: int) -> str:
    """Return a moment that many milliseconds after a midnight, at most a day later."""
    seconds, rest = divmod(min(milliseconds, 86_399_999), 1000)
    return f"2000-01-01 {seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:03}"
