"""The doctor's checks of the model service: whether the key is accepted, and whether the models are there."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence

from bot.engine.check import Check
from bot.settings import KEY, GeminiSettings, read_settings

_SECONDS = 15.0
_ENDS = ("timed out", "connection failed", "API key rejected")
"""Failures that every other model would share."""


def check_models(environ: Mapping[str, str], models: Sequence[str]) -> Iterator[Check]:
    """Yield whether *models* can be used; nothing is asked without a key."""
    settings = read_settings(environ)
    if settings.key is None:
        yield Check("unknown", f"{KEY} is not set, so templates write", "to let a model write, set it to your key")
        return
    yield from asyncio.run(_ask(settings, models))


async def _ask(settings: GeminiSettings, models: Sequence[str]) -> Sequence[Check]:
    from bot.generation.llm.gemini import GeminiModel
    from bot.generation.llm.retry_policy import FailureKind, ModelError, Timeouts

    found: list[Check] = []
    async with GeminiModel(settings, thinking="low", timeouts=Timeouts(request=_SECONDS)) as gemini:
        for model in models:
            try:
                async with asyncio.timeout(_SECONDS):
                    await gemini.find(model)
            except TimeoutError:
                error = ModelError(FailureKind.TIMEOUT, f"no answer within {_SECONDS:.0f} s")
            except ModelError as exc:
                error = exc
            else:
                found.append(Check("ok", f"{KEY} is accepted, and there is {model}"))
                continue
            is_sure = error.kind in _ENDS or error.kind is FailureKind.MODEL
            found.append(Check("problem" if is_sure else "unknown", f"model {model}: {error}", error.rule.remedy))
            if error.kind in _ENDS:
                break
    return found
