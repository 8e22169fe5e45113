"""Kill a run at random moments and run again: nothing that was finished is lost or generated twice.

The fast set does this in one kind of repository, the slow set in all others; ``PHASEBOT_KILLS=200`` kills 200 times
in each.
"""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.crash.test_kill_at_every_write import FAST_KIND, SLOW_KINDS, place
from tests.repositories import SMALL, clone, git, phases_of, tree_of
from tests.unit.values import BLOG

KILLS = int(os.environ.get("PHASEBOT_KILLS", "6"))


def start(folder: Path) -> "subprocess.Popen[bytes]":
    """Begin a run in a process of its own."""
    command = [sys.executable, "-m", "bot", "generate", BLOG, "--repo", str(folder), "--recipe", str(SMALL)]
    command += ["--run", "note"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.mark.parametrize("kind", [FAST_KIND, *(pytest.param(kind, marks=pytest.mark.slow) for kind in SLOW_KINDS)])
def test_a_run_killed_at_random_moments_ends_like_one_that_was_not(tmp_path: Path, kind: str) -> None:
    dice = random.Random(f"{kind} {KILLS}")  # noqa: S311  # reproducible on purpose
    reference = place(tmp_path / "reference", kind)
    begun = time.monotonic()
    assert start(reference.folder).wait(60) == 0
    whole = time.monotonic() - begun
    want = tree_of(reference.folder, "note")

    killed = 0
    for number in range(KILLS):
        here = place(tmp_path / str(number), kind)
        process = start(here.folder)
        time.sleep(dice.uniform(whole / 5, whole))
        process.send_signal(signal.SIGKILL)
        killed += process.wait(60) == -signal.SIGKILL
        _let_children_end(here.folder)
        pushed = (
            phases_of(here.origin, "note") if here.origin and git(here.origin, "branch", "--list", "phasebot/*") else []
        )

        again = clone(here.origin, tmp_path / f"fresh-{number}") if here.origin and dice.random() < 0.5 else here.folder
        process = start(again)
        assert process.wait(60) == 0, number

        phases = phases_of(again, "note")
        assert len(phases) == len(set(phases)) == 9
        assert phases[: len(pushed)] == pushed
        assert tree_of(again, "note") == want
        assert git(again, "status", "--porcelain") == ""
    assert killed, "no kill came in time"


def _let_children_end(folder: Path) -> None:
    """Wait until no git of the killed process is at work: a rerun comes later than that."""
    for _ in range(100):
        if subprocess.run(["pgrep", "-f", f"git .*{folder}"], capture_output=True, check=False).returncode:
            return
        time.sleep(0.02)
