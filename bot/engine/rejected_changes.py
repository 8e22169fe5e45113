"""People's files beside the generated ones: what was not written because they stay, and what is gone."""

from collections.abc import Iterator, Mapping

from bot.history.ledger import Ledger
from bot.history.run_branch import RunBranch
from bot.history.run_state import RunState
from bot.planning.phases import PLAN_PHASE, Phase


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


def notes_on_commit(branch: RunBranch, ledger: Ledger, phase: Phase, before: str | None) -> Iterator[str]:
    """Yield what people should know once of the newest commit: their files that stay, and their edits that are gone.

    *phase* is the one that it generated, *before* the head before it.
    """
    made = ledger.state(phase)
    key, same = made.phase.key, [path for path, name in made.kept.items() if name == path]
    if same and key == PLAN_PHASE:
        yield f"kept your {', '.join(same)}, so the text of the spec is not saved"
    elif same:
        command = f"'phasebot regenerate {key} --run {branch.run} --discard-edits'"
        yield f"kept your {', '.join(same)}; {command} takes the generated {'ones' if len(same) > 1 else 'one'}"
    for path, name in made.kept.items():
        if name != path:
            yield (
                f"kept your {name}, which is in the way of {path}; to get the generated one, "
                f"rename yours on {branch.name}, commit that, and run generate again"
            )
    if made.status == "complete" and (obsolete := ledger.obsolete(phase)):
        yield f"kept {', '.join(obsolete)}, because people edited it; the recipe makes no such file any more"
    trailers = branch.commits[-1].trailers
    if trailers and trailers.discarded:
        gone = ", ".join(trailers.discarded)
        yield f"discarded people's edits in {gone}; commit {(before or '')[:10]} still holds them"
