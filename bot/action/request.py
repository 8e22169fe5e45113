"""A permitted command, with the run that it is about."""

from dataclasses import dataclass

from bot.engine.requests import Requester
from bot.errors import UsageError
from bot.forge.client import ForgeClient, PullRequest
from bot.forge.comment_command import Command, InvalidCommand
from bot.forge.webhook_event import CommandEvent
from bot.history.repository import BRANCHES
from bot.planning.spec_source import read_comment


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRequest:
    """A command whose author is allowed to run it."""

    event: CommandEvent
    command: Command
    run: str
    issue: int | None
    """The issue that the run is named for, if there is one."""
    pull: PullRequest | None
    """The pull request of the run's branch, if there is one."""
    title: str
    body: str
    """Of the issue, as it was when the command was given."""
    is_open: bool
    """Whether the issue or pull request with the command is open."""
    phases: tuple[str, ...] = ()
    """The phases that the command is about."""
    instruction: str = ""
    """The text after the command."""

    @property
    def number(self) -> int:
        """The issue or pull request with the command."""
        return self.event.number

    @property
    def requester(self) -> Requester:
        return Requester(self.event.login, self.event.request_id)

    def check_alive(self) -> None:
        """Refuse to work on a closed issue or a merged pull request.

        Raises:
            UsageError: The pull request is merged, or the issue or pull request is closed.
        """
        if self.pull and self.pull.is_merged:
            raise UsageError(
                f"pull request #{self.pull.number} of {self.run} is merged; describe what to build next in a new issue"
            )
        if not self.is_open:
            raise UsageError(f"#{self.number} is closed; reopen it and comment again")


def find_request(event: CommandEvent, command: Command, forge: ForgeClient) -> CommandRequest:
    """Find the run that *command* is about: the issue's own, or the one of the pull request's branch.

    Raises:
        UsageError: The command belongs to no run.
        ForgeError: The forge can't be read.
    """
    assert not isinstance(event.command, InvalidCommand), "an invalid command runs nothing"  # noqa: S101
    title, body, is_open, is_pull = event.title, event.body, event.is_open, event.is_pull_request
    if is_pull is None:
        found = forge.issue(event.number)
        title, body, is_open, is_pull = found.title, found.body, found.is_open, found.is_pull_request
    if is_pull:
        pull: PullRequest | None = forge.pull(event.number)
        assert pull, "it exists"  # noqa: S101
        run = _run_of_pull(pull, event.number)
        number = run.removeprefix("issue-")
        issue = int(number) if number != run and number.isascii() and number.isdecimal() else None
    else:
        run, issue = f"issue-{event.number}", event.number
        pull = forge.find_pull(f"{BRANCHES}{run}")
    text = "\n\n".join(filter(None, (command.instruction, command.text)))
    return CommandRequest(
        event=event,
        command=command,
        run=run,
        issue=issue,
        pull=pull,
        title=title,
        body=body,
        is_open=is_open,
        phases=command.phases,
        instruction=read_comment(text) if command.verb == "regenerate" else text,
    )


def _run_of_pull(pull: PullRequest, number: int) -> str:
    run = pull.head.removeprefix(BRANCHES)
    if pull.is_fork or run == pull.head:
        why = "its branch is in a fork" if pull.is_fork else f"its branch is {pull.head}, not {BRANCHES}…"
        raise UsageError(
            f"#{number} is not the pull request of a run: {why}; comment on the issue that says what to build"
        )
    return run
