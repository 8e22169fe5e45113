"""Save an instruction for some phases in the plan, in a separate commit."""

from collections.abc import Collection

from bot.engine.requests import RunRequest, request_trailers
from bot.errors import RepositoryError
from bot.history.branch_writer import ATTEMPTS
from bot.history.checkout import OpenRun
from bot.history.commits import PhaseCommit
from bot.history.inert_text import quote
from bot.planning.phases import PLAN_PHASE
from bot.planning.plan_edits import add_instruction
from bot.planning.resolved_plan import ResolvedPlan


def commit_instruction(run: OpenRun, plan: ResolvedPlan, request: RunRequest, initial_commits: Collection[str]) -> None:
    """Commit the instruction of *request* as part of the plan, unless the plan has it, or this comment added it.

    Raises:
        UsageError: It can't be part of the plan.
        RepositoryError: Others edited the plan each time.
    """
    branch = run.branch
    trailers = request_trailers(branch.run, request.requester)
    earlier = (commit.trailers for commit in branch.commits if commit.trailers)
    if trailers.comment and any(each.phase == PLAN_PHASE and each.comment == trailers.comment for each in earlier):
        return
    for _ in range(ATTEMPTS):
        found = branch.plan_file()
        assert found, "the plan was read"  # noqa: S101
        changed = add_instruction(plan, found.text, request.regenerate, request.instruction)
        if changed.text == found.text:
            return
        phase = changed.phases[0]
        work = PhaseCommit(
            phase=phase,
            total=len(changed.phases),
            files={found.path: changed.text.encode()},
            trailers=trailers.for_phase(phase, "complete"),
            body=[f"Added an instruction for {', '.join(map(quote, request.regenerate))}."],
            replaces=initial_commits,
            expected_blob=found.blob,
        )
        if run.writer.commit(work, plan.phases):
            branch.plans.cache(changed)
            return
    raise RepositoryError(
        f"saving the instruction in the plan of {branch.name}: others edited the plan {ATTEMPTS} times; try again"
    )
