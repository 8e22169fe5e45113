"""Which phases a run has to make: what history lacks, and what somebody asked to have again."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from bot.engine.requests import Again, Limits, Requester
from bot.errors import UsageError
from bot.history.run_branch import RunBranch
from bot.planning.phases import PLAN_PHASE, Phase, find_phase


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduler:
    """Derived anew from the branch whenever it is asked, and from what was there when the process began."""

    branch: RunBranch
    limits: Limits
    again: Again
    requested: Requester | None
    before: Collection[str]
    """The commits that were there at the beginning: a phase made by one of them can be asked for again."""

    def check(self, phases: Sequence[Phase]) -> None:
        """Refuse what can't be asked of *phases*.

        Raises:
            UsageError: A phase is not in the plan, or is the plan.
        """
        for key in (*self.limits.only, *self.again.phases):
            find_phase(phases, key)
        if PLAN_PHASE in self.again.phases:
            raise UsageError("making plan again: a plan is edited, not made again; edit plan.yaml and run generate")

    def keys(self, phases: Sequence[Phase]) -> Collection[str]:
        """Return the phases that are to be looked at: those that were named, with *cascade* those that need them."""
        named = {*self.limits.only, *self.again.phases}
        if not named:
            return {phase.key for phase in phases}
        ledger = self.branch.ledger(phases)
        for phase in phases if self.again.cascade else ():  # in plan order, so what a phase needs comes before it
            if named.intersection(phase.needs) and ledger.made(phase.key):
                named.add(phase.key)
        return named

    def wanted(self, phases: Sequence[Phase]) -> Mapping[str, Sequence[str]]:
        """Return the files that each phase lacks, none for one that is as it should be."""
        return {phase.key: self._wanted(phase, phases) for phase in phases}

    def _wanted(self, phase: Phase, phases: Sequence[Phase]) -> Sequence[str]:
        ledger = self.branch.ledger(phases)
        made = ledger.made(phase.key)
        if made is None or phase.key == PLAN_PHASE:
            return ledger.wanted(phase)
        if phase.key in self.again.phases and made.oid in self.before and not self._answered(phase.key):
            return tuple(phase.files)
        if self.again.cascade and ledger.stale(phase) == "dependency":
            return tuple(phase.files)
        return ledger.wanted(phase)

    def _answered(self, key: str) -> bool:
        """Whether the phase *key* was made for this very comment already, though for another one since."""
        comment = self.requested.comment if self.requested else None
        told = (commit.trailers for commit in self.branch.commits if commit.trailers)
        return comment is not None and any(each.phase == key and each.comment == comment for each in told)

    def left(self, phases: Sequence[Phase]) -> Sequence[str]:
        """Return the phases that are still to be made, in plan order."""
        keys, wanted = self.keys(phases), self.wanted(phases)
        return [phase.key for phase in phases if wanted[phase.key] and phase.key in keys]

    def ready(self, phases: Sequence[Phase]) -> Sequence[tuple[Phase, Sequence[str]]]:
        """Return the phases that can be made now, in plan order, with the files to make."""
        keys, wanted = self.keys(phases), self.wanted(phases)
        return [
            (phase, wanted[phase.key])
            for phase in phases
            if wanted[phase.key] and phase.key in keys and not any(wanted[need] for need in phase.needs)
        ]
