"""Publish commits in the background: refresh worktrees and push the newest head, one push at a time.

A push takes as long as several commits.  Only the newest head is pushed, so all pushes together cost about as much as
a single one at the end, and the remote is at most one push behind.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Self

import tenacity

from bot.errors import PushError
from bot.history.branch_sync import BranchSync
from bot.history.branch_writer import ATTEMPTS
from bot.history.rebase import CannotRebaseError
from bot.history.remote import RejectedError, UnreachableError
from bot.history.run_branch import RunBranch

_RETRY_SECONDS = 60.0
"""How long a fetch or push is retried."""


class PushQueue:
    """Publishes the head of a branch while its context is open."""

    def __init__(self, branch: RunBranch, sync: BranchSync) -> None:
        self._branch, self._sync = branch, sync
        self._requested = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._task: asyncio.Task[None] | None = None
        self.updated = asyncio.Event()
        """Set after each publication, which may have integrated commits of others."""
        self.published: frozenset[str] = frozenset()
        """Commits that others can see."""
        self.error: PushError | None = None
        """Why pushing has stopped for good; the run continues locally."""
        self.interrupted: PushError | None = None
        """Why the last push failed; the next one may succeed."""
        self.diverged = False
        """Whether the branch can't be pushed any more, because others pushed conflicting commits or kept pushing."""

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Publish the remaining commits, then stop."""
        try:
            await self.flush()
        finally:
            if self._task:
                self._task.cancel()
                await asyncio.gather(self._task, return_exceptions=True)

    @property
    def failure(self) -> PushError | None:
        """Why the newest commits could not be pushed; None if they could."""
        return self.error or self.interrupted

    def is_published(self, oid: str) -> bool:
        """Whether others can see the commit *oid*: it was pushed, or the branch starts at it."""
        return oid in self.published or oid == self._branch.fork

    def publish(self) -> None:
        """Request that the current head is published; returns immediately."""
        self._idle.clear()
        self._requested.set()

    async def flush(self) -> None:
        """Wait until everything requested is published, or pushing has failed.

        Raises:
            RepositoryError: Git failed for a reason other than a push.
        """
        if self._task is None:
            return
        idle = asyncio.create_task(self._idle.wait())
        await asyncio.wait({idle, self._task}, return_when=asyncio.FIRST_COMPLETED)
        idle.cancel()
        if self._task.done():
            self._task.result()

    async def integrate(self) -> None:
        """Fetch what others pushed and rebase onto it; if that fails, :attr:`failure` says why."""
        await self._retry(self._integrate)

    async def _run(self) -> None:
        while True:
            await self._requested.wait()
            self._requested.clear()
            await self._retry(self._publish)
            await asyncio.to_thread(self._sync.combine_packs)
            self.updated.set()
            if not self._requested.is_set():
                self._idle.set()

    async def _retry(self, work: Callable[[], Awaitable[None]]) -> None:
        """Run *work*; retry while the remote can't be reached."""
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
        await asyncio.to_thread(self._sync.refresh_worktrees)
        for _ in range(ATTEMPTS):
            head, commits = self._branch.head, list(self._branch.commits)
            await asyncio.to_thread(self._sync.check_commits, self._branch.take_unchecked())
            if head is None or self.error:
                return
            try:
                await asyncio.to_thread(self._sync.push, head)
            except RejectedError:
                await self._integrate()
            else:
                self.published |= {commit.oid for commit in commits}
                return
        await self._push_recovery_branch("others kept pushing")

    async def _integrate(self) -> None:
        """Fetch what others pushed and rebase onto it; the rebase blocks the event loop, so nothing else can commit."""
        theirs = await asyncio.to_thread(self._sync.fetch)
        try:
            self._sync.integrate(theirs)
            if theirs == self._branch.head:
                self.published |= {commit.oid for commit in self._branch.commits}
        except CannotRebaseError as exc:
            await self._push_recovery_branch(exc)
        else:
            await asyncio.to_thread(self._sync.refresh_worktrees)

    async def _push_recovery_branch(self, cause: object) -> None:
        """Stop pushing the branch, and push its head to a recovery branch."""
        self.diverged = True
        try:
            name = await asyncio.to_thread(self._sync.push_recovery_branch)
        except PushError as exc:
            self.error = exc
        else:
            self.error = PushError(
                f"pushing {self._branch.name}: {cause}; the commits are on {name}: merge it, then run generate again"
            )
