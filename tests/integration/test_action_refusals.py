"""Comments that are refused or ignored: an answer where one is due, and nothing written to git."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import Mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from bot.action.handler import CommandHandler
from bot.action.inputs import GivenInputs
from bot.action.result import CommandResult
from bot.cli.progress import PlainAnnouncer
from bot.engine import factory
from bot.forge.comment_command import USAGE
from bot.forge.github_client import GitHubClient
from bot.forge.webhook_event import CommandEvent, Ignored, read_event
from bot.settings import ActionsSettings
from tests.action_world import CLOCK, ISSUE, World, build_inputs, small_world
from tests.github_server import Json, Reply, at, refusal
from tests.repositories import git

PERMISSION = "GET /collaborators/.+/permission"


@pytest.fixture
def github(tmp_path: Path) -> Iterator[World]:
    with small_world(tmp_path) as found:
        yield found


def refused(github: World, payload: dict[str, Json], *, number: int = ISSUE, folder: Path | None = None) -> str:
    """Have a command refused, with one answer and nothing written to git; return the answer, unescaped."""
    ending = github.ended(payload, folder=folder or github.root / "nowhere")

    assert (ending.status, ending.exit_code, dict(ending.outputs)) == ("refused", 2, {"status": "refused"})
    assert not any(asked.writes for asked in github.server.requests)
    assert git(github.origin, "for-each-ref", "--format=%(refname)") == "refs/heads/main"
    assert [each.content for each in github.github.reactions] in (["confused"], [])
    answer = github.said(number)[-1]
    return answer.partition("\n")[2].replace("\\", "")


def ignored(github: World, payload: dict[str, Json]) -> str:
    """Have an event ignored, without a single request; return the reason."""
    asked = len(github.github.requests)
    answer = github.answer(payload, folder=github.root / "nowhere")
    assert isinstance(answer, Ignored)
    assert len(github.github.requests) == asked
    assert github.server.requests == []
    return answer.reason


# ---- people


@pytest.mark.parametrize(
    ("permission", "role"), [("read", "read"), ("read", "triage"), ("none", "none"), ("read", "write")]
)
def test_who_has_no_write_access_is_told_so_and_nothing_is_done(github: World, permission: str, role: str) -> None:
    github.github.permissions["bob"] = (permission, role)

    answer = refused(github, github.comment("/generate", author="bob"))

    assert answer == ("Not run: bob has no write access to this repository; ask somebody with write access to comment")
    assert github.picture().endswith(f"\n#12 bob: /generate  :confused:\n#12 bot: {answer}\n")


@pytest.mark.parametrize("text", ["/status", "/stop", "/help", "/plan", "/rollback core", "/genrate", "/generate --x"])
def test_every_command_of_a_reader_is_refused_alike(github: World, text: str) -> None:
    assert "bob has no write access" in refused(github, github.comment(text, author="bob"))


def test_a_user_whom_github_does_not_know_is_refused(github: World) -> None:
    assert "Copilot has no write access" in refused(github, github.comment("/generate", author="Copilot"))


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (refusal(404, "Not Found"), "alice has no write access"),
        (refusal(500, "Server Error"), "repository failed: checking the permissions of alice: GitHub said 500"),
        (refusal(403, "Resource not accessible by integration"), "the token needs `metadata: read`"),
        (refusal(401, "Bad credentials"), "check github-token"),
        (Reply(reset=True), "repository failed: checking the permissions of alice: GitHub did not answer"),
        (Reply(status=200, body=b"<html>Unicorn!</html>"), "with an answer that can't be read"),
        (Reply(status=200, body=b"{}"), "alice has"),
        (Reply(status=200, body=b"[]"), "alice has"),
        (Reply(status=200, body=b'{"permission": null}'), "alice has"),
        (Reply(status=200, body=b'{"permission": ["admin"]}'), "alice has"),
        (Reply(status=200, body=b'{"permission": "WRITE"}'), "alice has no write access"),
        (Reply(status=200, body=b'{"permission": "read", "role_name": "admin"}'), "alice has no write access"),
    ],
    ids=lambda value: str(value)[:30] if isinstance(value, str) else "",
)
def test_when_nobody_can_tell_what_somebody_may_it_is_refused(github: World, reply: Reply, told: str) -> None:
    github.github.script = at(PERMISSION, reply, ever=True)

    answer = refused(github, github.comment("/generate"))

    assert told.replace("`", "") in answer.replace("`", "")
    assert github.github.lines.count("POST /issues/12/comments") == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"comment__user__type": "Bot"},
        {"comment__user": {"login": "renovate[bot]", "type": "Bot"}, "sender__login": "renovate[bot]"},
        {"comment__user": None},
        {"comment__user__login": "mallory"},
        {"sender__login": "mallory"},
        {"sender": None},
        {"comment__performed_via_github_app": {"slug": "writer"}},
        {"action": "edited"},
        {"action": "deleted"},
        {"action": None},
    ],
    ids=str,
)
def test_what_no_person_newly_wrote_is_ignored(github: World, fields: dict[str, Json]) -> None:
    ignored(github, github.comment("/generate", **fields))


def comes_from_us(github: World) -> list[str]:
    """Return all that we say of a run and of a refusal."""
    github.say("/generate")
    github.say("/help")
    github.ended(github.comment("/generate", author="bob"), folder=github.root / "nowhere")
    return github.said()


def test_nothing_that_we_say_ourselves_is_a_command(github: World) -> None:
    for text in comes_from_us(github):
        answer = github.answer(github.comment(text), folder=github.root / "nowhere")
        assert answer == Ignored("the comment is one of our own")


# ---- what is a command


@pytest.mark.parametrize(
    "text",
    [
        "",
        "thanks!",
        "> /generate",
        "```\n/generate\n```",
        "please\n/generate",
        " /generate",
        "\n/generate",
        "\t/generate",
        "\ufeff/generate",
        "/",
        "/generated yesterday",
        "/etc/passwd",
        "//generate",
        "x" * 65_536,
        "/" * 65_536,
        "/x" * 30_000,
        "<!-- phasebot:issue-12 -->\n/generate",
    ],
    ids=lambda text: repr(text[:20]),
)
def test_what_is_no_command_gets_no_answer_and_costs_no_request(github: World, text: str) -> None:
    begun = time.process_time()
    ignored(github, github.comment(text))
    assert time.process_time() - begun < 1


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (
            "/genrate",
            "/generate [--max-tokens N] [--provider P] [-- instruction]. Did you mean:\n\n```\n/generate\n```",
        ),
        ("/Generate\r\n", "Did you mean:\n\n```\n/generate\n```"),
        ("/stats", "Did you mean:\n\n```\n/status\n```"),
        ("/generate --jobs 3", "Not run: /generate has no option '--jobs'; write /generate"),
        ("/generate --max-tokens many", "--max-tokens takes a whole number such as 50000, not 'many'"),
        ("/generate --max-tokens 0", "--max-tokens takes a whole number"),
        ("/generate --provider gpt", "--provider takes template or gemini, not 'gpt'"),
        ("/generate a shop", "Did you mean:\n\n```\n/generate -- a shop\n```"),
        ("/status -- now", "/status does not take an instruction"),
        ("/regenerate", "/regenerate needs a phase"),
        ("/rollback to a b", "/rollback to takes one phase"),
    ],
)
def test_what_was_meant_as_a_command_is_answered_with_what_to_write(github: World, text: str, answer: str) -> None:
    told = refused(github, github.comment(text))

    assert answer in told
    assert told.startswith("Not run: ")


def test_a_command_ends_with_its_line_whatever_ends_the_line(github: World) -> None:
    assert github.say("/status\r\nplease").status == "answered"
    assert github.say("/generate\r\n" + "x " * 32_000).status == "complete"


# ---- whatever they write


def answered(heard: CommandEvent, forge: Mock) -> CommandResult:
    """Answer a command with a forge that is asked and nothing else there."""
    settings = ActionsSettings(
        repository="acme/blog",
        api_url="http://127.0.0.1:1",
        server_url="http://127.0.0.1:1",
        workspace=Path("nowhere"),
        run_id="900",
        attempt=1,
        token=SecretStr("ghs_test0123456789"),
        workflow=("phasebot.yml", "refs/heads/main"),
    )
    return CommandHandler(
        settings=settings,
        given=GivenInputs(None, lambda _: build_inputs()),
        forge=forge,
        announcer=PlainAnnouncer(print),
        print_line=print,
        timer=time.monotonic,
        now=lambda: CLOCK,
    ).handle(heard)


COMMANDS = st.sampled_from([f"/{verb}" for verb in USAGE] + ["/genrate", "/Stop", "", "x"])
TEXTS = st.builds(lambda command, rest: f"{command}{rest}", COMMANDS, st.text(max_size=30) | st.just(" core"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    text=TEXTS, login=st.sampled_from(["bob", "github-actions", "ALICE"]), number=st.integers(1, 20), on=st.booleans()
)
def test_a_comment_by_somebody_without_write_access_never_reaches_git(
    github: World, monkeypatch: pytest.MonkeyPatch, text: str, login: str, number: int, *, on: bool
) -> None:
    monkeypatch.setattr(factory, "open_clone", Mock(side_effect=AssertionError("opened a repository")))
    forge = Mock(spec=GitHubClient)
    forge.may_write.side_effect = lambda login: login == "alice"
    payload = github.comment(text, author=login)
    payload["issue"]["number"] = number
    if on:
        payload["issue"]["pull_request"] = {}

    heard = read_event("issue_comment", json.dumps(payload).encode())

    if isinstance(heard, CommandEvent):
        assert answered(heard, forge).status == "refused"
        assert {call[0] for call in forge.method_calls} == {"may_write", "comment", "take_back_reaction", "react"}
        assert forge.react.call_args.args[1] == "confused"


def test_a_workspace_of_another_user_is_the_jobs_own(github: World, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = [github.checkout() for _ in range(2)]
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")  # as in a container

    assert github.say("/generate", folder=folders[0]).status == "complete"
    assert github.say("/status", folder=folders[1]).status == "answered"


def test_a_git_that_refuses_the_workspace_all_the_same_is_told_the_step_that_helps(
    github: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, shim = github.checkout(), github.root / "bin" / "git"
    shim.parent.mkdir()
    shim.write_text("#!/bin/sh\necho \"fatal: unsafe repository ('$PWD' is owned by someone else)\" >&2\nexit 128\n")
    shim.chmod(0o755)
    path = os.environ["PATH"]
    payload = github.comment("/generate")
    monkeypatch.setenv("PATH", f"{shim.parent}:{path}")
    ending = github.ended(payload, folder=folder)
    monkeypatch.setenv("PATH", path)

    assert ending.status == "refused"
    assert ending.message == (
        f"opening {folder}: the folder belongs to another user, so git refuses to read it; put the step "
        "'run: git config --global --add safe.directory \"$GITHUB_WORKSPACE\"' before this one"
    )
    assert "/generate" not in github.said()[-1], "saying it again does not help"
