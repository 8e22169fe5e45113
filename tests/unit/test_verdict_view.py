"""What was verified, for the page."""

from dataclasses import replace

from bot.page.verdict_view import verdict
from bot.verification.verdict import Counts
from tests.page_stories import complete, trouble, verified


def test_nothing_was_verified_or_only_an_earlier_tree() -> None:
    state = complete().state

    assert verdict(None, state).word == "not yet verified"
    earlier = verdict(verified(tests=Counts(75, 0, 0), is_current=False), state)
    assert (earlier.word, earlier.commands) == ("not yet verified", ())
    assert "Files changed" in earlier.told


def test_green_commands_verify() -> None:
    found = verdict(complete().verified, complete().state)

    assert (found.word, found.tone, found.told) == ("verified", "good", "75 tests passed.")
    assert [(each.name, each.told, each.tone) for each in found.commands] == [
        ("ruff check .", "passed, 0.4 s", "good"),
        ("python -m pytest -q", "passed, 75 tests passed, 38 s", "good"),
    ]


def test_findings_are_counted_and_listed() -> None:
    found = verdict(trouble().verified, trouble().state)

    assert (found.word, found.tone, len(found.findings)) == ("9 errors", "bad", 10)


def test_errors_that_a_model_left_are_known_without_a_verification() -> None:
    state = complete().state
    left = [replace(each, findings_left=2) if each.phase.key == "main" else each for each in state.phases]

    assert verdict(None, replace(state, phases=left)).left == [("main", 2)]
