"""What a rebuild found: which commits are what the recipe makes, and who wrote each line.  Plain values."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

Verdict = Literal["proven", "tampered", "unproven", "model"]
"""``unproven``: it can't be rebuilt, so nothing speaks for or against it.  ``model``: no recipe made it."""

Origin = Literal["bot", "model", "human", "base", "unproven"]
"""Who wrote a line.

``base``: it came with the base, from somebody.  ``unproven``: it is of a commit that can't be rebuilt.
"""

ORIGINS: Sequence[Origin] = ("bot", "model", "human", "base", "unproven")


class FileProof(NamedTuple):
    """What a commit brought at one path."""

    path: str
    verdict: Verdict
    why: str = ""
    """What speaks against it, or why it can't be rebuilt; also that it was merged."""
    line: int | None = None
    """The first line that differs from what it should be."""


@dataclass(frozen=True, slots=True)
class CommitProof:
    """A commit of the run that says to be the bot's."""

    oid: str
    phase: str | None
    """None for a rollback."""
    files: Sequence[FileProof] = ()
    """The files that it changed or should have changed, as far as they were looked at."""
    by_model: bool = False
    """Whether a model made its files, but for those in *files*."""
    why: str = ""
    """Why nothing of it can be rebuilt."""

    @property
    def verdict(self) -> Verdict:
        """The worst that was found in it."""
        found = {each.verdict for each in self.files}
        if "tampered" in found:
            return "tampered"
        if self.why or "unproven" in found:
            return "unproven"
        return "model" if self.by_model else "proven"


@dataclass(frozen=True, slots=True)
class FileOrigins:
    """Who wrote the lines of a generated file at head."""

    path: str
    phase: str
    lines: Sequence[Origin]
    """One for each line, in their order."""

    @property
    def counts(self) -> Mapping[Origin, int]:
        """Number of lines by origin; only those there are."""
        return count_lines([self])


def count_lines(files: Sequence[FileOrigins]) -> Mapping[Origin, int]:
    """Return the number of lines of *files* by origin; only those there are."""
    counts = Counter(line for each in files for line in each.lines)
    return {origin: counts[origin] for origin in ORIGINS if counts[origin]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuild:
    """All commits of a run held against what its recipe makes, and the lines at head."""

    run: str
    branch: str
    head: str
    commits: Sequence[CommitProof]
    """Oldest first."""
    files: Sequence[FileOrigins]
    """In plan order; the plan's own files are what everything is rebuilt from, so they are not among them."""
    inherited: Sequence[str] = ()
    """Keys of the phases that stand in the base, without a commit of this run: there is nothing to prove."""
    notes: Sequence[str] = ()
    """What people should know of commits that don't count."""

    @property
    def tampered(self) -> Sequence[CommitProof]:
        return [each for each in self.commits if each.verdict == "tampered"]

    @property
    def unproven(self) -> Sequence[CommitProof]:
        return [each for each in self.commits if each.verdict == "unproven"]
