"""Say in a message which commits could not be pushed, and where they are.  Pure."""

from collections.abc import Sequence

from bot.history.run_state import Commit

_SHOWN = 8


def describe(commits: Sequence[Commit]) -> str:
    """Name the phases of *commits* and count the others: ``2 phases (core, main) and 1 other commit are``."""
    phases = list(dict.fromkeys(each.trailers.phase for each in commits if each.trailers and each.trailers.phase))
    others = sum(not (each.trailers and each.trailers.phase) for each in commits)
    parts = []
    if phases:
        names = ", ".join(phases[:_SHOWN]) + (f" and {len(phases) - _SHOWN} more" if len(phases) > _SHOWN else "")
        parts.append(f"{_count(len(phases), 'phase')} ({names})")
    if others:
        parts.append(_count(others, "other commit" if phases else "commit"))
    return f"{' and '.join(parts)} {'is' if len(phases) + others == 1 else 'are'}"


def whereabouts(commits: Sequence[Commit], *, disposable: bool) -> str:
    """Say where the unpushed *commits* are and what to do; empty if there are none.

    *disposable* says that the clone is thrown away when the process has ended.
    """
    if not commits:
        return ""
    if not disposable:
        return "the commits are safe on the local branch, run generate again to push them"
    if all(each.trailers and each.trailers.phase for each in commits):
        todo = "comment /generate to generate what is lost again"
    else:
        todo = "comment the command again"
    return f"{describe(commits)} only in this job's clone and lost with it; {todo}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
