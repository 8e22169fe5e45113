"""A spec or a plan file, judged and laid out: the plan, its recipe and the phases that follow from them."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.errors import UsageError
from bot.planning.draft import Draft
from bot.planning.phases import Phase, derive_phases
from bot.planning.plan import Plan
from bot.planning.recipe import Recipe, load_recipe
from bot.planning.spec import format_plan, read_spec

_RECIPE = "fastapi"


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan and what follows from it."""

    plan: Plan
    recipe: Recipe
    phases: Sequence[Phase]
    text: str
    """The plan file, in normal form."""


def plan_spec(text: str, *, source: str, project: str, recipe: str, output_dir: str) -> Planned:
    """Lay out a spec; *project*, *recipe* and *output_dir* serve where the spec itself is silent.

    Raises:
        UsageError: The spec or the recipe can't work; the message begins with *source*.
    """
    return _lay_out(read_spec(text, source=source), project, recipe, output_dir)


def plan_file(text: str, *, source: str, output_dir: str) -> Planned:
    """Lay out a plan file that lies in *output_dir*, as history holds it.

    Raises:
        UsageError: A person's edit broke it; the message begins with *source* and names the line.
    """
    planned = _lay_out(read_spec(text, source=source), "project", _RECIPE, output_dir)
    if planned.plan.output_dir != output_dir:
        raise UsageError(
            f"{source}: output-dir is {planned.plan.output_dir!r}, but the file lies in {output_dir!r}; "
            "a project can't move, so set it back"
        )
    return planned


def _lay_out(draft: Draft, project: str, recipe: str, output_dir: str) -> Planned:
    loaded = load_recipe(draft.recipe or recipe)
    plan = draft.plan(project=project, recipe=recipe, output_dir=output_dir, reserved=loaded.reserved)
    return Planned(plan, loaded, derive_phases(plan, loaded), format_plan(plan))
