"""Derive the state of each phase from the commits on a run's branch and the current plan.  Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from bot.history.commit_ledger import CommitLedger, InheritedPhases, PhaseRecord
from bot.history.run_state import Commit, Entry, FileState, PhaseState, PhaseStatus, Stale
from bot.planning.phases import PLAN_PHASE, Phase

TEMPLATES = "template"
"""The provider of commits that templates made."""


class Ledger(CommitLedger):
    """The state of one run: what its commits did, compared with the phases of the current plan."""

    def __init__(
        self,
        run: str,
        base: Mapping[str, Entry],
        *,
        owners: Mapping[str, Collection[str]] | None = None,
        inherited: InheritedPhases | None = None,
        phases: Sequence[Phase] = (),
    ) -> None:
        """Start before the first commit; *phases* are those of the current plan."""
        super().__init__(run, base, owners=owners, inherited=inherited)
        self._phases = {phase.key: phase for phase in phases}

    def wanted(self, phase: Phase) -> tuple[str, ...]:
        """Return the files of *phase* that a run must generate; none if it is complete and its inputs are unchanged."""
        record = self.record(phase.key)
        if self._has_plan(phase) or self.is_by_people(phase):
            return ()
        if record is None or (record.trailers.inputs != phase.inputs and phase.key != PLAN_PHASE):
            return tuple(phase.files)
        missing = {*self._missing(phase, record), *self._never_made(phase, record)}
        return tuple(path for path in phase.files if path in missing or self._can_be_written_now(phase.key, path))

    def _never_made(self, phase: Phase, record: PhaseRecord) -> Sequence[str]:
        """Return the files that the recipe did not make for the plan of that time, and makes for this one."""
        if record.trailers.recipe != phase.recipe or record.trailers.status == "partial" or not record.order:
            return ()
        nothing = FileState(None, None)
        return [path for path in phase.files if self.file(path) == nothing and not self.is_blocked(path)]

    def unmet(self, phase: Phase) -> tuple[str, ...]:
        """Return what people ask of *phase* and its newest commit could not carry out, because templates made it."""
        record = self.record(phase.key)
        by_templates = record and (record.trailers.provider == TEMPLATES or record.trailers.fallback)
        return phase.asks if by_templates and not self.is_by_people(phase) else ()

    def is_by_people(self, phase: Phase) -> bool:
        """Whether the run made no file of *phase*, and people wrote all of them, at least one of them on its branch."""
        record = self.record(phase.key)
        return (
            (record is None or set(phase.files) <= set(record.trailers.missing))
            and phase.key != PLAN_PHASE
            and bool(phase.files)
            and all(self.persons_file(path) == path for path in phase.files)
            and any(self._head.get(path) != self._base.get(path) for path in phase.files)
        )

    def _missing(self, phase: Phase, record: PhaseRecord) -> Sequence[str]:
        """Return the files that a partial commit lacks, and that nobody wrote since."""
        lacks = record.trailers.missing if record.trailers.status == "partial" else ()
        return [path for path in phase.files if path in lacks and self.persons_file(path) != path]

    def _can_be_written_now(self, key: str, path: str) -> bool:
        """Whether a person has cleared the way for *path*, which was not written because something was there."""
        was_in_the_way = path in self._not_written.get(key, ())
        return was_in_the_way and self.file(path) == FileState(None, None) and not self.is_blocked(path)

    def state(self, phase: Phase) -> PhaseState:
        """Return the state of *phase* as it is in the current plan."""
        record = self._records.get(phase.key)
        tokens = self._tokens.get(phase.key, (0, 0))
        by_people = self.is_by_people(phase)
        if by_people or (self.record(phase.key) is None and self._has_plan(phase)):
            files = tuple(filter(self._head.get, phase.files))
            return PhaseState(phase, "complete", None, files, (), (), (), None, tokens, (), by_people=by_people)
        if record is None or record.reverted:
            status: PhaseStatus = "reverted" if record else "pending"
            commit = record.oid if record else None
            return PhaseState(phase, status, commit, (), (), (), (), None, tokens, self.wanted(phase))
        missing, unmet = tuple(self._missing(phase, record)), self.unmet(phase)
        edited = tuple(path for path in phase.files if self.file(path).edited)
        not_written = [path for path in phase.files if path in self._not_written.get(phase.key, ())]
        kept = {path: name for path in not_written if (name := self.persons_file(path))}
        then = self._conflicts.get(phase.key, {})
        conflicts = tuple(
            path for path in not_written if path not in kept and path in then and self._head.get(path) == then[path]
        )
        return PhaseState(
            phase=phase,
            status="partial" if self._is_partial(phase, record) else "pending" if unmet else "complete",
            commit=record.oid,
            files=tuple(path for path in phase.files if path not in (*missing, *kept) and self.file(path).head),
            missing=missing,
            edited=edited,
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
            unmet=unmet,
            findings_left=0 if edited else (record.trailers.findings or (0, 0))[1],
            position=record.position,
        )

    def _is_partial(self, phase: Phase, record: PhaseRecord) -> bool:
        """Whether a commit lacks files; not if people wrote them all."""
        written = [path for path in record.trailers.missing if path in phase.files and self.persons_file(path) == path]
        return record.trailers.status == "partial" and len(written) < max(1, len(record.trailers.missing))

    def _is_removed(self, path: str) -> bool:
        """Whether a person removed a generated file; it stays removed."""
        return self.file(path).head is None and self.file(path).generated is not None and not self.is_blocked(path)

    def _has_plan(self, phase: Phase) -> bool:
        """Whether *phase* is the plan phase and the plan exists at head, whoever committed it."""
        head = self.file(next(iter(phase.files))).head if phase.key == PLAN_PHASE else None
        return head is not None and head.is_file

    def stale(self, phase: Phase) -> Stale | None:
        """Return what changed since *phase* was generated; None if nothing did, or it is not generated."""
        record = self.record(phase.key)
        if record is None or phase.key == PLAN_PHASE or self.is_by_people(phase):
            return None  # an edited plan file is simply the current plan
        if record.trailers.inputs != phase.inputs:
            return "plan"
        if self.newer_needs(phase):
            return "dependency"
        return "recipe" if record.trailers.recipe != phase.recipe else None

    def newer_needs(self, phase: Phase) -> Mapping[str, int | None]:
        """Return what *phase* needs and was made after it: key → position of the commit; None if it is not there."""
        record = self.record(phase.key)
        orders = {key: self._order_of(key) for key in phase.needs} if record else {}
        return {key: order for key, order in orders.items() if order is None or (record and order > record.order)}

    def obsolete(self, phase: Phase) -> Sequence[str]:
        """Return the files at head that *phase* made with an earlier recipe or plan, and that no phase has now.

        A file that is as the base has it is none of them.
        """
        made = sorted(self.changed_paths(phase.key))
        unowned = [path for path in made if path not in self._owners and self.file(path).head]
        return [path for path in unowned if self.file(path).head != self._base.get(path)]

    def in_base(self, path: str) -> Entry | None:
        """Return what the base has at *path*, which the run has made; None if it has nothing."""
        return self._base.get(path)

    def _order_of(self, key: str) -> int | None:
        """Return when the phase *key* was made: by its newest commit, or by the last file that people wrote for it."""
        phase, record = self._phases.get(key), self.record(key)
        if phase and self.is_by_people(phase):
            return max(self._appeared.get(path, 0) for path in phase.files)
        return record.order if record else None


def derive_state(
    run: str,
    base: Mapping[str, Entry],
    commits: Iterable[Commit],
    *,
    owners: Mapping[str, Collection[str]] | None = None,
    inherited: InheritedPhases | None = None,
    phases: Sequence[Phase] = (),
) -> Ledger:
    """Read *commits*, oldest first, into a new ledger; the other arguments are those of :class:`Ledger`."""
    ledger = Ledger(run, base, owners=owners, inherited=inherited, phases=phases)
    for commit in commits:
        ledger.add(commit)
    return ledger
