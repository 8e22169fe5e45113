"""What people see of a run on a forge: one comment that is kept true, a pull request, and a word when it ends.

All of it is rendered whole from the run's state, after a push and never before one, and not more often than people
read.  A forge that fails costs people the sight of a run, never the run.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from math import ceil
from statistics import fmean
from typing import NamedTuple, Self

from bot.engine.runner import Announcer, Runner
from bot.errors import ForgeError, ForgeGoneError, ForgeRefusedError, UsageError
from bot.forge import report as rendering
from bot.forge.client import ForgeClient, PullRequest
from bot.forge.report import Report
from bot.generation.llm.prices import estimate
from bot.history.run_state import PhaseState, RunState
from bot.planning.er_diagram import format_diagram
from bot.planning.plan import Plan

_EDIT_EVERY = 5.0
"""Seconds between two edits of a comment at least."""
_SLOWER = 0.02
"""Of the time a run has taken: GitHub allows only so many edits an hour, and people look less often after a while."""
_PULL_EVERY = 6
"""As many times as rare are edits of the pull request, where people read once a phase or a run is done."""
_ATTEMPTS = 3
"""For what is said last, and has to be right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentThread:
    """Where a run is talked about, and on whose behalf."""

    run: str
    home: int
    """Of the issue or pull request that holds the progress comment."""
    asked_on: int
    """Of the one where the command stands."""
    closes: int | None
    """The issue that merging the pull request closes."""
    login: str
    server_url: str
    repository: str
    run_url: str
    key: str
    """Names this command among all, so that what answers it is told from other answers."""
    draft: bool = True
    """Whether the pull request is a draft until the run is complete."""
    jobs: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A run at one moment, without what nobody else can see yet."""

    state: RunState
    plan: Plan | None = None
    active: Mapping[str, float] = field(default_factory=dict)
    """Phases under way → when they were begun."""
    failures: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    took: Sequence[float] = ()
    """Seconds of each phase that has ended."""


class Said(NamedTuple):
    """What there is to say beside the state."""

    word: rendering.Outcome
    error: str | None = None
    command: str = ""
    """The comment to go on with."""


class ProgressComment:
    """Announces a run on a forge as long as its context lasts; and to *console*, whatever the forge does."""

    def __init__(
        self,
        forge: ForgeClient,
        thread: CommentThread,
        console: Announcer,
        *,
        timer: Callable[[], float],
        now: Callable[[], datetime],
    ) -> None:
        """Talk in *thread*."""
        self._forge, self._thread, self._console = forge, thread, console
        self._timer, self._now = timer, now
        self._begun = timer()
        self._run: Runner | None = None
        self._seen: Seen | None = None
        self._news = asyncio.Event()
        self._telling = asyncio.Lock()
        self._serving: asyncio.Task[None] | None = None
        self._comment: int | None = None
        self._told = self._pull_told = ""
        self._edited = self._edited_pull = -_EDIT_EVERY * _PULL_EVERY
        self._notes: list[str] = []
        self._may_not_open = False
        self.pull: PullRequest | None = None
        """The pull request, once there is one."""

    async def __aenter__(self) -> Self:
        self._serving = asyncio.create_task(self._serve())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._serving:
            async with self._telling:  # what is being said is said: nobody knows what came of half a request
                self._serving.cancel()
            await asyncio.gather(self._serving, return_exceptions=True)
            self._serving = None

    def show(self, run: Runner) -> None:
        """Take note that something changed; returns at once."""
        self._run = run
        self._console.show(run)
        self._news.set()

    def note(self, message: str) -> None:
        """Tell one thing that is not in the state."""
        self._notes.append(message)
        self._console.note(message)
        self._news.set()

    @property
    def timings(self) -> Sequence[tuple[str, float, float]]:
        """The phases that this process made, each with its begin and end by the timer."""
        return [(key, begun, ended) for key, (begun, ended) in self._run.clock.took.items()] if self._run else []

    def seen(self) -> Seen | None:
        """Return what there is to be seen of the run, if it has shown itself."""
        run = self._run
        if run is None:
            return None
        with suppress(UsageError):  # somebody broke the plan: the run will end of it, and what was seen is true
            self._seen = Seen(
                state=as_published(run.state(), run.is_out),
                plan=run.plan,
                active=dict(run.active),
                failures=dict(run.failures),
                took=[end - begin for _, begin, end in self.timings],
            )
        return self._seen

    async def _serve(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            seen = self.seen()
            if seen and not seen.state.complete:  # else the end will tell in a moment
                async with self._telling:
                    await self._tell(seen, Said("working"), last=False)
            await asyncio.sleep(max(_EDIT_EVERY, (self._timer() - self._begun) * _SLOWER))

    async def end(self, seen: Seen, said: Said, *, hurry: bool) -> Report:
        """Say for good how the run ended: the comment, the pull request, and a short comment, which notifies people.

        In a *hurry* nothing is waited for, and the comments come first: the process may be killed any moment.
        """
        await self.__aexit__()
        seen = replace(seen, active={})
        if not hurry:
            await asyncio.sleep(max(0.0, self._edited + _EDIT_EVERY - self._timer()))
        for attempt in range(1 if hurry else _ATTEMPTS):
            await asyncio.sleep(_EDIT_EVERY * attempt)
            if await self._tell(seen, said, last=True, hurry=hurry):
                break
        report = self._report(seen, said)
        if said.word != "continued":  # nobody need be told yet
            answer = rendering.render_answer(self._thread.key, rendering.render_closing(report))
            await self._try(self._forge.comment, self._thread.asked_on, answer)
        return report

    def _report(self, seen: Seen, said: Said) -> Report:
        now, state, thread = self._timer(), seen.state, self._thread
        compare = f"{thread.server_url}/{thread.repository}/compare/{state.base}...{state.branch}?expand=1"
        return Report(
            state=state,
            outcome=said.word,
            requested_by=thread.login,
            server_url=thread.server_url,
            repository=thread.repository,
            run_url=thread.run_url,
            pull=self.pull.number if self.pull else None,
            compare_url=compare if self._may_not_open else "",
            active={key: now - begun for key, begun in seen.active.items()},
            elapsed=now - self._begun,
            expected=_expected(seen, now - self._begun, thread.jobs),
            failures=seen.failures,
            error=said.error,
            cost=str(estimate(state.models, self._now())) if any(state.tokens) else "",
            notes=tuple(dict.fromkeys(self._notes)),
            next_command=said.command,
            plan_diagram=format_diagram(seen.plan) if seen.plan else "",
        )

    async def _tell(self, seen: Seen, said: Said, *, last: bool, hurry: bool = False) -> bool:
        """Bring pull request, without *hurry*, and comment up to date; return whether the comment is."""
        if any(each.commit for each in seen.state.phases) and not hurry:
            await self._tell_pull(seen, said, last=last)
        body = rendering.render_progress(self._report(seen, said))
        return body == self._told or await self._try(self._write, body)

    async def _tell_pull(self, seen: Seen, said: Said, *, last: bool) -> None:
        description = seen.plan.description if seen.plan else ""
        body = rendering.render_pull_body(self._report(seen, said), self._thread.closes, description)
        if self.pull is None and not self._may_not_open:
            project = seen.plan.project if seen.plan else seen.state.run
            await self._open_pull(seen.state, rendering.render_pull_title(project), body)
        if self.pull is None or not self.pull.is_open:
            return
        due = last or self._timer() - self._edited_pull >= _EDIT_EVERY * _PULL_EVERY
        if due and body != self._pull_told:
            await self._try(self._edit_pull, self.pull, body)
        if last and said.word == "complete" and self.pull.is_draft:
            await self._try(self._forge.mark_ready, self.pull)

    def _edit_pull(self, pull: PullRequest, body: str) -> None:
        self._edited_pull = self._timer()
        self._forge.edit_pull(pull, body=body)
        self._pull_told = body

    async def _open_pull(self, state: RunState, title: str, body: str) -> None:
        """Find or open the pull request; where that is not allowed, people get a link to do it themselves."""

        def find_or_open() -> PullRequest:
            found = self._forge.find_pull(state.branch)
            if found and (found.is_open or found.is_merged):
                return found
            self._edited_pull, self._pull_told = self._timer(), body
            draft = self._thread.draft
            return self._forge.open_pull(head=state.branch, base=state.base, title=title, body=body, draft=draft)

        try:
            self.pull = await asyncio.to_thread(find_or_open)
        except ForgeRefusedError as exc:
            self._may_not_open = True
            self._notes.append(str(exc))
            self._console.note(str(exc))
        except ForgeError as exc:
            self._console.note(str(exc))

    def _write(self, body: str) -> None:
        """Put *body* into the progress comment, which is made where there is none, or none any more."""
        if self._comment is None:
            self._comment = self._forge.find_comment(self._thread.home, rendering.marker(self._thread.run))
        if self._comment is not None:
            try:
                self._forge.edit_comment(self._comment, body)
                self._edited = self._timer()
            except ForgeGoneError:
                self._comment = None
        if self._comment is None:
            self._comment = self._forge.comment(self._thread.home, body)
        self._told = body

    async def _try(self, ask: Callable[..., object], *arguments: object) -> bool:
        """Ask the forge; return whether it did, and tell the log if not."""
        try:
            await asyncio.to_thread(ask, *arguments)
        except ForgeError as exc:
            self._console.note(str(exc))
            return False
        return True


def as_published(state: RunState, is_out: Callable[[str], bool]) -> RunState:
    """Return *state* without the commits that nobody else can see yet."""
    phases = [each if each.commit is None or is_out(each.commit) else _unseen(each) for each in state.phases]
    return replace(state, phases=phases)


def _unseen(each: PhaseState) -> PhaseState:
    return replace(each, status="pending", commit=None, files=(), missing=(), wanted=tuple(each.phase.files))


def _expected(seen: Seen, elapsed: float, jobs: int) -> float | None:
    """Return how many seconds a run will likely take in all, by what its phases took so far; None when none has."""
    if not seen.took:
        return None
    depth: dict[str, int] = {}
    for each in seen.state.phases:  # in plan order, so what a phase needs comes before it
        if each.wanted:
            depth[each.phase.key] = 1 + max((depth.get(need, 0) for need in each.phase.needs), default=0)
    rounds = sum(ceil(phases / jobs) for phases in Counter(depth.values()).values())
    return elapsed + rounds * fmean(seen.took)
