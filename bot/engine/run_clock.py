"""The time that one process has for a run."""

from collections.abc import Callable


class RunClock:
    """Measures phases, and says whether there is time for one more."""

    def __init__(self, timer: Callable[[], float], seconds: float | None) -> None:
        """Start now, with *seconds* to go by the monotonic *timer*; None for no limit."""
        self._timer, self._end = timer, None if seconds is None else timer() + seconds
        self.timings: dict[str, tuple[float, float]] = {}
        """Phase key → start and end, by the timer."""

    @property
    def left(self) -> float | None:
        """Seconds left; None without a limit."""
        return None if self._end is None else max(0.0, self._end - self._timer())

    @property
    def has_time(self) -> bool:
        """Whether the time left is likely enough for one more phase: as much as the slowest one took."""
        slowest = max((ended - started for started, ended in self.timings.values()), default=0.0)
        return self.left is None or self.left > slowest
