"""The time limit of one process's work on a run."""

from collections.abc import Callable


class RunClock:
    """Measures how long phases take, and tells whether there is time for another one."""

    def __init__(self, timer: Callable[[], float], seconds: float | None) -> None:
        """Start now, with a limit of *seconds* on the monotonic *timer*; None for no limit."""
        self._timer, self._end = timer, None if seconds is None else timer() + seconds
        self.timings: dict[str, tuple[float, float]] = {}
        """Phase key → start and end, by the timer."""

    @property
    def left(self) -> float | None:
        """Seconds left; None without a limit."""
        return None if self._end is None else max(0.0, self._end - self._timer())

    @property
    def has_time(self) -> bool:
        """Whether another phase probably fits: there is more time left than the slowest one took."""
        slowest = max((ended - started for started, ended in self.timings.values()), default=0.0)
        return self.left is None or self.left > slowest
