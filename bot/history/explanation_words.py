"""Words about phases that the terminal and comments share.

Each text is one printable line; a comment escapes it once more.
"""

from collections.abc import Mapping

from bot.history.causes import (
    OUTDATING,
    ByPeople,
    Cause,
    Conflict,
    Edit,
    Kept,
    Missing,
    NeverMade,
    Reverted,
    Unmet,
    sentence,
)
from bot.history.explanation import Explanation
from bot.history.run_state import PhaseState, Stale
from bot.text import count, one_line

_MAX_NAME, _MAX_LINE = 100, 160

OUTDATED: Mapping[Stale, str] = {
    "plan": "the plan changed",
    "dependency": "a phase it depends on was regenerated",
    "recipe": "the recipe changed",
}
"""Why a phase is outdated."""
_BY_WEIGHT = (Conflict, Missing, *OUTDATING, Reverted, Unmet, Edit, Kept, ByPeople)
"""The causes, those first that people have to do most about."""


def status_words(state: PhaseState) -> str:
    """Return the state of a phase: ``complete, outdated: the plan changed``."""
    return state.status + (f", outdated: {OUTDATED[state.stale]}" if state.stale else "")


def made_words(each: Explanation, cost: str) -> str:
    """Return what is known of the newest commit: by which model, how many files, what all commits of the phase cost."""
    made, state = each.made, each.state
    assert made, "it was made"  # noqa: S101
    trailers = made.trailers
    files, (read, written) = len(state.files), state.tokens
    words = (
        one_line(trailers.model or {"template": "templates"}.get(trailers.provider or "", ""), _MAX_NAME),
        f"{files} of {count(state.total, 'file')}" if state.missing else count(files, "file"),
        f"{len(state.fallback)} of them from the template" if state.fallback else "",
        f"{read:,} in + {written:,} out tokens{f', {cost}' if cost else ''}" if read + written else "",
        f"asked for by {one_line(trailers.requested_by, _MAX_NAME)}" if trailers.requested_by else "",
    )
    return ", ".join(filter(None, words))


def why(each: Explanation) -> str:
    """Return the main cause why a phase is more than simply complete, and how many more there are, in one line.

    Empty if there is none, and for a phase that was never made: its state says that.
    """
    main = next((cause for kind in _BY_WEIGHT for cause in each.causes if isinstance(cause, kind)), None)
    if main is None or not each.is_notable:
        return ""
    others = len(each.causes) - 1
    return one_line(reason_words(main), _MAX_LINE) + (f", and {others} more" if others else "")


def reason_words(cause: Cause) -> str:
    """Return a cause as the reason why a phase would be made: ``never made``, ``missing a.py: timed out``."""
    labelled = cause.label in ("missing", "removed", "edited", "kept") or isinstance(cause, ByPeople)
    return "never made" if isinstance(cause, NeverMade) else f"{f'{cause.label} ' if labelled else ''}{sentence(cause)}"
