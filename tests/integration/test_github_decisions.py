"""Answers of GitHub that a decision rests on: who may write, who wrote, what is a fork.  Only plain ones count."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.errors import ForgeError
from bot.forge.github_client import GitHubClient
from bot.forge.github_transport import RequestPacing
from tests.github_server import REPOSITORY, TOKEN, FakeGitHub, Reply, at, contract

HOSTILE = Path(__file__).parent.parent / "data" / "hostile" / "api"
PERMISSIONS = json.loads((HOSTILE / "permission.json").read_text())
QUICK = RequestPacing(backoff=0.0001, limit_wait=0.0002, between_requests=0, between_writes=0, timeout=5)


def client(fake: FakeGitHub) -> GitHubClient:
    return GitHubClient(TOKEN, repository=REPOSITORY, api_url=fake.url, pacing=QUICK)


@pytest.mark.parametrize("answer", PERMISSIONS, ids=lambda answer: answer["why"])
def test_only_a_plain_answer_about_that_very_login_permits(answer: Mapping[str, Any]) -> None:
    reply = Reply(status=answer["status"], headers=answer["headers"], body=json.dumps(answer["body"]).encode())
    with FakeGitHub(at("GET /collaborators/alice/permission", reply, ever=True)) as fake:
        fake.permissions["mallory"] = ("admin", "admin")  # where the redirects lead to
        try:
            assert not client(fake).may_write("alice")
        except ForgeError as exc:
            assert str(exc).startswith("checking the permissions of alice: GitHub ")  # noqa: PT017
            assert "check GITHUB_API_URL and the network" in str(exc) or answer["status"] == 301  # noqa: PT017
        assert "mallory" not in str(fake.lines)


def test_a_login_is_the_same_in_capitals() -> None:
    alice = {"permission": "write", "user": {"login": "Alice"}}
    body = json.dumps(contract().filled("repository-collaborator-permission", alice)).encode()
    with FakeGitHub(at("GET .*", Reply(status=200, body=body))) as fake:
        assert client(fake).may_write("alice")


@pytest.mark.parametrize("status", [203, 301, 302])
@pytest.mark.parametrize("name", ["find_comment", "review_thread", "pull", "find_pull", "own_login"])
def test_nothing_else_is_decided_by_an_answer_from_elsewhere(name: str, status: int) -> None:
    """The author of the progress comment, the authors of a thread, whether a branch is in a fork, who we are."""
    arguments = {"find_comment": (12, "<!--"), "review_thread": (7, 1001), "pull": (7,), "find_pull": ("phasebot/x",)}
    moved = Reply(status=status, headers={"Location": "/repositories/7"}, body=b"[]")
    with FakeGitHub(at(".*", moved, ever=True)) as fake:
        with pytest.raises(ForgeError, match=f"GitHub said {status} .*, which can't be read as an answer; check"):
            getattr(client(fake), name)(*arguments.get(name, ()))
        assert len(set(fake.lines)) == 1


def test_a_pull_request_of_another_number_is_no_answer() -> None:
    with FakeGitHub() as fake:
        fake.add_pull(number=8)
        known = contract().filled("pull-request", {"number": 8, "node_id": "PR_8", "draft": False, "state": "open"})
        fake.script = at("GET /pulls/7", Reply(status=200, body=json.dumps(known).encode()), ever=True)
        with pytest.raises(ForgeError, match="can't be read"):
            client(fake).pull(7)


def test_our_own_login_is_the_tokens() -> None:
    with FakeGitHub() as fake:
        fake.login = "Acme-Phasebot[bot]"
        assert client(fake).own_login() == "acme-phasebot[bot]"
