"""The lines that a run leaves in a pipe, a log and above the live view."""

from dataclasses import replace

from bot.cli.progress import PlainAnnouncer
from bot.engine.snapshot import Snapshot
from bot.history.ledger import derive_state
from bot.history.reasons import Reason
from bot.history.run_state import RunState
from tests.unit.values import build_phase, oid

_FILES = [f"app/core/module{number}.py" for number in range(30)]
_REFUSED = "API key rejected: 403 no; set GEMINI_API_KEY to another key, then run generate again"


def failed_run() -> Snapshot:
    """Of three phases that were all refused."""
    phases = [
        replace(each, place=place)
        for place, each in enumerate(
            (
                build_phase("core", *_FILES),
                build_phase("entity/A", "a.py", "b.py", "c.py"),
                build_phase("main", "m.py"),
            ),
            1,
        )
    ]
    ledger = derive_state("blog", {}, [])
    state = RunState(
        "blog", "phasebot/blog", "main", oid(9), tuple(map(ledger.state, phases)), (0, 0), {}, pushed=False
    )
    failures = {
        "core": dict.fromkeys(_FILES, Reason("key", _REFUSED)),
        "entity/A": {"a.py": Reason("absent", "it is not there"), "c.py": Reason("key", _REFUSED)},
        "main": {"m.py": Reason("key", _REFUSED)},
    }
    return Snapshot(state=state, failures=failures)


def test_a_failure_takes_two_lines_however_many_files_it_costs_and_is_told_whole_once() -> None:
    lines = list[str]()
    announcer = PlainAnnouncer(lines.append)

    announcer.show(failed_run())
    announcer.show(failed_run())

    assert lines == [
        "phasebot/blog: 3 phases",
        "[1/3] core  0/30 files",
        f"      all 30 files: {_REFUSED}",
        "[2/3] entity/A  0/3 files",
        "      a.py: it is not there",
        "      c.py: API key rejected, as above",
        "[3/3] main  0/1 file",
        "      m.py: API key rejected, as above",
    ]


def test_a_note_that_comes_again_is_told_at_doubling_numbers_and_at_the_end() -> None:
    lines = list[str]()

    with PlainAnnouncer(lines.append) as announcer:
        for seconds in range(1, 12):
            announcer.note(f"too many requests; trying again in {seconds} s")
        announcer.note("planning the project")

    assert lines == [
        "note: too many requests; trying again in 1 s",
        "note: too many requests; trying again in 2 s (2 times so far)",
        "note: too many requests; trying again in 4 s (4 times so far)",
        "note: too many requests; trying again in 8 s (8 times so far)",
        "note: planning the project",
        "note: too many requests; trying again in 11 s (11 times)",
    ]
