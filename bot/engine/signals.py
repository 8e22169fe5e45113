"""Handle SIGINT and SIGTERM: the first one stops the run cleanly, the second one is handled as it was before."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def until_signalled(work: Callable[[asyncio.Event], Awaitable[T]]) -> T:
    """Run *work* with an event that the first SIGINT or SIGTERM sets; then the handlers from before are restored."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)

    def on_signal() -> None:
        stop.set()
        restore()

    for number in before:
        loop.add_signal_handler(number, on_signal)
    try:
        return await work(stop)
    finally:
        restore()
