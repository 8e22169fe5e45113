"""``--fallback``: a second provider generates the files that the first one can't."""

from dataclasses import replace

from bot.generation.provider import GenerationRequest, GenerationResult, Provider


class FallbackProvider:
    """Uses one provider, and another for the files that the first one could not generate."""

    def __init__(self, primary: Provider, fallback: Provider) -> None:
        self._primary = primary
        self._fallback = fallback
        self.name = primary.name

    async def generate(self, request: GenerationRequest) -> GenerationResult:
        """Generate a phase; the fallback's files are listed in :attr:`GenerationResult.fallback`."""
        result = await self._primary.generate(request)
        if not result.missing or result.stopped:
            return result
        rest = await self._fallback.generate(replace(request, paths=tuple(result.missing)))
        missing = {path: result.missing[path] for path in rest.missing}  # with the primary's reasons
        return replace(result, files={**result.files, **rest.files}, missing=missing, fallback=tuple(rest.files))
