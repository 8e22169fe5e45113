"""Keep the branch of a run in sync with its remote and with the worktrees that have it checked out.

Safe to call concurrently with :meth:`bot.history.branch_writer.BranchWriter.commit`, except
:meth:`BranchSync.integrate`.
"""

from collections.abc import Sequence

from bot.errors import PushError, RepositoryError
from bot.history.branch_writer import ATTEMPTS
from bot.history.ledger import derive_state
from bot.history.rebase import rebase
from bot.history.remote import RejectedError, Remote
from bot.history.repository import Repository
from bot.history.run_branch import RunBranch
from bot.history.run_state import Commit
from bot.history.worktree_sync import Worktrees

_COMBINE_EVERY = 32
"""Packs are combined after this many commits; each commit adds one pack."""
_MAX_RECOVERY_BRANCHES = 100


class BranchSync:
    """Fetches and pushes one branch; without a remote it only refreshes worktrees."""

    def __init__(self, repository: Repository, branch: RunBranch, remote: Remote | None) -> None:
        """Keep *branch* in sync with *remote*; None for no network access."""
        self._repository, self._branch, self._remote = repository, branch, remote
        self._last_known: str | None = None
        """Where the remote-tracking branch pointed before the last fetch."""
        self._combined_at = 0
        self.worktrees = Worktrees(repository, branch.ref)

    @property
    def pushes(self) -> bool:
        """Whether there is a remote to push to."""
        return self._remote is not None

    def fetch(self) -> str | None:
        """Fetch the remote's branch and return its commit; None if it does not exist or there is no remote.

        Raises:
            PushError: The remote can't be reached.
        """
        if self._remote is None:
            return None
        self._last_known = self._repository.oid(self._remote.tracking_ref(self._branch.name))
        return self._remote.fetch(self._branch.name)

    def integrate(self, theirs: str | None) -> None:
        """Rebase the local commits onto the fetched commit *theirs*, then read the branch, even on failure.

        Raises:
            CannotRebaseError: A person's unpushed commit conflicts; the local branch is unchanged.
        """
        branch = self._branch
        try:
            for _ in range(ATTEMPTS):
                ours = self._repository.oid(branch.ref)
                if theirs is None or theirs == ours:
                    break
                tip = self._rebase(ours, theirs) if ours else theirs
                if tip == ours or self._repository.update_ref(branch.ref, tip, ours):
                    break
        finally:
            branch.read()

    def _rebase(self, ours: str, theirs: str) -> str:
        branch = self._branch
        ledger = derive_state(branch.run, {}, self._repository.log(branch.fork_point(theirs), theirs))
        return rebase(self._repository, ours, theirs, self._last_known, ledger)

    def check_commits(self, commits: Sequence[Commit]) -> None:
        """Read back what *commits* changed, and compare it with the changes that they should have.

        Raises:
            RepositoryError: It differs, so the branch is not what it should be.
        """
        actual = self._repository.commits([commit.oid for commit in commits])
        for commit, changed in zip(commits, (each.changes for each in actual), strict=True):
            wrong = {path for path in changed if path not in commit.changes or changed[path] != commit.changes[path]}
            unchanged = sorted(commit.changes.keys() - changed.keys())
            there = self._repository.entries(commit.oid, unchanged) if unchanged else {}
            wrong |= {path for path in unchanged if there.get(path) != commit.changes[path]}
            if wrong:
                raise RepositoryError(
                    f"checking commit {commit.oid[:10]} of {self._branch.name}: git changed {', '.join(sorted(wrong))} "
                    "in another way than it was told, so it was not pushed; remove it with "
                    f"'git update-ref {self._branch.ref} {commit.oid[:10]}^', and report this"
                )

    def push(self, oid: str) -> None:
        """Push the commit *oid*, which is or was the head.

        Raises:
            RejectedError: Others pushed in the meantime: :meth:`fetch`, :meth:`integrate`, then push the new head.
            PushError: The remote can't be reached, or refuses.
        """
        if self._remote:
            self._remote.push(oid, self._branch.name)

    def push_recovery_branch(self) -> str:
        """Push head to a new branch ``…-recovered-<n>`` and return its name; for a head that the run's branch rejects.

        Raises:
            PushError: That failed, too; the commits are only on the local branch.
        """
        branch = self._branch
        for number in range(1, _MAX_RECOVERY_BRANCHES):
            name = f"{branch.name}-recovered-{number}"
            if self._remote and branch.head and self._remote.fetch(name) in (None, branch.head):
                try:
                    self._remote.push(branch.head, name)
                except RejectedError:
                    continue
                return name
        raise PushError(
            f"pushing {branch.name}: all recovery branches exist already; the commits are only on the local branch"
        )

    def refresh_worktrees(self) -> None:
        """Refresh every worktree that has the branch checked out; :attr:`worktrees` says what failed."""
        if self._branch.head:
            self.worktrees.refresh(self._branch.head, self._branch.fork)

    def combine_packs(self) -> None:
        """Combine the packs once there are many: each commit adds one, and git searches all of them for every object.

        Safe to kill: git writes the new pack before it removes the old ones.
        """
        if len(self._branch.commits) - self._combined_at >= _COMBINE_EVERY:
            self._combined_at = len(self._branch.commits)
            self._repository.combine_packs()
