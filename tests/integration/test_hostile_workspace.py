"""A whole job in a hostile workspace, as act runs it: it does its work, and has no other effect."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.act_jobs import Consumer, Installed
from tests.action_world import ISSUE, World, world
from tests.git_http_server import basic
from tests.github_server import TOKEN
from tests.hostile_workspace import STEP, STRACE, Traps, read_trace, snapshot, traps
from tests.integration.test_action_yml import installed as installed  # noqa: PLC0414  # a fixture
from tests.repositories import git

KEY = "AIzaNotARealKey0123456789abcdefghijklmn"
SHIM = """\
#!/bin/sh
f=@SEEN@/$$
echo "$*" >$f.argv
env >$f.env
pid=$PPID
while [ "$pid" -gt 1 ] && [ "$pid" != @TEST@ ]; do
  tr '\\0' '\\n' <"/proc/$pid/environ" >>$f.ancestors
  pid=$(sed -n 's/^PPid:\\t//p' "/proc/$pid/status")
done
exec @GIT@ "$@"
"""
"""A git outside the workspace, which notes its environment and that of each of its ancestors."""


@pytest.fixture
def github(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


@pytest.fixture
def seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shim, folder = tmp_path / "shim" / "git", tmp_path / "seen"
    shim.parent.mkdir()
    folder.mkdir()
    text = SHIM
    for word, value in {"@SEEN@": folder, "@TEST@": os.getpid(), "@GIT@": shutil.which("git")}.items():
        text = text.replace(word, str(value))
    shim.write_text(text)
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", f"{shim.parent}:{os.environ['PATH']}")
    return folder


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")
def test_a_job_in_a_hostile_workspace_has_no_side_effect(
    installed: Installed, github: World, seen: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temp, log = tmp_path / "temp", tmp_path / "strace"
    temp.mkdir()
    monkeypatch.setenv("TMPDIR", str(temp))
    under = [*STRACE, "-o", str(log)] if shutil.which("strace") else []
    with traps(tmp_path / "outside", github.server.url) as trap:
        github.github.issues[ISSUE].body = trap.read("issue.md")
        consumer = Consumer(github, installed.environment, step=STEP, inputs={"provider": "template"})
        before: dict[str, object] = {}

        def prepare(checkout: Path) -> None:
            trap.plant(checkout)
            assert f"127.0.0.1:{trap.trap}" in git(checkout, "config", "--get-regexp", "proxy")
            before.update(snapshot(trap.outside, home))

        job = consumer.act(github.comment("/generate"), prepare=prepare, under=under, GEMINI_API_KEY=KEY)

        assert job.results == {"generate": "success"}, job.log
        wanted = {"status": "complete", "run": "issue-12", "phases-done": "10"}
        assert job.outputs.items() >= wanted.items(), github.said()
        assert trap.noticed == "", "a planted program or module ran"
        assert trap.connections == []
        assert snapshot(trap.outside, home) == before
        assert list(temp.iterdir()) == []
        if under:
            check_trace(log.read_text(), github, trap, tmp_path)

    check_secrets(seen, job.log)
    assert set(git(github.origin, "for-each-ref", "--format=%(refname)").split()) == {
        "refs/heads/main",
        "refs/heads/phasebot/issue-12",
    }
    messages = git(github.origin, "log", "--format=%B", "main..phasebot/issue-12")
    assert not [word for word in ("acme", "fixes", "[skip ci]", "::", "touch") if word in messages]
    assert "::set-output name=run::evil" not in job.log.replace("\\n", "\n").splitlines()
    tokens = {asked.authorizations for asked in github.server.requests}
    assert tokens == {(f"basic {basic(TOKEN)}",)}


def check_trace(text: str, github: World, trap: Traps, root: Path) -> None:
    """Check where the processes connected, what they wrote and which programs ran."""
    trace = read_trace(text, "/act")
    assert trace.connections == {("127.0.0.1", urlsplit(url).port) for url in (github.server.url, github.github.url)}
    inside = (f"{root}/cache", f"{root}/job-", f"{root}/temp", f"{root}/seen", "/dev/", "/proc/")
    written = {path for path in trace.written if path.startswith(("/", ".."))}
    assert sorted(path for path in written if not path.startswith(inside)) == []
    assert len(trace.programs) > 5
    planted = (f"{root}/cache", str(trap.outside))
    ours = "phasebot-action/bin/python"
    assert [path for path in trace.programs if path.startswith(planted) and not path.endswith(ours)] == []


def check_secrets(seen: Path, log: str) -> None:
    """Check that no child and no ancestor of a child has a secret, but for the calls of git that need the token."""
    shown = "\n".join(line for line in log.splitlines() if '"command":"add-mask"' not in line)  # act repeats those
    assert not [secret for secret in (TOKEN, basic(TOKEN), KEY) if secret in shown]
    calls = [each.with_suffix(".argv") for each in seen.glob("*.ancestors")]  # the test's own calls have none
    assert len(calls) > 20
    for call in calls:
        argv, environ = call.read_text(), call.with_suffix(".env").read_text()
        ancestors = call.with_suffix(".ancestors").read_text()
        remote = any(f" {command} " in argv for command in ("fetch", "push", "ls-remote"))
        assert [secret for secret in (TOKEN, KEY) if secret in argv + environ] == [], argv
        assert basic(TOKEN) not in argv
        assert basic(TOKEN) not in environ or remote, argv
        assert [secret for secret in (TOKEN, basic(TOKEN), KEY) if secret in ancestors] == [], argv
