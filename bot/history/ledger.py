"""Derive the state of a run from the commits on its branch.  Pure.

A ledger is what reading the history oldest first adds up to; :meth:`Ledger.add` is that reading, one commit
at a time, so the state after a new commit and the state after a restart come from the same code.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from bot.history.run_state import UNKNOWN_MODEL, Commit, Entry, FileState, PhaseState, PhaseStatus, Stale
from bot.history.trailers import Trailers
from bot.planning.phases import PLAN_PHASE, Phase

_REVERTS = re.compile(r"^This reverts commit ([0-9a-f]{40,64})", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class PhaseRecord:
    """The newest commit that made a phase."""

    oid: str
    order: int
    trailers: Trailers
    reverted: bool = False


@dataclass(frozen=True, slots=True)
class InheritedPhases:
    """Phases that the base holds already, made by a run that was merged into it."""

    made: Mapping[str, PhaseRecord]
    """Phase → as if the base were its commit; their order is 0."""
    generated: Mapping[str, Entry]
    """Path → what the bot last put there by itself, as far as anybody can tell."""


class _Effect(NamedTuple):
    """What a commit did to phases, so that undoing it does the opposite."""

    undone: Mapping[str, bool]
    """Phase → whether it is taken back once this is undone."""
    before: Mapping[str, Entry | None]
    """Path → what the bot had last put there by itself."""


class Ledger:
    """What the commits of one run add up to, oldest first."""

    def __init__(
        self,
        run: str,
        base: Mapping[str, Entry],
        *,
        owners: Mapping[str, Collection[str]] | None = None,
        inherited: InheritedPhases | None = None,
    ) -> None:
        """Start before the first commit; *base* holds what stands at the run's paths and folders there.

        *owners* says which phases a path belongs to, or did: in a commit that somebody put together of several, what is
        not the phase's own was made by nobody that is known.
        """
        self._run = run
        self._owners = owners or {}
        self._base = base
        self._head: dict[str, Entry | None] = dict(base)
        self._inherited: Mapping[str, Entry] = inherited.generated if inherited else {}
        self._generated: dict[str, Entry | None] = dict(self._inherited)
        self._merges: dict[str, tuple[tuple[Entry, Entry], ...]] = {}
        self._made: dict[str, PhaseRecord] = dict(inherited.made) if inherited else {}
        self._effects: dict[str, _Effect] = {}
        self._paths: dict[str, set[str]] = {}
        self._tokens: dict[str, tuple[int, int]] = {}
        self._models: dict[str, tuple[int, int]] = {}
        self._count = 0

    def add(self, commit: Commit) -> None:
        """Read the next commit."""
        self._count += 1
        trailers = commit.trailers
        if trailers is None or trailers.run != self._run:
            self._add_other(commit)
        elif trailers.phase is None:
            self._turn(commit, dict.fromkeys(trailers.reverts, True), self._inherited)
            self._head.update(commit.changes)
        else:
            self._add_phase(trailers.phase, trailers, commit)

    def _add_phase(self, key: str, trailers: Trailers, commit: Commit) -> None:
        self._effects[commit.oid] = _Effect({key: True}, self._generated_at(commit))
        self._paths.setdefault(key, set()).update(commit.changes)
        for path, entry in commit.changes.items():
            state = self.file(path)
            if key in self._owners.get(path, (key,)):
                if state.head == state.generated:
                    self._generated[path] = entry
                    self._merges.pop(path, None)
                elif state.head and entry:  # it was merged with a person's lines
                    self._merges[path] = (*self._merges.get(path, ()), (state.head, entry))
            self._head[path] = entry
        self._made[key] = PhaseRecord(commit.oid, self._count, trailers)
        if used := trailers.tokens:
            _enter(self._tokens, key, used)
            _enter(self._models, trailers.model or UNKNOWN_MODEL, used)

    def _add_other(self, commit: Commit) -> None:
        named = set(_REVERTS.findall(commit.body))
        if named and (undone := [effect for oid, effect in self._effects.items() if oid in named]):
            turned = {key: taken_back for effect in undone for key, taken_back in effect.undone.items()}
            before = {path: entry for effect in reversed(undone) for path, entry in effect.before.items()}
            self._turn(commit, turned, before)
        self._head.update(commit.changes)

    def _turn(self, commit: Commit, turned: Mapping[str, bool], before: Mapping[str, Entry | None]) -> None:
        """Take phases back, or bring them back: what stands there then is the bot's.

        Where a person's lines stood, they may have been kept by a merge: then the bot's is what it was *before*.
        """
        was = {key: self._made[key].reverted if key in self._made else not turned[key] for key in turned}
        self._effects[commit.oid] = _Effect(was, self._generated_at(commit))
        for path, entry in commit.changes.items():
            kept = entry and self.file(path).head != self.file(path).generated
            self._generated[path] = before.get(path) if kept else entry
            self._merges.pop(path, None)
        for key in turned:
            if key in self._made:
                self._made[key] = replace(self._made[key], reverted=turned[key])

    def _generated_at(self, commit: Commit) -> Mapping[str, Entry | None]:
        return {path: self._generated.get(path) for path in commit.changes}

    def file(self, path: str) -> FileState:
        """Return what is known of *path*."""
        return FileState(self._head.get(path), self._generated.get(path), self._merges.get(path, ()))

    def is_inherited(self, path: str) -> bool:
        """Whether the base holds *path* as a merged run made it."""
        return path in self._inherited

    def blocked(self, path: str) -> bool:
        """Whether something other than a folder stands where *path* needs one, or no file where *path* is."""
        head = self._head.get(path)
        if head is not None and not head.is_file:
            return True
        parents = path.split("/")[:-1]
        above = (self._head.get("/".join(parents[:depth])) for depth in range(1, len(parents) + 1))
        return any(entry is not None and entry.mode != "040000" for entry in above)

    def is_others(self, path: str) -> bool:
        """Whether what stands at *path* holds a person's work, or no file of ours; what the base has does not count."""
        state = self.file(path)
        if state.head is None or (state.head == self._base.get(path) and path not in self._inherited):
            return False
        return state.head != state.generated or self.blocked(path)

    def stands(self, key: str, paths: Iterable[str]) -> bool:
        """Whether the phase *key* of *paths* is made, or what the base made of it is back."""
        inherited = (path for path in paths if path in self._inherited and not self.is_others(path))
        return self.made(key) is not None or any(self.file(path).head for path in inherited)

    def paths(self, key: str) -> Collection[str]:
        """Return what the commits of the phase *key* changed."""
        return self._paths.get(key, ())

    def made(self, key: str) -> PhaseRecord | None:
        """Return the newest commit of the phase *key*, unless it was taken back."""
        found = self._made.get(key)
        return None if found is None or found.reverted else found

    def wanted(self, phase: Phase) -> tuple[str, ...]:
        """Return the files of *phase* that a run has to make; none once it is done and the plan still the same."""
        made = self.made(phase.key)
        if made is None and self._has_plan(phase):
            return ()
        if made is None or (made.trailers.inputs != phase.inputs and phase.key != PLAN_PHASE):
            return tuple(phase.files)
        if made.trailers.status == "complete":
            return ()
        return tuple(path for path in phase.files if path in made.trailers.missing)

    def state(self, phase: Phase) -> PhaseState:
        """Return how far *phase*, as the plan now has it, has come."""
        made = self._made.get(phase.key)
        tokens = self._tokens.get(phase.key, (0, 0))
        if self.made(phase.key) is None and self._has_plan(phase):
            return PhaseState(phase, "complete", None, tuple(phase.files), (), (), (), None, tokens, ())
        if made is None or made.reverted:
            status: PhaseStatus = "reverted" if made else "pending"
            commit = made.oid if made else None
            return PhaseState(phase, status, commit, (), (), (), (), None, tokens, self.wanted(phase))
        missing = tuple(path for path in phase.files if path in made.trailers.missing)
        return PhaseState(
            phase=phase,
            status="partial" if made.trailers.status == "partial" else "complete",
            commit=made.oid,
            files=tuple(path for path in phase.files if path not in missing and self.file(path).head),
            missing=missing,
            edited=tuple(path for path in phase.files if self.file(path).edited),
            conflicts=tuple(path for path in phase.files if path in made.trailers.conflict),
            stale=self.stale(phase),
            tokens=tokens,
            wanted=self.wanted(phase),
            fallback=tuple(path for path in phase.files if path in made.trailers.fallback),
        )

    def _has_plan(self, phase: Phase) -> bool:
        """Whether *phase* is the plan and stands at head, whoever put it there."""
        heads = [self.file(path).head for path in phase.files]
        return phase.key == PLAN_PHASE and all(head and head.is_file for head in heads)

    def stale(self, phase: Phase) -> Stale | None:
        """Return what has changed since *phase* was made, if it was and something has."""
        made = self.made(phase.key)
        if made is None or phase.key == PLAN_PHASE:
            return None  # a person's edit of the plan is the plan
        if made.trailers.inputs != phase.inputs:
            return "plan"
        needs = (self.made(key) for key in phase.needs)
        if any(need is None or need.order > made.order for need in needs):
            return "dependency"
        return "recipe" if made.trailers.recipe != phase.recipe else None

    @property
    def tokens(self) -> tuple[int, int]:
        """Tokens in and out that the run has spent, phases no longer in the plan included."""
        spent = self._tokens.values()
        return sum(each[0] for each in spent), sum(each[1] for each in spent)

    @property
    def models(self) -> Mapping[str, tuple[int, int]]:
        """Tokens in and out by the model that a commit names."""
        return self._models


def _enter(account: dict[str, tuple[int, int]], key: str, used: tuple[int, int]) -> None:
    spent = account.get(key, (0, 0))
    account[key] = (spent[0] + used[0], spent[1] + used[1])


def derive_state(
    run: str,
    base: Mapping[str, Entry],
    commits: Iterable[Commit],
    *,
    owners: Mapping[str, Collection[str]] | None = None,
    inherited: InheritedPhases | None = None,
) -> Ledger:
    """Read *commits*, oldest first, into the ledger of *run*; see :class:`Ledger`."""
    ledger = Ledger(run, base, owners=owners, inherited=inherited)
    for commit in commits:
        ledger.add(commit)
    return ledger
