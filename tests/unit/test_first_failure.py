"""Which of a row of changes broke a test."""

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.verification.first_failure import Answer, Outcome, find_first

Row = Sequence[Answer | None]
"""What a test does without any change, with the first, with the first two, and so on."""


class Look:
    """Answers as the *rows* say, so often as it may."""

    def __init__(self, rows: Mapping[str, Row], most: int = 1_000) -> None:
        self.rows, self.most = rows, most
        self.asked: list[int] = []

    def __call__(self, number: int) -> Mapping[str, Answer] | None:
        if len(self.asked) == self.most:
            return None
        self.asked.append(number)
        return {test: answer for test, row in self.rows.items() if (answer := row[number])}


def find(row: Row) -> Outcome:
    return find_first(["t"], len(row) - 1, Look({"t": row}))["t"]


def row(text: str) -> Row:
    """Return a row: ``..F`` passes twice, then fails; ``?`` says nothing."""
    answers: Mapping[str, Answer | None] = {".": "passes", "F": "fails", "?": None}
    return [answers[each] for each in text]


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        (".F", Outcome("found", 1)),
        ("...FFF", Outcome("found", 3)),
        ("FFFF", Outcome("always")),
        ("?..F", Outcome("unlike")),
        (".?F", Outcome("between")),
        (".?.F", Outcome("found", 3)),
        (".F?F", Outcome("found", 1)),
        (".??FF", Outcome("between")),
    ],
)
def test_the_first_change_with_which_it_fails_is_found(text: str, outcome: Outcome) -> None:
    assert find(row(text)) == outcome


def test_one_suspect_takes_one_look() -> None:
    look = Look({"t": row(".F")})

    find_first(["t"], 1, look)

    assert look.asked == [0]


def test_where_a_test_was_seen_to_recover_the_changes_are_taken_one_by_one() -> None:
    rows = {"a": row(".F..FFFFF"), "b": row(".FFFFFFFF")}
    look = Look(rows)

    assert find_first(["a", "b"], 8, look) == {"a": Outcome("found", 1), "b": Outcome("found", 1)}
    assert len(look.asked) < 6


def test_all_tests_are_answered_by_the_same_looks() -> None:
    rows = {str(place): row("." * place + "F" * (9 - place)) for place in range(1, 9)}
    look = Look(rows)

    assert find_first([*rows], 8, look) == {test: Outcome("found", int(test)) for test in rows}
    assert sorted(look.asked) == [*range(8)]


@given(st.integers(1, 200).flatmap(lambda changes: st.tuples(st.just(changes), st.integers(1, changes))))
def test_a_test_that_stays_broken_is_found_with_few_looks(planted: tuple[int, int]) -> None:
    changes, culprit = planted
    look = Look({"t": row("." * culprit + "F" * (changes - culprit + 1))})

    assert find_first(["t"], changes, look)["t"] == Outcome("found", culprit)
    assert len(look.asked) <= 2 + changes.bit_length()


_ROWS = st.integers(1, 9).flatmap(
    lambda changes: st.lists(st.text(".F?", min_size=changes, max_size=changes), min_size=1, max_size=4)
)


@given(_ROWS, st.integers(0, 12))
def test_what_is_found_is_never_a_lie(texts: list[str], most: int) -> None:
    rows = {str(number): row(f"{text}F") for number, text in enumerate(texts)}
    look = Look(rows, most)

    found = find_first([*rows], len(texts[0]), look)

    assert len(look.asked) == len(set(look.asked)) <= most
    for test, (why, change) in found.items():
        answers = rows[test]
        seen = {number: answers[number] for number in look.asked} | {len(answers) - 1: "fails"}
        if why == "found":
            assert (answers[change - 1], answers[change]) == ("passes", "fails")
            recovers = any(answer == "passes" and number > change for number, answer in seen.items())
            assert not recovers or "fails" not in answers[:change], "then it is the first of all"
        else:
            assert change == 0
            assert why != "stopped" or len(look.asked) == most
            assert why != "always" or answers[0] == "fails"
            assert why != "unlike" or answers[0] is None
