"""The loop: derive what is missing from history, make it, commit it, publish it, look again.

First run, resume after a kill, an edited plan and commits by others are all this loop.  Nothing is counted up
here: what is done is read from the branch, and what to do next is decided anew after every commit.
"""

import asyncio
import functools
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from bot.engine.requests import Again, Limits, Requester, RunClock, RunResult
from bot.engine.rollback import asked_trailers, instruct, take_back_gone
from bot.engine.scheduler import Scheduler
from bot.errors import Interrupted, NoModelAnswered, PhasebotError, ProviderError, Stopped, UsageError
from bot.generation.llm.token_budget import TokenBudget
from bot.generation.provider import GenerationRequest, GenerationResult, ProposedPlan, Provider
from bot.history.commits import PhaseCommit
from bot.history.plan_reader import PlanFile
from bot.history.push_queue import PushQueue
from bot.history.run_branch import RunBranch
from bot.history.run_state import PhaseState, RunState
from bot.history.stop_request import StopRequest, StopWatcher
from bot.planning.phases import PLAN_PHASE, Phase, find_phase
from bot.planning.plan import Plan
from bot.planning.resolved_plan import ResolvedPlan


class Announcer(Protocol):
    """Who tells people.  It must not raise: an announcement never fails a run."""

    def show(self, run: "Runner") -> None:
        """Render the run whole from its state; called after every change."""

    def note(self, message: str) -> None:
        """Tell one thing that is not in the state."""


@dataclass(slots=True, kw_only=True)
class Runner:
    """One process's work on one branch; every collaborator is an argument."""

    branch: RunBranch
    provider: Provider
    announcer: Announcer
    read_plan: Callable[[PlanFile], ResolvedPlan]
    """Judge the plan at head; raises UsageError where an edit broke it."""
    first_plan: ResolvedPlan | None = None
    """The plan to begin with; used only where history holds none."""
    ask_plan: Callable[[], Awaitable[ProposedPlan]] | None = None
    """Have a model make the plan to begin with; called only where there is no other."""
    limits: Limits
    budget: TokenBudget = field(default_factory=TokenBudget)
    timer: Callable[[], float]
    """Monotonic seconds."""
    requested: Requester | None = None
    again: Again = field(default_factory=Again)
    look: Callable[[], StopRequest | None] | None = None
    """Look whether somebody asked the run to stop, on the network; raises PushError where that can't be told."""
    active: dict[str, float] = field(init=False, default_factory=dict)
    """Phases being made → when they were begun, by the timer."""
    clock: RunClock = field(init=False)
    failures: dict[str, Mapping[str, str]] = field(init=False, default_factory=dict)
    """Phase → path → why it could not be made, for what this process tried."""
    done_before: int = field(init=False, default=0)
    """Phases that needed nothing when this process looked first."""
    _agenda: Scheduler = field(init=False)
    _publisher: PushQueue = field(init=False)
    _planned: ResolvedPlan | None = field(init=False, default=None)
    _plan_file: PlanFile | None = field(init=False, default=None)
    _tasks: dict[asyncio.Task[GenerationResult], Phase] = field(init=False, default_factory=dict)
    _tried: set[tuple[str, str]] = field(init=False, default_factory=set)
    _error: ProviderError | NoModelAnswered | None = field(init=False, default=None)
    _lookout: StopWatcher = field(init=False)

    async def carry_on(self, stop: asyncio.Event) -> RunResult:
        """Work until nothing more can be made, or *stop* is set; everything finished is committed and published.

        Raises:
            UsageError: The plan in history is broken, or a phase of ``only`` is not in it.
            RepositoryError: Git refused a commit.
        """
        self.clock = RunClock(self.timer, self.limits.seconds)
        self._publisher = PushQueue(self.branch)
        self._lookout = StopWatcher(self.look, self._on_asked)
        self._agenda = self._new_agenda()
        async with self._publisher:
            if await self._reconcile():
                async with self._lookout:
                    try:
                        if await self._begin(stop):
                            await self._work(stop)
                    finally:
                        await self._cancel_tasks()
        self.announcer.show(self)
        if self._publisher.behind:
            self.announcer.note(f"the worktree did not follow ({self._publisher.behind}); run generate again")
        return self._outcome(interrupted=stop.is_set())

    def _outcome(self, *, interrupted: bool) -> RunResult:
        state, left = self.state(), self._agenda.left(self.phases)
        done = sum(not wanted for wanted in self._agenda.wanted(self.phases).values())
        late = bool(left) and done > self.done_before and not self.clock.has_time
        error: PhasebotError | None = self._error or self._publisher.error or self._publisher.interrupted
        if left and self.budget.exhausted:
            error = error or self.budget.stopped()
        asked = self._lookout.asked
        if asked and (left or not state.phases):
            who = f"{asked.login} asked" if asked.login else "asked"
            error = Stopped(f"stopped as {who}; what was finished is committed, run generate again to continue")
        if interrupted and (left or not state.phases):
            error = Interrupted("stopped as asked; what was finished is committed, run generate again to continue")
        return RunResult(state, left, error, late=late)

    def _on_asked(self) -> None:
        self.announcer.note("asked to stop: the phases under way are the last ones")
        self._publisher.news.set()

    async def _reconcile(self) -> bool:
        """Take in what others pushed; return whether there is a branch to go on with."""
        publisher = self._publisher
        await publisher.reconcile()
        if publisher.apart:
            return False
        if failed := publisher.error or publisher.interrupted:
            self.announcer.note(f"{failed}; going on without it")
            self.branch.read()
        return True

    async def _begin(self, stop: asyncio.Event) -> bool:
        """Have a plan in history, and publish what an earlier process could not; return whether there is one."""
        self._agenda = self._new_agenda()
        if phases := self.phases:
            if self.ask_plan or (self.first_plan and self._planned and self.first_plan.text != self._planned.text):
                self.announcer.note(
                    f"{self.branch.name} keeps the plan it has"
                    + ("" if self.ask_plan else ", which is not this spec's")
                    + "; edit plan.yaml there to change what is built, or name a new run with --run"
                )
        elif self._lookout.asked or not await self._make_plan(stop):
            return False
        self._agenda.check(self.phases)
        if self.again.instruction and self._planned:
            instruct(self.branch, self._planned, self.again, self.requested, self._agenda.before)
        elif not (self.limits.only or self.again.phases) and (
            told := take_back_gone(self.branch, self.phases, self.requested)
        ):
            self.announcer.note(told)
        self.done_before = sum(not wanted for wanted in self._agenda.wanted(phases).values())
        self._publisher.publish()
        self.announcer.show(self)
        return True

    def _new_agenda(self) -> Scheduler:
        before = {commit.oid for commit in self.branch.commits} | {self.branch.fork or ""}
        return Scheduler(
            branch=self.branch, limits=self.limits, again=self.again, requested=self.requested, before=before
        )

    async def _make_plan(self, stop: asyncio.Event) -> bool:
        begun = self.timer()
        made = ProposedPlan(self.first_plan) if self.first_plan else await self._ask_plan(stop)
        if made is None:
            return False
        self._planned = made.planned
        plan_phase = made.planned.phases[0]
        files = dict.fromkeys(plan_phase.files, made.planned.text)
        self._commit(plan_phase, GenerationResult(files, model=made.model, tokens=made.tokens), begun)
        return True

    async def _ask_plan(self, stop: asyncio.Event) -> ProposedPlan | None:
        """Have a model plan, unless the run is to end before it has."""
        if self.ask_plan is None:
            raise UsageError(
                f"continuing {self.branch.name}: it holds no plan; start the run with 'phasebot generate SPEC'"
            )
        self.announcer.show(self)
        self.announcer.note("planning the project")
        asking, stopped = asyncio.ensure_future(self.ask_plan()), asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({asking, stopped}, timeout=self.clock.left, return_when=asyncio.FIRST_COMPLETED)
            if asking.done():
                return asking.result()
            self._error = NoModelAnswered("planning: stopped before there was a plan; run generate again")
            return None
        finally:
            asking.cancel()
            stopped.cancel()
            await asyncio.gather(asking, stopped, return_exceptions=True)

    @property
    def plan(self) -> Plan | None:
        """The plan at head, if there is one yet."""
        return self._planned.plan if self.phases and self._planned else None

    @property
    def phases(self) -> Sequence[Phase]:
        """The phases of the plan at head, in plan order."""
        found = self.branch.plan_file()
        if found is not None and found != self._plan_file:
            if self._planned is None or found.text != self._planned.text:
                self._planned = self.read_plan(found)
            self._plan_file = found  # only now: whoever looks again is told again what is wrong with it
        return self._planned.phases if self._planned else ()

    async def _work(self, stop: asyncio.Event) -> None:
        stopped = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set() and self.clock.left != 0:
                self._begin_ready()
                if not self._tasks:
                    await self._publisher.flush()  # what others pushed may have changed what is ready
                    if not any(self._ready()):
                        return
                    continue
                news = asyncio.create_task(self._publisher.news.wait())
                waited = {*self._tasks, stopped, news}
                await asyncio.wait(waited, timeout=self.clock.left, return_when=asyncio.FIRST_COMPLETED)
                news.cancel()
                if self._publisher.news.is_set():
                    self._publisher.news.clear()
                    self.announcer.show(self)
                self._commit_finished()
        finally:
            stopped.cancel()

    def _ready(self) -> Iterator[tuple[Phase, Sequence[str]]]:
        """Yield the phases that can be begun now, in plan order, with the files to make."""
        if self._error or self._lookout.asked or self.budget.exhausted or not self.clock.has_time:
            return
        for phase, paths in self._agenda.ready(self.phases):
            if phase.key not in self.active and (phase.key, phase.inputs) not in self._tried:
                yield phase, paths

    def _begin_ready(self) -> None:
        if len(self._tasks) >= self.limits.jobs:
            return
        for phase, paths in list(self._ready())[: self.limits.jobs - len(self._tasks)]:
            assert self._planned is not None, "phases come from a plan"  # noqa: S101
            self._tried.add((phase.key, phase.inputs))
            self.active[phase.key] = self.timer()
            at_head = functools.partial(self.branch.texts, self.phases, [*phase.reads, *phase.files])
            request = GenerationRequest(self._planned.plan, self._planned.recipe, phase, tuple(paths), at_head)
            self._tasks[asyncio.create_task(self.provider.generate(request))] = phase

    def _commit_finished(self) -> None:
        """Commit every phase whose generation has ended, in the order in which they were begun."""
        for task in [task for task in self._tasks if task.done()]:
            phase = self._tasks.pop(task)
            begun = self.active.pop(phase.key)
            if task.cancelled():
                continue
            try:
                self._commit(phase, task.result(), begun)
            except ProviderError as exc:
                self._error = self._error or exc
            self.announcer.show(self)

    async def _cancel_tasks(self) -> None:
        """End what is under way; a phase that came to its end all the same is committed."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._commit_finished()

    def _commit(self, phase: Phase, generated: GenerationResult, begun: float) -> None:
        """Commit what was made of a phase; without files, only if it cost tokens, which the run has to remember."""
        self.clock.took[phase.key] = (begun, self.timer())
        if generated.missing and (generated.files or not generated.stopped):
            self.failures[phase.key] = generated.missing
        if not generated.files and not generated.tokens.total:
            return
        work = PhaseCommit(
            phase=phase,
            of=len(self.phases) or len(self._planned.phases if self._planned else ()),
            files={path: text.encode() for path, text in generated.files.items()},
            trailers=replace(
                asked_trailers(self.branch.run, self.requested).of(
                    phase, "partial" if generated.missing else "complete"
                ),
                provider=self.provider.name if generated.model or phase.key != PLAN_PHASE else None,
                model=generated.model,
                tokens=(generated.tokens.read, generated.tokens.written) if generated.tokens.total else None,
                missing=tuple(generated.missing),
                fallback=generated.fallback,
            ),
            body=_body(generated, self.timer() - begun),
            replaces=self._agenda.before if phase.key != PLAN_PHASE else (),
            prevails=phase.key == PLAN_PHASE,  # it was laid out from what stands there, if anything does
        )
        if self.branch.commit(work, self.phases):
            self.budget.record(phase.key)
            self._publisher.publish()

    # What announcers ask

    def made_and_out(self) -> Sequence[tuple[str, str]]:
        """Return phase and commit of what this process made and published, in the order in which it was committed."""
        return [
            (commit.trailers.phase, commit.oid)
            for commit in self.branch.commits
            if self._publisher.is_out(commit.oid)
            and commit.oid not in self._agenda.before
            and commit.trailers
            and commit.trailers.phase
        ]

    def is_out(self, oid: str) -> bool:
        """Whether others can see the commit *oid*."""
        return self._publisher.is_out(oid)

    def phase(self, key: str) -> PhaseState:
        """Return how far the phase *key* has come."""
        phases = self.phases
        return self.branch.ledger(phases).state(find_phase(phases, key))

    def state(self) -> RunState:
        """Return the whole state, derived from history."""
        return self.branch.state(self.phases)


def _body(generated: GenerationResult, seconds: float) -> Sequence[str]:
    """Return what a phase's commit tells a reviewer, a paragraph each."""
    made, wanted = len(generated.files), len(generated.files) + len(generated.missing)
    told = [f"Missing {path}: {reason}" for path, reason in generated.missing.items()]
    told += [f"Refused {line}" for line in generated.refused]
    return [f"{made} of {wanted} files, {seconds:.1f} s.", *(["\n".join(told)] if told else [])]
