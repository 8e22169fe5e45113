"""Secrets leave the environment at the door: no child has them, and no ancestor of a child was started with them."""

import json
import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from bot.cli.secrets import NAMES
from tests.repositories import NOTE, SMALL, git, new_repository

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")
CODE = """\
import json, os, sys
from bot.cli.secrets import take_secrets
secrets = take_secrets()
started = open("/proc/self/environ", "rb").read() if os.path.exists("/proc/self/environ") else b""
print(json.dumps({
    "secrets": secrets, "environ": dict(os.environ), "started": os.fsdecode(started), "pid": os.getpid(),
    "arguments": sys.argv[1:], "isolated": sys.flags.isolated, "terminal": os.isatty(0),
    "files": sorted(int(each) for each in os.listdir("/proc/self/fd")) if started else [],
}))
"""
SHIM = """\
#!/bin/sh
{ env; pid=$$; while [ "$pid" -gt 1 ] && [ "$pid" != @TEST@ ]; do
  tr '\\0' '\\n' <"/proc/$pid/environ"; pid=$(sed -n 's/^PPid:\\t//p' "/proc/$pid/status"); done; } >>@SEEN@
exec @GIT@ "$@"
"""
"""A git that notes its environment, and that of each of its ancestors."""


def started(
    environ: Mapping[str, str], *arguments: str, stdin: int | None = None, pass_fds: Sequence[int] = ()
) -> tuple[Mapping[str, Any], "subprocess.Popen[str]"]:
    command = [sys.executable, "-I", "-c", CODE, *arguments]
    with subprocess.Popen(
        command,
        env={**os.environ, **environ},
        stdout=subprocess.PIPE,
        text=True,
        errors="surrogateescape",
        stdin=stdin,
        pass_fds=pass_fds,
    ) as process:
        assert process.stdout
        told = json.loads(process.stdout.read())
    return told, process


@pytest.mark.parametrize("name", NAMES)
def test_every_secret_is_handed_on_and_is_in_no_environment(name: str) -> None:
    value = "s3cret of any = shape\nwith \u2713, \udcff and lines\n" * 100

    told, process = started({name: value, "KEPT": "yes"}, "--an", "argument")

    assert told["secrets"] == {name: value}
    assert name not in told["environ"]
    assert "PHASEBOT_SECRETS" not in told["environ"]
    assert told["environ"]["KEPT"] == "yes"
    assert "s3cret" not in told["started"]
    assert told["pid"] == process.pid
    assert told["arguments"] == ["--an", "argument"]
    assert told["isolated"] == 1
    assert told["files"][:3] == [0, 1, 2]
    assert len(told["files"]) <= 4, "the last one is the listing itself"


def test_a_process_without_secrets_does_not_start_again() -> None:
    told, _ = started({"GITHUB_TOKEN": ""})
    assert told["secrets"] == {}
    assert "GITHUB_TOKEN" not in told["environ"]
    assert told["started"].count("PHASEBOT_SECRETS=") == 0


def test_secrets_that_no_pipe_holds_stay_out_of_what_children_inherit() -> None:
    told, _ = started({"GITHUB_TOKEN": "x" * 50_000})
    assert told["secrets"] == {"GITHUB_TOKEN": "x" * 50_000}
    assert "GITHUB_TOKEN" not in told["environ"]


@pytest.mark.parametrize("descriptor", ["", "0", "1", "-1", "99", "x", "3.0", "9" * 30])
def test_what_is_no_pipe_is_not_read(descriptor: str) -> None:
    told, _ = started({"PHASEBOT_SECRETS": descriptor}, stdin=subprocess.DEVNULL)
    assert told["secrets"] == {}


def test_a_pipe_brings_secrets_only() -> None:
    reader, writer = os.pipe()
    os.write(writer, b"GITHUB_TOKEN=one\0PATH=/evil\0GEMINI_API_KEY=\0nothing\0")
    os.close(writer)
    told, _ = started({"PHASEBOT_SECRETS": str(reader), "GEMINI_API_KEY": "two"}, pass_fds=[reader])
    os.close(reader)
    assert told["secrets"] == {"GITHUB_TOKEN": "one", "GEMINI_API_KEY": "two"}
    assert told["environ"]["PATH"] == os.environ["PATH"]


def test_a_terminal_stays_one() -> None:
    ours, theirs = pty.openpty()
    told, _ = started({"GITHUB_TOKEN": "token"}, stdin=theirs)
    os.close(ours)
    os.close(theirs)
    assert told["terminal"]


@pytest.fixture
def spied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a git on the PATH that notes environments, into the file that is returned."""
    shim, seen = tmp_path / "bin" / "git", tmp_path / "seen"
    shim.parent.mkdir()
    values = {"@TEST@": str(os.getpid()), "@SEEN@": str(seen), "@GIT@": shutil.which("git") or ""}
    text = SHIM
    for name, value in values.items():
        text = text.replace(name, value)
    shim.write_text(text)
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", f"{shim.parent}:{os.environ['PATH']}")
    return seen


@on_linux
def test_no_child_of_the_command_line_and_no_ancestor_of_one_has_a_secret(tmp_path: Path, spied: Path) -> None:
    folder = new_repository(tmp_path / "one")
    spied.unlink()
    environ = {name: f"secret-{number}" for number, name in enumerate(NAMES)}
    command = [sys.executable, "-m", "bot", "generate", "-", "--repo", str(folder), "--recipe", str(SMALL)]

    done = subprocess.run(
        [*command, "--provider", "template"],
        env=os.environ | environ,
        input=NOTE,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert git(folder, "rev-parse", "phasebot/note")
    seen = spied.read_text()
    assert "GIT_TERMINAL_PROMPT=0" in seen
    assert "secret-" not in seen
    assert [name for name in NAMES if f"{name}=" in seen] == []
