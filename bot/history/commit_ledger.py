"""Add up what the commits on a run's branch did to its files and phases.  Pure.

:meth:`CommitLedger.add` reads the commits one by one, oldest first.  The state after a new commit and the state after a
restart come from the same code.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from bot.history.head_tree import HeadTree
from bot.history.run_state import (
    UNKNOWN_MODEL,
    Commit,
    Entry,
    FileState,
    Generated,
)
from bot.history.trailers import Trailers

_REVERTS = re.compile(r"^This reverts commit ([0-9a-f]{40,64})", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class PhaseRecord:
    """The newest commit of a phase."""

    oid: str
    order: int
    """Its position in the history: 1 is the oldest commit of the branch, 0 is the base."""
    trailers: Trailers
    reverted: bool = False
    author: str = ""
    reverted_by: str = ""
    """The commit that took it back, if it is taken back."""
    position: int = 0
    """Like *order*, but also for a commit that made nothing, whose order is that of the commit before."""


@dataclass(frozen=True, slots=True)
class InheritedPhases:
    """Phases that the base already contains, because an earlier run was merged into it."""

    records: Mapping[str, PhaseRecord]
    """Phase → a record with the base as its commit and order 0."""
    generated: Mapping[str, Generated]
    """Path → its last generated version without human edits, as far as it is known."""


class _Effect(NamedTuple):
    """What a commit did, kept so that a later revert of it can be applied."""

    reverted_if_undone: Mapping[str, bool]
    """Phase → whether it counts as reverted once this commit is undone."""
    generated_before: Mapping[str, Generated | None]
    """Path → the last generated version before this commit."""


class CommitLedger:
    """The state of one run, built up from its commits."""

    def __init__(
        self,
        run: str,
        base: Mapping[str, Entry],
        *,
        owners: Mapping[str, Collection[str]] | None = None,
        inherited: InheritedPhases | None = None,
    ) -> None:
        """Start before the first commit.

        *base* holds the base's tree entries at the run's paths and their folders.  *owners* maps each path to the
        phases that own it or did once.  Paths outside the phase in a combined commit have unknown authorship.
        """
        self.run = run
        self._owners = owners or {}
        self._paths: dict[str, list[str]] = {}
        """Phase → the paths that it owns or did once."""
        for path, keys in self._owners.items():
            for key in keys:
                self._paths.setdefault(key, []).append(path)
        self._base = base
        self._head = HeadTree(self._owners)
        self._conflicts: dict[str, dict[str, Entry | None]] = {}
        """Phase → its files with a conflict, and what stood at head then; another version resolves it."""
        self._not_written: dict[str, set[str]] = {}
        """Phase → its files that were generated but not written, because people's files stay."""
        self._head.update(base)
        self._inherited: Mapping[str, Generated] = inherited.generated if inherited else {}
        self._generated: dict[str, Generated] = dict(self._inherited)
        self._records: dict[str, PhaseRecord] = dict(inherited.records) if inherited else {}
        self._effects: dict[str, _Effect] = {}
        self._changed_paths: dict[str, set[str]] = {}
        self._tokens: dict[str, tuple[int, int]] = {}
        self._models: dict[str, tuple[int, int]] = {}
        self._count = 0
        self._appeared: dict[str, int] = {}
        """Path → the position of the person's commit that wrote a file where none was."""
        self._editors: dict[str, list[str]] = {}
        """Path → people's commits that changed it since the bot made it alone, oldest first."""

    def add(self, commit: Commit) -> None:
        """Read the next commit."""
        self._count += 1
        trailers = commit.trailers
        if trailers is None or trailers.run != self.run:
            self._add_human_commit(commit)
        elif trailers.phase is None:
            self._apply_revert(commit, dict.fromkeys(trailers.reverts, True), self._inherited)
            self._head.update(commit.changes)
        else:
            self._add_phase_commit(trailers.phase, trailers, commit)
        self._note_editors(commit, is_persons=trailers is None or trailers.run != self.run)

    def _note_editors(self, commit: Commit, *, is_persons: bool) -> None:
        for path in commit.changes:
            state = self.file(path)
            if state.head == state.generated:
                self._editors.pop(path, None)
            elif is_persons and state.generated:
                self._editors.setdefault(path, []).append(commit.oid)

    def _add_phase_commit(self, key: str, trailers: Trailers, commit: Commit) -> None:
        self._effects[commit.oid] = _Effect({key: True}, self._generated_versions(commit.changes))
        self._changed_paths.setdefault(key, set()).update(commit.changes)
        for path, entry in commit.changes.items():
            if key in self._owners.get(path, (key,)):
                self._add_generated(path, entry, trailers)
        for path in self._paths.get(key, ()):
            if path not in (*commit.changes, *trailers.conflict, *trailers.missing):
                self._add_unchanged(path, trailers)
        self._head.update(commit.changes)
        earlier = set(self._not_written.get(key, ()))
        if self._is_whole(key, trailers):
            earlier &= set(trailers.missing)
        self._not_written[key] = {*trailers.conflict, *trailers.kept, *earlier}
        still = {path: head for path, head in self._conflicts.get(key, {}).items() if path in earlier}
        self._conflicts[key] = still | {path: self._head.get(path) for path in trailers.conflict}
        self._records[key] = PhaseRecord(
            commit.oid, self._order(key, commit), trailers, author=commit.author, position=self._count
        )
        if used := trailers.tokens:
            _add_tokens(self._tokens, key, used)
            _add_tokens(self._models, trailers.model or UNKNOWN_MODEL, used)

    def _is_whole(self, key: str, trailers: Trailers) -> bool:
        """Whether a commit has all files of its phase, and not only those that a partial commit lacks."""
        record = self.record(key)
        return record is None or record.trailers.status == "complete" or record.trailers.inputs != trailers.inputs

    def _add_generated(self, path: str, entry: Entry | None, trailers: Trailers) -> None:
        """Take up what a phase commit made of *path*, alone or merged with human edits."""
        state = self.file(path)
        if state.head == state.generated or path in trailers.discarded:
            self._generated[path] = Generated(entry, (), trailers)
        elif state.head and entry:  # the commit merged human edits
            made = state.made or Generated(None)
            self._generated[path] = Generated(made.entry, (*made.merges, (state.head, entry)), trailers)

    def _add_unchanged(self, path: str, trailers: Trailers) -> None:
        """Note that a phase commit left *path* as it was; with another recipe, it may not have made the path at all."""
        made = self._generated.get(path)
        if made and made.trailers and made.trailers.recipe == trailers.recipe:
            self._generated[path] = made._replace(trailers=trailers)

    def _order(self, key: str, commit: Commit) -> int:
        """Return the position of a phase's commit; one that made nothing does not outdate the phases that need it."""
        earlier = self.record(key)
        made_nothing = not commit.changes and commit.trailers and commit.trailers.status == "partial"
        return earlier.order if earlier and made_nothing else self._count

    def _add_human_commit(self, commit: Commit) -> None:
        named = set(_REVERTS.findall(commit.body))
        if named and (undone := [effect for oid, effect in self._effects.items() if oid in named]):
            reverted = {key: value for effect in undone for key, value in effect.reverted_if_undone.items()}
            generated = {path: entry for effect in reversed(undone) for path, entry in effect.generated_before.items()}
            self._apply_revert(commit, reverted, generated)
        new = [path for path, entry in commit.changes.items() if entry and self._head.get(path) is None]
        self._appeared |= dict.fromkeys(new, self._count)
        self._head.update(commit.changes)

    def _apply_revert(
        self, commit: Commit, reverted: Mapping[str, bool], generated_before: Mapping[str, Generated | None]
    ) -> None:
        """Mark phases as reverted (True) or restored (False).  The files in *commit* then count as generated.

        A file with human edits may have kept them through a merge.  Its generated version is then the one from
        *generated_before*.
        """
        reverted_until_now = {
            key: self._records[key].reverted if key in self._records else not reverted[key] for key in reverted
        }
        self._effects[commit.oid] = _Effect(reverted_until_now, self._generated_versions(commit.changes))
        for path, entry in commit.changes.items():
            state, before, in_base = self.file(path), generated_before.get(path), self._base.get(path)
            has_edits = entry and state.head != state.generated
            if before and entry and (has_edits or entry in (before.entry, in_base)):
                self._generated[path] = before
            elif has_edits or entry in (None, in_base):
                self._generated.pop(path, None)
            else:
                self._generated[path] = Generated(entry)
        for key in reverted:
            if key in self._records:
                by = commit.oid if reverted[key] else ""
                self._records[key] = replace(self._records[key], reverted=reverted[key], reverted_by=by)

    def _generated_versions(self, paths: Iterable[str]) -> Mapping[str, Generated | None]:
        return {path: self._generated.get(path) for path in paths}

    def file(self, path: str) -> FileState:
        """Return the state of *path*."""
        return FileState(self._head.get(path), self._generated.get(path))

    def is_inherited(self, path: str) -> bool:
        """Whether the base contains *path* as a merged run generated it."""
        return path in self._inherited

    def blocked_by(self, path: str) -> str | None:
        """Return what is in the way of *path*; see :meth:`bot.history.head_tree.HeadTree.blocked_by`."""
        return self._head.blocked_by(path)

    def is_blocked(self, path: str) -> bool:
        """Whether something is in the way of *path*."""
        return self._head.blocked_by(path) is not None

    def persons_file(self, path: str) -> str | None:
        """Return the file of a person that stands at *path*, and that the bot never made; its case may differ."""
        blocked_by = self._head.blocked_by(path)
        there = self._head.get(blocked_by or path)
        if (
            there is None
            or not there.is_file
            or self.file(path).made
            or (blocked_by or path).count("/") < path.count("/")
        ):
            return None
        return blocked_by or path

    def has_human_edits(self, path: str) -> bool:
        """Whether *path* at head contains a person's work; a person's file that the base already had does not count."""
        state = self.file(path)
        if state.head is None or (state.head == self._base.get(path) and path not in self._inherited):
            return False
        return state.head != state.generated or self.is_blocked(path)

    def is_present(self, key: str, paths: Iterable[str]) -> bool:
        """Whether this run generated the phase *key*, or head has some of its *paths* as the bot made them."""
        made = (path for path in paths if self.file(path).generated and not self.has_human_edits(path))
        return self.record(key) is not None or any(self.file(path).head for path in made)

    def is_of(self, path: str, key: str) -> bool:
        """Whether the phase *key* owns *path*, did once, or has changed it."""
        return path in self._paths.get(key, ()) or path in self.changed_paths(key)

    def changed_paths(self, key: str) -> Collection[str]:
        """Return the paths that the commits of the phase *key* changed."""
        return self._changed_paths.get(key, ())

    def record(self, key: str) -> PhaseRecord | None:
        """Return the newest commit of the phase *key*; None if there is none or it was reverted."""
        found = self._records.get(key)
        return None if found is None or found.reverted else found

    def taken_back(self, key: str) -> str | None:
        """Return the commit that took the phase *key* back; None if it is not taken back."""
        found = self._records.get(key)
        return found.reverted_by if found and found.reverted else None

    def editors(self, path: str) -> Sequence[str]:
        """Return people's commits that changed *path* since the bot made it alone, oldest first."""
        return self._editors.get(path, ())

    @property
    def tokens(self) -> tuple[int, int]:
        """Tokens in and out of the whole run, including phases that the plan no longer has."""
        spent = self._tokens.values()
        return sum(each[0] for each in spent), sum(each[1] for each in spent)

    @property
    def models(self) -> Mapping[str, tuple[int, int]]:
        """Tokens in and out per model."""
        return self._models


def _add_tokens(counts: dict[str, tuple[int, int]], key: str, used: tuple[int, int]) -> None:
    previous = counts.get(key, (0, 0))
    counts[key] = (previous[0] + used[0], previous[1] + used[1])
