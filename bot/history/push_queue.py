"""Publish commits in the background: worktrees follow, the remote gets the newest head, one push at a time.

A push takes as long as several phases' commits; coalescing makes all of a run's pushes cost about what one at
the end would, while the remote is never more than one push behind.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Self

import tenacity

from bot.errors import PushError, RepositoryError
from bot.history.rebase import CannotRebaseError
from bot.history.remote import RejectedError, UnreachableError
from bot.history.run_branch import ATTEMPTS, RunBranch

_PATIENCE = 60.0
"""Seconds for which one push is tried again."""


class PushQueue:
    """Carries the head of a branch out, for as long as its context lasts."""

    def __init__(self, branch: RunBranch) -> None:
        self._branch = branch
        self._wanted = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._serving: asyncio.Task[None] | None = None
        self.news = asyncio.Event()
        """Set whenever something was published, or the branch took in what others pushed."""
        self.published: frozenset[str] = frozenset()
        """The commits that are out."""
        self.error: PushError | None = None
        """Why pushing stopped for good; work goes on locally."""
        self.interrupted: PushError | None = None
        """Why the last push did not get through; the next phase is another chance."""
        self.apart = False
        """Whether the branch can't be pushed any more, because of what others pushed."""
        self.behind: RepositoryError | None = None
        """Why a worktree could not follow; the branch is right all the same."""

    async def __aenter__(self) -> Self:
        self._serving = asyncio.create_task(self._serve())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Carry out what is left, then stop."""
        try:
            await self.flush()
        finally:
            if self._serving:
                self._serving.cancel()
                await asyncio.gather(self._serving, return_exceptions=True)

    def is_out(self, oid: str) -> bool:
        """Whether others can see the commit *oid*: one of the branch that was pushed, or what it stands on."""
        return oid in self.published or oid == self._branch.fork

    def publish(self) -> None:
        """Ask for the present head to be carried out; returns at once."""
        self._idle.clear()
        self._wanted.set()

    async def flush(self) -> None:
        """Wait until all that was asked for is out, or pushing was given up.

        Raises:
            RepositoryError: Git failed in another way than refusing a push.
        """
        if self._serving is None:
            return
        idle = asyncio.create_task(self._idle.wait())
        await asyncio.wait({idle, self._serving}, return_when=asyncio.FIRST_COMPLETED)
        idle.cancel()
        if self._serving.done():
            self._serving.result()

    async def _serve(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            await self._patiently(self._carry_out)
            await asyncio.to_thread(self._branch.tidy)
            self.news.set()
            if not self._wanted.is_set():
                self._idle.set()

    async def _patiently(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do *work* with the remote; what may be over in a moment is waited for."""
        retrying = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(UnreachableError),
            wait=tenacity.wait_exponential_jitter(initial=1, max=10),
            stop=tenacity.stop_after_attempt(ATTEMPTS) | tenacity.stop_after_delay(_PATIENCE),
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

    async def _carry_out(self) -> None:
        await self._follow()
        for _ in range(ATTEMPTS):
            head, commits = self._branch.head, list(self._branch.commits)
            if head is None or self.error:
                return
            try:
                await asyncio.to_thread(self._branch.push, head)
            except RejectedError:
                await self._reconcile()
            else:
                self.published |= {commit.oid for commit in commits}
                return
        await self._keep_apart("others kept pushing")

    async def reconcile(self) -> None:
        """Take in what others pushed; where that fails, :attr:`error` or :attr:`interrupted` says why."""
        await self._patiently(self._reconcile)

    async def _reconcile(self) -> None:
        """Take in what others pushed.  The branch moves between two steps of the event loop, never during one."""
        theirs = await asyncio.to_thread(self._branch.fetch)
        try:
            self._branch.take_in(theirs)
            if theirs == self._branch.head:
                self.published |= {commit.oid for commit in self._branch.commits}
        except CannotRebaseError as exc:
            await self._keep_apart(exc)
        else:
            await self._follow()

    async def _follow(self) -> None:
        try:
            await asyncio.to_thread(self._branch.follow)
        except RepositoryError as exc:
            self.behind = exc

    async def _keep_apart(self, cause: object) -> None:
        """Give up pushing the branch, and keep its head on another one."""
        self.apart = True
        try:
            kept = await asyncio.to_thread(self._branch.keep_apart)
        except PushError as exc:
            self.error = exc
        else:
            self.error = PushError(
                f"pushing {self._branch.name}: {cause}; the work is kept on {kept}: merge it, then run generate again"
            )
