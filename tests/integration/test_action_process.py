"""The action's command as action.yml starts it: environment, signals and exit codes."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.errors import UsageError
from bot.settings import read_actions_settings
from tests.action_world import ISSUE, World, small_world, world
from tests.gemini_server import KEY, Asked, Author, FakeGemini, Reply
from tests.git_http_server import basic
from tests.github_server import TOKEN
from tests.repositories import NOTE, SMALL, git

INPUTS = (
    *("PROVIDER", "MODEL", "FALLBACK_MODELS", "RECIPE", "OUTPUT_DIR", "BASE_BRANCH", "JOBS", "MAX_TOKENS"),
    *("DEADLINE_MINUTES", "DRAFT", "ASSESS"),
)
EMPTY = {f"PHASEBOT_ACTION_{name}": "" for name in INPUTS}
"""What action.yml says of inputs that nobody gave."""
SMALLEST = EMPTY | {"PHASEBOT_ACTION_RECIPE": str(SMALL)}
AUTHOR = Author(NOTE)
PATIENCE = 60.0


@pytest.fixture
def github(tmp_path: Path) -> Iterator[World]:
    with small_world(tmp_path) as found:
        yield found


def ended(job: subprocess.Popen[str], code: int) -> str:
    """Wait for the end of a job and return what it printed."""
    log, _ = job.communicate(timeout=PATIENCE)
    assert job.returncode == code, log
    return log


def until(holds: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.02)


# ---- from the beginning to the end


def test_a_job_answers_a_comment_with_a_run_its_outputs_and_a_summary(github: World) -> None:
    log = ended(github.start(github.comment("/generate"), environ=SMALLEST, hurry=True), 0)

    assert github.picture().split("\n\n")[1:] == [
        "#PR1 open ready: Generate Blog API (phasebot/issue-12, main)",
        """\
#12 alice: /generate  :rocket:
#12 bot: **Phasebot finished `@alice`'s request**
#12 bot: **Done:** 5 of 5 phases, 9 files. Review pull request #PR1 commit by commit.
""",
    ]
    head = git(github.origin, "rev-parse", "phasebot/issue-12")
    assert github.outputs() == {
        "status": "complete",
        "pull-request-number": str(github.pull().number),
        "pull-request-url": f"https://github.example/acme/blog/pull/{github.pull().number}",
        "run": "issue-12",
        "branch": "phasebot/issue-12",
        "head": head,
        "phases-done": "5",
        "phases-total": "5",
        "files": "9",
        "tokens": "0",
    }
    summary = (github.root / "job-1-summary.md").read_text()
    assert summary.startswith("**Phasebot finished `@alice`'s request")
    assert log.splitlines()[0] == "phasebot/issue-12: 5 phases"
    assert re.fullmatch(r"\[5/5\] main  1/1 file  committed [0-9a-f]{7}  pushed", log.splitlines()[-1])


def test_an_incomplete_run_exits_with_3_and_a_refused_command_with_2(github: World) -> None:
    github.github.issues[ISSUE].state = "closed"
    assert "is closed; reopen it" in ended(github.start(github.comment("/generate"), environ=SMALLEST, hurry=True), 2)
    assert github.outputs() == {"status": "refused"}

    github.github.issues[ISSUE].state = "open"
    asked = github.comment("/generate")
    github.say("/stop")
    assert "stopped as alice asked" in ended(github.start(asked, environ=SMALLEST, hurry=True), 3)
    assert github.outputs()["status"] == "incomplete"


def test_an_event_that_asks_for_nothing_costs_next_to_nothing(github: World) -> None:
    folder = github.root / "nowhere"
    folder.mkdir()
    environment = github.environment(folder, github.comment("thanks!"))
    command = [sys.executable, "-X", "importtime", "-m", "bot", "action"]

    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time")}
    assert "bot.forge.webhook_event" in imported
    assert imported.isdisjoint({"github", "git", "pydantic", "asyncio", "requests", "jinja2", "yaml", "subprocess"})
    assert "nothing to do: the text is not a command" in done.stderr
    assert Path(environment["GITHUB_OUTPUT"]).read_text().split("\n")[1] == "ignored"
    assert not Path(environment["GITHUB_STEP_SUMMARY"]).exists()
    assert github.github.requests == []


def test_a_recipe_may_lie_in_the_repository(github: World) -> None:
    laptop = github.clone()
    shutil.copytree(SMALL, laptop / "recipes" / "notes")
    git(laptop, "add", "--all")
    git(laptop, "commit", "--quiet", "-m", "Add a recipe")
    git(laptop, "push", "--quiet", "origin", "HEAD")
    environment = EMPTY | {"PHASEBOT_ACTION_RECIPE": "recipes/notes"}

    ended(github.start(github.comment("/generate"), environ=environment, hurry=True), 0)

    assert github.outputs()["files"] == "9"


# ---- what the environment lacks


@pytest.mark.parametrize("name", ["GITHUB_REPOSITORY", "GITHUB_API_URL", "GITHUB_SERVER_URL", "GITHUB_WORKSPACE"])
def test_what_the_runner_does_not_say_is_named(github: World, name: str) -> None:
    environment = github.environment(_empty(github), github.comment("/generate"))

    for lacking in (environment | {name: " "}, {each: environment[each] for each in environment if each != name}):
        with pytest.raises(UsageError) as caught:
            read_actions_settings(lacking)
        assert str(caught.value) == (
            f"running as an action: {name} is not set; run this in GitHub Actions, through action.yml"
        )


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("GITHUB_TOKEN", "running as an action: GITHUB_TOKEN is not set; set the action's input github-token"),
        ("GITHUB_EVENT_PATH", "reading the event at GITHUB_EVENT_PATH (not set): "),
    ],
)
def test_what_the_environment_lacks_is_told_in_a_sentence(github: World, name: str, told: str) -> None:
    log = ended(github.start(github.comment("/generate"), environ={name: ""}, folder=_empty(github)), 2)

    assert log.startswith(f"phasebot: {told}")
    assert log.count("\n") == 1
    assert github.github.requests == []


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("PHASEBOT_ACTION_JOBS", "many", "'many' is not a valid integer range"),
        ("PHASEBOT_ACTION_PROVIDER", "gpt", "'gpt' is not one of"),
        ("PHASEBOT_ACTION_DRAFT", "perhaps", "'perhaps' is not a valid boolean"),
    ],
)
def test_inputs_that_can_not_be_are_told_before_anything_is_done(
    github: World, name: str, value: str, told: str
) -> None:
    log = ended(github.start(github.comment("/generate"), environ=EMPTY | {name: value}, folder=_empty(github)), 2)

    assert told in log
    assert github.github.requests == []


def _empty(github: World) -> Path:
    folder = github.root / "empty"
    folder.mkdir()
    return folder


# ---- a job that is ended


def stuck(phase: str) -> Callable[[Asked], Reply]:
    """Answer as the perfect model, but take an hour for one phase."""

    def script(asked: Asked) -> Reply:
        reply = AUTHOR(asked)
        return Reply(body=reply.body, wait=3600 if AUTHOR.phase(asked) == phase else 0)

    return script


@pytest.fixture
def in_the_middle(tmp_path: Path) -> Iterator[tuple[World, subprocess.Popen[str]]]:
    """Start a run whose last phase takes an hour, and wait until the others are out."""
    with world(tmp_path, NOTE) as github, FakeGemini(stuck("main")) as fake:
        job = github.start(github.comment("/generate"), environ=EMPTY | fake.environment, hurry=True)
        until(lambda: len(github.commits()) == 4 and github.said())
        yield github, job
        job.kill()
        job.wait()


def test_a_cancelled_job_says_what_is_kept(in_the_middle: tuple[World, subprocess.Popen[str]]) -> None:
    github, job = in_the_middle

    job.send_signal(signal.SIGTERM)
    log = ended(job, 130)

    assert "stopped as asked; what was finished is committed" in log
    assert len(github.commits()) == 4
    assert "**Phasebot stopped working on `@alice`'s request" in github.said()[0]
    assert "4 of 6 phases done" in github.said()[0]
    assert github.said()[-1].split("\n")[1].startswith("**Stopped")
    assert github.outputs()["status"] == "incomplete"
    assert github.reactions()[-1] == "confused"


def test_a_killed_job_is_finished_by_the_next_step_and_gone_on_with_by_the_next_comment(
    in_the_middle: tuple[World, subprocess.Popen[str]],
) -> None:
    github, job = in_the_middle
    asked = {"id": github.github.comments[0].id}
    job.kill()
    job.communicate()
    assert "**Phasebot is working on" in github.said()[0]

    payload = github.comment("/generate")
    payload["comment"] |= asked
    github.github.comments.pop()
    log = ended(github.start(payload, "--finish", environ=EMPTY, hurry=True), 1)

    assert "::error" in log or "The job was cancelled" in log
    assert "**Phasebot stopped working on `@alice`'s request" in github.said()[0]
    assert "The job was cancelled, timed out or crashed; its log says more" in github.said()[0]
    assert "4 of 6 phases done" in github.said()[0]
    assert github.outputs()["status"] == "failed"
    assert github.reactions() == ["confused"]
    assert github.say("/generate").status == "complete"
    assert sum(each.body.startswith("<!-- phasebot:issue-12 -->") for each in github.github.comments) == 1


# ---- two jobs at once


def test_two_jobs_at_once_make_every_phase_once(github: World) -> None:
    first, second = (github.start(github.comment("/generate"), environ=SMALLEST, hurry=True) for _ in range(2))

    ended(first, 0)
    ended(second, 0)

    assert sorted(row.partition("  ")[0] for row in github.commits()) == [
        "Generate core [2/5]",
        "Generate entity Note [3/5]",
        "Generate main application [5/5]",
        "Generate plan [1/5]",
        "Generate support files [4/5]",
    ]
    assert not github.pull().draft
    progress = [each.body for each in github.github.comments if each.body.startswith("<!-- phasebot:issue-12 -->")]
    assert all("**Phasebot finished" in each for each in progress), "each job may have made one"


# ---- secrets


def test_a_job_as_it_is_started_shows_no_secret_anywhere(tmp_path: Path) -> None:
    secrets = (TOKEN, basic(TOKEN), KEY)
    shim, seen = tmp_path / "bin" / "git", tmp_path / "seen"
    shim.parent.mkdir()
    seen.mkdir()
    shim.write_text(f'#!/bin/sh\n(echo "$*"; env) >{seen}/$$\nexec {shutil.which("git")} "$@"\n')
    shim.chmod(0o755)
    environment = EMPTY | {"PATH": f"{shim.parent}:{os.environ['PATH']}", "GITHUB_ACTIONS": "true"}

    with world(tmp_path, NOTE) as github, FakeGemini(AUTHOR) as fake:
        log = ended(github.start(github.comment("/generate"), environ=environment | fake.environment), 0)
        repository = git(github.origin, "log", "-p", "--all")
        assert github.outputs()["status"] == "complete"

    masks = [line for line in log.splitlines() if line.startswith("::add-mask::")]
    assert {line.removeprefix("::add-mask::") for line in masks} >= set(secrets)
    told = [each.body for each in github.github.comments] + [github.pull().body or "", repository]
    told += [(tmp_path / f"job-1-{name}").read_text() for name in ("output", "summary.md")]
    told += ["\n".join(line for line in log.splitlines() if line not in masks)]
    told += [(tmp_path / "job-1" / ".git" / "config").read_text()]
    for text in told:
        assert not [secret for secret in secrets if secret in text]
    calls = [each.read_text() for each in seen.iterdir()]
    assert len(calls) > 20
    for call in calls:
        asked, _, environ = call.partition("\n")
        assert KEY not in call
        assert TOKEN not in call
        assert basic(TOKEN) not in environ or re.search(r" (fetch|push|ls-remote) ", asked), asked
