"""What a repository configures gets no token, sends it nowhere and runs nothing while a job has it."""

import os
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.history.credentials import Credentials
from bot.history.git import config_environment, open_repository
from bot.history.remote import Remote
from bot.history.repository import Repository
from tests.git_http_server import TOKEN, GitServer, basic
from tests.repositories import clone, commit, git, new_origin, new_repository

HOSTILE = {
    "a proxy": {"http.proxy": "{trap}"},
    "a proxy of the server": {"http.{server}/.proxy": "{trap}"},
    "a proxy of the repository": {"http.{server}/o/r.git.proxy": "{trap}"},
    "a proxy of the remote": {"remote.origin.proxy": "{trap}", "remote.origin.proxyAuthMethod": "basic"},
    "a proxy by SOCKS": {"http.proxy": "socks5h://{trap_host}"},
    "another server in its place": {"url.{trap}/.insteadOf": "{server}/"},
    "another server for pushes": {"url.{trap}/.pushInsteadOf": "{server}/"},
    "a program in its place": {"url.ext::{program} .insteadOf": "{server}/", "protocol.ext.allow": "always"},
    "another address of the server": {"http.curloptResolve": "127.0.0.1:{port}:127.0.0.9"},
    "a file of cookies": {"http.cookieFile": "{marks}/cookies", "http.saveCookies": "true"},
    "no checks of certificates": {"http.sslVerify": "false", "http.{server}/.sslVerify": "false"},
    "one more header": {"http.extraHeader": "AUTHORIZATION: basic bm90aGluZw=="},
    "a more specific header": {"http.{server}/o/r.git.extraHeader": "AUTHORIZATION: basic bm90aGluZw=="},
    "redirects": {"http.{server}/o/r.git.followRedirects": "true"},
    "helpers": {"credential.helper": "!{program}", "credential.{server}.helper": "!{program}"},
    "dialogues": {"core.askPass": "{program}", "core.editor": "{program}", "core.pager": "{program}"},
    "a remote helper": {"remote.origin.vcs": "../../../../../../{program}"},
    "programs at the other end": {"remote.origin.uploadpack": "{program}", "remote.origin.receivepack": "{program}"},
    "a connection by a program": {"core.sshCommand": "{program}", "core.gitProxy": "{program}"},
    "hooks": {"core.hooksPath": "{marks}"},
    "a monitor of files": {"core.fsmonitor": "{program}"},
    "signed pushes": {"push.gpgSign": "true", "gpg.program": "{program}"},
    "refs of alternates": {"core.alternateRefsCommand": "{program}"},
    "submodules": {"fetch.recurseSubmodules": "true", "push.recurseSubmodules": "on-demand"},
    "traces": {"trace2.eventTarget": "{marks}/trace", "trace2.configParams": "*", "trace2.envVars": "*"},
    "mirrors": {"remote.origin.mirror": "true", "remote.origin.prune": "true"},
    "a file to include": {"include.path": "{marks}/included"},
}
"""Settings of a repository; each would send the token elsewhere, run a program, leave a file or break the call."""


@dataclass
class Trap:
    """A server that notes who connects, and what is sent first."""

    heard: list[bytes] = field(default_factory=list)
    port: int = 0


@pytest.fixture
def trap() -> Iterator[Trap]:
    found = Trap()
    with socket.create_server(("127.0.0.1", 0)) as server:
        found.port = server.getsockname()[1]

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    with connection:
                        connection.settimeout(2)
                        found.heard.append(connection.recv(10_000))

        threading.Thread(target=serve, daemon=True).start()
        yield found
        server.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    origin = new_origin(tmp_path / "served" / "o" / "r.git")
    with GitServer(origin.parents[1]) as found:
        yield found


def configure(folder: Path, settings: Mapping[str, str], server: GitServer, trap: Trap, marks: Path) -> None:
    """Put *settings* into the repository's configuration."""
    marks.mkdir()
    program = marks / "program"
    program.write_text(f"#!/bin/sh\ntouch {marks}/ran\nenv >>{marks}/ran\n")
    program.chmod(0o755)
    (marks / "reference-transaction").symlink_to(program)
    (marks / "pre-push").symlink_to(program)
    (marks / "included").write_text(f"[http]\n\tproxy = http://127.0.0.1:{trap.port}\n")
    known = {
        "trap": f"http://127.0.0.1:{trap.port}",
        "trap_host": f"127.0.0.1:{trap.port}",
        "server": server.url,
        "port": server.port,
        "program": program,
        "marks": marks,
    }
    for key, value in settings.items():
        git(folder, "config", key.format_map(known), value.format_map(known))


@pytest.mark.parametrize("settings", HOSTILE.values(), ids=HOSTILE.keys())
def test_the_token_goes_to_its_server_only_and_no_program_runs(
    server: GitServer, trap: Trap, tmp_path: Path, settings: Mapping[str, str]
) -> None:
    folder, marks = clone(tmp_path / "served" / "o" / "r.git", tmp_path / "one"), tmp_path / "marks"
    git(folder, "remote", "set-url", "origin", f"{server.url}/o/r.git")
    oid = commit(folder, "Mine", {"mine": "1\n"})
    configure(folder, settings, server, trap, marks)
    made = {each.name for each in marks.iterdir()}
    found = open_repository(folder)
    assert found
    remote = Remote(Repository(found), "origin", Credentials(TOKEN, server.url), timeout=20.0)

    remote.push(oid, "phasebot/x")

    assert remote.fetch("phasebot/x") == oid
    assert remote.branches().names == {"main", "phasebot/x"}
    assert git(folder, "rev-parse", "refs/remotes/origin/phasebot/x") == oid
    assert trap.heard == []
    assert {each.name for each in marks.iterdir()} == made
    assert {asked.authorizations for asked in server.requests} == {(f"basic {basic(TOKEN)}",)}


@pytest.mark.parametrize("where", ["global", "environment", "variable"])
def test_a_proxy_of_the_user_or_the_environment_is_used(
    server: GitServer, trap: Trap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    folder = clone(tmp_path / "served" / "o" / "r.git", tmp_path / "one")
    git(folder, "remote", "set-url", "origin", f"{server.url}/o/r.git")
    proxy = f"http://127.0.0.1:{trap.port}"
    if where == "global":
        git(folder, "config", "--global", "http.proxy", proxy)
    elif where == "environment":
        for name, value in config_environment([("http.proxy", proxy)]).items():
            monkeypatch.setenv(name, value)
    else:
        monkeypatch.setenv("http_proxy", proxy)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
    found = open_repository(folder)
    assert found

    with pytest.raises(Exception, match="unable to access"):
        Remote(Repository(found), "origin", Credentials(TOKEN, server.url), timeout=20.0).fetch("main")

    assert trap.heard[0].startswith(f"GET {server.url}/o/r.git/".encode())


def test_a_remote_that_is_a_program_is_not_run_in_a_job(server: GitServer, trap: Trap, tmp_path: Path) -> None:
    folder, marks = clone(tmp_path / "served" / "o" / "r.git", tmp_path / "one"), tmp_path / "marks"
    configure(folder, {"protocol.ext.allow": "always", "remote.origin.url": "ext::{program}"}, server, trap, marks)
    found = open_repository(folder)
    assert found

    with pytest.raises(Exception, match="transport 'ext' not allowed"):
        Remote(Repository(found), "origin", Credentials(TOKEN, server.url)).fetch("main")

    assert not (marks / "ran").exists()


def test_the_folder_of_such_calls_is_removed(
    server: GitServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temp = tmp_path / "temp"
    temp.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temp))
    folder = clone(tmp_path / "served" / "o" / "r.git", tmp_path / "one")
    git(folder, "remote", "set-url", "origin", f"{server.url}/o/r.git")
    found = open_repository(folder)
    assert found
    remote = Remote(Repository(found), "origin", Credentials(TOKEN, server.url))
    assert remote.fetch("main")
    assert len(list(temp.iterdir())) == 1

    del remote

    assert list(temp.iterdir()) == []
    assert git(folder, "fsck") == ""


@pytest.mark.parametrize(
    ("where", "is_workspace", "runs"),
    [("--local", True, False), ("--worktree", True, False), ("--global", True, True), ("--local", False, True)],
)
def test_only_filters_of_the_user_run_in_a_job(tmp_path: Path, where: str, *, is_workspace: bool, runs: bool) -> None:
    folder = new_repository(tmp_path / "one", {"a.txt": "a\n", ".gitattributes": "*.txt filter=spy\n"})
    git(folder, "config", "extensions.worktreeConfig", "true")
    for name in ("clean", "smudge"):
        git(folder, "config", where, f"filter.spy.{name}", f"touch {tmp_path}/ran; cat")
    git(folder, "config", where, "filter.spy.required", "true")
    git(folder, "config", where, "core.fsmonitor", f"touch {tmp_path}/monitored")
    found = open_repository(folder, is_workspace=is_workspace)
    assert found

    hashed = found("hash-object", "--stdin-paths", stdin=b"a.txt\n", folder=folder)
    (folder / "a.txt").unlink()
    found("checkout-index", "a.txt", folder=folder)

    assert hashed == git(folder, "rev-parse", "HEAD:a.txt")
    assert (folder / "a.txt").read_text() == "a\n"
    assert (tmp_path / "ran").exists() == runs
    assert not (tmp_path / "monitored").exists()


def test_large_files_of_a_job_are_filtered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lfs = tmp_path / "bin" / "git-lfs"
    lfs.parent.mkdir()
    lfs.write_text(f"#!/bin/sh\necho $@ >>{tmp_path}/ran\nexec cat\n")
    lfs.chmod(0o755)
    monkeypatch.setenv("PATH", f"{lfs.parent}:{os.environ['PATH']}")
    folder = new_repository(tmp_path / "one", {"a.txt": "a\n", ".gitattributes": "*.txt filter=lfs\n"})
    git(folder, "config", "filter.lfs.clean", "git-lfs clean -- %f")
    git(folder, "config", "filter.lfs.smudge", "git-lfs smudge -- %f; curl example.com")
    found = open_repository(folder, is_workspace=True)
    assert found

    found("hash-object", "--stdin-paths", stdin=b"a.txt\n", folder=folder)
    found("checkout-index", "-f", "a.txt", folder=folder)

    assert set((tmp_path / "ran").read_text().splitlines()) == {"clean -- a.txt"}
