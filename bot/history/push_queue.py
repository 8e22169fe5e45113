"""Publish commits in the background: refresh worktrees and push the newest head, one push at a time.

A push takes as long as several commits.  Only the newest head is pushed, so all pushes together cost about as much as
a single one at the end, and the remote is at most one push behind.

A push that fails is tried again: at once, with every new commit, and at the end.  It can fail because others pushed
first, or because the remote can't be reached.  Only a refusal for good, and a person's commit that conflicts, end that.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple, Self

import tenacity

from bot.errors import PushError, RepositoryError
from bot.history.branch_sync import BranchSync
from bot.history.rebase import CannotRebaseError
from bot.history.remote import RefusedError, RejectedError, UnreachableError
from bot.history.run_branch import RunBranch
from bot.history.unpushed import describe, whereabouts

_RETRY_SECONDS = 60.0
"""How long a fetch or push is retried at once while the remote can't be reached."""
_ATTEMPTS = 40
"""How often a push is tried at once while others push first."""
_LONGEST_WAIT = 5.0
"""The waits between these attempts are random and grow, so that everybody gets a turn."""


class _Recovery(NamedTuple):
    """A recovery branch and the commit that it was pushed at."""

    name: str
    oid: str


class PushQueue:
    """Publishes the head of a branch while its context is open."""

    def __init__(self, branch: RunBranch, sync: BranchSync) -> None:
        self._branch, self._sync = branch, sync
        self._requested = asyncio.Event()
        self._answered = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._task: asyncio.Task[None] | None = None
        self._behind = False
        """Whether others pushed what the head does not contain yet."""
        self._recovery: _Recovery | None = None
        self.updated = asyncio.Event()
        """Set after each publication, which may have integrated commits of others."""
        self.published: frozenset[str] = frozenset()
        """Commits that others can see."""
        self.refused: RefusedError | None = None
        """Why nothing can be pushed until a person changes something; the run may continue locally."""
        self.conflict: CannotRebaseError | None = None
        """Why the branch can't be pushed any more; its head is pushed to a recovery branch instead."""
        self.interrupted: PushError | None = None
        """Why the last push failed; the next one may succeed."""
        self.worktree_error: RepositoryError | None = None
        """Why a worktree was not refreshed; the branch itself is fine."""

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Publish the remaining commits, then stop."""
        try:
            await self.flush()
            if self.interrupted:
                self.publish()
                await self.flush()
        finally:
            if self._task:
                self._task.cancel()
                await asyncio.gather(self._task, return_exceptions=True)

    @property
    def failure(self) -> RepositoryError | None:
        """Why the newest commits could not be pushed; None if they could."""
        return self.conflict or self.refused or self.interrupted

    def explain(self) -> PushError | None:
        """Return the failure, and where the commits are that were not pushed."""
        if self.failure is None:
            return None
        unpushed = self._sync.unpushed()
        parts = []
        if self.conflict:
            parts.append(f"pushing {self._branch.name}: {self.conflict}")
        if self._recovery:
            oids = [each.oid for each in unpushed]
            there = oids.index(self._recovery.oid) + 1 if self._recovery.oid in oids else 0
            parts.append(f"until then, {describe(unpushed[:there])} on {self._recovery.name}" if there else "")
            unpushed = unpushed[there:]
        if failure := self.refused or self.interrupted:
            parts += [str(failure), whereabouts(unpushed, disposable=self._sync.disposable)]
        return PushError("; ".join(filter(None, parts)))

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
        await self._wait_for(self._idle)

    async def first_answer(self) -> None:
        """Wait until the remote has answered the first push, in whatever way, or could not be reached.

        Raises:
            RepositoryError: Git failed for a reason other than a push.
        """
        await self._wait_for(self._answered)

    async def _wait_for(self, event: asyncio.Event) -> None:
        if self._task is None:
            return
        waiting = asyncio.create_task(event.wait())
        await asyncio.wait({waiting, self._task}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if self._task.done():
            self._task.result()

    async def integrate(self) -> None:
        """Fetch what others pushed and rebase onto it; if that fails, :attr:`failure` says why."""
        await self._try(self._integrate)

    async def _run(self) -> None:
        while True:
            await self._requested.wait()
            self._requested.clear()
            await self._try(self._publish)
            self._answered.set()
            await asyncio.to_thread(self._sync.combine_packs)
            self.updated.set()
            if not self._requested.is_set():
                self._idle.set()

    async def _try(self, work: Callable[[], Awaitable[None]]) -> None:
        """Run *work*, again while the remote can't be reached, and record how it ended."""
        retrying = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception(self._is_outage),
            wait=tenacity.wait_exponential_jitter(initial=1, max=10),
            stop=tenacity.stop_after_delay(_RETRY_SECONDS),
            sleep=asyncio.sleep,
            reraise=True,
        )
        try:
            await retrying(work)
        except RefusedError as exc:
            self.refused = exc
        except PushError as exc:
            self.interrupted = exc
        else:
            self.interrupted = None

    def _is_outage(self, exc: BaseException) -> bool:
        """Whether a retry may help.  Who is offline on a laptop stays so; a runner has nothing but the network."""
        if self._sync.disposable:
            return isinstance(exc, PushError) and not isinstance(exc, RefusedError | RejectedError)
        return isinstance(exc, UnreachableError)

    async def _publish(self) -> None:
        """Push the head, again while others push first."""
        await self._refresh_worktrees()
        retrying = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(RejectedError),
            wait=tenacity.wait_random_exponential(multiplier=0.2, max=_LONGEST_WAIT),
            stop=tenacity.stop_after_attempt(_ATTEMPTS),
            sleep=asyncio.sleep,
            reraise=True,
        )
        try:
            await retrying(self._push)
        except RejectedError as exc:
            raise PushError(f"pushing {self._branch.name}: others pushed first, {_ATTEMPTS} times in a row") from exc

    async def _push(self) -> None:
        """Push the head once; raises RejectedError if others pushed first."""
        if self._behind and not self.conflict:
            await self._integrate()
            self.updated.set()
        head, commits = self._branch.head, list(self._branch.commits)
        await asyncio.to_thread(self._sync.check_commits, self._branch.take_unchecked())
        if head is None or self.refused:
            return
        if self.conflict:
            await self._push_recovery_branch(head)
            return
        try:
            await asyncio.to_thread(self._sync.push, head)
        except RejectedError:
            self._behind = True
            raise
        finally:
            self._answered.set()
        self.published |= {commit.oid for commit in commits}

    async def _integrate(self) -> None:
        """Fetch what others pushed and rebase onto it; the rebase blocks the event loop, so nothing else can commit."""
        theirs = await asyncio.to_thread(self._sync.fetch)
        try:
            self._sync.integrate(theirs)
        except CannotRebaseError as exc:
            self.conflict = exc
            if self._branch.head:
                await self._push_recovery_branch(self._branch.head)
            return
        self._behind = False
        if theirs == self._branch.head:
            self.published |= {commit.oid for commit in self._branch.commits}
        await self._refresh_worktrees()

    async def _refresh_worktrees(self) -> None:
        try:
            await asyncio.to_thread(self._sync.refresh_worktrees)
        except RepositoryError as exc:
            self.worktree_error = exc

    async def _push_recovery_branch(self, head: str) -> None:
        """Push *head* to the recovery branch, which grows with every new commit."""
        if not (self._recovery and self._recovery.oid == head):
            self._recovery = _Recovery(await asyncio.to_thread(self._sync.push_recovery_branch, head), head)
