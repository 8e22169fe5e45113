"""What a command may use, and the watch over it."""

import os
import time
from collections.abc import Mapping
from typing import NamedTuple

from bot.verification.usage import family, folder_size, free_bytes, memory
from bot.verification.verdict import Ending

_TICK = 0.5
_MEGABYTE = 1 << 20
_DISK_SHARE = 20
"""The disk is measured during one part in so many of the time."""


class Limits(NamedTuple):
    """What a command may use."""

    seconds: float = 300.0
    megabytes: int = 4_096
    """Memory of all its processes; also of each by itself."""
    processes: int = 512
    disk_megabytes: int = 5_120
    """Size of the place."""
    file_megabytes: int = 1_024
    output_megabytes: int = 1_024
    """What it may print; most of it is not kept."""


def system_limits(limits: Limits) -> Mapping[str, int]:
    """Return the limits that the system enforces on each process."""
    return {
        "RLIMIT_CPU": int(limits.seconds) * (os.cpu_count() or 1) + 10,
        "RLIMIT_DATA": limits.megabytes * _MEGABYTE,  # not of the address space, which some programs only reserve
        "RLIMIT_FSIZE": limits.file_megabytes * _MEGABYTE,
        "RLIMIT_NOFILE": 4_096,
        "RLIMIT_CORE": 0,
    }


class Watch:
    """Looks twice a second whether a command keeps its limits."""

    def __init__(self, pid: int, limits: Limits, place: str, start: float) -> None:
        """Watch the process *pid* and all below it, since *start*; *place* is the folder that it may fill."""
        self.broken: Ending | None = None
        self._pid, self._limits, self._place = pid, limits, place
        self._deadline = start + limits.seconds
        self._free = free_bytes(self._place)
        self._next, self._next_disk = start, start

    def holds(self, printed: int) -> bool:
        """Whether the limits hold; *printed* is how many bytes of output there were."""
        now = time.monotonic()
        if now >= self._deadline:
            self.broken = "time"
        elif printed > self._limits.output_megabytes * _MEGABYTE:
            self.broken = "output"
        elif now >= self._next:
            self.broken = self._look(now)
            self._next = time.monotonic() + _TICK
        return self.broken is None

    def _look(self, now: float) -> Ending | None:
        found = family(self._pid)
        if len(found) > self._limits.processes:
            return "processes"
        if memory(found) > self._limits.megabytes * _MEGABYTE:
            return "memory"
        if now >= self._next_disk:
            most = self._limits.disk_megabytes * _MEGABYTE
            free = free_bytes(self._place)
            # Also by files that are removed while they are open; what others write must not count.
            is_filling = self._free - free > 2 * most and free < 2 * most
            if is_filling or folder_size(self._place, most) > most:
                return "disk"
            took = time.monotonic() - now
            self._next_disk = now + max(_TICK, took * _DISK_SHARE)
        return None
