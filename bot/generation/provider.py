"""What the runner asks of a provider, and what it gets back: values only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from bot.planning.phases import Phase
from bot.planning.plan import Plan
from bot.planning.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens read and written by a model; thinking counts as written."""

    read: int = 0
    written: int = 0

    def __add__(self, other: "Tokens") -> "Tokens":
        return Tokens(self.read + other.read, self.written + other.written)


@dataclass(frozen=True, slots=True)
class Request:
    """One phase to be generated."""

    plan: Plan
    recipe: Recipe
    phase: Phase
    paths: tuple[str, ...]
    """The files wanted: the phase's, or those still missing of a partial one; in plan order."""


@dataclass(frozen=True, slots=True)
class Generated:
    """What a provider made of a request.  Every wanted path is in exactly one of the two mappings."""

    files: Mapping[str, str]
    """Repository path → text, ending with a newline unless empty."""
    missing: Mapping[str, str] = field(default_factory=dict)
    """Repository path → why it could not be made, in one line."""
    model: str | None = None
    tokens: Tokens = Tokens()


class Provider(Protocol):
    """Who writes the files."""

    @property
    def name(self) -> str:
        """The word of ``--provider`` and of the ``Phasebot-Provider`` trailer."""

    async def generate(self, request: Request) -> Generated:
        """Write the files of one phase.

        Raises:
            ProviderError: Nothing more is to be had from this provider; a file that alone can't be made is
                reported in :attr:`Generated.missing` instead.
        """
