"""The parent's side of the bounded worker: starts it, asks it, and ends it when it breaks a limit.

The worker is a child process that renders templates and judges what a model wrote.  Such text may want any amount of
time or memory, or crash a parser.
"""

import asyncio
import atexit
import pickle
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from functools import cache, cached_property, partial
from typing import Any, TypeVar

from bot.sandbox.process import BrokenLimitError, Limits, Process
from bot.sandbox.protocol import MAX_BYTES, Failure, Run

T = TypeVar("T")

_GRACE = 1.0
"""How many seconds :meth:`Worker.finish` goes on when it is cancelled."""
_STRIKES = 3
"""How many items of one call may break a limit; those after them are not tried."""
_PROCESSES = 2
"""At most: one for tasks, and one for the event loop's own thread, which must not wait for another caller's task."""


class Worker:
    """Performs tasks in a child process, which is started when it is needed, and again when it had to be ended."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._idle: list[Process] = []
        self._lock = threading.Lock()
        self._slots = threading.BoundedSemaphore(_PROCESSES)

    def start(self) -> None:
        """Start the child in the background, if there is none, so that the first task need not wait for it."""
        with self._lock, suppress(OSError):  # reported by the first task
            if not self._idle:
                self._idle.append(Process(self._limits))

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
        except BrokenLimitError as exc:
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

    def _take(self) -> "Process":
        """Return a child that is not in use, or a new one; one that somebody killed is dropped."""
        with self._lock:
            while self._idle:
                process = self._idle.pop()
                if process.is_alive:
                    return process
                process.end()
            return Process(self._limits)

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


class _Call:
    """A call of the worker, which another thread may abandon."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: Process | None = None
        self._abandoned = False

    def begin(self, process: "Process") -> None:
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
