"""The terms of a run: what it may use, who asked for it, and how it ended."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from bot.errors import PhasebotError
from bot.history.state import RunState


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a run may use."""

    jobs: int = 8
    only: Collection[str] = ()
    """Phase keys; empty means all."""
    seconds: float | None = None
    """Time after which no phase may be under way; none is begun that would likely take longer."""
    tokens: int | None = None
    """For the whole run, over all its processes; see :class:`bot.generation.budget.Budget`."""


@dataclass(frozen=True, slots=True)
class Requested:
    """Who asked for a run on a forge, so that every commit says so."""

    login: str
    comment: str
    """The id of the comment."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended: where it stands, and what kept it from going on."""

    state: RunState
    left: Sequence[str]
    """Keys of the phases that it should have made and that are still to be made."""
    error: PhasebotError | None = None
