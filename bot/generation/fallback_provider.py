"""``--fallback``: what one provider can't make, another does, and the commit says so."""

from dataclasses import replace

from bot.generation.provider import GenerationRequest, GenerationResult, Provider


class FallbackProvider:
    """Asks one provider, and another for the files that the first could not make."""

    def __init__(self, first: Provider, then: Provider) -> None:
        self._first = first
        self._then = then
        self.name = first.name

    async def generate(self, request: GenerationRequest) -> GenerationResult:
        """Generate a phase; what still has to be filled is in :attr:`GenerationResult.fallback`."""
        made = await self._first.generate(request)
        if not made.missing or made.stopped:
            return made
        filled = await self._then.generate(replace(request, paths=tuple(made.missing)))
        why = {path: made.missing[path] for path in filled.missing}
        return replace(made, files={**made.files, **filled.files}, missing=why, fallback=tuple(filled.files))
