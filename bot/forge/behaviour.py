"""Shows in Markdown what a plan says besides entities and fields, so that people review the behaviour first.  Pure."""

from collections.abc import Iterator, Sequence

from bot.forge.light_markup import light_line
from bot.forge.markdown import Markdown, folded, inert_code, line, within
from bot.planning.entities import Entity, Item
from bot.planning.plan import FEATURES, Plan
from bot.text import count, truncate

_ROOM = {"Features": 3_500, "Rules": 3_500, "Left out": 1_500, "Options": 500}
_MAX_LINE, _MAX_NAME = 400, 100
"""Character limits, so that no part crowds out another."""


def render_behaviour(plan: Plan) -> Markdown:
    """Return features, rules, what is left out and options as sections; empty if the plan has none of them."""
    parts = [
        f"### {title}\n\n" + "\n".join(within(rows, _ROOM[title], "line")) for title, rows in _sections(plan) if rows
    ]
    return Markdown("\n\n".join(parts))


def fold_behaviour(plan: Plan) -> Markdown:
    """Return the same, collapsed under a line that counts it."""
    counts = [f"{count(len(rows), _WORDS[title])}{_AFTER.get(title, '')}" for title, rows in _sections(plan) if rows]
    return Markdown(folded(", ".join(counts), [render_behaviour(plan)])) if counts else Markdown("")


_WORDS = {"Features": "feature", "Rules": "rule", "Left out": "thing", "Options": "option"}
_AFTER = {"Left out": " left out"}


def _sections(plan: Plan) -> Iterator[tuple[str, Sequence[str]]]:
    yield "Features", [_item(each) for each in plan.features]
    others = [(name, items) for name, items in plan.collections.items() if name != FEATURES]
    owners: list[Entity | Item] = [*plan.entities, *plan.features, *(each for _, items in others for each in items)]
    rules = [f"- {_bold(owner.name)}: {rule}" for owner in owners for rule in _rules(owner)]
    rules += [f"- {_text(rule)}" for rule in plan.rules]
    rules += [f"- {inert_code(truncate(key, _MAX_NAME))}: {_text(said)}" for key, said in plan.instructions.items()]
    yield "Rules", rules
    yield "Left out", [f"- {_text(each)}" for each in plan.left_out]
    yield (
        "Options",
        [f"- {inert_code(truncate(f'{name}: {value}', _MAX_NAME))}" for name, value in plan.options.items()],
    )


def _item(item: Item) -> str:
    does = f": {_text(item.does)}" if item.does else ""
    uses = f" Uses {_text(', '.join(item.uses))}." if item.uses else ""
    return f"- {_bold(item.name)}{does}{uses}"


def _rules(owner: Entity | Item) -> Iterator[str]:
    if isinstance(owner, Entity) and owner.access:
        yield "access: " + line("; ".join(f"{verb} {', '.join(who)}" for verb, who in owner.access.items()))
    yield from map(_text, owner.rules)


def _bold(name: str) -> str:
    return f"**{line(truncate(name, _MAX_NAME))}**"


def _text(text: str) -> str:
    return light_line(truncate(text, _MAX_LINE))
