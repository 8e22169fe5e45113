"""Which phases a run has to generate: what the history lacks, and what somebody asked to regenerate."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.assessment.finding import files_at_fault
from bot.engine.requests import RunRequest
from bot.errors import UsageError
from bot.history.ledger import Ledger
from bot.history.run_state import Commit
from bot.planning.phases import PLAN_PHASE, Phase, find_phase
from bot.planning.recipe_model import CHANGES
from bot.planning.resolved_plan import ResolvedPlan


class SeenBranch(Protocol):
    """What the scheduler reads of a branch; :class:`bot.history.run_branch.RunBranch` is one."""

    @property
    def run(self) -> str: ...

    @property
    def commits(self) -> Sequence[Commit]:
        """Oldest first."""

    def ledger(self, phases: Sequence[Phase]) -> Ledger:
        """Return the ledger of the commits for *phases*."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduler:
    """Decides from the branch as it is now, and from the commits that were there when the process started."""

    branch: SeenBranch
    request: RunRequest
    initial_commits: Collection[str]
    """Only a phase that one of these commits generated can be regenerated, so that it happens once."""
    with_model: bool = True
    """Whether a model writes the files: it can write those without a template, and carry out what people ask."""

    def check(self, phases: Sequence[Phase]) -> None:
        """Refuse a request that *phases* can't fulfil.

        Raises:
            UsageError: It names a phase that is not in the plan, or regenerates the plan.
        """
        for key in (*self.request.only, *self.request.regenerate):
            find_phase(phases, key)
        if PLAN_PHASE in self.request.regenerate:
            raise UsageError("regenerating plan: the plan is never regenerated; edit plan.yaml and run generate")

    def selected(self, phases: Sequence[Phase]) -> Collection[str]:
        """Return the keys of the phases that the request is about: all, or the named ones.

        With ``cascade``, those that need a named phase are selected, too.
        """
        named = {*self.request.only, *self.request.regenerate}
        if not named:
            return {phase.key for phase in phases}
        ledger = self.branch.ledger(phases)
        for phase in phases if self.request.cascade else ():  # plan order: what a phase needs comes before it
            if named.intersection(phase.needs) and ledger.record(phase.key):
                named.add(phase.key)
        return named

    def wanted(self, phases: Sequence[Phase]) -> Mapping[str, Sequence[str]]:
        """Return the files to generate for each phase; none for a phase that is up to date."""
        return {phase.key: self._wanted(phase, phases) for phase in phases}

    def _wanted(self, phase: Phase, phases: Sequence[Phase]) -> Sequence[str]:
        ledger = self.branch.ledger(phases)
        record = ledger.record(phase.key)
        if record is None and phase.key in self.request.regenerate and ledger.is_by_people(phase):
            return tuple(phase.files)
        if record is None or phase.key == PLAN_PHASE:
            return ledger.wanted(phase)
        if self.with_model and ledger.unmet(phase):
            return tuple(phase.files)
        if (
            phase.key in self.request.regenerate
            and record.oid in self.initial_commits
            and not self._answered(phase.key)
        ):
            repair = self.request.repair
            return files_at_fault(repair.errors[phase.key], phase.files) if repair else tuple(phase.files)
        if self.request.cascade and ledger.stale(phase) == "dependency":
            return tuple(phase.files)
        return ledger.wanted(phase)

    def _answered(self, key: str) -> bool:
        """Whether the phase *key* was regenerated for this very comment already, or repaired in this very round."""
        comment = self.request.requester.comment if self.request.requester else None
        trailers = (commit.trailers for commit in self.branch.commits if commit.trailers)
        if repair := self.request.repair:
            return any(each.phase == key and each.repair == repair.round for each in trailers)
        return comment is not None and any(each.phase == key and each.comment == comment for each in trailers)

    def remaining(self, phases: Sequence[Phase]) -> Sequence[str]:
        """Return the keys of the selected phases that are not up to date, in plan order."""
        selected, wanted = self.selected(phases), self.wanted(phases)
        return [phase.key for phase in phases if wanted[phase.key] and phase.key in selected]

    def ready(self, phases: Sequence[Phase]) -> Sequence[tuple[Phase, Sequence[str]]]:
        """Return the phases that can be generated now, in plan order, with the files to generate."""
        selected, wanted = self.selected(phases), self.wanted(phases)
        return [
            (phase, wanted[phase.key])
            for phase in phases
            if wanted[phase.key] and phase.key in selected and not any(wanted[need] for need in phase.needs)
            if self._can_write(phase, wanted[phase.key])
        ]

    def _can_write(self, phase: Phase, paths: Sequence[str]) -> bool:
        """Whether the provider can write one of *paths* at least."""
        return self.with_model or not set(phase.without_template).issuperset(paths)

    def unwritable(self, phases: Sequence[Phase]) -> Sequence[str]:
        """Return the keys of the phases, also those that selected ones need, that templates can't write, in plan order.

        Nothing more can be done for them by this run.
        """
        if self.with_model:
            return ()
        wanted, needed = self.wanted(phases), set(self.selected(phases))
        for phase in reversed(phases):  # what a phase needs comes before it
            if phase.key in needed and wanted[phase.key]:
                needed.update(phase.needs)
        return [
            phase.key
            for phase in phases
            if wanted[phase.key] and phase.key in needed and set(wanted[phase.key]) & set(phase.without_template)
        ]

    def unmet(self, phases: Sequence[Phase]) -> Sequence[str]:
        """Return the keys of the selected phases that are made, but not as people ask, in plan order."""
        ledger, selected = self.branch.ledger(phases), self.selected(phases)
        return [phase.key for phase in phases if phase.key in selected and ledger.unmet(phase)]

    def mixture_note(self, phases: Sequence[Phase]) -> str | None:
        """Return what to tell people before phases are made beside others that an earlier recipe made; None if none."""
        remaining, ledger = self.remaining(phases), self.branch.ledger(phases)
        earlier = [phase.key for phase in phases if phase.key not in remaining and ledger.stale(phase) == "recipe"]
        if not (earlier and remaining):
            return None
        were, them = ("was", "it") if len(earlier) == 1 else ("were", "them")
        return (
            f"{', '.join(earlier)} {were} made with an earlier version of the recipe and may not fit what is made now; "
            f"'phasebot regenerate {' '.join(earlier)} --run {self.branch.run}' makes {them} again"
        )

    def risk_notes(self, planned: ResolvedPlan) -> Sequence[str]:
        """Return what to tell people before the migration of *planned* is made: where it can lose or refuse rows."""
        remaining = self.remaining(planned.phases) if planned.risks else ()
        is_next = any(CHANGES in phase.slice and phase.key in remaining for phase in planned.phases)
        return [f"careful, the migration touches rows that exist: {risk}" for risk in planned.risks if is_next]

    def count_done(self, phases: Sequence[Phase]) -> int:
        """Return how many phases are up to date."""
        ledger, wanted = self.branch.ledger(phases), self.wanted(phases)
        return sum(not wanted[phase.key] and not ledger.unmet(phase) for phase in phases)
