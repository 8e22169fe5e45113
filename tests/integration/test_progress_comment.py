"""A run on a GitHub that misbehaves: it still completes, and people get one comment and one pull request.

The fast set covers the requests that write what people see, and the usual failures; the slow set covers the others.
"""

import asyncio
import itertools
import re
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.action import progress_comment
from bot.action.result import CommandResult
from bot.generation.provider import GenerationRequest, GenerationResult
from bot.generation.templates import TemplateProvider
from tests import git_http_server
from tests.action_world import World, scripted, small_world
from tests.git_http_server import Refusal
from tests.github_server import LOGIN, Asked, Reply, Script, at, refusal
from tests.repositories import commit, git

MARKER = "<!-- phasebot:issue-12 -->\n"
CALLS = {
    "who may": "GET /collaborators/alice/permission",
    "eyes and rocket": "POST /issues/comments/1001/reactions",
    "find the comment": "GET /issues/12/comments",
    "make a comment": "POST /issues/12/comments",
    "edit the comment": r"PATCH /issues/comments/\d+",
    "find the pull request": "GET /pulls",
    "open it": "POST /pulls",
    "edit it": r"PATCH /pulls/\d+",
    "make it ready": "POST /graphql",
    "look for eyes": "GET /issues/comments/1001/reactions",
    "take eyes back": r"DELETE /issues/comments/1001/reactions/\d+",
}
"""Every request of a run."""
FAST_CALLS = ("make a comment", "edit the comment", "open it", "make it ready")
ALL_CALLS = [pytest.param(each, marks=() if each in FAST_CALLS else pytest.mark.slow) for each in CALLS]
SECONDARY = refusal(403, "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.")
LOST = Reply(reset=True, acts=True)
"""The request has its effect, and the answer is lost."""


@pytest.fixture
def github(tmp_path: Path) -> Iterator[World]:
    with small_world(tmp_path) as found:
        yield found


def progress(github: World) -> str:
    """Return our only progress comment."""
    (body,) = (each.body for each in github.github.comments if each.login == LOGIN and each.body.startswith(MARKER))
    return body


Phases = Mapping[str, Callable[[GenerationRequest], Awaitable[GenerationResult]]]


async def slowly(request: GenerationRequest) -> GenerationResult:
    await asyncio.sleep(0.15)
    return await TemplateProvider().generate(request)


def completed(github: World, script: Script | None, phases: Phases | None = None) -> CommandResult:
    """Generate, and look that git is as if nothing had been wrong."""
    github.github.script = script
    with scripted(phases or {"main": slowly}):  # so that there is something to edit
        ending = github.say("/generate")
    assert (ending.status, ending.exit_code) == ("complete", 0)
    assert len(github.commits()) == 5
    return ending


def first_of_each(reply: Reply) -> Script:
    """Misbehave the first time that something is asked for."""
    seen: set[str] = set()

    def script(asked: Asked) -> Reply | None:
        new = asked.line not in seen
        seen.add(asked.line)
        return reply if new else None

    return script


def test_these_are_all_the_requests_of_a_run(github: World) -> None:
    async def once_the_pull_request_is_open(request: GenerationRequest) -> GenerationResult:
        while not github.github.pulls:
            await asyncio.sleep(0.01)
        return await TemplateProvider().generate(request)

    completed(github, None, {"core": slowly, "main": once_the_pull_request_is_open})

    for line in github.github.lines:
        assert any(re.fullmatch(each, line) for each in CALLS.values()), line
    for each in CALLS.values():
        assert any(re.fullmatch(each, line) for line in github.github.lines), each


# ---- what passes


@pytest.mark.parametrize("call", ALL_CALLS)
def test_a_reply_that_is_lost_leaves_one_comment_and_one_pull_request(github: World, call: str) -> None:
    completed(github, at(CALLS[call], LOST))

    assert github.picture().split("\n\n")[1:] == [
        "#PR1 open ready: Generate Blog API (phasebot/issue-12, main)",
        """\
#12 alice: /generate  :rocket:
#12 bot: **Phasebot finished `@alice`'s request**
#12 bot: **Done:** 5 of 5 phases, 9 files. Review pull request #PR1 commit by commit.
""",
    ]


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(Reply(reset=True), id="reset"),
        pytest.param(Reply(status=502, body=b"<html>Unicorn!</html>"), id="502"),
        pytest.param(Reply(status=503), id="503", marks=pytest.mark.slow),
        pytest.param(SECONDARY, id="secondary limit", marks=pytest.mark.slow),
        pytest.param(refusal(429, "Too many requests", retry_after="0"), id="429"),
        pytest.param(Reply(cut=5), id="cut", marks=pytest.mark.slow),
        pytest.param(Reply(status=200, body=b"{}", acts=True), id="odd", marks=pytest.mark.slow),
    ],
)
def test_every_request_may_fail_once(github: World, reply: Reply) -> None:
    completed(github, first_of_each(reply))

    assert "**Phasebot finished" in progress(github)
    assert len(github.github.pulls) == 1


# ---- what stays


@pytest.mark.parametrize(
    "call", [each for each in ALL_CALLS if each.values[0] not in ("who may", "find the pull request")]
)
def test_whatever_github_never_does_the_run_completes_and_a_later_one_tells_it(github: World, call: str) -> None:
    reads = CALLS[call].startswith("GET")
    completed(github, at(CALLS[call], refusal(500, "Server Error") if reads else LOST, ever=True))

    assert len(github.github.pulls) <= 1
    assert sum(each.body.startswith(MARKER) for each in github.github.comments if each.login == LOGIN) <= 1
    github.github.script = None
    if call in ("make a comment", "open it", "make it ready"):
        assert github.say("/generate").status == "complete"
        assert "**Phasebot finished" in progress(github)
        assert not github.pull().draft


@pytest.mark.parametrize("command", ["/generate", "/stop", "/status"])
def test_when_nobody_can_tell_whether_a_pull_request_is_there_the_command_fails_and_may_be_repeated(
    github: World, command: str
) -> None:
    github.github.script = at(CALLS["find the pull request"], refusal(500, "Server Error"), ever=True)

    ending = github.say(command)

    assert (ending.status, ending.exit_code) == ("failed", 1)
    assert git(github.origin, "for-each-ref", "--format=%(refname)") == "refs/heads/main"
    (answer,) = github.said()
    assert "looking for the pull request of phasebot/issue-12: GitHub said 500 Server Error" in answer
    assert answer.endswith(f"To try again, comment:\n\n```\n{command}\n```")


def after_the_first_looks(reply: Reply) -> Script:
    """Misbehave once it is known who may, and which run it is about."""
    seen: list[str] = []

    def script(asked: Asked) -> Reply | None:
        seen.append(asked.line)
        return reply if CALLS["find the pull request"] in seen[:-1] else None

    return script


def test_a_github_that_says_nothing_any_more_fails_no_run(github: World) -> None:
    ending = completed(github, after_the_first_looks(Reply(reset=True)))

    assert (github.said(), github.github.pulls) == ([], [])
    assert "pull-request-number" not in ending.outputs
    assert any("GitHub did not answer" in line for line in github.log)


def test_a_text_that_github_takes_for_too_long_fails_no_run(github: World) -> None:
    completed(github, at("(PATCH|POST) .*(comments|pulls).*", refusal(422, "body is too long"), ever=True))

    assert any("body is too long" in line for line in github.log)


def test_an_exhausted_limit_fails_no_run(github: World) -> None:
    message, reset = "API rate limit exceeded for installation ID 1.", str(int(time.time()) + 3600)
    reply = refusal(403, message, x_ratelimit_remaining="0", x_ratelimit_reset=reset)

    completed(github, after_the_first_looks(reply))

    assert any("wait a while and try again" in line for line in github.log), github.log


# ---- what the token may not


@contextmanager
def without(github: World, *permissions: str) -> Iterator[None]:
    github.github.granted -= set(permissions)
    yield
    github.github.granted |= set(permissions)


def test_without_pull_requests_write_the_comment_carries_a_link_to_open_it(github: World) -> None:
    with without(github, "pull_requests"):
        completed(github, None)

    assert github.github.pulls == []
    link = f"[open a pull request]({github.server.url}/acme/blog/compare/main...phasebot/issue-12?expand=1)"
    assert link in progress(github)
    assert link in github.said()[-1]
    assert "\\- opening" not in progress(github)
    assert "`pull-requests: write`" in progress(github).replace("\\", "")


def test_where_settings_forbid_pull_requests_the_comment_carries_a_link_and_where_to_allow_it(github: World) -> None:
    github.github.may_open_pulls = False

    ending = completed(github, None)

    assert "compare/main...phasebot/issue-12?expand=1)" in progress(github)
    assert "allow it under Settings" in progress(github).replace("\\", "")
    assert "pull-request-number" not in ending.outputs
    assert github.github.lines.count("POST /pulls") == 1, "once is enough to know"
    assert github.picture().split("\n\n")[-1].strip() == (
        "#12 alice: /generate  :rocket:\n"
        "#12 bot: **Phasebot finished `@alice`'s request**\n"
        "#12 bot: **Done:** 5 of 5 phases, 9 files. Review `phasebot/issue-12` commit by commit, or open a pull reques…"
    )


def test_without_issues_and_pull_requests_nobody_is_told_and_the_run_completes(github: World) -> None:
    with without(github, "issues", "pull_requests"):
        completed(github, None)

    assert (github.said(), github.github.pulls) == ([], [])
    assert any("`issues: write` or `pull-requests: write`" in line for line in github.log)


def test_without_contents_write_the_run_fails_and_says_which_permission_it_needs(github: World) -> None:
    github.server.refuse = lambda asked: Refusal(status=403, text="Permission denied") if asked.writes else None

    ending = github.say("/generate")

    assert (ending.status, ending.exit_code) == ("failed", 1)
    assert "'permissions: contents: write'" in ending.message
    assert github.commits() == []
    assert github.github.pulls == []
    for said in github.said():
        assert "permissions: contents: write" in said
    assert "**Phasebot failed on" in progress(github)
    assert "/commit/" not in progress(github), "nothing is told that is not pushed"


def test_a_git_that_does_not_answer_fails_the_command_and_says_so(github: World) -> None:
    folder = github.checkout()
    github.server.judge = lambda _: Refusal(status=503, text="Down for maintenance")

    ending = github.say("/generate", folder=folder)

    assert (ending.status, ending.exit_code) == ("failed", 1)
    (answer,) = github.said()
    assert "fetching phasebot/issue-12 from origin: Down for maintenance (HTTP 503)" in answer
    assert answer.endswith("To try again, comment:\n\n```\n/generate\n```")


# ---- what people do meanwhile


def test_a_progress_comment_that_somebody_deletes_is_made_anew(github: World) -> None:
    async def made(request: GenerationRequest) -> GenerationResult:
        while not github.said():
            await asyncio.sleep(0.01)
        github.github.comments.pop()
        return await slowly(request)

    with scripted({"core": made}):
        completed(github, None)

    assert "**Phasebot finished" in progress(github)


def test_what_a_person_writes_into_the_pull_requests_title_stays(github: World) -> None:
    with scripted({"main": slowly}):
        github.say("/plan")
    github.pull().title = "Notes, at last"

    completed(github, None)

    assert github.pull().title == "Notes, at last"


def test_edits_keep_their_distance_and_the_last_one_is_made(github: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress_comment, "_EDIT_EVERY", 0.4)
    with scripted(dict.fromkeys(("core", "entity/Note", "support", "main"), slowly)):
        completed(github, None)

    edits = [asked.time for asked in github.github.requests if re.fullmatch(CALLS["edit the comment"], asked.line)]
    assert all(later - earlier > 0.3 for earlier, later in itertools.pairwise(edits))
    assert "**Phasebot finished" in progress(github)


def test_the_comment_and_the_pull_request_show_what_is_done_while_the_next_phase_is_made(github: World) -> None:
    seen: list[str] = []

    async def made(request: GenerationRequest) -> GenerationResult:
        until = time.monotonic() + 10
        while time.monotonic() < until and not (github.said() and "4 of 5 phases done" in github.said()[0]):
            await asyncio.sleep(0.01)
        seen.append(github.said()[0])
        return await TemplateProvider().generate(request)

    with scripted({"main": made}):
        github.say("/generate")

    assert "**Phasebot is working on `@alice`'s request" in seen[0]
    assert "\n4 of 5 phases done, 8 files.\n" in seen[0]
    assert "- \u23f3 `main` \u00b7 " in seen[0]
    assert "To continue" not in seen[0]


def test_the_pull_request_is_opened_as_soon_as_the_first_push_is_through(github: World) -> None:
    opened: list[bool] = []

    async def made(request: GenerationRequest) -> GenerationResult:
        until = time.monotonic() + 10
        while time.monotonic() < until and not github.github.pulls:
            await asyncio.sleep(0.01)
        opened.append(bool(github.github.pulls))
        return await TemplateProvider().generate(request)

    with scripted({"core": made, "support": made}):
        github.say("/generate")

    assert opened == [True, True]


def test_a_plan_that_a_person_breaks_meanwhile_ends_the_run_whoever_sees_it_first(
    github: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    pushes = itertools.count()

    def slow_after_the_first(asked: git_http_server.Asked) -> None:
        if asked.carries and next(pushes):
            time.sleep(0.6)  # the branch has taken in the edit, and the run hears of it after this push

    def push() -> None:
        laptop = github.clone()
        git(laptop, "switch", "--quiet", "phasebot/issue-12")
        commit(laptop, "Break it", {".phasebot/plan.yaml": "entities: 1\n"})
        git(laptop, "push", "--quiet", "origin", "HEAD")
        github.server.refuse = slow_after_the_first

    async def made(request: GenerationRequest) -> GenerationResult:
        while len(github.commits()) < 3:
            await asyncio.sleep(0.01)
        await asyncio.to_thread(push)
        return await TemplateProvider().generate(request)

    async def made_slowly(request: GenerationRequest) -> GenerationResult:
        await asyncio.sleep(0.3)
        return await TemplateProvider().generate(request)

    monkeypatch.setattr(progress_comment, "_EDIT_EVERY", 0.2)
    with scripted({"entity/Note": made, "main": made_slowly}):
        ending = github.say("/generate")

    assert (ending.status, ending.exit_code) == ("refused", 2)
    assert "the plan .phasebot/plan.yaml at commit" in ending.message
    assert github.pull().draft
