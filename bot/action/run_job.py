"""One GitHub Actions job on one run, from the command to its result; announces the progress."""

import asyncio
import functools
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from bot.action.inputs import ActionInputs
from bot.action.progress_comment import CommentThread, ProgressComment
from bot.action.request import CommandRequest
from bot.action.result import CommandResult, Status
from bot.engine import factory, repair
from bot.engine.requests import RollbackRequest, RunRequest, RunResult
from bot.engine.signals import until_signalled
from bot.engine.snapshot import Announcer, Snapshot
from bot.engine.verification import fetch_verified, read_verified
from bot.errors import BudgetExceeded, ForgeError, Interrupted, PhasebotError, PushError, Stopped, UsageError
from bot.forge.client import ForgeClient
from bot.forge.comment_command import Command, Verb, format_command
from bot.forge.comment_wording import for_comment
from bot.forge.report import render_summary
from bot.forge.run_report import Outcome, Report
from bot.history.checkout import OpenRun
from bot.planning.phases import PLAN_PHASE, find_phase
from bot.planning.resolved_plan import (
    OUTPUT_DIR,
    RECIPE,
    ProseSpec,
    ResolvedPlan,
    given_settings,
    resolve_exact_spec,
    resolve_spec,
)
from bot.planning.spec_source import read_issue
from bot.settings import ActionsSettings

_ENDED_EARLY = "The job was cancelled, timed out or crashed; its log says more"


@dataclass(slots=True, kw_only=True)
class RunJob:
    """The work on one run; every collaborator is an argument."""

    request: CommandRequest
    run: OpenRun
    """As the remote has it."""
    settings: ActionsSettings
    inputs: ActionInputs
    again: bool
    """Whether the command may have been answered before."""
    forge: ForgeClient
    announcer: Announcer
    timer: Callable[[], float]
    now: Callable[[], datetime]

    def work(self) -> CommandResult:
        """Start or continue the run.

        Raises:
            UsageError: There is no plan and no usable spec, or nothing to repair; nothing was written.
        """
        request, progress = self._run_request(), self._progress_comment()
        if self.request.command.verb == "fix":
            request = repair.fix_request(self.run, request, self.request.phases)
        for key in request.regenerate:
            find_phase(self.run.branch.existing_plan().phases, key)
        if self.request.instruction and request.spec is None and not request.regenerate:
            progress.note(
                "this run has a plan already, so the text of the command is not used; "
                "edit plan.yaml to change what is built"
            )
        return asyncio.run(until_signalled(functools.partial(self._work, request, progress)))

    def roll_back(self) -> CommandResult:
        """Roll back phases.

        Raises:
            UsageError: They can't be rolled back; nothing was written.
            PushError: The rollback is committed, but could not be pushed.
        """
        return asyncio.run(self._roll_back())

    def report(self) -> CommandResult:
        """Report the state of the run after a process that was killed; its commits are pushed first."""
        return asyncio.run(self._report())

    def show(self, notes: Sequence[str]) -> Report:
        """Write comment and pull request again, as the run stands, with what this clone knows to be verified."""
        return asyncio.run(self._show(notes))

    async def _show(self, notes: Sequence[str]) -> Report:
        progress = self._progress_comment()
        progress.pull = self.request.pull  # one that somebody closed meanwhile stays closed
        for each in notes:
            progress.note(each)
        result = await factory.publish_and_read(self.run)
        state = result.snapshot.published_state
        outcome: Outcome = "complete" if state.complete else "conflicts" if state.finished else "incomplete"
        snapshot = replace(result.snapshot, verified=read_verified(self.run, state.head))
        return await progress.refresh(snapshot, outcome, self._next_command(result))

    def start_job(self, command: str) -> str:
        """Start another job with *command*, for the same person; return why that was not possible, else nothing."""
        if self.settings.workflow is None:
            return "the runner does not say which workflow this is"
        workflow, ref = self.settings.workflow
        inputs = {"issue": str(self.request.number), "command": command, "login": self.request.event.login}
        try:
            self.forge.dispatch(workflow, ref, inputs)
        except ForgeError as exc:
            return str(exc)
        return ""

    async def _work(self, request: RunRequest, progress: ProgressComment, stop: asyncio.Event) -> CommandResult:
        stop_ref, event = self.run.stop_ref, self.request.event
        not_before = None if event.in_review else event.comment
        if stop_ref and not (event.comment or event.continues):
            with suppress(PushError):  # a manual start, or a ticked box, cancels an earlier stop request
                stop_ref.take_request(None)
        take_request = functools.partial(stop_ref.take_request, not_before) if stop_ref else None
        async with progress:
            try:
                result = await repair.work(self.run, request, progress, self.timer, stop, take_request)
            except PhasebotError as exc:
                result = RunResult(self._last_snapshot(progress), error=exc)
        self._log_notes(result)
        if result.errors:
            left = repair.errors_in_words(result.errors)
            progress.note(f"checks still find {left}; 'phasebot fix' lets a model mend what it can")
        status, error = _status(result, self.request.command.verb), result.error
        command = self._next_command(result)
        if status == "incomplete" and result.out_of_time and self._start_next_job(command, progress):
            return await self._finish(progress, result.snapshot, status, "continued")
        outcome = _outcome(result, status, self.request.command.verb)
        return await self._finish(progress, result.snapshot, status, outcome, error=error, command=command)

    def _last_snapshot(self, progress: ProgressComment) -> Snapshot:
        """Return what was shown last, or how the branch stands; a plan that can't be read is part of both."""
        plan, state, _ = self.run.branch.view()
        last = progress.last_snapshot
        if last and not state.fault:
            return last
        if last:
            return replace(last, state=state)
        return Snapshot(state=state, plan=plan.plan, warnings=plan.warnings) if plan else Snapshot(state=state)

    async def _roll_back(self) -> CommandResult:
        progress, command = self._progress_comment(), self.request.command
        request = RollbackRequest(
            phases=self.request.phases, to=command.to, cascade=command.cascade, requester=self.request.requester
        )
        result = await factory.roll_back_phases(self.run, request, progress.note)
        self._log_notes(result)
        return await self._finish(progress, result.snapshot, "answered", "reverted", command=self._next_command(result))

    async def _report(self) -> CommandResult:
        progress = self._progress_comment()
        result = await factory.publish_and_read(self.run)
        self._log_notes(result)
        finish = functools.partial(self._finish, progress, result.snapshot, command=self._next_command(result))
        if result.error:
            status = _status(result, self.request.command.verb)
            return await finish(status, _OUTCOMES[status], error=result.error)
        state = result.snapshot.published_state
        if state.finished:
            return await finish(*(("complete", "complete") if state.complete else ("incomplete", "conflicts")))
        if self.request.command.verb == "plan" and result.snapshot.plan:
            return await finish("answered", "planned")
        return await finish("failed", "stopped", error=PhasebotError(_ENDED_EARLY))

    def _log_notes(self, result: RunResult) -> None:
        """Log what was not written to the job's worktree, which nobody else sees."""
        for note in result.notes:
            self.announcer.note(note)

    async def _finish(
        self,
        progress: ProgressComment,
        snapshot: Snapshot,
        status: Status,
        outcome: Outcome,
        *,
        error: PhasebotError | None = None,
        command: str = "",
    ) -> CommandResult:
        message, interrupted = for_comment(str(error or ""), command), isinstance(error, Interrupted)
        if not interrupted:  # then there is no time to ask
            snapshot = replace(snapshot, verified=fetch_verified(self.run, snapshot.state.head))
        report = await progress.finish(snapshot, outcome, error, command, hurry=interrupted)
        summary = render_summary(report, snapshot.timings)
        return CommandResult(status, message, report, progress.pull, summary, interrupted)

    def _progress_comment(self) -> ProgressComment:
        request, settings = self.request, self.settings
        thread = CommentThread(
            run=request.run,
            home=request.issue or request.number,
            asked_on=request.number,
            closes=request.issue,
            login=request.event.login,
            server_url=settings.server_url,
            repository=settings.repository,
            run_url=settings.run_url,
            page_url=f"{settings.run_url}#artifacts" if self.inputs.page else "",
            key=f"{request.event.comment or 0}-{settings.run_id}",
            again=self.again,
            draft=self.inputs.draft,
            jobs=self.inputs.jobs,
        )
        progress = ProgressComment(self.forge, thread, self.announcer, timer=self.timer, now=self.now)
        if remark := self.request.command.remark:
            progress.note(remark)
        return progress

    def _run_request(self) -> RunRequest:
        command, inputs = self.request.command, self.inputs
        provider = replace(inputs.provider, provider=command.provider or inputs.provider.provider)
        regenerates = command.verb == "regenerate"
        return RunRequest(
            spec=self._spec(with_model=provider.resolve() != "template"),
            provider=provider,
            only=(PLAN_PHASE,) if command.verb == "plan" else (),
            regenerate=self.request.phases if regenerates else (),
            cascade=command.cascade and regenerates,
            discard_edits=command.discard_edits and regenerates,
            instruction=self.request.instruction if regenerates else "",
            jobs=inputs.jobs,
            seconds=inputs.deadline_minutes * 60 if inputs.deadline_minutes else None,
            max_tokens=command.max_tokens or inputs.max_tokens,
            repairs=inputs.repairs,
            requester=self.request.requester,
        )

    def _spec(self, *, with_model: bool) -> ResolvedPlan | ProseSpec | None:
        """Read the spec from the issue, unless the run has a plan; prose needs a model."""
        request, inputs, branch = self.request, self.inputs, self.run.branch
        if branch.plan_file() is not None:
            return None
        if request.event.started_by:
            raise UsageError(
                f"continuing {branch.name}: its plan is gone, so the branch was deleted or reset after the last job; "
                f"#{request.issue or request.number} may have been edited since, so it is not read again without a "
                "person's command: comment /generate there to start again"
            )
        if request.issue != request.number or request.command.verb in ("regenerate", "fix"):
            raise UsageError(f"{branch.name} has no plan; comment /generate on the issue that describes the project")
        spec = read_issue(request.number, request.title, request.body, request.instruction, prose=with_model)
        return (resolve_spec if with_model else resolve_exact_spec)(
            spec.text,
            source=spec.name,
            project=spec.project,
            title=spec.title,
            recipe=branch.plans.recipe or RECIPE,
            output_dir=inputs.output_dir or OUTPUT_DIR,
            base=branch.base_plan(inputs.output_dir or OUTPUT_DIR),
            load=branch.plans.load,
            options=inputs.options,
            given=given_settings(inputs.recipe, inputs.output_dir),
        )

    def _next_command(self, result: RunResult) -> str:
        """Return the comment that continues the run with the same request, and a token limit that suffices."""
        command, limit = self.request.command, self.request.command.max_tokens
        remaining = () if result.blocked_by else result.remaining
        if command.verb == "regenerate" and remaining and not self.request.instruction:  # the plan holds an instruction
            return format_command(replace(command, phases=tuple(remaining), text=""))
        outdated = tuple(each.phase.key for each in result.state.phases if each.stale == "dependency")
        if command.verb == "regenerate" and result.state.finished and outdated:
            return format_command(Command(verb="regenerate", phases=outdated))
        if not result.error and result.state.finished and result.state.conflicts:
            return ""  # only people can go on
        if result.unmet or result.stuck:
            return format_command(Command(verb="generate", max_tokens=limit, provider="gemini"))
        if isinstance(result.error, BudgetExceeded):
            limit = result.snapshot.likely_tokens
        return format_command(Command(verb="generate", max_tokens=limit, provider=command.provider))

    def _start_next_job(self, command: str, progress: ProgressComment) -> bool:
        """Start another job that continues the run; return whether that worked."""
        if problem := self.start_job(command):
            progress.note(f"the run can't continue by itself: {problem}")
            return False
        progress.note("the time of this job is over; another job continues the run")
        return True


def _status(result: RunResult, verb: Verb) -> Status:
    if result.error:
        return _STATUSES.get(result.error.exit_code, "failed")
    if result.state.complete and not result.remaining:
        return "complete"
    return "answered" if verb == "plan" and not result.remaining else "incomplete"


def _outcome(result: RunResult, status: Status, verb: Verb) -> Outcome:
    """Return what the command came to, in the words of the command that ran."""
    if result.error:
        return "stopped" if isinstance(result.error, Stopped | Interrupted) else _OUTCOMES[status]
    if verb in ("regenerate", "fix") and not (result.remaining or result.unmet or result.state.misplaced):
        return "regenerated"
    return "conflicts" if status == "incomplete" and result.state.finished else _OUTCOMES[status]


_STATUSES: Mapping[int, Status] = {2: "refused", 3: "incomplete", Interrupted.exit_code: "incomplete"}
"""By the error's exit code."""
_OUTCOMES: Mapping[Status, Outcome] = {
    "complete": "complete",
    "incomplete": "incomplete",
    "failed": "failed",
    "refused": "refused",
    "answered": "planned",
}
