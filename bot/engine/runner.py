"""The loop: derive from history what is missing, generate it, commit it, publish it, repeat.

A first run, a resume after a kill, an edited plan and commits by others are all handled by this loop.  It keeps
no progress of its own: it reads what is done from the branch and decides what comes next after every commit.
"""

import asyncio
import functools
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.assessment.finding import Finding
from bot.engine.first_plan import first_files, unused_spec_note, wait_for_plan
from bot.engine.instructions import commit_instruction
from bot.engine.phase_commits import is_worth_a_commit, phase_commit
from bot.engine.rejected_changes import notes_on_commit, rejected_changes
from bot.engine.requests import RunRequest, RunResult
from bot.engine.reviewer import Reviewer
from bot.engine.rollback import roll_back_removed
from bot.engine.run_clock import RunClock
from bot.engine.run_ending import RunEnding
from bot.engine.scheduler import Scheduler
from bot.engine.snapshot import Announcer, Snapshot
from bot.errors import NoModelAnswered, ProviderError, UsageError
from bot.generation.llm.token_budget import TokenBudget
from bot.generation.provider import GenerationRequest, GenerationResult, ProposedPlan, Provider
from bot.history.checkout import OpenRun
from bot.history.ledger import TEMPLATES
from bot.history.push_queue import PushQueue
from bot.history.reasons import Reason
from bot.history.run_branch import RunBranch
from bot.history.stop_request import StopRequest, StopWatcher
from bot.planning.phases import Phase
from bot.planning.recipe_model import TryIt
from bot.planning.resolved_plan import ResolvedPlan

_SHOW_EVERY = 0.05
"""Minimum seconds between two snapshots; the cost of one grows with the number of phases."""


@dataclass(slots=True, kw_only=True)
class Runner:
    """One process's work on one run; every collaborator is an argument."""

    run: OpenRun
    request: RunRequest
    provider: Provider
    announcer: Announcer
    timer: Callable[[], float]
    """Monotonic seconds."""
    budget: TokenBudget = field(default_factory=TokenBudget)
    with_model: bool = False
    """Whether the provider costs money, so that nothing is generated that can't be pushed."""
    propose_plan: Callable[[], Awaitable[ProposedPlan]] | None = None
    """Asks a model to plan the spec; called only if the history has no plan."""
    look_for_stop: Callable[[], StopRequest | None] | None = None
    """Fetches a request to stop the run; raises PushError if the remote can't be read."""
    _branch: RunBranch = field(init=False)
    _clock: RunClock = field(init=False)
    _scheduler: Scheduler = field(init=False)
    _queue: PushQueue = field(init=False)
    _stop_watcher: StopWatcher = field(init=False)
    _reviewer: Reviewer = field(init=False)
    _active: dict[str, float] = field(init=False, default_factory=dict)
    _failures: dict[str, Mapping[str, str]] = field(init=False, default_factory=dict)
    _findings: dict[str, Sequence[Finding]] = field(init=False, default_factory=dict)
    _done_before: int = field(init=False, default=0)
    _has_work: bool = field(init=False, default=True)
    _plan: ResolvedPlan | None = field(init=False, default=None)
    _tasks: dict[asyncio.Task[GenerationResult], GenerationRequest] = field(init=False, default_factory=dict)
    _tried: set[tuple[str, str]] = field(init=False, default_factory=set)
    _rejected: dict[str, bytes] = field(init=False, default_factory=dict)
    _error: ProviderError | NoModelAnswered | None = field(init=False, default=None)
    _shown_at: float = field(init=False, default=0.0)
    _show_later: bool = field(init=False, default=False)

    async def work(self, stop: asyncio.Event) -> RunResult:
        """Work until nothing more can be generated, or *stop* is set; everything finished is committed and published.

        Raises:
            UsageError: The plan in history is broken, or the request names a phase that it does not have.
            RepositoryError: Git failed to commit.
        """
        self._branch = self.run.branch
        self._clock = RunClock(self.timer, self.request.seconds)
        self._queue = PushQueue(self._branch, self.run.sync)
        self._stop_watcher = StopWatcher(self.look_for_stop, self._on_stop_request)
        self._scheduler = self._new_scheduler()
        self._reviewer = Reviewer(self._branch, self.announcer.note)
        async with self._queue:
            if await self._integrate():
                async with self._stop_watcher:
                    try:
                        if await self._start(stop):
                            await self._loop(stop)
                    finally:
                        await self._cancel_tasks()
        snapshot = self._snapshot()
        snapshot = replace(snapshot, rejected=rejected_changes(self._branch, snapshot.state, self._rejected))
        self.announcer.show(snapshot)
        return self._result(snapshot, interrupted=stop.is_set())

    # Starting

    async def _integrate(self) -> bool:
        """Integrate what others pushed; return whether the run can continue."""
        await self._queue.integrate()
        if self._can_go_on and self._queue.failure:
            self.announcer.note(f"{self._queue.failure}; continuing without it")
            self._branch.read()
        for note in self._branch.notes:
            self.announcer.note(note)
        return self._can_go_on

    @property
    def _can_go_on(self) -> bool:
        """Whether what is generated now can still be pushed; templates cost nothing, and go on without a remote."""
        return not (self._queue.conflict or (self.with_model and self._queue.refused))

    def _new_scheduler(self) -> Scheduler:
        commits = {commit.oid for commit in self._branch.commits} | {self._branch.fork or ""}
        by_model = self.provider.name != TEMPLATES
        return Scheduler(branch=self._branch, request=self.request, initial_commits=commits, with_model=by_model)

    async def _start(self, stop: asyncio.Event) -> bool:
        """Make sure that the history has a plan, and publish existing commits; return whether there is a plan."""
        self._scheduler = self._new_scheduler()
        phases = self._phases
        if phases and self._plan:
            if note := unused_spec_note(self.request.spec, self._plan, self._branch.name):
                self.announcer.note(note)
        elif self._stop_watcher.request or not await self._commit_first_plan(stop):
            return False
        self._scheduler.check(self._phases)
        if self.request.instruction and self._plan:
            commit_instruction(self.run, self._plan, self.request, self._scheduler.initial_commits)
        elif not (self.request.only or self.request.regenerate) and (
            note := roll_back_removed(self.run, self._phases, self.request.requester)
        ):
            self.announcer.note(note)
        if note := self._scheduler.mixture_note(self._phases):
            self.announcer.note(note)
        for note in self._scheduler.risk_notes(self._plan) if self._plan else ():
            self.announcer.note(note)
        self._done_before = self._scheduler.count_done(phases)
        self._has_work = bool(self._scheduler.remaining(self._phases))
        self._queue.publish()
        if self.with_model:
            await self._queue.first_answer()  # a refusal is known before the first phase is paid for
        self._show()
        return True

    async def _commit_first_plan(self, stop: asyncio.Event) -> bool:
        started = self.timer()
        spec = self.request.spec
        proposed = ProposedPlan(spec) if isinstance(spec, ResolvedPlan) else await self._propose_plan(stop)
        if proposed is None:
            return False
        self._branch.plans.cache(proposed.planned)
        plan = self._plan = self._branch.plans.placed(proposed.planned)
        for note in plan.notes:
            self.announcer.note(note)
        files = first_files(plan, spec)
        self._commit(plan.phases[0], GenerationResult(files, model=proposed.model, tokens=proposed.tokens), started)
        return True

    async def _propose_plan(self, stop: asyncio.Event) -> ProposedPlan | None:
        """Ask a model for a plan; None if the run has to end before it answers."""
        if self.propose_plan is None:
            raise self._queue.failure or UsageError(
                f"continuing {self._branch.name}: it has no plan; start the run with 'phasebot generate SPEC'"
            )
        self.run.writer.check_writable()
        self.announcer.show(self._snapshot())
        self.announcer.note("planning the project")
        proposed = await wait_for_plan(self.propose_plan(), stop, self._clock.left)
        if proposed is None:
            self._error = NoModelAnswered("planning: stopped before there was a plan; run generate again")
        return proposed

    # Working

    @property
    def _phases(self) -> Sequence[Phase]:
        """The phases of the plan at head, in plan order; none before the first plan is committed."""
        # A commit that does not fit has to be rebased first: the pushed plan may be fine where this one is broken.
        plan = self._branch.view().plan if self._queue.conflict else self._branch.plan()
        if plan is not None:
            self._plan = plan
        return plan.phases if plan else ()

    async def _loop(self, stop: asyncio.Event) -> None:
        stopped = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set() and self._clock.left != 0:
                self._start_ready()
                if not self._tasks:
                    await self._queue.flush()  # others may have pushed and changed what is ready
                    if not any(self._ready()):
                        return
                    continue
                await self._wait({*self._tasks, stopped})
                self._commit_finished()
        finally:
            stopped.cancel()

    async def _wait(self, tasks: set[asyncio.Task[GenerationResult] | asyncio.Task[bool]]) -> None:
        """Wait until one of *tasks* is done or something was published, but not past the time limit."""
        updated = asyncio.create_task(self._queue.updated.wait())
        limits = [self._clock.left, _SHOW_EVERY if self._show_later else None]
        timeout = min((each for each in limits if each is not None), default=None)
        await asyncio.wait({*tasks, updated}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        updated.cancel()
        if self._queue.updated.is_set() or self._show_later:
            self._queue.updated.clear()
            self._show()

    def _ready(self) -> Iterator[tuple[Phase, Sequence[str]]]:
        """Yield the phases that can be started now, in plan order, with the files to generate."""
        ended = self._error or self._stop_watcher.request or not self._can_go_on
        if ended or self.budget.exhausted or not self._clock.has_time:
            return
        for phase, paths in self._scheduler.ready(self._phases):
            if phase.key not in self._active and (phase.key, phase.inputs) not in self._tried:
                yield phase, paths

    def _start_ready(self) -> None:
        free = self.request.jobs - len(self._tasks)
        if free <= 0:
            return
        for phase, paths in list(self._ready())[:free]:
            self.run.writer.check_writable()
            assert self._plan is not None, "phases come from a plan"  # noqa: S101
            self._tried.add((phase.key, phase.inputs))
            self._active[phase.key] = self.timer()
            at_head = functools.partial(self._branch.texts, self._phases, [*phase.reads, *phase.files])
            review = functools.partial(self._reviewer.review, self._plan, phase)
            repair = self.request.repair
            request = GenerationRequest(
                self._plan.plan,
                self._plan.recipe,
                phase,
                tuple(paths),
                at_head,
                findings=repair.errors.get(phase.key, ()) if repair else (),
                review=review,
            )
            self._tasks[asyncio.create_task(self.provider.generate(request))] = request

    def _commit_finished(self) -> None:
        """Commit every phase whose generation has ended, in the order in which they were started."""
        for task in [task for task in self._tasks if task.done()]:
            request = self._tasks.pop(task)
            phase, started = request.phase, self._active.pop(request.phase.key)
            if task.cancelled():
                continue
            try:
                generated = task.result()
            except ProviderError as exc:
                self._error = self._error or exc
                generated = GenerationResult({}, dict.fromkeys(request.paths, Reason(exc.code, str(exc))))
            self._commit(phase, generated, started)
            self._show()

    async def _cancel_tasks(self) -> None:
        """Cancel all generation; phases that finish anyway are committed."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._commit_finished()

    def _commit(self, phase: Phase, generated: GenerationResult, started: float) -> None:
        """Commit a phase, or why it could not be generated, if history has to record that."""
        ended = self.timer()
        self._clock.timings[phase.key] = (started, ended)
        self._failures.pop(phase.key, None)
        self._findings[phase.key] = generated.findings
        if generated.refused:
            self.announcer.note(f"{phase.key}: discarded, because nobody asked for it: {'; '.join(generated.refused)}")
        if generated.missing and (generated.files or not generated.stopped):
            self._failures[phase.key] = generated.missing
        plan = self._plan
        assert plan is not None, "phases come from a plan"  # noqa: S101
        phases = self._phases or plan.phases
        if not is_worth_a_commit(generated, phase, self._branch.ledger(phases)):
            return
        work = phase_commit(
            phase,
            generated,
            ended - started,
            total=len(plan.phases),
            run=self._branch.run,
            base=self._branch.base.recorded_name,
            provider=self.provider.name,
            requester=self.request.requester,
            repair=self.request.repair,
            initial_commits=self._scheduler.initial_commits,
            discard_edits=self.request.discard_edits and phase.key in self.request.regenerate,
            is_asked_for=phase.key in self.request.regenerate,
        )
        before = self._branch.head
        if committed := self.run.writer.commit(work, phases):
            self._rejected |= committed.rejected
            for note in notes_on_commit(self._branch, self._branch.ledger(phases), phase, before):
                self.announcer.note(note)
            self.budget.record(phase.key)
            self._queue.publish()

    # Ending and announcing

    def _on_stop_request(self) -> None:
        self.announcer.note("stop requested: finishing the phases in progress")
        self._queue.updated.set()

    def _result(self, snapshot: Snapshot, *, interrupted: bool) -> RunResult:
        ending = RunEnding(
            run=self.run,
            queue=self._queue,
            budget=self.budget,
            can_push=self._can_go_on,
            stop_request=self._stop_watcher.request,
            interrupted=interrupted,
            has_time=self._clock.has_time,
            error=self._error,
        )
        phases, scheduler = self._phases, self._scheduler
        progress = scheduler.count_done(phases) > self._done_before
        left = RunResult(
            snapshot,
            scheduler.remaining(phases),
            unwritable=scheduler.unwritable(phases),
            unmet=scheduler.unmet(phases),
        )
        return ending.result(left, progress=progress, note=self.announcer.note)

    def _show(self) -> None:
        """Announce the state of the run now, or a moment later if it was just announced."""
        now = asyncio.get_running_loop().time()
        self._show_later = now - self._shown_at < _SHOW_EVERY
        if not self._show_later:
            self._shown_at = now
            self.announcer.show(self._snapshot())

    def _snapshot(self) -> Snapshot:
        """Return the current state of the run."""
        phases, commits = self._phases, self._branch.commits
        initial, is_published = self._scheduler.initial_commits, self._queue.is_published
        state = self._branch.state(phases)
        return Snapshot(
            state=state,
            plan=self._plan.plan if phases and self._plan else None,
            warnings=self._plan.warnings if phases and self._plan else (),
            try_it=self._plan.recipe.try_it if phases and self._plan else TryIt(),
            by_templates=not self._scheduler.with_model,
            jobs=self.request.jobs,
            pushes=self.run.sync.pushes,
            done_before=self._done_before,
            has_work=self._has_work,
            published=tuple(
                (commit.trailers.phase, commit.oid)
                for commit in commits
                if commit.trailers and commit.trailers.phase
                if commit.oid not in initial and is_published(commit.oid)
            ),
            unpublished=frozenset(
                each.commit for each in state.phases if each.commit and not is_published(each.commit)
            ),
            active=dict(self._active),
            timings=tuple((key, *span) for key, span in self._clock.timings.items()),
            failures=dict(self._failures),
            findings={key: found for key, found in self._findings.items() if found},
        )
