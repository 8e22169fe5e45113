"""The ``template`` provider: renders a recipe's templates.  It needs no key and is deterministic."""

from contextlib import suppress

from bot.generation.provider import GenerationRequest, GenerationResult
from bot.generation.rendering import RenderingError, phase_context, render_template
from bot.planning.phases import Phase
from bot.planning.resolved_plan import ResolvedPlan


class TemplateProvider:
    """Renders every file of a phase from the recipe."""

    name = "template"

    async def generate(self, request: GenerationRequest) -> GenerationResult:
        """Render the requested files; a file whose template fails is missing, with the error message."""
        context = phase_context(request.plan, request.phase)
        files: dict[str, str] = {}
        missing: dict[str, str] = {}
        for path in request.paths:
            try:
                files[path] = render_template(request.recipe, request.phase.files[path], context)
            except RenderingError as exc:
                missing[path] = str(exc)
        return GenerationResult(files, missing)


def render_phase(planned: ResolvedPlan, phase: Phase) -> dict[str, str]:
    """Render all files of *phase* for the plan *planned*; files whose template fails are left out."""
    context, files = phase_context(planned.plan, phase), {}
    for path, template in phase.files.items():
        with suppress(RenderingError):
            files[path] = render_template(planned.recipe, template, context)
    return files
