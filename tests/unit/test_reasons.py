"""Reasons for missing files: a closed list with words and remedies, counted for people."""

import re
from collections.abc import Mapping

import pytest

from bot.generation.llm.retry_policy import FailureKind
from bot.history.ledger import derive_state
from bot.history.reasons import REASONS, Reason, code_of, count_reasons, meaning, without_remedy
from bot.history.run_state import RunState
from tests.unit.values import bot_commit, build_phase

CORE = build_phase("core", "a.py", "b.py", "c.py")
MAIN = build_phase("main", "main.py")


def run_state(reasons: Mapping[str, str]) -> RunState:
    """Return a run whose files are missing for these reasons."""
    commits = []
    for number, (path, reason) in enumerate(reasons.items(), 1):
        phase = build_phase(f"entity/{path}", path)
        commits.append((phase, bot_commit(number, phase, status="partial", missing=[path], reason=reason)))
    ledger = derive_state("blog", {}, [commit for _, commit in commits])
    states = [ledger.state(phase) for phase, _ in commits]
    return RunState("blog", "phasebot/blog", "main", "", states, (0, 0), {}, pushed=False)


@pytest.mark.parametrize("code", REASONS)
def test_a_reason_has_words_and_remedies_that_name_the_next_command(code: str) -> None:
    found = meaning(code)

    assert re.fullmatch("[a-z]{1,20}", code)
    assert "run generate again" in found.remedy
    assert not found.on_forge.endswith((".", ";"))
    assert "--model" not in found.on_forge
    assert "run generate" not in found.on_forge
    assert found.words.isprintable()


@pytest.mark.parametrize("kind", FailureKind)
def test_every_failure_of_a_model_is_a_reason(kind: FailureKind) -> None:
    assert REASONS[kind.code].words == str(kind)


def test_a_reason_is_its_detail_and_has_a_code() -> None:
    assert Reason("quota", "429 per day") == "429 per day"
    assert code_of(Reason("quota", "x")) == "quota"
    assert code_of(Reason("made up", "x")) == code_of("x") == "unknown"
    assert meaning("a-later-one").words == "another reason"


def test_a_detail_for_a_comment_has_no_remedy_for_a_terminal() -> None:
    detail = f"429 per day; {meaning('quota').remedy}"
    assert without_remedy(detail, "quota") == "429 per day"
    assert without_remedy(detail, "server") == detail


def test_the_most_frequent_reasons_come_first_then_the_most_serious() -> None:
    reasons = {"a": "empty", "b": "rate", "c": "empty", "d": "quota", "e": "server", "f": "a-later-one"}

    found = count_reasons(run_state(reasons), {})

    assert [each.words for each in found] == [
        "empty response (2 files)",
        "quota used up (1 file)",
        "server error (1 file)",
    ]
    assert [each.words for each in count_reasons(run_state(reasons), {}, ["entity/b"])] == [
        "too many requests (1 file)"
    ]
    assert count_reasons(run_state({"a": ""}), {}) == []


def test_what_failed_just_now_counts_instead_of_what_history_says() -> None:
    failures = {
        "entity/a": {"a": Reason("key", "x"), "b": Reason("key", "x")},
        "entity/gone": {"c": Reason("key", "x")},
    }

    found = count_reasons(run_state({"a": "empty", "z": "rate"}), failures)

    assert [each.words for each in found] == ["API key rejected (2 files)", "too many requests (1 file)"]
