"""Crash tests of the action: end a job at any effect on git or GitHub, run another job, same picture.

The job's process ends at the chosen effect; nothing that it tries after that has an effect.
The runner's disk is lost with it; the next job has the same comment and a fresh checkout.
The fast set ends the job at every fourth effect, the slow set at all others.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import pytest

from bot.forge.github_transport import GitHubTransport
from bot.history.git import Git, Result
from tests.action_world import World, small_world
from tests.github_server import Asked, Reply
from tests.repositories import git

When = Literal["before", "after"]
LEAST = 14
"""Effects of a run of five phases: five commits, a push, and eight requests that write."""
EFFECTS = 16
"""More than a run of five phases has at least: how often it edits its comment depends on time."""
FAST: Sequence[tuple[When, int]] = [
    ("after", 1),
    ("before", 3),
    ("after", 5),
    ("before", 7),
    ("after", 9),
    ("before", 12),
    ("after", 14),
    ("after", 16),
]
"""Before one effect is much like after the one before it, so either is in the sample."""
MOMENTS = [
    pytest.param(when, number, marks=() if (when, number) in FAST else pytest.mark.slow)
    for when in get_args(When)
    for number in range(1, EFFECTS + 1)
]
PICTURE = """
Generate plan [1/5]  github-actions[bot] for alice
Generate core [2/5]  github-actions[bot] for alice
Generate entity Note [3/5]  github-actions[bot] for alice
Generate support files [4/5]  github-actions[bot] for alice
Generate main application [5/5]  github-actions[bot] for alice

#PR1 open ready: Generate Blog API (phasebot/issue-12, main)

#12 alice: /generate  :rocket:
#12 bot: **Phasebot finished `@alice`'s request**
#12 bot: **Done:** 5 of 5 phases, 9 files. Review pull request #PR1 commit by commit.
"""


class Death(BaseException):
    """The process is gone."""


@dataclass
class Reaper:
    """Counts effects, and ends the process at one of them."""

    when: When = "before"
    number: int = 0
    """Of the effect, from 1; with 0 nothing ends."""
    effects: list[str] = field(default_factory=list)
    dead: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def meets(self, effect: str) -> bool:
        """Take note of an effect; return whether it is the last thing that happens."""
        with self._lock:
            if not self.dead:
                self.effects.append(effect)
                self.dead = len(self.effects) == self.number
                return self.dead
        return False

    def breathe(self) -> None:
        if self.dead:
            raise Death

    def script(self, asked: Asked) -> Reply | None:
        """Let GitHub hear nothing of a process that is dead."""
        if self.dead:
            return Reply(reset=True)
        last = asked.method != "GET" and self.meets(asked.line)
        return Reply(reset=True, acts=self.when == "after") if last else None


@contextmanager
def watched(github: World, reaper: Reaper) -> Iterator[None]:
    """Have the reaper look on as long as the context lasts."""
    run, ask = Git.run, GitHubTransport._try  # noqa: SLF001  # the one place that all requests pass

    def effect(self: Git, *arguments: str, **how: Any) -> Result:  # noqa: ANN401  # as they were
        reaper.breathe()
        last = arguments[0] in ("fast-import", "push") and reaper.meets(f"git {arguments[0]}")
        if last and reaper.when == "before":
            raise Death
        result = run(self, *arguments, **how)
        reaper.breathe()
        return result

    def request(self: GitHubTransport, call: Callable[[], object], deadline: float, *, moved: bool) -> object:
        reaper.breathe()
        answer = ask(self, call, deadline, moved=moved)
        reaper.breathe()
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Git, "run", effect)
        patch.setattr(GitHubTransport, "_try", request)
        github.github.script = reaper.script
        yield
    github.github.script = None


def test_an_undisturbed_job_has_these_effects(tmp_path: Path) -> None:
    reaper = Reaper()
    with small_world(tmp_path) as github, watched(github, reaper):
        github.say("/generate")

        assert github.picture() == PICTURE
    assert len(reaper.effects) >= LEAST, reaper.effects
    assert reaper.effects.count("git fast-import") == 5
    assert {"POST /pulls", "POST /graphql", "git push"} <= set(reaper.effects)


@pytest.mark.parametrize(("when", "number"), MOMENTS)
def test_a_job_that_ends_at_any_effect_is_made_good_by_the_next(tmp_path: Path, when: When, number: int) -> None:
    reaper = Reaper(when, number)
    with small_world(tmp_path) as github:
        payload = github.comment("/generate")
        with watched(github, reaper), suppress(Death):
            github.answer(payload)
        assert reaper.dead or len(reaper.effects) < number
        pushed = git(github.origin, "for-each-ref", "--format=%(objectname)", "refs/heads/phasebot/")

        ending = github.ended(payload)

        assert (ending.status, ending.exit_code) == ("complete", 0), reaper.effects
        drawn = github.picture().split("\n")
        assert sorted(set(drawn)) == sorted(set(PICTURE.split("\n"))), reaper.effects
        assert len(github.commits()) == 5
        assert not pushed or git(github.origin, "merge-base", pushed, "phasebot/issue-12") == pushed
        assert len(github.github.pulls) == 1
        words = [row.split("**")[1] for row in drawn if row.startswith("#12 bot")]
        assert words.count("Phasebot finished `@alice`'s request") == 1
        assert words.count("Done:") in (1, 2), "one of each job, if the first came to that"
