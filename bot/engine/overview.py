"""Read everything that a page about a run shows; writes nothing."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from bot import __version__
from bot.engine.explanation import explain_phases
from bot.engine.rejected_changes import rejected_changes
from bot.engine.verification import read_verified
from bot.generation.llm.prices import estimate
from bot.history.checkout import OpenRun
from bot.history.explanation import Explanation, spent
from bot.history.plan_reader import BrokenPlanError
from bot.history.run_state import PhaseState, RunState
from bot.page.page_facts import PageFacts
from bot.page.web_address import repository_page
from bot.planning.resolved_plan import ResolvedPlan


class Overview(NamedTuple):
    """What there is to show."""

    facts: PageFacts
    error: BrokenPlanError | None
    """Set if the plan at head can't be read; the facts are then those of the last plan that could be."""


def overview(run: OpenRun, *, repository: str = "", by_comments: bool = False) -> Overview:
    """Return the facts about *run*, whose branch has been read.

    *repository* is its page on the web; without it, the remote's URL may tell.  Costs are at the prices of the day of
    the newest commit, so that the same history gives the same page.

    Raises:
        UsageError: There is no plan.
    """
    branch = run.branch
    plan, state, error = branch.view()
    if plan is None and error is None:
        branch.existing_plan()  # raises, because there is none
    paths = [path for each in state.phases for path in (*each.files, *each.kept, *each.edited)]
    day = datetime.fromtimestamp(max((each.time for each in branch.commits), default=0), UTC)
    by_model = {each.phase.key: spent(branch.commits, state.run, each.phase.key) for each in _costly(state)}
    facts = PageFacts(
        state=state,
        commits=tuple(branch.commits),
        explained=_explained(run, plan, state) if plan else {},
        plan=plan.plan if plan else None,
        sizes=run.repository.sizes(state.head, paths) if state.head else {},
        verified=read_verified(run, state.head),
        rejected=rejected_changes(branch, state, {}),
        cost=str(estimate(state.models, day)) if any(state.tokens) else "",
        costs={key: str(estimate(models, day)) for key, models in by_model.items()},
        notes=branch.notes,
        repository=repository or repository_page(branch.remote_url),
        by_comments=by_comments,
        version=__version__,
    )
    return Overview(facts, error)


def _costly(state: RunState) -> list[PhaseState]:
    return [each for each in state.phases if any(each.tokens)]


def _explained(run: OpenRun, plan: ResolvedPlan, state: RunState) -> Mapping[str, Explanation]:
    """Return why those phases are as they are of which there is more to say than that they are complete."""
    keys = {each.phase.key for each in state.phases if _is_notable(each)}
    phases = [phase for phase in plan.phases if phase.key in keys]
    return {each.state.phase.key: each for each in explain_phases(run.branch, plan, phases)}


def _is_notable(each: PhaseState) -> bool:
    told = (each.stale, each.edited, each.missing, each.conflicts, each.kept, each.wanted, each.unmet)
    return any((*told, each.removed, each.by_people, each.status == "reverted"))
