"""The step that reacts to a comment before Phasebot is installed."""

import json
import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import pytest

from bot.action.first_reaction import react_first
from bot.errors import UsageError
from bot.forge.bare_client import BareClient
from bot.forge.webhook_event import MARKER
from tests.act_jobs import ACTION, ROOT, STEPS, copy_action, hostile_workspace, run_step
from tests.action_world import World, small_world
from tests.github_server import REPOSITORY, TOKEN, FakeGitHub, Reply, Script, at, refusal
from tests.raw_server import HEAD, RawServer

ASK = "GET /collaborators/alice/permission"
PERMISSION = "GET /collaborators/.*"


@pytest.fixture
def github(tmp_path: Path) -> Iterator[World]:
    with small_world(tmp_path) as found:
        yield found


def step(github: World, payload: object, name: str = "react", /, **more: object) -> str:
    """Run a step that reacts, which never fails, and return what it logs."""
    folder = github.root / f"workspace-{len(list(github.root.iterdir()))}"
    folder.mkdir()
    environ = github.environment(folder, payload) | {"GITHUB_ACTION_PATH": ROOT, "GITHUB_ACTIONS": "true"} | more
    done = run_step(name, folder, **environ)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_it_is_the_first_step_and_never_fails_the_job() -> None:
    names = [each["id"] for each in ACTION["runs"]["steps"]]

    assert names == ["windows", "react", "install", "failed", "run", "finish", "page"]
    condition = "github.event_name != 'workflow_dispatch' && inputs.head == ''"
    assert STEPS["react"]["if"] == condition
    assert STEPS["failed"]["if"] == f"always() && steps.install.outcome == 'failure' && {condition}"
    for name in ("react", "failed"):
        assert STEPS[name]["continue-on-error"] is True
        given = {key: value for key, value in STEPS[name]["env"].items() if value}
        assert given == {"GITHUB_TOKEN": "${{ inputs.github-token }}"}


def test_it_asks_for_the_permission_and_then_reacts(github: World) -> None:
    payload = github.comment("/generate")
    number = payload["comment"]["id"]

    assert step(github, payload) == "\u2502 reacted to the command of alice\n"
    assert github.github.lines == [ASK, f"POST /issues/comments/{number}/reactions"]
    assert github.picture().endswith("#12 alice: /generate  :eyes:\n")

    step(github, payload)
    assert github.reactions() == ["eyes"], "a second time changes nothing"


def test_a_failed_installation_is_told_as_well(github: World) -> None:
    payload = github.comment("/generate")
    step(github, payload)
    step(github, payload, "failed")
    step(github, github.comment("/generate", author="mallory"), "failed")

    assert github.reactions() == ["eyes", "confused"]
    assert github.ended(payload).status == "complete", "the job may be run again"


def test_a_comment_on_a_line_gets_its_reaction_there(github: World) -> None:
    payload = github.line_comment("/regenerate", pull=github.github.add_pull().number)

    step(github, payload)

    assert github.github.lines[1:] == [f"POST /pulls/comments/{payload['comment']['id']}/reactions"]
    assert [each.in_review for each in github.github.reactions] == [True]


def test_phasebot_takes_the_early_reaction_back(github: World) -> None:
    payload = github.comment("/generate")
    step(github, payload)

    assert github.ended(payload).status == "complete"
    assert github.reactions() == ["rocket"]


def test_people_without_write_access_get_no_reaction(github: World) -> None:
    for number, permission in enumerate(("read", "triage", "none")):
        login = f"mallory-{number}"
        github.github.permissions[login] = (permission, permission)
        said = step(github, github.comment("/generate", author=login))
        assert said == f"\u2502 no reaction: {login} has no write access to this repository\n"
    assert github.reactions() == []
    assert {line.split()[0] for line in github.github.lines} == {"GET"}


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("I would like a blog. /generate", {}),
        ("/shrug", {}),
        (f"{MARKER}issue-12 -->\n/generate", {}),
        ("/generate", {"action": "edited"}),
        ("/generate", {"action": "deleted"}),
        ("/generate", {"comment__user__type": "Bot"}),
        ("/generate", {"comment__user__login": "helper[bot]"}),
        ("/generate", {"sender__login": "mallory"}),
        ("/generate", {"comment__performed_via_github_app": {"id": 1}}),
        ("/generate", {"comment__id": "1/../../../x"}),
        ("/generate", {"comment__user": None}),
        ("/generate", {"comment__user__login": "../../x", "sender__login": "../../x"}),
        ("/generate", {"comment__user__login": "a\n::error::x##[error]", "sender__login": "a\n::error::x##[error]"}),
    ],
)
def test_what_is_no_command_of_a_person_is_not_even_asked_about(
    github: World, text: str, more: Mapping[str, Any]
) -> None:
    said = step(github, github.comment(text, **more))

    assert said.startswith("\u2502 no reaction: ")
    assert said.count("\n") == 1
    assert "##[" not in said
    assert github.github.requests == []


@pytest.mark.parametrize("payload", [[], None, {"inputs": {"issue": "12", "command": "/generate"}}, "x" * 300_000])
def test_events_of_any_form_do_no_harm(github: World, payload: object) -> None:
    assert "no reaction" in step(github, payload)
    assert github.github.requests == []


@pytest.mark.parametrize("name", ["GITHUB_TOKEN", "GITHUB_API_URL", "GITHUB_REPOSITORY", "GITHUB_EVENT_PATH"])
def test_what_the_runner_does_not_say_is_no_reason_to_fail(github: World, name: str) -> None:
    more: dict[str, object] = {name: ""}
    said = step(github, github.comment("/generate"), **more)

    assert said.startswith("\u2502 no reaction yet: ")
    assert github.github.requests == []


def test_without_a_python_there_is_no_reaction_yet(github: World, tmp_path: Path) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "python3").write_text("#!/bin/sh\nexit 1\n")
    (programs / "python3").chmod(0o755)

    said = step(github, github.comment("/generate"), PATH=programs, RUNNER_TOOL_CACHE="")

    assert said == "no reaction yet: found no Python 3.11 or newer on this runner\n"
    assert github.github.requests == []


def test_nothing_of_the_workspace_runs_in_it(github: World, tmp_path: Path) -> None:
    settings = hostile_workspace(tmp_path / "hostile")
    payload = github.comment("/generate")
    environ = github.environment(tmp_path / "hostile", payload) | settings | {"GITHUB_ACTION_PATH": str(ROOT)}
    before = sorted((ROOT / "bot").rglob("*.pyc"))

    done = run_step("react", tmp_path / "hostile", **environ)

    assert done.stderr == "reacted to the command of alice\n"
    assert not (tmp_path / "hostile" / "noticed").exists()
    assert sorted((ROOT / "bot").rglob("*.pyc")) == before


def test_it_needs_no_package_of_the_runner(github: World, tmp_path: Path) -> None:
    action = copy_action(tmp_path / "action")
    for name in ("json.py", "ssl.py", "urllib/__init__.py"):  # with `uses: ./`, the folder is that of a repository
        (action / name).parent.mkdir(exist_ok=True)
        (action / name).write_text("raise SystemExit('imported from the repository')\n")

    assert "reacted to" in step(github, github.comment("/generate"), GITHUB_ACTION_PATH=action)


@pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")
def test_the_token_is_in_no_argument_no_environment_and_no_line_of_the_log(github: World, tmp_path: Path) -> None:
    shim = tmp_path / "programs" / "python3.14"
    shim.parent.mkdir()
    shim.write_text(
        f"#!/bin/sh\ncat /proc/$$/environ /proc/$PPID/environ /proc/$PPID/cmdline >>{tmp_path}/seen\n"
        f'echo "$*" >>{tmp_path}/seen\nenv >>{tmp_path}/seen\nexec {sys.executable} "$@"\n'
    )
    shim.chmod(0o755)

    said = step(github, github.comment("/generate"), PATH=f"{shim.parent}:{os.environ['PATH']}")

    seen = (tmp_path / "seen").read_text(errors="replace")
    assert "first_reaction" in seen
    assert TOKEN not in seen + said
    assert github.reactions() == ["eyes"]


def test_it_uses_the_proxy_of_the_job(github: World) -> None:
    said = step(
        github, github.comment("/generate"), GITHUB_API_URL="http://api.github.example", http_proxy=github.github.url
    )

    assert "reacted to" in said
    assert github.reactions() == ["eyes"]


def test_a_server_of_ones_own_has_another_address(tmp_path: Path) -> None:
    with small_world(tmp_path) as github, FakeGitHub(prefix="/api/v3") as own:
        payload = github.comment("/generate")
        own.add_comment("/generate", login="alice").id = payload["comment"]["id"]

        assert "reacted to" in step(github, payload, GITHUB_API_URL=own.url)
        assert [each.content for each in own.reactions] == ["eyes"]


def test_a_server_that_takes_its_time_does_not_hold_up_the_job(github: World) -> None:
    github.github.script = at(PERMISSION, Reply(wait=6))

    said = step(github, github.comment("/generate"))

    assert said == "\u2502 no reaction yet: checking the permissions of alice: there was no answer (TimeoutError)\n"
    assert github.reactions() == []


@pytest.mark.slow
@pytest.mark.parametrize("piece", [b"X: y\r\n", b" "])
def test_a_server_that_drips_is_left_after_ten_seconds(github: World, piece: bytes) -> None:
    head = HEAD if piece != b" " else HEAD + b"\r\n"
    with RawServer(lambda: chain([head], repeat(piece)), drip=0.2) as server:
        began = time.monotonic()
        said = step(github, github.comment("/generate"), GITHUB_API_URL=server.url)

    assert said == "\u2502 no reaction yet: it took longer than 10 seconds\n"
    assert time.monotonic() - began < 20


# The client, in this process

ANSWER = {"permission": "write", "role_name": "write", "user": {"login": "alice"}}


def answered(status: int = 200, **fields: object) -> Script:
    return at(PERMISSION, Reply(status=status, body=json.dumps(ANSWER | fields).encode()), ever=True)


@pytest.mark.parametrize(
    "script",
    [
        answered(203),
        answered(202),
        answered(permission="triage"),
        answered(permission=None),
        answered(permission=["write"]),
        answered(user={"login": "mallory"}),
        answered(user={"login": None}),
        answered(user=None),
        at(PERMISSION, refusal(404, "Not Found")),
        at(PERMISSION, refusal(403, "Resource not accessible by integration")),
        at(PERMISSION, refusal(429, "Slow down", Retry_After="1")),
        at(PERMISSION, refusal(500, "Oops")),
        at(PERMISSION, Reply(status=200, body=b"<html>")),
        at(PERMISSION, Reply(status=200, body=b"[" * 150_000)),
        at(PERMISSION, Reply(status=200, body=json.dumps(ANSWER).encode() + b" " * 300_000 + b"x")),
        at(PERMISSION, Reply(status=200, body=json.dumps(ANSWER).encode(), cut=20)),
        at(PERMISSION, Reply(status=204)),
        at(PERMISSION, Reply(reset=True)),
    ],
)
def test_only_a_clear_answer_counts(github: World, script: Script) -> None:
    github.github.script = script
    forge = BareClient(TOKEN, repository=REPOSITORY, api_url=github.github.url)

    said = react_first("issue_comment", json.dumps(github.comment("/generate")).encode(), forge)

    assert said.startswith("no reaction")
    assert len(said) < 200
    assert github.github.lines == [ASK], "it is asked once"
    assert github.reactions() == []


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_the_token_follows_no_redirect(github: World, status: int) -> None:
    with FakeGitHub() as elsewhere:
        there = Reply(status=status, headers={"Location": f"{elsewhere.url}/repos/{REPOSITORY}/x"})
        github.github.script = at(".*", there, ever=True)
        forge = BareClient(TOKEN, repository=REPOSITORY, api_url=github.github.url)

        said = react_first("issue_comment", json.dumps(github.comment("/generate")).encode(), forge)

        assert said == f"no reaction yet: checking the permissions of alice: GitHub answered with status {status}"
        assert elsewhere.requests == []


def test_a_reaction_that_is_refused_is_told(github: World) -> None:
    github.github.granted.clear()
    payload = github.comment("/generate")
    forge = BareClient(TOKEN, repository=REPOSITORY, api_url=github.github.url)

    said = react_first("issue_comment", json.dumps(payload).encode(), forge)

    number = payload["comment"]["id"]
    assert said == f"no reaction yet: reacting to comment {number}: GitHub answered with status 403"


@pytest.mark.parametrize(
    "wrong",
    [
        {"token": ""},
        {"token": "a b"},
        {"token": "a\r\nX: y"},
        {"repository": "acme"},
        {"repository": "acme/blog/../x"},
        {"api_url": "file:///etc/passwd"},
        {"api_url": "https://user:password@api.github.example"},
        {"api_url": "https://api.github.example?x"},
        {"certificates": "/no/such/file"},
    ],
)
def test_settings_that_can_not_be_right_are_refused(wrong: Mapping[str, str]) -> None:
    settings = {"token": TOKEN, "repository": REPOSITORY, "api_url": "https://api.github.example", **wrong}

    with pytest.raises(UsageError, match="correct it") as caught:
        BareClient(settings.pop("token"), **settings)

    assert TOKEN not in str(caught.value)


def test_certificates_may_be_a_file_or_a_folder(tmp_path: Path) -> None:
    import certifi

    (tmp_path / "folder").mkdir()
    shutil.copy(certifi.where(), tmp_path / "folder")
    for place in (certifi.where(), str(tmp_path / "folder"), ""):
        BareClient(TOKEN, repository=REPOSITORY, api_url="https://api.github.example", certificates=place)
