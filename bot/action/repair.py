"""What a run goes on with by itself after it was verified."""

from collections.abc import Sequence

from bot.forge.comment_command import Command, Verb
from bot.forge.run_report import Report
from bot.history.repairs import last_round, next_round
from bot.history.run_state import Commit


def next_command(report: Report, commits: Sequence[Commit], verb: Verb, repairs: int) -> Command | None:
    """Return the command that another job is started with; None if it is for people to decide.

    *report* has the state of the run, and what was verified of the very files at its head; *verb* is the command that
    was verified. A repair that made no commit is not tried again: it would start itself without end.
    """
    errors = sum(len(found) for phase, found in report.verified.errors.items() if phase) if report.verified else 0
    is_by_model = bool(report.state.models)
    if not (is_by_model and report.state.finished) or (verb == "fix" and not last_round(commits)):
        return None
    return Command(verb="fix") if next_round(commits, errors, repairs) else None
