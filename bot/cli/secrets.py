"""Take the secrets out of the environment before anything else runs.

A child inherits the environment, and on Linux it can also read what each of its ancestors was started with, in
``/proc/PID/environ``.  So a process that was started with secrets writes them into a pipe and starts itself again
without them.  It keeps its id, arguments, streams and folder.
"""

import os
import select
import stat
import sys
from collections.abc import Mapping

NAMES = (
    *("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    *("GITHUB_TOKEN", "GH_TOKEN", "GITHUB_ENTERPRISE_TOKEN", "GH_ENTERPRISE_TOKEN"),
    *("ACTIONS_RUNTIME_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"),
)
"""Variables that no child process inherits."""
_PIPE = "PHASEBOT_SECRETS"
"""Names the file descriptor of the pipe; action.yml uses it, too."""
_LIMIT = 16_000
"""Bytes that every system's pipe takes without a reader."""
_PATIENCE = 10.0
_FIRST = 3
"""The first file descriptor after the standard streams."""


def take_secrets() -> dict[str, str]:
    """Return the secrets that this process was given: name → value; the environment has none of them any more."""
    secrets = _receive(os.environ.pop(_PIPE, ""))
    found = {name: value for name in NAMES if (value := os.environ.pop(name, ""))}
    secrets |= found
    if found and sys.executable:
        _start_again(secrets)
    return secrets


def _start_again(secrets: Mapping[str, str]) -> None:
    """Replace this process; return if that is not possible."""
    data = b"".join(os.fsencode(f"{name}={value}\0") for name, value in secrets.items())
    if len(data) > _LIMIT:
        return
    reader, writer = os.pipe()
    os.write(writer, data)
    os.close(writer)
    os.set_inheritable(reader, True)
    try:
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], {**os.environ, _PIPE: str(reader)})  # noqa: S606
    except OSError:  # the interpreter is gone, or the system has no room for it
        os.close(reader)


def _receive(descriptor: str) -> dict[str, str]:
    """Read the secrets from a pipe; none if *descriptor* is not that of a pipe."""
    if not descriptor.isdecimal() or int(descriptor) < _FIRST:
        return {}
    pipe, data = int(descriptor), b""
    try:
        if not stat.S_ISFIFO(os.fstat(pipe).st_mode):
            return {}
        while select.select([pipe], [], [], _PATIENCE)[0] and (part := os.read(pipe, _LIMIT)):
            data += part
        os.close(pipe)
    except (OSError, OverflowError):
        return {}
    rows = (os.fsdecode(row).partition("=") for row in data.split(b"\0"))
    return {name: value for name, _, value in rows if name in NAMES and value}
