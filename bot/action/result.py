"""The result of a command: status, exit code and outputs of the job."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from bot.errors import Interrupted
from bot.forge.client import PullRequest
from bot.forge.run_report import Report

Status = Literal["complete", "incomplete", "failed", "refused", "answered"]

EXIT_CODES: Mapping[Status, int] = {"complete": 0, "answered": 0, "failed": 1, "refused": 2, "incomplete": 3}


@dataclass(frozen=True, slots=True)
class CommandResult:
    """The result of a command."""

    status: Status
    message: str = ""
    """Why nothing was done, or what failed."""
    report: Report | None = None
    """The report of the run, if the command was about one."""
    pull: PullRequest | None = None
    summary: str = ""
    """Markdown for the job's page."""
    interrupted: bool = False

    @property
    def exit_code(self) -> int:
        return Interrupted.exit_code if self.interrupted else EXIT_CODES[self.status]

    @property
    def outputs(self) -> Mapping[str, str]:
        """The outputs of the action: name → value."""
        outputs: dict[str, object] = {"status": self.status}
        if self.pull:
            outputs |= {"pull-request-number": self.pull.number, "pull-request-url": self.pull.url}
        if self.report:
            state = self.report.state
            outputs |= {"run": state.run, "branch": state.branch, "head": state.head}
            done = sum(each.done for each in state.phases)
            outputs |= {"phases-done": done, "phases-total": len(state.phases)}
            outputs |= {"files": self.report.files, "tokens": sum(state.tokens)}
            outputs |= {"continues": "true"} if self.report.outcome == "continued" else {}
        return {name: str(value) for name, value in outputs.items()}
