"""Handle a command on a forge: check the person's access, find the run, do the work, and answer in every case."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.action.inputs import ActionInputs
from bot.action.request import CommandRequest, find_request
from bot.action.result import CommandResult, Status
from bot.action.run_job import RunJob
from bot.engine import factory
from bot.engine.snapshot import Announcer
from bot.errors import ForgeError, PhasebotError, UsageError
from bot.forge import report as rendering
from bot.forge.client import ForgeClient, Reaction
from bot.forge.comment_command import InvalidCommand, Verb, format_command, parse_command
from bot.forge.report import Report
from bot.forge.webhook_event import MARKER, CommandEvent
from bot.forge.workflow_commands import Annotations, Level
from bot.generation.llm.prices import estimate
from bot.history.base import NamedBases
from bot.history.checkout import OpenRun, RunLocation
from bot.history.remote import Credentials
from bot.history.repository import Identity
from bot.planning.er_diagram import format_diagram
from bot.planning.phases import find_owner
from bot.planning.spec_source import read_comment
from bot.settings import ActionsSettings

_REACTIONS: Mapping[Status, Reaction] = {"complete": "rocket", "answered": "+1"}
"""All other statuses get "confused"."""
_LEVELS: Mapping[Status, Level] = {"failed": "error", "incomplete": "warning"}
_BOT = Identity("github-actions[bot]", "41898282+github-actions[bot]@users.noreply.github.com")


@dataclass(slots=True, kw_only=True)
class CommandHandler:
    """Handles one command in a GitHub Actions job; every collaborator is an argument."""

    settings: ActionsSettings
    inputs: ActionInputs
    forge: ForgeClient
    announcer: Announcer
    print_line: Callable[[str], None]
    """Print a line to the log, unchanged."""
    timer: Callable[[], float]
    now: Callable[[], datetime]
    _run: OpenRun | None = field(init=False, default=None)

    def handle(self, event: CommandEvent, *, finish: bool = False) -> CommandResult:
        """Run the command and report its result; with *finish* only report, after a process that was killed."""
        if reason := self._access_problem(event):
            return self._end(event, self._refuse(event, reason))
        self._react(event, "eyes")
        try:
            result = self._run_command(event, finish=finish)
        except UsageError as exc:
            result = self._refuse(event, str(exc))
        except PhasebotError as exc:
            written = "" if isinstance(event.command, InvalidCommand) else format_command(event.command)
            self._write(event, rendering.render_failure(str(exc), written))
            result = CommandResult("failed", str(exc))
        return self._end(event, result)

    def _run_command(self, event: CommandEvent, *, finish: bool) -> CommandResult:
        command = event.command
        if isinstance(command, InvalidCommand):
            return self._correct(event, command)
        if finish and command.verb in ("status", "stop", "help"):
            return CommandResult("failed", "the job ended before the command was answered")
        request = find_request(event, command, self.forge)
        return self._job(request).report() if finish else self._verbs()[command.verb](request)

    def _verbs(self) -> Mapping[Verb, Callable[[CommandRequest], CommandResult]]:
        return {
            "generate": self._generate,
            "plan": self._generate,
            "status": self._status,
            "stop": self._stop,
            "help": self._help,
            "regenerate": self._regenerate,
            "rollback": self._roll_back,
        }

    # Access, and the run

    def _access_problem(self, event: CommandEvent) -> str | None:
        """Return why the command is refused; None if everybody responsible for it has write access."""
        if not event.vouching:
            return f"{event.login} is not a person, and does not name the person who requested the command"
        try:
            for login in event.vouching:
                if not self.forge.may_write(login):
                    return f"{login} has no write access to this repository; ask somebody with write access to comment"
        except ForgeError as exc:
            return f"checking whether {event.login} has write access to this repository failed: {exc}"
        return None

    def _open_run(self, request: CommandRequest) -> OpenRun:
        """Open the run and integrate the remote's branch; once per process."""
        if self._run:
            return self._run
        settings = self.settings
        if not settings.workspace.is_dir() or not any(settings.workspace.iterdir()):
            raise UsageError(
                "opening the repository: the workspace is empty; put a step 'uses: actions/checkout' before this one"
            )
        location = RunLocation(
            folder=settings.workspace,
            run=request.run,
            bases=NamedBases(named=self.inputs.base_branch, default=request.event.default_branch, for_new_runs=True),
            push=True,
            credentials=Credentials(settings.token.get_secret_value(), settings.server_url),
            committer=_BOT,
        )
        run = factory.open_clone(location).open_run(request.run, self.now)
        run.sync.integrate(run.sync.fetch())
        self._run = run
        return run

    # Commands

    def _generate(self, request: CommandRequest) -> CommandResult:
        request.check_alive()
        return self._job(request).work()

    def _regenerate(self, request: CommandRequest) -> CommandResult:
        request.check_alive()
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
            read_comment(each.body)
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
            inputs=self.inputs,
            forge=self.forge,
            announcer=self.announcer,
            timer=self.timer,
            now=self.now,
        )

    def _status(self, request: CommandRequest) -> CommandResult:
        branch = self._open_run(request).branch
        plan = branch.plan()
        state = branch.state(plan.phases if plan else ())
        report = Report(
            state=state,
            outcome="complete" if state.complete else "incomplete",
            requested_by="",
            server_url=self.settings.server_url,
            repository=self.settings.repository,
            run_url="",
            pull=request.pull.number if request.pull else None,
            cost=str(estimate(state.models, self.now())) if any(state.tokens) else "",
            notes=branch.base.notes,
            next_command="/generate",
            plan_diagram=format_diagram(plan.plan) if plan else "",
        )
        return self._answer(request, rendering.render_status(report), report)

    def _stop(self, request: CommandRequest) -> CommandResult:
        stop_ref = self._open_run(request).stop_ref
        assert stop_ref, "a run that is pushed has one"  # noqa: S101
        stop_ref.request_stop(request.requester.login, request.requester.comment)
        return self._answer(request, rendering.render_stopping(request.run))

    def _help(self, request: CommandRequest) -> CommandResult:
        plan = self._open_run(request).branch.plan()
        phases = [phase.key for phase in plan.phases] if plan else []
        return self._answer(request, rendering.render_help(self.inputs.shown(), phases))

    # Answers

    def _answer(self, request: CommandRequest, text: str, report: Report | None = None) -> CommandResult:
        self._write(request.event, text)
        return CommandResult("answered", "", report, request.pull, text)

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
                self.forge.reply(event.number, event.comment, body)
            else:
                self.forge.comment(event.number, body)
        except ForgeError as exc:
            self.announcer.note(str(exc))

    def _react(self, event: CommandEvent, reaction: Reaction, *, hurry: bool = False) -> None:
        if event.comment is None:
            return
        try:
            if reaction != "eyes" and not hurry:
                self.forge.take_back_reaction(event.comment, "eyes", in_review=event.in_review)
            self.forge.react(event.comment, reaction, in_review=event.in_review)
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
                self.print_line(annotations.add("warning", reason, title=f"Not generated in {phase}", file=path))
        return result
