"""Properties of the derived state, over random histories."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from hypothesis import given
from hypothesis import strategies as st

from bot.history.ledger import derive_state
from bot.history.run_state import Commit, Entry
from bot.history.trailers import Trailers
from bot.planning.phases import Phase
from tests.unit.values import bot_commit, build_phase, oid

PLAN = build_phase("plan", ".phasebot/plan.yaml")
CORE = build_phase("core", "app/core.py", "app/config.py")
POST = build_phase("entity/Post", "app/models/post.py", needs=["core"])
MAIN = build_phase("main", "main.py", needs=["core", "entity/Post"])
PHASES = (PLAN, CORE, POST, MAIN)

_PATHS = [path for phase in PHASES for path in phase.files] + ["README.md", "app"]
_ENTRIES = st.none() | st.builds(Entry, st.sampled_from(["100644", "120000", "040000"]), st.integers(1, 5).map(oid))
_CHANGES = st.dictionaries(st.sampled_from(_PATHS), _ENTRIES, max_size=4)
_KEYS = st.sampled_from([*(phase.key for phase in PHASES), "entity/Unknown", "x\u00fc y"])
_TRAILERS = st.builds(
    Trailers,
    run=st.sampled_from(["blog", "blog", "blog", "other"]),
    phase=_KEYS,
    status=st.sampled_from(["complete", "partial"]),
    inputs=st.sampled_from([None, "inputs-1", "older"]),
    recipe=st.sampled_from([None, "recipe-1", "older"]),
    tokens=st.none() | st.tuples(st.integers(0, 9), st.integers(0, 9)),
    missing=st.lists(st.sampled_from(_PATHS), max_size=2).map(tuple),
    conflict=st.lists(st.sampled_from(_PATHS), max_size=2).map(tuple),
) | st.builds(Trailers, run=st.sampled_from(["blog", "other"]), reverts=st.lists(_KEYS, max_size=2).map(tuple))


@st.composite
def histories(draw: st.DrawFn) -> list[Commit]:
    """Draw a history: the commit at place *n* has the oid of *n*, and may revert any before it or none."""
    drawn = draw(st.lists(st.tuples(st.none() | _TRAILERS, _CHANGES, st.integers(0, 20)), max_size=12))
    return [
        Commit(oid(n), trailers, f"This reverts commit {oid(target)}.\n" if target <= n else "", changes)
        for n, (trailers, changes, target) in enumerate(drawn, start=1)
    ]


def _expected(phase: Phase, commits: Sequence[Commit], theirs: AbstractSet[str]) -> tuple[str, str | None]:
    """Return status and commit of *phase* by the words of the design; *theirs* are the files that people wrote."""
    made: list[Commit] = []
    taken_back = False
    effects: dict[str, bool] = {}  # commit → whether the phase is taken back once that is undone
    for commit in commits:
        trailers = commit.trailers
        ours = trailers is not None and trailers.run == "blog"
        if ours and trailers is not None and trailers.phase == phase.key:
            made.append(commit)
            effects[commit.oid], taken_back = True, False
        elif ours and trailers is not None and trailers.phase is None and phase.key in trailers.reverts:
            effects[commit.oid], taken_back = (taken_back if made else False), True
        elif not ours:
            for undone in [each for each in effects if each in commit.body]:
                after = effects[undone]
                effects[commit.oid], taken_back = (taken_back if made else not after), after
    lacks = set(made[-1].trailers.missing) if made and made[-1].trailers else set()
    if phase is not PLAN and theirs >= set(phase.files) and (taken_back or not made or lacks.issuperset(phase.files)):
        return "complete", None
    if taken_back or not made:
        left = {path: entry for commit in commits for path, entry in commit.changes.items()}
        there = [entry for path in phase.files if (entry := left.get(path)) and entry.is_file]
        by_hand = phase is PLAN and len(there) == len(phase.files)
        if by_hand or not made:
            return ("complete" if by_hand else "pending"), None
    newest = made[-1].trailers
    if taken_back:
        return "reverted", made[-1].oid
    filled = lacks and lacks.issubset({*theirs}.intersection(phase.files))
    return "complete" if filled else (newest.status if newest else None) or "", made[-1].oid


@given(histories())
def test_the_state_is_what_the_rules_say_of_the_whole_history(commits: list[Commit]) -> None:
    ledger = derive_state("blog", {}, commits)

    for phase in PHASES:
        state, theirs = ledger.state(phase), {path for path in _PATHS if ledger.persons_file(path) == path}
        assert (state.status, state.commit) == _expected(phase, commits, theirs)


@given(histories(), _CHANGES)
def test_adding_commits_one_by_one_equals_deriving_at_once(
    commits: list[Commit], base: dict[str, Entry | None]
) -> None:
    start = {path: entry for path, entry in base.items() if entry}
    ledger = derive_state("blog", start, [])

    for count, commit in enumerate(commits, start=1):
        ledger.add(commit)
        whole = derive_state("blog", start, commits[:count])

        assert [ledger.state(phase) for phase in PHASES] == [whole.state(phase) for phase in PHASES]
        assert [ledger.file(path) for path in _PATHS] == [whole.file(path) for path in _PATHS]
        assert ledger.tokens == whole.tokens


@given(histories())
def test_every_state_accounts_for_each_file_of_its_phase(commits: list[Commit]) -> None:
    ledger = derive_state("blog", {}, commits)

    for state in map(ledger.state, PHASES):
        own = list(state.phase.files)
        made = state.status in {"complete", "partial"}
        there = {path for path in own if ledger.file(path).head}
        assert set(state.files) == (there - {*state.missing, *state.kept} if made else set())
        assert set(state.wanted) | set(state.edited) | set(state.conflicts) <= set(own)
        assert made or state.wanted == tuple(own)


@given(histories())
def test_the_tip_holds_what_the_commits_left_there(commits: list[Commit]) -> None:
    left: dict[str, Entry | None] = {}
    for commit in commits:
        left.update(commit.changes)

    ledger = derive_state("blog", {}, commits)

    assert {path: ledger.file(path).head for path in _PATHS} == {path: left.get(path) for path in _PATHS}


@given(histories())
def test_once_every_wanted_file_is_committed_nothing_is_wanted(commits: list[Commit]) -> None:
    ledger = derive_state("blog", {}, commits)

    for number, phase in enumerate(PHASES, start=100):
        if ledger.wanted(phase):
            ledger.add(bot_commit(number, phase))

    assert [ledger.wanted(phase) for phase in PHASES] == [()] * len(PHASES)
