"""Compose the commits of a run, phase commits and reverts, against the current ledger."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from bot.history.fast_import import EXECUTABLE
from bot.history.inert_text import quote
from bot.history.ledger import Ledger
from bot.history.repository import Repository
from bot.history.run_state import Entry
from bot.history.three_way_merge import RenderAgain, merge_files
from bot.history.trailers import Trailers, format_message, format_revert
from bot.planning.phases import Phase


class CommitContent(NamedTuple):
    """The content of a commit that goes on top of head."""

    message: str
    trailers: Trailers
    files: Mapping[str, bytes | Entry | None]
    kept: tuple[str, ...] = ()
    """Paths left unchanged, because people edited them."""
    executable: Collection[str] = ()
    """Paths that a person made executable."""
    rejected: Mapping[str, bytes] = {}
    """Path → the generated version that was not taken: of conflicts, and of files that are a person's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseCommit:
    """A commit with the generated files of one phase."""

    phase: Phase
    total: int
    """Number of phases in the plan."""
    files: Mapping[str, bytes]
    trailers: Trailers
    body: Sequence[str]
    replaces: Collection[str] = ()
    """Commits that this one may regenerate.  If a different commit completed the phase, this one is dropped."""
    overwrite: bool = False
    """Whether generated files win a conflict with people's edits; for files that were generated from those edits."""
    discard_edits: bool = False
    """Whether generated files replace files that people edited or wrote."""
    is_asked_for: bool = False
    """Whether somebody asked for this very phase, so that it is made although people wrote its files."""
    expected_blob: str | None = None
    """The blob that the phase's only file was made from; if head has a different one, this commit is dropped."""

    def compose(
        self, repository: Repository, ledger: Ledger, parent: str | None, render_again: RenderAgain
    ) -> CommitContent | None:
        """Merge the files with people's edits; None if somebody else completed the phase in the meantime."""
        record = ledger.record(self.phase.key)
        is_first = record is None and (self.overwrite or self.is_asked_for)
        if not (is_first or ledger.wanted(self.phase) or (record and record.oid in self.replaces)):
            return None
        if self.expected_blob:
            heads = [ledger.file(path).head for path in self.files]
            unchanged = all(entry and entry.oid == self.expected_blob for entry in heads)
            message = format_message(self.phase, self.total, self.body, self.trailers)
            return CommitContent(message, self.trailers, self.files) if unchanged else None
        merged = merge_files(
            repository, ledger, self.files, parent or "0" * 40, render_again, discard_edits=self.discard_edits
        )
        if merged.conflicts and self.overwrite:
            told = (
                f"Overwritten, because people's changes could not be merged: {', '.join(map(quote, merged.conflicts))}."
            )
            trailers = replace(self.trailers, kept=merged.kept)
            files = {**merged.files, **{path: self.files[path] for path in merged.conflicts}}
            return CommitContent(format_message(self.phase, self.total, [*self.body, told], trailers), trailers, files)
        obsolete = [] if self.trailers.missing else ledger.obsolete(self.phase)
        obsolete = [path for path in obsolete if not ledger.has_human_edits(path)]
        trailers = replace(self.trailers, conflict=merged.conflicts, kept=merged.kept, discarded=merged.discarded)
        rejected = {path: self.files[path] for path in (*merged.conflicts, *merged.kept)}
        body = [*self.body, *([f"{len(rejected)} of them not written: people's files stay."] if rejected else [])]
        if obsolete:
            body.append(f"Removed what the recipe does not make any more: {', '.join(map(quote, obsolete))}.")
        return CommitContent(
            format_message(self.phase, self.total, body, trailers),
            trailers,
            {**merged.files, **{path: ledger.in_base(path) for path in obsolete}},
            executable=_executable(ledger, merged.files),
            rejected=rejected,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RevertCommit:
    """A commit that rolls back phases: it restores their paths to the base's version."""

    paths: Mapping[str, Sequence[str]]
    """Phase → its paths."""
    trailers: Trailers
    fork: str | None
    """The commit of the base whose files they get."""
    discard_edits: bool = False
    """Whether to roll back files that people edited, too."""
    remove_inherited: bool = False
    """Whether to remove files, too, that the base has from a merged run."""

    def compose(
        self, repository: Repository, ledger: Ledger, _: str | None, _render_again: RenderAgain
    ) -> CommitContent | None:
        """Choose the files to roll back; None if none of the phases is present (any more)."""
        keys = [key for key in self.paths if self._is_present(ledger, key)]
        if not keys:
            return None
        paths = sorted({path for key in keys for path in self.paths[key]})
        base = repository.entries(self.fork, paths) if self.fork and paths else {}
        kept = tuple(path for path in paths if not self.discard_edits and ledger.has_human_edits(path))
        removed = {path for path in paths if self.remove_inherited and ledger.is_inherited(path)}
        files = {
            path: None if path in removed else base.get(path)
            for path in paths
            if path not in kept and ledger.file(path).head
        }
        trailers = replace(self.trailers, reverts=tuple(keys))
        return CommitContent(format_revert(keys, kept, trailers), trailers, files, kept)

    def _is_present(self, ledger: Ledger, key: str) -> bool:
        if self.remove_inherited:
            return ledger.is_present(key, self.paths[key])
        return ledger.record(key) is not None


def _executable(ledger: Ledger, paths: Iterable[str]) -> Collection[str]:
    return {path for path in paths if (head := ledger.file(path).head) and head.mode == EXECUTABLE}
