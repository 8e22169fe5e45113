"""Reports what a job without secrets verified: as a commit status, in comment and pull request, and as annotations.

That job executed generated code, so what it hands over may be a lie.  It is parsed strictly, and only ever shown.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from bot.action.repair import next_command
from bot.action.result import CommandResult
from bot.action.run_job import RunJob
from bot.errors import ForgeError, PushError
from bot.forge.comment_command import format_command
from bot.forge.report import render_summary
from bot.forge.run_report import Report
from bot.forge.verified import CommitStatus, status_of, status_without
from bot.forge.workflow_commands import MAX_ANNOTATIONS, Annotations
from bot.history.run_state import RunState
from bot.verification.handover import parse_handover
from bot.verification.record import Record, format_record
from bot.verification.verdict import Verification

CONTEXT = "phasebot/verified"
"""The name of the commit status."""
_UNREADABLE = "the verification gave no readable report; the log of its job says more"
_OTHER_FILES = "the verification reported on other files than those of this commit"


@dataclass(slots=True, kw_only=True)
class ReportJob:
    """The report on one commit; every collaborator is an argument."""

    job: RunJob
    head: str
    """The commit that was verified."""
    handed: str
    """What the other job handed over; untrusted."""
    print_line: Callable[[str], None]
    """Print a line to the log, unchanged."""

    def work(self) -> CommandResult:
        """Report it, and start the next job if the run goes on by itself."""
        run, note = self.job.run, self.job.announcer.note
        planned, state, _ = run.branch.view()
        if planned is None or not planned.recipe.verify:
            note(f"nothing was verified: the recipe of {state.branch} has no commands for it")
            return CommandResult("answered")
        if not self._is_on_branch(state):
            note(f"{state.branch} moved on: it does not have the commit {self.head[:10]} any more")
            return CommandResult("answered")
        record = parse_handover(self.handed)
        problem = self._problem(record)
        found = record.verification if record and not problem else None
        is_at_head = run.files.tree(self.head) == run.files.tree(state.head)
        is_complete = state.complete or not is_at_head  # nothing is said of what came later
        status = status_of(found, is_complete=is_complete) if found else status_without(problem)
        failure = self._set_status(status)
        self._annotate(found)
        report = None
        if is_at_head:
            report = self._show(record if found else None, problem)
        else:
            note(f"{state.branch} moved on while {self.head[:10]} was verified; its newer files are not verified yet")
        summary = render_summary(report, ()) if report else ""
        return CommandResult("failed" if failure else "answered", failure, report, summary=summary)

    def _is_on_branch(self, state: RunState) -> bool:
        repository = self.job.run.repository
        there = bool(state.head) and repository.oid(self.head) is not None
        return there and repository.merge_base(self.head, state.head) == self.head

    def _problem(self, record: Record | None) -> str:
        if record is None:
            return _UNREADABLE
        return "" if record.verification.tree == self.job.run.files.tree(self.head) else _OTHER_FILES

    def _set_status(self, status: CommitStatus) -> str:
        """Set the status of the commit; return why that was not possible."""
        job = self.job
        try:
            job.forge.set_status(self.head, CONTEXT, status.state, status.description, job.settings.run_url)
        except ForgeError as exc:
            job.announcer.note(str(exc))
            return str(exc)
        job.announcer.note(f"{CONTEXT} of {self.head[:10]}: {status.state}, {status.description}")
        return ""

    def _annotate(self, found: Verification | None) -> None:
        """Show the first findings on the job's page; comment and pull request have more of them."""
        annotations, left_out = Annotations(), 0
        counts = {"error": 0, "warning": 0}
        for each in found.findings if found else ():
            counts[each.severity] += 1
            if counts[each.severity] > MAX_ANNOTATIONS:
                left_out += 1
                continue
            title = f"{each.rule} in {each.phase}" if each.phase else each.rule
            self.print_line(annotations.add(each.severity, each.message, title=title, file=each.path, line=each.line))
        if left_out:
            self.job.announcer.note(f"{left_out:,} more findings are in the log of the job that verified")

    def _show(self, record: Record | None, problem: str) -> Report:
        """Keep what was found, write comment and pull request, and start the next job."""
        job, notes = self.job, [problem] if problem else []
        is_telling = record is not None and record.verification.is_telling
        if record and is_telling:
            self._keep(record)
        else:
            notes += [status_of(record.verification, is_complete=True).description] if record else []
            with suppress(PushError):
                job.run.verified.fetch()
        report = job.show(notes)
        is_known = is_telling and report.verified is not None and report.verified.is_current
        verb, repairs = job.request.command.verb, job.inputs.repairs
        command = next_command(report, job.run.branch.commits, verb, repairs) if is_known else None
        if command:
            written = format_command(command)
            failure = job.start_job(written)
            job.announcer.note(f"{written} was not started: {failure}" if failure else f"another job does {written}")
        return report

    def _keep(self, record: Record) -> None:
        """Keep it beside the run, where later jobs find it for as long as the files stay the same."""
        run = self.job.run
        run.verified.write(format_record(record) or b"")
        try:
            run.verified.publish()
        except PushError as exc:
            self.job.announcer.note(f"later jobs will not know of this: {exc}")
