"""The ``template`` provider: renders a recipe's templates.  It needs no key and is deterministic."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from bot.generation.provider import GenerationRequest, GenerationResult
from bot.generation.rendering import RenderingError, phase_context, render_template
from bot.history.reasons import Reason
from bot.planning.phases import Phase
from bot.planning.resolved_plan import ResolvedPlan
from bot.secret_scan import find_secret
from bot.text import find_hidden, is_prose_file


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
                text = _render_file(request, path, context)
            except RenderingError as exc:
                missing[path] = Reason("template", str(exc))
                continue
            if secret := find_secret(text):
                template = request.phase.files[path]
                missing[path] = Reason("secret", f"{secret}, from the plan or from the recipe's template {template}")
            else:
                files[path] = text
        return GenerationResult(files, missing)


def _render_file(request: GenerationRequest, path: str, context: Mapping[str, Any]) -> str:
    template = request.phase.files[path]
    text = render_template(request.recipe, template, context)
    if hidden := find_hidden(text.replace("\r\n", "\n"), prose=is_prose_file(path)):
        raise RenderingError(
            f"template {template}: line {text.count(chr(10), 0, hidden.start()) + 1} of {path} would hold the hidden "
            f"character U+{ord(hidden[0]):04X}; remove it from the template, or quote the plan's text with a filter"
        )
    return text


def render_phase(planned: ResolvedPlan, phase: Phase) -> dict[str, str]:
    """Render all files of *phase* for the plan *planned*; files whose template fails are left out."""
    context, files = phase_context(planned.plan, phase), {}
    for path, template in phase.files.items():
        with suppress(RenderingError):
            files[path] = render_template(planned.recipe, template, context)
    return files
