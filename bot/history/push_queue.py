"""Publishes commits in the background: refreshes worktrees and pushes the newest head, one push at a time.

A push takes as long as several commits.  Pushing only the newest head makes all pushes of a run cost about as much as
one at the end, while the remote is never more than one push behind.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Self

import tenacity

from bot.errors import PushError, RepositoryError
from bot.history.branch_sync import BranchSync
from bot.history.branch_writer import ATTEMPTS
from bot.history.rebase import CannotRebaseError
from bot.history.remote import RejectedError, UnreachableError
from bot.history.run_branch import RunBranch

_RETRY_SECONDS = 60.0
"""How long one push is retried."""


class PushQueue:
    """Publishes the head of a branch, as long as its context lasts."""

    def __init__(self, branch: RunBranch, sync: BranchSync) -> None:
        self._branch, self._sync = branch, sync
        self._requested = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._task: asyncio.Task[None] | None = None
        self.news = asyncio.Event()
        """Set whenever something was published, or commits of others were taken in."""
        self.published: frozenset[str] = frozenset()
        """The commits that others can see."""
        self.error: PushError | None = None
        """Why pushing stopped for good; the run goes on locally."""
        self.interrupted: PushError | None = None
        """Why the last push failed; the next one may succeed."""
        self.apart = False
        """Whether the branch can't be pushed any more, because of what others pushed."""
        self.worktree_error: RepositoryError | None = None
        """Why a worktree was not refreshed; the branch is right all the same."""

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._serve())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Publish what is left, then stop."""
        try:
            await self.flush()
        finally:
            if self._task:
                self._task.cancel()
                await asyncio.gather(self._task, return_exceptions=True)

    @property
    def failure(self) -> PushError | None:
        """Why the newest commits could not be pushed; None when they could."""
        return self.error or self.interrupted

    def is_published(self, oid: str) -> bool:
        """Whether others can see the commit *oid*: it was pushed, or it is the one that the branch starts from."""
        return oid in self.published or oid == self._branch.fork

    def publish(self) -> None:
        """Ask for the current head to be published; returns at once."""
        self._idle.clear()
        self._requested.set()

    async def flush(self) -> None:
        """Wait until everything asked for is published, or pushing has failed.

        Raises:
            RepositoryError: Git failed in another way than refusing a push.
        """
        if self._task is None:
            return
        idle = asyncio.create_task(self._idle.wait())
        await asyncio.wait({idle, self._task}, return_when=asyncio.FIRST_COMPLETED)
        idle.cancel()
        if self._task.done():
            self._task.result()

    async def reconcile(self) -> None:
        """Take in what others pushed; where that fails, :attr:`failure` says why."""
        await self._retry(self._reconcile)

    async def _serve(self) -> None:
        while True:
            await self._requested.wait()
            self._requested.clear()
            await self._retry(self._publish)
            await asyncio.to_thread(self._sync.combine_packs)
            self.news.set()
            if not self._requested.is_set():
                self._idle.set()

    async def _retry(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do *work* with the remote; retry where it can't be reached for a moment."""
        retrying = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(UnreachableError),
            wait=tenacity.wait_exponential_jitter(initial=1, max=10),
            stop=tenacity.stop_after_attempt(ATTEMPTS) | tenacity.stop_after_delay(_RETRY_SECONDS),
            sleep=asyncio.sleep,
            reraise=True,
        )
        try:
            await retrying(work)
        except UnreachableError as exc:
            self.interrupted = exc
        except PushError as exc:
            self.error = exc
        else:
            self.interrupted = None

    async def _publish(self) -> None:
        await self._refresh_worktrees()
        for _ in range(ATTEMPTS):
            head, commits = self._branch.head, list(self._branch.commits)
            if head is None or self.error:
                return
            try:
                await asyncio.to_thread(self._sync.push, head)
            except RejectedError:
                await self._reconcile()
            else:
                self.published |= {commit.oid for commit in commits}
                return
        await self._push_recovery_branch("others kept pushing")

    async def _reconcile(self) -> None:
        """Take in what others pushed.  The branch moves between two steps of the event loop, never during one."""
        theirs = await asyncio.to_thread(self._sync.fetch)
        try:
            self._sync.take_in(theirs)
            if theirs == self._branch.head:
                self.published |= {commit.oid for commit in self._branch.commits}
        except CannotRebaseError as exc:
            await self._push_recovery_branch(exc)
        else:
            await self._refresh_worktrees()

    async def _refresh_worktrees(self) -> None:
        try:
            await asyncio.to_thread(self._sync.refresh_worktrees)
        except RepositoryError as exc:
            self.worktree_error = exc

    async def _push_recovery_branch(self, cause: object) -> None:
        """Give up pushing the branch, and push its head to another one."""
        self.apart = True
        try:
            name = await asyncio.to_thread(self._sync.push_recovery_branch)
        except PushError as exc:
            self.error = exc
        else:
            self.error = PushError(
                f"pushing {self._branch.name}: {cause}; the work is on {name}: merge it, then run generate again"
            )
