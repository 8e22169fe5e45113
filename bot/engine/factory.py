"""Wires a run: from what a person chose to a provider, a budget and the loop."""

import asyncio
import functools
import signal
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from bot.engine import rollback
from bot.engine.requests import Again, Limits, Requester, RunResult
from bot.engine.runner import Announcer, Runner
from bot.errors import UsageError
from bot.generation.llm.token_budget import TokenBudget
from bot.generation.provider_factory import ProviderOptions, open_provider
from bot.history.plan_reader import PlanFile
from bot.history.push_queue import PushQueue
from bot.history.run_branch import RunBranch
from bot.history.run_state import RunState
from bot.history.stop_request import StopRequest
from bot.planning.resolved_plan import ProseSpec, ResolvedPlan, resolve_plan_file
from bot.settings import GeminiSettings

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a person asked for."""

    first: ResolvedPlan | ProseSpec | None
    """The spec, if one was given."""
    choice: ProviderOptions
    settings: GeminiSettings
    limits: Limits
    requested: Requester | None = None
    again: Again = field(default_factory=Again)


def plan_at_head(found: PlanFile) -> ResolvedPlan:
    """Judge the plan that history holds.

    Raises:
        UsageError: A person's edit broke it; the message names file, commit and line.
    """
    source = f"the plan {found.path} at commit {found.commit}"
    return resolve_plan_file(found.text, source=source, output_dir=found.output_dir)


def plan_of(branch: RunBranch) -> ResolvedPlan:
    """Return the plan that the history of *branch*, which has been read, holds.

    Raises:
        UsageError: It holds none, or a person's edit broke it.
    """
    found = branch.plan_file()
    if found is None:
        raise UsageError(f"reading {branch.name}: it holds no plan; start the run with 'phasebot generate SPEC'")
    return plan_at_head(found)


async def plan(order: Order, tell: Callable[[str], None]) -> ResolvedPlan:
    """Lay out the spec of *order*, by a model if it is in prose; nothing is written."""
    assert order.first, "there is a spec to be planned"  # noqa: S101
    if isinstance(order.first, ResolvedPlan):
        return order.first
    async with open_provider(order.choice, order.settings, budget=TokenBudget(), jobs=1, tell=tell) as opened:
        assert opened.planner, "prose is refused where nobody can plan it"  # noqa: S101
        return (await opened.planner.plan(order.first)).planned


async def carry_on(
    branch: RunBranch,
    order: Order,
    announcer: Announcer,
    timer: Callable[[], float],
    stop: asyncio.Event,
    look: Callable[[], StopRequest | None] | None = None,
) -> RunResult:
    """Start or continue the run of *branch*, until it is complete or *stop* is set."""
    first, limits = order.first, order.limits
    if first:
        branch.start()
    with_model = order.choice.named(order.settings) != "template"
    if order.again.instruction and not with_model:
        announcer.note("templates can't follow an instruction; it stays in plan.yaml, for a model (--provider gemini)")
    budget = TokenBudget(limits.tokens if with_model else None, branch.spent)
    opening = open_provider(order.choice, order.settings, budget=budget, jobs=limits.jobs, tell=announcer.note)
    async with opening as opened:
        planner = opened.planner
        run = Runner(
            branch=branch,
            provider=opened.provider,
            announcer=announcer,
            read_plan=plan_at_head,
            first_plan=first if isinstance(first, ResolvedPlan) else None,
            ask_plan=functools.partial(planner.plan, first) if planner and isinstance(first, ProseSpec) else None,
            limits=limits,
            budget=budget,
            timer=timer,
            requested=order.requested,
            again=order.again,
            look=look,
        )
        return await run.carry_on(stop)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollback:
    """Which phases are to be taken back."""

    phases: Sequence[str]
    to: bool = False
    """Whether it is all that come after the one in *phases*."""
    cascade: bool = False
    discard: bool = False
    """Whether people's edits in their files go, too."""


async def roll_back(
    branch: RunBranch, work: Rollback, tell: Callable[[str], None], requested: Requester | None = None
) -> RunState:
    """Take phases back in one commit, and publish it; see :func:`bot.engine.rollback.roll_back`.

    Raises:
        UsageError: They can't be taken back.
        PushError: The commit is made, and could not be pushed.
    """
    publisher = PushQueue(branch)
    async with publisher:
        await publisher.reconcile()
        if failed := publisher.error or publisher.interrupted:
            if publisher.apart:
                raise failed
            tell(f"{failed}; going on without it")
            branch.read()
        planned = plan_of(branch)
        taken = rollback.roll_back(
            branch,
            planned,
            work.phases,
            to=work.to,
            cascade=work.cascade,
            discard=work.discard,
            requested=requested,
            tell=tell,
        )
        tell(f"taken back: {', '.join(taken)}")
        publisher.publish()
    if failed := publisher.error or publisher.interrupted:
        raise failed
    return branch.state(planned.phases)


async def until_signalled(work: Callable[[asyncio.Event], Awaitable[T]]) -> T:
    """Run *work* with an event that the first SIGINT or SIGTERM sets; the second one ends the process as usual."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_signal() -> None:
        stop.set()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal)
    return await work(stop)
