"""Handle a command on a forge: check the person's access, find the run, do the work, and answer in every case."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.action.access import access_problem
from bot.action.inputs import ActionInputs, GivenInputs
from bot.action.open_run import open_run, read_configuration
from bot.action.report_job import ReportJob
from bot.action.request import CommandRequest, find_request
from bot.action.result import CommandResult, Status
from bot.action.run_job import RunJob
from bot.configuration import Configuration
from bot.engine.explanation import explain_run
from bot.engine.rejected_changes import rejected_changes
from bot.engine.snapshot import Announcer
from bot.engine.verification import fetch_verified
from bot.errors import ForgeError, PhasebotError, UsageError
from bot.forge import report as rendering
from bot.forge.client import ForgeClient, Reaction
from bot.forge.comment_command import QUESTIONS, Command, InvalidCommand, Verb, format_command, own_words, parse_command
from bot.forge.comment_wording import for_comment
from bot.forge.explanation_list import render_explanations
from bot.forge.run_report import Outcome, Report
from bot.forge.webhook_event import MARKER, CommandEvent
from bot.forge.workflow_commands import Annotations, Level
from bot.generation.llm.prices import estimate
from bot.history.checkout import OpenRun
from bot.history.credentials import Credentials
from bot.history.explanation_words import why
from bot.history.plan_reader import BrokenPlanError
from bot.history.reasons import code_of, without_remedy
from bot.planning.phases import find_owner
from bot.planning.spec_source import read_comment
from bot.sandbox.worker import shared_worker
from bot.settings import ActionsSettings

_REACTIONS: Mapping[Status, Reaction] = {"complete": "rocket", "answered": "+1"}
"""All other statuses get "confused"."""
_STATUS = Command(verb="status")
_LEVELS: Mapping[Status, Level] = {"failed": "error", "incomplete": "warning"}


@dataclass(slots=True, kw_only=True)
class CommandHandler:
    """Handles one command in a GitHub Actions job; every collaborator is an argument."""

    settings: ActionsSettings
    given: GivenInputs
    """What the workflow says; the repository's settings complete it."""
    forge: ForgeClient
    announcer: Announcer
    print_line: Callable[[str], None]
    """Print a line to the log, unchanged."""
    timer: Callable[[], float]
    now: Callable[[], datetime]
    _inputs: ActionInputs | None = field(init=False, default=None)
    _run: OpenRun | None = field(init=False, default=None)
    _again: bool = field(init=False, default=False)
    """Whether the command may have been answered before, so that its answer is looked for and edited."""

    def handle(self, event: CommandEvent, *, finish: bool = False) -> CommandResult:
        """Run the command and report its result; with *finish* only report, after a process that was killed."""
        self._again = finish or self.settings.attempt > 1
        if reason := access_problem(event, self.forge):
            refused = CommandResult("refused", reason) if event.tick else self._refuse(event, reason)
            return self._end(event, refused)
        self._react(event, "eyes")
        result = self._answered(event, finish=finish)
        if event.tick and not result.report:
            self._empty_boxes(event)
        return self._end(event, result)

    def _answered(self, event: CommandEvent, *, finish: bool) -> CommandResult:
        """Run the command; people get an answer whatever happens."""
        try:
            return self._run_command(event, finish=finish)
        except BrokenPlanError as exc:
            settings = self.settings
            text = rendering.render_broken_plan(exc.fault, settings.server_url, settings.repository)
            self._write(event, text)
            return CommandResult("refused", str(exc))
        except UsageError as exc:
            return self._refuse(event, for_comment(str(exc)))
        except PhasebotError as exc:
            written = "" if isinstance(event.command, InvalidCommand) else format_command(event.command)
            message = for_comment(str(exc), written)
            self._write(event, rendering.render_failure(message, written))
            return CommandResult("failed", message)

    def _empty_boxes(self, event: CommandEvent) -> None:
        """Write the progress comment again after a command that did not, so that the box can be ticked again."""
        try:
            request = find_request(replace(event, command=_STATUS), _STATUS, self.forge)
            if event.tick and event.tick.run == request.run:
                self._job(request).show([])
        except PhasebotError as exc:
            self.announcer.note(str(exc))

    def report(self, event: CommandEvent, run: str, head: str, handed: str) -> CommandResult:
        """Report what a job without secrets verified of the commit *head* of *run*, which the event's command made.

        Nobody is answered: the job that ran the command did that.

        Raises:
            PhasebotError: It can't be reported.
        """
        if reason := access_problem(event, self.forge):
            return CommandResult("refused", reason)
        if isinstance(event.command, InvalidCommand):
            return CommandResult("refused", event.command.message)
        request = find_request(event, event.command, self.forge)
        if request.run != run:
            raise UsageError(f"reporting on {run}: the event is about {request.run}; hand on the output 'run' as it is")
        return ReportJob(job=self._job(request), head=head, handed=handed, print_line=self.print_line).work()

    def _run_command(self, event: CommandEvent, *, finish: bool) -> CommandResult:
        command = event.command
        if isinstance(command, InvalidCommand):
            return self._correct(event, command)
        if finish and command.verb in QUESTIONS:
            return CommandResult("failed", "the job ended before the command was answered")
        request = find_request(event, command, self.forge)
        if event.tick and event.tick.run != request.run:
            return CommandResult("refused", f"the box is in a comment about {event.tick.run}, not {request.run}")
        return self._job(request).report() if finish else self._verbs()[command.verb](request)

    def _verbs(self) -> Mapping[Verb, Callable[[CommandRequest], CommandResult]]:
        return {
            "generate": self._generate,
            "plan": self._generate,
            "explain": self._explain,
            "status": self._status,
            "stop": self._stop,
            "help": self._help,
            "regenerate": self._regenerate,
            "fix": self._generate,
            "rollback": self._roll_back,
        }

    def _inputs_of(self, event: CommandEvent) -> ActionInputs:
        """Return the workflow's inputs, completed by what the repository sets; once per process."""
        if self._inputs is None:
            self._inputs = self.given.complete(self._configuration(event))
        return self._inputs

    def _configuration(self, event: CommandEvent) -> Configuration:
        workspace, base = self.settings.workspace, self.given.base_branch
        try:
            return read_configuration(workspace, base, event.default_branch, credentials=self._credentials())
        except UsageError as exc:
            command = event.command
            if isinstance(command, InvalidCommand) or command.verb == "help" or command.verb not in QUESTIONS:
                raise
            self.announcer.note(str(exc))  # a run can be stopped, and looked at, whatever the file says
            return Configuration()

    def _credentials(self) -> Credentials:
        return Credentials(self.settings.token.get_secret_value(), self.settings.server_url)

    def _open_run(self, request: CommandRequest) -> OpenRun:
        """Open the run and integrate the remote's branch; once per process."""
        if self._run:
            return self._run
        settings, branch, inputs = self.settings, request.event.default_branch, self._inputs_of(request.event)
        run = open_run(settings.workspace, inputs, request.run, branch, self.now, credentials=self._credentials())
        run.sync.integrate(run.sync.fetch())
        self._run = run
        return run

    # Commands

    def _generate(self, request: CommandRequest) -> CommandResult:
        request.check_alive()
        shared_worker().start()
        return self._job(request).work()

    def _regenerate(self, request: CommandRequest) -> CommandResult:
        request.check_alive()
        shared_worker().start()
        return self._job(self._with_review(request) if request.event.in_review else request).work()

    def _with_review(self, request: CommandRequest) -> CommandRequest:
        """Add the phase of the commented file, and what people with write access said about it in the thread."""
        event = request.event
        assert event.comment, "it is a comment"  # noqa: S101
        phases = request.phases or (
            find_owner(self._open_run(request).branch.existing_plan().phases, event.path or ""),
        )
        thread = self.forge.review_thread(event.number, event.comment)
        given_at = next((each.updated_at for each in thread if each.id == event.comment), None)
        comments = [
            read_comment(own_words(each.body))
            for each in thread
            if given_at and each.updated_at <= given_at and parse_command(each.body, in_review=True) is None
            if each.author and not each.body.startswith(MARKER) and self.forge.may_write(each.author)
        ]
        instruction = "\n\n".join(filter(None, (*comments, request.instruction)))
        return replace(request, phases=phases, instruction=instruction)

    def _roll_back(self, request: CommandRequest) -> CommandResult:
        request.check_alive()
        return self._job(request).roll_back()

    def _job(self, request: CommandRequest) -> RunJob:
        return RunJob(
            request=request,
            run=self._open_run(request),
            settings=self.settings,
            again=self._again,
            inputs=self._inputs_of(request.event),
            forge=self.forge,
            announcer=self.announcer,
            timer=self.timer,
            now=self.now,
        )

    def _status(self, request: CommandRequest) -> CommandResult:
        branch = self._open_run(request).branch
        plan, state, error = branch.view()
        explained = explain_run(branch).phases if plan else ()
        finished: Outcome = "complete" if state.complete else "conflicts"
        report = Report(
            state=state,
            outcome=finished if state.finished else "incomplete",
            requested_by="",
            server_url=self.settings.server_url,
            repository=self.settings.repository,
            run_url="",
            pull=request.pull.number if request.pull else None,
            cost=str(estimate(state.models, self.now())) if any(state.tokens) else "",
            notes=branch.notes,
            next_command="" if state.conflicts and state.finished else "/generate",
            plan=plan.plan if plan else None,
            rejected=rejected_changes(branch, state, {}),
            verified=fetch_verified(self._open_run(request), state.head),
            why={each.state.phase.key: why(each) for each in explained},
        )
        return self._answer(request, rendering.render_status(report), report, error)

    def _explain(self, request: CommandRequest) -> CommandResult:
        explained = explain_run(self._open_run(request).branch, request.phases)
        if explained.error:
            raise explained.error
        now = self.now()
        costs = {each.state.phase.key: str(estimate(each.models, now)) for each in explained.phases if each.models}
        return self._answer(request, render_explanations(explained.phases, costs))

    def _stop(self, request: CommandRequest) -> CommandResult:
        stop_ref = self._open_run(request).stop_ref
        assert stop_ref, "a run that is pushed has one"  # noqa: S101
        stop_ref.request_stop(request.requester.login, request.requester.comment)
        return self._answer(request, rendering.render_stopping(request.run))

    def _help(self, request: CommandRequest) -> CommandResult:
        plan = self._open_run(request).branch.view().plan
        phases = [phase.key for phase in plan.phases] if plan else []
        return self._answer(request, rendering.render_help(self._inputs_of(request.event).shown(), phases))

    # Answers

    def _answer(
        self,
        request: CommandRequest,
        text: str,
        report: Report | None = None,
        error: BrokenPlanError | None = None,
    ) -> CommandResult:
        if remark := request.command.remark:
            text = f"{text}\n\n{rendering.render_remark(remark)}"
        self._write(request.event, text)
        return CommandResult("refused" if error else "answered", str(error or ""), report, request.pull, text)

    def _correct(self, event: CommandEvent, invalid: InvalidCommand) -> CommandResult:
        if not invalid.suggestion:
            return self._refuse(event, invalid.message)
        self._write(event, rendering.render_suggestion(invalid.message, invalid.suggestion))
        return CommandResult("refused", invalid.message)

    def _refuse(self, event: CommandEvent, reason: str) -> CommandResult:
        self._write(event, rendering.render_refusal(reason))
        return CommandResult("refused", reason)

    def _write(self, event: CommandEvent, text: str) -> None:
        """Answer in the thread of the command."""
        body = rendering.render_answer(f"{event.comment or 0}-{self.settings.run_id}", text)
        try:
            if event.in_review and event.comment:
                self.forge.reply(event.number, event.comment, body, again=self._again)
            else:
                self.forge.comment(event.number, body, again=self._again)
        except ForgeError as exc:
            self.announcer.note(str(exc))

    def _react(self, event: CommandEvent, reaction: Reaction, *, hurry: bool = False) -> None:
        comment = event.tick.comment if event.tick else event.comment
        if comment is None:
            return
        try:
            if reaction != "eyes" and not hurry:
                self.forge.take_back_reaction(comment, "eyes", in_review=event.in_review)
            if reaction == "eyes" or not event.tick:  # our own comment says by itself how it ended
                self.forge.react(comment, reaction, in_review=event.in_review)
        except ForgeError as exc:
            self.announcer.note(str(exc))

    def _end(self, event: CommandEvent, result: CommandResult) -> CommandResult:
        """Add the final reaction, and annotate the job's page with the problems."""
        if not (result.report and result.report.outcome == "continued"):
            self._react(event, _REACTIONS.get(result.status, "confused"), hurry=result.interrupted)
        annotations = Annotations()
        if result.message:
            level = _LEVELS.get(result.status, "notice")
            self.print_line(annotations.add(level, result.message, title=f"Phasebot: {result.status}"))
        for phase, failed in result.report.failures.items() if result.report else ():
            for path, reason in failed.items():
                detail = without_remedy(reason, code_of(reason))
                self.print_line(annotations.add("warning", detail, title=f"Not generated in {phase}", file=path))
        return result
