"""Conflicts on GitHub: the run is no success, the change that was not written is shown, and comments resolve it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.action_world import World, small_world
from tests.repositories import commit, git

PLAN = ".phasebot/plan.yaml"
MODEL = "app/models/note.py"


@pytest.fixture
def github(tmp_path: Path) -> Iterator[World]:
    with small_world(tmp_path) as found:
        yield found


def push(github: World, branch: str, files: dict[str, str]) -> None:
    """Push *files* as a person."""
    folder = github.root / f"person-{len(list(github.root.glob('person-*')))}"
    git(github.root, "clone", "--quiet", "--branch", branch, str(github.origin), str(folder))
    commit(folder, "Mine", files)
    git(folder, "push", "--quiet", "origin", branch)


def edit_plan(github: World, old: str, new: str) -> None:
    push(github, "phasebot/issue-12", {PLAN: github.file(PLAN).replace(old, new) + "\n"})


def test_a_conflict_is_shown_and_resolved_by_a_comment(github: World) -> None:
    assert github.say("/generate").status == "complete"
    push(github, "phasebot/issue-12", {MODEL: "# mine\n"})
    edit_plan(github, "text: text", "text: string")

    ended = github.say("/generate")

    assert (ended.status, ended.exit_code) == ("incomplete", 3)
    assert github.reactions()[-1] == "confused"
    advice = (
        f"- Conflict in `{MODEL}`: your version stays. Edit and commit it, or take the new one, "
        "which drops all edits in files of this phase: comment `/regenerate entity/Note --discard-edits`."
    )
    closing = github.said()[-1]
    assert "**Generated, 1 conflict:** 5 of 5 phases done" in closing
    assert advice in closing
    for text in (github.said()[0], (github.pull().body or "")):
        assert advice in text
        assert "```diff\n@@ -1 +1" in text
        assert "-# mine" in text
    assert ", with 1 conflict**" in github.said()[0]
    assert "**5 of 5 phases done, 1 conflict to resolve.**" in (github.pull().body or "")
    status = github.say("/status")
    assert status.status == "answered"
    assert "is complete, with 1 conflict**" in github.said()[-1]
    assert "-# mine" in github.said()[-1]

    resolved = github.say("/regenerate entity/Note --discard-edits")

    assert (resolved.status, github.reactions()[-1]) == ("complete", "rocket")
    assert "**Regenerated 1 phase" in github.said()[-1]
    assert "mine" not in github.file(MODEL)


def test_a_readme_that_was_there_is_no_conflict_and_the_generated_one_is_shown(github: World) -> None:
    push(github, "main", {"README.md": "# Ours\n"})

    ended = github.say("/generate")

    assert (ended.status, github.reactions()[-1]) == ("complete", "rocket")
    assert github.file("README.md") == "# Ours"
    assert "\u26a0" not in github.said()[0]
    assert "kept your README.md" in github.said()[0]
    assert "```diff" in (github.pull().body or "")
    assert "-# Ours" in (github.pull().body or "")


def test_a_regenerated_phase_is_told_as_one_while_others_are_outdated(github: World) -> None:
    assert github.say("/generate").status == "complete"
    edit_plan(github, "project: Blog API", "project: Blogs")

    ended = github.say("/regenerate entity/Note")

    closing = github.said()[-1]
    assert "**Regenerated 1 phase; `support`" in closing
    assert "outdated:** " in closing
    assert "To update what is outdated, comment `/generate`." in closing
    assert "Planned" not in closing + github.said()[0]
    assert (ended.status, github.reactions()[-1]) == ("incomplete", "confused")
