"""From a command on a forge to an answer, whatever comes of it: who may, which run it is about, and what to do."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from bot.action.result import ActionInputs, CommandRequest, CommandResult, Status
from bot.action.run_job import RunJob
from bot.engine import factory
from bot.engine.runner import Announcer
from bot.errors import ForgeError, PhasebotError, UsageError
from bot.forge import report as rendering
from bot.forge.client import ForgeClient, Reaction
from bot.forge.command_event import CommandEvent
from bot.forge.comment_command import InvalidCommand, Verb, format_command, parse_command
from bot.forge.report import Report
from bot.forge.webhook_event import MARKER
from bot.forge.workflow_commands import Annotations, Level
from bot.generation.llm.prices import estimate
from bot.generation.templates import render_phase
from bot.history.remote import Credentials
from bot.history.repository import BRANCHES, Identity
from bot.history.run_branch import RunBranch
from bot.history.run_location import RunLocation, open_branch
from bot.planning.er_diagram import format_diagram
from bot.planning.phases import find_owner
from bot.planning.resolved_plan import ResolvedPlan
from bot.planning.spec_source import read_comment
from bot.settings import ActionsSettings, GeminiSettings

_REACTIONS: Mapping[Status, Reaction] = {"complete": "rocket", "answered": "+1"}
"""All others confuse."""
_LEVELS: Mapping[Status, Level] = {"failed": "error", "incomplete": "warning"}
_BOT = Identity("github-actions[bot]", "41898282+github-actions[bot]@users.noreply.github.com")


@dataclass(slots=True, kw_only=True)
class CommandHandler:
    """One process in a job of GitHub Actions; every collaborator is an argument."""

    settings: ActionsSettings
    inputs: ActionInputs
    gemini: GeminiSettings
    forge: ForgeClient
    announcer: Announcer
    say: Callable[[str], None]
    """Print a line to the log, as it is."""
    timer: Callable[[], float]
    now: Callable[[], datetime]

    def answer(self, heard: CommandEvent, *, finish: bool = False) -> CommandResult:
        """Do what was asked and tell what came of it; with *finish* only tell, for a process that could not."""
        if problem := self._why_not(heard):
            return self._end(heard, self._refused(heard, problem))
        self._react(heard, "eyes")
        try:
            ending = self._do(heard, finish=finish)
        except UsageError as exc:
            ending = self._refused(heard, str(exc))
        except PhasebotError as exc:
            self._write(heard, rendering.render_failure(str(exc), _written(heard)))
            ending = CommandResult("failed", str(exc))
        return self._end(heard, ending)

    def _do(self, heard: CommandEvent, *, finish: bool) -> CommandResult:
        command = heard.command
        if isinstance(command, InvalidCommand):
            return self._correct(heard, command)
        if finish and command.verb in ("status", "stop", "help"):
            return CommandResult("failed", "the job ended before the command was answered")
        asked = self._find(heard)
        return self._tell(heard, asked) if finish else self._verbs()[command.verb](heard, asked)

    def _verbs(self) -> Mapping[Verb, Callable[[CommandEvent, CommandRequest], CommandResult]]:
        return {
            "generate": self._generate,
            "plan": self._generate,
            "status": self._status,
            "stop": self._stop,
            "help": self._help,
            "regenerate": self._regenerate,
            "rollback": self._roll_back,
        }

    # ---- who may, and which run

    def _why_not(self, heard: CommandEvent) -> str | None:
        """Return why the command may not be given; None if everybody who stands behind it may."""
        if not heard.vouching:
            return f"{heard.login} is no person, and names nobody on whose behalf it asks"
        try:
            for login in heard.vouching:
                if not self.forge.may_write(login):
                    return f"{login} has no write access to this repository; somebody who has may give the command"
        except ForgeError as exc:
            return f"whether {heard.login} has write access to this repository can't be told: {exc}"
        return None

    def _find(self, heard: CommandEvent) -> CommandRequest:
        """Find out which run a command is about.

        Raises:
            UsageError: It is about none.
        """
        title, body, is_open, is_pull = heard.title, heard.body, heard.is_open, heard.is_pull_request
        if is_pull is None:
            issue = self.forge.issue(heard.number)
            title, body, is_open, is_pull = issue.title, issue.body, issue.is_open, issue.is_pull_request
        if is_pull:
            pull = self.forge.pull(heard.number)
            run = pull.head.removeprefix(BRANCHES)
            if pull.is_fork or run == pull.head:
                why = "its branch is in a fork" if pull.is_fork else f"its branch is {pull.head}, not {BRANCHES}…"
                raise UsageError(
                    f"#{heard.number} is no pull request of a run, {why}; comment on the issue that says what to build"
                )
            number = run.removeprefix("issue-")
            issue_number = int(number) if number != run and number.isascii() and number.isdecimal() else None
        else:
            run, issue_number = f"issue-{heard.number}", heard.number
            pull = self.forge.find_pull(f"{BRANCHES}{run}")  # type: ignore[assignment]  # there may be none
        assert not isinstance(heard.command, InvalidCommand), "a mistake runs nothing"  # noqa: S101
        said = "\n\n".join(filter(None, (heard.command.instruction, heard.command.text)))
        return CommandRequest(
            command=heard.command,
            run=run,
            number=heard.number,
            issue=issue_number,
            pull=pull,
            title=title,
            body=body,
            is_open=is_open,
            login=heard.login,
            comment=heard.comment,
            continues=heard.continues,
            in_review=heard.in_review,
            phases=heard.command.phases,
            instruction=read_comment(said) if heard.command.verb == "regenerate" else said,
        )

    def _branch(self, heard: CommandEvent, asked: CommandRequest) -> RunBranch:
        """Open the run's branch as the remote has it."""
        settings = self.settings
        place = RunLocation(
            folder=settings.workspace,
            run=asked.run,
            base=self.inputs.base,
            default_base=heard.default_branch,
            push=True,
            credentials=Credentials(settings.token.get_secret_value(), settings.server_url),
            committer=_BOT,
        )
        if not settings.workspace.is_dir() or not any(settings.workspace.iterdir()):
            raise UsageError("opening the repository: it is not there; put a step 'uses: actions/checkout' before this")
        branch = open_branch(place, create=False, now=self.now, recall=render_phase)
        branch.take_in(branch.fetch())
        return branch

    # ---- the commands

    def _generate(self, heard: CommandEvent, asked: CommandRequest) -> CommandResult:
        _check_alive(asked)
        return self._job(heard, asked).work()

    def _regenerate(self, heard: CommandEvent, asked: CommandRequest) -> CommandResult:
        _check_alive(asked)
        if heard.in_review:
            asked = self._reviewed(heard, asked)
        return self._job(heard, asked).work()

    def _reviewed(self, heard: CommandEvent, asked: CommandRequest) -> CommandRequest:
        """Take the phase of the file that is talked about, and what people who may write said about it."""
        assert heard.comment, "it is a comment"  # noqa: S101
        phases = asked.phases or (find_owner(factory.plan_of(self._branch(heard, asked)).phases, heard.path or ""),)
        thread = self.forge.review_thread(heard.number, heard.comment)
        given = next((each.updated_at for each in thread if each.id == heard.comment), None)
        said = [
            read_comment(each.body)
            for each in thread
            if given and each.updated_at <= given and parse_command(each.body, in_review=True) is None
            if each.author and not each.body.startswith(MARKER) and self.forge.may_write(each.author)
        ]
        instruction = "\n\n".join(filter(None, (*said, asked.instruction)))
        return replace(asked, phases=phases, instruction=instruction)

    def _roll_back(self, heard: CommandEvent, asked: CommandRequest) -> CommandResult:
        _check_alive(asked)
        return self._job(heard, asked).roll_back()

    def _tell(self, heard: CommandEvent, asked: CommandRequest) -> CommandResult:
        return self._job(heard, asked).tell()

    def _job(self, heard: CommandEvent, asked: CommandRequest) -> RunJob:
        return RunJob(
            asked=asked,
            branch=self._branch(heard, asked),
            settings=self.settings,
            inputs=self.inputs,
            gemini=self.gemini,
            forge=self.forge,
            announcer=self.announcer,
            timer=self.timer,
            now=self.now,
        )

    def _status(self, heard: CommandEvent, asked: CommandRequest) -> CommandResult:
        branch = self._branch(heard, asked)
        planned = _planned(branch)
        state = branch.state(planned.phases if planned else ())
        report = Report(
            state=state,
            outcome="complete" if state.complete else "incomplete",
            requested_by="",
            server_url=self.settings.server_url,
            repository=self.settings.repository,
            run_url="",
            pull=asked.pull.number if asked.pull else None,
            cost=str(estimate(state.models, self.now())) if any(state.tokens) else "",
            next_command="/generate",
            plan_diagram=format_diagram(planned.plan) if planned else "",
        )
        return self._answered(heard, rendering.render_status(report), report, asked)

    def _stop(self, heard: CommandEvent, asked: CommandRequest) -> CommandResult:
        stops = self._branch(heard, asked).stops
        assert stops, "a place that pushes has one"  # noqa: S101
        stops.ask(heard.login, str(heard.comment) if heard.comment else None)
        return self._answered(heard, rendering.render_stopping(asked.run), None, asked)

    def _help(self, heard: CommandEvent, asked: CommandRequest) -> CommandResult:
        planned = _planned(self._branch(heard, asked))
        phases = [phase.key for phase in planned.phases] if planned else []
        return self._answered(heard, rendering.render_help(self.inputs.shown(self.gemini), phases), None, asked)

    # ---- what is said

    def _answered(self, heard: CommandEvent, text: str, report: Report | None, asked: CommandRequest) -> CommandResult:
        self._write(heard, text)
        return CommandResult("answered", "", report, asked.pull, text)

    def _correct(self, heard: CommandEvent, mistake: InvalidCommand) -> CommandResult:
        if mistake.suggestion:
            self._write(heard, rendering.render_suggestion(mistake.message, mistake.suggestion))
        else:
            self._write(heard, rendering.render_refusal(mistake.message))
        return CommandResult("refused", mistake.message)

    def _refused(self, heard: CommandEvent, reason: str) -> CommandResult:
        self._write(heard, rendering.render_refusal(reason))
        return CommandResult("refused", reason)

    def _write(self, heard: CommandEvent, text: str) -> None:
        """Answer where the command stands."""
        body = rendering.render_answer(f"{heard.comment or 0}-{self.settings.run_id}", text)
        try:
            if heard.in_review and heard.comment:
                self.forge.reply(heard.number, heard.comment, body)
            else:
                self.forge.comment(heard.number, body)
        except ForgeError as exc:
            self.announcer.note(str(exc))

    def _react(self, heard: CommandEvent, reaction: Reaction, *, hurry: bool = False) -> None:
        if heard.comment is None:
            return
        try:
            if reaction != "eyes" and not hurry:
                self.forge.take_back_reaction(heard.comment, "eyes", in_review=heard.in_review)
            self.forge.react(heard.comment, reaction, in_review=heard.in_review)
        except ForgeError as exc:
            self.announcer.note(str(exc))

    def _end(self, heard: CommandEvent, ending: CommandResult) -> CommandResult:
        """Put the last reaction, and tell the job's page what went wrong."""
        if not (ending.report and ending.report.outcome == "continued"):
            self._react(heard, _REACTIONS.get(ending.status, "confused"), hurry=ending.interrupted)
        annotations = Annotations()
        if ending.message:
            level = _LEVELS.get(ending.status, "notice")
            self.say(annotations.add(level, ending.message, title=f"Phasebot: {ending.status}"))
        for phase, failed in ending.report.failures.items() if ending.report else ():
            for path, reason in failed.items():
                self.say(annotations.add("warning", reason, title=f"Not made in {phase}", file=path))
        return ending


def _check_alive(asked: CommandRequest) -> None:
    """Refuse to work on what is over."""
    if asked.pull and asked.pull.is_merged:
        raise UsageError(
            f"pull request #{asked.pull.number} of {asked.run} is merged; say in a new issue what is to come"
        )
    if not asked.is_open:
        raise UsageError(f"#{asked.number} is closed; reopen it and comment again")


def _planned(branch: RunBranch) -> ResolvedPlan | None:
    found = branch.plan_file()
    return factory.plan_at_head(found) if found else None


def _written(heard: CommandEvent) -> str:
    return "" if isinstance(heard.command, InvalidCommand) else format_command(heard.command)
