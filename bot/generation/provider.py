"""The interface between the runner and a provider: request, result and protocol."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bot.assessment.finding import Finding
from bot.planning.phases import Phase
from bot.planning.plan import Plan
from bot.planning.recipe import Recipe
from bot.planning.resolved_plan import ResolvedPlan


@dataclass(frozen=True, slots=True)
class Tokens:
    """Input and output tokens of a model; thinking counts as output."""

    read: int = 0
    written: int = 0

    def __add__(self, other: "Tokens") -> "Tokens":
        return Tokens(self.read + other.read, self.written + other.written)

    @property
    def total(self) -> int:
        return self.read + self.written


Review = Callable[[Mapping[str, str]], Awaitable[Sequence[Finding]]]
"""Returns the errors that new files of a phase, path → text, bring into the project.  Never fails."""


async def no_review(_: Mapping[str, str]) -> Sequence[Finding]:
    """Find nothing."""
    return ()


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """A request to generate files of one phase."""

    plan: Plan
    recipe: Recipe
    phase: Phase
    paths: tuple[str, ...]
    """The files to generate: all of the phase, or those missing from a partial one; in plan order."""
    at_head: Callable[[], Mapping[str, str]] = dict
    """Returns files as they are at head, path → text: those the phase reads, and its own outside *paths*."""
    findings: Sequence[Finding] = ()
    """What is wrong with the phase's files as they are at head."""
    review: Review = no_review
    """Assesses what a model wrote, so that it can mend it before it is committed."""


@dataclass(frozen=True, slots=True)
class GenerationResult:
    """The response to a request.  Every requested path is in exactly one of *files* and *missing*."""

    files: Mapping[str, str]
    """Repository path → text, which ends with a newline unless it is empty."""
    missing: Mapping[str, str] = field(default_factory=dict)
    """Repository path → why it could not be generated, in one line: a :class:`bot.history.reasons.Reason`."""
    model: str | None = None
    tokens: Tokens = Tokens()
    fallback: tuple[str, ...] = ()
    """Repository paths that the fallback provider generated."""
    stopped: bool = False
    """Whether files are missing only because the run was stopped."""
    refused: tuple[str, ...] = ()
    """Files the model returned without being asked, one printable line each; they are discarded."""
    given: int = 0
    """How many findings the model was given, to mend its files."""
    findings: tuple[Finding, ...] = ()
    """The errors that are left in *files*."""


@dataclass(frozen=True, slots=True)
class ProposedPlan:
    """The plan that starts a run, with model and tokens if a model wrote it."""

    planned: ResolvedPlan
    model: str | None = None
    tokens: Tokens = Tokens()


class Provider(Protocol):
    """Generates the files of a phase."""

    @property
    def name(self) -> str:
        """The name used by ``--provider`` and the ``Phasebot-Provider`` trailer."""

    async def generate(self, request: GenerationRequest) -> GenerationResult:
        """Generate the files of one phase.

        Raises:
            ProviderError: The provider can't generate anything any more.  A single file that fails is reported in
                :attr:`GenerationResult.missing` instead.
        """
