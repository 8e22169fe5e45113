"""Prove a run: make its phase commits again from plan and recipe, and tell who wrote each line."""

from bot.generation.templates import render_phase
from bot.history.checkout import OpenRun
from bot.history.plan_history import PlanHistory
from bot.history.proof import Rebuild
from bot.history.rebuilding import Rebuilder
from bot.planning.phases import PLAN_PHASE, plan_path


def rebuild_run(run: OpenRun) -> Rebuild:
    """Make every commit of *run* again, and hold it against what the branch has.

    Nothing is written, and nothing of the project is executed.

    Raises:
        UsageError: The run has no plan, or a commit broke it.
    """
    branch = run.branch
    branch.read()
    planned = branch.existing_plan()
    head, phases = branch.head or "", planned.phases
    path = plan_path(planned.plan.output_dir)
    ledger = branch.first_ledger(phases)
    plans = PlanHistory(branch.plans.every_plan(path, head))
    rebuilder = Rebuilder(run.repository, ledger, plans, render_phase, branch.render_again, fork=branch.fork)
    commits = [proof for commit in branch.commits if (proof := rebuilder.read(commit))]
    own = {each.phase for each in commits}
    inherited = branch.plans.inherited(path, branch.fork)
    return Rebuild(
        run=branch.run,
        branch=branch.name,
        head=head,
        commits=commits,
        files=rebuilder.origins([each for each in phases if each.key != PLAN_PHASE], inherited),
        inherited=[key for key in (inherited.records if inherited else ()) if key not in own],
        notes=branch.notes,
    )
