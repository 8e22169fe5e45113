"""The plan that a run starts with: the spec's own, or one that a model proposes."""

import asyncio
from collections.abc import Awaitable, Mapping

from bot.generation.provider import ProposedPlan
from bot.planning.phases import plan_path, spec_path
from bot.planning.resolved_plan import ProseSpec, ResolvedPlan
from bot.planning.spec_file import format_spec


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


def first_files(plan: ResolvedPlan, spec: ResolvedPlan | ProseSpec | None) -> Mapping[str, str]:
    """Return the files of a run's first commit: the plan, and the text of the *spec* that it was made from."""
    folder, text = plan.plan.output_dir, spec.spec_text if spec else ""
    return {plan_path(folder): plan.text, **({spec_path(folder): format_spec(text)} if text else {})}


def unused_spec_note(spec: ResolvedPlan | ProseSpec | None, plan: ResolvedPlan, branch: str) -> str | None:
    """Return a message that *branch* keeps its *plan* although *spec* was given; None where they agree."""
    if spec is None or (isinstance(spec, ResolvedPlan) and spec.is_same_as(plan.plan)):
        return None
    which = ", which differs from this spec" if isinstance(spec, ResolvedPlan) else ""
    return (
        f"{branch} keeps its plan{which}; edit plan.yaml there to change what is built, or start another run with --run"
    )
