"""One job of GitHub Actions works on one run: from an order to what came of it, told as it goes."""

import asyncio
import functools
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from bot import wiring
from bot.conversation import Conversation, Said, Seen, Thread, as_published
from bot.errors import BudgetSpent, ForgeError, Interrupted, PhasebotError, PushError, Stopped, UsageError
from bot.forge import report as rendering
from bot.forge.command import Command, format_command
from bot.forge.forge import Forge, Pull
from bot.forge.report import Report
from bot.generation.opening import Choice
from bot.history.branch import Branch
from bot.history.publishing import Publisher
from bot.planning import planned
from bot.planning.phases import PLAN_PHASE
from bot.planning.source import read_issue
from bot.runner import Announcer
from bot.settings import ActionsSettings, GeminiSettings
from bot.terms import Limits, Outcome, Requested

Status = Literal["complete", "incomplete", "failed", "refused", "answered"]

EXIT_CODES: Mapping[Status, int] = {"complete": 0, "answered": 0, "failed": 1, "refused": 2, "incomplete": 3}
_SECOND_STEP = "the job ended before the run did: cancelled, out of time, or an error that its log shows"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What the workflow says about all runs of its repository."""

    choice: Choice
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
class Asked:
    """What the job is about: a command that is permitted, and the run it is for."""

    command: Command
    run: str
    number: int
    """Of the issue or pull request where the command stands."""
    issue: int | None
    """The one that began the run, if one did."""
    pull: Pull | None
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

    @property
    def requested(self) -> Requested:
        return Requested(self.login, str(self.comment) if self.comment else None)

    @property
    def added(self) -> str:
        """What the command adds to the issue's text."""
        return "\n\n".join(filter(None, (self.command.text, self.command.instruction)))


@dataclass(frozen=True, slots=True)
class Ending:
    """What came of a command."""

    status: Status
    message: str = ""
    """Why nothing was done, or what failed."""
    report: Report | None = None
    """How the run stands, if one was worked on."""
    pull: Pull | None = None
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


@dataclass(slots=True, kw_only=True)
class Job:
    """The work on one run; every collaborator is an argument."""

    asked: Asked
    branch: Branch
    """As the remote has it."""
    settings: ActionsSettings
    inputs: Inputs
    gemini: GeminiSettings
    forge: Forge
    announcer: Announcer
    timer: Callable[[], float]
    now: Callable[[], datetime]

    def work(self) -> Ending:
        """Start or continue the run.

        Raises:
            UsageError: There is nothing it could be made from; nothing was written.
        """
        conversation = self._conversation()
        order = self._order()
        if self.asked.added and order.first is None:
            conversation.note(
                "the plan that there is holds, so what the command says beside it is not used; "
                "edit plan.yaml to change what is built"
            )
        return asyncio.run(wiring.until_signalled(functools.partial(self._work, order, conversation)))

    def tell(self) -> Ending:
        """Tell how the run stands, for a process that could not any more; what it had finished is pushed first."""
        return asyncio.run(self._tell())

    async def _tell(self) -> Ending:
        conversation = self._conversation()
        async with Publisher(self.branch) as publisher:
            await publisher.reconcile()
            publisher.publish()
        try:
            found = self.branch.plan_file()
            laid_out = wiring.plan_at_head(found) if found else None
        except UsageError as exc:  # somebody broke the plan
            said = Said("failed", str(exc), self._again())
            return await self._end(conversation, Seen(state=self.branch.state(())), "failed", said)
        state = self.branch.state(laid_out.phases if laid_out else ())
        state = as_published(state, publisher.published.__contains__)
        seen = Seen(state=state, plan=laid_out.plan if laid_out else None)
        if state.complete:
            return await self._end(conversation, seen, "complete", Said("complete", None, self._again()))
        if self.asked.command.verb == "plan" and found:
            return await self._end(conversation, seen, "answered", Said("planned", None, self._again()))
        return await self._end(conversation, seen, "failed", Said("stopped", _SECOND_STEP, self._again()))

    def _conversation(self) -> Conversation:
        asked, settings = self.asked, self.settings
        thread = Thread(
            run=asked.run,
            home=asked.issue or asked.number,
            asked_on=asked.number,
            closes=asked.issue,
            login=asked.login,
            server_url=settings.server_url,
            repository=settings.repository,
            run_url=settings.run_url,
            key=f"{asked.comment or 0}-{settings.run_id}",
            draft=self.inputs.draft,
            jobs=self.inputs.jobs,
        )
        return Conversation(self.forge, thread, self.announcer, timer=self.timer, now=self.now)

    def _order(self) -> wiring.Order:
        asked, inputs, first = self.asked, self.inputs, None
        choice = replace(inputs.choice, provider=asked.command.provider or inputs.choice.provider)
        with_model = choice.named(self.gemini) != "template"
        if self.branch.plan_file() is None:
            if asked.issue != asked.number:
                raise UsageError(f"{self.branch.name} holds no plan; comment on the issue that describes the project")
            text, source, project = read_issue(asked.number, asked.title, asked.body, asked.added, prose=with_model)
            read = planned.read if with_model else planned.plan_spec
            first = read(text, source=source, project=project, recipe=inputs.recipe, output_dir=inputs.output_dir)
        limits = Limits(
            jobs=inputs.jobs,
            only=(PLAN_PHASE,) if asked.command.verb == "plan" else (),
            seconds=inputs.minutes * 60 if inputs.minutes else None,
            tokens=(asked.command.max_tokens or inputs.tokens) if with_model else None,
        )
        return wiring.Order(first=first, choice=choice, settings=self.gemini, limits=limits, requested=asked.requested)

    async def _work(self, order: wiring.Order, conversation: Conversation, stop: asyncio.Event) -> Ending:
        look = functools.partial(self.branch.stops.look, self.asked.comment) if self.branch.stops else None
        if self.branch.stops and not (self.asked.comment or self.asked.continues):
            with suppress(PushError):  # somebody begins anew by hand: what was asked before is not meant
                self.branch.stops.look(None)
        async with conversation:
            try:
                outcome = await wiring.carry_on(self.branch, order, conversation, self.timer, stop, look)
            except PhasebotError as exc:
                outcome = Outcome(self.branch.state(()), [], exc)
            seen = conversation.seen() or Seen(state=outcome.state)
            status = self._status(outcome)
            command = self._again(outcome.error)
            if status == "incomplete" and outcome.late and self._continue(command, conversation):
                command = ""
            said = Said(_word(status, outcome.error), str(outcome.error) if outcome.error else None, command)
            return await self._end(conversation, seen, status, said, interrupted=isinstance(outcome.error, Interrupted))

    async def _end(
        self, conversation: Conversation, seen: Seen, status: Status, said: Said, *, interrupted: bool = False
    ) -> Ending:
        report = await conversation.end(seen, said, hurry=interrupted)
        summary = rendering.render_summary(report, conversation.timings)
        return Ending(status, said.error or "", report, conversation.pull, summary, interrupted)

    def _status(self, outcome: Outcome) -> Status:
        if outcome.error:
            return _STATUSES.get(outcome.error.exit_code, "failed")
        if outcome.left:
            return "incomplete"
        return "complete" if outcome.state.complete else "answered"

    def _again(self, error: PhasebotError | None = None) -> str:
        """Return the comment that continues the run as it was asked for."""
        command, tokens = self.asked.command, self.asked.command.max_tokens
        if isinstance(error, BudgetSpent):
            tokens = 2 * (tokens or self.inputs.tokens or 1)
        return format_command(Command(verb="generate", max_tokens=tokens, provider=command.provider))

    def _continue(self, command: str, conversation: Conversation) -> bool:
        """Have another job go on with the run; return whether one will."""
        if self.settings.workflow is None:
            return False
        workflow, ref = self.settings.workflow
        told = {"issue": str(self.asked.number), "command": command, "login": self.asked.login}
        try:
            self.forge.dispatch(workflow, ref, told)
        except ForgeError as exc:
            conversation.note(f"it can't go on by itself: {exc}")
            return False
        conversation.note("the time of this job is over; another one goes on")
        return True


def _word(status: Status, error: PhasebotError | None) -> rendering.Outcome:
    if isinstance(error, Stopped | Interrupted):
        return "stopped"
    return _WORDS[status]


_STATUSES: Mapping[int, Status] = {2: "refused", 3: "incomplete", Interrupted.exit_code: "incomplete"}
"""By the exit code that an error has elsewhere."""
_WORDS: Mapping[Status, rendering.Outcome] = {
    "complete": "complete",
    "incomplete": "incomplete",
    "failed": "failed",
    "refused": "failed",
    "answered": "planned",
}
