"""Shows boxes to tick in the progress comment: make a phase again, take its new version, roll it back.  Pure."""

from collections.abc import Iterator, Sequence

from bot.forge.box_edit import format_box
from bot.forge.markdown import code, folded, paths, within
from bot.history.run_state import PhaseState
from bot.planning.phases import PLAN_PHASE

_ROOM = 8_000
"""Characters, so that the boxes crowd nothing else out."""
_INTRODUCTION = (
    "Tick a box: Phasebot begins within a minute, if you have write access, and empties the box when it is done. "
    "A phase that is made again keeps people's edits."
)


def render_boxes(phases: Sequence[PhaseState]) -> str:
    """Return the boxes of all phases that are made, folded; empty if there are none."""
    boxes = list(within(_boxes(phases), _ROOM, "change", "- and {}: comment the command instead"))
    return folded("Change a phase", [_INTRODUCTION, "", *boxes]) if boxes else ""


def _boxes(phases: Sequence[PhaseState]) -> Iterator[str]:
    for each in phases:
        if not _is_made(each) or each.phase.key == PLAN_PHASE or not format_box("regenerate", each.phase.key):
            continue
        name = code(each.phase.key)
        if each.open_conflicts or each.edited:
            yield f"{format_box('discard', each.phase.key)} take the new {name}, without people's edits"
        yield f"{format_box('regenerate', each.phase.key)} make {name} again"
        others = _dependents(phases, each.phase.key)
        also = f", with {paths(others, few=2)}" if others else ""
        yield f"{format_box('rollback', each.phase.key)} roll {name} back{also}"


def _is_made(each: PhaseState) -> bool:
    return bool(each.position) and not each.by_people


def _dependents(phases: Sequence[PhaseState], key: str) -> Sequence[str]:
    """Return the made phases that need *key*, directly or not, in plan order."""
    found: list[str] = []
    for each in phases:  # what a phase needs comes before it
        if _is_made(each) and {key, *found}.intersection(each.phase.needs):
            found.append(each.phase.key)
    return found
