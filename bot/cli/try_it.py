"""What to type to try a project that is complete, as its recipe says."""

import os
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.history.checkout import OpenRun
    from bot.history.run_state import Commit


def is_first_time(commits: "Sequence[Commit]", key: str) -> bool:
    """Whether the phase *key* was made for the first time, so that a project may be complete for the first time."""
    return sum(each.trailers is not None and each.trailers.phase == key for each in commits) == 1


def try_lines(run: "OpenRun", here: Path) -> Iterator[str]:
    """Yield the lines for a shell in the folder *here*; none if the recipe does not say how to run the project."""
    planned = run.branch.view().plan
    if planned is None or not planned.recipe.try_it.run:
        return
    try_it, own = planned.recipe.try_it, run.repository.git.worktree
    folders = run.sync.worktrees.folders()
    is_here = any(each.samefile(own) for each in folders)
    folder = own if is_here or not folders else folders[0]
    if (way := os.path.relpath(folder / planned.plan.output_dir, here)) != os.curdir:
        yield f"cd {shlex.quote(way)}"
    if not folders:
        yield f"git switch {shlex.quote(run.branch.name)}"
    yield from try_it.run
    if try_it.see:
        yield f"# then open {try_it.see}"
