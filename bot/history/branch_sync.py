"""Keeps the branch of a run in step with its remote and with the worktrees that have it checked out.

Safe to call beside :meth:`bot.history.branch_writer.BranchWriter.commit`, except for :meth:`BranchSync.take_in`.
"""

from pathlib import Path

from bot.errors import PushError
from bot.history import worktree_sync
from bot.history.branch_writer import ATTEMPTS
from bot.history.ledger import derive_state
from bot.history.rebase import rebase
from bot.history.remote import RejectedError, Remote
from bot.history.repository import Repository
from bot.history.run_branch import RunBranch

_PACKS = 32
"""Commits, one pack each, after which the packs are combined."""
_RECOVERY_BRANCHES = 100


class BranchSync:
    """Fetches and pushes one branch; without a remote it only refreshes worktrees."""

    def __init__(self, repository: Repository, branch: RunBranch, remote: Remote | None) -> None:
        """Keep *branch* in step with *remote*; None leaves the network alone."""
        self._repository, self._branch, self._remote = repository, branch, remote
        self._known: str | None = None
        """Where the remote's branch stood before it was fetched."""
        self._combined = 0
        self._refreshed: dict[Path, str] = {}

    @property
    def pushes(self) -> bool:
        """Whether the branch is pushed at all."""
        return self._remote is not None

    def fetch(self) -> str | None:
        """Fetch the remote's branch and return its commit; None when it has none, or nothing is pushed.

        Raises:
            PushError: The remote can't be reached.
        """
        if self._remote is None:
            return None
        self._known = self._repository.oid(self._remote.tracking(self._branch.name))
        return self._remote.fetch(self._branch.name)

    def take_in(self, theirs: str | None) -> None:
        """Put the local commits on top of the fetched commit *theirs*, then read the branch, even on failure.

        Raises:
            CannotRebaseError: A person's unpushed commit conflicts; the local branch is as it was.
        """
        branch = self._branch
        try:
            for _ in range(ATTEMPTS):
                ours = self._repository.oid(branch.ref)
                if theirs is None or theirs == ours:
                    break
                tip = self._rebased(ours, theirs) if ours else theirs
                if tip == ours or self._repository.move(branch.ref, tip, ours):
                    break
        finally:
            branch.read()

    def _rebased(self, ours: str, theirs: str) -> str:
        branch = self._branch
        ledger = derive_state(branch.run, {}, self._repository.log(branch.fork_of(theirs), theirs))
        return rebase(self._repository, ours, theirs, self._known, ledger)

    def push(self, oid: str) -> None:
        """Push the commit *oid*, which is or was the head.

        Raises:
            RejectedError: Others pushed meanwhile: :meth:`fetch`, :meth:`take_in`, then push the new head.
            PushError: The remote can't be reached, or refuses.
        """
        if self._remote:
            self._remote.push(oid, self._branch.name)

    def push_recovery_branch(self) -> str:
        """Push head to a new branch, ``…-recovered-<n>``, because the run's own does not take it; return its name.

        Raises:
            PushError: That fails too; the commits are on the local branch only.
        """
        branch = self._branch
        for number in range(1, _RECOVERY_BRANCHES):
            name = f"{branch.name}-recovered-{number}"
            if self._remote and branch.head and self._remote.fetch(name) in (None, branch.head):
                try:
                    self._remote.push(branch.head, name)
                except RejectedError:
                    continue
                return name
        raise PushError(
            f"pushing {branch.name}: all names for a recovery branch are taken; the commits are on the local branch"
        )

    def refresh_worktrees(self) -> None:
        """Bring every worktree that has the branch checked out to the head."""
        branch, git = self._branch, self._repository.git
        head = branch.head
        if head is None:
            return
        for folder in worktree_sync.worktrees_on(git, branch.ref):
            before = self._refreshed.get(folder)
            if before != head:
                worktree_sync.follow(git, folder, branch.ref, head, base=branch.fork, before=before)
                self._refreshed[folder] = head

    def combine_packs(self) -> None:
        """Combine the packs of many phases, one each, into few: git searches all of them for every object.

        Safe to kill: git writes the new pack before it removes an old one.
        """
        if len(self._branch.commits) - self._combined >= _PACKS:
            self._combined = len(self._branch.commits)
            self._repository.roll_up_packs()
