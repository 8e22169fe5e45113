"""``/status``, ``/help`` and ``/stop`` while a run is under way."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from bot.generation.provider import GenerationRequest, GenerationResult
from bot.generation.templates import TemplateProvider
from tests.action_world import ISSUE, World, scripted, small_world
from tests.git_http_server import Asked, Refusal
from tests.repositories import NOTE, House, git, phases_of

STOP = "refs/phasebot/stop/issue-12"
PATIENCE = 20.0
"""Seconds until something that is waited for should long have been."""


@pytest.fixture
def github(tmp_path: Path) -> Iterator[World]:
    with small_world(tmp_path) as found:
        yield found


def stop_ref(github: World) -> str:
    return git(github.origin, "for-each-ref", "--format=%(objectname)", STOP)


def meanwhile(github: World, act: Callable[[], object]) -> Callable[[GenerationRequest], Awaitable[GenerationResult]]:
    """Do something while a phase is being made, which ends once the run has heard of a request to stop."""

    async def made(request: GenerationRequest) -> GenerationResult:
        until = time.monotonic() + PATIENCE
        while not github.said():  # the progress comment is written meanwhile
            assert time.monotonic() < until, "nobody wrote it"
            await asyncio.sleep(0.01)
        await asyncio.to_thread(act)
        while not any("stop requested" in line for line in github.log):
            assert time.monotonic() < until, "nobody heard it"
            await asyncio.sleep(0.01)
        return await TemplateProvider().generate(request)

    return made


def by_hand(github: World, what: str) -> None:
    """Ask a run to stop as a person does in a clone: ``git push origin WHAT:refs/phasebot/stop/issue-12``."""
    until = time.monotonic() + PATIENCE
    while "origin/" in what and not github.commits():
        assert time.monotonic() < until, "nothing is pushed"
        time.sleep(0.01)
    laptop = github.clone("by-hand")
    git(laptop, "tag", "--annotate", "--message=Enough", "tag", "main")
    git(laptop, "push", "--quiet", "origin", f"{what}:{STOP}")


# ---- questions


def ask(github: World, number: int, *questions: str) -> None:
    for text in questions:
        ending = github.say(text, number=number)
        assert (ending.status, ending.exit_code, ending.outputs["status"]) == ("answered", 0, "answered")


def test_questions_before_any_run_are_answered_and_change_nothing(github: World) -> None:
    ask(github, ISSUE, "/status", "/help", "/stop")

    assert (
        github.picture()
        == """


#12 alice: /status  :+1:
#12 bot: **Nothing is planned yet**
#12 alice: /help  :+1:
#12 bot: Phasebot generates a project, one commit per phase. If it is interrupted, or you edit the branch, it…
#12 alice: /stop  :+1:
#12 bot: Stop requested: `issue-12` stops after the phases in progress. Finished work is kept; to continue, c…
"""
    )


def test_questions_on_the_pull_request_and_a_closed_issue_are_answered_too(github: World) -> None:
    github.say("/generate")
    github.github.issues[ISSUE].state = "closed"

    ask(github, ISSUE, "/status")
    ask(github, github.pull().number, "/help", "/status", "/stop")

    assert (
        github.picture().split("\n\n")[2]
        == """\
#12 alice: /generate  :rocket:
#12 bot: **Phasebot finished `@alice`'s request**
#12 bot: **Done:** 5 of 5 phases, 9 files. Review pull request #PR1 commit by commit.
#12 alice: /status  :+1:
#12 bot: **`phasebot/issue-12` is complete**
#PR1 alice: /help  :+1:
#PR1 bot: Phasebot generates a project, one commit per phase. If it is interrupted, or you edit the branch, it…
#PR1 alice: /status  :+1:
#PR1 bot: **`phasebot/issue-12` is complete**
#PR1 alice: /stop  :+1:
#PR1 bot: Stop requested: `issue-12` stops after the phases in progress. Finished work is kept; to continue, c…
"""
    )


def test_the_status_in_the_middle_of_a_run_shows_what_is_done(github: World) -> None:
    async def ask_in_the_middle(request: GenerationRequest) -> GenerationResult:
        until = time.monotonic() + PATIENCE
        while len(github.commits()) < 4:
            assert time.monotonic() < until, github.commits()
            await asyncio.sleep(0.01)
        await asyncio.to_thread(github.say, "/status")
        return await TemplateProvider().generate(request)

    with scripted({"main": ask_in_the_middle}):
        github.say("/generate")

    answer = next(body for body in github.said() if "is not complete yet**" in body)
    assert "4 of 5 phases done, 8 files." in answer
    assert "\u2b1c `main`" in answer
    assert "Finished work is kept. To continue, comment:\n\n```\n/generate\n```" in answer


def test_the_help_names_the_settings_and_the_phases_of_the_run(github: World) -> None:
    github.say("/plan")

    ending = github.say(
        "/help", max_tokens=50_000, deadline_minutes=50.0, jobs=3, base_branch="main", output_dir="notes"
    )

    for row in (
        "provider | `template`",
        "output folder | `notes`",
        "base branch | `main`",
        "phases at the same time | `3`",
    ):
        assert f"| {row} |" in ending.summary
    assert "time limit | `50 minutes`" in ending.summary
    assert "tokens" not in ending.summary.partition("Setting")[2], "templates need none"
    assert "Phases of this run: `plan`, `core`, `entity/Note`, `support`, `main`." in ending.summary


# ---- a run that is asked to stop


def test_a_stop_lets_the_phases_under_way_end_and_the_next_generate_goes_on(github: World) -> None:
    with scripted({"entity/Note": meanwhile(github, lambda: github.say("/stop", author="alice"))}):
        ending = github.say("/generate")

    assert (ending.status, ending.exit_code) == ("incomplete", 3)
    assert (
        ending.message == "stopped as alice asked; what was finished is committed, comment /generate again to continue"
    )
    assert stop_ref(github) == ""
    comment = github.said()[0]
    assert "**Phasebot stopped working on `@alice`'s request" in comment
    assert f"\n{ending.message}\n" in comment
    assert "\nFinished work is kept. To continue, comment:\n\n```\n/generate\n```\n" in comment
    assert github.pull().draft

    assert github.say("/generate").status == "complete"
    assert (
        github.picture()
        == """
Generate plan [1/5]  github-actions[bot] for alice
Generate core [2/5]  github-actions[bot] for alice
Generate entity Note [3/5]  github-actions[bot] for alice
Generate support files [4/5]  github-actions[bot] for alice
Generate main application [5/5]  github-actions[bot] for alice

#PR1 open ready: Generate Blog API (phasebot/issue-12, main)

#12 alice: /generate  :confused:
#12 bot: **Phasebot finished `@alice`'s request**
#12 alice: /stop  :+1:
#12 bot: Stop requested: `issue-12` stops after the phases in progress. Finished work is kept; to continue, c…
#12 bot: **Stopped:** 4 of 5 phases done, 8 files in pull request #PR1.
#12 alice: /generate  :rocket:
#12 bot: **Done:** 5 of 5 phases, 9 files. Review pull request #PR1 commit by commit.
"""
    )


def test_stopping_twice_is_stopping_once(github: World) -> None:
    def twice() -> None:
        github.say("/stop")
        github.say("/stop")

    with scripted({"entity/Note": meanwhile(github, twice)}):
        assert github.say("/generate").status == "incomplete"

    with scripted() as provider:
        assert github.say("/generate").status == "complete"
    assert [key for key, _ in provider.asked] == ["main"]


def stop_by_hand(github: World, what: str) -> None:
    with scripted({"entity/Note": meanwhile(github, lambda: by_hand(github, what))}):
        ending = github.say("/generate")

    assert ending.message == "stopped as asked; what was finished is committed, comment /generate again to continue"
    assert stop_ref(github) == ""
    assert github.say("/generate").status == "complete"


@pytest.mark.parametrize("what", ["main", "origin/phasebot/issue-12"])
def test_a_run_is_stopped_by_hand_on_whatever_commit(github: World, what: str) -> None:
    stop_by_hand(github, what)


def test_a_run_is_stopped_by_hand_on_an_annotated_tag_once(github: World) -> None:
    stop_by_hand(github, "tag")


def test_a_stop_that_arrives_before_the_run_has_begun_stops_it(github: World) -> None:
    asked = github.comment("/generate")
    github.say("/stop")

    ending = github.ended(asked)

    assert (ending.status, ending.outputs["phases-total"]) == ("incomplete", "0")
    assert github.commits() == []
    assert github.github.pulls == []
    assert "stopped as alice asked" in github.said()[-1]
    assert stop_ref(github) == ""
    assert github.say("/generate").status == "complete"


def test_a_stop_that_is_older_than_the_command_is_cleared_and_stops_nothing(github: World) -> None:
    github.say("/stop")
    assert stop_ref(github)

    assert github.say("/generate").status == "complete"

    assert stop_ref(github) == ""
    assert "stop" not in github.said()[-1].lower()


def test_what_is_no_commit_stops_nothing_and_a_later_stop_replaces_it(github: World) -> None:
    laptop = github.clone("by-hand")
    blob = git(laptop, "hash-object", "-w", "LICENSE")
    git(laptop, "push", "--quiet", "origin", f"{blob}:{STOP}")

    with scripted({"entity/Note": meanwhile(github, lambda: github.say("/stop"))}):
        ending = github.say("/generate")

    assert ending.message.startswith("stopped as alice asked")
    assert stop_ref(github) == ""


def test_a_run_on_a_laptop_minds_no_stop(github: World) -> None:
    by_hand(github, "main")
    git(github.origin, "update-ref", "refs/phasebot/stop/blog", "refs/heads/main")

    outcome = House(github.clone(), spec=NOTE).run()

    assert outcome.state.complete
    assert len(phases_of(github.origin)) == 5
    assert git(github.origin, "for-each-ref", "refs/phasebot/stop/blog")


# ---- when git does not play along


def test_a_stop_that_can_not_be_pushed_is_told(github: World) -> None:
    github.server.refuse = lambda asked: Refusal(status=403, text="Permission denied") if asked.writes else None

    ending = github.say("/stop")

    assert (ending.status, ending.exit_code) == ("failed", 1)
    (answer,) = github.said()
    assert "**Phasebot could not complete this command.**" in answer
    assert "'permissions: contents: write'" in answer
    assert answer.endswith("To try again, comment:\n\n```\n/stop\n```")


def test_a_run_that_can_not_look_for_a_stop_goes_on(github: World) -> None:
    def refuse(asked: Asked) -> Refusal | None:
        return Refusal(status=500) if b"refs/phasebot/stop" in asked.body else None

    github.server.refuse = refuse

    assert github.say("/generate").status == "complete"


def test_a_request_that_can_not_be_removed_stops_no_later_run(github: World) -> None:
    def refuse(asked: Asked) -> Refusal | None:
        return Refusal(reason="protected") if asked.carries and b"refs/phasebot/stop" in asked.body else None

    def stop() -> None:
        github.say("/stop")
        github.server.refuse = refuse

    with scripted({"entity/Note": meanwhile(github, stop)}):
        assert github.say("/generate").status == "incomplete"

    assert stop_ref(github)
    assert github.say("/generate").status == "complete"
