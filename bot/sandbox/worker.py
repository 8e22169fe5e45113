"""The parent's side of the bounded worker: starts it, asks it, and ends it when it breaks a limit.

The worker is a child process that renders templates and judges what a model wrote.  Such text may want any amount of
time or memory, or crash a parser.  So the child starts with an empty environment and no files, in a session of its own,
and its answers are JSON of limited size: nothing of it is executed or unpickled here.
"""

import asyncio
import atexit
import json
import os
import pickle
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from functools import cache, cached_property, partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from bot.sandbox.protocol import LENGTH, MAX_BYTES, Failure, Run

T = TypeVar("T")

_STARTING = 30.0
"""How long the child may take to start and to read a request, in seconds."""
_MARGIN = 10.0
"""How many seconds later than the child itself its parent ends it; the child may import modules first."""
_GRACE = 1.0
"""How many seconds :meth:`Worker.finish` goes on when it is cancelled."""
_STRIKES = 3
"""How many items of one call may break a limit; those after them are not tried."""
_PROCESSES = 2
"""At most: one for tasks, and one for the event loop's own thread, which must not wait for another caller's task."""
_LIBRARY_PATHS = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
"""Where the system looks for Python's own library; the only variables that the child gets."""
_UNREADABLE = "the worker process gave an answer that can't be read"
_START = (
    "import json, sys; megabytes, sys.path[:] = json.loads(sys.argv[1]); "
    "from bot.sandbox.child import main; main(megabytes)"
)


class Limits(NamedTuple):
    """What one item may use."""

    seconds: float = 5.0
    megabytes: int = 512


class Worker:
    """Performs tasks in a child process, which is started when it is needed, and again when it had to be ended."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._idle: list[_Process] = []
        self._lock = threading.Lock()
        self._slots = threading.BoundedSemaphore(_PROCESSES)

    def start(self) -> None:
        """Start the child in the background, if there is none, so that the first task need not wait for it."""
        with self._lock, suppress(OSError):  # reported by the first task
            if not self._idle:
                self._idle.append(_Process(self._limits))

    def close(self) -> None:
        """End the child."""
        with self._lock:
            idle, self._idle = self._idle, []
        for process in idle:
            process.end()

    def run(
        self, task: str, shared: object, items: Sequence[object], call: "_Call | None" = None
    ) -> Sequence[Any | Failure]:
        """Perform *task*; see :class:`Run`.  Blocks the thread; in the event loop, use :meth:`call`."""
        call = call or _Call()
        answers: list[Any | Failure] = []
        size, failures = 0, list[Failure]()
        with self._slots:
            while len(answers) < len(items) and len(failures) < _STRIKES and size <= MAX_BYTES:
                with closing(self._attempt(task, shared, items[len(answers) :], call)) as attempt:
                    for answer, length in attempt:
                        answers.append(answer)
                        failures += [answer] if isinstance(answer, Failure) else []
                        size += length
                        if size > MAX_BYTES:
                            break
        if len(answers) < len(items):
            what = f"{len(failures)} others failed: {failures[-1].what}" if failures else "the others are too large"
            answers += [Failure(f"it was not tried, because {what}")] * (len(items) - len(answers))
        return answers

    def _attempt(
        self, task: str, shared: object, items: Sequence[object], call: "_Call"
    ) -> Generator[tuple[Any | Failure, int], None, None]:
        """Yield answers with their sizes until all items are done or one failed."""
        try:
            process = self._take()
        except OSError as exc:
            yield Failure(f"the worker process could not be started: {exc.strerror}"), 0
            return
        kept = False
        try:
            call.begin(process)
            process.send(pickle.dumps((task, shared, items, self._limits.seconds)))
            for _ in items:
                content, length = process.receive()
                yield content["answer"], length
            kept = True
        except _BrokenLimitError as exc:
            process.end()
            call.check()
            yield Failure(str(exc)), 0
        finally:
            call.end()
            if kept:
                with self._lock:
                    self._idle.append(process)
            else:
                process.end()

    def _take(self) -> "_Process":
        """Return a child that is not in use, or a new one; one that somebody killed is dropped."""
        with self._lock:
            while self._idle:
                process = self._idle.pop()
                if process.is_alive:
                    return process
                process.end()
            return _Process(self._limits)

    async def call(self, function: Callable[..., T]) -> T:
        """Return ``function(run=run)`` with a :class:`Run`; the event loop goes on.

        It is called in a thread.  One such function runs at a time.  If this is cancelled, its child process is ended.
        """
        call = _Call()
        run: Run = partial(self.run, call=call)
        future = asyncio.get_running_loop().run_in_executor(self._thread, partial(function, run=run))
        try:
            return await future
        except asyncio.CancelledError:
            call.abandon()
            raise

    async def finish(self, function: Callable[..., T]) -> tuple[T, bool]:
        """Do as :meth:`call`, but if cancelled, go on for a second; return the result, and whether it was cancelled."""
        task = asyncio.create_task(self.call(function))
        try:
            return await asyncio.shield(task), False
        except asyncio.CancelledError:
            await asyncio.wait({task}, timeout=_GRACE)
            if task.done() and not task.cancelled() and not task.exception():
                return task.result(), True
            task.cancel()
            raise

    @cached_property
    def _thread(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(max_workers=1, thread_name_prefix="bounded-worker")


@cache
def shared_worker() -> Worker:
    """Return the worker of this process, which ends with it."""
    worker = Worker()
    atexit.register(worker.close)
    return worker


class AbandonedError(Exception):
    """Nobody waits for the result any more."""


class _BrokenLimitError(Exception):
    """The child took too long or too much, or crashed; the message says which."""


class _Call:
    """A call of the worker, which another thread may abandon."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: _Process | None = None
        self._abandoned = False

    def begin(self, process: "_Process") -> None:
        with self._lock:
            self._process = process
        self.check()

    def end(self) -> None:
        with self._lock:
            self._process = None

    def check(self) -> None:
        if self._abandoned:
            raise AbandonedError

    def abandon(self) -> None:
        with self._lock:
            self._abandoned = True
            if self._process:
                self._process.kill()


class _Process:
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
            raise _BrokenLimitError(f"the worker process did not start within {_STARTING:.0f} s") from None
        except (OSError, EOFError):
            raise self._ended() from None

    def receive(self) -> tuple[Mapping[str, Any], int]:
        """Return the child's answer to one item, and its size."""
        try:
            frame = self._read_frame(time.monotonic() + self._limits.seconds + _MARGIN)
            content = json.loads(frame.decode("utf-8", "surrogatepass"))
        except TimeoutError:
            raise self._too_slow() from None
        except (ValueError, RecursionError):
            raise _BrokenLimitError(_UNREADABLE) from None
        except (OSError, EOFError):
            raise self._ended() from None
        match content:
            case {"answer": _}:
                return content, len(frame)
            case {"failed": "memory"}:
                raise _BrokenLimitError(f"it needs more than {self._limits.megabytes} MB")
        raise _BrokenLimitError(_UNREADABLE)

    def _read_frame(self, deadline: float) -> bytes:
        length = int.from_bytes(self._read(LENGTH, deadline), "big")
        if length > MAX_BYTES:
            raise _BrokenLimitError(f"the result is larger than {MAX_BYTES >> 20} MB")
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

    def _too_slow(self) -> _BrokenLimitError:
        return _BrokenLimitError(f"it took longer than {self._limits.seconds:g} s")

    def _ended(self) -> _BrokenLimitError:
        """Return why the child has ended by itself."""
        self.end()
        status = self._child.returncode
        if status == -signal.SIGALRM:
            return self._too_slow()
        return _BrokenLimitError(f"it ended the worker process (status {status})")

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
