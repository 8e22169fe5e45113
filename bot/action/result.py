"""What a job in GitHub Actions is about, and what came of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from bot.engine.requests import Again, Requester
from bot.errors import Interrupted
from bot.forge.client import PullRequest
from bot.forge.comment_command import Command
from bot.forge.report import Report
from bot.generation.provider_factory import ProviderOptions
from bot.settings import GeminiSettings

Status = Literal["complete", "incomplete", "failed", "refused", "answered"]

EXIT_CODES: Mapping[Status, int] = {"complete": 0, "answered": 0, "failed": 1, "refused": 2, "incomplete": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionInputs:
    """What the workflow says about all runs of its repository."""

    choice: ProviderOptions
    recipe: str
    output_dir: str
    base: str | None
    """None for the repository's default branch."""
    jobs: int
    tokens: int | None
    minutes: float | None
    draft: bool

    def shown(self, gemini: GeminiSettings) -> Mapping[str, str]:
        """Return what people may want to know of it."""
        provider = self.choice.named(gemini)
        told: dict[str, object] = {"provider": provider}
        if provider != "template":
            told |= {"model": self.choice.models[0], "fallback models": ", ".join(self.choice.models[1:])}
            told |= {"tokens at most": self.tokens and f"{self.tokens:,}"}
        told |= {"recipe": self.recipe, "output folder": self.output_dir, "base branch": self.base}
        told |= {"phases at a time": self.jobs, "time at most": self.minutes and f"{self.minutes:g} minutes"}
        return {name: str(value) for name, value in told.items() if value}


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRequest:
    """What the job is about: a command that is permitted, and the run it is for."""

    command: Command
    run: str
    number: int
    """Of the issue or pull request where the command stands."""
    issue: int | None
    """The one that began the run, if one did."""
    pull: PullRequest | None
    """The pull request of the run's branch, if there is one."""
    title: str
    body: str
    """Of the issue, as it was when the command was given."""
    is_open: bool
    """Whether the issue or pull request where the command stands is."""
    login: str
    comment: int | None
    continues: bool = False
    """Whether another job began what this one is to go on with."""
    in_review: bool = False
    """Whether the comment stands on a line of a diff; its id is then of another kind."""
    phases: Sequence[str] = ()
    """That the command is about."""
    instruction: str = ""
    """What is to be done otherwise."""

    @property
    def requested(self) -> Requester:
        return Requester(self.login, str(self.comment) if self.comment else None)

    @property
    def again(self) -> Again:
        """What is to be made again."""
        if self.command.verb != "regenerate":
            return Again()
        return Again(phases=self.phases, cascade=self.command.cascade, instruction=self.instruction)


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What came of a command."""

    status: Status
    message: str = ""
    """Why nothing was done, or what failed."""
    report: Report | None = None
    """How the run stands, if one was worked on."""
    pull: PullRequest | None = None
    summary: str = ""
    """Markdown for the job's page."""
    interrupted: bool = False

    @property
    def exit_code(self) -> int:
        return Interrupted.exit_code if self.interrupted else EXIT_CODES[self.status]

    @property
    def outputs(self) -> Mapping[str, str]:
        """The outputs of the action, by name."""
        told: dict[str, object] = {"status": self.status}
        if self.pull:
            told |= {"pull-request-number": self.pull.number, "pull-request-url": self.pull.url}
        if self.report:
            state = self.report.state
            told |= {"run": state.run, "branch": state.branch, "head": state.head}
            told |= {"phases-done": sum(not each.wanted for each in state.phases), "phases-total": len(state.phases)}
            told |= {"files": self.report.files, "tokens": sum(state.tokens)}
        return {name: str(value) for name, value in told.items()}
