"""Derive the state of each phase from the commits on a run's branch and the current plan.  Pure."""

from collections.abc import Collection, Iterable, Mapping

from bot.history.commit_ledger import CommitLedger, InheritedPhases
from bot.history.run_state import Commit, Entry, FileState, PhaseState, PhaseStatus, Stale
from bot.planning.phases import PLAN_PHASE, Phase


class Ledger(CommitLedger):
    """The state of one run: what its commits did, compared with the phases of the current plan."""

    def wanted(self, phase: Phase) -> tuple[str, ...]:
        """Return the files of *phase* that a run must generate; none if it is complete and its inputs are unchanged."""
        record = self.record(phase.key)
        if record is None and self._has_plan(phase):
            return ()
        if record is None or (record.trailers.inputs != phase.inputs and phase.key != PLAN_PHASE):
            return tuple(phase.files)
        missing = record.trailers.missing if record.trailers.status == "partial" else ()
        return tuple(path for path in phase.files if path in missing or self._can_be_written_now(phase.key, path))

    def _can_be_written_now(self, key: str, path: str) -> bool:
        """Whether a person has cleared the way for *path*, which was not written because something was there."""
        was_in_the_way = path in self._not_written.get(key, ())
        return was_in_the_way and self.file(path) == FileState(None, None) and not self.is_blocked(path)

    def state(self, phase: Phase) -> PhaseState:
        """Return the state of *phase* as it is in the current plan."""
        record = self._records.get(phase.key)
        tokens = self._tokens.get(phase.key, (0, 0))
        if self.record(phase.key) is None and self._has_plan(phase):
            return PhaseState(phase, "complete", None, tuple(phase.files), (), (), (), None, tokens, ())
        if record is None or record.reverted:
            status: PhaseStatus = "reverted" if record else "pending"
            commit = record.oid if record else None
            return PhaseState(phase, status, commit, (), (), (), (), None, tokens, self.wanted(phase))
        missing = tuple(path for path in phase.files if path in record.trailers.missing)
        not_written = [path for path in phase.files if path in self._not_written.get(phase.key, ())]
        kept = {path: name for path in not_written if (name := self.persons_file(path))}
        then = self._conflicts.get(phase.key, {})
        conflicts = tuple(
            path for path in not_written if path not in kept and path in then and self._head.get(path) == then[path]
        )
        return PhaseState(
            phase=phase,
            status="partial" if record.trailers.status == "partial" else "complete",
            commit=record.oid,
            files=tuple(path for path in phase.files if path not in (*missing, *kept) and self.file(path).head),
            missing=missing,
            edited=tuple(path for path in phase.files if self.file(path).edited),
            conflicts=conflicts,
            stale=self.stale(phase),
            tokens=tokens,
            wanted=self.wanted(phase),
            reasons={path: code for code, path in record.trailers.reason if path in missing},
            fallback=tuple(path for path in phase.files if path in record.trailers.fallback),
            kept=kept,
            removed=tuple(path for path in phase.files if self._is_removed(path)),
            author=record.author,
            blocked={path: name for path in conflicts if (name := self._head.blocked_by(path))},
        )

    def _is_removed(self, path: str) -> bool:
        """Whether a person removed a generated file; it stays removed."""
        return self.file(path).head is None and self.file(path).generated is not None and not self.is_blocked(path)

    def _has_plan(self, phase: Phase) -> bool:
        """Whether *phase* is the plan phase and its file exists at head, whoever committed it."""
        heads = [self.file(path).head for path in phase.files]
        return phase.key == PLAN_PHASE and all(head and head.is_file for head in heads)

    def stale(self, phase: Phase) -> Stale | None:
        """Return what changed since *phase* was generated; None if nothing did, or it is not generated."""
        record = self.record(phase.key)
        if record is None or phase.key == PLAN_PHASE:
            return None  # an edited plan file is simply the current plan
        if record.trailers.inputs != phase.inputs:
            return "plan"
        needs = (self.record(key) for key in phase.needs)
        if any(need is None or need.order > record.order for need in needs):
            return "dependency"
        return "recipe" if record.trailers.recipe != phase.recipe else None


def derive_state(
    run: str,
    base: Mapping[str, Entry],
    commits: Iterable[Commit],
    *,
    owners: Mapping[str, Collection[str]] | None = None,
    inherited: InheritedPhases | None = None,
) -> Ledger:
    """Read *commits*, oldest first, into a new ledger; the other arguments are those of :class:`Ledger`."""
    ledger = Ledger(run, base, owners=owners, inherited=inherited)
    for commit in commits:
        ledger.add(commit)
    return ledger
