"""The token for fetch and push: it works with any git configuration, and nothing else sees it."""

import asyncio
import os
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.engine.factory import open_clone
from bot.errors import PushError, UsageError
from bot.generation.provider import GenerationRequest, GenerationResult
from bot.generation.templates import TemplateProvider
from bot.history import push_queue
from bot.history.checkout import RunLocation
from bot.history.credentials import Credentials
from bot.history.git import config_environment
from tests.git_http_server import TOKEN, Asked, GitServer, Refusal, basic
from tests.repositories import (
    House,
    ScriptedProvider,
    clone,
    commit,
    git,
    new_origin,
    open_run,
    phases_of,
    tree_of,
    trust,
)

CHECKOUTS = "ghs_left_by_actions_checkout"
HEADER = f"AUTHORIZATION: basic {basic(CHECKOUTS)}"
SECRETS = (TOKEN, basic(TOKEN))
PHASES = 9


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    return new_origin(tmp_path / "served" / "o" / "r.git")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try a push once."""
    monkeypatch.setattr(push_queue, "_RETRY_SECONDS", 0.0)


@pytest.fixture
def server(origin: Path) -> Iterator[GitServer]:
    with GitServer(origin.parents[1]) as server:
        yield server


def git_with(*tokens: str, folder: Path, arguments: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    """Run git with an Authorization header for each of *tokens*."""
    environment = config_environment([("http.extraheader", f"AUTHORIZATION: basic {basic(each)}") for each in tokens])
    environment |= {"GIT_TERMINAL_PROMPT": "0"}
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)


def checkout(server: GitServer, folder: Path, *, depth: int = 1) -> Path:
    """Do what actions/checkout does with ``persist-credentials: false``."""
    folder.mkdir()
    git(folder, "init", "--quiet")
    git(folder, "config", "user.name", folder.name)
    git(folder, "remote", "add", "origin", f"{server.url}/o/r.git")
    how = ("fetch", "--no-tags", *((f"--depth={depth}",) if depth else ()), "origin")
    done = git_with(TOKEN, folder=folder, arguments=(*how, "+refs/heads/main:refs/remotes/origin/main"))
    assert done.returncode == 0, done.stderr
    git(folder, "checkout", "--quiet", "--force", "-B", "main", "refs/remotes/origin/main")
    server.requests.clear()
    server.statuses.clear()
    return folder


def with_token(server: GitServer, folder: Path, token: str = TOKEN) -> House:
    return House(folder, credentials=Credentials(token, server.url))


async def nothing(request: GenerationRequest) -> GenerationResult:
    return GenerationResult({}, dict.fromkeys(request.paths, "no answer"), stopped=True)


# What is configured besides


def left_nothing(_: GitServer, __: Path, ___: pytest.MonkeyPatch) -> None:
    """Leave ``persist-credentials: false`` as it is."""


def left_in_the_repository(server: GitServer, folder: Path, _: pytest.MonkeyPatch) -> None:
    """Do as checkout did before v6."""
    git(folder, "config", f"http.{server.url}/.extraheader", HEADER)


def left_in_an_included_file(server: GitServer, folder: Path, _: pytest.MonkeyPatch) -> None:
    """Do as checkout does since v6."""
    file = folder.with_name("git-credentials-1.config")
    git(folder, "config", "--file", str(file), f"http.{server.url}/.extraheader", HEADER)
    git(folder, "config", f"includeIf.gitdir:{folder}/.git.path", str(file))


def in_the_environment(server: GitServer, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the caller's environment configure git, and the remote's URL depend on it."""
    settings = [(f"url.{server.url}/.insteadOf", "gh:"), ("http.extraheader", HEADER)]
    for name, value in config_environment(settings).items():
        monkeypatch.setenv(name, value)
    git(folder, "remote", "set-url", "origin", "gh:o/r.git")


def in_the_url_and_netrc(server: GitServer, folder: Path, _: pytest.MonkeyPatch) -> None:
    """Let a person have logged in as people do."""
    git(folder, "remote", "set-url", "origin", f"{server.url.replace('//', '//ada:secret@')}/o/r.git")
    (Path.home() / ".netrc").write_text("machine 127.0.0.1 login ada password secret\n")


BESIDES = [
    left_nothing,
    left_in_the_repository,
    left_in_an_included_file,
    in_the_environment,
    in_the_url_and_netrc,
]


@pytest.mark.parametrize("configure", BESIDES)
def test_fetch_and_push_send_the_token_once_whatever_else_is_configured(
    server: GitServer,
    origin: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    configure: Callable[[GitServer, Path, pytest.MonkeyPatch], None],
) -> None:
    folder = checkout(server, tmp_path / "one")
    configure(server, folder, monkeypatch)

    outcome = with_token(server, folder).run()

    assert outcome.error is None
    assert outcome.state.pushed
    assert len(phases_of(origin)) == PHASES
    assert {asked.authorizations for asked in server.requests} == {(f"basic {basic(TOKEN)}",)}
    assert set(server.statuses) == {200}
    assert {asked.writes for asked in server.requests} == {True, False}


def test_the_server_of_these_tests_minds_headers_as_github_does(server: GitServer, tmp_path: Path) -> None:
    folder = checkout(server, tmp_path / "one")
    told = {}
    for tokens in ((TOKEN,), (), (CHECKOUTS,), (CHECKOUTS, TOKEN), (TOKEN, TOKEN)):
        told[tokens] = git_with(*tokens, folder=folder, arguments=("ls-remote", "origin")).stderr
    assert server.statuses[:2] == [200, 200]
    assert server.statuses[2:] == [401, 403, 400, 400]
    assert told[(TOKEN,)] == ""
    assert "Duplicate header" in told[(TOKEN, TOKEN)]


@pytest.mark.parametrize("elsewhere", ["--fetch", "--push"])
def test_fetch_and_push_may_be_of_two_addresses(
    server: GitServer, origin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, elsewhere: str
) -> None:
    folder = checkout(server, tmp_path / "one")
    urls = {"--fetch": f"{server.url}/o/r.git", "--push": f"{server.url}/o/r.git"} | {elsewhere: str(origin)}
    git(folder, "remote", "set-url", "origin", urls["--fetch"])
    git(folder, "remote", "set-url", "--push", "origin", urls["--push"])
    seen = record_git(tmp_path / "recorded", monkeypatch)

    outcome = with_token(server, folder).run()

    assert outcome.error is None
    assert len(phases_of(origin)) == PHASES
    told = [argv for argv, environment in seen().items() if holds(environment)]
    assert told
    assert not any(f" {elsewhere.removeprefix('--')} " in argv for argv in told)


def test_the_place_hands_the_token_on(server: GitServer, tmp_path: Path) -> None:
    folder = checkout(server, tmp_path / "one")
    place = RunLocation(folder=folder, run="blog", credentials=Credentials(TOKEN, server.url))

    run = open_clone(place).open_run("blog", lambda: datetime(2026, 11, 23, tzinfo=UTC))

    assert run.sync.fetch() is None
    assert set(server.statuses) == {200}


def test_an_enterprise_server_may_have_a_port_and_a_path(origin: Path, tmp_path: Path) -> None:
    with GitServer(origin.parents[1], path="/git/hub") as server:
        folder = checkout(server, tmp_path / "one")
        git(folder, "config", f"http.{server.url}/.extraheader", HEADER)

        outcome = House(folder, credentials=Credentials(TOKEN, f"{server.url}/")).run()

    assert outcome.state.pushed
    assert set(server.statuses) == {200}


# Who sees it


def record_git(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], dict[str, str]]:
    """Put a git on the PATH that keeps what it was called with; return what is in the environment of each call."""
    real = subprocess.run(["which", "git"], capture_output=True, text=True, check=True).stdout.strip()
    shim, seen = folder / "bin" / "git", folder / "seen"
    shim.parent.mkdir(parents=True)
    seen.mkdir()
    shim.write_text(f'#!/bin/sh\nf={seen}/$$\necho "$@" >$f.argv\nenv >$f.env\nexec {real} "$@"\n')
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", f"{shim.parent}:{os.environ['PATH']}")
    return lambda: {argv.read_text(): argv.with_suffix(".env").read_text() for argv in seen.glob("*.argv")}


def holds(text: str | bytes) -> bool:
    data = text.encode() if isinstance(text, str) else text
    return any(secret.encode() in data for secret in SECRETS)


def processes() -> Iterator[tuple[bytes, bytes]]:
    """Read arguments and environment of all processes that may be looked at."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment = (folder / "environ").read_bytes()
            yield (folder / "cmdline").read_bytes(), environment
        except OSError:
            continue  # it has ended, or is somebody else's


def test_nothing_but_the_one_call_of_git_sees_the_token(
    server: GitServer, tmp_path: Path, sealed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = checkout(server, tmp_path / "one")
    seen = record_git(tmp_path / "recorded", monkeypatch)
    for name, value in {"GIT_TRACE": "trace", "GIT_TRACE_CURL": "trace-curl", "GIT_TRACE_SETUP": "setup"}.items():
        monkeypatch.setenv(name, str(sealed / value))
    monkeypatch.setenv("GIT_TRACE_REDACT", "0")
    around: list[tuple[bytes, bytes]] = []

    def look_around(_: Asked) -> None:
        around.extend(processes())

    server.refuse = look_around
    house = with_token(server, folder)

    outcome = house.run()

    assert outcome.state.pushed
    calls = seen()
    assert not any(holds(argv) for argv in calls)
    told = [argv for argv, environment in calls.items() if holds(environment)]
    remote = {"fetch", "push", "ls-remote"}
    assert {next(word for word in argv.split() if word in remote) for argv in told} == remote
    assert len(calls) > len(told)
    assert not any(holds(argv) for argv, _ in around)
    assert all(b"git" in argv for argv, environment in around if argv and holds(environment))
    assert any(holds(environment) for _, environment in around) == Path("/proc/self/environ").exists()
    assert (sealed / "trace-curl").exists()
    files = [path for top in (tmp_path, sealed) for path in top.rglob("*") if path.is_file()]
    assert [path for path in files if holds(path.read_bytes()) and path.parent.name != "seen"] == []
    assert not holds(repr((house.credentials, outcome, house.announcer)))
    assert not any(holds(f"{name}={value}") for name, value in os.environ.items())


@pytest.mark.parametrize(
    "url", ["http://localhost:{port}/o/r.git", "https://127.0.0.1:{port}/o/r.git", "ssh://127.0.0.1/o/r.git", "{file}"]
)
def test_a_remote_elsewhere_gets_nothing(
    server: GitServer, origin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    folder = checkout(server, tmp_path / "one")
    git(folder, "remote", "set-url", "origin", url.format(port=server.port, file=origin))
    monkeypatch.setenv("GIT_SSH_COMMAND", "false")
    seen = record_git(tmp_path / "recorded", monkeypatch)

    outcome = with_token(server, folder).run()

    assert outcome.state.complete
    assert outcome.state.pushed == (url == "{file}")
    assert any(" fetch " in argv for argv in seen())
    assert not any(holds(argv) or holds(environment) for argv, environment in seen().items())
    assert {asked.authorizations for asked in server.requests} <= {()}


def test_a_redirect_does_not_carry_the_token_away(server: GitServer, origin: Path, tmp_path: Path) -> None:
    folder = checkout(server, tmp_path / "one")
    with GitServer(origin.parents[1]) as other:
        other.judge = lambda _: None  # lets everybody in, so as to see all that a client would send
        away = f"http://localhost:{other.port}"
        server.refuse = lambda asked: Refusal(status=302, location=f"{away}{asked.path}")

        outcome = with_token(server, folder).run()

    assert not any(asked.authorizations for asked in other.requests)
    assert isinstance(outcome.error, PushError)
    assert "the repository has moved; set its new URL with 'git remote set-url'" in str(outcome.error)


def test_no_helper_and_no_dialogue_is_asked(
    server: GitServer, tmp_path: Path, sealed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = checkout(server, tmp_path / "one")
    asked = sealed / "asked"
    helper = sealed / "helper"
    helper.write_text(f"#!/bin/sh\nenv >>{asked}\necho username=ada\necho password=secret\n")
    helper.chmod(0o755)
    git(folder, "config", "credential.helper", str(helper))
    git(folder, "config", f"credential.{server.url}.helper", str(helper))
    git(folder, "config", "core.askPass", str(helper))
    monkeypatch.setenv("GIT_ASKPASS", str(helper))
    monkeypatch.setenv("SSH_ASKPASS", str(helper))
    assert git_with(folder=folder, arguments=("ls-remote", "origin")).returncode != 0
    assert asked.exists()
    asked.unlink()
    server.refuse = lambda _: Refusal(status=401, text="Invalid username or token.")

    outcome = with_token(server, folder).run()

    assert isinstance(outcome.error, PushError)
    assert "the credentials are missing or expired; renew the token" in str(outcome.error)
    assert not asked.exists()


def test_what_the_server_repeats_of_the_token_is_in_no_message(server: GitServer, tmp_path: Path) -> None:
    folder = checkout(server, tmp_path / "one")
    server.refuse = lambda asked: Refusal(status=403, text=f"{' or '.join(SECRETS)} may not {asked.method}")
    house = with_token(server, folder)

    outcome = house.run()

    assert "*** or *** may not GET (HTTP 403)" in str(outcome.error)
    assert not holds(repr((outcome, str(outcome.error), house.announcer)))


# What fails


def test_a_token_that_may_not_write_is_told_the_permission_it_needs(
    server: GitServer, origin: Path, tmp_path: Path
) -> None:
    folder = checkout(server, tmp_path / "one")

    outcome = with_token(server, folder, "ghs_of_another_repository").run()

    assert isinstance(outcome.error, PushError)
    assert "Permission to o/r.git denied to *** (HTTP 403); " in str(outcome.error)
    assert "'permissions: contents: write'" in str(outcome.error)
    assert outcome.state.complete
    assert with_token(server, folder).run().state.pushed
    assert tree_of(origin) == tree_of(folder)


@pytest.mark.parametrize(
    ("refusal", "when", "told"),
    [
        (Refusal(status=403), "writes", "error: 403; give the workflow's job 'permissions: contents: write', or use a"),
        pytest.param(
            Refusal(status=403),
            "carries",
            "error: 403; give the workflow's job 'permissions: contents: write', or use",
            marks=pytest.mark.slow,
        ),
        (Refusal(status=403, text="Write access to repository not granted."), "writes", "not granted (HTTP 403); give"),
        pytest.param(
            Refusal(status=500),
            "writes",
            "error: 500; the commits are safe on the local branch",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            Refusal(status=500),
            "carries",
            "error: 500; the commits are safe on the local branch",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            Refusal(status=503, text="We are down."),
            "writes",
            "We are down (HTTP 503); the commits are safe",
            marks=pytest.mark.slow,
        ),
        (Refusal(cut=True), "writes", "; the commits are safe on the local branch, run generate again to push them"),
        (
            Refusal(status=403, text="You have exceeded a secondary rate limit."),
            "writes",
            "rate limit (HTTP 403); the commits are safe",
        ),
    ],
)
@pytest.mark.usefixtures("impatient")
def test_a_push_that_fails_costs_no_phase_and_the_next_run_pushes(
    server: GitServer, origin: Path, tmp_path: Path, refusal: Refusal, when: str, told: str
) -> None:
    folder = checkout(server, tmp_path / "one")
    server.refuse = lambda asked: refusal if getattr(asked, when) else None

    outcome = with_token(server, folder).run()

    assert isinstance(outcome.error, PushError)
    assert told in str(outcome.error)
    assert outcome.state.complete
    assert not outcome.state.pushed
    server.refuse = lambda _: None
    again = with_token(server, folder)
    assert again.run().state.pushed
    assert again.provider.asked == []
    assert tree_of(origin) == tree_of(folder)


@pytest.mark.parametrize(
    ("reason", "todo"),
    [
        (
            "refusing to allow a GitHub App to create or update workflow `.github/x` without `workflows` permission",
            "no 'permissions:' line allows this; remove the workflow file from the branch, or use a token with",
        ),
        (
            "refusing to allow an OAuth App to create or update workflow `.github/x` without `workflow` scope",
            "no 'permissions:' line allows this; remove the workflow file from the branch, or use a token with",
        ),
        ("protected branch hook declined", "exclude 'phasebot/**' from the repository's branch rules, or"),
        ("push declined due to repository rule violations", "exclude 'phasebot/**' from the repository's branch rules"),
    ],
)
def test_a_refused_branch_is_told_what_to_do(server: GitServer, tmp_path: Path, reason: str, todo: str) -> None:
    folder = checkout(server, tmp_path / "one")
    server.refuse = lambda asked: Refusal(reason=reason) if asked.carries else None

    outcome = with_token(server, folder).run()

    assert isinstance(outcome.error, PushError)
    assert f": [remote rejected] ({reason}); {todo}" in str(outcome.error)
    assert str(outcome.error).endswith("; the commits are safe on the local branch, run generate again to push them")
    assert outcome.state.complete


def test_others_that_pushed_meanwhile_are_no_refusal(server: GitServer, origin: Path, tmp_path: Path) -> None:
    late = checkout(server, tmp_path / "late")
    House(late, push=False).run()
    with_token(server, checkout(server, tmp_path / "first")).run()

    outcome = with_token(server, late).run()

    assert outcome.error is None
    assert phases_of(late) == phases_of(origin)


# Shallow clones


def test_a_shallow_clone_pushes_a_run_and_another_continues_it(server: GitServer, origin: Path, tmp_path: Path) -> None:
    other = clone(origin, tmp_path / "other")
    commit(other, "Second", {"second": "2\n"})
    git(other, "push", "--quiet", "origin", "main")
    one = checkout(server, tmp_path / "one")
    assert git(one, "rev-list", "--count", "HEAD") == "1"

    house = with_token(server, one)
    house.provider = ScriptedProvider({"main": nothing})
    house.run()
    commit(other, "Third", {"third": "3\n"})
    git(other, "push", "--quiet", "origin", "main")
    two = checkout(server, tmp_path / "two")
    trust(two)
    again = House(two, spec=None, credentials=Credentials(TOKEN, server.url))
    outcome = again.run()

    assert again.provider.asked == [("main", ("main.py",))]
    assert outcome.error is None
    assert outcome.state.pushed
    assert outcome.state.complete
    assert len(phases_of(origin)) == PHASES
    assert git(origin, "merge-base", "main", "phasebot/blog") == git(origin, "rev-parse", "main^")
    assert git(origin, "fsck", "--connectivity-only", "--no-dangling") == ""


def test_a_clone_that_is_too_shallow_for_the_remote_is_told_how_to_deepen_it(
    server: GitServer, origin: Path, tmp_path: Path
) -> None:
    other = clone(origin, tmp_path / "other")
    commit(other, "Second", {"second": "2\n"})
    git(other, "push", "--quiet", "origin", "main")
    folder = checkout(server, tmp_path / "one")
    git(origin, "init", "--quiet", "--bare", str(origin.with_name("empty.git")))
    git(folder, "remote", "set-url", "origin", f"{server.url}/o/empty.git")

    outcome = with_token(server, folder).run()

    assert "shallow update not allowed" in str(outcome.error)
    assert "'fetch-depth: 0' for actions/checkout, or run 'git fetch --unshallow'" in str(outcome.error)
    assert outcome.state.complete


# The values


@pytest.mark.parametrize(
    ("server_url", "url", "ours"),
    [
        ("https://github.com", "https://github.com/o/r", True),
        ("https://github.com", "https://GitHub.com:443/o/r.git", True),
        ("https://github.com", "https://x-access-token@github.com/o/r", True),
        ("https://github.com", "http://github.com/o/r", False),
        ("https://github.com", "https://github.com:8443/o/r", False),
        ("https://github.com", "https://github.com.evil.example/o/r", False),
        ("https://github.com", "https://github.com@evil.example/o/r", False),
        ("https://github.com", "https://evil.example/github.com/o/r", False),
        ("https://github.com", "https://gist.github.com/o/r", False),
        ("https://github.com", "git@github.com:o/r.git", False),
        ("https://github.com", "ssh://git@github.com/o/r.git", False),
        ("https://github.com", "git://github.com/o/r.git", False),
        ("https://github.com", "ext::sh -c x https://github.com/", False),
        ("https://github.com", "/srv/github.com/o/r.git", False),
        ("https://github.com", "https://github.com:no/o/r", False),
        ("https://github.com", "", False),
        ("https://ghe.example:8443/git", "https://ghe.example:8443/git/o/r.git", True),
        ("https://ghe.example:8443/git/", "https://ghe.example:8443/git/o/r.git", True),
        ("https://ghe.example:8443/git", "https://ghe.example:8443/github/o/r.git", False),
        ("https://ghe.example:8443/git", "https://ghe.example/git/o/r.git", False),
    ],
)
def test_a_token_is_for_one_server(server_url: str, url: str, *, ours: bool) -> None:
    assert Credentials("token", server_url).covers(url) is ours


@pytest.mark.parametrize("token", ["", " ", "to ken", "token\n", "tok\0en", "tökèn"])
def test_a_token_that_can_not_be_one_is_refused_without_showing_it(token: str) -> None:
    with pytest.raises(UsageError, match="empty or contains a space") as caught:
        Credentials(token, "https://github.com")
    assert "to" not in str(caught.value).replace("the token", "")


@pytest.mark.parametrize(
    "url",
    [
        *("", "github.com", "ssh://github.com", "https://", "https://me:pass@github.com"),
        *("https://x/?q", "https://x:y/", "https://x/\ny", "https://x/#f", "https://[x"),
    ],
)
def test_a_server_that_can_not_be_one_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(UsageError, match="not a plain http or https URL") as caught:
        Credentials(TOKEN, url)
    assert "pass" not in str(caught.value)


def test_without_a_token_a_remote_is_as_before(server: GitServer, tmp_path: Path) -> None:
    folder = checkout(server, tmp_path / "one")
    git(folder, "config", f"http.{server.url}/.extraheader", f"AUTHORIZATION: basic {basic(TOKEN)}")

    assert open_run(folder).sync.fetch() is None
    assert set(server.statuses) == {200}


@pytest.mark.parametrize("refusal", [Refusal(status=503), Refusal(cut=True)], ids=["503", "cut"])
def test_a_server_that_fails_for_a_moment_is_asked_again(server: GitServer, tmp_path: Path, refusal: Refusal) -> None:
    folder = checkout(server, tmp_path / "clone")
    failed: list[Asked] = []

    def once(asked: Asked) -> Refusal | None:
        if not asked.carries or failed:
            return None
        failed.append(asked)
        return refusal

    server.refuse = once
    outcome = with_token(server, folder).run()

    assert failed
    assert outcome.error is None
    assert outcome.state.pushed


@pytest.mark.usefixtures("impatient")
def test_what_could_not_be_pushed_in_time_goes_out_with_a_later_phase(server: GitServer, tmp_path: Path) -> None:
    folder = checkout(server, tmp_path / "clone")
    failed: list[Asked] = []

    def at_first(asked: Asked) -> Refusal | None:
        if not asked.writes or failed:
            return None
        failed.append(asked)
        return Refusal(status=503)

    async def slowly(request: GenerationRequest) -> GenerationResult:
        await asyncio.sleep(0.5)
        return await TemplateProvider().generate(request)

    server.refuse = at_first
    house = with_token(server, folder)
    house.provider = ScriptedProvider({"core": slowly})
    outcome = house.run()

    assert failed
    assert outcome.error is None
    assert outcome.state.pushed
