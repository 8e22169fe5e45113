"""Words about phases that the terminal and comments share.

Each text is one printable line; a comment escapes it once more.
"""

from collections.abc import Mapping, Sequence

from bot.history.causes import OUTDATING, Cause, NeverMade, RecipeChange, sentence
from bot.history.explanation import Explanation
from bot.history.run_state import PhaseState, Stale
from bot.text import one_line

_MAX_NAME, _MAX_LINE = 100, 160

OUTDATED: Mapping[Stale, str] = {
    "plan": "the plan changed",
    "dependency": "a phase it depends on was regenerated",
    "recipe": "the recipe changed",
}
"""Why a phase is outdated."""


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
        f"{files} of {state.total} files" if state.missing else f"{files} file{'' if files == 1 else 's'}",
        f"{len(state.fallback)} of them from the template" if state.fallback else "",
        f"{read:,} in + {written:,} out tokens{f', {cost}' if cost else ''}" if read + written else "",
        f"asked for by {one_line(trailers.requested_by, _MAX_NAME)}" if trailers.requested_by else "",
    )
    return ", ".join(filter(None, words))


def main_cause(causes: Sequence[Cause]) -> str:
    """Return the main of the *causes* why a phase is outdated, and how many more there are; empty without details."""
    main = next((each for kind in OUTDATING for each in causes if isinstance(each, kind)), None)
    if main is None or (isinstance(main, RecipeChange) and not main.files):
        return ""
    others = len(causes) - 1
    return one_line(main.words, _MAX_LINE) + (f", and {others} more" if others else "")


def reason_words(cause: Cause) -> str:
    """Return a cause as the reason why a phase would be made: ``never made``, ``missing a.py: timed out``."""
    labelled = cause.label in ("missing", "removed", "edited")
    return "never made" if isinstance(cause, NeverMade) else f"{f'{cause.label} ' if labelled else ''}{sentence(cause)}"
