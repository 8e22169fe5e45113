"""What commits do to files: who made what stands at head, and what is in the way."""

from collections.abc import Mapping

import pytest

from bot.history.commit_ledger import InheritedPhases
from bot.history.ledger import Ledger, derive_state
from bot.history.run_state import Entry, Generated
from tests.unit.values import blob, bot_commit, build_phase, human_commit, oid, rollback

CORE = build_phase("core", "app/core.py", "app/config.py")
POST = build_phase("entity/Post", "app/models/post.py", needs=["core"])


def _versions(ledger: Ledger, path: str) -> tuple[Entry | None, Entry | None]:
    """Return the version at head, and the last one that the bot made alone."""
    return ledger.file(path).head, ledger.file(path).generated


def test_the_base_of_the_next_merge_is_the_last_version_without_a_persons_lines() -> None:
    commits = [
        bot_commit(1, CORE),
        bot_commit(2, CORE),
        human_commit(3, {"app/core.py": blob(3)}),
        bot_commit(4, CORE),
    ]

    ledger = derive_state("blog", {}, commits)

    assert _versions(ledger, "app/core.py") == (blob(4), blob(2))
    assert _versions(ledger, "app/config.py") == (blob(4), blob(4))


def test_a_persons_file_in_the_base_is_theirs_and_has_no_bot_version() -> None:
    ledger = derive_state("blog", {"app/core.py": blob(100)}, [bot_commit(1, CORE, changes={"app/core.py": blob(1)})])

    assert _versions(ledger, "app/core.py") == (blob(1), None)
    assert ledger.state(CORE).status == "complete"


def test_a_rolled_back_file_has_nothing_to_merge_with() -> None:
    ledger = derive_state(
        "blog", {}, [bot_commit(1, CORE), rollback(2, "core", changes={"app/core.py": None, "app/config.py": None})]
    )

    assert _versions(ledger, "app/core.py") == (None, None)
    assert not ledger.file("app/core.py").edited


@pytest.mark.parametrize(
    ("base", "path", "blocked"),
    [
        ({}, "app/core.py", False),
        ({"app": Entry("040000", oid(1))}, "app/core.py", False),
        ({"app/core.py": Entry("100644", oid(1))}, "app/core.py", False),
        ({"app/core.py": Entry("100755", oid(1))}, "app/core.py", False),
        ({"app/core.py": Entry("040000", oid(1))}, "app/core.py", True),
        ({"app/core.py": Entry("120000", oid(1))}, "app/core.py", True),
        ({"app/core.py": Entry("160000", oid(1))}, "app/core.py", True),
        ({"app": Entry("100644", oid(1))}, "app/core.py", True),
        ({"app": Entry("120000", oid(1))}, "app/core.py", True),
        ({"app": Entry("160000", oid(1))}, "app/models/core.py", True),
        ({"app": Entry("120000", oid(1))}, "apple/core.py", False),
    ],
)
def test_a_path_is_blocked_by_what_is_no_file_or_no_folder(
    *, base: Mapping[str, Entry], path: str, blocked: bool
) -> None:
    assert derive_state("blog", base, []).is_blocked(path) is blocked


def test_a_path_is_free_again_once_a_person_removes_what_blocked_it() -> None:
    ledger = derive_state("blog", {"app": Entry("120000", oid(1))}, [human_commit(2, {"app": None})])

    assert not ledger.is_blocked("app/core.py")


def test_paths_of_other_phases_in_a_combined_commit_have_unknown_authorship() -> None:
    owners = dict.fromkeys(CORE.files, "core") | dict.fromkeys(POST.files, "entity/Post")
    squashed = bot_commit(2, POST, changes={"app/core.py": blob(2), "app/models/post.py": blob(2)})

    ledger = derive_state("blog", {}, [bot_commit(1, CORE), squashed], owners=owners)

    assert _versions(ledger, "app/core.py") == (blob(2), blob(1))
    assert _versions(ledger, "app/models/post.py") == (blob(2), blob(2))
    assert ledger.state(CORE).edited == ("app/core.py",)


@pytest.mark.parametrize("back", ["rollback", "revert"])
def test_a_persons_lines_that_a_merge_kept_when_a_phase_was_taken_back_stay_theirs(back: str) -> None:
    path, merged = "app/core.py", {"app/core.py": blob(4)}
    taken_back = (
        rollback(4, "core", changes=merged)
        if back == "rollback"
        else human_commit(4, merged, body=f"This reverts commit {oid(2)}.")
    )
    commits = [
        bot_commit(1, CORE, changes={path: blob(1)}),
        bot_commit(2, CORE, changes={path: blob(2)}),
        human_commit(3, {path: blob(3)}),
        taken_back,
    ]

    ledger = derive_state("blog", {}, commits)

    assert ledger.state(CORE).status == "reverted"
    assert _versions(ledger, path) == (blob(4), None if back == "rollback" else blob(1))
    assert ledger.has_human_edits(path)


def test_what_people_made_of_a_file_in_the_base_stays_theirs_after_a_rollback() -> None:
    path = "app/core.py"
    commits = [
        bot_commit(1, CORE, changes={path: blob(2)}),
        rollback(2, "core", changes={path: blob(1)}),
        human_commit(3, {path: blob(9)}, body="Merge main"),
    ]

    ledger = derive_state("blog", {path: blob(9)}, commits, inherited=InheritedPhases({}, {path: Generated(blob(1))}))

    assert _versions(ledger, path) == (blob(9), blob(1))
    assert ledger.has_human_edits(path)
