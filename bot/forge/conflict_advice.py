"""What people read about conflicts: which files, how to resolve them, and the change that was not written.  Pure."""

from collections.abc import Iterator, Mapping, Sequence

from bot.forge.markdown import code, fenced, folded, paths, within
from bot.history.run_state import PhaseState

_MAX_ADVICE, _MAX_DIFF, _MAX_DIFFS = 3_000, 4_000, 12_000
"""Character limits: of all advice, of one diff, and of all diffs together."""


def render_advice(phases: Sequence[PhaseState]) -> str:
    """Return one list item per phase with conflicts, and one per thing that is in the way; empty without conflicts."""
    return "\n".join(within(_advice(phases), _MAX_ADVICE, "conflict"))


def _advice(phases: Sequence[PhaseState]) -> Iterator[str]:
    for each in phases:
        if edited := [path for path in each.open_conflicts if path not in each.blocked]:
            command = code(f"/regenerate {each.phase.key} --discard-edits")
            yield (
                f"- Conflict in {paths(edited)}: your version stays. Edit and commit it, "
                f"or take the new one, which drops all edits in files of this phase: comment {command}."
            )
    blocked = {path: name for each in phases for path, name in each.blocked.items()}
    for name in dict.fromkeys(blocked.values()):
        behind = [path for path in blocked if blocked[path] == name != path]
        what = f"{code(name)} is in the way of {paths(behind)}" if behind else f"{code(name)} is a folder or link"
        yield f"- Conflict: {what}. Move it on this branch, commit that, and comment `/generate`."


def render_diffs(rejected: Mapping[str, str]) -> str:
    """Return each generated change that was not written, folded: path → hunks of a unified diff."""
    rows = (_folded_diff(path, diff) for path, diff in rejected.items())
    return "\n\n".join(within(rows, _MAX_DIFFS, "diff"))


def _folded_diff(path: str, diff: str) -> str:
    lines, room = [], _MAX_DIFF
    for each in diff.split("\n"):
        room -= len(each) + 1
        if room < 0:
            lines.append("… cut here")
            break
        lines.append(each)
    return folded("A generated change that was not written", [f"{code(path)}:", "", fenced("\n".join(lines), "diff")])
