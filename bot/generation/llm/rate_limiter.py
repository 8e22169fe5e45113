"""How many requests go to one model at the same time: fewer after it said "too many", more again as it answers."""

import asyncio
from typing import Self

from anyio import CapacityLimiter


class RateLimiter:
    """Shared by all that ask one model; used as ``async with pace:`` around each request."""

    def __init__(self, most: int) -> None:
        """Begin with *most* requests at a time."""
        self._most = most
        self._limiter = CapacityLimiter(most)
        self._not_before = 0.0
        self._answers = 0

    @property
    def limit(self) -> int:
        """Requests at a time, now."""
        return int(self._limiter.total_tokens)

    async def __aenter__(self) -> Self:
        await self._limiter.acquire()
        try:
            while (left := self._not_before - asyncio.get_running_loop().time()) > 0:  # noqa: ASYNC110  # a time, no event
                await asyncio.sleep(left)
        except asyncio.CancelledError:
            self._limiter.release()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        self._limiter.release()

    def slow_down(self, delay: float) -> None:
        """Halve the requests at a time, and begin none for *delay* seconds."""
        self._limiter.total_tokens = max(1, self.limit // 2)
        self._not_before = max(self._not_before, asyncio.get_running_loop().time() + delay)
        self._answers = 0

    def speed_up(self) -> None:
        """Note an answer; as many of them as go out at a time allow one more."""
        self._answers += 1
        if self._answers >= self.limit and self.limit < self._most:
            self._limiter.total_tokens = self.limit + 1
            self._answers = 0
