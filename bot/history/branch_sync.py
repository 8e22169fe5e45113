"""Keep the branch of a run in sync with its remote and with the worktrees that have it checked out.

Safe to call concurrently with :meth:`bot.history.branch_writer.BranchWriter.commit`, except
:meth:`BranchSync.integrate`.
"""

from collections.abc import Sequence
from contextlib import suppress

from bot.errors import PushError, RepositoryError
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
_ATTEMPTS = 5
"""How often a rebase starts again when somebody moves the local branch; then the next push is rejected and retried."""


class BranchSync:
    """Fetches and pushes one branch; without a remote it only refreshes worktrees."""

    def __init__(
        self, repository: Repository, branch: RunBranch, remote: Remote | None, *, disposable: bool = False
    ) -> None:
        """Keep *branch* in sync with *remote*; None for no network access.

        *disposable* says that the clone is thrown away when the process has ended.
        """
        self._repository, self._branch, self._remote = repository, branch, remote
        self.disposable = disposable
        self._last_known: str | None = None
        """Where the remote-tracking branch pointed before the last fetch."""
        self._has_base = False
        self._pushed_base = ""
        """The base, if this process created it on the remote."""
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
            for _ in range(_ATTEMPTS):
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
        history = branch.history(theirs)
        ledger = derive_state(branch.run, {}, history.commits)
        return rebase(self._repository, ours, theirs, self._last_known, ledger, history.makers, branch.plans.load)

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
            self._push_base(self._remote)
            self._remote.push(oid, self._branch.name)

    def _push_base(self, remote: Remote) -> None:
        """Push the commit that a new repository started with as the base, once per process, if the remote lacks it.

        Otherwise the run's branch would be the remote's first, and so its default branch.
        """
        branch, repository = self._branch, self._repository
        base, fork = branch.base, branch.fork
        if self._has_base or fork is None:
            return
        if (
            base.is_branch
            and repository.oid(f"refs/heads/{base.name}")
            and not repository.oid(remote.tracking_ref(base.name))
            and repository.is_bare_start(fork)
            and remote.fetch(base.name) is None
        ):
            remote.push(fork, base.name)
            self._pushed_base = base.name
        self._has_base = True

    def notes(self) -> list[str]:
        """Return what people should know of the remote and the worktrees."""
        base, remote = self._pushed_base, self._remote.name if self._remote else ""
        pushed = (
            [f"pushed the branch {base} with an empty first commit, because {remote} did not have it"] if base else []
        )
        return [*pushed, *self.worktrees.notes()]

    def unpushed(self) -> Sequence[Commit]:
        """Return the commits, oldest first, that the remote's branch lacks as far as this clone knows."""
        head = self._branch.head
        if self._remote is None or head is None:
            return ()
        pushed = self._repository.oid(self._remote.tracking_ref(self._branch.name))
        base = self._repository.merge_base(pushed, head) if pushed else self._branch.fork
        return self._repository.log(base, head)

    def push_recovery_branch(self, head: str) -> str:
        """Push *head*, which conflicts with the remote's branch, to ``…-recovered-<n>`` and return that name.

        It is the first one that does not exist yet, or that only lacks commits of *head*.

        Raises:
            PushError: That failed, too.
        """
        assert self._remote, "only a remote's commits can conflict"  # noqa: S101
        for number in range(1, _MAX_RECOVERY_BRANCHES):
            name = f"{self._branch.name}-recovered-{number}"
            there = self._remote.fetch(name)
            if there is None or self._repository.merge_base(there, head) == there:
                with suppress(RejectedError):
                    self._remote.push(head, name)
                    return name
        name = f"{self._branch.name}-recovered-<n>"
        raise PushError(f"pushing {name}: there are {_MAX_RECOVERY_BRANCHES - 1} already; delete those you don't need")

    def refresh_worktrees(self) -> None:
        """Refresh every worktree that has the branch checked out; :attr:`worktrees` says what failed."""
        if self._branch.head:
            self.worktrees.refresh(self._branch.head, self._branch.shared)

    def combine_packs(self) -> None:
        """Combine the packs once there are many: each commit adds one, and git searches all of them for every object.

        Safe to kill: git writes the new pack before it removes the old ones.
        """
        if len(self._branch.commits) - self._combined_at >= _COMBINE_EVERY:
            self._combined_at = len(self._branch.commits)
            self._repository.combine_packs()
