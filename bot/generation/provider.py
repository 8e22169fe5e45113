"""What the runner asks of a provider, and what it gets back: values only."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from bot.planning.phases import Phase
from bot.planning.plan import Plan
from bot.planning.recipe import Recipe
from bot.planning.resolved_plan import ResolvedPlan


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens read and written by a model; thinking counts as written."""

    read: int = 0
    written: int = 0

    def __add__(self, other: "Tokens") -> "Tokens":
        return Tokens(self.read + other.read, self.written + other.written)

    @property
    def total(self) -> int:
        return self.read + self.written


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """One phase to be generated."""

    plan: Plan
    recipe: Recipe
    phase: Phase
    paths: tuple[str, ...]
    """The files wanted: the phase's, or those still missing of a partial one; in plan order."""
    at_head: Callable[[], Mapping[str, str]] = dict
    """Read, as they are at head, the files that the phase reads and its own that are not wanted: path → text."""


@dataclass(frozen=True, slots=True)
class GenerationResult:
    """What a provider made of a request.  Every wanted path is in exactly one of the two mappings."""

    files: Mapping[str, str]
    """Repository path → text, ending with a newline unless empty."""
    missing: Mapping[str, str] = field(default_factory=dict)
    """Repository path → why it could not be made, in one line."""
    model: str | None = None
    tokens: Tokens = Tokens()
    fallback: tuple[str, ...] = ()
    """Repository paths that another provider made, because this one could not."""
    stopped: bool = False
    """Whether files are missing because the run was stopped, and not because they could not be made."""
    refused: tuple[str, ...] = ()
    """What else the model answered and nobody asked for, a printable line each; never written."""


@dataclass(frozen=True, slots=True)
class ProposedPlan:
    """A plan to begin with, and what it cost if a model made it."""

    planned: ResolvedPlan
    model: str | None = None
    tokens: Tokens = Tokens()


class Provider(Protocol):
    """Who writes the files."""

    @property
    def name(self) -> str:
        """The word of ``--provider`` and of the ``Phasebot-Provider`` trailer."""

    async def generate(self, request: GenerationRequest) -> GenerationResult:
        """Write the files of one phase.

        Raises:
            ProviderError: Nothing more is to be had from this provider; a file that alone can't be made is
                reported in :attr:`GenerationResult.missing` instead.
        """
