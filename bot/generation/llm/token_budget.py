"""What a run may spend on tokens: a limit over all its processes, since what was spent stands in the trailers."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from bot.errors import BudgetExceeded
from bot.generation.provider import Tokens


class TokenBudget:
    """Asked before every request.  With a limit, a request must fit with what is under way, or it is not made.

    A request is expected to cost what the most expensive one so far did.  Until one has told, they go out one at
    a time, so that not eight of them find out together that they were too many.
    """

    def __init__(self, limit: int | None = None, recorded: Callable[[], Sequence[int]] = tuple) -> None:
        """Set the *limit* (None: none); *recorded* tells the tokens of each commit of the run, now."""
        self.limit = limit
        self._recorded = recorded
        self._open: dict[str, Tokens] = {}
        """Phase → what it has cost and no commit says yet."""
        self._largest = 0
        self._asking = 0
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def request(self, phase: str) -> AsyncIterator[Callable[[Tokens], None]]:
        """Wait for room for one request of *phase*; call what this yields with the tokens that it cost.

        Raises:
            BudgetSpent: There is no room, and none to come.
        """
        async with self._changed:
            await self._changed.wait_for(lambda: self._fits() or not self._asking)
            if not self._fits():
                raise self.stopped()
            self._asking += 1
        try:
            yield lambda tokens: self._spend(phase, tokens)
        finally:
            async with self._changed:
                self._asking -= 1
                self._changed.notify_all()

    def _spend(self, phase: str, tokens: Tokens) -> None:
        self._open[phase] = self.unrecorded(phase) + tokens
        self._largest = max(self._largest, tokens.total)

    def _fits(self) -> bool:
        if self.limit is None:
            return True
        each = max([self._largest, *self._recorded()])
        if not each:
            return not self._asking
        return self.spent < self.limit and self.spent + (self._asking + 1) * each <= self.limit

    @property
    def spent(self) -> int:
        """Tokens that the run has cost, in history and out of it."""
        return sum(self._recorded()) + sum(tokens.total for tokens in self._open.values())

    @property
    def exhausted(self) -> bool:
        """Whether not even one more request has room, whatever becomes of those under way."""
        return self.limit is not None and not self._asking and not self._fits()

    def stopped(self) -> BudgetExceeded:
        """Return what to tell people when the budget stops a run."""
        return BudgetExceeded(
            f"{self.spent:,} of {self.limit:,} tokens are used, and a request would likely need more than is left; "
            "raise --max-tokens and run generate again"
        )

    def unrecorded(self, phase: str) -> Tokens:
        """Return what *phase* has cost and no commit says yet."""
        return self._open.get(phase, Tokens())

    def record(self, phase: str) -> None:
        """Forget what *phase* has cost: a commit says it now."""
        self._open.pop(phase, None)
