"""What every step of action.yml does first: what the workspace and earlier steps set decides nothing."""

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.act_jobs import CLEAN, STEPS
from tests.git_http_server import TOKEN

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")


def clean(folder: Path, environ: Mapping[str, str | Path], then: str = "/usr/bin/env -0") -> list[str]:
    """Return what *then* prints in a step with *environ*, split at zeros."""
    (folder / "workspace").mkdir(exist_ok=True)
    script = folder / "step.sh"
    script.write_text(f". {CLEAN}\n{then}\n")
    command = shlex.split(STEPS["run"]["shell"].replace("{0}", shlex.quote(str(script))))
    told = {"PATH": "/usr/bin:/bin", "GITHUB_WORKSPACE": folder / "workspace", "PHASEBOT_SECRETS": "", **environ}
    done = subprocess.run(
        command,
        cwd=folder / "workspace",
        env={name: str(value) for name, value in told.items()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout.split("\0")


@pytest.mark.parametrize(
    ("entry", "kept"),
    [
        ("tools", "tools"),
        ("tools with blanks;$(touch x)", "tools with blanks;$(touch x)"),
        ("link-to-tools", "tools"),
        ("link-to-workspace", None),
        ("workspace", None),
        ("workspace/", None),
        ("workspace/bin", None),
        ("tools/../workspace/bin", None),
        ("workspace/link-out", None),
        ("workspace-2", "workspace-2"),
        ("nothing", None),
        ("file", None),
        ("bin", None),
        (".", None),
        ("", None),
        ("-P", None),
    ],
)
@pytest.mark.parametrize("variable", ["PATH", "LD_LIBRARY_PATH"])
def test_folders_of_the_workspace_are_on_no_path(tmp_path: Path, variable: str, entry: str, kept: str | None) -> None:
    for name in ("tools", "tools with blanks;$(touch x)", "workspace/bin", "workspace-2", "workspace/-P"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "file").touch()
    (tmp_path / "link-to-tools").symlink_to("tools")
    (tmp_path / "link-to-workspace").symlink_to("workspace/bin")
    (tmp_path / "workspace" / "link-out").symlink_to(tmp_path / "tools")
    given = entry if entry in ("bin", ".", "", "-P") else f"{tmp_path}/{entry}"

    after = clean(tmp_path, {variable: f"{given}:/usr/bin:{given}"})

    folders = [f"{tmp_path}/{kept}"] if kept else []
    assert f"{variable}={':'.join([*folders, '/usr/bin', *folders])}" in after


def test_only_known_variables_are_kept(tmp_path: Path) -> None:
    kept = {
        "HOME": "/home/me",
        "LC_CTYPE": "C.UTF-8",
        "https_proxy": "http://proxy:1",
        "NO_PROXY": "localhost",
        "GIT_SSL_CAINFO": "/etc/ca.pem",
        "GIT_CONFIG_COUNT": "0",
        "GITHUB_OUTPUT": "/out",
        "RUNNER_TEMP": "/temp",
        "PHASEBOT_ACTION_JOBS": "3",
        "PIP_INDEX_URL": "http://index",
    }
    dropped = {
        "ENV": "x",
        "BASH_FUNC_helper%%": "() { echo no; }",
        "LD_AUDIT": "",
        "DYLD_INSERT_LIBRARIES": "x",
        "PYTHONPATH": "x",
        "PYTHONSTARTUP": "x",
        "GIT_EXEC_PATH": "x",
        "GIT_SSH": "x",
        "GIT_ASKPASS": "x",
        "GIT_EXTERNAL_DIFF": "x",
        "GIT_PROXY_COMMAND": "x",
        "GIT_TEMPLATE_DIR": "x",
        "GIT_TRACE": "/trace",
        "GIT_PYTHON_GIT_EXECUTABLE": "x",
        "OPENSSL_CONF": "x",
        "GCONV_PATH": "x",
        "NPM_TOKEN": "x",
        "ACTIONS_RUNTIME_TOKEN": "x",
        "PIP_TARGET": "x",
        "INPUT_GITHUB-TOKEN": "x",
    }
    after = dict(row.split("=", 1) for row in clean(tmp_path, kept | dropped) if row)

    assert after.items() >= kept.items()
    assert after.keys() & dropped.keys() == set()
    assert after.keys() - kept.keys() - {"PATH", "GITHUB_WORKSPACE", "PWD", "SHLVL", "_"} == {"PHASEBOT_SECRETS"}


def test_nothing_of_the_environment_runs_in_the_step(tmp_path: Path) -> None:
    noticed = tmp_path / "noticed"
    startup = tmp_path / "startup"
    startup.write_text(f"touch {noticed}\n")
    shout = f"() {{ /usr/bin/touch {noticed}; }}"
    names = ("printf", "exec", "cd", "pwd", "unset", "compgen", "export", "read", "set")
    environ = {"BASH_ENV": str(startup), "ENV": str(startup), "SHELLOPTS": "xtrace", "PS4": f"$(touch {noticed})"}
    environ |= {f"BASH_FUNC_{name}%%": shout for name in names} | {"GITHUB_TOKEN": TOKEN}

    clean(tmp_path, environ)

    assert not noticed.exists()


@on_linux
def test_the_secrets_come_through_a_pipe_and_no_process_was_started_with_them(tmp_path: Path) -> None:
    workspace = tmp_path / "workspace" / "bin"
    workspace.mkdir(parents=True)
    for name in ("bash", "env", "cat"):
        (workspace / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/noticed\n")
        (workspace / name).chmod(0o755)
    then = f"""
    /usr/bin/cat <&3
    pid=$$
    while [ "$pid" != {os.getpid()} ]; do
      /usr/bin/cat /proc/$pid/environ
      pid=$(/usr/bin/sed -n 's/^PPid:\\t//p' /proc/$pid/status)
    done
    """
    key = "key with = and\nlines"
    environ = {
        "GITHUB_TOKEN": TOKEN,
        "GEMINI_API_KEY": key,
        "INPUT_GITHUB-TOKEN": TOKEN,
        "PATH": f"{workspace}:/usr/bin",
    }

    said = clean(tmp_path, environ, then)

    assert said[:2] == [f"GITHUB_TOKEN={TOKEN}", f"GEMINI_API_KEY={key}"]
    assert "PHASEBOT_SECRETS=3" in said[2:]
    assert not any(TOKEN in each or key in each for each in said[2:])
    assert not (tmp_path / "noticed").exists()
