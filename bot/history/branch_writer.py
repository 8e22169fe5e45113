"""Puts commits on the branch of a run."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from bot.errors import RepositoryError
from bot.history.commits import CommitContent, PhaseCommit, RevertCommit
from bot.history.fast_import import EXECUTABLE, NewCommit, RefMovedError, write_commits
from bot.history.repository import Identity, Repository, object_id
from bot.history.run_branch import RunBranch
from bot.history.run_state import Commit, Entry
from bot.planning.phases import Phase

ATTEMPTS = 5
"""How often a commit or push is moved on top of what others did before it is given up."""


class Committed(NamedTuple):
    """A commit that was put on head."""

    oid: str
    kept: tuple[str, ...]
    """Paths that a revert left as they are, because people edited them."""


class BranchWriter:
    """Commits as one author and committer, at the time that a clock says."""

    def __init__(
        self, repository: Repository, branch: RunBranch, now: Callable[[], datetime], committer: Identity | None = None
    ) -> None:
        """Write to *branch*; *committer* is the author too, and by default whom git's configuration names."""
        self._repository, self._branch, self._now = repository, branch, now
        self._people = [committer or repository.identity(role) for role in ("AUTHOR", "COMMITTER")]

    @property
    def committer(self) -> Identity:
        """Who commits."""
        return self._people[1]

    def start_repository(self) -> None:
        """Give a repository without commits a root commit, so that the run has a base to be merged into.

        If it has no files either, check out the run's branch: the files appear as they are generated.
        """
        repository, branch = self._repository, self._branch
        if repository.is_empty():
            repository.point_head(branch.ref)
            repository.start(branch.base, self._now())
        elif repository.oid("HEAD") is None and (unborn := repository.checked_out()):
            repository.start(unborn, self._now())

    def commit(self, work: PhaseCommit | RevertCommit, phases: Sequence[Phase]) -> Committed | None:
        """Put one commit on head; None when nothing is left to do, because others did it meanwhile.

        Raises:
            RepositoryError: Git refused; the branch did not move.
        """
        branch = self._branch
        for _ in range(ATTEMPTS):
            ledger, parent = branch.ledger(phases), branch.head or branch.fork
            content = work.compose(self._repository, ledger, parent)
            if content is None:
                return None
            try:
                oid = self._write(content, parent)
            except RefMovedError:
                branch.read()
                continue
            changes = {path: _entry(path, content, oid) for path in content.files}
            branch.append(Commit(oid, content.trailers, "", changes))
            return Committed(oid, content.kept)
        raise RepositoryError(
            f"committing to {branch.name}: others moved it {ATTEMPTS} times meanwhile; run generate again"
        )

    def _write(self, content: CommitContent, parent: str | None) -> str:
        author, committer = (person.at(self._now()) for person in self._people)
        new = NewCommit(content.message, author, committer, content.files, content.executable)
        return write_commits(self._repository.git, self._branch.ref, parent, [new])[0]


def _entry(path: str, content: CommitContent, like: str) -> Entry | None:
    file = content.files[path]
    if not isinstance(file, bytes):
        return file
    return Entry(EXECUTABLE if path in content.executable else "100644", object_id(file, like))
