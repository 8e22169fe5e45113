"""What both sides of the bounded worker, and those who use it, agree on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

LENGTH = 8
"""Bytes of the number before each message, which is its length."""
MAX_BYTES = 64 << 20
"""Longest answer of the child to one item, and to all items of one call together."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no answer for an item: ``it took longer than 5 s``."""

    what: str


class Run(Protocol):
    """Performs a task of :mod:`bot.sandbox.tasks` on each of *items*, and returns an answer or a failure for each."""

    def __call__(self, task: str, shared: object, items: Sequence[object]) -> Sequence[Any | Failure]:
        """*shared* is an argument of the task that is the same for all items."""
