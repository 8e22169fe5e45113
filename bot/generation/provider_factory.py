"""Create the provider and the planner from the user's options."""

import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from bot.errors import UsageError
from bot.generation.llm.token_budget import TokenBudget
from bot.generation.provider import Provider
from bot.generation.templates import TemplateProvider
from bot.redaction import MIN_SEARCHED
from bot.settings import KEY, GeminiSettings
from bot.text import shown

if TYPE_CHECKING:
    from bot.generation.llm.planner import Planner

_MODEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderOptions:
    """The user's choice of provider and models."""

    provider: str | None
    """None means ``gemini`` if there is a key for it, else ``template``."""
    models: Sequence[str]
    """In the order in which they are tried."""
    thinking: str
    fallback: str | None = None
    """The provider for files that the first one can't generate."""
    gemini: GeminiSettings = field(default_factory=GeminiSettings)
    """How Gemini is reached, with its key."""

    def resolve(self) -> str:
        """Return the provider's name.

        Raises:
            UsageError: The provider's key is missing, or a model name is invalid.
        """
        name = self.provider or ("gemini" if self.gemini.key else "template")
        if name == "gemini" and self.gemini.key is None:
            raise UsageError(
                f"provider gemini needs a key: set the environment variable {KEY} "
                "(in the action: the input gemini-api-key), or use --provider template"
            )
        for model in self.models:
            if not _MODEL_NAME.fullmatch(model):
                raise UsageError(f"model {shown(model)} is not a valid model name; give one such as gemini-3.8-flash")
        return name


class OpenedProvider(NamedTuple):
    """The provider and planner of a run."""

    provider: Provider
    planner: "Planner | None"
    """None if the provider can't plan prose."""


@asynccontextmanager
async def open_provider(
    options: ProviderOptions, *, budget: TokenBudget, jobs: int, tell: Callable[[str], None]
) -> AsyncIterator[OpenedProvider]:
    """Open the provider that *options* name, with at most *jobs* concurrent requests.

    *tell* is called with messages for the user, for example about long waits.

    Raises:
        UsageError: The provider can't be used.
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

    assert options.gemini.key, "checked by resolve()"  # noqa: S101
    key = options.gemini.key.get_secret_value()
    if len(key) < MIN_SEARCHED:
        tell(
            f"{KEY} has {len(key)} characters, which are too few for a key: it is not searched for in files, "
            "because ordinary words are as short; check that it is complete"
        )
    timeouts = Timeouts()
    async with GeminiModel(options.gemini, thinking=options.thinking, timeouts=timeouts) as gemini:
        client = RetryingClient(gemini, options.models, budget=budget, jobs=jobs, timeouts=timeouts, notify=tell)
        provider: Provider = LlmProvider("gemini", client, budget, secrets=[key])
        if options.fallback == "template":
            provider = FallbackProvider(provider, TemplateProvider())
        yield OpenedProvider(provider, Planner(client, budget))
