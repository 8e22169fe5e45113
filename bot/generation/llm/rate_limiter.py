"""Limit the concurrent requests to one model: fewer after "too many requests", more again as requests succeed."""

import asyncio
from typing import Self

from anyio import CapacityLimiter


class RateLimiter:
    """Shared by all requests to one model; use ``async with limiter:`` around each request."""

    def __init__(self, maximum: int) -> None:
        """Start with *maximum* concurrent requests."""
        self._maximum = maximum
        self._limiter = CapacityLimiter(maximum)
        self._paused_until = 0.0
        self._successes = 0

    @property
    def limit(self) -> int:
        """The current limit of concurrent requests."""
        return int(self._limiter.total_tokens)

    async def __aenter__(self) -> Self:
        await self._limiter.acquire()
        try:
            while (left := self._paused_until - asyncio.get_running_loop().time()) > 0:  # noqa: ASYNC110  # waits for a time, not an event
                await asyncio.sleep(left)
        except asyncio.CancelledError:
            self._limiter.release()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        self._limiter.release()

    def slow_down(self, delay: float) -> None:
        """Halve the limit, and start no request for *delay* seconds."""
        self._limiter.total_tokens = max(1, self.limit // 2)
        self._paused_until = max(self._paused_until, asyncio.get_running_loop().time() + delay)
        self._successes = 0

    def speed_up(self) -> None:
        """Count a success; as many successes as the current limit raise it by one."""
        self._successes += 1
        if self._successes >= self.limit and self.limit < self._maximum:
            self._limiter.total_tokens = self.limit + 1
            self._successes = 0
