"""The child's side of the bounded worker: limits itself, then performs one task after the other until its input ends.

A request is a pickle of the parent's, an answer is JSON.  Each item has a time limit that the system enforces, so the
child ends even if the parent was killed in the middle of a task.  It is processor time: on a busy machine, an item that
needs little of it may take long.
"""

import json
import os
import pickle
import resource
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from bot.sandbox.protocol import LENGTH
from bot.sandbox.tasks import perform, prepare


def main(megabytes: int) -> None:
    """Serve requests from standard input, with at most *megabytes* of memory for them."""
    with os.fdopen(os.dup(1), "wb") as answers:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)  # what is printed by mistake is no answer
        prepare("render")  # most often the first
        _limit(megabytes)
        _send(answers, _encode({}))
        while request := _read(LENGTH):
            _serve(_read(int.from_bytes(request, "big")), answers)


def _serve(request: bytes, answers: BinaryIO) -> None:
    task, shared, items, seconds = pickle.loads(request)  # noqa: S301  # our parent wrote it
    prepare(task)
    for item in items:
        signal.setitimer(signal.ITIMER_PROF, seconds)  # its signal ends the process
        try:
            answer = _encode({"answer": perform(task, shared, item)})
        except MemoryError:
            _send(answers, _encode({"failed": "memory"}))
            sys.exit(1)
        _send(answers, answer)
        signal.setitimer(signal.ITIMER_PROF, 0)


def _encode(content: object) -> bytes:
    return json.dumps(content, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _send(answers: BinaryIO, answer: bytes) -> None:
    answers.write(len(answer).to_bytes(LENGTH, "big"))
    answers.write(answer)
    answers.flush()


def _read(size: int) -> bytes:
    """Return the next *size* bytes of the input; fewer, if it ends."""
    pieces = []
    while size and (piece := os.read(0, min(size, 1 << 20))):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def _limit(megabytes: int) -> None:
    """Limit memory, files and processes, where the system can (macOS ignores the limit on memory)."""
    limits = {
        resource.RLIMIT_AS: _address_space() + (megabytes << 20),
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NPROC: 0,
        resource.RLIMIT_NOFILE: 64,
    }
    for limit, value in limits.items():
        with suppress(ValueError, OSError):
            resource.setrlimit(limit, (value, value))


def _address_space() -> int:
    """Return how much the process has already, in bytes."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except (OSError, ValueError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
