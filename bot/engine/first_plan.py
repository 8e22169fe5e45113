"""The plan that a run starts with: the spec's own, or one that a model proposes."""

import asyncio
from collections.abc import Awaitable

from bot.generation.provider import ProposedPlan
from bot.planning.resolved_plan import ProseSpec, ResolvedPlan


async def wait_for_plan(
    proposal: Awaitable[ProposedPlan], stop: asyncio.Event, seconds: float | None
) -> ProposedPlan | None:
    """Wait for a model's plan; None if *stop* is set, or *seconds* have passed, before there is one.

    A planner that has a plan already, and is cancelled while it looks at it again, returns that.
    """
    planning, stopped = asyncio.ensure_future(proposal), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({planning, stopped}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if planning.done():
            return planning.result()
        planning.cancel()
        await asyncio.wait({planning})
        return None if planning.cancelled() or planning.exception() else planning.result()
    finally:
        planning.cancel()
        stopped.cancel()
        await asyncio.gather(planning, stopped, return_exceptions=True)


def unused_spec_note(spec: ResolvedPlan | ProseSpec | None, plan: ResolvedPlan, branch: str) -> str | None:
    """Return a message that *branch* keeps its *plan* although *spec* was given; None where they agree."""
    if spec is None or (isinstance(spec, ResolvedPlan) and spec.text == plan.text):
        return None
    which = ", which differs from this spec" if isinstance(spec, ResolvedPlan) else ""
    return (
        f"{branch} keeps its plan{which}; edit plan.yaml there to change what is built, or start another run with --run"
    )
