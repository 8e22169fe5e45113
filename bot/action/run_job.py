"""One job of GitHub Actions works on one run: from an order to what came of it, told as it goes."""

import asyncio
import functools
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from bot.action.progress_comment import CommentThread, ProgressComment, Said, Seen, as_published
from bot.action.result import ActionInputs, CommandRequest, CommandResult, Status
from bot.engine import factory
from bot.engine.requests import Limits, RunResult
from bot.engine.runner import Announcer
from bot.errors import BudgetExceeded, ForgeError, Interrupted, PhasebotError, PushError, Stopped, UsageError
from bot.forge import report as rendering
from bot.forge.client import ForgeClient
from bot.forge.comment_command import Command, format_command
from bot.history.push_queue import PushQueue
from bot.history.run_branch import RunBranch
from bot.planning import resolved_plan
from bot.planning.phases import PLAN_PHASE, find_phase
from bot.planning.spec_source import read_issue
from bot.settings import ActionsSettings, GeminiSettings

_SECOND_STEP = "the job ended before the run did: cancelled, out of time, or an error that its log shows"


@dataclass(slots=True, kw_only=True)
class RunJob:
    """The work on one run; every collaborator is an argument."""

    asked: CommandRequest
    branch: RunBranch
    """As the remote has it."""
    settings: ActionsSettings
    inputs: ActionInputs
    gemini: GeminiSettings
    forge: ForgeClient
    announcer: Announcer
    timer: Callable[[], float]
    now: Callable[[], datetime]

    def work(self) -> CommandResult:
        """Start or continue the run.

        Raises:
            UsageError: There is nothing it could be made from; nothing was written.
        """
        order = self._order()
        for key in order.again.phases:
            find_phase(factory.plan_of(self.branch).phases, key)
        conversation = self._conversation()
        if self.asked.instruction and order.first is None and not order.again.phases:
            conversation.note(
                "the plan that there is holds, so what the command says beside it is not used; "
                "edit plan.yaml to change what is built"
            )
        return asyncio.run(factory.until_signalled(functools.partial(self._work, order, conversation)))

    def roll_back(self) -> CommandResult:
        """Take phases back.

        Raises:
            UsageError: They can't be taken back; nothing was written.
            PushError: They are, and nobody else can see it.
        """
        return asyncio.run(self._roll_back())

    async def _roll_back(self) -> CommandResult:
        asked, conversation = self.asked, self._conversation()
        work = factory.Rollback(phases=asked.phases, to=asked.command.to, cascade=asked.command.cascade)
        state = await factory.roll_back(self.branch, work, conversation.note, asked.requested)
        seen = Seen(state=state, plan=factory.plan_of(self.branch).plan)
        return await self._end(conversation, seen, "answered", Said("reverted", None, self._again()))

    def tell(self) -> CommandResult:
        """Tell how the run stands, for a process that could not any more; what it had finished is pushed first."""
        return asyncio.run(self._tell())

    async def _tell(self) -> CommandResult:
        conversation = self._conversation()
        async with PushQueue(self.branch) as publisher:
            await publisher.reconcile()
            publisher.publish()
        try:
            found = self.branch.plan_file()
            laid_out = factory.plan_at_head(found) if found else None
        except UsageError as exc:  # somebody broke the plan
            said = Said("failed", str(exc), self._again())
            return await self._end(conversation, Seen(state=self.branch.state(())), "failed", said)
        state = self.branch.state(laid_out.phases if laid_out else ())
        state = as_published(state, publisher.is_out)
        seen = Seen(state=state, plan=laid_out.plan if laid_out else None)
        if state.complete:
            return await self._end(conversation, seen, "complete", Said("complete", None, self._again()))
        if self.asked.command.verb == "plan" and found:
            return await self._end(conversation, seen, "answered", Said("planned", None, self._again()))
        return await self._end(conversation, seen, "failed", Said("stopped", _SECOND_STEP, self._again()))

    def _conversation(self) -> ProgressComment:
        asked, settings = self.asked, self.settings
        thread = CommentThread(
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
        return ProgressComment(self.forge, thread, self.announcer, timer=self.timer, now=self.now)

    def _order(self) -> factory.Order:
        asked, inputs, first = self.asked, self.inputs, None
        choice = replace(inputs.choice, provider=asked.command.provider or inputs.choice.provider)
        with_model = choice.named(self.gemini) != "template"
        if self.branch.plan_file() is None:
            if asked.issue != asked.number or asked.command.verb == "regenerate":
                raise UsageError(f"{self.branch.name} holds no plan; comment on the issue that describes the project")
            text, source, project = read_issue(
                asked.number, asked.title, asked.body, asked.instruction, prose=with_model
            )
            base, read = (
                self.branch.base_plan(inputs.output_dir),
                resolved_plan.resolve_spec if with_model else resolved_plan.resolve_exact_spec,
            )
            known = {"recipe": inputs.recipe, "output_dir": inputs.output_dir}
            first = read(text, source=source, project=project, base=base, **known)
        limits = Limits(
            jobs=inputs.jobs,
            only=(PLAN_PHASE,) if asked.command.verb == "plan" else (),
            seconds=inputs.minutes * 60 if inputs.minutes else None,
            tokens=asked.command.max_tokens or inputs.tokens,
        )
        return factory.Order(
            first=first,
            choice=choice,
            settings=self.gemini,
            limits=limits,
            requested=asked.requested,
            again=asked.again,
        )

    async def _work(self, order: factory.Order, conversation: ProgressComment, stop: asyncio.Event) -> CommandResult:
        since = None if self.asked.in_review else self.asked.comment
        look = functools.partial(self.branch.stops.look, since) if self.branch.stops else None
        if self.branch.stops and not (self.asked.comment or self.asked.continues):
            with suppress(PushError):  # somebody begins anew by hand: what was asked before is not meant
                self.branch.stops.look(None)
        async with conversation:
            try:
                outcome = await factory.carry_on(self.branch, order, conversation, self.timer, stop, look)
            except PhasebotError as exc:
                outcome = RunResult(self.branch.state(()), [], exc)
            seen = conversation.seen() or Seen(state=outcome.state)
            status = self._status(outcome)
            command = self._again(outcome.error, () if outcome.lacking else outcome.left)
            said = Said(_word(status, outcome.error), str(outcome.error) if outcome.error else None, command)
            if status == "incomplete" and outcome.late and self._continue(command, conversation):
                said = Said("continued")
            return await self._end(conversation, seen, status, said, interrupted=isinstance(outcome.error, Interrupted))

    async def _end(
        self, conversation: ProgressComment, seen: Seen, status: Status, said: Said, *, interrupted: bool = False
    ) -> CommandResult:
        report = await conversation.end(seen, said, hurry=interrupted)
        summary = rendering.render_summary(report, conversation.timings)
        return CommandResult(status, said.error or "", report, conversation.pull, summary, interrupted)

    def _status(self, outcome: RunResult) -> Status:
        if outcome.error:
            return _STATUSES.get(outcome.error.exit_code, "failed")
        if outcome.left:
            return "incomplete"
        return "complete" if outcome.state.complete else "answered"

    def _again(self, error: PhasebotError | None = None, left: Sequence[str] = ()) -> str:
        """Return the comment that continues the run as it was asked for."""
        command, tokens = self.asked.command, self.asked.command.max_tokens
        if command.verb == "regenerate" and left and not self.asked.instruction:  # which the plan holds, else
            return format_command(Command(verb="regenerate", phases=tuple(left)))
        if isinstance(error, BudgetExceeded):
            tokens = 2 * (tokens or self.inputs.tokens or 1)
        return format_command(Command(verb="generate", max_tokens=tokens, provider=command.provider))

    def _continue(self, command: str, conversation: ProgressComment) -> bool:
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
