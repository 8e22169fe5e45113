"""Rounds of repair, as the commits of a run tell them."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.history.repairs import Interrupted, interrupted_round, last_round, next_round
from bot.history.run_state import Commit
from bot.history.trailers import Round, Trailers

_PERSON = Commit("9" * 40, None)


def made(repair: tuple[int, int] | tuple[int, int, int] | None = None, phase: str = "core") -> Commit:
    trailers = Trailers(run="blog", phase=phase, status="complete")
    return Commit("1" * 40, replace(trailers, repair=Round(*repair) if repair else None))


@pytest.mark.parametrize(
    ("commits", "errors", "limit", "expected"),
    [
        ([], 1, 1, 1),
        ([made()], 3, 1, 1),
        ([made()], 0, 1, None),
        ([made()], 3, 0, None),
        ([made(), made((1, 3))], 2, 1, None),
        ([made(), made((1, 3))], 2, 2, 2),
        ([made(), made((1, 3))], 3, 2, None),
        ([made(), made((1, 3)), _PERSON], 3, 1, 1),
        ([made(), made((1, 3)), made()], 9, 1, 1),
    ],
)
def test_the_next_round_follows_from_the_newest_commit(
    commits: list[Commit], errors: int, limit: int, expected: int | None
) -> None:
    assert next_round(commits, errors, limit) == expected


@pytest.mark.parametrize(
    ("commits", "expected"),
    [
        ([], None),
        ([made()], None),
        ([made((1, 3))], None),
        ([made((1, 3, 1))], None),
        ([made((1, 3, 2))], Interrupted(Round(1, 3, 2), {"core"})),
        ([made((1, 3, 2)), made((1, 3, 2))], Interrupted(Round(1, 3, 2), {"core"})),
        ([made((1, 3, 2)), made((1, 3, 2), "main")], None),
        ([made((1, 3, 2)), _PERSON], None),
        ([made((1, 3, 2), "main"), made((2, 2, 2))], Interrupted(Round(2, 2, 2), {"core"})),
    ],
)
def test_a_round_is_interrupted_until_it_has_made_all_of_its_phases(
    commits: list[Commit], expected: Interrupted | None
) -> None:
    assert interrupted_round(commits) == expected


@given(st.lists(st.integers(0, 20), min_size=1, max_size=30), st.integers(0, 9))
def test_repair_ends_whatever_each_round_leaves(errors: list[int], limit: int) -> None:
    commits, rounds = [made()], 0
    for number in errors:
        found = next_round(commits, number, limit)
        if found is None:
            break
        rounds += 1
        assert found == rounds
        commits.append(made((found, number)))

    assert rounds <= limit
    last = last_round(commits)
    assert (last.number if last else 0) == rounds
