"""Wires a run: from what a person chose to a provider, a budget and the loop."""

import asyncio
import functools
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from bot.generation.budget import Budget
from bot.generation.opening import Choice, open_provider
from bot.history.branch import Branch, PlanFile
from bot.history.stopping import Stop
from bot.planning.planned import Description, Planned, plan_file
from bot.runner import Announcer, Run
from bot.settings import GeminiSettings
from bot.terms import Limits, Outcome, Requested

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a person asked for."""

    first: Planned | Description | None
    """The spec, if one was given."""
    choice: Choice
    settings: GeminiSettings
    limits: Limits
    requested: Requested | None = None


def plan_at_head(found: PlanFile) -> Planned:
    """Judge the plan that history holds.

    Raises:
        UsageError: A person's edit broke it; the message names file, commit and line.
    """
    source = f"the plan {found.path} at commit {found.commit}"
    return plan_file(found.text, source=source, output_dir=found.output_dir)


async def plan(order: Order, tell: Callable[[str], None]) -> Planned:
    """Lay out the spec of *order*, by a model if it is in prose; nothing is written."""
    assert order.first, "there is a spec to be planned"  # noqa: S101
    if isinstance(order.first, Planned):
        return order.first
    async with open_provider(order.choice, order.settings, budget=Budget(), jobs=1, tell=tell) as opened:
        assert opened.planner, "prose is refused where nobody can plan it"  # noqa: S101
        return (await opened.planner.plan(order.first)).planned


async def carry_on(
    branch: Branch,
    order: Order,
    announcer: Announcer,
    timer: Callable[[], float],
    stop: asyncio.Event,
    look: Callable[[], Stop | None] | None = None,
) -> Outcome:
    """Start or continue the run of *branch*, until it is complete or *stop* is set; see :class:`bot.runner.Run`."""
    first, limits = order.first, order.limits
    if first:
        branch.start()
    budget = Budget(limits.tokens, branch.spent)
    opening = open_provider(order.choice, order.settings, budget=budget, jobs=limits.jobs, tell=announcer.note)
    async with opening as opened:
        planner = opened.planner
        run = Run(
            branch=branch,
            provider=opened.provider,
            announcer=announcer,
            read_plan=plan_at_head,
            first_plan=first if isinstance(first, Planned) else None,
            ask_plan=functools.partial(planner.plan, first) if planner and isinstance(first, Description) else None,
            limits=limits,
            budget=budget,
            timer=timer,
            requested=order.requested,
            look=look,
        )
        return await run.carry_on(stop)


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
