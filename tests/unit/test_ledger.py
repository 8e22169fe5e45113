"""The state of a run, derived from commits: one test for each rule."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from bot.history.commit_ledger import InheritedPhases, PhaseRecord
from bot.history.ledger import derive_state
from bot.history.run_state import UNKNOWN_MODEL, Commit, Entry, Generated, PhaseState, RunState
from bot.history.trailers import Trailers
from bot.planning.phases import Phase
from tests.unit.values import blob, bot_commit, build_phase, human_commit, oid, rollback

PLAN = build_phase("plan", ".phasebot/plan.yaml")
CORE = build_phase("core", "app/core.py", "app/config.py")
POST = build_phase("entity/Post", "app/models/post.py", needs=["core"])
MAIN = build_phase("main", "main.py", needs=["core", "entity/Post"])


def _state(phase: Phase, *commits: Commit, base: Mapping[str, Entry] | None = None) -> PhaseState:
    return derive_state("blog", base or {}, commits).state(phase)


# ---- rule 1 and 2: what counts, and what it means


def test_without_commits_a_phase_is_pending_and_all_its_files_are_wanted() -> None:
    assert _state(CORE) == PhaseState(
        phase=CORE,
        status="pending",
        commit=None,
        files=(),
        missing=(),
        edited=(),
        conflicts=(),
        stale=None,
        tokens=(0, 0),
        wanted=("app/core.py", "app/config.py"),
    )


def test_a_complete_commit_makes_its_phase_done() -> None:
    assert _state(CORE, bot_commit(1, CORE, tokens=(10, 2))) == PhaseState(
        phase=CORE,
        status="complete",
        commit=oid(1),
        files=("app/core.py", "app/config.py"),
        missing=(),
        edited=(),
        conflicts=(),
        stale=None,
        tokens=(10, 2),
        wanted=(),
        position=1,
    )


def test_of_a_partial_phase_only_the_missing_files_are_wanted() -> None:
    state = _state(CORE, bot_commit(1, CORE, status="partial", missing=["app/config.py"]))

    assert (state.status, state.files, state.missing) == ("partial", ("app/core.py",), ("app/config.py",))
    assert state.wanted == ("app/config.py",)


def test_why_files_are_missing_is_known_for_the_newest_commit() -> None:
    first = bot_commit(1, CORE, status="partial", missing=[*CORE.files], reason="connection", changes={})
    second = bot_commit(2, CORE, status="partial", missing=["app/config.py", "gone.py"], reason="a-later-one")
    old = bot_commit(3, CORE, status="partial", missing=["app/config.py"])

    assert _state(CORE, first).reasons == dict.fromkeys(CORE.files, "connection")
    assert _state(CORE, first, second).reasons == {"app/config.py": "a-later-one"}
    assert _state(CORE, first, old).reasons == {}
    assert _state(CORE, first, bot_commit(3, CORE)).reasons == {}


def test_a_commit_that_made_nothing_does_not_outdate_the_phases_that_need_it() -> None:
    asked_in_vain = bot_commit(3, CORE, status="partial", missing=[*CORE.files], changes={})
    made = bot_commit(3, CORE, status="partial", missing=["app/config.py"], changes={"app/core.py": blob(3)})

    assert _state(POST, bot_commit(1, CORE), bot_commit(2, POST), asked_in_vain).stale is None
    assert _state(POST, bot_commit(1, CORE), bot_commit(2, POST), made).stale == "dependency"
    assert _state(POST, bot_commit(2, POST), asked_in_vain).stale == "dependency"
    assert _state(CORE, bot_commit(1, CORE), bot_commit(2, POST), asked_in_vain).commit == oid(3)


def test_the_newest_commit_of_a_phase_wins() -> None:
    partial = bot_commit(1, CORE, status="partial", missing=["app/config.py"])
    complete = bot_commit(2, CORE, changes={"app/config.py": blob(2)})

    done, undone = _state(CORE, partial, complete), _state(CORE, complete, partial)

    assert (done.status, done.commit, done.missing, done.wanted) == ("complete", oid(2), (), ())
    assert (undone.status, undone.commit, undone.wanted) == ("partial", oid(1), ("app/config.py",))


def test_missing_files_that_the_plan_no_longer_has_are_not_wanted() -> None:
    state = _state(CORE, bot_commit(1, CORE, status="partial", missing=["gone.py", "../x", "app/core.py"]))

    assert (state.missing, state.wanted) == (("app/core.py",), ("app/core.py",))


def test_commits_of_other_runs_are_people_s_commits() -> None:
    other = bot_commit(2, CORE, run="issue-12")

    assert _state(CORE, other).by_people
    assert _state(CORE, bot_commit(1, CORE), other).commit == oid(1)
    assert _state(CORE, bot_commit(1, CORE), other).edited == ("app/core.py", "app/config.py")


def test_tokens_add_up_over_all_commits_of_a_phase_and_over_the_run() -> None:
    gone = build_phase("entity/Gone", "gone.py")
    commits = [
        bot_commit(1, CORE, tokens=(10, 1), model="one"),
        bot_commit(2, gone, tokens=(5, 5), model="two"),
        bot_commit(3, CORE, tokens=(20, 2)),
        bot_commit(4, CORE),
        bot_commit(5, CORE, tokens=(100, 100), run="other"),
    ]

    ledger = derive_state("blog", {}, commits)

    assert ledger.state(CORE).tokens == (30, 3)
    assert ledger.tokens == (35, 8)
    assert ledger.models == {"one": (10, 1), "two": (5, 5), UNKNOWN_MODEL: (20, 2)}


def test_files_that_another_provider_made_are_told() -> None:
    assert _state(POST, bot_commit(1, POST, fallback=tuple(POST.files)[:1])).fallback == tuple(POST.files)[:1]


@pytest.mark.parametrize(
    "revert",
    [
        rollback(9, "core"),
        rollback(9, "main", "core", "entity/Post"),
        human_commit(9, body=f"Revert core\n\nThis reverts commit {oid(1)}.\n"),
        human_commit(9, body=f"This reverts commit {oid(1)}, reversing\nchanges made to {oid(2)}.\n"),
        human_commit(9, body=f"This reverts commit {oid(77)}.\n\nThis reverts commit {oid(1)}.\n"),
    ],
    ids=["rollback", "rollback-of-several", "revert-button", "revert-of-a-merge", "two-reverts"],
)
def test_a_phase_taken_back_is_to_be_made_again(revert: Commit) -> None:
    state = _state(CORE, bot_commit(1, CORE, tokens=(1, 1)), revert)

    assert (state.status, state.commit, state.files, state.tokens) == ("reverted", oid(1), (), (1, 1))
    assert state.wanted == tuple(CORE.files)


@pytest.mark.parametrize(
    "commit",
    [
        rollback(9, "entity/Post"),
        rollback(9, "Core"),
        rollback(9, "core", run="other"),
        human_commit(9, body=f"This reverts commit {oid(2)}."),
        human_commit(9, body=f"This reverts commit {oid(1)[:12]}."),
        human_commit(9, body=f"> This reverts commit {oid(1)}."),
        human_commit(9, body=f"See {oid(1)}."),
        human_commit(9),
    ],
)
def test_a_commit_that_reverts_something_else_leaves_the_phase_done(commit: Commit) -> None:
    assert _state(CORE, bot_commit(1, CORE), commit).status == "complete"


def test_a_revert_before_the_commit_says_nothing_about_it() -> None:
    assert _state(CORE, rollback(1, "core"), bot_commit(2, CORE)).status == "complete"
    assert _state(CORE, bot_commit(1, CORE), rollback(2, "core"), bot_commit(3, CORE)).status == "complete"


def test_a_phase_commit_that_was_dropped_is_pending_again() -> None:
    state = _state(CORE, bot_commit(2, POST))

    assert (state.status, state.wanted) == ("pending", tuple(CORE.files))


# ---- rule 4: stale


def test_a_phase_whose_inputs_changed_is_stale_by_plan_and_wanted_whole() -> None:
    state = _state(CORE, bot_commit(1, CORE, inputs="older", status="partial", missing=["app/config.py"]))

    assert (state.stale, state.wanted) == ("plan", tuple(CORE.files))


def test_a_phase_is_stale_by_dependency_when_one_it_needs_is_newer() -> None:
    commits = [bot_commit(1, CORE), bot_commit(2, POST), bot_commit(3, MAIN), bot_commit(4, POST)]

    ledger = derive_state("blog", {}, commits)

    assert [ledger.state(phase).stale for phase in (CORE, POST, MAIN)] == [None, None, "dependency"]
    assert ledger.state(MAIN).wanted == ()


@pytest.mark.parametrize("commits", [[], [bot_commit(1, CORE), rollback(3, "core")]], ids=["never made", "taken back"])
def test_a_phase_is_stale_by_dependency_when_one_it_needs_is_not_there(commits: Sequence[Commit]) -> None:
    state = _state(POST, *commits[:1], bot_commit(2, POST), *commits[1:])

    assert (state.status, state.stale) == ("complete", "dependency")


def test_a_phase_made_by_another_recipe_is_reported_only() -> None:
    state = _state(CORE, bot_commit(1, CORE, recipe="fastapi@older"))

    assert (state.status, state.stale, state.wanted) == ("complete", "recipe", ())


@pytest.mark.parametrize(
    ("inputs", "recipe", "rebuilt", "stale"),
    [
        ("older", "older", True, "plan"),
        (None, "older", True, "dependency"),
        (None, "older", False, "recipe"),
        (None, None, False, None),
    ],
)
def test_of_several_reasons_the_strongest_is_named(
    *, inputs: str | None, recipe: str | None, rebuilt: bool, stale: str | None
) -> None:
    after = [bot_commit(3, CORE)] if rebuilt else []

    state = _state(POST, bot_commit(1, CORE), bot_commit(2, POST, inputs=inputs, recipe=recipe), *after)

    assert state.stale == stale


def test_an_edited_plan_is_the_plan_and_never_stale() -> None:
    edit = human_commit(2, {".phasebot/plan.yaml": blob(2)})

    state = _state(PLAN, bot_commit(1, PLAN, inputs="older", recipe="older"), edit)

    assert (state.status, state.stale, state.wanted) == ("complete", None, ())
    assert state.edited == (".phasebot/plan.yaml",)


# ---- rule 5: people's edits


@pytest.mark.parametrize(
    "after",
    [
        [human_commit(2, {"app/core.py": blob(2)})],
        [human_commit(2, {"app/core.py": None})],
        [human_commit(2, {"app/core.py": Entry("100755", oid(1))})],
        [human_commit(2, {"app/core.py": Entry("120000", oid(1))})],
        [bot_commit(2, POST, run="other", changes={"app/core.py": blob(2)})],
        [human_commit(2, {"app/core.py": blob(2)}), bot_commit(3, POST)],
        [human_commit(2, {"app/core.py": blob(2)}), bot_commit(3, CORE, changes={"app/core.py": blob(3)})],
        [human_commit(2, {"app/core.py": blob(2)}), bot_commit(3, CORE, changes={}, conflict=["app/core.py"])],
    ],
    ids=["changed", "removed", "mode", "link", "other-run", "then-other-phase", "then-merged", "then-conflict"],
)
def test_a_file_that_holds_a_persons_lines_is_edited(after: Sequence[Commit]) -> None:
    assert _state(CORE, bot_commit(1, CORE), *after).edited == ("app/core.py",)


@pytest.mark.parametrize(
    "after",
    [
        [],
        [human_commit(2, {"README.md": blob(2)})],
        [human_commit(2, {"app/core.py": blob(2)}), human_commit(3, {"app/core.py": blob(1)})],
        [bot_commit(2, CORE)],
        [rollback(2, "core", changes={"app/core.py": None, "app/config.py": None}), bot_commit(3, CORE)],
    ],
    ids=["nothing", "elsewhere", "undone", "made-again", "rolled-back-and-made-again"],
)
def test_a_file_as_the_bot_left_it_is_not_edited(after: Sequence[Commit]) -> None:
    assert _state(CORE, bot_commit(1, CORE), *after).edited == ()


def test_a_conflict_is_told_of_the_phases_own_files_until_it_is_made_again() -> None:
    first = bot_commit(1, CORE)
    conflict = bot_commit(3, CORE, changes={}, conflict=["app/core.py", "elsewhere.py"])
    edit = human_commit(2, {"app/core.py": blob(2)})

    assert _state(CORE, first, edit, conflict).conflicts == ("app/core.py",)
    assert _state(CORE, first, edit, conflict, bot_commit(4, CORE)).conflicts == ()


def test_a_run_is_complete_when_nothing_is_wanted() -> None:
    ledger = derive_state("blog", {}, [bot_commit(1, PLAN), bot_commit(2, CORE)])

    def run(*phases: Phase) -> RunState:
        return RunState(
            "blog", "phasebot/blog", "main", oid(2), [ledger.state(each) for each in phases], (0, 0), {}, False
        )

    assert run(PLAN, CORE).complete
    assert not run().complete
    assert not run(PLAN, CORE, POST).complete


# ---- commits that hold more than their phase, reverts of reverts, and what the base made


@pytest.mark.parametrize("first", [rollback(2, "core"), human_commit(2, body=f"This reverts commit {oid(1)}.")])
def test_a_revert_of_a_revert_brings_a_phase_back_as_often_as_it_is_done(first: Commit) -> None:
    commits = [bot_commit(1, CORE), first]
    statuses = []
    for number in (3, 4, 5):
        commits.append(human_commit(number, body=f"This reverts commit {oid(number - 1)}."))
        statuses.append(_state(CORE, *commits).status)

    assert statuses == ["complete", "reverted", "complete"]


def test_undoing_a_revert_of_what_was_taken_back_already_brings_nothing_back() -> None:
    revert = human_commit(3, body=f"This reverts commit {oid(1)}.")
    undone = human_commit(4, body=f"This reverts commit {oid(3)}.")

    assert _state(CORE, bot_commit(1, CORE), rollback(2, "core"), revert, undone).status == "reverted"


def test_a_phase_of_the_base_is_done_until_the_plan_says_otherwise_and_older_than_all_others() -> None:
    made = PhaseRecord(
        oid(9), 0, Trailers(run="old", phase="core", status="complete", inputs="inputs-1", recipe="recipe-1")
    )
    inherited = InheritedPhases({"core": made}, {"app/core.py": Generated(blob(7))})
    base = {"app/core.py": blob(8), "app/config.py": blob(8)}

    ledger = derive_state("blog", base, [bot_commit(1, POST)], inherited=inherited)
    after = derive_state("blog", base, [bot_commit(1, POST), bot_commit(2, CORE)], inherited=inherited)

    assert (ledger.state(CORE).status, ledger.state(CORE).commit) == ("complete", oid(9))
    assert ledger.state(CORE).edited == ("app/core.py",)
    assert ledger.state(POST).stale is None
    assert after.state(POST).stale == "dependency"
    assert ledger.wanted(build_phase("core", *CORE.files, inputs="newer")) == tuple(CORE.files)


# ---- what templates can't carry out


RULED = build_phase("entity/Hire", "app/models/hire.py", rules=["At least one."])


def test_what_people_ask_of_a_phase_that_templates_made_is_not_done() -> None:
    state = _state(RULED, bot_commit(1, RULED, provider="template"))

    assert (state.status, state.commit, state.files) == ("pending", oid(1), ("app/models/hire.py",))
    assert (state.unmet, state.wanted, state.done) == (("At least one.",), (), False)


@pytest.mark.parametrize(
    ("commits", "unmet"),
    [
        ([{"provider": "gemini"}], False),
        ([{"provider": "template"}, {"provider": "gemini"}], False),
        ([{"provider": "gemini"}, {"provider": "template"}], True),
        ([{"provider": "gemini", "fallback": ["app/models/hire.py"]}], True),
        ([{}], False),
    ],
    ids=["model", "model-last", "templates-last", "fallback", "older-release"],
)
def test_the_newest_commit_says_whether_a_phase_is_as_people_ask(
    commits: Sequence[Mapping[str, Any]], *, unmet: bool
) -> None:
    made = [bot_commit(number, RULED, **each) for number, each in enumerate(commits, 1)]

    assert bool(_state(RULED, *made).unmet) is unmet


def test_nothing_is_asked_of_the_plan_itself_or_of_a_phase_that_was_taken_back() -> None:
    plan = replace(PLAN, slice={"rules": ["One."], "instructions": {}})

    assert _state(plan, bot_commit(1, plan, provider="template")).unmet == ()
    assert _state(RULED, bot_commit(1, RULED, provider="template"), rollback(2, "entity/Hire")).unmet == ()


# ---- rule 7: what people make themselves

FEED = build_phase("feature/Feed", needs=["core"], by_hand=["app/features/feed.py", "app/routers/feed.py"])
SITE = build_phase("main", "main.py", needs=["feature/Feed"])
WRITTEN = human_commit(3, {"app/features/feed.py": blob(3), "app/routers/feed.py": blob(3)})


def test_a_phase_all_of_whose_files_people_wrote_is_done() -> None:
    state = _state(FEED, bot_commit(1, CORE), WRITTEN)

    assert (state.status, state.commit, state.by_people, state.done) == ("complete", None, True, True)
    assert state.files == tuple(FEED.files)


@pytest.mark.parametrize(
    "commits",
    [
        [human_commit(3, {"app/features/feed.py": blob(3)})],
        [WRITTEN, human_commit(4, {"app/routers/feed.py": None})],
        [human_commit(3, {"app/features/feed.py": blob(3), "app/routers/feed.py": Entry("120000", oid(3))})],
        [human_commit(3, {"app/features/feed.py": blob(3), "app/Routers/feed.py": blob(3)})],
        [bot_commit(1, FEED), rollback(2, FEED.key, changes={}), human_commit(3, {"app/features/feed.py": blob(3)})],
    ],
    ids=["one-file", "removed-again", "a-link", "another-case", "edited-and-taken-back"],
)
def test_a_phase_is_not_done_by_people_unless_they_wrote_every_file(commits: Sequence[Commit]) -> None:
    owners = {path: {FEED.key} for path in FEED.files}
    state = derive_state("blog", {}, commits, owners=owners).state(FEED)

    assert (state.by_people, state.wanted) == (False, tuple(FEED.files))


def test_files_that_the_base_had_before_are_not_made_for_a_phase() -> None:
    base = dict.fromkeys(FEED.files, blob(9))

    assert _state(FEED, base=base).status == "pending"
    assert _state(FEED, human_commit(2, {"app/routers/feed.py": blob(2)}), base=base).by_people


def test_a_phase_that_was_taken_back_may_be_written_by_people_then() -> None:
    gone = dict.fromkeys(FEED.files)
    commits = [bot_commit(1, FEED), rollback(2, FEED.key, changes=gone), WRITTEN]

    assert _state(FEED, *commits[:2]).status == "reverted"
    assert (_state(FEED, *commits).status, _state(FEED, *commits).commit) == ("complete", None)


def test_what_needs_a_phase_that_people_made_is_outdated_only_if_it_is_older() -> None:
    def stale(*commits: Commit) -> str | None:
        return derive_state("blog", {}, commits, phases=[FEED, SITE]).state(SITE).stale

    edited = human_commit(5, {"app/routers/feed.py": blob(5)})

    assert stale(WRITTEN, bot_commit(4, SITE)) is None
    assert stale(WRITTEN, bot_commit(4, SITE), edited) is None
    assert stale(bot_commit(2, SITE), WRITTEN) == "dependency"
    assert stale(bot_commit(4, SITE)) == "dependency"


def test_a_person_may_write_what_a_partial_phase_lacks() -> None:
    partial = bot_commit(1, CORE, status="partial", missing=["app/config.py"])

    state = _state(CORE, partial, human_commit(2, {"app/config.py": blob(2)}))

    assert (state.status, state.missing, state.wanted, state.commit) == ("complete", (), (), oid(1))


def test_people_made_a_phase_that_was_only_tried_in_vain() -> None:
    in_vain = bot_commit(1, FEED, status="partial", missing=[*FEED.files], changes={}, inputs="older")

    assert _state(FEED, in_vain).stale == "plan"
    state = _state(FEED, in_vain, WRITTEN)
    assert (state.status, state.commit, state.by_people, state.stale, state.wanted) == (
        "complete",
        None,
        True,
        None,
        (),
    )


def test_a_plan_of_an_earlier_release_is_complete_without_the_text_of_its_spec() -> None:
    plan = build_phase("plan", ".phasebot/plan.yaml", ".phasebot/spec.md")
    old = bot_commit(1, plan, changes={".phasebot/plan.yaml": blob(1)})
    removed = human_commit(2, {".phasebot/spec.md": None})

    assert (_state(plan, old).files, _state(plan, old).total, _state(plan, old).wanted) == (
        tuple(plan.files)[:1],
        1,
        (),
    )
    assert _state(plan, bot_commit(1, plan), removed).done
    assert _state(plan, human_commit(1, {".phasebot/plan.yaml": blob(1)})).status == "complete"
    assert _state(plan, human_commit(1, {".phasebot/spec.md": blob(1)})).status == "pending"
