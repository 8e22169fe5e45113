"""What a run goes on with by itself after it was verified."""

from bot.forge.comment_command import Command
from bot.forge.run_report import Report


def next_command(report: Report) -> Command | None:  # noqa: ARG001  # repairs are decided here
    """Return the command that another job is started with; None if it is for people to decide.

    *report* has the state of the run, and what was verified of the very files at its head.
    """
    return None
