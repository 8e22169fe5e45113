"""Clones that lack objects, as actions/checkout makes them with a filter: the token fetches them, and in time."""

import subprocess
import threading
from pathlib import Path

import pytest

from bot.errors import RepositoryError
from bot.history import git as history_git
from bot.history.credentials import Credentials
from bot.history.git import Git, command_of
from tests.action_world import small_world
from tests.git_http_server import TOKEN, Asked, GitServer, Refusal, basic
from tests.repositories import NOTE, SMALL, clone, commit, git, new_origin, open_run, phasebot_here


@pytest.mark.parametrize(
    ("objects", "sparse"),
    [
        pytest.param("blob:none", False, id="blobless"),
        pytest.param("tree:0", False, id="treeless", marks=pytest.mark.slow),
        pytest.param("blob:none", True, id="sparse", marks=pytest.mark.slow),
    ],
)
def test_every_command_works_in_a_partial_checkout_without_credentials(
    tmp_path: Path, objects: str, *, sparse: bool
) -> None:
    with small_world(tmp_path) as github:
        commit(github.clone("before"), "Add docs", {"docs/a.md": "a\n", "src/b.md": "b\n"})
        git(tmp_path / "before", "push", "--quiet")
        assert github.say("/generate", folder=github.partial_checkout(objects, sparse=sparse)).status == "complete"
        laptop = github.clone()
        git(laptop, "switch", "--quiet", "phasebot/issue-12")
        commit(laptop, "Tune", {"main.py": "# tuned\n" + (laptop / "main.py").read_text()})
        git(laptop, "push", "--quiet")

        def say(text: str) -> str:
            return github.say(text, folder=github.partial_checkout(objects, sparse=sparse)).status

        assert say("/status") == "answered"
        assert "edited by people: `main.py`" in github.said()[-1]
        assert say("/regenerate main") == "complete"
        assert github.file("main.py").startswith("# tuned")
        assert say("/rollback support") == "answered"
        assert say("/generate") == "complete"
        assert {asked.authorizations for asked in github.server.requests} == {(f"basic {basic(github.token)}",)}


def partial_clone(server: GitServer, origin: Path, folder: Path) -> Path:
    """Clone without any file's content, and without a checkout."""
    git(origin, "config", "uploadpack.allowFilter", "true")
    header = f"http.extraheader=AUTHORIZATION: basic {basic(TOKEN)}"
    options = ("--quiet", "--filter=blob:none", "--no-checkout")
    subprocess.run(["git", "-c", header, "clone", *options, f"{server.url}/o/r.git", str(folder)], check=True)
    return folder


def test_a_program_that_git_runs_never_sees_the_token(tmp_path: Path) -> None:
    origin = new_origin(tmp_path / "served" / "o" / "r.git")
    seed = clone(origin, tmp_path / "seed")
    git(seed, "switch", "--quiet", "-c", "phasebot/blog")
    assert phasebot_here("generate", NOTE, "--repo", seed, "--recipe", SMALL, "--run", "blog").returncode == 0
    with GitServer(origin.parents[1]) as server:
        folder = partial_clone(server, origin, tmp_path / "one")
        header = f"http.extraheader=AUTHORIZATION: basic {basic(TOKEN)}"
        git(folder, "-c", header, "checkout", "--quiet", "phasebot/blog")
        commit(seed, "Add notes", {"NOTES.md": "hello\n"})
        git(seed, "push", "--quiet", "origin", "HEAD")
        spy = tmp_path / "spy"
        spy.write_text(f"#!/bin/sh\nenv >>{tmp_path}/seen\nexec cat\n")
        spy.chmod(0o755)
        git(folder, "config", "filter.spy.smudge", str(spy))
        git(folder, "config", "filter.spy.clean", str(spy))
        git(folder, "config", "core.fsmonitor", str(spy))
        (folder / ".git" / "info").mkdir(exist_ok=True)
        (folder / ".git" / "info" / "attributes").write_text("*.md filter=spy\n")
        run = open_run(folder, credentials=Credentials(TOKEN, server.url))

        run.sync.integrate(run.sync.fetch())
        run.sync.refresh_worktrees()

    assert run.sync.worktrees.notes() == []
    assert (folder / "NOTES.md").read_text() == "hello\n"
    seen = (tmp_path / "seen").read_text()
    assert "GIT_TERMINAL_PROMPT=0" in seen
    assert TOKEN not in seen
    assert basic(TOKEN) not in seen


def test_a_server_that_does_not_answer_is_waited_for_only_so_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    origin, over = new_origin(tmp_path / "served" / "o" / "r.git"), threading.Event()
    monkeypatch.setattr(history_git, "REMOTE_TIMEOUT", 0.5)
    with GitServer(origin.parents[1]) as server:
        folder = partial_clone(server, origin, tmp_path / "one")
        run = open_run(folder, credentials=Credentials(TOKEN, server.url))
        server.refuse = lambda _: Refusal() if over.wait() else None
        try:
            with pytest.raises(RepositoryError, match="git cat-file: no answer within 0 s; check the network"):
                _read_the_license(folder, run.sync._repository.git)  # noqa: SLF001
        finally:
            over.set()


def test_an_object_that_can_not_be_fetched_is_told_without_the_token(tmp_path: Path) -> None:
    origin = new_origin(tmp_path / "served" / "o" / "r.git")
    with GitServer(origin.parents[1]) as server:
        folder = partial_clone(server, origin, tmp_path / "one")
        token = "ghs_of_another_repository"  # noqa: S105
        run = open_run(folder, credentials=Credentials(token, server.url))

        with pytest.raises(RepositoryError) as caught:
            _read_the_license(folder, run.sync._repository.git)  # noqa: SLF001

    assert str(caught.value).startswith(
        "git cat-file: this clone is partial, and what it lacks could not be fetched from origin ("
    )
    assert str(caught.value).endswith("; check the network and the credentials")
    assert token not in str(caught.value)
    assert basic(token) not in str(caught.value)


def _read_the_license(folder: Path, reader: Git) -> None:
    reader("cat-file", "blob", git(folder, "ls-tree", "HEAD", "LICENSE").split()[2])


def test_a_partial_clone_of_elsewhere_gets_no_token(tmp_path: Path) -> None:
    origin = new_origin(tmp_path / "served" / "o" / "r.git")
    with GitServer(origin.parents[1]) as server:
        folder = partial_clone(server, origin, tmp_path / "one")
        requests: list[Asked] = server.requests
        requests.clear()
        run = open_run(folder, credentials=Credentials(TOKEN, "https://github.com"))

        with pytest.raises(RepositoryError, match="could not be fetched from origin"):
            _read_the_license(folder, run.sync._repository.git)  # noqa: SLF001

        assert {asked.authorizations for asked in requests} == {()}


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (("log", "-1"), "log"),
        (("-c", "user.useConfigOnly=true", "var"), "var"),
        (("--literal-pathspecs", "ls-tree"), "ls-tree"),
    ],
)
def test_the_command_is_found_behind_options(arguments: tuple[str, ...], command: str) -> None:
    assert command_of(arguments) == command
