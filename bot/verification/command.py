"""Runs one command in a clean place, with limits: the only module that starts generated code."""

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.errors import PhasebotError
from bot.history.child_process import held
from bot.verification.environment import is_inside
from bot.verification.launcher import NETWORK, NOBODY, PROCESSES, USER, adopt_orphans
from bot.verification.limits import Limits, Watch, system_limits
from bot.verification.place import give_to
from bot.verification.usage import end, family, reap
from bot.verification.verdict import Ending

_LAUNCHER = str(Path(__file__).with_name("launcher.py"))
_TICK = 0.1
_PIECE = 1 << 16
_DRAIN = 2.0
"""How long output is read after the command has ended, in seconds."""
_ENDING = 5.0
"""How long the launcher may take to end what is left, in seconds."""
_ROUNDS, _PAUSE = 200, 0.01
"""How often, and how many seconds apart, orphans are looked for: they may start others until they have ended."""


@dataclass(slots=True)
class Output:
    """What a command printed: the beginning and the end."""

    most: int
    """How many bytes are kept."""
    head: bytearray = field(default_factory=bytearray)
    tail: bytearray = field(default_factory=bytearray)
    total: int = 0

    def add(self, piece: bytes) -> None:
        self.total += len(piece)
        room = self.most // 2 - len(self.head)
        if room > 0:
            self.head += piece[:room]
            piece = piece[room:]
        self.tail += piece
        del self.tail[: -(self.most - self.most // 2)]

    @property
    def is_whole(self) -> bool:
        return self.total <= self.most

    @property
    def content(self) -> bytes:
        return bytes(self.head) + (b"" if self.is_whole else b"\n[...]\n") + bytes(self.tail)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """How a command is to be run."""

    run: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    place: Path
    """The only folder that it may write to, besides *writable*."""
    hidden: Sequence[str] = ()
    """Folders that it may not look into, but for *shown* and *writable*."""
    shown: Sequence[str] = ()
    writable: Sequence[str] = ()
    network: bool = False
    limits: Limits = field(default_factory=Limits)
    keep: int = 256 << 10
    """How many bytes of its standard output are kept, and as many of its standard error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How a command ended."""

    ending: Ending
    status: int | None
    """None if it did not end by itself."""
    seconds: float
    out: Output
    err: Output
    left: int = 0
    """Processes that it left behind, which were ended."""
    why: str = ""
    """What the system said if it could not be started."""


def find_isolation(call: Call) -> frozenset[str]:
    """Return what this system lets a command be apart from, tried with *call*: all, the network only, or nothing.

    If root calls, the place belongs to whom commands run as afterwards.
    """
    levels = [frozenset({PROCESSES, NETWORK}), frozenset({NETWORK}), frozenset()]
    is_root = os.geteuid() == 0
    for apart in (level | user for level in levels for user in ([frozenset({USER})] * is_root + [frozenset()])):
        with suppress(NotApartError, OSError):  # in a container, root may not be able to give anything away
            if is_root:
                give_to(NOBODY if USER in apart else 0, call.place)
            if run_command(call, apart).ending == "passed":
                return apart
    return frozenset()


class NotApartError(PhasebotError):
    """The system does not let the command be apart."""


def run_command(call: Call, apart: frozenset[str]) -> Ran:
    """Run a command to its end; no process of it is left then.  Nothing else may start processes meanwhile.

    Raises:
        PhasebotError: It can't be started.
    """
    start = time.monotonic()
    apart = apart - {NETWORK} if call.network else apart
    adopt_orphans()
    others = {each.pid for each in family(os.getpid())}
    with _launched(call, apart) as (process, answers):
        watch = Watch(process.pid, call.limits, str(call.place), start)
        streams = {"out": Output(call.keep), "err": Output(call.keep)}
        told = _listen(process, answers, streams, watch)
        _end(process)
        left = _end_orphans(others)
    seconds = time.monotonic() - start
    if told.get("failed") == "apart":
        raise NotApartError(
            f"verifying: the command can't be kept apart from the rest of this system: {told.get('why')}"
        )
    status = told.get("status")
    ending: Ending = watch.broken or ("lost" if status is None else "failed" if status else "passed")
    if told.get("failed"):
        ending, status = "missing", None
    return Ran(
        ending=ending,
        status=None if watch.broken else status,
        seconds=seconds,
        out=streams["out"],
        err=streams["err"],
        left=int(told.get("left", 0)) + (0 if watch.broken else left),
        why=str(told.get("why", "")),
    )


@contextmanager
def _launched(call: Call, apart: frozenset[str]) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    """Start the launcher; yield it, and the descriptor of its answers."""
    reader, writer = os.pipe()
    hidden = [each for each in _outermost(call.hidden) if Path(each).is_dir()]
    request = {
        "answers": writer,
        "parent": os.getpid(),
        "run": [*call.run],
        "folder": str(call.folder),
        "environment": call.environment,
        "apart": sorted(apart),
        "limits": system_limits(call.limits),
        "processes": call.limits.processes,
        "hidden": hidden,
        "shown": _outermost([each for each in map(os.path.realpath, call.shown) if is_inside(each, hidden)]),
        "writable": [str(call.place), *call.writable],
    }
    try:
        process = subprocess.Popen(  # noqa: S603  # what it is for
            [sys.executable, "-I", "-S", "-B", _LAUNCHER, json.dumps(request)],
            cwd=call.place,
            env={},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(writer,),
            start_new_session=True,
        )
    except OSError as exc:
        os.close(reader)
        raise PhasebotError(f"verifying: no process can be started: {exc.strerror}; try again") from exc
    finally:
        os.close(writer)
    try:
        with held(process):
            yield process, reader
    finally:
        os.close(reader)
        for pipe in (process.stdout, process.stderr):
            if pipe:
                pipe.close()


def _outermost(folders: Sequence[str]) -> list[str]:
    """Return those of *folders*, or of files, that exist and are in none of the others."""
    found = list[str]()
    for folder in sorted({os.path.realpath(each) for each in folders}):
        if os.path.exists(folder) and folder != os.sep:  # noqa: PTH110
            found += [] if any(folder.startswith(f"{each}/") for each in found) else [folder]
    return found


def _listen(
    process: "subprocess.Popen[bytes]", answers: int, streams: Mapping[str, Output], watch: Watch
) -> Mapping[str, Any]:
    """Read output until the launcher answers or a limit is broken; return its first answer, which may be empty."""
    told, until = bytearray(), None
    assert process.stdout, "it is a pipe"  # noqa: S101
    assert process.stderr, "it is a pipe"  # noqa: S101
    with selectors.DefaultSelector() as selector:
        for descriptor, name in ((process.stdout.fileno(), "out"), (process.stderr.fileno(), "err"), (answers, "")):
            os.set_blocking(descriptor, False)
            selector.register(descriptor, selectors.EVENT_READ, name)
        while selector.get_map() and (until is None or time.monotonic() < until):
            for key, _ in selector.select(_TICK):
                piece = b""
                with suppress(BlockingIOError):
                    piece = os.read(key.fd, _PIECE)
                if not piece:
                    selector.unregister(key.fd)
                elif key.data:
                    streams[key.data].add(piece)
                else:
                    told += piece
            if until is None and (answers not in {key.fd for key in selector.get_map().values()}):
                until = time.monotonic() + _DRAIN
            if until is None and not watch.holds(sum(each.total for each in streams.values())):
                break
    first = bytes(told).partition(b"\n")[0]
    return json.loads(first) if first else {}


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End all that the launcher started: it does so itself when it is asked; else it is done here."""
    below = family(process.pid)
    for number in (signal.SIGCONT, signal.SIGTERM):  # the command may have stopped it
        process.send_signal(number)
    with suppress(subprocess.TimeoutExpired):
        process.wait(_ENDING)
    end([*below, *family(process.pid)])


def _end_orphans(others: Collection[int]) -> int:
    """End what is left of a command that has killed the launcher, and return how many processes that were.

    *others* are processes below this one that are none of the command's.
    """
    count = 0
    for _ in range(_ROUNDS):
        left = [each for each in family(os.getpid()) if each.pid not in others]
        if not left:
            break
        count = max(count, len(left))
        end(left)
        time.sleep(_PAUSE)
    reap(others)
    return count
