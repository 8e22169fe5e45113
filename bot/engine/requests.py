"""The terms of a run: what it may use, who asked for it, and how it ended."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from bot.errors import PhasebotError
from bot.history.run_state import RunState


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a run may use."""

    jobs: int = 8
    only: Collection[str] = ()
    """Phase keys; empty means all."""
    seconds: float | None = None
    """Time after which no phase may be under way; none is begun that would likely take longer."""
    tokens: int | None = None
    """For the whole run, over all its processes; see :class:`bot.generation.llm.token_budget.TokenBudget`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """What is to be made again although it is done."""

    phases: Collection[str] = ()
    """Phase keys."""
    cascade: bool = False
    """Whether phases that need a newer one are made again, too."""
    instruction: str = ""
    """What to tell those who make the *phases*; becomes part of the plan."""


class RunClock:
    """The time that one process has for a run, and what its phases take of it."""

    def __init__(self, timer: Callable[[], float], seconds: float | None) -> None:
        """Start now; None is all the time in the world."""
        self._timer, self._end = timer, None if seconds is None else timer() + seconds
        self.took: dict[str, tuple[float, float]] = {}
        """Phase → begin and end, by the timer."""

    @property
    def left(self) -> float | None:
        """Seconds."""
        return None if self._end is None else max(0.0, self._end - self._timer())

    @property
    def has_time(self) -> bool:
        """Whether there is likely time for one more phase: as much as the slowest one took."""
        slowest = max((ended - begun for begun, ended in self.took.values()), default=0.0)
        return self.left is None or self.left > slowest


@dataclass(frozen=True, slots=True)
class Requester:
    """Who asked for a run on a forge, so that every commit says so."""

    login: str
    comment: str | None
    """The id of the comment, if it was one."""


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run ended: where it stands, and what kept it from going on."""

    state: RunState
    left: Sequence[str]
    """Keys of the phases that it should have made and that are still to be made."""
    error: PhasebotError | None = None
    late: bool = False
    """Whether time ran out after phases were done, so that another process will get further."""

    @property
    def lacking(self) -> Sequence[str]:
        """Phases that those in :attr:`left` need, still to be made, and not asked for; in plan order."""
        needed = {need for each in self.state.phases if each.phase.key in self.left for need in each.phase.needs}
        keys = [each.phase.key for each in self.state.phases if each.wanted]
        return [key for key in keys if key in needed and key not in self.left]
