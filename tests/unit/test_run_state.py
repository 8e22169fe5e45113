"""The values of a run's state: what is a file, what is edited, and when a run is complete."""

from dataclasses import replace

import pytest

from bot.history.run_state import Entry, FileState, Generated, PhaseState, RunState
from tests.unit.values import blob, build_phase, oid


@pytest.mark.parametrize(
    ("mode", "is_file"),
    [("100644", True), ("100755", True), ("120000", False), ("040000", False), ("160000", False)],
)
def test_links_folders_and_submodules_are_no_files(mode: str, is_file: bool) -> None:  # noqa: FBT001
    assert Entry(mode, oid(1)).is_file is is_file


@pytest.mark.parametrize(
    ("head", "generated", "edited"),
    [
        (blob(1), blob(1), False),
        (blob(2), blob(1), True),
        (None, blob(1), True),
        (Entry("100755", oid(1)), blob(1), True),
        (blob(1), None, False),
        (None, None, False),
    ],
)
def test_a_file_is_edited_when_it_is_not_what_was_generated(
    head: Entry | None,
    generated: Entry | None,
    edited: bool,  # noqa: FBT001
) -> None:
    assert FileState(head, Generated(generated)).edited is edited


def state(*wanted: tuple[str, ...]) -> RunState:
    """Build the state of a run whose phases still want these files."""
    phases = [
        PhaseState(
            phase=build_phase(f"entity/E{number}", "a.py", "b.py"),
            status="partial" if files else "complete",
            commit=oid(number),
            files=("a.py", "b.py"),
            missing=files,
            edited=(),
            conflicts=(),
            stale=None,
            tokens=(0, 0),
            wanted=files,
        )
        for number, files in enumerate(wanted)
    ]
    return RunState("blog", "phasebot/blog", "main", oid(9), phases, (0, 0), {}, pushed=True)


@pytest.mark.parametrize(
    ("wanted", "complete"),
    [([()], True), ([(), ()], True), ([(), ("b.py",)], False), ([], False)],
    ids=["one", "two", "one is missing a file", "no phases"],
)
def test_a_run_is_complete_when_it_has_phases_and_none_wants_a_file(
    wanted: list[tuple[str, ...]],
    complete: bool,  # noqa: FBT001
) -> None:
    assert state(*wanted).complete is complete


def test_a_run_is_complete_whether_it_is_pushed_or_not() -> None:
    assert replace(state(()), pushed=False).complete
