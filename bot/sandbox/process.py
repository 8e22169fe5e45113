"""One child process of the bounded worker, seen from its parent: its pipes, its limits and its end.

It starts with an empty environment and no files, in a session of its own.  Its answers are JSON of limited size:
nothing of it is executed or unpickled here.
"""

import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from bot.sandbox.protocol import LENGTH, MAX_BYTES

_STARTING = 30.0
"""How long the child may take to start and to read a request, in seconds."""
_PATIENCE = 60.0
"""How long the parent waits for an answer in any case, in seconds: on a busy machine the child gets little time."""
_LIBRARY_PATHS = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
"""Where the system looks for Python's own library; the only variables that the child gets."""
_UNREADABLE = "the worker process gave an answer that can't be read"
_START = (
    "import json, sys; megabytes, sys.path[:] = json.loads(sys.argv[1]); "
    "from bot.sandbox.child import main; main(megabytes)"
)


class Limits(NamedTuple):
    """What one item may use: seconds of processor time, and memory."""

    seconds: float = 5.0
    megabytes: int = 512


class BrokenLimitError(Exception):
    """The child took too long or too much, or crashed; the message says which."""


class Process:
    """One child process and its two pipes."""

    def __init__(self, limits: Limits) -> None:
        root = str(Path(__file__).parents[2])
        path = [os.path.abspath(entry) for entry in sys.path]  # noqa: PTH100  # '' is the current folder
        arguments = json.dumps([limits.megabytes, path if root in path else [*path, root]])
        self._limits = limits
        self._child = subprocess.Popen(  # noqa: S603  # our own interpreter
            [sys.executable, "-I", "-S", "-B", "-c", _START, arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={name: os.environ[name] for name in _LIBRARY_PATHS if name in os.environ},
            cwd=os.sep,
            start_new_session=True,
            bufsize=0,
        )
        assert self._child.stdin, "it is a pipe"  # noqa: S101
        assert self._child.stdout, "it is a pipe"  # noqa: S101
        self._stdin, self._stdout = self._child.stdin, self._child.stdout
        os.set_blocking(self._stdin.fileno(), False)
        os.set_blocking(self._stdout.fileno(), False)
        self._lock = threading.Lock()
        self._is_ready = False

    @property
    def is_alive(self) -> bool:
        return self._child.poll() is None

    def send(self, request: bytes) -> None:
        """Send a request, once the child is ready."""
        deadline = time.monotonic() + _STARTING
        try:
            if not self._is_ready:
                self._read_frame(deadline)
                self._is_ready = True
            rest = memoryview(len(request).to_bytes(LENGTH, "big") + request)
            while rest:
                self._wait(self._stdin.fileno(), select.POLLOUT, deadline)
                with suppress(BlockingIOError):
                    rest = rest[os.write(self._stdin.fileno(), rest) :]
        except TimeoutError:
            raise BrokenLimitError(f"the worker process did not start within {_STARTING:.0f} s") from None
        except (OSError, EOFError):
            raise self._ended() from None

    def receive(self) -> tuple[Mapping[str, Any], int]:
        """Return the child's answer to one item, and its size."""
        try:
            frame = self._read_frame(time.monotonic() + self._limits.seconds + _PATIENCE)
            content = json.loads(frame.decode("utf-8", "surrogatepass"))
        except TimeoutError:
            raise self._too_slow() from None
        except (ValueError, RecursionError):
            raise BrokenLimitError(_UNREADABLE) from None
        except (OSError, EOFError):
            raise self._ended() from None
        match content:
            case {"answer": _}:
                return content, len(frame)
            case {"failed": "memory"}:
                raise BrokenLimitError(f"it needs more than {self._limits.megabytes} MB")
        raise BrokenLimitError(_UNREADABLE)

    def _read_frame(self, deadline: float) -> bytes:
        length = int.from_bytes(self._read(LENGTH, deadline), "big")
        if length > MAX_BYTES:
            raise BrokenLimitError(f"the result is larger than {MAX_BYTES >> 20} MB")
        return self._read(length, deadline)

    def _read(self, size: int, deadline: float) -> bytes:
        content = bytearray()
        while len(content) < size:
            self._wait(self._stdout.fileno(), select.POLLIN, deadline)
            piece = os.read(self._stdout.fileno(), min(size - len(content), 1 << 20))
            if not piece:
                raise EOFError
            content += piece
        return bytes(content)

    @staticmethod
    def _wait(descriptor: int, event: int, deadline: float) -> None:
        poll = select.poll()
        poll.register(descriptor, event)
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            raise TimeoutError

    def _too_slow(self) -> BrokenLimitError:
        return BrokenLimitError(f"it took longer than {self._limits.seconds:g} s")

    def _ended(self) -> BrokenLimitError:
        """Return why the child has ended by itself."""
        self.end()
        status = self._child.returncode
        if status == -signal.SIGPROF:
            return self._too_slow()
        return BrokenLimitError(f"it ended the worker process (status {status})")

    def kill(self) -> None:
        """Kill the child, whatever it is doing."""
        with self._lock:
            if self._child.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(self._child.pid, signal.SIGKILL)

    def end(self) -> None:
        """Kill the child and close its pipes."""
        self.kill()
        with self._lock:
            self._child.wait()
        self._stdin.close()
        self._stdout.close()
