"""The action's inputs, which apply to all runs of the repository."""

from collections.abc import Mapping
from dataclasses import dataclass

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

    def shown(self) -> Mapping[str, str]:
        """Return the inputs that ``/help`` shows: name → value."""
        provider = self.provider.resolve()
        shown: dict[str, object] = {"provider": provider}
        if provider != "template":
            first, *fallbacks = self.provider.models
            shown |= {"model": first, "fallback models": ", ".join(fallbacks)}
            shown |= {"token limit": self.max_tokens and f"{self.max_tokens:,}", "rounds of repair": self.repairs}
        shown |= {
            "recipe": self.recipe or RECIPE,
            "options": ", ".join(f"{name}={value}" for name, value in self.options.items()),
            "output folder": self.output_dir or OUTPUT_DIR,
            "base branch": self.base_branch,
        }
        minutes = self.deadline_minutes and f"{self.deadline_minutes:g} minutes"
        shown |= {"phases at the same time": self.jobs, "time limit": minutes}
        return {name: str(value) for name, value in shown.items() if value}
