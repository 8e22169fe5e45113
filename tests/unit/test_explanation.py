"""Why a phase is as it is, derived from commits: one test for each kind of cause."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bot.history.causes import (
    ByPeople,
    Change,
    Conflict,
    Edit,
    Kept,
    Missing,
    NeverMade,
    NewerNeed,
    PlanChange,
    RecipeChange,
    Reverted,
    UnknownPlan,
    Unmet,
)
from bot.history.explanation import Explanation, Versions, explain
from bot.history.ledger import derive_state
from bot.history.run_state import Commit
from bot.planning.phases import Phase
from tests.unit.values import blob, bot_commit, build_phase, human_commit, oid, rollback

PLAN = build_phase("plan", ".phasebot/plan.yaml")
CORE = build_phase("core", "app/core.py", "app/config.py")
POST = build_phase("entity/Post", "app/models/post.py", needs=["core"])


def _by(number: int) -> tuple[Change, ...]:
    return (Change(oid(number), "alice"),)


def _explain(phase: Phase, *commits: Commit, **more: Any) -> Explanation:  # noqa: ANN401  # passed on
    phases = [PLAN, CORE, POST] if phase.key in ("plan", "core", "entity/Post") else [phase]
    phases = [phase if each.key == phase.key else each for each in phases]
    owners = {path: {each.key} for each in phases for path in each.files}
    signed = [replace(each, author="alice <a@x>") for each in commits]
    ledger = derive_state("blog", {}, signed, owners=owners, phases=phases)
    return explain(phase, ledger, signed, **more)


def _title(kind: str) -> Mapping[tuple[str, ...], Mapping[str, Any]]:
    return {("entities", "Post", "fields", "title"): {"name": "title", "type": kind}}


def test_a_phase_without_a_commit_was_never_made() -> None:
    found = _explain(CORE)

    assert (found.causes, found.made, found.step, found.is_notable) == ((NeverMade(),), None, "generate", True)


def test_nothing_is_to_be_said_of_a_phase_that_is_simply_complete() -> None:
    found = _explain(
        CORE, bot_commit(1, CORE, model="m", tokens=(10, 2)), bot_commit(2, CORE, model="n", tokens=(5, 1))
    )

    assert (found.causes, found.step, found.is_notable) == ((), "nothing", False)
    assert found.made
    assert (found.made.oid, found.made.who) == (oid(2), "alice")
    assert found.models == {"m": (10, 2), "n": (5, 1)}


def test_a_field_of_the_plan_is_named_with_the_commit_that_changed_it() -> None:
    commits = [bot_commit(1, CORE), bot_commit(2, POST, inputs="older"), human_commit(3), human_commit(4)]
    versions = Versions([_title("string"), _title("text"), _title("integer")], [0, 3, 4])
    found = _explain(POST, *commits, versions=versions)

    assert found.causes == (PlanChange("entities.Post.fields.title", "Post.title", "string", "integer", _by(4)),)
    assert (found.state.stale, found.step) == ("plan", "generate")
    assert _explain(POST, *commits).causes == (UnknownPlan(),)


def test_what_the_base_changed_has_no_commit_of_the_branch() -> None:
    versions = Versions([_title("string"), _title("text")], [0, 0])
    found = _explain(POST, bot_commit(1, CORE), bot_commit(2, POST, inputs="older"), versions=versions)

    assert [cause.by for cause in found.causes] == [()]


def test_a_recipe_is_named_with_its_files_where_they_are_known() -> None:
    phase = build_phase("core", "app/core.py", "app/config.py", recipe="small@2")
    made = bot_commit(1, phase, recipe="small@1")

    assert _explain(phase, made).causes == (RecipeChange("small"),)
    assert _explain(phase, made, recipe_files=["templates/a.j2"]).causes == (
        RecipeChange("small", ("templates/a.j2",)),
    )
    assert _explain(phase, bot_commit(1, phase, recipe="large@1")).causes == (RecipeChange("small", (), "large"),)
    assert _explain(phase, made).step == "regenerate"


def test_a_needed_phase_that_is_newer_or_gone_is_named() -> None:
    first = [bot_commit(1, CORE), bot_commit(2, POST)]

    newer = _explain(POST, *first, bot_commit(3, CORE))
    assert (newer.causes, newer.step) == ((NewerNeed("core", _by(3)),), "cascade")
    assert _explain(POST, *first, rollback(3, "core")).causes == (NewerNeed("core"),)


def test_all_reasons_are_named_and_not_only_the_one_that_status_shows() -> None:
    phase = replace(POST, recipe="small@2")
    commits = [bot_commit(1, CORE), bot_commit(2, phase, inputs="older", recipe="small@1"), bot_commit(3, CORE)]

    assert _explain(phase, *commits).causes == (UnknownPlan(), RecipeChange("small"), NewerNeed("core", _by(3)))


def test_a_missing_file_comes_with_its_reason() -> None:
    made = bot_commit(1, CORE, status="partial", missing=["app/config.py"], reason="timeout")
    found = _explain(CORE, made)

    assert (found.causes, found.step) == ((Missing("app/config.py", "timeout"),), "generate")


def test_a_phase_that_was_taken_back_names_the_commit() -> None:
    made = bot_commit(1, CORE)

    assert _explain(CORE, made, rollback(2, "core")).causes == (Reverted(_by(2)),)
    by_hand = human_commit(2, dict.fromkeys(CORE.files), body=f"This reverts commit {oid(1)}.\n")
    assert _explain(CORE, made, by_hand).causes == (Reverted(_by(2)),)
    assert _explain(CORE, made, rollback(2, "core"), bot_commit(3, CORE)).causes == ()


def _edits(*commits: Commit) -> Sequence[object]:
    return _explain(CORE, bot_commit(1, CORE), *commits).causes


def test_everybody_who_edited_a_file_since_it_was_made_is_named() -> None:
    path = "app/core.py"
    first, second = human_commit(2, {path: blob(20)}), human_commit(3, {path: blob(30)})

    assert _edits(first, second) == (Edit(path, (*_by(2), *_by(3))),)
    assert _edits(first, human_commit(3, {path: blob(1)})) == ()
    assert _edits(first, human_commit(3, {path: blob(1)}), human_commit(4, {path: blob(9)})) == (Edit(path, _by(4)),)
    assert _edits(first, human_commit(3, {path: None})) == (Edit(path, (*_by(2), *_by(3)), removed=True),)


def test_edits_that_a_new_version_was_merged_with_are_still_theirs() -> None:
    path = "app/core.py"
    merged = bot_commit(3, CORE, changes={path: blob(30), "app/config.py": blob(31)})

    assert _edits(human_commit(2, {path: blob(20)}), merged) == (Edit(path, _by(2)),)
    discarded = replace(merged, trailers=merged.trailers and replace(merged.trailers, discarded=(path,)))
    assert _edits(human_commit(2, {path: blob(20)}), discarded) == ()


def test_a_conflict_is_named_instead_of_the_edit() -> None:
    path = "app/core.py"
    commits = (human_commit(2, {path: blob(20)}), bot_commit(3, CORE, changes={}, conflict=[path]))
    found = _explain(CORE, bot_commit(1, CORE), *commits)

    assert (found.causes, found.step) == ((Conflict(path, _by(2)),), "resolve")


def test_a_persons_own_file_in_the_place_of_one_is_named() -> None:
    made = bot_commit(2, CORE, changes={"app/config.py": blob(2)})
    kept = replace(made, trailers=made.trailers and replace(made.trailers, kept=("app/core.py",)))

    assert _explain(CORE, human_commit(1, {"app/core.py": blob(1)}), kept).causes == (Kept("app/core.py"),)


def test_a_phase_that_people_wrote_names_them() -> None:
    found = _explain(CORE, human_commit(1, {path: blob(1) for path in CORE.files}))

    assert (found.causes, found.made) == ((ByPeople(_by(1)),), None)


def test_what_templates_can_not_carry_out_is_named() -> None:
    phase = build_phase("entity/Note", "note.py", rules=["Notes are short."])
    found = _explain(phase, bot_commit(1, phase, provider="template"))

    assert (found.causes, found.step) == ((Unmet("Notes are short."),), "model")


def test_an_edited_plan_is_told_only_to_who_asks_for_it() -> None:
    found = _explain(PLAN, bot_commit(1, PLAN), human_commit(2, {".phasebot/plan.yaml": blob(7)}))

    assert (found.causes, found.is_notable) == ((Edit(".phasebot/plan.yaml", _by(2)),), False)
