"""What is known of commits, files, phases and a whole run.  Values only; :mod:`.ledger` derives them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from bot.history.trailers import Trailers
from bot.planning.phases import Phase

UNKNOWN_MODEL = "unknown"
"""Stands for the model of a commit that names none but says what it cost."""

_FILE_MODES = ("100644", "100755")

PhaseStatus = Literal["complete", "partial", "pending", "reverted"]
Stale = Literal["plan", "dependency", "recipe"]


class Entry(NamedTuple):
    """What stands at a path in a tree: git's mode (``100644``, ``120000``, ``040000`` …) and object id."""

    mode: str
    oid: str

    @property
    def is_file(self) -> bool:
        return self.mode in _FILE_MODES


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit of the branch, as far as the state depends on it."""

    oid: str
    trailers: Trailers | None
    """None for a person's commit."""
    body: str = ""
    changes: Mapping[str, Entry | None] = field(default_factory=dict)
    """Path → what it left there, against its first parent; None for a deletion."""


class FileState(NamedTuple):
    """One path of the run: what stands there now, and what the bot last put there by itself."""

    head: Entry | None
    generated: Entry | None
    """The last version without a person's lines in it."""
    merges: tuple[tuple[Entry, Entry], ...] = ()
    """What stood there before and after each later commit of the phase, merging a person's lines."""

    @property
    def edited(self) -> bool:
        """Whether a person changed or removed the file after the bot made it."""
        return self.generated is not None and self.head != self.generated


@dataclass(frozen=True, slots=True)
class PhaseState:
    """How far one phase has come."""

    phase: Phase
    status: PhaseStatus
    commit: str | None
    files: tuple[str, ...]
    """Paths of the phase that are made, in plan order."""
    missing: tuple[str, ...]
    edited: tuple[str, ...]
    conflicts: tuple[str, ...]
    stale: Stale | None
    tokens: tuple[int, int]
    """In and out, over all commits of the phase."""
    wanted: tuple[str, ...]
    """The files a run has to make: all, those missing, or none."""
    fallback: tuple[str, ...] = ()
    """Those that another provider made, because the one asked for could not."""


@dataclass(frozen=True, slots=True)
class RunState:
    """One run as people see it: every announcement is rendered from this."""

    run: str
    branch: str
    base: str
    head: str
    phases: Sequence[PhaseState]
    tokens: tuple[int, int]
    models: Mapping[str, tuple[int, int]]
    """The same by model."""
    pushed: bool

    @property
    def complete(self) -> bool:
        return bool(self.phases) and all(not phase.wanted for phase in self.phases)
