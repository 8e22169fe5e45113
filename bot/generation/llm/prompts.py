"""Build the requests to a model from the recipe's prompts, the plan and the files at head.

Services cache equal prefixes, so the parts that change least come first: the system prompt, which is the same for the
whole run, then the files that similar phases read, then the part of the phase itself.  A prompt contains only the
phase's slice of the plan, so it does not grow with the number of entities.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from bot.assessment.finding import Finding
from bot.errors import UsageError
from bot.generation.llm.client import ModelRequest
from bot.generation.llm.response_parser import FILES_FORM, files_schema
from bot.generation.plan_views import phase_context
from bot.generation.provider import GenerationRequest
from bot.generation.rendering import RenderingError, render_files, render_template
from bot.planning.recipe import PROMPTS, Recipe
from bot.sandbox.protocol import Run

_MAX_READ, _MAX_FINDINGS = 100_000, 50
_CLOSING = "Write these files, whole, and no others:"


def files_request(
    request: GenerationRequest,
    wanted: Sequence[str],
    *,
    at_head: Mapping[str, str],
    generated: Mapping[str, str],
    faults: Mapping[str, str],
    findings: Sequence[Finding] = (),
    run: Run,
) -> ModelRequest:
    """Build the request for the files *wanted* of a phase; the bounded worker, *run*, renders the prompts.

    *at_head* has the files at head that the phase reads and its own, and *generated* its own files generated so far.
    *faults* says why an earlier response for a wanted path was rejected, *findings* what is wrong with files that were
    accepted.

    Raises:
        UsageError: The recipe's prompts can't be rendered.
    """
    root = request.plan.output_dir
    read = {path: text for path, text in at_head.items() if path in request.phase.reads}
    existing = {path: text for path, text in at_head.items() if path not in read}
    done = {path: text for path, text in {**existing, **generated}.items() if path not in wanted}
    first = {path: text for path, text in generated.items() if path in wanted}
    parts = [
        _files("Files that are there already, as they are now; build on them:", read),
        _phase_part(request, wanted, run),
        _files("Files of this very phase that are done; fit the others to them:", done),
        _files(
            "The files you are asked for, as they are now; people may have edited them: keep all that need not change:",
            {path: text for path, text in existing.items() if path in wanted and path not in first},
        ),
        _files("The files you are asked for, as you wrote them; mend them, and keep all that is right:", first),
        _instruction_part(request),
        _findings_part(findings),
        _wanted_part(wanted, faults),
    ]
    system = render(run, request.recipe, system_prompt(request.recipe), {"root": root})
    return ModelRequest(system, [part for part in parts if part], files_schema(wanted), FILES_FORM)


def system_prompt(recipe: Recipe) -> str:
    """Return the template name of the system prompt.

    Raises:
        UsageError: The recipe has no prompts.
    """
    if recipe.prompts is None:
        raise UsageError(
            f"recipe {recipe.name!r} has no prompts, so a model can't use it: "
            "use --provider template, or add 'prompts' to its recipe.yaml"
        )
    return PROMPTS + recipe.prompts.system


def _phase_part(request: GenerationRequest, wanted: Sequence[str], run: Run) -> str:
    phase = request.phase
    if phase.prompt is None:
        return f"The next part of the project: {phase.title}.\n"
    context = phase_context(request.plan, phase)
    files = {path: phase.files[path] for path in wanted if path not in phase.without_template}
    rendered = render_files(run, request.recipe, files, context, check=False)
    reference = {path: _checked(request.recipe, text) for path, text in rendered.items()}
    extra = {"root": request.plan.output_dir, "reference": reference}
    return render(run, request.recipe, phase.prompt, context | extra)


def _instruction_part(request: GenerationRequest) -> str:
    text = request.phase.slice.get("instruction")
    return f"What a person asked of this phase beyond its fields:\n{block('instruction', text)}" if text else ""


def _findings_part(findings: Sequence[Finding]) -> str:
    if not findings:
        return ""
    lines = [f"- {each.place}: {each.message}" for each in findings]
    told = lines[:_MAX_FINDINGS] + [f"- and {len(lines) - _MAX_FINDINGS} more"] * (len(lines) > _MAX_FINDINGS)
    return "What is wrong, found by tools that read these files and those around them:\n" + "\n".join(told) + "\n"


def _wanted_part(wanted: Sequence[str], faults: Mapping[str, str]) -> str:
    reasons = [f"\nYour last {path} was refused: {faults[path]}." for path in wanted if path in faults]
    return "\n".join([_CLOSING, *(f"- {path}" for path in wanted), *reasons]) + "\n"


def _files(heading: str, files: Mapping[str, str]) -> str:
    return "\n".join([heading, *_blocks(files)]) + "\n" if files else ""


def _blocks(files: Mapping[str, str]) -> Iterator[str]:
    for path, text in files.items():
        cut = "" if len(text) <= _MAX_READ else f"\n… {len(text) - _MAX_READ:,} characters more\n"
        end = "" if cut or text.endswith("\n") else "\n"
        yield f'<file path="{path}">\n{text[:_MAX_READ]}{cut}{end}</file>'


def block(tag: str, text: str) -> str:
    """Enclose text of a person or a model in a tag that the text itself can't close."""
    inner = re.sub(rf"<(?=\s*+/?\s*+{tag}\b)", "&lt;", text, flags=re.IGNORECASE)
    return f"<{tag}>\n{inner}\n</{tag}>\n"


def render(run: Run, recipe: Recipe, name: str, context: Mapping[str, object]) -> str:
    """Render a prompt of the recipe.  Raises UsageError."""
    try:
        return render_template(run, recipe, name, context)
    except RenderingError as exc:
        raise UsageError(f"recipe {recipe.name!r}: {exc}") from exc


def _checked(recipe: Recipe, text: str | RenderingError) -> str:
    if isinstance(text, RenderingError):
        raise UsageError(f"recipe {recipe.name!r}: {text}") from text
    return text
