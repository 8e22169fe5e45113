"""The live view of a run, as a picture for terminals of several sizes."""

from dataclasses import replace
from decimal import Decimal

import pytest

from bot.cli.live_rows import FoldedNotes, Moment, RepeatedNote, live_rows
from bot.engine.snapshot import Snapshot
from bot.history.ledger import derive_state
from bot.history.reasons import Reason
from bot.history.run_state import RunState
from tests.unit.values import bot_commit, build_phase, oid

_MOMENT = Moment(now=172.0, started=100.0)


def run_of(entities: int, done: int) -> Snapshot:
    """Return a run of so many entities: core and *done* of them are done, the next two run, one has failed."""
    core = build_phase("core", *(f"app/core/module{number}.py" for number in range(30)))
    items = [build_phase(f"entity/E{number}", f"app/e{number}.py", needs=["core"]) for number in range(entities)]
    main = build_phase("main", "main.py", needs=[each.key for each in items])
    phases = [replace(each, place=place) for place, each in enumerate((core, *items, main), 1)]
    ledger = derive_state("blog", {}, [bot_commit(place, each) for place, each in enumerate(phases[: done + 1], 1)])
    states = tuple(map(ledger.state, phases))
    state = RunState("blog", "phasebot/blog", "main", oid(9), states, (9_000, 3_400), {}, pushed=False)
    first, second, failed = (each.key for each in items[done : done + 3])
    return Snapshot(
        state=state,
        active={second: 160.0, first: 107.0},
        failures={failed: {f"app/e{done + 2}.py": Reason("quota", "429")}},
    )


def picture(snapshot: Snapshot, moment: Moment = _MOMENT, *, width: int = 80, height: int = 23) -> str:
    return "".join(f"{row.text}\n" for row in live_rows(snapshot, moment, width=width, height=height))


def test_what_runs_stands_first_and_the_total_last() -> None:
    moment = replace(_MOMENT, ends=290.0, dollars=Decimal("0.0236"))

    assert picture(run_of(7, 3), moment) == (
        "[5/9]  entity/E3   1:05  app/e3.py\n"
        "[6/9]  entity/E4   0:12  app/e4.py\n"
        "[7/9]  entity/E5  incomplete  quota used up: missing app/e5.py\n"
        "2 waiting: entity/E6, main\n"
        "4/9 \u00b7 1:12 \u00b7 about 2 min left \u00b7 12k tokens \u00b7 $0.02\n"
    )


@pytest.mark.parametrize("width", [80, 200])
def test_forty_phases_that_wait_are_one_line(width: int) -> None:
    rows = picture(run_of(42, 20), width=width).splitlines()

    assert rows[:3] == [
        "[22/44]  entity/E20   1:05  app/e20.py",
        "[23/44]  entity/E21   0:12  app/e21.py",
        "[24/44]  entity/E22  incomplete  quota used up: missing app/e22.py",
    ]
    assert rows[3].startswith("20 waiting: entity/E23, entity/E24, ")
    assert rows[4:] == ["21/44 \u00b7 1:12 \u00b7 12k tokens"]


def test_each_phase_has_one_line_and_all_fit_on_the_screen() -> None:
    many = run_of(500, 100)
    active = {f"entity/E{number}": 100.0 for number in range(100, 164)}
    rows = picture(replace(many, active={**active, "core": 100.0})).splitlines()

    assert len(rows) == 23
    assert rows[0].startswith("[102/502]  entity/E100")
    assert rows[20] == "and 45 more running"
    assert rows[21].startswith("337 waiting: entity/E164, ")
    assert rows[22] == "101/502 \u00b7 1:12 \u00b7 12k tokens"


@pytest.mark.parametrize("height", [1, 2, 3, 5])
def test_on_the_smallest_screen_the_total_is_left(height: int) -> None:
    rows = picture(run_of(7, 3), height=height).splitlines()

    assert len(rows) <= height
    assert rows[-1] == "4/9 \u00b7 1:12 \u00b7 12k tokens"


def test_a_note_that_comes_again_is_one_line_with_its_end() -> None:
    notes = FoldedNotes()
    many = f"gemini-3.8-flash: {'too many requests, ' * 5}trying again in"
    counts = [notes.add(f"{many} {each} s", _MOMENT.now) for each in (5, 9, 7)]
    others = [notes.add("entity/E1: discarded"), notes.add("entity/E2: discarded")]

    row = picture(run_of(7, 3), replace(_MOMENT, notes=notes.repeated())).splitlines()[-2]

    assert (counts, others) == ([1, 2, 3], [1, 1])
    assert len(row) == 80
    assert row.startswith("note \u00d73: gemini-3.8-flash: too many")
    assert row.endswith("trying again in 7 s")


@pytest.mark.parametrize(("passed", "expected"), [(0.0, "in 7 s"), (4.2, "in 3 s"), (7.0, "now"), (30.0, "now")])
def test_the_seconds_until_the_next_try_count_down(passed: float, expected: str) -> None:
    note = RepeatedNote("too many requests; trying again in 7 s", 8, at=_MOMENT.now - passed)

    rows = picture(run_of(7, 3), replace(_MOMENT, notes=[note])).splitlines()

    assert rows[-2] == f"note \u00d78: too many requests; trying again {expected}"


def test_only_the_latest_of_many_notes_are_shown_and_old_ones_not() -> None:
    notes = FoldedNotes()
    for number in (*range(9), *range(9), 0):
        notes.add(f"entity/E{'x' * number}: discarded", at=float(number))

    rows = picture(run_of(7, 3), replace(_MOMENT, notes=notes.repeated())).splitlines()

    shown = [row for row in rows if row.startswith("note ")]
    assert shown == [
        "note \u00d72: entity/Exxxxxxx: discarded",
        "note \u00d72: entity/Exxxxxxxx: discarded",
        "note \u00d73: entity/E: discarded",
    ]
    assert [each.at for each in notes.repeated(since=7.0)] == [7.0, 8.0]


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (4, "10 s"),
        (44, "40 s"),
        (56, "1 min"),
        (150, "2 min"),
        (5_940, "99 min"),
        (7_000, "2 h"),
    ],
)
def test_the_time_left_is_as_rough_as_it_is_known(left: float, expected: str) -> None:
    assert f"about {expected} left" in picture(run_of(7, 3), replace(_MOMENT, ends=_MOMENT.now + left))


def test_before_there_is_a_plan_only_the_time_is_known() -> None:
    state = RunState("blog", "phasebot/blog", "main", "", (), (0, 0), {}, pushed=False)

    assert picture(Snapshot(state=state)) == "planning \u00b7 1:12\n"


def test_names_can_not_break_a_line() -> None:
    phase = replace(build_phase("entity/A\nB\x1b[31m", "a\tb.py"), place=1)
    states = (derive_state("blog", {}, []).state(phase),)
    state = RunState("blog", "phasebot/blog", "main", "", states, (0, 0), {}, pushed=False)

    rows = live_rows(Snapshot(state=state, active={phase.key: 100.0}), _MOMENT, width=80, height=10)

    assert len(rows) == 2
    assert all(row.text.isprintable() for row in rows)
