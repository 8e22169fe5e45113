"""Commands without a comment: the *Run workflow* form, and a run that continues after its deadline."""

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.forge.webhook_event import Ignored
from bot.generation.provider import GenerationRequest, GenerationResult
from bot.generation.templates import TemplateProvider
from tests.action_world import EVENTS, ISSUE, World, scripted, small_world
from tests.github_server import Json
from tests.repositories import commit, git

BOT = "github-actions[bot]"
DISPATCHES = json.loads((EVENTS.parent / "hostile" / "events" / "dispatches.json").read_text())
MARKER = "<!-- phasebot:issue-12 -->\n"


@pytest.fixture
def github(tmp_path: Path) -> Iterator[World]:
    with small_world(tmp_path) as found:
        found.github.permissions["bob"] = ("read", "read")
        found.github.permissions["carol"] = ("admin", "admin")
        yield found


# ---- started by hand


def test_a_writer_starts_a_run_by_the_form_and_no_comment_gets_a_reaction(github: World) -> None:
    ending = github.ended(github.dispatch("/generate"))

    assert (ending.status, ending.exit_code) == ("complete", 0)
    assert (
        github.picture()
        == """
Generate plan [1/5]  github-actions[bot] for alice
Generate core [2/5]  github-actions[bot] for alice
Generate entity Note [3/5]  github-actions[bot] for alice
Generate support files [4/5]  github-actions[bot] for alice
Generate main application [5/5]  github-actions[bot] for alice

#PR1 open ready: Generate Blog API (phasebot/issue-12, main)

#12 bot: **Phasebot finished `@alice`'s request**
#12 bot: **Done:** 5 of 5 phases, 9 files. Review pull request #PR1 commit by commit.
"""
    )
    assert "Phasebot-Comment" not in git(github.origin, "log", "--format=%B", "phasebot/issue-12")


def test_on_a_pull_request_the_form_goes_on_with_its_run(github: World) -> None:
    github.say("/plan")

    ending = github.ended(github.dispatch("/generate", number=github.pull().number))

    assert (ending.status, ending.outputs["run"]) == ("complete", "issue-12")
    assert "#PR1 bot: **Done:** 5 of 5 phases" in github.picture()


def test_questions_of_the_form_are_answered_on_the_issue(github: World) -> None:
    assert github.ended(github.dispatch("/status")).status == "answered"
    assert github.said()[-1].split("\n")[1] == "**Nothing is planned yet**"


@pytest.mark.parametrize("told", DISPATCHES, ids=lambda told: f"{told['actor']} for {told['login']}")
def test_nobody_acts_in_anothers_name(github: World, told: dict[str, str]) -> None:
    payload = github.dispatch("/help", actor=told["actor"], login=told["login"])

    ending = github.ended(payload, folder=None if not told["refused"] else github.root / "nowhere")

    assert (ending.status, ending.exit_code) == (("refused", 2) if told["refused"] else ("answered", 0))
    assert told["refused"] in github.said()[-1].replace("\\", "")
    assert not any(asked.writes for asked in github.server.requests)


def test_a_login_that_is_no_persons_is_told_in_the_log(github: World) -> None:
    found = github.answer(github.dispatch("/generate", actor=BOT, login=BOT), folder=github.root / "nowhere")

    assert isinstance(found, Ignored)
    assert "is not a person's login" in found.reason
    assert github.github.requests == []


@pytest.mark.parametrize("actor", ["Acme-Phasebot[bot]", "phasebot-of-acme"])
def test_whom_the_token_stands_for_asks_on_behalf_of_who_may(github: World, actor: str) -> None:
    github.github.login = actor.lower()
    github.github.permissions[actor] = ("write", "write")
    github.say("/plan")

    ending = github.ended(github.dispatch("/generate", actor=actor, login="carol"))

    assert ending.status == "complete"
    assert github.commits()[-1].endswith("github-actions[bot] for carol")


# ---- where the plan is gone


EVIL = "- Evil: code string\n"


def test_a_job_that_continues_reads_no_issue_anew(github: World) -> None:
    late(github)
    git(github.origin, "update-ref", "refs/heads/phasebot/issue-12", "main")
    github.github.issues[ISSUE].body = EVIL

    ending = github.ended(github.dispatch("/generate", actor=BOT, login="alice"))

    assert (ending.status, ending.exit_code) == ("refused", 2)
    assert ending.message == (
        "continuing phasebot/issue-12: its plan is gone, so the branch was deleted or reset after the last job; #12 "
        "may have been edited since, so it is not read again without a person's command: comment /generate there "
        "to start again"
    )
    assert github.commits() == []
    git(github.origin, "update-ref", "-d", "refs/heads/phasebot/issue-12")
    assert github.ended(github.dispatch("/generate", actor=BOT, login="alice")).status == "refused"
    assert github.said()[-1].partition("\n")[2].startswith("Not run: continuing phasebot/issue-12")
    assert github.ended(github.dispatch("/generate", login="alice")).status == "complete", "a person starts again"


def test_a_job_that_continues_reads_no_issue_anew_where_the_plan_was_removed(github: World) -> None:
    late(github)
    laptop = github.clone()
    git(laptop, "switch", "--quiet", "phasebot/issue-12")
    commit(laptop, "Remove it", {".phasebot/plan.yaml": None})
    git(laptop, "push", "--quiet", "origin", "HEAD")
    github.github.issues[ISSUE].body = EVIL

    ending = github.ended(github.dispatch("/generate", actor=BOT, login="alice"))

    assert ending.status == "refused"
    assert "removed .phasebot/plan.yaml; restore it with" in ending.message


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        ({"issue": "", "command": "/generate"}, "the input 'issue' is ''"),
        ({"issue": "blog", "command": "/generate"}, "the input 'issue' is 'blog'"),
        ({"issue": "-1", "command": "/generate"}, "the input 'issue' is '-1'"),
        (
            {"issue": "12", "command": "generate"},
            "the input 'command' is 'generate'; write a command such as /generate",
        ),
        ({"issue": "12", "command": ""}, "the input 'command' is ''"),
        ({"issue": "12"}, "the input 'command' is ''"),
        ({"issue": "12", "command": "/generate", "login": "a b"}, "the input 'login' is 'a b'"),
        ({"command": "/generate"}, "inputs.issue (of type NoneType) is not a number above 0"),
        (None, "the input 'command' is ''"),
    ],
)
def test_inputs_that_can_not_be_are_told_in_the_log(github: World, inputs: Json, reason: str) -> None:
    payload = github.dispatch("/generate") | {"inputs": inputs}

    found = github.answer(payload, folder=github.root / "nowhere")

    assert isinstance(found, Ignored)
    assert found.reason.startswith(reason)
    assert github.github.requests == []


def test_a_number_that_is_no_issue_fails_with_a_sentence_in_the_log(github: World) -> None:
    ending = github.ended(github.dispatch("/generate", number=77))

    assert (ending.status, ending.exit_code) == ("failed", 1)
    assert ending.message.startswith("reading #77: GitHub said 404 Not Found; check that it exists")
    assert any(line.startswith("::error title=Phasebot%3A failed::reading #77") for line in github.log)


def test_a_closed_issue_is_refused_to_the_form_too(github: World) -> None:
    github.github.issues[ISSUE].state = "closed"

    assert github.ended(github.dispatch("/generate")).status == "refused"


# ---- at the deadline


@dataclass
class Timer:
    """A clock that can be put forward."""

    forward: float = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.forward


def late(github: World, text: str = "/generate") -> str:
    """Run out of time when all phases but the last one are made; return what the progress comment says then."""
    timer = Timer()

    async def takes_an_hour(request: GenerationRequest) -> GenerationResult:
        timer.forward += 3600
        return await TemplateProvider().generate(request)

    with scripted({"entity/Note": takes_an_hour}):
        ending = github.say(text, deadline_minutes=50.0, timer=timer)

    assert (ending.status, ending.exit_code, ending.outputs["phases-done"]) == ("incomplete", 3, "4")
    return github.said()[0]


def test_a_run_that_is_out_of_time_goes_on_by_itself_in_another_job(github: World) -> None:
    told = late(github, "/generate --provider template --max-tokens 50000")

    (dispatch,) = github.github.dispatches
    command = "/generate --max-tokens 50000 --provider template"
    assert dispatch["inputs"] == {"issue": "12", "command": command, "login": "alice"}
    assert (dispatch["workflow"], dispatch["ref"]) == ("phasebot.yml", "refs/heads/main")
    assert "- the time of this job is over; another job continues the run\n" in told
    assert "**Phasebot continues `@alice`'s request in a new job after 1h 0m**" in told
    assert "To continue" not in told

    payload = github.dispatch("") | {"inputs": json.loads(json.dumps(dispatch["inputs"]))}
    payload["sender"]["login"] = BOT
    assert github.ended(payload).status == "complete"
    assert (
        github.picture()
        == """
Generate plan [1/5]  github-actions[bot] for alice
Generate core [2/5]  github-actions[bot] for alice
Generate entity Note [3/5]  github-actions[bot] for alice
Generate support files [4/5]  github-actions[bot] for alice
Generate main application [5/5]  github-actions[bot] for alice

#PR1 open ready: Generate Blog API (phasebot/issue-12, main)

#12 alice: /generate --provider template --max-tokens 50000  :eyes:
#12 bot: **Phasebot finished `@alice`'s request**
#12 bot: **Done:** 5 of 5 phases, 9 files. Review pull request #PR1 commit by commit.
"""
    )


def test_without_actions_write_the_comment_says_how_to_go_on(github: World) -> None:
    github.github.granted -= {"actions"}

    told = late(github)

    assert github.github.dispatches == []
    assert "the run can't continue by itself" in told
    assert "`actions: write`" in told.replace("\\", "")
    assert "Finished work is kept. To continue, comment:\n\n```\n/generate\n```" in told


def test_a_job_that_finished_nothing_starts_no_other(github: World) -> None:
    async def never_ends(request: GenerationRequest) -> GenerationResult:
        await asyncio.sleep(600)
        return await TemplateProvider().generate(request)

    github.say("/plan")

    with scripted({"core": never_ends, "support": never_ends}):
        ending = github.say("/generate", deadline_minutes=0.01, timer=time.monotonic)

    assert (ending.status, ending.exit_code) == ("incomplete", 3)
    assert github.github.dispatches == []
    assert "To continue, comment" in github.said()[0]


def test_a_workflow_that_is_not_told_can_not_be_started(github: World, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, untold = World.environment, {"GITHUB_WORKFLOW_REF": ""}
    monkeypatch.setattr(World, "environment", lambda *given, **more: whole(*given, **more) | untold)

    assert "To continue, comment" in late(github)
    assert github.github.dispatches == []


def test_a_stop_between_two_jobs_reaches_the_one_that_goes_on(github: World) -> None:
    late(github)
    github.say("/stop")

    with scripted() as provider:
        ending = github.ended(github.dispatch("/generate", actor=BOT, login="alice"))

    assert (ending.status, ending.message.partition(";")[0]) == ("incomplete", "stopped as alice asked")
    assert provider.asked == []
    assert len(github.github.dispatches) == 1


@pytest.mark.parametrize("login", ["acme-phasebot[bot]", "phasebot-of-acme"])
def test_with_another_token_than_the_jobs_own_there_is_one_progress_comment_too(github: World, login: str) -> None:
    github.github.login = login

    github.say("/plan")
    github.say("/generate")

    assert [each.login for each in github.github.comments if each.body.startswith(MARKER)] == [login]
    assert len({each.id for each in github.github.comments if each.login == login}) == 3


def test_a_stop_that_an_earlier_run_never_saw_stops_no_run_that_is_started_by_hand_later(github: World) -> None:
    github.say("/generate")
    github.say("/stop")
    git(github.origin, "branch", "--quiet", "-D", "phasebot/issue-12")
    github.pull().state = "closed"

    assert github.ended(github.dispatch("/generate")).status == "complete"
