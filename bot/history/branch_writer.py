"""Write commits to the branch of a run."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import tenacity

from bot.errors import RepositoryError
from bot.history.commits import CommitContent, PhaseCommit, RevertCommit
from bot.history.fast_import import EXECUTABLE, NewCommit, RefMovedError, write_commits
from bot.history.repository import Identity, Repository, object_id
from bot.history.run_branch import RunBranch
from bot.history.run_state import Commit, Entry
from bot.planning.phases import Phase

ATTEMPTS = 40
"""How often a commit is tried while others move the branch.  The waits in between are random and grow, so that the
others come to an end, and two that retry do not keep step.  They block, and are short."""
_WAITS = tenacity.wait_random_exponential(multiplier=0.001, max=0.2)


class Committed(NamedTuple):
    """A commit that was written on top of head."""

    oid: str
    kept: tuple[str, ...]
    """Paths that a rollback left unchanged, because people edited them."""
    rejected: Mapping[str, bytes] = {}
    """Path → the generated version that was not taken, because a person's file stays."""


class BranchWriter:
    """Writes commits with a fixed author and committer."""

    def __init__(
        self, repository: Repository, branch: RunBranch, now: Callable[[], datetime], committer: Identity | None = None
    ) -> None:
        """Write to *branch*; *committer* is also the author and defaults to the identities in git's configuration."""
        self._repository, self._branch, self._now = repository, branch, now
        self._identities = [committer or repository.identity(role) for role in ("AUTHOR", "COMMITTER")]

    @property
    def author(self) -> Identity:
        """The author of new commits."""
        return self._identities[0]

    @property
    def committer(self) -> Identity:
        """The committer of new commits."""
        return self._identities[1]

    def check_writable(self) -> None:
        """Make sure that commits can be written, before something expensive is done for one.

        Raises:
            RepositoryError: They can't.
        """
        self._repository.git.check_writable(f"committing to {self._branch.name}")

    def start_repository(self) -> None:
        """Give a repository without commits a root commit, so that the run has a base to be merged into.

        If it has no files either, check out the run's branch, so that files appear as they are generated.

        Raises:
            UsageError: There is no base to start from; nothing was written.
            PushError: The remote can't be asked whether it has commits; nothing was written.
        """
        repository, branch = self._repository, self._branch
        if repository.has_commits():
            return
        branch.read()
        if branch.base.oid:  # the remote has commits
            return
        if not repository.has_files():
            repository.set_head(branch.ref)
        repository.start_branch(branch.base.name, self._now())

    def commit(self, draft: PhaseCommit | RevertCommit, phases: Sequence[Phase]) -> Committed | None:
        """Write one commit on top of head; None if others have done its work in the meantime.

        Raises:
            RepositoryError: Git failed; the branch was not changed.
        """
        self.check_writable()
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(RefMovedError),
            wait=_WAITS,
            stop=tenacity.stop_after_attempt(ATTEMPTS),
            reraise=True,
        )
        try:
            return retrying(self._try_to_commit, draft, phases)
        except RefMovedError as exc:
            name = self._branch.name
            raise RepositoryError(
                f"committing to {name}: others moved it {ATTEMPTS} times; run generate again"
            ) from exc

    def _try_to_commit(self, draft: PhaseCommit | RevertCommit, phases: Sequence[Phase]) -> Committed | None:
        branch = self._branch
        ledger, parent = branch.ledger(phases), branch.head or branch.fork
        if parent is None:
            raise RepositoryError(f"committing to {branch.name}: there is no commit to start from")
        content = draft.compose(self._repository, ledger, parent, branch.render_again)
        if content is None:
            return None
        try:
            oid = self._write(content, parent)
        except RefMovedError:
            branch.read()
            raise
        changes = {path: _entry(path, content, oid) for path in content.files}
        author, committer = map(str, self._identities)
        branch.append(Commit(oid, content.trailers, "", changes, author, committer))
        return Committed(oid, content.kept, content.rejected)

    def _write(self, content: CommitContent, parent: str | None) -> str:
        author, committer = (identity.at(self._now()) for identity in self._identities)
        new = NewCommit(content.message, author, committer, content.files, content.executable)
        return write_commits(self._repository.git, self._branch.ref, parent, [new])[0]


def _entry(path: str, content: CommitContent, sample_oid: str) -> Entry | None:
    file = content.files[path]
    if not isinstance(file, bytes):
        return file
    return Entry(EXECUTABLE if path in content.executable else "100644", object_id(file, sample_oid))
