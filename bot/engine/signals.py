"""Handle SIGINT and SIGTERM: the first one stops the run cleanly, the second one ends the process."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def until_signalled(work: Callable[[asyncio.Event], Awaitable[T]]) -> T:
    """Run *work* with an event that the first SIGINT or SIGTERM sets; then the default handlers are restored."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_signal() -> None:
        stop.set()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal)
    return await work(stop)
