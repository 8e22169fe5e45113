"""Snapshots: what announcers see, and what they must not see yet."""

from collections.abc import Collection
from dataclasses import FrozenInstanceError

import pytest

from bot.engine.snapshot import Snapshot
from bot.history.ledger import derive_state
from bot.history.run_state import RunState
from bot.planning.phases import Phase
from tests.unit.values import bot_commit, build_phase, oid

CORE, MAIN = build_phase("core", "core.py"), build_phase("main", "main.py", needs=["core"])


def run_state(*phases: Phase, done: Collection[str] = ()) -> RunState:
    """Return the state of a run after a commit for each phase in *done*."""
    commits = [bot_commit(number, phase) for number, phase in enumerate(phases, 1) if phase.key in done]
    ledger = derive_state("blog", {}, commits)
    states = tuple(map(ledger.state, phases))
    return RunState("blog", "phasebot/blog", "main", oid(9), states, (0, 0), {}, pushed=False)


def test_a_commit_that_is_not_pushed_is_not_seen() -> None:
    state = run_state(CORE, MAIN, done=["core", "main"])
    snapshot = Snapshot(state=state, unpublished=frozenset({oid(2)}))

    core, main = snapshot.published_state.phases

    assert (core.status, core.commit, core.files) == ("complete", oid(1), ("core.py",))
    assert (main.status, main.commit, main.files, main.wanted) == ("pending", None, (), ("main.py",))
    assert state.complete
    assert not snapshot.published_state.complete


def test_without_unpublished_commits_both_states_are_the_same() -> None:
    state = run_state(CORE, MAIN, done=["core"])

    assert Snapshot(state=state).published_state == state


def test_a_phase_is_found_by_its_key() -> None:
    assert Snapshot(state=run_state(CORE, MAIN)).phase("main").phase is MAIN


def test_the_tokens_that_a_run_needs_are_what_it_used_and_its_largest_phase_for_each_open_one() -> None:
    entities = [build_phase(f"entity/E{number}", f"e{number}.py") for number in range(3)]
    commits = [bot_commit(1, CORE, tokens=(900, 145)), bot_commit(2, MAIN, tokens=(2_000, 30))]
    ledger = derive_state("blog", {}, commits)
    states = tuple(map(ledger.state, (CORE, *entities, MAIN)))
    state = RunState("blog", "phasebot/blog", "main", oid(9), states, ledger.tokens, {}, pushed=False)

    assert Snapshot(state=state).likely_tokens == 9_200  # 3,075 used, and three times 2,030
    assert Snapshot(state=run_state(CORE)).likely_tokens == 0


def test_a_snapshot_does_not_change() -> None:
    snapshot = Snapshot(state=run_state(CORE))

    with pytest.raises(FrozenInstanceError):
        snapshot.pushes = True  # type: ignore[misc]  # on purpose
