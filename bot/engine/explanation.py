"""Explain the phases of a run as it stands; reads, and writes nothing."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from bot.history.explanation import Explanation, explain
from bot.history.origins import Origin, Origins
from bot.history.plan_reader import BrokenPlanError
from bot.history.run_branch import RunBranch
from bot.history.run_state import RunState
from bot.planning.phases import Phase, find_phase
from bot.planning.resolved_plan import ResolvedPlan


class ExplainedRun(NamedTuple):
    """Why the phases of a run are as they are."""

    state: RunState
    phases: Sequence[Explanation]
    """Those that were asked for; else all that are more than simply complete, in plan order."""
    error: BrokenPlanError | None
    """Set if the plan at head can't be read; the phases are then those of the last plan that could be."""


def explain_run(branch: RunBranch, keys: Collection[str] = ()) -> ExplainedRun:
    """Explain the phases *keys* of *branch*, which has been read; without keys, those that are not simply complete.

    Raises:
        UsageError: There is no plan, or it has no such phase.
    """
    plan, state, error = branch.view()
    if plan is None and error is None:
        branch.existing_plan()  # raises, because there is none
    if plan is None:
        return ExplainedRun(state, (), error)
    chosen = [find_phase(plan.phases, key) for key in dict.fromkeys(keys)] or plan.phases
    found = explain_phases(branch, plan, chosen)
    return ExplainedRun(state, found if keys else [each for each in found if each.is_notable], error)


def explain_phases(
    branch: RunBranch, planned: ResolvedPlan, phases: Sequence[Phase], origins: Origins | None = None
) -> Sequence[Explanation]:
    """Explain *phases* of *planned*, the newest plan of *branch* that can be read.

    *origins* can be given where commits were added since that only this process sees.
    """
    ledger, origins = branch.ledger(planned.phases), origins or branch.origins(planned)
    found = []
    for phase in phases:
        record = ledger.record(phase.key)
        origin = origins.of(phase, record) if record else Origin()
        found.append(explain(phase, ledger, branch.commits, origin.versions, origin.recipe_files))
    return found
