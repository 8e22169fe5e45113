"""How often a run was repaired: read from its commits.  Pure."""

from collections.abc import Collection, Sequence
from itertools import takewhile
from typing import NamedTuple

from bot.history.run_state import Commit
from bot.history.trailers import Round


class Interrupted(NamedTuple):
    """A round of repair that has not come to its end."""

    round: Round
    made: Collection[str]
    """Keys of the phases that it has made again."""


def last_round(commits: Sequence[Commit]) -> Round | None:
    """Return the last round of repair; None if there was none.

    Rounds count until a commit that is no repair: what people or another command changed may be repaired anew.
    """
    newest = next((each.trailers for each in reversed(commits)), None)
    return newest.repair if newest else None


def interrupted_round(commits: Sequence[Commit]) -> Interrupted | None:
    """Return the last round of repair if phases are left that it was to make again."""
    last = last_round(commits)
    trailers = (each.trailers for each in reversed(commits))
    newest = takewhile(lambda each: each is not None and each.repair == last, trailers)
    made = {each.phase for each in newest if each and each.phase}
    return Interrupted(last, made) if last and len(made) < last.phases else None


def next_round(commits: Sequence[Commit], errors: int, limit: int) -> int | None:
    """Return the number of the next round for a run with so many *errors*, *limit* rounds at most.

    None if there is nothing to repair, or no round left, or the last round did not leave fewer errors than it found.
    """
    last = last_round(commits)
    number = last.number if last else 0
    if not errors or number >= limit or (last and errors >= last.errors):
        return None
    return number + 1
