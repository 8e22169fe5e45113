"""What a phase commit was made from and changed, read from history without the bot's own reading of it."""

import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bot.errors import UsageError
from bot.generation.templates import render_phase
from bot.planning.phases import PLAN_FILE, Phase
from bot.planning.resolved_plan import ResolvedPlan, resolve_plan_file
from tests.crash.interruptions import dressed
from tests.repositories import git

_FORM = "%H%x1f%B%x1f%(trailers:only,unfold)%x1e"


@dataclass(frozen=True)
class MadeCommit:
    """A commit, with what its trailers say."""

    oid: str
    model: str
    plan: ResolvedPlan | None
    phase: Phase | None
    """As the plan of that commit has it; None if a person made the commit."""
    conflicts: frozenset[str]
    missing: frozenset[str]
    changed: frozenset[str]
    reverts: bool

    def text(self, path: str) -> str:
        """Return what the author made of *path* for this commit, alone."""
        assert self.plan, "a phase has a plan"
        assert self.phase, "it is a phase commit"
        text = render_phase(self.plan, self.phase)[path]
        return dressed(text, int(self.model.removeprefix("edition-"))) if self.model else text


def made_commits(folder: Path, since: str, head: str) -> list[MadeCommit]:
    """Return the first-parent commits of *since*..*head*, newest first."""
    if not head or since == head:
        return []
    span = [f"{since}..{head}"] if since else [head]
    rows = git(folder, "log", "--first-parent", f"--format={_FORM}", *span).split("\x1e")
    return [_commit(folder, *row.strip("\n").split("\x1f")) for row in rows if row.strip()]


def _commit(folder: Path, oid: str, body: str, trailers: str) -> MadeCommit:
    pairs = [line.partition(": ")[::2] for line in trailers.split("\n")]
    named = dict(pairs)
    options = ("--name-only", "--format=", "--first-parent", "--diff-merges=first-parent")
    changed = git(folder, "log", "-1", *options, oid).split("\n")
    plan = _plan(folder, oid)
    phases = plan.phases if plan else ()
    phase = next((each for each in phases if each.key == named.get("Phasebot-Phase") and each.key != "plan"), None)
    return MadeCommit(
        oid,
        named.get("Phasebot-Model", ""),
        plan,
        phase,
        frozenset(value for key, value in pairs if key == "Phasebot-Conflict"),
        frozenset(value for key, value in pairs if key == "Phasebot-Missing"),
        frozenset(changed) - {""},
        "Phasebot-Reverts" in named or "This reverts commit" in body,
    )


def _plan(folder: Path, oid: str) -> ResolvedPlan | None:
    try:
        return resolve_plan_file(git(folder, "show", f"{oid}:{PLAN_FILE}") + "\n", source="it", output_dir=".")
    except (AssertionError, UsageError):
        return None


def told_without_need(folder: Path, commit: MadeCommit, path: str) -> bool:
    """Whether *commit* tells of a conflict at *path*, and git merges the true three versions without one.

    Where people reverted commits, rewrote or squashed them, nothing says what the true base is: those are passed over.
    """
    history = made_commits(folder, "", f"{commit.oid}^")
    key = commit.phase.key if commit.phase else ""
    for earlier in history:
        if earlier.reverts:
            return False
        if earlier.phase is None or earlier.phase.key != key or path not in earlier.phase.files:
            continue
        if path in earlier.conflicts | earlier.missing:
            continue
        if not earlier.changed <= set(earlier.phase.files):
            return False
        head = subprocess.run(
            ["git", "-C", str(folder), "show", f"{commit.oid}^:{path}"], capture_output=True, check=False
        )
        return head.returncode == 0 and _merges(head.stdout, earlier.text(path).encode(), commit.text(path).encode())
    return False


def _merges(ours: bytes, base: bytes, theirs: bytes) -> bool:
    if any(b"\0" in text for text in (ours, base, theirs)):
        return False
    with tempfile.TemporaryDirectory() as scratch:
        names = []
        for name, text in (("ours", ours), ("base", base), ("theirs", theirs)):
            (Path(scratch) / name).write_bytes(text)
            names.append(str(Path(scratch) / name))
        return subprocess.run(["git", "merge-file", "-p", *names], capture_output=True, check=False).returncode == 0
