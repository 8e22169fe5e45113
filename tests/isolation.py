"""Whether this system lets commands be apart, and Phasebot as a process for which it does not."""

import os
import pwd
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import pytest

from bot.verification import launcher
from bot.verification.command import Call, find_isolation
from bot.verification.launcher import NETWORK, PROCESSES

PYTHON = str(Path(sys.executable).resolve())
HIDDEN = [pwd.getpwuid(os.getuid()).pw_dir, "/run", "/tmp"]  # noqa: S108
SHOWN = [sys.base_prefix]


@cache
def isolation() -> frozenset[str]:
    """Return what commands can be apart from on this system."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder).resolve()
        call = Call(run=[PYTHON, "-c", ""], folder=place, environment={}, place=place, hidden=HIDDEN, shown=SHOWN)
        return find_isolation(call)


def need_isolation() -> None:
    """Skip the test where commands can't be apart from processes, files and the network."""
    if not {PROCESSES, NETWORK} <= isolation():
        pytest.skip("this system has no namespaces for ordinary users")


def phasebot_without_isolation(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process that may make no namespaces."""

    def forbid() -> None:
        if isolation():
            launcher._leave([])  # noqa: SLF001  # a user namespace, which can forbid others
            Path("/proc/sys/user/max_user_namespaces").write_text("0")

    command = [sys.executable, "-m", "bot", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, preexec_fn=forbid)
