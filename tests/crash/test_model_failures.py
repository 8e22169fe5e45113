"""A model that fails at random in every way, and a kill while it answers: reruns finish, nothing is asked twice.

The fast set plays one seed, the slow set nineteen more; ``PHASEBOT_CHAOS=100`` plays a hundred.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.gemini_client import SENTENCE, phasebot, run
from tests.gemini_server import Asked, Author, FakeGemini, Reply, answer, error, retry_info
from tests.repositories import clone, git, new_origin, new_repository, phases_of

MISHAPS: tuple[Callable[[Asked], Reply], ...] = (
    lambda _: error(500),
    lambda _: error(503, "overloaded", "UNAVAILABLE"),
    lambda _: error(429, "slow down", "RESOURCE_EXHAUSTED", [retry_info(0.05)]),
    lambda _: error(429, "slow down", retry_after="0"),
    lambda _: Reply(reset=True),
    lambda _: Reply(raw=b""),
    lambda _: Reply(raw=b"\x00garbage\r\n\r\n"),
    lambda _: Reply(body=b'{"candidates": [{"content"', cut=12),
    lambda _: Reply(body=b"<html>oops</html>"),
    lambda _: Reply(body=b"[" * 50_000),
    lambda _: Reply(),
    lambda _: answer(None, "SAFETY"),
    lambda _: answer(None, "RECITATION"),
    lambda _: answer('{"files": [{"path": "app', "MAX_TOKENS"),
    lambda _: answer("I can't do that.", "STOP"),
    lambda _: answer('{"files": []}'),
    lambda asked: answer(json.dumps({"files": [{"path": path, "content": "```\n"} for path in asked.paths]})),
    lambda _: answer(None, None),
    lambda _: answer("{}", "OTHER"),
    lambda _: error(400, "too many states for serving", "INVALID_ARGUMENT"),
)

SEEDS = [
    pytest.param(seed, marks=pytest.mark.slow if seed > 1 else ())
    for seed in range(1, 1 + int(os.environ.get("PHASEBOT_CHAOS", "20")))
]


@pytest.fixture
def whole(tmp_path: Path) -> list[str]:
    """Return the files of the blog, made without a single mishap."""
    folder = new_repository(tmp_path / "reference")
    with FakeGemini(Author()) as fake:
        run(folder, fake)
    return made_in(folder)


def made_in(folder: Path) -> list[str]:
    """Return the files on the branch with their blobs, without the text of the spec, which was given in two ways."""
    rows = git(folder, "ls-tree", "-r", "phasebot/blog").split("\n")
    return [row for row in rows if not row.endswith(".phasebot/spec.md")]


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_fails_nothing_finished_is_asked_twice_and_reruns_finish(
    tmp_path: Path, whole: list[str], seed: int
) -> None:
    author, rng = Author(), random.Random(seed)  # noqa: S311  # a game, to be repeated
    origin = new_origin(tmp_path / "origin.git")

    def script(asked: Asked) -> Reply:
        return rng.choice(MISHAPS)(asked) if rng.random() < 0.3 else author(asked)

    done: set[str] = set()
    with FakeGemini(script) as fake:
        for attempt in range(1, 10):
            folder = clone(origin, tmp_path / f"clone-{attempt}")
            before = len(fake.requests)
            outcome = run(folder, fake, spec=SENTENCE)
            assert outcome.error is None or outcome.error.exit_code == 3
            assert not done & set(map(author.phase, fake.requests[before:])), "a finished phase was asked for again"
            done = {each.phase.key for each in outcome.state.phases if not each.wanted}
            if outcome.state.complete:
                break
        else:
            pytest.fail("nine runs were not enough")

    git(origin, "fsck", "--strict")
    assert made_in(origin) == whole


def test_after_a_kill_amid_eight_requests_only_unfinished_phases_are_asked_for(tmp_path: Path) -> None:
    spec = "\n".join(f"- Thing{number}: name string" for number in range(8))
    author = Author(spec)
    folder = new_repository(tmp_path / "blog")
    finish_first = ("core", "support", "entity/Thing0")

    def script(asked: Asked) -> Reply:
        return author(asked) if author.phase(asked) in finish_first else Reply(wait=60)

    command = [sys.executable, "-m", "bot", "generate", spec, "--repo", str(folder), "--run", "blog", "--jobs", "8"]
    with FakeGemini(script) as fake:
        first = subprocess.Popen(command, env=os.environ | fake.environment, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not (fake.active == 7 and "entity/Thing0" in phases_of_any(folder)):
            time.sleep(0.02)
        first.send_signal(signal.SIGKILL)
        first.wait()
        assert fake.active == 7

    done = set(phases_of(folder))
    with FakeGemini(author) as fake:
        again = phasebot("generate", spec, "--repo", folder, "--run", "blog", fake=fake)

    assert again.returncode == 0, again.stderr
    assert done == {"plan", *finish_first}
    assert sorted(map(author.phase, fake.requests)) == [
        *(f"entity/Thing{number}" for number in range(1, 8)),
        *("main", "migration"),
    ]


def phases_of_any(folder: Path) -> list[str]:
    """Return the phases on the branch, none where there is none yet."""
    there = git(folder, "branch", "--list", "phasebot/blog")
    return phases_of(folder) if there else []
