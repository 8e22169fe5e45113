"""Where the worktrees of a run are not in step with its branch, although the branch is as it should be."""

from bot.errors import WorktreeOutOfStep
from bot.history.checkout import OpenRun


def worktree_problems(run: OpenRun) -> list[str]:
    """Return what could not be written, and an edit of the plan that is not committed; with remedies."""
    unused = _unused_plan(run)
    return [*run.sync.worktrees.problems(), *([unused] if unused else [])]


def out_of_step(run: OpenRun, problems: list[str]) -> WorktreeOutOfStep | None:
    """Return the error that *problems* are; None if there are none, or nobody uses the worktree after this process."""
    return WorktreeOutOfStep("; ".join(problems)) if problems and not run.sync.disposable else None


def _unused_plan(run: OpenRun) -> str | None:
    """Return a message that a person's edit of the plan is not committed, and so not used; None if there is none."""
    branch = run.branch
    found = branch.plan_file()
    if found is None:
        return None
    edited = run.sync.worktrees.edited(found.path, found.blob, branch.versions(found.path))
    if not edited:
        return None
    have = "has" if len(edited) == 1 else "have"
    return (
        f"{', '.join(edited)} {have} changes that are not committed, so they are not used; "
        "commit them and run generate again"
    )
