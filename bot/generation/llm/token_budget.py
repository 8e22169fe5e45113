"""The token budget of a run.  It counts all processes of the run, because commit trailers record the tokens."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from bot.errors import BudgetExceeded
from bot.generation.provider import Tokens


class TokenBudget:
    """Decides before every request whether the limit allows it, together with the requests in progress.

    Each request is assumed to cost as much as the most expensive one so far.  Until the first cost is known, requests
    are sent one at a time, so that concurrent requests don't exceed the limit together.
    """

    def __init__(self, limit: int | None = None, recorded: Callable[[], Sequence[int]] = tuple) -> None:
        """Set the *limit* (None means no limit); *recorded* returns the tokens of each commit of the run."""
        self.limit = limit
        self._recorded = recorded
        self._unrecorded: dict[str, Tokens] = {}
        """Phase → tokens that no commit records yet."""
        self._largest = 0
        self._in_progress = 0
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def request(self, phase: str) -> AsyncIterator[Callable[[Tokens], None]]:
        """Wait until the budget allows a request for *phase*; yields a function that records its tokens.

        Raises:
            BudgetExceeded: The budget does not allow another request.
        """
        async with self._changed:
            await self._changed.wait_for(lambda: self._fits() or not self._in_progress)
            if not self._fits():
                raise self.stopped()
            self._in_progress += 1
        try:
            yield lambda tokens: self._spend(phase, tokens)
        finally:
            async with self._changed:
                self._in_progress -= 1
                self._changed.notify_all()

    def _spend(self, phase: str, tokens: Tokens) -> None:
        self._unrecorded[phase] = self.unrecorded(phase) + tokens
        self._largest = max(self._largest, tokens.total)

    def _fits(self) -> bool:
        if self.limit is None:
            return True
        each = max([self._largest, *self._recorded()])
        if not each:
            return not self._in_progress
        return self.spent < self.limit and self.spent + (self._in_progress + 1) * each <= self.limit

    @property
    def spent(self) -> int:
        """Tokens that the run has used, recorded in commits or not."""
        return sum(self._recorded()) + sum(tokens.total for tokens in self._unrecorded.values())

    @property
    def exhausted(self) -> bool:
        """Whether the budget allows no further request, and none is in progress."""
        return self.limit is not None and not self._in_progress and not self._fits()

    def stopped(self, likely: int | None = None) -> BudgetExceeded:
        """Return the error to raise when the budget stops a run, which *likely* needs so many tokens in all."""
        advice = f"run generate again with --max-tokens {likely}" if likely else "raise --max-tokens and try again"
        return BudgetExceeded(
            f"{self.spent:,} of {self.limit:,} tokens are used, and the next request would probably exceed the limit; "
            f"{advice}"
        )

    def unrecorded(self, phase: str) -> Tokens:
        """Return the tokens of *phase* that no commit records yet."""
        return self._unrecorded.get(phase, Tokens())

    def record(self, phase: str) -> None:
        """Forget the tokens of *phase*, because a commit records them now."""
        self._unrecorded.pop(phase, None)
