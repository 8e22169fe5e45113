"""The ``template`` provider: renders a recipe's templates.  It needs no key and is deterministic."""

from functools import partial

from bot.generation.provider import GenerationRequest, GenerationResult
from bot.generation.rendering import RenderingError, phase_context, render_files
from bot.history.reasons import Reason
from bot.planning.phases import Phase
from bot.planning.resolved_plan import ResolvedPlan
from bot.sandbox.worker import Worker, shared_worker


class TemplateProvider:
    """Renders every file of a phase from the recipe."""

    name = "template"

    def __init__(self, worker: Worker | None = None) -> None:
        self._worker = worker or shared_worker()

    async def generate(self, request: GenerationRequest) -> GenerationResult:
        """Render the requested files; a file whose template fails is missing, with the error message.

        If cancelled, this returns the files all the same, unless that takes long.
        """
        files = {path: request.phase.files[path] for path in request.paths}
        context = phase_context(request.plan, request.phase)
        render = partial(render_files, recipe=request.recipe, files=files, context=context)
        rendered, _ = await self._worker.finish(render)
        return GenerationResult(
            {path: text for path, text in rendered.items() if isinstance(text, str)},
            {
                path: Reason("template", str(error))
                for path, error in rendered.items()
                if isinstance(error, RenderingError)
            },
        )


def render_phase(planned: ResolvedPlan, phase: Phase) -> dict[str, str]:
    """Render all files of *phase* for the plan *planned*; files whose template fails are left out."""
    context = phase_context(planned.plan, phase)
    rendered = render_files(shared_worker().run, planned.recipe, phase.files, context, check=False)
    return {path: text for path, text in rendered.items() if isinstance(text, str)}
