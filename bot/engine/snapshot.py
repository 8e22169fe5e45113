"""An immutable snapshot of a run, for announcers.  Nothing outside the engine reads its live state."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from bot.assessment.finding import Finding
from bot.history.run_state import PhaseState, RunState
from bot.planning.plan import Plan
from bot.planning.recipe_model import TryIt
from bot.verification.verdict import Verified


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """State, timings, failures and budget of a run."""

    state: RunState
    """Derived from history; includes commits that are not pushed yet."""
    plan: Plan | None = None
    warnings: Sequence[str] = ()
    """What people should know about options of the plan."""
    try_it: TryIt = field(default_factory=TryIt)
    """What people type to try the project, as its recipe says."""
    by_templates: bool = False
    """Whether this process generates with templates only."""
    jobs: int = 1
    """How many phases may be generated at the same time."""
    pushes: bool = False
    """Whether commits are pushed."""
    done_before: int = 0
    """Number of phases that were up to date when this process started."""
    has_work: bool = True
    """Whether this process found phases to generate when it started."""
    published: Sequence[tuple[str, str]] = ()
    """Phase key and commit of what this process generated and published, in commit order."""
    unpublished: frozenset[str] = frozenset()
    """Phase commits that others can't see yet."""
    active: Mapping[str, float] = field(default_factory=dict)
    """Key of each phase that is being generated → when it was started, by the run's timer."""
    timings: Sequence[tuple[str, float, float]] = ()
    """Key, start and end of each phase that this process generated, by the run's timer."""
    rejected: Mapping[str, str] = field(default_factory=dict)
    """Path → the generated change that was not written, as a diff; only at the end of a run."""
    verified: Verified | None = None
    """What was verified of the run, seen from its head; only at the end of a command."""
    failures: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Phase key → path → why this process could not generate the file."""
    findings: Mapping[str, Sequence[Finding]] = field(default_factory=dict)
    """Phase key → the errors left in what a model wrote for it in this process."""

    def phase(self, key: str) -> PhaseState:
        """Return the state of the phase *key*."""
        return next(each for each in self.state.phases if each.phase.key == key)

    @property
    def published_state(self) -> RunState:
        """The state without commits that others can't see yet."""
        phases = [_as_pending(each) if each.commit in self.unpublished else each for each in self.state.phases]
        return replace(self.state, phases=tuple(phases))

    @property
    def likely_tokens(self) -> int:
        """The tokens that the whole run likely needs: what it used, and the largest phase's tokens per open phase.

        Rounded up to two digits, because people read it as advice.
        """
        used = [sum(each.tokens) for each in self.state.phases]
        open_phases = sum(1 for each in self.state.phases if each.wanted)
        likely = sum(self.state.tokens) + open_phases * max(used, default=0)
        unit = int(f"1{'0' * (len(str(likely)) - 2)}")
        return -(-likely // unit) * unit


def _as_pending(each: PhaseState) -> PhaseState:
    nothing = replace(each, status="pending", commit=None, files=(), missing=(), reasons={}, unmet=(), findings_left=0)
    return replace(nothing, wanted=tuple(each.phase.files))


class Announcer(Protocol):
    """Shows a run to people.  Must not raise: a failed announcement never fails a run."""

    def show(self, snapshot: Snapshot) -> None:
        """Show the state of the run; called after every change, and once at the end."""

    def note(self, message: str) -> None:
        """Show one message that is not part of the state."""
