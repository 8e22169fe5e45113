"""The ``template`` provider: renders a recipe's templates.  It needs no key and is deterministic."""

from collections import Counter
from functools import partial

from bot.generation.plan_views import phase_context
from bot.generation.provider import GenerationRequest, GenerationResult
from bot.generation.rendering import RenderingError, RenderingLimitError, render_files
from bot.history.reasons import Reason, meaning
from bot.planning.phases import Phase
from bot.planning.resolved_plan import ResolvedPlan
from bot.sandbox.worker import Worker, shared_worker

_ATTEMPTS = 2
_NO_TEMPLATE = Reason("notemplate", f"{meaning('notemplate').words}; {meaning('notemplate').remedy}")


class TemplateProvider:
    """Renders every file of a phase from the recipe."""

    name = "template"

    def __init__(self, worker: Worker | None = None) -> None:
        self._worker = worker or shared_worker()

    async def generate(self, request: GenerationRequest) -> GenerationResult:
        """Render the requested files; a file without a template, or whose template fails, is missing.

        If cancelled, this returns the files all the same, unless that takes long.
        """
        files = {path: name for path in request.paths if (name := request.phase.files[path])}
        context = phase_context(request.plan, request.phase)
        render = partial(render_files, recipe=request.recipe, files=files, context=context)
        rendered, _ = await self._worker.finish(render)
        return GenerationResult(
            {path: text for path, text in rendered.items() if isinstance(text, str)},
            {
                path: Reason(error.code, str(error))
                for path, error in rendered.items()
                if isinstance(error, RenderingError)
            }
            | {path: _NO_TEMPLATE for path in request.paths if path not in files},
        )


class PhaseRenderer:
    """Renders phases again for the base of a merge, in the thread that calls it."""

    def __init__(self) -> None:
        self._slow = Counter[str]()
        """Text of a template → how often it broke a limit."""

    def __call__(self, planned: ResolvedPlan, phase: Phase) -> dict[str, str]:
        """Render all files of *phase* for the plan *planned*; files whose template fails are left out.

        So are those whose template has broken a limit a few times: histories may have hundreds of phases.
        """
        templates = planned.recipe.templates
        files = {
            path: name for path, name in phase.files.items() if name and self._slow[templates.get(name, "")] < _ATTEMPTS
        }
        context = phase_context(planned.plan, phase)
        rendered = render_files(shared_worker().run, planned.recipe, files, context, check=False)
        self._slow.update(
            templates[files[path]] for path, error in rendered.items() if isinstance(error, RenderingLimitError)
        )
        return {path: text for path, text in rendered.items() if isinstance(text, str)}


render_phase = PhaseRenderer()
