"""From what a person names (a provider, models, a fallback) to who plans and who writes the files."""

import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from bot.errors import UsageError
from bot.generation.llm.token_budget import TokenBudget
from bot.generation.provider import Provider
from bot.generation.templates import TemplateProvider
from bot.settings import KEY, GeminiSettings
from bot.text import shown

if TYPE_CHECKING:
    from bot.generation.llm.planner import Planner

_MODEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderOptions:
    """Who writes the files, as a person chose; None leaves it to what there is a key for."""

    provider: str | None
    models: Sequence[str]
    """In the order in which they are asked."""
    thinking: str
    fallback: str | None = None
    """The provider that makes what the first one can't."""
    gemini: GeminiSettings = field(default_factory=GeminiSettings)
    """How Gemini is reached, with its key."""

    def resolve(self) -> str:
        """Return the provider's name.

        Raises:
            UsageError: There is no key for it, or a model's name can't be one.
        """
        name = self.provider or ("gemini" if self.gemini.key else "template")
        if name == "gemini" and self.gemini.key is None:
            raise UsageError(
                f"provider gemini needs a key: set {KEY} in the environment (of the action: its input gemini-api-key), "
                "or use --provider template"
            )
        for model in self.models:
            if not _MODEL_NAME.fullmatch(model):
                raise UsageError(f"model {shown(model)} is no model's name; give one such as gemini-3.8-flash")
        return name


class OpenedProvider(NamedTuple):
    """Who works for a run."""

    provider: Provider
    planner: "Planner | None"
    """None where nobody can plan prose."""


@asynccontextmanager
async def open_provider(
    options: ProviderOptions, *, budget: TokenBudget, jobs: int, tell: Callable[[str], None]
) -> AsyncIterator[OpenedProvider]:
    """Open whom *options* name, at most *jobs* requests at a time; *tell* people what takes long.

    Raises:
        UsageError: It can't be had.
    """
    if options.resolve() == "template":
        yield OpenedProvider(TemplateProvider(), None)
        return
    from bot.generation.fallback_provider import FallbackProvider
    from bot.generation.llm.gemini import GeminiModel
    from bot.generation.llm.planner import Planner
    from bot.generation.llm.provider import LlmProvider
    from bot.generation.llm.retry import RetryingClient
    from bot.generation.llm.retry_policy import Timeouts

    assert options.gemini.key, "resolve() has checked it"  # noqa: S101
    patience = Timeouts()
    async with GeminiModel(options.gemini, thinking=options.thinking, patience=patience) as model:
        asker = RetryingClient(model, options.models, budget=budget, jobs=jobs, patience=patience, tell=tell)
        provider: Provider = LlmProvider("gemini", asker, budget, secrets=[options.gemini.key.get_secret_value()])
        if options.fallback == "template":
            provider = FallbackProvider(provider, TemplateProvider())
        yield OpenedProvider(provider, Planner(asker, budget))
