"""When commits were made, as bars on axes."""

from dataclasses import replace

import pytest

from bot.engine import phase_commits
from bot.generation.provider import GenerationResult
from bot.history.run_state import Commit
from bot.page.timeline import sessions
from tests.page_stories import at
from tests.unit.values import blob, bot_commit, build_phase, human_commit, rollback

CORE, MAIN = build_phase("core", "a.py"), build_phase("main", "b.py")
TITLES = {"core": "the core", "main": "main application"}


def test_a_bar_ends_at_its_commit_and_is_as_long_as_the_message_says() -> None:
    (found,) = sessions([at(bot_commit(1, CORE), 10, 10), at(bot_commit(2, MAIN), 40, 20)], TITLES)

    assert found.seconds == 40
    assert [(each.bar.name, each.bar.told, each.left, each.width) for each in found.bars] == [
        ("the core", "10 s", 0, 25),
        ("main application", "20 s", 50, 50),
    ]
    assert found.ticks == [(0, "0"), (25, "10 s"), (50, "20 s"), (75, "30 s"), (100, "40 s")]


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (192, ["0:00", "1:00", "2:00", "3:00"]),
        (9_000, ["0:00 h", "0:30 h", "1:00 h", "1:30 h", "2:00 h", "2:30 h"]),
        (0, ["0", "1 s"]),
    ],
)
def test_times_on_the_axis_are_short(seconds: int, told: list[str]) -> None:
    (found,) = sessions([at(bot_commit(1, CORE), seconds, seconds)], TITLES)
    assert [words for _, words in found.ticks] == told


def test_a_pause_begins_a_session_with_its_own_axis() -> None:
    found = sessions([at(bot_commit(1, CORE), 0, 5), at(bot_commit(2, MAIN), 86_400, 5)], TITLES)

    assert [len(each.bars) for each in found] == [1, 1]
    assert found[1].start - found[0].start == 86_400


def test_every_kind_of_commit_is_told() -> None:
    commits = [
        at(bot_commit(1, CORE, status="partial", missing=["a.py"]), 0, 1),
        at(human_commit(2, {"x": blob(1), "y": None}), 5, author="Ada <a@b.c>"),
        at(rollback(3, "core", "main"), 9),
        at(human_commit(4), 9),
    ]
    (found,) = sessions(commits, TITLES)

    assert [(each.bar.kind, each.bar.name, each.bar.told) for each in found.bars] == [
        ("partial", "the core", "1 s"),
        ("person", "Ada", "changed 2 files"),
        ("rollback", "the core, main application", "rolled back"),
        ("person", "somebody", "changed 0 files"),
    ]


def test_all_bars_stay_on_their_axis_and_ticks_are_few() -> None:
    for step in (1, 7, 61, 599):
        commits = [at(bot_commit(number, CORE), number * step, step * 3) for number in range(40)]
        for each in sessions(commits, TITLES):
            assert all(bar.left >= 0 and bar.left + bar.width <= 100.001 for bar in each.bars)
            assert all(0 <= place <= 100 for place, _ in each.ticks)
            assert 1 <= len(each.ticks) <= 7


@pytest.mark.parametrize("number", [1, 2, 1_200])
def test_the_time_is_read_from_the_message_that_a_phase_is_committed_with(number: int) -> None:
    generated = GenerationResult({f"{place}.py": "" for place in range(number)})
    body = "\n".join(phase_commits._body(generated, 6.2))  # noqa: SLF001  # what writes the message
    (found,) = sessions([replace(bot_commit(1, CORE), time=100, body=body)], TITLES)

    assert [each.bar.told for each in found.bars] == ["6.2 s"]


def test_what_a_message_says_counts_only_in_its_own_form() -> None:
    odd = [Commit("1" * 40, bot_commit(1, CORE).trailers, body=body, time=100) for body in ("", "9 s", "1 of x files")]
    (found,) = sessions(odd, {})
    assert [each.bar.told for each in found.bars] == ["", "", ""]
    assert sessions([bot_commit(1, CORE)], {}) == [], "its time is not known"
