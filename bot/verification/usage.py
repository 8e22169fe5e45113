"""How much of the system a command uses: its processes and their memory, and the disk.  Linux tells; others don't."""

import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

_PROC = Path("/proc")
_MAX_ENTRIES = 500_000
"""More files than this are as bad as a full disk: they take long to list and to remove."""
_BLOCK = 512


class Family(NamedTuple):
    """A process and all that it started."""

    pids: tuple[int, ...]
    bytes: int
    """Memory that they don't share with others."""


def family(root: int) -> Family:
    """Return the process *root* with its descendants; only *root* where the system does not tell."""
    parents = dict[int, int]()
    for entry in os.listdir(_PROC) if _PROC.is_dir() else ():  # noqa: PTH208  # names are all that is needed
        if entry.isdecimal():
            with suppress(OSError, ValueError, IndexError):
                parents[int(entry)] = int((_PROC / entry / "stat").read_text("latin-1").rpartition(")")[2].split()[1])
    children = dict[int, list[int]]()
    for pid, parent in parents.items():
        children.setdefault(parent, []).append(pid)
    found, waiting = list[int](), [root]
    while waiting:
        found.append(waiting.pop())
        waiting += children.get(found[-1], ())
    return Family(tuple(found), sum(map(_memory, found)))


def _memory(pid: int) -> int:
    try:
        _, resident, shared, *_ = (_PROC / str(pid) / "statm").read_text().split()
    except (OSError, ValueError):
        return 0
    return (int(resident) - int(shared)) * os.sysconf("SC_PAGE_SIZE")


def folder_size(folder: str, most: int) -> int:
    """Return how many bytes the files in *folder* take; more than *most* if they are too many or too deep."""
    size, count, waiting = 0, 0, [folder]
    while waiting:
        try:
            entries = os.scandir(waiting.pop())
        except FileNotFoundError:
            continue
        except PermissionError:
            continue
        except OSError:  # the path is too long
            return most + 1
        with entries:
            for entry in entries:
                count += 1
                with suppress(OSError):
                    size += entry.stat(follow_symlinks=False).st_blocks * _BLOCK
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                if size > most or count > _MAX_ENTRIES:
                    return most + 1
    return size


def free_bytes(folder: str) -> int:
    """Return how much is free on the disk of *folder*."""
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize
