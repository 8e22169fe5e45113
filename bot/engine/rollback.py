"""Roll back phases in one commit: on request, or because they are no longer in the plan."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from bot.engine.requests import Requester, RollbackRequest, request_trailers
from bot.errors import UsageError
from bot.history.checkout import OpenRun
from bot.history.commits import RevertCommit
from bot.history.run_branch import RunBranch
from bot.planning.phases import PLAN_PHASE, Phase, find_phase
from bot.planning.resolved_plan import ResolvedPlan


def roll_back_removed(run: OpenRun, phases: Sequence[Phase], requester: Requester | None) -> str | None:
    """Remove the files of phases that the plan no longer has; return a message about it, None if there are none."""
    branch = run.branch
    removed = branch.removed_phases(phases)
    trailers = request_trailers(branch.run, requester)
    work = RevertCommit(paths=removed, trailers=trailers, fork=branch.fork, remove_inherited=True)
    committed = run.writer.commit(work, phases) if removed else None
    if committed is None:
        return None
    kept = f"; kept, because people edited it: {', '.join(committed.kept)}" if committed.kept else ""
    return f"no longer in the plan, rolled back: {', '.join(removed)}{kept}"


def roll_back(
    run: OpenRun, plan: ResolvedPlan, request: RollbackRequest, notify: Callable[[str], None]
) -> Sequence[str]:
    """Roll back phases in one commit and return their keys; *notify* people first about their edits in the files.

    Raises:
        UsageError: A phase is not in the plan or not generated, or others need it and ``cascade`` is not set.
        RepositoryError: Git refused; the branch did not move.
    """
    branch, phases = run.branch, plan.phases
    trailers = request_trailers(branch.run, request.requester)
    if answered := _answered(branch, trailers.comment):
        return answered
    keys = _Selection(branch, phases, request).keys()
    paths = {phase.key: list(phase.files) for phase in phases if phase.key in keys}
    _notify_of_edits(branch, phases, [path for key in keys for path in paths[key]], request, notify)
    work = RevertCommit(paths=paths, trailers=trailers, fork=branch.shared, discard_edits=request.discard_edits)
    run.writer.commit(work, phases)
    return keys


def _answered(branch: RunBranch, comment: str | None) -> Sequence[str]:
    """Return the phases that were rolled back for this very *comment* already."""
    trailers = (commit.trailers for commit in branch.commits if commit.trailers)
    return next((each.reverts for each in trailers if comment and each.reverts and each.comment == comment), ())


def _notify_of_edits(
    branch: RunBranch,
    phases: Sequence[Phase],
    paths: Sequence[str],
    request: RollbackRequest,
    notify: Callable[[str], None],
) -> None:
    ledger = branch.ledger(phases)
    edited = ", ".join(path for path in paths if ledger.has_human_edits(path))
    if edited and request.discard_edits:
        notify(f"discarding people's edits in {edited}; commit {(branch.head or '')[:10]} still holds them")
    elif edited:
        notify(f"kept, because people edited it: {edited}; --discard-edits removes it, too")


@dataclass(frozen=True, slots=True)
class _Selection:
    """Finds and checks the phases that a request rolls back."""

    branch: RunBranch
    phases: Sequence[Phase]
    request: RollbackRequest

    def keys(self) -> Sequence[str]:
        """Return the keys, in plan order."""
        named = {find_phase(self.phases, key).key for key in self.request.phases}
        if self.request.to:
            place = max(phase.place for phase in self.phases if phase.key in named)
            later = [phase for phase in self.phases if phase.place > place]
            named = {phase.key for phase in later if self._is_own(phase)}
            named = named or {phase.key for phase in later if self._is_merged(phase)}
        self._check(named)
        dependents = self._dependents(named)
        if dependents and not self.request.cascade:
            depend = "depend" if len(dependents) > 1 else "depends"
            raise UsageError(
                f"rolling back {', '.join(self._ordered(named))}: {', '.join(dependents)} {depend} on it; "
                f"add --cascade to roll back {', '.join(dependents)} too"
            )
        return self._ordered({*named, *dependents})

    def _check(self, named: Collection[str]) -> None:
        branch, base = self.branch, self.branch.base.name
        if PLAN_PHASE in named:
            raise UsageError("rolling back plan: every phase needs it; delete the branch to start again")
        inherited = [
            phase.key
            for phase in self.phases
            if phase.key in named and (self._order(phase) == 0 or self._is_merged(phase))
        ]
        if inherited:
            raise UsageError(
                f"rolling back {', '.join(inherited)}: the base {base} has it already, and this run can't change that; "
                "edit plan.yaml or the files instead"
            )
        ledger = branch.ledger(self.phases)
        by_people = [phase for phase in self.phases if phase.key in named and ledger.is_by_people(phase)]
        if by_people:
            files = [path for phase in by_people for path in phase.files]
            raise UsageError(
                f"cannot roll back {', '.join(phase.key for phase in by_people)}: people wrote it, so there is no "
                f"phase commit to roll back; remove or revert the files yourself: {', '.join(files)}"
            )
        absent = [phase.key for phase in self.phases if phase.key in named and not self._is_own(phase)]
        if absent:
            raise UsageError(
                f"cannot roll back {', '.join(absent)}: it has not been generated on {branch.name}; "
                "'phasebot status' lists the phases"
            )
        if not named:
            after = f" after {', '.join(self.request.phases)}" if self.request.to else ""
            raise UsageError(
                f"nothing to roll back: no phase{after} is generated on {branch.name}; "
                "'phasebot status' lists the phases"
            )

    def _order(self, phase: Phase) -> int | None:
        """Return the position of the phase's commit in history; 0 if it is in the base, None if there is none."""
        record = self.branch.ledger(self.phases).record(phase.key)
        return record.order if record else None

    def _is_own(self, phase: Phase) -> bool:
        """Whether this run generated *phase*, and the base does not have it yet; the plan does not count."""
        return bool(self._order(phase)) and phase.key != PLAN_PHASE and not self._is_merged(phase)

    def _is_merged(self, phase: Phase) -> bool:
        """Whether this run generated *phase*, and was merged into the base with it."""
        record = self.branch.ledger(self.phases).record(phase.key)
        return record is not None and record.oid in self.branch.merged

    def _dependents(self, named: Collection[str]) -> Sequence[str]:
        """Return the phases that need one of *named*, directly or not, in plan order; those of the base stay."""
        ledger, found, by_people = self.branch.ledger(self.phases), dict[str, None](), set[str]()
        for phase in self.phases:  # plan order: what a phase needs comes before it
            if phase.key in named or not {*named, *found, *by_people}.intersection(phase.needs):
                continue
            if ledger.is_by_people(phase):  # it stays, but what needs it depends on the others, too
                by_people.add(phase.key)
            elif self._order(phase) is not None and not self._is_merged(phase):
                found[phase.key] = None
        return list(found)

    def _ordered(self, keys: Collection[str]) -> Sequence[str]:
        return [phase.key for phase in self.phases if phase.key in keys]
