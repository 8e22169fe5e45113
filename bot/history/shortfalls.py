"""What people ask for and a run could not do: rules that templates can't carry out, files without a template, ….

Words and remedies, for a terminal and for comments; bounded, however much was asked.  Pure.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from bot.history.run_state import PhaseState, RunState
from bot.planning.phases import by_similarity
from bot.text import one_line

_PHASES, _ASKS, _FILES, _LENGTH = 4, 3, 6, 80
"""How many phases, sentences and files are named, and how many characters of a sentence or name."""


class Shortfall(NamedTuple):
    """One kind of thing that is not done, and what people can do about it."""

    words: str
    remedy: str
    """On a terminal."""
    on_forge: str
    """In a comment, in Markdown; the next command follows it."""


def find_shortfalls(
    state: RunState, *, unwritable: Collection[str] = (), unmet: Collection[str] | None = None
) -> Sequence[Shortfall]:
    """Return what the run could not do.

    *unwritable* are the phases that templates were asked for and can't write.  *unmet* limits those that are told to be
    made without what people ask of them.
    """
    found = [each for each in state.phases if each.unmet and (unmet is None or each.phase.key in unmet)]
    lacking = [each for each in state.phases if each.unwritable and each.phase.key in unwritable]
    return [
        *([_without_template(lacking, state)] if lacking else []),
        *([_not_carried_out(found)] if found else []),
        *([_misplaced(state)] if state.misplaced else []),
    ]


def waiting_for(state: RunState, keys: Collection[str]) -> Sequence[str]:
    """Return the wanted phases that need one of *keys*, directly or not, in plan order."""
    found: list[str] = []
    for each in state.phases:  # what a phase needs comes before it
        if each.wanted and each.phase.key not in keys and {*keys, *found}.intersection(each.phase.needs):
            found.append(each.phase.key)
    return found


def asks_of(each: PhaseState) -> str:
    """Return what is not carried out of what people ask of a phase, in a few words."""
    return _few([f'"{one_line(ask, _LENGTH)}"' for ask in each.unmet], _ASKS)


def _not_carried_out(phases: Sequence[PhaseState]) -> Shortfall:
    what = _few([f"{_name(each.phase.key)} ({asks_of(each)})" for each in phases], _PHASES, "more phases")
    by_hand = "or do it yourself and take the rule out of"
    return Shortfall(
        f"templates can't carry out what is asked of {what}",
        f"set GEMINI_API_KEY or use --provider gemini, {by_hand} plan.yaml, then run generate again",
        f"set the workflow's input `gemini-api-key` so that a model does it, {by_hand} the plan",
    )


def _without_template(phases: Sequence[PhaseState], state: RunState) -> Shortfall:
    keys = [each.phase.key for each in phases]
    waiting = waiting_for(state, keys)
    files = _few([one_line(path, _LENGTH) for each in phases for path in each.unwritable], _FILES)
    it = "it" if len(keys) == 1 else "one"
    waits = f"; {_few(list(map(_name, waiting)), _PHASES)} {'waits' if len(waiting) == 1 else 'wait'} for that"
    return Shortfall(
        f"templates can't write {_few(list(map(_name, keys)), _PHASES)}{waits if waiting else ''}",
        f"set GEMINI_API_KEY or use --provider gemini, write the files yourself: {files}, "
        f"or move {it} to left-out in plan.yaml, then run generate again",
        f"set the workflow's input `gemini-api-key` so that a model writes them, write the files yourself: {files}, "
        f"or move {it} to `left-out` in the plan",
    )


def _misplaced(state: RunState) -> Shortfall:
    keys = [each.phase.key for each in state.phases[1:]]
    named = [
        f"{one_line(key, _LENGTH)!r}"
        + "".join(f" (did you mean {_name(near)}?)" for near in by_similarity(keys, key)[:1])
        for key in state.misplaced[:_PHASES]
    ]
    more = len(state.misplaced) - len(named)
    many = "instructions for" if len(state.misplaced) > 1 else "an instruction for"
    which = "which are no phases" if len(state.misplaced) > 1 else "which is no phase"
    told = _few(named, _PHASES) + (f" and {more} more" if more else "")
    return Shortfall(
        f"the plan has {many} {told}, {which}",
        "correct the key in plan.yaml, then run generate again",
        "correct the key in the plan",
    )


def _name(key: str) -> str:
    return one_line(key, _LENGTH)


def _few(names: Sequence[str], number: int, more: str = "more") -> str:
    shown = list(names[:number])
    left = len(names) - len(shown)
    return ", ".join(shown) + (f" and {left} {more}" if left else "")


def lines(found: Sequence[Shortfall]) -> Iterator[str]:
    """Yield each shortfall with its remedy for a terminal."""
    yield from (f"{each.words}; {each.remedy}" for each in found)
