"""What a verification came to, in words."""

from collections.abc import Sequence

import pytest

from bot.assessment.finding import Finding
from bot.forge.verified import errors_of, render_verdict, status_of, status_without
from bot.verification.verdict import CommandResult, Counts, Ending, Verification, Verified

ERROR = Finding(path="app/post.py", line=3, rule="test-failed", message="it broke", phase="entity/Post")
CORE = Finding(path="app/core.py", rule="F821", message="no name", phase="core")
PEOPLES = Finding(path="conftest.py", rule="F821", message="no name")
WARNING = Finding(path="app/core.py", rule="F401", severity="warning", message="unused", phase="core")


def verification(
    *findings: Finding, ending: Ending = "passed", tests: Sequence[Counts | None] = (None,), expected: int = 1
) -> Verification:
    commands = [
        CommandResult(
            run=["pytest", "-q"], folder=".", ending=ending, findings=findings if number == 0 else (), tests=each
        )
        for number, each in enumerate(tests)
    ]
    return Verification(tree="1" * 40, commands=commands, isolation="Apart.", expected=expected)


@pytest.mark.parametrize(
    ("found", "state", "told"),
    [
        (verification(tests=[Counts(75, 0, 0)]), "success", "75 tests passed"),
        (verification(tests=[Counts(70, 0, 1), Counts(5, 0, 0)], expected=2), "success", "75 tests passed, 1 skipped"),
        (verification(), "success", "1 command passed"),
        (verification(WARNING, WARNING), "success", "1 command passed, 2 warnings"),
        (verification(ERROR, WARNING, ERROR, CORE, ending="failed"), "failure", "3 errors in 2 phases"),
        (verification(ERROR), "failure", "1 error in 1 phase"),
        (verification(PEOPLES, ending="time"), "failure", "1 error"),
        (verification(ending="offline"), "error", "could not be verified: 'pytest -q' could not reach the network"),
        (verification(expected=2), "error", "could not be verified: not all commands were run"),
    ],
)
def test_a_commit_gets_a_status(found: Verification, state: str, told: str) -> None:
    assert status_of(found, is_complete=True) == (state, told)
    assert status_of(found, is_complete=False) == (state, f"{told}; the run is not complete")


def test_a_status_has_room_for_a_hundred_and_forty_characters() -> None:
    run = CommandResult(run=["x" * 1_000, "@everyone\n"], folder=".", ending="offline")
    found = Verification(tree="1" * 40, commands=[run] * 50, isolation="", expected=50)

    for told in (status_of(found, is_complete=False), status_without("a\x1b[2J\n" * 100)):
        assert told.state == "error"
        assert len(told.description) <= 140
        assert told.description.isprintable()


def test_errors_are_those_of_the_files_at_head() -> None:
    found = verification(ERROR, WARNING, CORE, ending="failed")

    assert errors_of(Verified(found, is_current=True), "core") == [CORE]
    assert errors_of(Verified(found, is_current=False), "core") == ()
    assert errors_of(None, "core") == ()


def test_the_verdict_names_what_no_phase_has() -> None:
    found = verification(*[PEOPLES] * 7, CORE, ending="failed", tests=[Counts(1, 2, 0)])

    told = render_verdict(Verified(found, is_current=True), ["core"])

    assert told.startswith(
        "**Not verified:** 8 errors in 1 phase (1 test passed, 2 failed). "
        "Comment `/fix` to let a model mend what it can.\n\n- `conftest.py` no name\n"
    )
    assert told.count("conftest.py") == 5
    assert told.endswith("\n- and 2 more errors")
    assert "core" not in told


def test_without_a_verification_nothing_is_said() -> None:
    assert render_verdict(None, ["core"]) == ""
    assert "Not yet verified" in render_verdict(Verified(verification(), is_current=False), ["core"])
    assert render_verdict(Verified(verification(ending="offline"), is_current=True), []) == (
        "**Not verified:** could not be verified: 'pytest -q' could not reach the network."
    )
