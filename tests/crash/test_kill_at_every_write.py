"""Crash tests of a run: kill it at any write, run again, and reach the same end.

A shim in front of the real git counts the writes and kills the process that asked for the n-th with SIGKILL,
before or after it was done.  The rerun happens in the same clone, or in a fresh one where there is a remote.
The moment after one write is the moment before the next, so the fast set dies before and after every fifth write, in
one kind of repository; the slow set does the rest.
"""

import os
import signal
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.repositories import NOTE, SMALL, clone, git, new_origin, new_repository, phases_of, tree_of

FAST_KIND = "remote, checked out"
"""It has every kind of write."""
SLOW_KINDS = ("new", "elsewhere", "remote", "empty remote")
_SHIM = """\
#!/bin/sh
write=
for word in "$@"; do
  case "$word" in
    init|symbolic-ref|hash-object|update-ref|fast-import|update-index|checkout-index|push|fetch) write=1; break;;
  esac
done
if [ -n "$write" ]; then
  printf x >> "$SHIM_COUNT"
  n=$(wc -c < "$SHIM_COUNT")
  [ "$n" -eq "$SHIM_BEFORE" ] && { kill -9 $PPID; exit 1; }
fi
"$SHIM_GIT" "$@"
status=$?
[ -n "$write" ] && [ "$n" -eq "$SHIM_AFTER" ] && kill -9 $PPID
exit $status
"""


@dataclass
class Place:
    """Where the run happens."""

    folder: Path
    origin: Path | None


def place(tmp_path: Path, kind: str) -> Place:
    """Make the repository of *kind* to begin with."""
    if kind == "new":
        return Place(tmp_path / "new", None)
    if kind == "elsewhere":
        return Place(new_repository(tmp_path / "elsewhere"), None)
    if kind == "empty remote":
        origin = tmp_path / "origin.git"
        origin.mkdir(parents=True)
        git(origin, "init", "--quiet", "--bare", "--initial-branch=trunk")
    else:
        origin = new_origin(tmp_path / "origin.git")
    folder = clone(origin, tmp_path / "clone")
    if kind == "remote, checked out":
        git(folder, "switch", "--quiet", "-c", "phasebot/note")
    return Place(folder, origin)


def generate(folder: Path, shim: Path, *, before: int = 0, after: int = 0) -> int:
    """Run the bot behind the shim; return its exit status."""
    shim.mkdir(exist_ok=True)
    script = shim / "git"
    real = subprocess.run(["which", "git"], capture_output=True, text=True, check=True).stdout.strip()
    if not script.exists():  # a git that outlived its run may still be using it
        script.write_text(_SHIM)
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
    count = shim / "count"
    count.write_text("")
    environment = os.environ | {
        "PATH": f"{shim}:{os.environ['PATH']}",
        "SHIM_GIT": real,
        "SHIM_COUNT": str(count),
        "SHIM_BEFORE": str(before),
        "SHIM_AFTER": str(after),
    }
    command = [sys.executable, "-m", "bot", "generate", NOTE, "--repo", str(folder), "--recipe", str(SMALL)]
    return subprocess.run(command, env=environment, capture_output=True, check=False, timeout=60).returncode


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    ("kind", "first", "step"),
    [
        (FAST_KIND, 1, 5),
        *(pytest.param(FAST_KIND, first, 5, marks=pytest.mark.slow) for first in (2, 3, 4, 5)),
        *(pytest.param(kind, 1, 1, marks=pytest.mark.slow) for kind in SLOW_KINDS),
    ],
)
def test_a_run_killed_at_any_write_is_finished_by_the_next(
    tmp_path: Path, kind: str, first: int, step: int, when: str
) -> None:
    reference = place(tmp_path / "reference", kind)
    assert generate(reference.folder, tmp_path / "shim") == 0
    writes = len((tmp_path / "shim" / "count").read_text())
    assert writes >= len(phases_of(reference.folder, "note"))

    for number in range(first, writes + 1, step):
        here = place(tmp_path / str(number), kind)
        status = generate(here.folder, tmp_path / "shim", **{when: number})
        assert status in (-signal.SIGKILL, 0), "a background write may come to its number after the work is done"
        finished = phases_of(here.origin, "note") if here.origin and _has_branch(here.origin) else []

        again = here.folder
        if here.origin and when == "before":
            again = clone(here.origin, tmp_path / f"fresh-{number}")
        assert generate(again, tmp_path / "shim") == 0, (number, kind)

        _assert_same_end(again, here, reference, finished)


def _has_branch(origin: Path) -> bool:
    return bool(git(origin, "branch", "--list", "phasebot/note"))


def _assert_same_end(again: Path, here: Place, reference: Place, finished: list[str]) -> None:
    phases = phases_of(again, "note")
    assert sorted(phases) == sorted(phases_of(reference.folder, "note"))
    assert phases[: len(finished)] == finished, "what was pushed is there once, where it was"
    assert tree_of(again, "note") == tree_of(reference.folder, "note")
    assert git(again, "status", "--porcelain") == ""
    git(again, "fsck", "--no-dangling")
    if here.origin:
        assert tree_of(here.origin, "note") == tree_of(reference.folder, "note")
        base = "trunk" if git(here.origin, "branch", "--list", "trunk") else "main"
        assert git(here.origin, "merge-base", base, "phasebot/note") == git(here.origin, "rev-parse", base)
