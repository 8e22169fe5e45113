"""The action in a small world: a GitHub with issues, a repository behind a token, and a checkout as Actions makes it.

Tests compare the result of a command as one picture: the branch, the pull request, the comments, the reactions.
"""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bot.action import progress_comment
from bot.action.handler import CommandHandler
from bot.action.inputs import ActionInputs, GivenInputs
from bot.action.result import CommandResult
from bot.cli.progress import PlainAnnouncer
from bot.engine import factory
from bot.forge.github_client import GitHubClient
from bot.forge.github_transport import RequestPacing
from bot.forge.webhook_event import Ignored, read_event
from bot.generation.provider import GenerationRequest, GenerationResult
from bot.generation.provider_factory import OpenedProvider, ProviderOptions
from bot.history import stop_request
from bot.settings import GeminiSettings, read_actions_settings
from tests.git_http_server import GitServer, basic
from tests.github_server import LOGIN, TOKEN, FakeGitHub, Json, Pull
from tests.repositories import NOTE, SMALL, ScriptedProvider, clone, git, new_origin
from tests.unit.values import BLOG

EVENTS = Path(__file__).parent / "data" / "events"
ISSUE = 12
CLOCK = datetime(2026, 11, 23, 12, tzinfo=UTC)
QUICK = RequestPacing(
    backoff=0.002, limit_wait=0.01, longest_wait=0.1, between_requests=0.0, between_writes=0.0, timeout=5
)
_WIDTH = 100
_HURRY = """\
import functools
from bot.action import progress_comment
from bot.forge import github_client
from bot.history import stop_request
progress_comment._EDIT_EVERY, stop_request._POLL_SECONDS = 0.05, 0.1
calm = dict(backoff=0.01, limit_wait=0.01, longest_wait=0.1, between_requests=0.0, between_writes=0.0)
github_client.RequestPacing = functools.partial(github_client.RequestPacing, **calm)
from bot.cli.main import main
main()
"""
"""The command line, without waiting where a person would."""


def _slow_clock() -> float:
    """Run a thousand times slower than time, so that no comment shows how long a test took on a busy machine."""
    return time.monotonic() / 1000


class _Branches(set[str]):
    """The branches that the repository really has: a pull request can be opened for no other."""

    def __init__(self, origin: Path) -> None:
        super().__init__()
        self._origin = origin

    def __contains__(self, name: object) -> bool:
        return bool(git(self._origin, "for-each-ref", f"refs/heads/{name}"))


@dataclass
class World:
    """One repository on GitHub."""

    root: Path
    origin: Path
    github: FakeGitHub
    server: GitServer
    inputs: Mapping[str, Json] = field(default_factory=dict)
    """Of the action, for every job."""
    token: str = TOKEN
    log: list[str] = field(default_factory=list)
    """What was printed, a line each."""
    jobs: int = 0
    edits: int = 0
    """How often boxes were ticked; each edit has a second of its own."""

    # ---- events

    def comment(self, text: str, *, number: int = ISSUE, author: str = "alice", **more: Json) -> dict[str, Any]:
        """Write a comment, and return the event that it makes; *more* replaces fields: ``issue__state="closed"``."""
        issue = self.github.issues.get(number)
        pull = next((each for each in self.github.pulls if each.number == number), None)
        about = issue or pull
        assert about, f"there is no #{number}"
        written = self.github.add_comment(text, issue=number, login=author)
        payload = event("issue_comment.created")
        user = {"login": author, "type": "User"}
        payload["comment"] |= {"id": written.id, "body": text, "user": payload["comment"]["user"] | user}
        payload["issue"] |= {"number": number, "title": about.title, "body": about.body, "state": about.state}
        if pull:
            payload["issue"]["pull_request"] = {"merged_at": "2026-01-01T00:00:00Z" if pull.merged else None}
        payload["sender"] |= user
        payload["repository"] |= {"full_name": "acme/blog", "default_branch": "main"}
        return replaced(payload, more)

    def line_comment(self, text: str, *, pull: int, author: str = "alice", **more: Json) -> dict[str, Any]:
        """Write a comment on a line of a pull request's diff, and return the event that it makes."""
        about = next(each for each in self.github.pulls if each.number == pull)
        written = self.github.add_review_comment(text, pull=pull, login=author)
        payload = event("pull_request_review_comment.created")
        user = {"login": author, "type": "User"}
        payload["comment"] |= {"id": written.id, "body": text, "user": payload["comment"]["user"] | user}
        payload["pull_request"] |= {"number": pull, "title": about.title, "body": about.body, "state": about.state}
        payload["sender"] |= user
        payload["repository"] |= {"full_name": "acme/blog", "default_branch": "main"}
        return replaced(payload, more)

    def tick(self, *boxes: str, author: str = "alice", **more: Json) -> dict[str, Any]:
        """Tick boxes of the progress comment in one edit (``rollback:core``), and return the event that it makes."""
        (written,) = (
            each for each in self.github.comments if each.login == LOGIN and each.body.startswith("<!-- phasebot:i")
        )
        old = written.body
        for box in boxes:
            empty, ticked = (f"- [{mark}] <!-- phasebot:box:{box} -->" for mark in " x")
            assert empty in written.body, f"there is no empty box {box}"
            written.body = written.body.replace(empty, ticked)
        about = self.github.issues[written.issue]
        payload = event("issue_comment.created") | {"action": "edited", "changes": {"body": {"from": old}}}
        self.edits += 1
        payload["comment"] |= {"id": written.id, "body": written.body, "user": {"login": LOGIN, "type": "Bot"}}
        payload["comment"]["updated_at"] = f"2026-11-23T12:00:{self.edits:02}Z"
        payload["issue"] |= {"number": written.issue, "title": about.title, "body": about.body, "state": about.state}
        payload["sender"] |= {"login": author, "type": "User"}
        payload["repository"] |= {"full_name": "acme/blog", "default_branch": "main"}
        return replaced(payload, more)

    def dispatch(self, command: str, *, actor: str = "alice", login: str = "", number: int = ISSUE) -> dict[str, Any]:
        """Return the event of a workflow that was started by hand, or by one that goes on."""
        payload = event("workflow_dispatch")
        payload["inputs"] = {"issue": str(number), "command": command} | ({"login": login} if login else {})
        payload["sender"] |= {"login": actor}
        payload["repository"] |= {"full_name": "acme/blog", "default_branch": "main"}
        return payload

    # ---- jobs

    def checkout(self, *, depth: int = 1) -> Path:
        """Make the workspace of one more job, as actions/checkout does without keeping its credentials."""
        self.jobs += 1
        folder = self.root / f"job-{self.jobs}"
        folder.mkdir()
        git(folder, "init", "--quiet")
        git(folder, "remote", "add", "origin", f"{self.server.url}/acme/blog.git")
        how = ("fetch", "--quiet", "--no-tags", *((f"--depth={depth}",) if depth else ()))
        git(
            folder, *how, self.origin.as_uri(), "+refs/heads/main:refs/remotes/origin/main"
        )  # not by HTTP: it is faster
        git(folder, "checkout", "--quiet", "-B", "main", "refs/remotes/origin/main")
        return folder

    def partial_checkout(self, objects: str, *, sparse: bool = False) -> Path:
        """Make a workspace that lacks *objects*, as actions/checkout does with a filter, or for sparse checkouts."""
        self.jobs += 1
        folder = self.root / f"job-{self.jobs}"
        folder.mkdir()
        git(self.origin, "config", "uploadpack.allowFilter", "true")
        git(folder, "init", "--quiet")
        git(folder, "remote", "add", "origin", f"{self.server.url}/acme/blog.git")
        header = ("-c", f"http.extraheader=AUTHORIZATION: basic {basic(self.token)}")
        how = ("--quiet", "--no-tags", "--depth=1", f"--filter={objects}", "origin")
        git(folder, *header, "fetch", *how, "+refs/heads/main:refs/remotes/origin/main")
        if sparse:
            git(folder, "sparse-checkout", "set", "--cone", "docs")
        git(folder, *header, "checkout", "--quiet", "-B", "main", "refs/remotes/origin/main")
        return folder

    def environment(self, folder: Path, payload: object, *, attempt: int = 1) -> dict[str, str]:
        """Return what the runner would say to a step; all attempts of a job have one run id."""
        path = folder.with_name(f"{folder.name}-event.json")
        path.write_text(json.dumps(payload))
        return {
            "GITHUB_EVENT_NAME": _event_name(payload),
            "GITHUB_EVENT_PATH": str(path),
            "GITHUB_REPOSITORY": "acme/blog",
            "GITHUB_API_URL": self.github.url,
            "GITHUB_SERVER_URL": self.server.url,
            "GITHUB_WORKSPACE": str(folder),
            "GITHUB_RUN_ID": str(901 + self.jobs - attempt),
            "GITHUB_RUN_ATTEMPT": str(attempt),
            "GITHUB_WORKFLOW_REF": "acme/blog/.github/workflows/phasebot.yml@refs/heads/main",
            "GITHUB_TOKEN": self.token,
            "GITHUB_OUTPUT": str(folder.with_name(f"{folder.name}-output")),
            "GITHUB_STEP_SUMMARY": str(folder.with_name(f"{folder.name}-summary.md")),
        }

    def answer(
        self,
        payload: dict[str, Any],
        *,
        finish: bool = False,
        folder: Path | None = None,
        attempt: int = 1,
        **inputs: Json,
    ) -> CommandResult | Ignored:
        """Answer an event in this process, in a fresh checkout, without waiting where a person would.

        A second *attempt* is one of the job before.
        """
        environ = self.environment(folder or self.checkout(), payload, attempt=attempt)
        heard = read_event(environ["GITHUB_EVENT_NAME"], json.dumps(payload).encode())
        return heard if isinstance(heard, Ignored) else self._handler(environ, inputs).handle(heard, finish=finish)

    def report(self, payload: dict[str, Any], head: str, handed: str, *, run: str = "issue-12") -> CommandResult:
        """Report in this process what another job hands over about the commit *head*."""
        environ = self.environment(self.checkout(), payload)
        heard = read_event(environ["GITHUB_EVENT_NAME"], json.dumps(payload).encode())
        assert not isinstance(heard, Ignored), heard
        return self._handler(environ, {}).report(heard, run, head, handed)

    def _handler(self, environ: Mapping[str, str], inputs: dict[str, Json]) -> CommandHandler:
        gemini, timer = inputs.pop("gemini", GeminiSettings()), inputs.pop("timer", _slow_clock)
        built = build_inputs(**{**self.inputs, **inputs}, gemini=gemini)
        return CommandHandler(
            settings=read_actions_settings(environ),
            given=GivenInputs(built.base_branch, lambda _: built),
            forge=GitHubClient(self.token, repository="acme/blog", api_url=self.github.url, pacing=QUICK),
            announcer=PlainAnnouncer(self.log.append),
            print_line=self.log.append,
            timer=timer,
            now=lambda: CLOCK,
        )

    def ended(self, payload: dict[str, Any], **how: Json) -> CommandResult:
        """Answer an event that is to be answered; see :meth:`answer`."""
        ending = self.answer(payload, **how)
        assert isinstance(ending, CommandResult), ending
        return ending

    def say(self, text: str, *, number: int = ISSUE, author: str = "alice", **how: Json) -> CommandResult:
        """Write a comment and have it answered."""
        return self.ended(self.comment(text, number=number, author=author), **how)

    def start(
        self,
        payload: object,
        *arguments: str,
        environ: Mapping[str, str] | None = None,
        folder: Path | None = None,
        hurry: bool = False,
    ) -> subprocess.Popen[str]:
        """Begin to answer an event in a process of its own, as action.yml does; in a *hurry* without its pauses."""
        folder = folder or self.checkout()
        whole = {**os.environ, **self.environment(folder, payload), **(environ or {})}
        program = ("-I", "-c", _HURRY) if hurry else ("-I", "-m", "bot")
        command = [sys.executable, "-I", *program, "action", *arguments]
        return subprocess.Popen(
            command, env=whole, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def outputs(self) -> dict[str, str]:
        """Return the outputs of the newest job."""
        path = self.root / f"job-{self.jobs}-output"
        found = re.findall(r"(.+?)<<(phasebot_\w+)\n(.*?)\n\2\n", path.read_text() if path.exists() else "", re.DOTALL)
        return {name: value for name, _, value in found}

    # ---- what came of it

    def said(self, number: int = ISSUE) -> list[str]:
        """Return our comments on an issue or pull request."""
        return [each.body for each in self.github.comments if each.issue == number and each.login == LOGIN]

    def reactions(self) -> list[str]:
        """Return the reactions to comments, in the order in which they were put."""
        return [each.content for each in self.github.reactions]

    def pull(self) -> Pull:
        """Return the only pull request."""
        (found,) = self.github.pulls
        return found

    def commits(self, run: str = "issue-12") -> list[str]:
        """Return the subject of each commit of a run, who made it and for whom, oldest first."""
        form = "%s  %an%x1f%(trailers:key=Phasebot-Requested-By,valueonly,separator=%x2C)"
        ref = f"main..phasebot/{run}"
        found = git(self.origin, "log", "--reverse", "--first-parent", f"--format={form}", ref, check=False)
        rows = (row.partition("\x1f") for row in found.split("\n") if row)
        return [f"{made} for {login}" if login else made for made, _, login in rows]

    def clone(self, name: str = "laptop") -> Path:
        """Clone the repository to a person's own computer."""
        return clone(self.origin, self.root / name)

    def file(self, path: str, run: str = "issue-12") -> str:
        """Return a file at a run's head."""
        return git(self.origin, "show", f"phasebot/{run}:{path}")

    def picture(self, run: str = "issue-12") -> str:
        """Draw all that people see: commits by their place in the plan, others' last; pull requests; the talk."""
        commits = sorted(self.commits(run), key=lambda row: row.partition(" [")[2] or "~")
        pulls = [
            f"#{each.number} {each.state} {'draft' if each.draft else 'ready'}: {each.title} ({each.head}, {each.base})"
            for each in self.github.pulls
        ]
        told = [
            f"#{each.issue} {'bot' if each.login == LOGIN else each.login}: {_first_line(each.body)}"
            + "".join(f"  :{given.content}:" for given in self.github.reactions if given.comment == each.id)
            for each in self.github.comments
        ]
        drawn = "\n".join(["", *commits, "", *pulls, "", *told, ""])
        for number, each in enumerate(self.github.pulls, 1):
            drawn = re.sub(rf"#{each.number}\b", f"#PR{number}", drawn)
        return drawn


def _first_line(body: str) -> str:
    """Return how a comment begins, as people see it, without times."""
    shown = [line for line in body.split("\n") if line.strip() and not line.startswith("<!--")]
    line = re.sub(r"\[([^]]*)\]\(http[^)]*\)", r"\1", shown[0] if shown else "")
    line = re.sub(r" (?:in|after)(?: \d+[hms])+(?=\W)", "", line)
    return line if len(line) <= _WIDTH else f"{line[:_WIDTH]}\u2026"


def _event_name(payload: object) -> str:
    names = {"inputs": "workflow_dispatch", "pull_request": "pull_request_review_comment"}
    keys = payload if isinstance(payload, dict) else ()
    return next((names[key] for key in names if key in keys), "issue_comment")


def replaced(payload: dict[str, Any], fields: Mapping[str, Json]) -> dict[str, Any]:
    """Replace fields of *payload*, each named by its place: ``comment__user__login``."""
    for place, value in fields.items():
        *folders, name = place.split("__")
        part = payload
        for folder in folders:
            part = part[folder]
        part[name] = value
    return payload


def event(name: str) -> dict[str, Any]:
    """Return a recorded payload."""
    payload: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return payload


def build_inputs(*, gemini: GeminiSettings | None = None, **given: Json) -> ActionInputs:
    known: Mapping[str, Any] = {
        "provider": ProviderOptions(
            provider=None, models=("gemini-3.8-flash",), thinking="medium", gemini=gemini or GeminiSettings()
        ),
        "recipe": "fastapi",
        "options": {},
        "output_dir": ".",
        "base_branch": None,
        "jobs": 8,
        "max_tokens": None,
        "repairs": 1,
        "deadline_minutes": None,
        "draft": True,
    }
    return ActionInputs(**{**known, **given})


def with_key(url: str, key: str) -> GeminiSettings:
    """Return the settings of a model on the loopback."""
    return GeminiSettings(SecretStr(key), url)


@contextmanager
def scripted(
    script: Mapping[str, Callable[[GenerationRequest], Awaitable[GenerationResult]]] | None = None,
) -> Iterator[ScriptedProvider]:
    """Have a provider of the tests write the files, as long as the context lasts."""
    provider = ScriptedProvider(script or {})

    @asynccontextmanager
    async def opened(*_: object, **__: object) -> AsyncIterator[OpenedProvider]:
        yield OpenedProvider(provider, None)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(factory, "open_provider", opened)
        yield provider


@contextmanager
def world(root: Path, spec: str = BLOG, **inputs: Json) -> Iterator[World]:
    """Open a world: issue #12 describes the blog, alice may write, and the repository has one commit.

    Nobody waits in it: comments are edited, and requests to stop looked for, without a pause to speak of.
    """
    origin = new_origin(root / "served" / "acme" / "blog.git")
    with (
        pytest.MonkeyPatch.context() as patch,
        GitServer(root / "served") as server,
        FakeGitHub() as github,
    ):
        patch.setattr(progress_comment, "_EDIT_EVERY", 0.02)
        patch.setattr(stop_request, "_POLL_SECONDS", 0.2)
        server.token = TOKEN
        github.branches = _Branches(origin)
        github.issues[ISSUE].title, github.issues[ISSUE].body = "Blog API", spec
        yield World(root, origin, github, server, inputs)


def small_world(root: Path, **inputs: Json) -> AbstractContextManager[World]:
    """Open a world where five phases are made of a note: for what is not about phases."""
    return world(root, NOTE, **{"recipe": str(SMALL), **inputs})


BLOG_STORY = """
Generate plan [1/10]  github-actions[bot] for alice
Generate main application [10/10]  github-actions[bot] for alice
Generate core [2/10]  github-actions[bot] for alice
Generate entity User [3/10]  github-actions[bot] for alice
Generate entity Post [4/10]  github-actions[bot] for alice
Generate entity Comment [5/10]  github-actions[bot] for alice
Generate entity Tag [6/10]  github-actions[bot] for alice
Generate entity PostTag [7/10]  github-actions[bot] for alice
Generate migration [8/10]  github-actions[bot] for alice
Generate support files [9/10]  github-actions[bot] for alice

#PR1 open ready: Generate Blog API (phasebot/issue-12, main)

#12 alice: /generate  :rocket:
#12 bot: **Phasebot finished `@alice`'s request**
#12 bot: **Done:** 10 of 10 phases, 75 files. Review pull request #PR1 commit by commit.
"""
"""What a repository and its issue show after the blog was generated: commits, pull request and comments."""
