"""Wait for a child process with a time limit, and end it together with all that it started.

A child of git, such as git-remote-https, inherits git's pipes and secrets.  If git alone is killed, that child lives
on, and whoever reads the pipes waits for it without end.
"""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from subprocess import Popen

_TICK = 0.5
"""How often a process is looked at that keeps its pipes open, in seconds."""
_PATIENCE = 0.5
"""Seconds between SIGTERM, on which git removes its lock files, and SIGKILL."""
_running: set["Popen[bytes]"] = set()


def read_to_end(process: "Popen[bytes]", timeout: float) -> tuple[bytes, bytes]:
    """Return what *process* writes to its standard output and error; whatever happens, it has ended then.

    It must lead a process group of its own, and must not read from a pipe of ours.  If it ends but leaves something
    behind that keeps its pipes open, what it wrote itself is returned.

    Raises:
        TimeoutError: It took longer than *timeout* seconds.
    """
    _running.add(process)
    complete = False
    try:
        out, complete = _read(process, time.monotonic() + timeout)
    finally:  # on KeyboardInterrupt, too
        _running.discard(process)
        if not complete:
            end_group(process)
        for pipe in (process.stdout, process.stderr):
            if pipe:
                pipe.close()  # whoever has left the group may keep the other end
    return out


@contextmanager
def held(process: "Popen[bytes]") -> Iterator[None]:
    """End *process* with its group when the context is left, or a signal ends Phasebot; it must lead that group."""
    _running.add(process)
    try:
        yield
    finally:
        _running.discard(process)
        if process.poll() is None:
            end_group(process)


def _read(process: "Popen[bytes]", deadline: float) -> tuple[tuple[bytes, bytes], bool]:
    """Return what was written, and whether that is all: nobody else can write to the pipes."""
    from subprocess import TimeoutExpired

    ended = False
    while True:
        try:
            return process.communicate(timeout=max(0.0, min(_TICK, deadline - time.monotonic()))), True
        except TimeoutExpired as exc:
            if ended:  # there was a tick to read what it wrote last
                return (exc.output or b"", exc.stderr or b""), False
            ended = process.poll() is not None
            if not ended and time.monotonic() >= deadline:
                raise TimeoutError from exc


def end_group(process: "Popen[bytes]") -> None:
    """End *process* and its group; takes a second at most."""
    from subprocess import TimeoutExpired

    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError, PermissionError):  # all gone; on macOS, all ended
            os.killpg(process.pid, number)
        with suppress(TimeoutExpired):
            process.wait(_PATIENCE)


def end_all() -> None:
    """End all processes that are being read; for handlers of signals."""
    for process in list(_running):
        end_group(process)
