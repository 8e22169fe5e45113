"""What all commands said together."""

from dataclasses import replace

from bot.assessment.finding import Finding
from bot.verification.verdict import IN_WORDS, CommandResult, Counts, Ending, Verification

PASSED = CommandResult(run=["pytest", "-q"], folder=".", ending="passed", status=0)


def verified(*endings: Ending, expected: int = 2) -> Verification:
    commands = [replace(PASSED, ending=each) for each in endings]
    return Verification(tree="1" * 40, commands=commands, isolation="It was apart.", expected=expected)


def test_a_project_is_verified_if_all_commands_passed() -> None:
    assert verified("passed", "passed").passed
    assert not verified("passed", "failed").passed
    assert not verified("passed").passed, "one was not run"


def test_only_what_ran_to_its_end_would_say_the_same_again() -> None:
    assert verified("failed", "passed").is_conclusive
    assert not verified("failed").is_conclusive
    for each in set(IN_WORDS) - {"passed", "failed"}:
        assert not verified("passed", each).is_conclusive


def test_errors_are_found_among_the_findings_of_all_commands() -> None:
    warning = Finding(path="a", rule="r", severity="warning", message="m")
    error = replace(warning, severity="error")
    both = replace(verified(), commands=[replace(PASSED, findings=[warning]), replace(PASSED, findings=[error])])

    assert (list(both.findings), list(both.errors)) == ([warning, error], [error])


def test_counts_are_told_without_what_there_is_none_of() -> None:
    assert str(Counts(1, 0, 0)) == "1 test passed"
    assert str(Counts(75, 2, 3)) == "75 tests passed, 2 failed, 3 skipped"
