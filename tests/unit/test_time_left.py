"""When a run has probably ended."""

from dataclasses import replace

import pytest

from bot.engine.snapshot import Snapshot
from bot.engine.time_left import likely_end
from tests.unit.test_snapshot import run_state
from tests.unit.values import build_phase

_CORE = build_phase("core", "core.py")
_ITEMS = [build_phase(f"entity/E{number}", f"e{number}.py", needs=["core"]) for number in range(4)]
_MAIN = build_phase("main", "main.py", needs=[each.key for each in _ITEMS])
_STARTED = Snapshot(
    state=run_state(_CORE, *_ITEMS, _MAIN, done=["core"]),
    jobs=8,
    timings=[("core", 0.0, 10.0)],
    active={each.key: 10.0 for each in _ITEMS},
)


def test_before_the_first_phase_is_done_nobody_knows() -> None:
    assert likely_end(replace(_STARTED, timings=()), 12.0) is None
    assert likely_end(replace(_STARTED, timings=[("plan", 0.0, 9.0)]), 12.0) is None


def test_templates_take_no_time_worth_an_estimate() -> None:
    assert likely_end(replace(_STARTED, by_templates=True), 12.0) is None


@pytest.mark.parametrize(
    ("jobs", "running", "expected"),
    [
        (8, 4, 30.0),  # the entities until 20, then the main application
        (4, 4, 30.0),
        (2, 2, 40.0),  # two until 20, two until 30, then the main application
        (1, 1, 60.0),
    ],
)
def test_phases_wait_for_what_they_need_and_for_a_free_job(jobs: int, running: int, expected: float) -> None:
    active = {each.key: 10.0 for each in _ITEMS[:running]}

    assert likely_end(replace(_STARTED, jobs=jobs, active=active), 12.0) == expected


def test_a_phase_that_takes_longer_than_the_others_may_end_at_any_moment() -> None:
    assert likely_end(_STARTED, 100.0) == 110.0


def test_what_has_failed_and_what_needs_it_is_not_waited_for() -> None:
    failed = _ITEMS[0].key
    active = {each.key: 10.0 for each in _ITEMS[1:]}
    snapshot = replace(_STARTED, active=active, failures={failed: {"e0.py": "refused"}})

    assert likely_end(snapshot, 12.0) == 20.0


def test_once_nothing_is_left_there_is_nothing_to_wait_for() -> None:
    done = replace(_STARTED, state=run_state(_CORE, done=["core"]), active={})

    assert likely_end(done, 12.0) is None
