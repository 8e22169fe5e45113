"""What a commit is to hold, decided from the ledger of the moment: a phase that was made, or phases taken back."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from bot.history.fast_import import EXECUTABLE
from bot.history.ledger import Ledger
from bot.history.repository import Repository
from bot.history.run_state import Entry
from bot.history.three_way_merge import merge_files
from bot.history.trailers import Trailers, format_message, format_revert
from bot.planning.phases import Phase

_PREVAILED = "Written anew, because it could not be merged with the comments that people wrote into it."


class CommitContent(NamedTuple):
    """A commit to be put on head."""

    message: str
    trailers: Trailers
    files: Mapping[str, bytes | Entry | None]
    kept: tuple[str, ...] = ()
    """Paths that stay, because people edited them."""
    executable: Collection[str] = ()
    """Paths that a person made executable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseCommit:
    """A phase whose files were made."""

    phase: Phase
    of: int
    """Phases in the plan."""
    files: Mapping[str, bytes]
    trailers: Trailers
    body: Sequence[str]
    replaces: Collection[str] = ()
    """Commits in whose place it is made again; another one of the phase is left as it is."""
    prevails: bool = False
    """Whether the files stand where they conflict with what people did, which they were made from."""
    over: str | None = None
    """The blob that the phase's one file was made from, and takes the place of; nothing is done if it is another."""

    def compose(self, repository: Repository, ledger: Ledger, parent: str | None) -> CommitContent | None:
        """Merge the files with what people did; None when somebody finished the phase meanwhile."""
        made = ledger.made(self.phase.key)
        first = made is None and self.prevails
        if not (first or ledger.wanted(self.phase) or (made and made.oid in self.replaces)):
            return None
        if self.over:
            there = [ledger.file(path).head for path in self.files]
            same = all(entry and entry.oid == self.over for entry in there)
            message = format_message(self.phase, self.of, self.body, self.trailers)
            return CommitContent(message, self.trailers, self.files) if same else None
        merged = merge_files(repository, ledger, self.files, like=parent or "0" * 40)
        if merged.conflicts and self.prevails:
            message = format_message(self.phase, self.of, [*self.body, _PREVAILED], self.trailers)
            return CommitContent(message, self.trailers, self.files)
        trailers = replace(self.trailers, conflict=merged.conflicts)
        message = format_message(self.phase, self.of, self.body, trailers)
        return CommitContent(message, trailers, merged.files, executable=_executable(ledger, merged.files))


@dataclass(frozen=True, slots=True, kw_only=True)
class RevertCommit:
    """Phases that are to be undone: their paths become what they are in the base."""

    paths: Mapping[str, Sequence[str]]
    """By phase."""
    trailers: Trailers
    fork: str | None
    """The commit that the branch left the base at."""
    discard: bool = False
    """Whether files that people edited go, too."""
    gone: bool = False
    """Whether what the base has of them, made by a run that was merged, goes as well."""

    def compose(self, repository: Repository, ledger: Ledger, _: str | None) -> CommitContent | None:
        """Decide what goes; None when none of the phases is made (any more)."""
        keys = [key for key in self.paths if (ledger.stands(key, self.paths[key]) if self.gone else ledger.made(key))]
        if not keys:
            return None
        paths = sorted({path for key in keys for path in self.paths[key]})
        base = repository.entries(self.fork, paths) if self.fork and paths else {}
        kept = tuple(path for path in paths if not self.discard and ledger.is_others(path))
        removed = {path for path in paths if self.gone and ledger.is_inherited(path)}
        files = {
            path: None if path in removed else base.get(path)
            for path in paths
            if path not in kept and ledger.file(path).head
        }
        trailers = replace(self.trailers, reverts=tuple(keys))
        return CommitContent(format_revert(keys, kept, trailers), trailers, files, kept)


def _executable(ledger: Ledger, paths: Iterable[str]) -> Collection[str]:
    return {path for path in paths if (head := ledger.file(path).head) and head.mode == EXECUTABLE}
