"""Builds a run from a request: clone, provider, budget and loop; and runs it."""

import asyncio
import functools
from collections.abc import Callable

from bot.engine.rejected_changes import rejected_changes
from bot.engine.requests import RollbackRequest, RunRequest, RunResult
from bot.engine.rollback import roll_back
from bot.engine.runner import Runner
from bot.engine.snapshot import Announcer, Snapshot
from bot.engine.worktree_problems import out_of_step, worktree_problems
from bot.errors import UsageError
from bot.generation.llm.token_budget import TokenBudget
from bot.generation.provider_factory import ProviderOptions, open_provider
from bot.generation.templates import render_phase
from bot.history.checkout import Checkout, OpenRun, RunLocation, create_checkout, find_checkout
from bot.history.push_queue import PushQueue
from bot.history.stop_request import StopRequest
from bot.planning.recipe_model import TryIt
from bot.planning.resolved_plan import ProseSpec, ResolvedPlan


def find_clone(location: RunLocation) -> Checkout | None:
    """Return the clone at *location*; None if there is none yet.  Raises UsageError."""
    return find_checkout(location, render_phase)


def open_clone(location: RunLocation) -> Checkout:
    """Return the clone at *location*.

    Raises:
        UsageError: There is no clone.
    """
    clone = find_clone(location)
    if clone is None:
        raise UsageError(
            f"opening {location.folder}: there is no repository; "
            f"start one with 'phasebot generate SPEC --repo {location.folder}'"
        )
    return clone


def create_clone(location: RunLocation) -> Checkout:
    """Create a repository at *location*.  Raises UsageError."""
    return create_checkout(location, render_phase)


async def plan_spec(
    spec: ResolvedPlan | ProseSpec, options: ProviderOptions, log: Callable[[str], None]
) -> ResolvedPlan:
    """Return the plan of *spec*, made by a model if it is prose; writes nothing.

    Raises:
        PhasebotError: No model returned a valid plan.
    """
    if isinstance(spec, ResolvedPlan):
        return spec
    async with open_provider(options, budget=TokenBudget(), jobs=1, tell=log) as opened:
        assert opened.planner, "prose is refused without a model"  # noqa: S101
        return (await opened.planner.plan(spec)).planned


async def work(
    run: OpenRun,
    request: RunRequest,
    announcer: Announcer,
    timer: Callable[[], float],
    stop: asyncio.Event,
    look_for_stop: Callable[[], StopRequest | None] | None = None,
) -> RunResult:
    """Start or continue *run*, until it is complete or *stop* is set; see :class:`bot.engine.runner.Runner`."""
    spec = request.spec
    if spec:
        run.writer.start_repository()
    with_model = request.provider.resolve() != "template"
    budget = TokenBudget(request.max_tokens if with_model else None, run.branch.token_counts)
    async with open_provider(request.provider, budget=budget, jobs=request.jobs, tell=announcer.note) as opened:
        propose = opened.planner.plan if opened.planner else None
        runner = Runner(
            run=run,
            request=request,
            provider=opened.provider,
            announcer=announcer,
            timer=timer,
            budget=budget,
            with_model=with_model,
            propose_plan=functools.partial(propose, spec) if propose and isinstance(spec, ProseSpec) else None,
            look_for_stop=look_for_stop,
        )
        return await runner.work(stop)


async def roll_back_phases(run: OpenRun, request: RollbackRequest, log: Callable[[str], None]) -> RunResult:
    """Roll back phases in one commit, and publish it; see :func:`bot.engine.rollback.roll_back`.

    Raises:
        UsageError: They can't be rolled back.
        PushError: The commit exists, but could not be pushed.
    """
    branch, queue = run.branch, PushQueue(run.branch, run.sync)
    async with queue:
        await queue.integrate()
        if queue.conflict and (failure := queue.explain()):
            raise failure
        if queue.failure:
            log(f"{queue.failure}; continuing without it")
            branch.read()
        for note in branch.notes:
            log(note)
        plan = branch.existing_plan()
        keys = roll_back(run, plan, request, log)
        log(f"rolled back: {', '.join(keys)}")
        queue.publish()
    behind = out_of_step(run, run.sync.worktrees.problems())
    notes = [*run.sync.notes(), *(() if behind else worktree_problems(run))]
    if failure := queue.explain():
        for note in (*notes, *([str(behind)] if behind else [])):
            log(note)
        raise failure
    state = branch.state(plan.phases)
    rejected = rejected_changes(branch, state, {})
    snapshot = Snapshot(
        state=state,
        plan=plan.plan,
        warnings=plan.warnings,
        try_it=plan.recipe.try_it,
        pushes=run.sync.pushes,
        rejected=rejected,
    )
    return RunResult(snapshot, error=behind, notes=notes)


async def publish_and_read(run: OpenRun) -> RunResult:
    """Push what an earlier process committed, and return the state.

    The error of the result says why commits could not be pushed, or that the plan is broken.
    """
    branch, queue = run.branch, PushQueue(run.branch, run.sync)
    async with queue:
        await queue.integrate()
        queue.publish()
    plan, state, error = branch.view()
    unpublished = frozenset(each.commit for each in state.phases if each.commit and not queue.is_published(each.commit))
    rejected = rejected_changes(branch, state, {})
    snapshot = Snapshot(
        state=state,
        plan=plan.plan if plan else None,
        warnings=plan.warnings if plan else (),
        try_it=plan.recipe.try_it if plan else TryIt(),
        unpublished=unpublished,
        rejected=rejected,
    )
    return RunResult(snapshot, error=error or (queue.explain() if unpublished else None), notes=run.sync.notes())
