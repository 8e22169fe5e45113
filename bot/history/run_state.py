"""The state of commits, files, phases and a whole run.  Plain values; :mod:`.ledger` derives them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from bot.history.trailers import Trailers
from bot.planning.phases import PLAN_PHASE, Phase

UNKNOWN_MODEL = "unknown"
"""Used for a commit that records tokens but no model."""

FOLDER = "040000"
"""Git's mode of a folder."""
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
    author: str = ""
    """``Name <email>``."""
    committer: str = ""
    disowned: Trailers | None = None
    """Trailers that do not count, because the author is not one that makes phases here."""
    time: int = field(default=0, compare=False)
    """When it was committed, in seconds since 1970; 0 if that was not read."""


class Generated(NamedTuple):
    """What the bot last made of a path, without human edits."""

    entry: Entry | None
    """The last generated version that stands in history without human edits; None for a removal."""
    merges: tuple[tuple[Entry, Entry], ...] = ()
    """The entries before and after each later commit of the phase, which merged human edits."""
    trailers: Trailers | None = None
    """Of the newest commit that made the file, so that what it was made from can be looked up; None if unknown."""


class FileState(NamedTuple):
    """The state of one path."""

    head: Entry | None
    """The entry at head."""
    made: Generated | None
    """What the bot last made of it; None if it never made it."""

    @property
    def generated(self) -> Entry | None:
        """The last generated version that contains no human edits; None if there is none."""
        return self.made.entry if self.made else None

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
    """Files whose new version was dropped for the person's, and that nobody has changed since."""
    stale: Stale | None
    tokens: tuple[int, int]
    """Tokens in and out, summed over all commits of the phase."""
    wanted: tuple[str, ...]
    """The files that a run must generate: all of them, the missing ones, or none."""
    reasons: Mapping[str, str] = field(default_factory=dict)
    """Missing path → why, as a code of :mod:`bot.history.reasons`; not for commits of earlier releases."""
    fallback: tuple[str, ...] = ()
    """Files from the fallback provider, because the requested one failed."""
    kept: Mapping[str, str] = field(default_factory=dict)
    """Planned path → the person's own file that stands there, possibly in another spelling.  The bot never made it."""
    removed: tuple[str, ...] = ()
    """Generated files that people removed; they stay removed."""
    author: str = ""
    """Who made the phase's commit: ``Name <email>``."""
    blocked: Mapping[str, str] = field(default_factory=dict)
    """Path in conflict → the folder, link or file in another spelling that is in its way."""
    unmet: tuple[str, ...] = ()
    """What people ask of the phase and templates, which made its files, did not carry out."""
    findings_left: int = 0
    """How many errors were left in what a model wrote when it was committed; 0 once a person changed a file of it."""
    position: int = 0
    """The position of its commit in history; 1 is the oldest commit of the branch, 0 stands for none."""
    by_people: bool = False
    """Whether people wrote all of its files, so that there is nothing to generate, and no commit of the phase."""

    @property
    def done(self) -> bool:
        """Whether nothing of the phase is left to generate or to carry out."""
        return not self.wanted and not self.unmet

    @property
    def unwritable(self) -> Sequence[str]:
        """The files that have to be generated, and that no template makes."""
        return [path for path in self.wanted if path in self.phase.without_template]

    @property
    def total(self) -> int:
        """How many files it has when it is done; plans of earlier releases don't have the text of their spec."""
        if self.phase.key == PLAN_PHASE and self.files:
            return len({*self.files, *self.kept, *self.removed})
        return len(self.phase.files)

    @property
    def open_conflicts(self) -> Sequence[str]:
        """The conflicts that somebody has to resolve; a removed file stays removed, and that needs nothing."""
        return [path for path in self.conflicts if path not in self.removed]


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
    base_problem: str = ""
    """Why the run can't be merged into the base, and what to do."""
    misplaced: Sequence[str] = ()
    """Keys of the plan's instructions that no phase gets, because there is none of that name."""

    @property
    def finished(self) -> bool:
        """Whether nothing is left to generate or to carry out; there may be conflicts."""
        is_whole = self.fault is None and bool(self.phases) and not self.misplaced
        return is_whole and all(phase.done for phase in self.phases)

    @property
    def conflicts(self) -> Sequence[str]:
        """The files with conflicts that somebody has to resolve, in plan order."""
        return [path for phase in self.phases for path in phase.open_conflicts]

    @property
    def complete(self) -> bool:
        """Whether nothing is left to do, neither for the bot nor for people."""
        return self.finished and not self.conflicts
