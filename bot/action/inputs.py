"""The action's inputs, which apply to all runs of the repository."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from bot.configuration import Configuration
from bot.generation.provider_factory import ProviderOptions
from bot.planning.resolved_plan import OUTPUT_DIR, RECIPE


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionInputs:
    """Inputs of ``action.yml``, parsed."""

    provider: ProviderOptions
    recipe: str | None
    """None for the spec's, else the default; the same for the folder."""
    options: Mapping[str, str]
    """Of the recipe; they win over the spec's."""
    output_dir: str | None
    base_branch: str | None
    """None for the repository's default branch."""
    jobs: int
    max_tokens: int | None
    repairs: int
    """How often a model may mend errors that checks find."""
    deadline_minutes: float | None
    draft: bool
    origins: Mapping[str, str] = field(default_factory=dict)
    """Where those that somebody set come from: name in Python → place."""
    page: bool = False
    """Whether the job uploads the page of the run, so that comments link it."""

    def shown(self) -> Sequence["ShownInput"]:
        """Return the inputs that ``/help`` shows."""
        provider = self.provider.resolve()
        first, *fallbacks = self.provider.models
        with_model: list[tuple[str, str, object]] = [
            ("model", "model", first),
            ("fallback models", "fallback_models", ", ".join(fallbacks)),
            ("token limit", "max_tokens", self.max_tokens and f"{self.max_tokens:,}"),
            ("rounds of repair", "repairs", self.repairs),
        ]
        options = ", ".join(f"{name}={value}" for name, value in self.options.items())
        minutes = self.deadline_minutes and f"{self.deadline_minutes:g} minutes"
        rows: list[tuple[str, str, object]] = [
            ("provider", "provider", provider),
            *(with_model if provider != "template" else ()),
            ("recipe", "recipe", self.recipe or RECIPE),
            ("options", "options", options),
            ("output folder", "output_dir", self.output_dir or OUTPUT_DIR),
            ("base branch", "base_branch", self.base_branch),
            ("phases at the same time", "jobs", self.jobs),
            ("time limit", "deadline_minutes", minutes),
            ("draft", "draft", "" if self.draft else "false"),
        ]
        shown = [(label, str(value), name) for label, name, value in rows if value not in (None, "")]
        return [ShownInput(label, value, self.origins.get(name, "the default")) for label, value, name in shown]


class ShownInput(NamedTuple):
    """One input in words."""

    name: str
    value: str
    origin: str


@dataclass(frozen=True, slots=True)
class GivenInputs:
    """What a workflow says; what the repository sets has yet to complete it."""

    base_branch: str | None
    complete: Callable[[Configuration], ActionInputs]
    """Let what the repository sets stand in for what the workflow leaves out.  Raises UsageError."""
