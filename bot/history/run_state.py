"""The state of commits, files, phases and a whole run.  Plain values; :mod:`.ledger` derives them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from bot.history.trailers import Trailers
from bot.planning.phases import Phase

UNKNOWN_MODEL = "unknown"
"""Used for a commit that records tokens but no model."""

_FILE_MODES = ("100644", "100755")

PhaseStatus = Literal["complete", "partial", "pending", "reverted"]
Stale = Literal["plan", "dependency", "recipe"]


class Entry(NamedTuple):
    """A tree entry: git's mode (``100644``, ``120000``, ``040000`` …) and object id."""

    mode: str
    oid: str

    @property
    def is_file(self) -> bool:
        return self.mode in _FILE_MODES


@dataclass(frozen=True, slots=True)
class Commit:
    """The parts of a commit that the state is derived from."""

    oid: str
    trailers: Trailers | None
    """None for a person's commit."""
    body: str = ""
    changes: Mapping[str, Entry | None] = field(default_factory=dict)
    """Path → its new entry, compared with the first parent; None for a deletion."""


class FileState(NamedTuple):
    """The state of one path."""

    head: Entry | None
    """The entry at head."""
    generated: Entry | None
    """The last generated version that contains no human edits."""
    merges: tuple[tuple[Entry, Entry], ...] = ()
    """The entries before and after each later commit of the phase, which merged human edits."""

    @property
    def edited(self) -> bool:
        """Whether a person changed or removed the file after it was generated."""
        return self.generated is not None and self.head != self.generated


@dataclass(frozen=True, slots=True)
class PhaseState:
    """The state of one phase."""

    phase: Phase
    status: PhaseStatus
    commit: str | None
    files: tuple[str, ...]
    """Generated paths, in plan order."""
    missing: tuple[str, ...]
    edited: tuple[str, ...]
    conflicts: tuple[str, ...]
    stale: Stale | None
    tokens: tuple[int, int]
    """Tokens in and out, summed over all commits of the phase."""
    wanted: tuple[str, ...]
    """The files that a run must generate: all of them, the missing ones, or none."""
    reasons: Mapping[str, str] = field(default_factory=dict)
    """Missing path → why, as a code of :mod:`bot.history.reasons`; not for commits of earlier releases."""
    fallback: tuple[str, ...] = ()
    """Files from the fallback provider, because the requested one failed."""


@dataclass(frozen=True, slots=True)
class PlanFault:
    """Why the plan at head can't be read, and where."""

    message: str
    path: str
    commit: str
    """The commit that broke or removed the file."""
    line: int | None = None
    removed: bool = False


@dataclass(frozen=True, slots=True)
class RunState:
    """The state of one run.  Comments, reports and terminal output are rendered from this."""

    run: str
    branch: str
    base: str
    head: str
    phases: Sequence[PhaseState]
    tokens: tuple[int, int]
    models: Mapping[str, tuple[int, int]]
    """Tokens in and out per model."""
    pushed: bool
    fault: PlanFault | None = None
    """Set if the plan at head can't be read; the phases are then those of the last plan that could be."""

    @property
    def complete(self) -> bool:
        return self.fault is None and bool(self.phases) and all(not phase.wanted for phase in self.phases)
