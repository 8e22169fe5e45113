"""How often a run was repaired: read from its commits.  Pure."""

from collections.abc import Sequence

from bot.history.run_state import Commit


def last_round(commits: Sequence[Commit]) -> tuple[int, int]:
    """Return the number of the last round of repair, and with how many errors it began; zeros if there was none.

    Rounds count until a commit that is no repair: what people or another command changed may be repaired anew.
    """
    newest = next((each.trailers for each in reversed(commits)), None)
    return (newest.repair if newest else None) or (0, 0)


def next_round(commits: Sequence[Commit], errors: int, limit: int) -> int | None:
    """Return the number of the next round for a run with so many *errors*, *limit* rounds at most.

    None if there is nothing to repair, or no round left, or the last round did not leave fewer errors than it found.
    """
    number, before = last_round(commits)
    if not errors or number >= limit or (number and errors >= before):
        return None
    return number + 1
