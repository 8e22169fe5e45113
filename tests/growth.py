"""How the time of a call grows with its input: measured at n and 2n, so that a slow machine does not matter.

It is the processor's time of this thread, so that a busy machine matters little.
"""

from collections.abc import Callable
from time import thread_time

LIMIT = 3.0
"""Twice the input may take less than this many times as long; linear work takes 2, quadratic work 4."""
_MEASURABLE = 0.004
_TRIES = 6
_STEP = 8


def find_growth(call: Callable[[str], object], build: Callable[[int], str], *, n: int) -> str | None:
    """Return how the time of *call* grows if it is more than linear with the text that *build* makes of a size.

    One look at n/8 and n clears most calls.  The others are measured at n and 2n, where n grows until its time is
    measurable, and again if they look slow, because the machine may have been busy.
    """
    small, large = build(n // _STEP), build(n)
    if any(_time(call, large) < max(_time(call, small) * _STEP * 1.7, n * 10e-9) for _ in range(_TRIES)):
        return None
    n //= _STEP
    while n < 1 << 20 and _best(call, build(n)) < _MEASURABLE:
        n *= 2
    ratios = []
    for _ in range(_TRIES):
        ratios.append(_best(call, build(2 * n)) / _best(call, build(n)))
        if ratios[-1] < LIMIT:
            return None
    return f"{build.__name__}: {n} → {2 * n} took {', '.join(f'{each:.1f}' for each in ratios)} times as long"


def _best(call: Callable[[str], object], text: str) -> float:
    return min(_time(call, text) for _ in range(3))


def _time(call: Callable[[str], object], text: str) -> float:
    start = thread_time()
    call(text)
    return thread_time() - start
