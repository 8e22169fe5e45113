"""How much of the system a command uses: its processes and their memory, and the disk.  Linux tells; others don't."""

import os
import signal
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

_PROC = Path("/proc")
_MAX_ENTRIES = 500_000
"""More files than this are as bad as a full disk: they take long to list and to remove."""
_BLOCK = 512


class Member(NamedTuple):
    """A process, as it was when it was looked at: another one may get its number later."""

    pid: int
    parent: int
    group: int
    start: int
    """When it started, in ticks of the system's clock."""


def family(root: int) -> Sequence[Member]:
    """Return what the process *root* started, with what that started; nothing where the system does not tell."""
    children = dict[int, list[Member]]()
    for entry in os.listdir(_PROC) if _PROC.is_dir() else ():  # noqa: PTH208  # names are all that is needed
        if entry.isdecimal() and (member := _look(int(entry))):
            children.setdefault(member.parent, []).append(member)
    found, waiting = list[Member](), [root]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += [each.pid for each in below]
    return found


def reap(others: Collection[int]) -> None:
    """Take note of the end of all children but *others*, so that nothing is left of them."""
    for entry in os.listdir(_PROC) if _PROC.is_dir() else ():  # noqa: PTH208  # the same
        if entry.isdecimal() and int(entry) not in others:
            with suppress(ChildProcessError):  # it is another one's child
                os.waitpid(int(entry), os.WNOHANG)


def _look(pid: int) -> Member | None:
    """Return the process *pid*; None if it has ended."""
    try:
        state, *fields = (_PROC / str(pid) / "stat").read_text("latin-1").rpartition(")")[2].split()
        return None if state in "ZX" else Member(pid, int(fields[0]), int(fields[1]), int(fields[18]))
    except (OSError, ValueError, IndexError):
        return None


def memory(members: Iterable[Member]) -> int:
    """Return how many bytes of memory processes have that they don't share with others."""
    return sum(map(_memory, members))


def end(members: Iterable[Member]) -> None:
    """Kill those of *members* that still run, with their groups, which can't outrun that by forking."""
    spared = {os.getpgrp(), 0, 1}
    for each in members:
        with suppress(OSError):
            descriptor = os.pidfd_open(each.pid)  # it stays the same process, whoever gets the number
            try:
                if (now := _look(each.pid)) and now.start == each.start:
                    if now.group not in spared:
                        os.killpg(now.group, signal.SIGKILL)
                    signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            finally:
                os.close(descriptor)


def _memory(member: Member) -> int:
    try:
        _, resident, shared, *_ = (_PROC / str(member.pid) / "statm").read_text().split()
    except (OSError, ValueError):
        return 0
    return (int(resident) - int(shared)) * os.sysconf("SC_PAGE_SIZE")


def folder_size(folder: str, most: int) -> int:
    """Return how many bytes the files in *folder* take; more than *most* if they are too many or too deep."""
    size, count, waiting = 0, 0, [folder]
    while waiting:
        try:
            entries = os.scandir(waiting.pop())
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            continue
        except OSError:  # the path is too long
            return most + 1
        with entries:
            for entry in entries:
                count += 1
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                with suppress(OSError):
                    size += entry.stat(follow_symlinks=False).st_blocks * _BLOCK
                if size > most or count > _MAX_ENTRIES:
                    return most + 1
    return size


def free_bytes(folder: str) -> int:
    """Return how much is free on the disk of *folder*."""
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize
