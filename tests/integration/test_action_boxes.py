"""Boxes in the progress comment: who ticks one has its command run, and finds it empty again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.action.result import CommandResult
from bot.forge.webhook_event import Ignored
from tests.action_world import World, small_world
from tests.github_server import LOGIN
from tests.repositories import commit, git

MODEL = "app/models/note.py"
BOX = "<!-- phasebot:box:"


@pytest.fixture
def github(tmp_path: Path) -> Iterator[World]:
    with small_world(tmp_path) as found:
        assert found.say("/generate").status == "complete"
        yield found


def progress(github: World) -> str:
    return github.said()[0]


def subjects(github: World) -> list[str]:
    """Return what was committed since the run was complete."""
    return github.commits()[5:]


def push(github: World, path: str, text: str) -> None:
    folder = github.clone(f"person-{path.rpartition('/')[2]}")
    git(folder, "switch", "--quiet", "phasebot/issue-12")
    commit(folder, "Mine", {path: text})
    git(folder, "push", "--quiet", "origin", "HEAD")


def test_the_boxes_make_phases_again_and_roll_them_back(github: World) -> None:
    again = github.ended(github.tick("regenerate:entity/Note"))

    assert (again.status, again.report and again.report.outcome) == ("complete", "regenerated")
    assert subjects(github) == ["Generate entity Note [3/5]  github-actions[bot] for alice"]
    assert "[x]" not in progress(github)
    assert "**Regenerated 1 phase" in github.said()[-1]
    assert github.reactions() == ["rocket"], "our own comment says by itself how it ended"

    back = github.ended(github.tick("rollback:main"))

    assert back.report
    assert back.report.outcome == "reverted"
    assert subjects(github)[1:] == ["Roll back main  github-actions[bot] for alice"]
    assert f"{BOX}rollback:main" not in progress(github), "it is not made any more"


def test_a_box_that_rolls_back_names_what_goes_with_it(github: World) -> None:
    assert f"- [ ] {BOX}rollback:entity/Note --> roll `entity/Note` back, with `main`\n" in progress(github)

    github.ended(github.tick("rollback:entity/Note"))

    assert subjects(github) == ["Roll back 2 phases  github-actions[bot] for alice"]


def test_the_new_version_is_offered_where_people_edited(github: World) -> None:
    assert "box:discard" not in progress(github)
    push(github, MODEL, "# mine\n")
    github.say("/generate")

    github.ended(github.tick("discard:entity/Note"))

    assert "# mine" not in github.file(MODEL)
    assert "box:discard" not in progress(github)


def test_the_same_edit_runs_once_and_a_later_one_again(github: World) -> None:
    first = github.tick("regenerate:entity/Note")
    github.ended(first)
    github.ended(first, attempt=2)
    assert len(subjects(github)) == 1

    github.ended(github.tick("regenerate:entity/Note"))
    assert len(subjects(github)) == 2


def test_boxes_of_one_kind_are_one_command(github: World) -> None:
    github.ended(github.tick("rollback:support", "rollback:main"))

    assert subjects(github) == ["Roll back 2 phases  github-actions[bot] for alice"]


def test_boxes_of_several_kinds_are_refused_and_emptied(github: World) -> None:
    ending = github.ended(github.tick("regenerate:entity/Note", "rollback:entity/Note"))

    assert ending.status == "refused"
    assert "Not run: boxes of several kinds were ticked at once; tick one" in github.said()[-1]
    assert (subjects(github), "[x]" in progress(github)) == ([], False)


def test_a_phase_that_is_not_there_any_more_is_told_and_the_box_emptied(github: World) -> None:
    (written,) = (each for each in github.github.comments if each.login == LOGIN and each.body == progress(github))
    written.body += f"\n- [ ] {BOX}rollback:entity/Gone --> roll it back\n"

    assert github.ended(github.tick("rollback:entity/Gone")).status == "refused"
    assert "phase 'entity/Gone' is not in the plan" in github.said()[-1]
    assert "Gone" not in progress(github)


def test_a_stop_that_came_before_does_not_stop_the_work_of_a_box(github: World) -> None:
    github.say("/stop")

    assert github.ended(github.tick("regenerate:entity/Note")).status == "complete"
    assert len(subjects(github)) == 1


def test_who_may_not_write_or_edits_another_comment_gets_no_answer(github: World) -> None:
    said = len(github.said())
    for payload in (
        github.tick("regenerate:entity/Note", author="mallory"),
        github.tick("rollback:main", comment__user__login="other-app[bot]"),
        github.tick("rollback:support", issue__number=github.pull().number),
    ):
        ending = github.answer(payload)
        assert isinstance(ending, CommandResult)
        assert ending.status == "refused"
    assert (len(github.said()), subjects(github)) == (said, [])


def test_our_own_edits_and_edited_commands_are_nothing(github: World) -> None:
    own = github.tick("regenerate:entity/Note", sender__login=LOGIN, sender__type="Bot")
    command = github.comment("/generate", action="edited")
    requests = len(github.github.requests)

    assert isinstance(github.answer(own), Ignored)
    assert isinstance(github.answer(command), Ignored)
    assert (len(github.github.requests), subjects(github)) == (requests, [])
