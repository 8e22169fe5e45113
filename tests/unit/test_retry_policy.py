"""The table of failures: complete, plausible, and the same in the documentation."""

import re
from pathlib import Path

import pytest

from bot.generation.llm.retry_policy import RETRY_POLICY, AfterFailure, FailureKind, ModelError
from bot.generation.provider import Tokens

_README = Path(__file__).parents[2] / "bot" / "README.md"
_COLUMNS = ["failure", "when", "attempts", "then", "remedy"]


def _rows() -> list[list[str]]:
    """Return the rows of the table under the heading about failures."""
    sections = re.split(r"^#+ ", _README.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    tables = [
        [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in section.splitlines() if "|" in line]
        for section in sections
        if "fail" in section.partition("\n")[0].lower()
    ]
    found = [table for table in tables if table and table[0] == _COLUMNS]
    assert len(found) == 1, f"bot/README.md: one heading with 'fail' and a table of {_COLUMNS}"
    return found[0][2:]


def test_every_kind_of_failure_has_a_rule() -> None:
    assert set(RETRY_POLICY) == set(FailureKind)


def test_the_readme_says_what_the_policy_says() -> None:
    said = [
        [str(kind), rule.when, str(rule.attempts), str(rule.then), rule.remedy] for kind, rule in RETRY_POLICY.items()
    ]

    assert sorted(_rows()) == sorted(said)


@pytest.mark.parametrize("kind", FailureKind)
def test_a_rule_can_be_followed(kind: FailureKind) -> None:
    rule = RETRY_POLICY[kind]

    assert rule.attempts >= 1
    assert rule.attempts == 1 or rule.then not in (AfterFailure.LEAVE, AfterFailure.RUN)
    for words in (rule.when, rule.remedy):
        assert words
        assert words.isprintable()
        assert "|" not in words
        assert not words.endswith(".")


@pytest.mark.parametrize("kind", FailureKind)
def test_a_failure_says_its_kind_and_knows_its_rule(kind: FailureKind) -> None:
    assert str(ModelError(kind, "")) == str(kind)
    assert str(ModelError(kind, "503 overloaded")) == f"{kind}: 503 overloaded"
    assert ModelError(kind, "").rule is RETRY_POLICY[kind]


def test_a_failure_costs_nothing_unless_it_says_so() -> None:
    assert ModelError(FailureKind.BLOCKED, "SAFETY").tokens == Tokens()
    assert ModelError(FailureKind.BLOCKED, "SAFETY", tokens=Tokens(7, 1)).tokens == Tokens(7, 1)
