"""The last step of a job whose process was killed: it reports how the run ended."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.action_world import World, scripted, small_world
from tests.git_http_server import Refusal
from tests.github_server import LOGIN
from tests.integration.test_action_generate import nothing
from tests.repositories import commit, git

MARKER = "<!-- phasebot:issue-12 -->\n"
ENDED = "The job was cancelled, timed out or crashed; its log says more"


@pytest.fixture
def github(tmp_path: Path) -> Iterator[World]:
    with small_world(tmp_path) as found:
        yield found


def working(github: World) -> None:
    """Have the progress comment say what it did when the process was killed."""
    text = f"{MARKER}**Phasebot is working on `@alice`'s request**"
    found = [each for each in github.github.comments if each.login == LOGIN and each.body.startswith(MARKER)]
    (found[0] if found else github.github.add_comment(text)).body = text


def progress(github: World) -> str:
    (body,) = (each for each in github.said() if each.startswith(MARKER))
    return body


def test_a_run_that_was_cut_short_is_told_as_stopped(github: World) -> None:
    with scripted({"main": nothing}):
        github.say("/generate")
    working(github)

    ending = github.say("/generate", finish=True)

    assert (ending.status, ending.exit_code, ending.message) == ("failed", 1, ENDED)
    assert progress(github).split("\n\n")[:3] == [
        f"{MARKER}**Phasebot stopped working on `@alice`'s request**",
        ENDED,
        "4 of 5 phases done, 8 files.",
    ]
    assert "Finished work is kept. To continue, comment:\n\n```\n/generate\n```" in progress(github)
    assert github.pull().draft


def test_a_run_that_was_complete_is_told_as_that(github: World) -> None:
    github.say("/generate")
    working(github)
    github.pull().draft = True

    ending = github.say("/generate", finish=True)

    assert (ending.status, ending.exit_code) == ("complete", 0)
    assert "**Phasebot finished" in progress(github)
    assert not github.pull().draft


def test_a_plan_is_told_as_planned(github: World) -> None:
    github.say("/plan")
    working(github)

    ending = github.say("/plan", finish=True)

    assert (ending.status, ending.exit_code) == ("answered", 0)
    assert "**Phasebot wrote the plan for" in progress(github)


def test_a_run_that_had_not_begun_is_told_as_stopped(github: World) -> None:
    working(github)

    ending = github.say("/generate", finish=True)

    assert (ending.status, ending.exit_code, github.commits()) == ("failed", 1, [])
    assert f"\n{ENDED}\n" in progress(github)
    assert github.github.pulls == []


def test_what_was_committed_and_not_pushed_is_pushed(github: World) -> None:
    folder = github.checkout()
    github.server.refuse = lambda asked: Refusal(status=403, text="Permission denied") if asked.writes else None
    assert github.say("/generate", folder=folder).status == "failed"
    assert github.commits() == []
    github.server.refuse = lambda _: None

    ending = github.say("/generate", folder=folder, finish=True)

    assert (ending.status, len(github.commits())) == ("complete", 5)
    assert "**Phasebot finished" in progress(github)


@pytest.mark.parametrize("command", ["/explain", "/status", "/stop", "/help"])
def test_a_question_that_was_not_answered_gets_a_reaction_and_a_line_in_the_log(github: World, command: str) -> None:
    ending = github.say(command, finish=True, folder=github.root / "nowhere")

    assert (ending.status, ending.exit_code) == ("failed", 1)
    assert ending.message == "the job ended before the command was answered"
    assert github.reactions() == ["confused"]


def test_who_may_not_give_a_command_may_not_have_it_finished(github: World) -> None:
    working(github)

    ending = github.say("/generate", author="bob", finish=True, folder=github.root / "nowhere")

    assert ending.status == "refused"
    assert not any(asked.writes for asked in github.server.requests)


@pytest.mark.parametrize("content", ["entities: 1\n", None], ids=["broken", "removed"])
def test_the_comment_says_working_no_more_whatever_became_of_the_plan(github: World, content: str | None) -> None:
    github.say("/plan")
    laptop = github.clone()
    git(laptop, "switch", "--quiet", "phasebot/issue-12")
    commit(laptop, "Edit", {".phasebot/plan.yaml": content})
    git(laptop, "push", "--quiet", "origin", "HEAD")
    working(github)

    ending = github.say("/generate", finish=True)

    assert (ending.status, ending.exit_code) == ("refused", 2)
    assert "is working on" not in progress(github)


# ---- a job that is run again


@pytest.mark.parametrize(
    ("text", "author"),
    [
        ("/generate", "alice"),
        ("/status", "alice"),
        ("/genrate", "alice"),
        ("/rollback core", "alice"),
        ("/help", "bob"),
    ],
)
def test_a_job_that_is_run_again_edits_its_answer(github: World, text: str, author: str) -> None:
    payload = github.comment(text, author=author)
    first = github.ended(payload)
    answer = github.github.comments[-1]
    said, written = github.said(), github.github.lines.count("POST /issues/12/comments")
    answer.body = answer.body.partition("\n")[0] + "\nAs it was at first"

    assert github.ended(payload, attempt=2).status == first.status
    assert github.said() == said
    assert github.ended(payload, attempt=3).status == first.status
    assert github.said() == said
    assert github.github.lines.count("POST /issues/12/comments") == written


def test_a_job_that_is_run_again_edits_its_answer_in_a_thread(github: World) -> None:
    assert github.say("/generate").status == "complete"
    payload = github.line_comment("/status", pull=github.pull().number)
    github.ended(payload)
    said = [each.body for each in github.github.review_comments]
    github.github.review_comments[-1].body = said[-1].partition("\n")[0] + "\nAs it was at first"

    assert github.ended(payload, attempt=2).status == "answered"
    assert [each.body for each in github.github.review_comments] == said


def test_what_others_copied_from_an_answer_is_not_edited(github: World) -> None:
    payload = github.comment("/status")
    github.ended(payload)
    copied = github.github.add_comment(github.github.comments[-1].body + "x", login="mallory")
    text = copied.body

    github.ended(payload, attempt=2)
    assert (copied.body, len(github.said())) == (text, 1)


def test_the_step_after_a_killed_one_edits_what_that_one_said(github: World) -> None:
    payload, folder = github.comment("/generate"), github.checkout()
    github.ended(payload, folder=folder)
    github.ended(payload, finish=True, folder=folder)
    assert len(github.said()) == 2
