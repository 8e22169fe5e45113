"""Check a recipe as far as that goes without a project: its templates parse, and make the files of a sample plan.

Templates are untrusted, so the bounded worker parses and renders them.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.errors import UsageError
from bot.generation.llm.plan_prompts import plan_request
from bot.generation.llm.prompts import files_request
from bot.generation.plan_views import phase_context
from bot.generation.provider import GenerationRequest
from bot.generation.rendering import RenderingError, render_files
from bot.planning.phases import Phase, derive_phases
from bot.planning.plan import Plan
from bot.planning.recipe import PROMPTS, TEMPLATES, Recipe
from bot.planning.recipe_document import FILE, RecipeError, RecipeProblem
from bot.planning.sample_plan import sample_plans
from bot.planning.schema_changes import MigrationStart
from bot.sandbox.protocol import Failure, Run

_TEMPLATE = re.compile(r"template ([^:]{1,200}): (?:line (\d+)(?: of ([^:]{1,200}))?: )?")


@dataclass(frozen=True, slots=True)
class Checked:
    """What was checked of a recipe without a problem."""

    templates: int
    prompts: int
    phases: int
    """Of the sample plan, without its own phase."""
    files: int
    """Files of the sample plan that templates make."""
    pending: int
    """Files that no template makes."""
    plans: int
    """Sample plans, which differ in one option each."""


def check_recipe(recipe: Recipe, name: str, run: Run) -> Checked:
    """Check *recipe*, which is called *name*; *run* parses and renders its templates.

    Raises:
        RecipeError: It can't be used; all problems are told.
    """
    if problems := list(dict.fromkeys(_unparsable(recipe, run))):
        raise RecipeError(f"recipe {name!r}", problems)
    try:
        plans = sample_plans(recipe)
        derived = [derive_phases(plan, recipe, MigrationStart())[1:] for plan in plans]
        later = [derive_phases(plan, recipe, _earlier(plan))[1:] for plan in plans]
        tried = [*zip(plans, derived, strict=True), *zip(plans, later, strict=True)]
    except UsageError as exc:
        message = str(exc).removeprefix(f"recipe {recipe.name!r}: ")
        raise RecipeError(f"recipe {name!r}", [RecipeProblem(FILE, None, message)]) from exc
    found = dict.fromkeys(_broken(recipe, tried, run))
    if found:
        raise RecipeError(f"recipe {name!r}", list(found))
    made = [template for phase in derived[0] for template in phase.files.values()]
    prompts = sum(template.startswith(PROMPTS) for template in recipe.templates)
    return Checked(
        templates=len(recipe.templates) - prompts,
        prompts=prompts,
        phases=len(derived[0]),
        files=sum(map(bool, made)),
        pending=len(made) - sum(map(bool, made)),
        plans=len(plans),
    )


def _unparsable(recipe: Recipe, run: Run) -> Iterator[RecipeProblem]:
    names = list(recipe.templates)
    for name, answer in zip(names, run("parse", dict(recipe.templates), names), strict=True):
        if isinstance(answer, Failure):
            yield RecipeProblem(_file(name), None, f"parsing it: {answer.what}")
        elif answer:
            yield _problem(str(answer))


def _earlier(plan: Plan) -> MigrationStart:
    """Return an earlier schema of *plan*: only its first entity, without its last field."""
    earlier = [each.model_copy(update={"fields": each.fields[:-1], "unique": ()}) for each in plan.entities[:1]]
    return MigrationStart(tuple(earlier), ("0001",), 2)


def _broken(recipe: Recipe, tried: Sequence[tuple[Plan, Sequence[Phase]]], run: Run) -> Iterator[RecipeProblem]:
    """Yield what is wrong when the sample plans are rendered, and what a model would be asked."""
    done: set[tuple[str, str]] = set()
    for plan, phases in tried:
        for phase in phases:
            if (phase.key, phase.inputs) in done:
                continue
            done.add((phase.key, phase.inputs))
            files = {path: template for path, template in phase.files.items() if template}
            rendered = render_files(run, recipe, files, phase_context(plan, phase))
            faults = [_problem(str(each)) for each in rendered.values() if isinstance(each, RenderingError)]
            yield from faults
            if recipe.prompts and not faults:
                yield from _prompt_faults(recipe, plan, phase, run)
    if recipe.prompts:
        try:
            plan_request("A sample.", recipe, run=run)
        except UsageError as exc:
            yield _problem(str(exc))


def _prompt_faults(recipe: Recipe, plan: Plan, phase: Phase, run: Run) -> Iterator[RecipeProblem]:
    request = GenerationRequest(plan, recipe, phase, tuple(phase.files))
    try:
        files_request(request, request.paths, at_head={}, generated={}, faults={}, run=run)
    except UsageError as exc:
        yield _problem(str(exc))


def _problem(message: str) -> RecipeProblem:
    """Return the problem that *message* is about: ``template a.j2: line 3 of b.j2: …``."""
    found = _TEMPLATE.search(message)
    if found is None:
        return RecipeProblem(FILE, None, message)
    line = int(found[2]) if found[2] else None
    return RecipeProblem(_file(found[3] or found[1]), line, message[found.end() :])


def _file(template: str) -> str:
    return template if template.startswith(PROMPTS) else TEMPLATES + template
