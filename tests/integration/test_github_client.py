"""The GitHub client over loopback HTTP, against a fake server that checks requests against GitHub's published API."""

import contextlib
import json
import logging
import math
import socket
import time
import traceback
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace

import pytest

from bot.errors import ForgeError, ForgeGoneError, ForgeRefusedError, UsageError
from bot.forge.client import ForgeClient, PullRequest
from bot.forge.github_client import GitHubClient
from bot.forge.github_transport import RequestPacing
from tests.github_server import (
    LOGIN,
    REPOSITORY,
    TOKEN,
    Asked,
    FakeGitHub,
    Issue,
    Reply,
    Script,
    at,
    contract,
    refusal,
)

QUICK = RequestPacing(
    backoff=0.0001, limit_wait=0.0002, longest_wait=30, between_requests=0, between_writes=0, timeout=5
)
MARKER = "<!-- phasebot:issue-12 -->"
HEAD = "phasebot/issue-12"
TALKING = "POST /issues/12/comments"
LISTING = "GET /issues/12/comments"
OPENING = "POST /pulls"
LOST = Reply(reset=True, acts=True)
"""The request takes effect, but the reply is lost."""
NEVER = Reply(reset=True)
PAGE = Reply(status=502, body=b"<html><body><h1>Unicorn!</h1></body></html>", headers={"Content-Type": "text/html"})
FORBIDDEN = "Resource not accessible by integration"
SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
PRIMARY = "API rate limit exceeded for installation ID 1."


@contextmanager
def serving(
    script: Script | None = None, *, prefix: str = "", pacing: RequestPacing = QUICK, login: str = LOGIN
) -> Iterator[tuple[FakeGitHub, GitHubClient]]:
    with FakeGitHub(script, prefix=prefix) as fake:
        yield fake, GitHubClient(TOKEN, repository=REPOSITORY, api_url=fake.url, login=login, pacing=pacing)


def failing(
    act: Callable[[GitHubClient], object],
    script: Script | None = None,
    *,
    pacing: RequestPacing = QUICK,
    **state: object,
) -> ForgeError:
    """Check that *act* fails, with an error that has all properties every error must have."""
    with serving(script, pacing=pacing) as (fake, hub):
        for name, value in state.items():
            assert hasattr(fake, name)
            setattr(fake, name, value)
        with pytest.raises(ForgeError) as caught:
            act(hub)
    message = str(caught.value)
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None
    assert TOKEN not in "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert message.isprintable()
    assert len(message) < 500
    assert ": GitHub " in message
    assert "; " in message
    return caught.value


def opened(hub: GitHubClient, *, draft: bool = True, head: str = HEAD, body: str = "What it is.") -> PullRequest:
    return hub.open_pull(head=head, base="main", title="Blog API", body=body, draft=draft)


def draft_pull(number: int = 1001) -> PullRequest:
    return PullRequest(number, "https://github.example", f"PR_{number}", HEAD, True, False, True, False)


ACTS: dict[str, Callable[[GitHubClient], object]] = {
    "may_write": lambda hub: hub.may_write("alice"),
    "own_login": lambda hub: hub.own_login(),
    "react": lambda hub: hub.react(1001, "eyes"),
    "react in review": lambda hub: hub.react(1001, "eyes", in_review=True),
    "take_back_reaction": lambda hub: hub.take_back_reaction(1001, "eyes"),
    "take_back_reaction in review": lambda hub: hub.take_back_reaction(1001, "eyes", in_review=True),
    "find_comment": lambda hub: hub.find_comment(12, MARKER),
    "comment": lambda hub: hub.comment(12, MARKER),
    "edit_comment": lambda hub: hub.edit_comment(1001, "new"),
    "reply": lambda hub: hub.reply(1001, 1001, "Done."),
    "review_thread": lambda hub: hub.review_thread(1001, 1001),
    "issue": lambda hub: hub.issue(12),
    "pull": lambda hub: hub.pull(1001),
    "find_pull": lambda hub: hub.find_pull(HEAD),
    "open_pull": opened,
    "edit_pull": lambda hub: hub.edit_pull(draft_pull(), title="new"),
    "mark_ready": lambda hub: hub.mark_ready(draft_pull()),
    "set_status": lambda hub: hub.set_status(
        "1" * 40, "phasebot/verified", "success", "75 tests passed", "https://a/b"
    ),
    "dispatch": lambda hub: hub.dispatch("phasebot.yml", "main", {"issue": "12"}),
}
CREATING = ("react", "react in review", "comment", "reply", "open_pull", "mark_ready", "set_status", "dispatch")
TAKING_BACK = {"take_back_reaction", "take_back_reaction in review"}
every = pytest.mark.parametrize("name", ACTS)


def outcome(hub: GitHubClient, name: str) -> ForgeError | None:
    try:
        ACTS[name](hub)
    except ForgeError as exc:
        return exc
    return None


def test_every_method_of_the_client_is_tested() -> None:
    hub: ForgeClient = GitHubClient(TOKEN, repository=REPOSITORY, api_url="https://api.github.com")
    assert {name for name in dir(hub) if not name.startswith("_")} == {name.partition(" ")[0] for name in ACTS}


def test_creating_the_client_sends_nothing() -> None:
    with serving() as (fake, hub):
        assert TOKEN not in repr(hub)
        assert not fake.requests


@pytest.mark.parametrize(
    ("token", "repository", "url"),
    [
        ("", REPOSITORY, "https://api.github.com"),
        (TOKEN + "\n", REPOSITORY, "https://api.github.com"),
        (TOKEN, "blog", "https://api.github.com"),
        (TOKEN, "", "https://api.github.com"),
        (TOKEN, REPOSITORY, ""),
        (TOKEN, REPOSITORY, "ftp://api.github.com"),
        (TOKEN, REPOSITORY, f"https://{TOKEN}@api.github.com"),
        (TOKEN, REPOSITORY, "https://api.github.com?x"),
    ],
)
def test_impossible_settings(token: str, repository: str, url: str) -> None:
    with pytest.raises(UsageError, match=r"^GITHUB_TOKEN, ") as caught:
        GitHubClient(token, repository=repository, api_url=url)
    assert TOKEN not in str(caught.value)


# Permissions


@pytest.mark.parametrize(
    ("permission", "role", "may"),
    [
        ("admin", "admin", True),
        ("write", "maintain", True),
        ("maintain", "maintain", True),
        ("write", "write", True),
        ("write", "Security champion", True),
        ("read", "triage", False),
        ("read", "read", False),
        ("read", "write-docs", False),
        ("read", "maintain", False),
        ("none", "", False),
        ("", "", False),
        ("Admin", "admin", False),
    ],
)
def test_permissions(permission: str, role: str, *, may: bool) -> None:
    with serving() as (fake, hub):
        fake.permissions["alice"] = (permission, role)
        assert hub.may_write("alice") is may
        assert fake.lines == ["GET /collaborators/alice/permission"]


@pytest.mark.parametrize("login", ["stranger", "Copilot", "jürgen", "a/b", "dependabot[bot]", "%2e", "..?x#y"])
def test_a_stranger_is_refused_however_strange(login: str) -> None:
    with serving() as (fake, hub):
        assert not hub.may_write(login)
        assert len(fake.requests) == 1


def test_a_login_of_letters_beyond_ascii() -> None:
    with serving() as (fake, hub):
        fake.permissions["jürgen"] = ("write", "write")
        assert hub.may_write("jürgen")
        assert fake.lines == ["GET /collaborators/j%C3%BCrgen/permission"]


@pytest.mark.parametrize("status", [400, 401, 403, 409, 410, 418, 422, 429, 451, 500, 502, 503, 504])
def test_an_error_never_permits(status: int) -> None:
    failing(ACTS["may_write"], at("GET .*", refusal(status, "no"), ever=True))


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"{}", b'"write"', b'{"permission": ["write"]}', b"{", b"<html>", b"\xff\xfe\x00"]
)
def test_an_odd_answer_never_permits(body: bytes) -> None:
    with serving(at("GET .*", Reply(status=200, body=body), ever=True)) as (_, hub):
        error = outcome(hub, "may_write")
        assert error is None or "GitHub said 200 with an answer that can't be read" in str(error)
        assert error or not hub.may_write("alice")


# Comments and reactions


def test_a_comment_is_written_found_and_edited() -> None:
    with serving() as (fake, hub):
        number = hub.comment(12, f"{MARKER}\nworking ☃")
        assert hub.find_comment(12, MARKER) == number
        hub.edit_comment(number, f"{MARKER}\ndone")
        assert [(each.id, each.login, each.body) for each in fake.comments] == [(number, LOGIN, f"{MARKER}\ndone")]
        assert fake.lines == [TALKING, LISTING, f"PATCH /issues/comments/{number}"]


def test_a_comment_that_may_have_been_written_before_is_edited_if_it_differs() -> None:
    with serving() as (fake, hub):
        fake.add_comment(f"{MARKER}\nof somebody", login="mallory")
        number = hub.comment(12, f"{MARKER}\nworking", again=True)
        assert fake.lines == [LISTING, TALKING]
        assert hub.comment(12, f"{MARKER}\nworking", again=True) == number
        assert fake.lines[2:] == [LISTING]
        assert hub.comment(12, f"{MARKER}\ndone", again=True) == number
        assert fake.lines[3:] == [LISTING, f"PATCH /issues/comments/{number}"]
        assert [each.body for each in fake.comments] == [f"{MARKER}\nof somebody", f"{MARKER}\ndone"]


def test_a_comment_on_a_pull_request() -> None:
    with serving() as (fake, hub):
        pull = fake.add_pull()
        assert hub.comment(pull.number, "Done.") == fake.comments[0].id


def test_our_comment_on_the_third_page_among_those_of_others() -> None:
    with serving() as (fake, hub):
        for _ in range(230):
            fake.add_comment(MARKER, login="mallory")
        fake.add_comment(MARKER, login=None)
        fake.add_comment(MARKER, issue=13)
        fake.add_comment(f"Look: {MARKER}")
        ours = fake.add_comment(f"{MARKER}\r\nworking")
        for _ in range(80):
            fake.add_comment(f"{MARKER} too")
        assert hub.find_comment(12, MARKER) == ours.id
        assert [asked.query["page"] for asked in fake.requests[1:]] == ["2", "3"]
        assert {asked.query["per_page"] for asked in fake.requests} == {"100"}


@pytest.mark.parametrize("login", ["mallory", "github-actions", "github-actions[bot]x", "phasebot[bot]", None])
def test_other_peoples_comments_are_not_ours(login: str | None) -> None:
    with serving() as (fake, hub):
        fake.add_comment(MARKER, login=login)
        assert hub.find_comment(12, MARKER) is None


def test_our_login_can_be_another_one() -> None:
    with serving(login="Phasebot[bot]") as (fake, hub):
        fake.add_comment(MARKER)
        ours = fake.add_comment(MARKER, login="phasebot[bot]")
        assert hub.find_comment(12, MARKER) == ours.id


def test_the_marker_of_a_longer_name_is_another() -> None:
    with serving() as (fake, hub):
        fake.add_comment("<!-- phasebot:issue-123 -->")
        assert hub.find_comment(12, MARKER) is None


def test_an_empty_issue_has_no_comment_of_ours() -> None:
    with serving() as (_, hub):
        assert hub.find_comment(12, MARKER) is None


def test_reactions_are_added_once_and_removed() -> None:
    with serving() as (fake, hub):
        comment = fake.add_comment("/generate", login="alice").id
        hub.react(comment, "eyes")
        hub.react(comment, "eyes")
        hub.react(comment, "+1")
        theirs = fake.reactions[0]._replace(id=7, login="mallory")
        fake.reactions.insert(0, theirs)
        hub.take_back_reaction(comment, "eyes")
        hub.take_back_reaction(comment, "eyes")
        assert [(each.login, each.content) for each in fake.reactions] == [("mallory", "eyes"), (LOGIN, "+1")]


def test_a_reaction_that_is_already_removed() -> None:
    with serving(at("DELETE .*", refusal(404, "Not Found"))) as (fake, hub):
        comment = fake.add_comment("/generate", login="alice").id
        hub.react(comment, "eyes")
        hub.take_back_reaction(comment, "eyes")


def test_a_reply_to_a_deletion_is_lost() -> None:
    with serving(at("DELETE .*", LOST)) as (fake, hub):
        comment = fake.add_comment("/generate", login="alice").id
        hub.react(comment, "eyes")
        hub.take_back_reaction(comment, "eyes")
        assert not fake.reactions


@pytest.mark.parametrize(
    "act",
    [
        lambda hub: hub.comment(12, "x" * 60_001),
        lambda hub: hub.reply(1001, 1001, "x" * 60_001),
        lambda hub: opened(hub, body="x" * 60_001),
    ],
)
def test_a_text_that_is_too_long_is_not_sent(act: Callable[[GitHubClient], object]) -> None:
    with serving() as (fake, hub):
        with pytest.raises(ForgeError, match=r"60,001 characters, the limit is 60,000; shorten it"):
            act(hub)
        assert not fake.requests


def test_github_finds_a_text_too_long() -> None:
    script = at(TALKING, refusal(422, "Body is too long (maximum is 65536 characters)"))
    assert "GitHub said 422 Body is too long (maximum is 65536 characters)" in str(failing(ACTS["comment"], script))


def test_a_locked_conversation() -> None:
    error = failing(ACTS["comment"], issues={12: Issue(locked=True)})
    assert isinstance(error, ForgeRefusedError)
    assert str(error) == (
        "commenting on #12: GitHub said 403 Unable to create comment because issue is locked.; "
        "unlock the conversation and try again"
    )


# Pull requests


def test_a_pull_request_from_draft_to_ready() -> None:
    with serving() as (fake, hub):
        pull = opened(hub)
        number = pull.number
        url = f"https://github.example/acme/blog/pull/{number}"
        assert pull == PullRequest(number, url, f"PR_{number}", HEAD, True, False, True, False)
        assert hub.pull(number) == hub.find_pull(HEAD) == pull
        hub.edit_pull(pull, title="New")
        hub.edit_pull(pull, body="Text")
        hub.mark_ready(pull)
        assert (fake.pulls[0].title, fake.pulls[0].body) == ("New", "Text")
        assert hub.pull(number) == replace(pull, is_draft=False)
        assert [asked.body for asked in fake.requests if asked.method == "PATCH"] == [
            {"title": "New"},
            {"body": "Text"},
        ]
        one = f"GET /pulls/{number}"
        patch = f"PATCH /pulls/{number}"
        assert fake.lines == [OPENING, one, "GET /pulls", patch, patch, "POST /graphql", one]


def test_a_pull_request_that_is_no_draft_is_left_alone() -> None:
    with serving() as (fake, hub):
        hub.mark_ready(replace(draft_pull(), is_draft=False))
        assert not fake.requests


def test_the_open_pull_request_comes_before_newer_closed_ones() -> None:
    with serving() as (fake, hub):
        fake.add_pull(state="closed")
        ours = fake.add_pull()
        fake.add_pull(state="closed", merged=True)
        fake.add_pull(head="phasebot/issue-13")
        fake.add_pull(repository="mallory/blog")
        found = hub.find_pull(HEAD)
        assert found
        assert (found.number, found.is_open, found.is_merged) == (ours.number, True, False)


def test_the_newest_of_closed_pull_requests() -> None:
    with serving() as (fake, hub):
        fake.add_pull(state="closed", merged=True)
        newest = fake.add_pull(state="closed", merged=True)
        found = hub.find_pull(HEAD)
        assert found
        assert (found.number, found.is_open, found.is_merged) == (newest.number, False, True)


def test_no_pull_request() -> None:
    with serving() as (fake, hub):
        fake.add_pull(repository="mallory/blog")
        fake.add_pull(repository="acme/blog-fork")  # of the same owner, which GitHub's filter lets through
        fake.add_pull(repository=None)
        assert hub.find_pull(HEAD) is None


@pytest.mark.parametrize(
    ("repository", "fork"), [(REPOSITORY, False), ("mallory/blog", True), ("acme/blog-2", True), (None, True)]
)
def test_forks_and_deleted_forks(repository: str | None, *, fork: bool) -> None:
    with serving() as (fake, hub):
        pull = fake.add_pull(repository=repository)
        assert hub.pull(pull.number).is_fork is fork


def test_opening_twice_returns_the_first() -> None:
    with serving() as (fake, hub):
        assert opened(hub) == opened(hub)
        assert len(fake.pulls) == 1


def test_opening_after_the_last_was_merged() -> None:
    with serving() as (fake, hub):
        fake.add_pull(state="closed", merged=True)
        assert opened(hub).is_open
        assert len(fake.pulls) == 2


def test_nothing_to_open() -> None:
    error = failing(lambda hub: opened(hub, head="phasebot/none"))
    assert not isinstance(error, ForgeRefusedError)
    assert "GitHub said 422 Validation Failed: No commits between main and phasebot/none; fix this" in str(error)


def test_actions_may_not_open_pull_requests() -> None:
    error = failing(opened, may_open_pulls=False)
    assert isinstance(error, ForgeRefusedError)
    assert str(error) == (
        "opening a pull request from phasebot/issue-12 to main: GitHub said 403 GitHub Actions is not permitted to "
        "create or approve pull requests.; allow it under Settings > Actions > General, or open it by hand"
    )


def test_actions_may_not_open_pull_requests_said_with_422() -> None:
    said = "GitHub Actions is not permitted to create or approve pull requests."
    error = failing(opened, at(OPENING, refusal(422, said)))
    assert isinstance(error, ForgeRefusedError)
    assert "Settings > Actions" in str(error)


def test_a_repository_without_drafts() -> None:
    with serving() as (fake, hub):
        fake.has_drafts = False
        assert not opened(hub).is_draft
        assert [asked.body["draft"] for asked in fake.requests] == [True, False]


def test_a_pull_request_that_exists_and_is_not_found() -> None:
    said = "A pull request already exists for acme:phasebot/issue-12."
    assert said in str(failing(opened, at(OPENING, refusal(422, said))))


# Statuses and workflows


def test_a_commit_gets_a_status_without_secrets() -> None:
    with serving() as (fake, hub):
        hub.set_status("1" * 40, "phasebot/verified", "failure", f"it says {TOKEN}", "https://github.com/acme/blog")
        status: dict[str, str] = dict(*fake.statuses)
        assert TOKEN not in status.pop("description")
        address = {"target_url": "https://github.com/acme/blog", "context": "phasebot/verified"}
        assert status == {"sha": "1" * 40, "state": "failure", **address}


def test_a_workflow_is_started() -> None:
    with serving() as (fake, hub):
        hub.dispatch("phasebot.yml", "main", {"issue": "12", "command": "/generate"})
        started = {"workflow": "phasebot.yml", "ref": "main", "inputs": {"issue": "12", "command": "/generate"}}
        assert fake.dispatches == [started]


def test_a_workflow_that_is_not_there() -> None:
    error = failing(lambda hub: hub.dispatch("none.yml", "main", {}))
    assert isinstance(error, ForgeGoneError)
    assert "starting none.yml on main: GitHub said 404 Not Found; check that it exists" in str(error)


# GitHub Enterprise Server


@pytest.mark.parametrize("slash", ["", "/"])
def test_an_enterprise_server_has_another_api_url(slash: str) -> None:
    with FakeGitHub(prefix="/api/v3") as fake:
        hub = GitHubClient(TOKEN, repository=REPOSITORY, api_url=fake.url + slash, pacing=QUICK)
        for _ in range(101):
            fake.add_comment("hello", login="mallory")
        hub.comment(12, MARKER)
        assert hub.find_comment(12, MARKER)
        hub.mark_ready(opened(hub))
        assert hub.may_write("alice")
        assert not fake.pulls[0].draft
        assert "/api/graphql" in [asked.path for asked in fake.requests]


# Refusals


@every
def test_a_bad_token(name: str) -> None:
    bad = at(".*", refusal(401, "Bad credentials"), ever=True)
    error = failing(ACTS[name], bad)
    assert "GitHub said 401 Bad credentials; the token is wrong or has expired; check github-token" in str(error)
    assert not isinstance(error, ForgeRefusedError)


def test_the_server_knows_the_token() -> None:
    with FakeGitHub() as fake:
        hub = GitHubClient("ghs_other", repository=REPOSITORY, api_url=fake.url, pacing=QUICK)
        with pytest.raises(ForgeError, match=r"GitHub said 401 Bad credentials"):
            hub.may_write("alice")


@pytest.mark.parametrize(
    ("name", "missing", "needs"),
    [
        ("react", {"issues", "pull_requests"}, "`issues: write` or `pull-requests: write`"),
        ("react in review", {"pull_requests"}, "`pull-requests: write`"),
        ("reply", {"pull_requests"}, "`pull-requests: write`"),
        ("comment", {"issues", "pull_requests"}, "`issues: write` or `pull-requests: write`"),
        ("edit_comment", {"issues", "pull_requests"}, "`issues: write` or `pull-requests: write`"),
        ("open_pull", {"pull_requests"}, "`pull-requests: write`"),
        ("edit_pull", {"pull_requests"}, "`pull-requests: write`"),
        ("mark_ready", {"contents"}, "`contents: write` and `pull-requests: write`"),
        ("set_status", {"statuses"}, "`statuses: write`"),
        ("dispatch", {"actions"}, "`actions: write`"),
    ],
)
def test_a_permission_is_missing(name: str, missing: set[str], needs: str) -> None:
    with FakeGitHub() as fake:
        fake.add_pull(number=1001)
        fake.granted -= missing
        hub = GitHubClient(TOKEN, repository=REPOSITORY, api_url=fake.url, pacing=QUICK)
        with pytest.raises(ForgeRefusedError) as caught:
            ACTS[name](hub)
    advice = f"; the token needs {needs} (in a workflow, set it under `permissions:`)"
    assert str(caught.value).endswith(f"GitHub said 403 {FORBIDDEN}{advice}")
    assert caught.value.__context__ is None


@every
def test_a_permission_that_github_names(name: str) -> None:
    error = failing(
        ACTS[name], at(".*", refusal(403, FORBIDDEN, X_Accepted_GitHub_Permissions="contents=read"), ever=True)
    )
    assert isinstance(error, ForgeRefusedError)
    assert "the token needs `contents: read` (in" in str(error)


@every
@pytest.mark.parametrize(("status", "said"), [(404, "Not Found"), (410, "This issue was deleted")])
def test_something_that_is_not_there(name: str, status: int, said: str) -> None:
    gone = at(".*", refusal(status, said), ever=True)
    if name in TAKING_BACK or (name == "may_write" and status == 404):
        with serving(gone) as (_, hub):
            assert not ACTS[name](hub)
    else:
        error = failing(ACTS[name], gone)
        assert isinstance(error, ForgeGoneError)
        assert f"GitHub said {status} {said}; check that it exists" in str(error)


def test_a_node_that_is_not_there() -> None:
    error = failing(ACTS["mark_ready"])
    assert isinstance(error, ForgeGoneError)
    assert "GitHub said 404 Could not resolve to a node" in str(error)


# GitHub fails


@every
def test_one_server_error_per_request_is_retried(name: str) -> None:
    """Every request fails once before it takes effect."""
    seen: set[str] = set()

    def script(asked: Asked) -> Reply | None:
        line = f"{asked.line} {asked.body}"
        return PAGE if line not in seen and not seen.add(line) else None  # type: ignore[func-returns-value]

    with serving(script) as (fake, hub):
        fake.add_comment("/generate", login="alice")
        fake.add_pull(number=1001, draft=True, state="closed" if name == "open_pull" else "open")
        fake.add_review_comment("/generate", pull=1001, login="alice")
        ACTS[name](hub)
        assert len(fake.comments) == (2 if name == "comment" else 1)
        assert len(fake.review_comments) == (2 if name == "reply" else 1)
        assert len(fake.pulls) == (2 if name == "open_pull" else 1)
        assert len(fake.requests) > 1


@every
def test_a_server_that_keeps_failing(name: str) -> None:
    with FakeGitHub(at(".*", PAGE, ever=True)) as fake:
        hub = GitHubClient(TOKEN, repository=REPOSITORY, api_url=fake.url, pacing=QUICK)
        with pytest.raises(ForgeError, match=r"GitHub said 502 Bad Gateway; check .* or try again later$"):
            ACTS[name](hub)
        assert len(fake.requests) <= 7


@every
def test_a_server_that_does_not_answer(name: str) -> None:
    error = failing(ACTS[name], at(".*", NEVER, ever=True))
    assert "GitHub did not answer (ConnectionError); check GITHUB_API_URL and the network" in str(error)


@every
def test_no_server_is_listening(name: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    hub = GitHubClient(TOKEN, repository=REPOSITORY, api_url=url, pacing=QUICK)
    with pytest.raises(ForgeError, match=r"GitHub did not answer \(ConnectionError\)") as caught:
        ACTS[name](hub)
    assert caught.value.__context__ is None


@every
def test_an_answer_that_cannot_be_read(name: str) -> None:
    """It raises no error but ForgeError."""
    harmless = {
        "may_write",
        "react",
        "react in review",
        "find_comment",
        "edit_comment",
        "edit_pull",
        "set_status",
        "dispatch",
    }
    with serving() as (fake, hub):
        for body in (
            b'{"message": ',
            b"[1, 2]",
            b'"no"',
            b'{"id": "7", "number": "8", "permission": 9}',
            b'[{"id": null, "user": [], "content": 8}]',
            b"<html>a proxy's page</html>",
            b"\xff\xfe",
            b"[" * 5000,
        ):
            fake.script = at(".*", Reply(status=200, body=body), ever=True)
            error = outcome(hub, name)
            assert error or name in harmless | TAKING_BACK, body
            assert error is None or "GitHub said 200 with an answer that can't be read" in str(error), body
            assert error is None or error.__context__ is None


@every
@pytest.mark.parametrize("status", [403, 404, 422, 500])
def test_a_refusal_that_cannot_be_read(name: str, status: int) -> None:
    errors = b'{"message": 7, "errors": [null, [], {}]}', b'{"message": {"a": 1}, "errors": "no"}'
    with serving() as (fake, hub):
        for body in (b"", b"[]", b'"no"', b"{", *errors):
            fake.script = at(".*", Reply(status=status, body=body), ever=True)
            error = outcome(hub, name)
            assert error or (status == 404 and name in {"may_write", *TAKING_BACK}), body
            assert error is None or error.__context__ is None


@pytest.mark.parametrize("name", ["find_comment", "edit_comment", "may_write", "pull"])
def test_a_request_with_a_truncated_answer_is_retried(name: str) -> None:
    with serving(at(".*", Reply(cut=20))) as (fake, hub):
        fake.add_pull(number=1001)
        comment = fake.add_comment(MARKER)
        comment.id = 1001
        assert ACTS[name](hub) in (True, 1001, None, hub.pull(1001))
        assert len([line for line in fake.lines if line == fake.lines[0]]) >= 2


def test_a_redirection_is_not_taken_for_an_answer() -> None:
    moved = Reply(status=307, body=b'{"message": "Moved", "url": "https://api.github.com/x"}')
    assert "can't be read" in str(failing(ACTS["comment"], at(TALKING, moved, ever=True)))


def test_a_redirection_elsewhere_does_not_get_the_token() -> None:
    with FakeGitHub() as elsewhere:
        for status in (301, 302, 307, 308):
            moved = Reply(status=status, headers={"Location": f"{elsewhere.url}/x"})
            failing(ACTS["pull"], at("GET .*", moved, ever=True))

    assert elsewhere.requests == []


def test_an_answer_after_the_timeout() -> None:
    slow = at(TALKING, Reply(wait=1.3))
    with serving(slow, pacing=replace(QUICK, timeout=1, sleep=lambda _: time.sleep(0.4))) as (fake, hub):
        assert hub.comment(12, MARKER) == fake.comments[0].id
        assert len(fake.comments) == 1
        assert fake.lines == [TALKING, LISTING]


# Lost replies to requests that create something


@pytest.mark.parametrize("reply", [LOST, replace(PAGE, acts=True), Reply(cut=10), Reply(cut=0)])
@pytest.mark.parametrize("body", [f"{MARKER}\nworking", "Nothing to do.", "  Two lines\nof it  \n"])
def test_one_comment_however_the_reply_is_lost(reply: Reply, body: str) -> None:
    with serving(at(TALKING, reply)) as (fake, hub):
        fake.add_comment(body, login="mallory")
        number = hub.comment(12, body)
        assert [each.id for each in fake.comments if each.login == LOGIN] == [number]
        assert fake.lines == [TALKING, LISTING]


def test_of_equal_comments_the_newest_is_ours() -> None:
    with serving(at(TALKING, LOST)) as (fake, hub):
        fake.add_comment("Nothing to do.")
        assert hub.comment(12, "Nothing to do.") == fake.comments[1].id


def test_a_comment_is_identified_by_its_marker() -> None:
    with serving(at(TALKING, NEVER)) as (fake, hub):
        other_job = fake.add_comment(f"{MARKER}\ndone")
        assert hub.comment(12, f"{MARKER}\nworking") == other_job.id
        assert len(fake.comments) == 1


@pytest.mark.parametrize("reply", [LOST, replace(PAGE, acts=True), Reply(cut=10)])
def test_one_pull_request_however_the_reply_is_lost(reply: Reply) -> None:
    with serving(at(OPENING, reply)) as (fake, hub):
        fake.add_pull(repository="mallory/blog")
        assert opened(hub).number == fake.pulls[1].number
        assert len(fake.pulls) == 2
        assert fake.lines == [OPENING, "GET /pulls"]


def test_a_comment_that_did_not_get_through_is_written_again() -> None:
    with serving(at(TALKING, NEVER, PAGE, NEVER)) as (fake, hub):
        fake.add_comment(f"{MARKER}\nan older one of somebody", login="mallory")
        assert hub.comment(12, MARKER) == fake.comments[1].id
        assert fake.lines == [TALKING, LISTING] * 3 + [TALKING]


def test_four_attempts_at_most() -> None:
    with serving(at("POST .*", NEVER, ever=True)) as (fake, hub):
        with pytest.raises(ForgeError):
            hub.comment(12, MARKER)
        assert fake.lines.count(TALKING) == 4


@pytest.mark.parametrize("name", ["react", "react in review", "mark_ready", "set_status", "dispatch"])
def test_a_repeatable_request_is_repeated(name: str) -> None:
    with serving(at("POST .*", LOST)) as (fake, hub):
        fake.add_comment("/generate", login="alice")
        fake.add_pull(number=1001, draft=True)
        fake.add_review_comment("/generate", pull=1001, login="alice")
        ACTS[name](hub)
        assert len(fake.reactions) == name.startswith("react")
        assert fake.pulls[0].draft is (name != "mark_ready")
        assert len(fake.dispatches) == 2 * (name == "dispatch")
        assert fake.lines[-1].startswith("GET /pulls/" if name == "mark_ready" else "POST ")


# Rate limits


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Record the sleep times instead of sleeping."""
    slept: list[float] = []
    monkeypatch.setattr("urllib3.util.retry.time", SimpleNamespace(sleep=slept.append, time=time.time))
    return slept


@pytest.mark.parametrize("status", [403, 429])
@pytest.mark.parametrize(
    "name", ["may_write", "find_comment", "edit_comment", "review_thread", "issue", "pull", "edit_pull"]
)
def test_a_rate_limit_with_retry_after(name: str, status: int, naps: list[float]) -> None:
    with serving(at(".*", refusal(status, SECONDARY, Retry_After="7"))) as (fake, hub):
        fake.add_pull(number=1001)
        fake.add_comment(MARKER).id = 1001
        ACTS[name](hub)
        assert naps == [7]


@pytest.mark.parametrize("name", CREATING)
@pytest.mark.parametrize(("headers", "waits"), [({"Retry_After": "7"}, [7.0]), ({}, [11.0])])
def test_a_rate_limit_on_creating_requests(name: str, headers: dict[str, str], waits: list[float]) -> None:
    naps: list[float] = []
    patient = replace(QUICK, limit_wait=11, sleep=naps.append)
    with serving(at("POST .*", refusal(403, SECONDARY, **headers)), pacing=patient) as (fake, hub):
        fake.add_comment("/generate", login="alice")
        fake.add_pull(number=1001, draft=True, state="closed")
        fake.add_review_comment("/generate", pull=1001, login="alice")
        ACTS[name](hub)
        assert naps == waits


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
@pytest.mark.parametrize("name", ["issue", "pull", "edit_pull"])
def test_temporary_errors_are_retried(name: str, status: int) -> None:
    with serving(at(".*", refusal(status, "no"), refusal(status, "no"))) as (fake, hub):
        fake.add_pull(number=1001)
        ACTS[name](hub)
        assert len(fake.requests) == 3


def test_a_rate_limit_without_retry_after(naps: list[float]) -> None:
    with serving(
        at("PATCH .*", refusal(403, SECONDARY), refusal(403, SECONDARY)), pacing=replace(QUICK, limit_wait=9)
    ) as (
        fake,
        hub,
    ):
        hub.edit_comment(fake.add_comment(MARKER).id, "done")
        assert naps == [9, 9]


@every
@pytest.mark.parametrize("status", [403, 429, 503])
def test_a_retry_after_that_is_too_long(name: str, status: int, naps: list[float]) -> None:
    error = failing(ACTS[name], at(".*", refusal(status, SECONDARY, Retry_After="3600"), ever=True))
    assert not isinstance(error, ForgeRefusedError)
    assert not naps
    assert "try again" in str(error)


@pytest.mark.parametrize("headers", [{}, {"Retry_After": "1"}])
@every
def test_a_rate_limit_that_does_not_end(name: str, headers: dict[str, str], naps: list[float]) -> None:
    limit = at(".*", refusal(403, SECONDARY, **headers), ever=True)
    error = failing(ACTS[name], limit, pacing=replace(QUICK, limit_wait=9, sleep=naps.append))
    assert not isinstance(error, ForgeRefusedError)
    assert str(error).endswith("wait a while and try again")
    assert 3 <= len(naps) <= 6  # ours, and those of PyGithub


@every
def test_the_hourly_limit_is_used_up(name: str, naps: list[float]) -> None:
    spent = refusal(403, PRIMARY, X_RateLimit_Remaining="0", X_RateLimit_Reset=f"{time.time() + 1800:.0f}")
    error = failing(ACTS[name], at(".*", spent, ever=True))
    assert not isinstance(error, ForgeRefusedError)
    assert not naps
    assert f"GitHub said 403 {PRIMARY}; wait a while and try again" in str(error)


def test_the_hourly_limit_is_reset_soon(naps: list[float]) -> None:
    reset = math.floor(time.time()) + 10
    spent = refusal(403, PRIMARY, X_RateLimit_Remaining="0", X_RateLimit_Reset=str(reset))
    with serving(at("GET .*", spent)) as (_, hub):
        assert hub.may_write("alice")
        assert len(naps) == 1
        assert 5 < naps[0] <= 11


# Messages and the log


def test_what_github_says_is_one_printable_line_without_the_token() -> None:
    said = f"no\n::error::{TOKEN}\x1b[31m\u202e{'x' * 900}"
    error = failing(ACTS["pull"], at("GET .*", refusal(422, said)))
    assert "GitHub said 422 no ::error::***\\x1b[31m\\u202exxx" in str(error)
    assert len(str(error)) < 300


def test_nothing_that_is_posted_holds_a_key() -> None:
    key = "AIza" + "Zq7Rk2mVx9Tb4Lw8Hs3Nd6Jf1Gc5Py0Ua81"
    text = f"{TOKEN} {key[:9]}\u200b{key[9:]}"
    with FakeGitHub() as fake:
        hub = GitHubClient(TOKEN, repository=REPOSITORY, api_url=fake.url, pacing=QUICK, secrets=[key])
        hub.edit_comment(hub.comment(12, f"1 {text}"), f"2 {text}")
        pull = hub.open_pull(head=HEAD, base="main", title=f"3 {text}", body=f"4 {text}", draft=True)
        hub.edit_pull(pull, title=f"5 {text}", body=f"6 {text}")
        posted = [asked.body for asked in fake.requests if asked.method in ("POST", "PATCH")]

    assert [value for body in posted for name, value in body.items() if name in ("title", "body")] == [
        f"{number} *** ***" for number in range(1, 7)
    ]


def test_a_login_cannot_write_the_message() -> None:
    error = failing(lambda hub: hub.may_write("a\n::error::x" + "y" * 900), at(".*", refusal(401, "no"), ever=True))
    assert str(error).startswith("checking the permissions of a ::error::xyyy")


def test_validation_errors_are_in_the_message() -> None:
    rows = [{"resource": "Issue", "code": "missing_field"}, "Body is bad"]
    body = json.dumps({"message": "Validation Failed", "errors": rows}).encode()
    error = failing(ACTS["edit_comment"], at("PATCH .*", Reply(status=422, body=body)))
    assert "GitHub said 422 Validation Failed: missing_field: Body is bad; fix this and try again" in str(error)


def test_the_log_does_not_hold_the_token(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with serving(at(".*", PAGE)) as (_, hub):
        for name in ACTS:
            outcome(hub, name)
    assert "POST" in caplog.text
    assert TOKEN not in caplog.text


def test_writes_are_spaced() -> None:
    with serving(pacing=replace(QUICK, between_writes=0.15)) as (fake, hub):
        hub.comment(12, "one")
        hub.comment(12, "two")
        assert fake.requests[1].time - fake.requests[0].time >= 0.15


# The fake server itself


@pytest.mark.parametrize(
    ("method", "path", "body", "wrong"),
    [
        ("GET", "/nothing", None, "nothing that GitHub knows"),
        ("DELETE", "/issues/12/comments", None, "nothing that GitHub knows"),
        ("GET", "/pulls?stat=open", None, "unknown parameter stat"),
        ("GET", "/pulls?state=merged", None, "'merged' is not one of"),
        ("GET", "/issues/12/comments?per_page=many", None, "'many' is not of type 'integer'"),
        ("POST", "/issues/12/comments", {"body": "x", "text": "y"}, "unknown field text"),
        ("POST", "/pulls/7/comments/8/replies", {}, "'body' is a required property"),
        ("POST", "/pulls/comments/8/reactions", {"content": "wow"}, "'wow' is not one of"),
        ("GET", "/pulls/comments/8", None, "nothing that GitHub knows"),
        ("POST", "/pulls", {"head": HEAD, "base": "main", "draft": "yes"}, "'yes' is not of type 'boolean'"),
        ("POST", "/actions/workflows/phasebot.yml/dispatches", {"inputs": {}}, "'ref' is a required property"),
        ("GET", "/pulls", {"state": "open"}, "a body"),
    ],
)
def test_the_fake_server_rejects_invalid_requests(method: str, path: str, body: object, wrong: str) -> None:
    def ask() -> None:
        with FakeGitHub() as fake:
            data = None if body is None else json.dumps(body).encode()
            headers = {"Authorization": f"token {TOKEN}", "Content-Type": "application/json"}
            url = f"{fake.url}/repos/{REPOSITORY}{path}"
            with contextlib.suppress(OSError):
                urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method)).close()

    with pytest.raises(AssertionError, match=wrong):
        ask()


def test_the_fake_server_rejects_invalid_answers() -> None:
    operation = contract().operation("GET", f"/repos/{REPOSITORY}/collaborators/alice/permission")
    assert operation
    good = contract().filled("repository-collaborator-permission", {"permission": "write", "user": None})
    assert not contract().of_answer(operation, 200, good)
    assert contract().of_answer(operation, 200, {**good, "permission": None})
    assert contract().of_answer(operation, 200, {key: good[key] for key in good if key != "role_name"})
    assert contract().of_answer(operation, 201, good)
