"""What a message says of commits that could not be pushed."""

import pytest

from bot.history.run_state import Commit
from bot.history.trailers import Trailers
from bot.history.unpushed import describe, whereabouts


def phases(*keys: str) -> list[Commit]:
    return [Commit(key, Trailers(run="blog", phase=key)) for key in keys]


ROLLBACK = Commit("rollback", Trailers(run="blog", reverts=("main",)))
PERSON = Commit("person", None)


@pytest.mark.parametrize(
    ("commits", "text"),
    [
        (phases("core"), "1 phase (core) is"),
        (phases("plan", "core", "core"), "2 phases (plan, core) are"),
        ([*phases("core"), PERSON], "1 phase (core) and 1 other commit are"),
        ([ROLLBACK, PERSON], "2 commits are"),
        (
            phases(*(f"entity/E{n}" for n in range(10))),
            f"10 phases ({', '.join(f'entity/E{n}' for n in range(8))} and 2",
        ),
    ],
)
def test_phases_are_named_and_other_commits_counted(commits: list[Commit], text: str) -> None:
    assert describe(commits).startswith(text)


def test_what_is_kept_on_disk_is_called_safe_and_what_goes_with_a_job_is_not() -> None:
    assert whereabouts([], disposable=True) == ""
    assert "safe on the local branch" in whereabouts([ROLLBACK], disposable=False)
    assert whereabouts(phases("core"), disposable=True) == (
        "1 phase (core) is only in this job's clone and lost with it; comment /generate to generate what is lost again"
    )
    assert whereabouts([ROLLBACK], disposable=True) == (
        "1 commit is only in this job's clone and lost with it; comment the command again"
    )
