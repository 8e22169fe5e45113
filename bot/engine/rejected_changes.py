"""What the bot generated and did not write, because a person's file stays."""

from collections.abc import Mapping

from bot.history.run_branch import RunBranch
from bot.history.run_state import RunState


def rejected_changes(branch: RunBranch, state: RunState, generated: Mapping[str, bytes]) -> Mapping[str, str]:
    """Return the rejected changes as unified diffs: path → hunks, from the person's file to the generated one.

    *generated* holds what this process generated.  For the rest the templates are rendered again; a model's version of
    an earlier process is in no commit, so it is left out.
    """
    phases = [each.phase for each in state.phases]
    found: dict[str, str] = {}
    for each in state.phases:
        for path in (*each.open_conflicts, *each.kept):
            if diff := branch.rejected_change(phases, each.phase.key, path, generated.get(path)):
                found[path] = diff
    return found
