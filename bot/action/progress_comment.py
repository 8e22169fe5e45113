"""Announce a run on a forge: a progress comment that is kept up to date, a pull request and a closing comment.

Each edit renders the whole text from a snapshot, and shows only commits that were pushed.  Edits are rate-limited.
If the forge fails, people see less of the run, but the run itself continues.
"""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from math import ceil
from statistics import fmean
from typing import Self, TypeVar

from bot.engine.snapshot import Announcer, Snapshot
from bot.errors import ForgeError, ForgeGoneError, ForgeRefusedError, PhasebotError
from bot.forge.client import ForgeClient, PullRequest
from bot.forge.comment_wording import for_comment
from bot.forge.report import (
    marker,
    render_answer,
    render_closing,
    render_progress,
    render_pull_body,
    render_pull_title,
)
from bot.forge.run_report import Outcome, Report
from bot.generation.llm.prices import estimate
from bot.history.reasons import without_remedy
from bot.history.run_state import RunState
from bot.planning.phases import PLAN_PHASE

T = TypeVar("T")
_EDIT_EVERY = 5.0
"""Minimum seconds between two edits of the comment."""
_SLOWDOWN = 0.02
"""Share of the elapsed time to wait between edits: GitHub limits edits per hour, and people look less often later."""
_PULL_EVERY = 6
"""The pull request is edited this many times less often, because people read it less often than the comment."""
_ATTEMPTS = 3
"""Attempts for the final edit, which has to succeed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentThread:
    """Where a run is announced, and who requested it."""

    run: str
    home: int
    """The issue or pull request that holds the progress comment."""
    asked_on: int
    """The issue or pull request with the command."""
    closes: int | None
    """The issue that merging the pull request closes."""
    login: str
    server_url: str
    repository: str
    run_url: str
    page_url: str = ""
    """Where the page of the run is once the job has uploaded it; empty if it does not."""
    key: str
    """Identifies the command, so that its answer is found again."""
    again: bool = False
    """Whether the command may have been answered by an earlier attempt of the job, or by its step that was killed."""
    draft: bool = True
    """Whether the pull request is a draft until the run is complete."""
    jobs: int = 1


class ProgressComment:
    """Announces a run on a forge, and to *console*.

    As a context manager it edits the comment in the background; after that, :meth:`finish` writes the final text.
    """

    def __init__(
        self,
        forge: ForgeClient,
        thread: CommentThread,
        console: Announcer,
        *,
        timer: Callable[[], float],
        now: Callable[[], datetime],
    ) -> None:
        """Announce in *thread*."""
        self._forge, self._thread, self._console = forge, thread, console
        self._timer, self._now = timer, now
        self._started = timer()
        self.last_snapshot: Snapshot | None = None
        self.pull: PullRequest | None = None
        """The pull request, once there is one."""
        self._updated = asyncio.Event()
        self._editing = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._comment: int | None = None
        self._comment_text = self._pull_text = ""
        self._comment_edited = self._pull_edited = -_EDIT_EVERY * _PULL_EVERY
        self._notes: list[str] = []
        self._pull_forbidden = False

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task:
            async with self._editing:  # let a running edit finish, because the effect of an aborted request is unknown
                self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def show(self, snapshot: Snapshot) -> None:
        """Record a change; returns immediately."""
        self.last_snapshot = snapshot
        self._console.show(snapshot)
        self._updated.set()

    def note(self, message: str) -> None:
        """Show one message that is not part of the state."""
        message = for_comment(message)
        self._notes.append(message)
        self._console.note(message)
        self._updated.set()

    async def _run(self) -> None:
        while True:
            await self._updated.wait()
            self._updated.clear()
            snapshot = self.last_snapshot
            if snapshot and not snapshot.published_state.finished:  # otherwise the final edit follows
                async with self._editing:
                    await self._update(snapshot, partial(self._report, snapshot, "working"), last=False)
            await asyncio.sleep(max(_EDIT_EVERY, (self._timer() - self._started) * _SLOWDOWN))

    async def finish(
        self, snapshot: Snapshot, outcome: Outcome, error: PhasebotError | None, command: str, *, hurry: bool
    ) -> Report:
        """Write how the run ended: comment, pull request, and a short closing comment, which notifies people.

        *command* is the comment that continues the run.  With *hurry* it does not wait and writes only comments,
        because the process may be killed at any moment.
        """
        snapshot = replace(snapshot, active={})
        render = partial(self._report, snapshot, outcome, error, command)
        if not hurry:
            await asyncio.sleep(max(0.0, self._comment_edited + _EDIT_EVERY - self._timer()))
        await self._write_last(snapshot, render, hurry=hurry)
        report = render()
        if outcome != "continued":  # otherwise another job notifies people
            answer = render_answer(self._thread.key, render_closing(report))
            write = partial(self._forge.comment, again=self._thread.again)
            await self._try(write, self._thread.asked_on, answer)
        return report

    async def refresh(self, snapshot: Snapshot, outcome: Outcome, command: str) -> Report:
        """Write comment and pull request again, some time after the run ended; nobody is notified."""

        def render() -> Report:
            return replace(self._report(snapshot, outcome, None, command), elapsed=None, expected=None)

        await self._write_last(snapshot, render)
        return render()

    async def _write_last(self, snapshot: Snapshot, render: Callable[[], Report], *, hurry: bool = False) -> None:
        for attempt in range(1 if hurry else _ATTEMPTS):
            await asyncio.sleep(_EDIT_EVERY * attempt)
            if await self._update(snapshot, render, last=True, hurry=hurry):
                break

    def _report(
        self, snapshot: Snapshot, outcome: Outcome, error: PhasebotError | None = None, command: str = ""
    ) -> Report:
        now, state, thread = self._timer(), snapshot.published_state, self._thread
        compared = state.branch if state.base_problem else f"{state.base}...{state.branch}"
        compare = f"{thread.server_url}/{thread.repository}/compare/{compared}?expand=1"
        return Report(
            state=state,
            outcome=outcome,
            requested_by=thread.login,
            server_url=thread.server_url,
            repository=thread.repository,
            run_url=thread.run_url,
            page_url=thread.page_url,
            pull=self.pull.number if self.pull else None,
            compare_url=compare if self._pull_forbidden else "",
            active={key: now - started for key, started in snapshot.active.items()},
            elapsed=now - self._started,
            expected=_expected(snapshot, state, now - self._started, thread.jobs),
            rejected=snapshot.rejected,
            regenerated=len({key for key, _ in snapshot.published} - {PLAN_PHASE}),
            failures=snapshot.failures,
            findings=snapshot.findings,
            verified=snapshot.verified,
            error=for_comment(without_remedy(str(error), error.code), command) if error else None,
            error_code=error.code if error else "",
            cost=str(estimate(state.models, self._now())) if any(state.tokens) else "",
            notes=tuple(dict.fromkeys(self._notes)),
            next_command=command,
            plan=snapshot.plan,
            warnings=snapshot.warnings,
            try_it=snapshot.try_it,
            unwritable=[each.phase.key for each in state.phases] if snapshot.by_templates else (),
        )

    async def _update(
        self, snapshot: Snapshot, report: Callable[[], Report], *, last: bool, hurry: bool = False
    ) -> bool:
        """Update the comment and, without *hurry*, the pull request; return whether the comment is up to date."""
        if any(each.commit for each in snapshot.published_state.phases) and not hurry:
            await self._update_pull(snapshot, report(), last=last)
        body = render_progress(report())  # the pull request may be open by now
        return body == self._comment_text or await self._try(self._write_comment, body)

    async def _update_pull(self, snapshot: Snapshot, report: Report, *, last: bool) -> None:
        description = snapshot.plan.description if snapshot.plan else ""
        body = render_pull_body(report, self._thread.closes, description)
        if self.pull is None and not self._pull_forbidden:
            project = snapshot.plan.project if snapshot.plan else report.state.run
            await self._open_pull(report.state, render_pull_title(project), body)
        if self.pull is None or not self.pull.is_open:
            return
        due = last or self._timer() - self._pull_edited >= _EDIT_EVERY * _PULL_EVERY
        if due and body != self._pull_text:
            await self._try(self._edit_pull, self.pull, body)
        if last and report.state.complete and self.pull.is_draft:
            await self._try(self._forge.mark_ready, self.pull)

    def _edit_pull(self, pull: PullRequest, body: str) -> None:
        self._pull_edited = self._timer()
        self._forge.edit_pull(pull, body=body)
        self._pull_text = body

    async def _open_pull(self, state: RunState, title: str, body: str) -> None:
        """Find or open the pull request; if that is not possible, people get a link to open it themselves."""

        def find_or_open() -> PullRequest | None:
            found = self._forge.find_pull(state.branch)
            if found and (found.is_open or found.is_merged):
                return found
            if state.base_problem:
                self._pull_forbidden = True
                return None
            self._pull_edited, self._pull_text = self._timer(), body
            draft = self._thread.draft
            return self._forge.open_pull(head=state.branch, base=state.base, title=title, body=body, draft=draft)

        try:
            self.pull = await _in_thread(find_or_open)
        except ForgeRefusedError as exc:
            self._pull_forbidden = True
            self._notes.append(str(exc))
            self._console.note(str(exc))
        except ForgeError as exc:
            self._console.note(str(exc))

    def _write_comment(self, body: str) -> None:
        """Write *body* to the progress comment; create the comment if it does not exist (any more)."""
        if self._comment is None:
            self._comment = self._forge.find_comment(self._thread.home, marker(self._thread.run))
        if self._comment is not None:
            try:
                self._forge.edit_comment(self._comment, body)
                self._comment_edited = self._timer()
            except ForgeGoneError:
                self._comment = None
        if self._comment is None:
            self._comment = self._forge.comment(self._thread.home, body)
        self._comment_text = body

    async def _try(self, call: Callable[..., object], *arguments: object) -> bool:
        """Call the forge; return whether it worked, and log the error if not."""
        try:
            await _in_thread(partial(call, *arguments))
        except ForgeError as exc:
            self._console.note(str(exc))
            return False
        return True


async def _in_thread(call: Callable[[], T]) -> T:
    """Return what *call* returns.  Unlike those of :func:`asyncio.to_thread`, its thread does not delay the exit."""
    outcome = Future[T]()

    def run() -> None:
        outcome.set_running_or_notify_cancel()
        try:
            outcome.set_result(call())
        except BaseException as exc:  # noqa: BLE001  # raised where it is awaited
            outcome.set_exception(exc)

    threading.Thread(target=run, name="comment", daemon=True).start()
    return await asyncio.wrap_future(outcome)


def _expected(snapshot: Snapshot, state: RunState, elapsed: float, jobs: int) -> float | None:
    """Estimate the run's total seconds from the phases so far; None before the first one is finished."""
    seconds = [ended - started for _, started, ended in snapshot.timings]
    if not seconds:
        return None
    depth: dict[str, int] = {}
    for each in state.phases:  # plan order: what a phase needs comes before it
        if each.wanted:
            depth[each.phase.key] = 1 + max((depth.get(need, 0) for need in each.phase.needs), default=0)
    rounds = sum(ceil(phases / jobs) for phases in Counter(depth.values()).values())
    return elapsed + rounds * fmean(seconds)
