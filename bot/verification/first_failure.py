"""Which of a row of changes broke a test: the first one with which it fails."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple

Answer = Literal["passes", "fails"]
Why = Literal["found", "always", "unlike", "between", "stopped"]
"""It is found; the test fails without any change, too; it says nothing without them; it says nothing with some of them;
or no more may be looked at."""
Look = Callable[[int], Mapping[str, Answer] | None]
"""What tests do with so many of the changes; a test that says neither is left out.  None: no more may be looked at."""
_Seen = Mapping[int, Mapping[str, Answer]]


class Outcome(NamedTuple):
    """What is known of one test."""

    why: Why
    change: int = 0
    """The change that is to blame, counted from 1."""


def find_first(tests: Sequence[str], changes: int, look: Look) -> Mapping[str, Outcome]:
    """Return which of *changes* changes broke each of *tests*; all tests fail with all of them.

    What is found was seen on both sides: the test passes with the changes before it, and fails with it.  It is the
    first change of that kind if a broken test stays broken, or if one was seen that does not.
    """
    seen: dict[int, Mapping[str, Answer]] = {changes: dict.fromkeys(tests, "fails")}
    while (wanted := _next(tests, seen)) is not None:
        answers = look(wanted)
        if answers is None:
            break
        seen[wanted] = answers
    return {test: _outcome(test, seen) for test in tests}


def _next(tests: Sequence[str], seen: _Seen) -> int | None:
    """Return the number of changes to look at next: what those tests want to know of which most is known already."""
    if 0 not in seen:
        return 0
    wanted = Counter((len(unknown), _middle(test, seen)) for test in tests if (unknown := _unknown(test, seen)))
    return min(wanted, key=lambda each: (each[0], -wanted[each], each[1]), default=(0, None))[1]


def _middle(test: str, seen: _Seen) -> int:
    """Return the number of changes that says most about the test."""
    unknown, (low, high) = _unknown(test, seen), _bounds(test, seen)
    return min(unknown, key=lambda number: abs(2 * number - low - high)) if _stays_broken(test, seen) else unknown[0]


def _outcome(test: str, seen: _Seen) -> Outcome:
    if 0 not in seen:
        return Outcome("stopped")
    if (first := seen[0].get(test)) != "passes":
        return Outcome("always" if first else "unlike")
    if _unknown(test, seen):
        return Outcome("stopped")
    low, high = _bounds(test, seen)
    return Outcome("found", high) if high - low == 1 else Outcome("between")


def _bounds(test: str, seen: _Seen) -> tuple[int, int]:
    """Return how many changes were seen to leave the test whole at most, and to break it at least."""
    high = min(number for number, answers in seen.items() if answers.get(test) == "fails")
    return max(number for number, answers in seen.items() if number < high and answers.get(test) == "passes"), high


def _unknown(test: str, seen: _Seen) -> Sequence[int]:
    """Return the numbers of changes, in order, that may be the first to break the test and were not looked at."""
    if seen[0].get(test) != "passes":
        return ()
    low, high = _bounds(test, seen)
    start = low if _stays_broken(test, seen) else 0
    return [number for number in range(start + 1, high) if number not in seen]


def _stays_broken(test: str, seen: _Seen) -> bool:
    """Whether the test was not seen to pass with more changes than it fails with."""
    _, high = _bounds(test, seen)
    return not any(number > high and answers.get(test) == "passes" for number, answers in seen.items())
