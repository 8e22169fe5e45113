"""What a person says of a new project on the command line: its spec, and the options beside it."""

import functools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bot.cli.door import Door
from bot.cli.options import ProjectSettings
from bot.text import shown

if TYPE_CHECKING:
    from bot.history.checkout import OpenRun
    from bot.history.plan_reader import PlanReader
    from bot.planning.resolved_plan import ProseSpec, ResolvedPlan


def unused_options(run: "OpenRun", recipe: str | None, given: ProjectSettings) -> Iterator[str]:
    """Yield what to tell people about options that differ from the plan of a run that goes on."""
    from bot.planning.path_rules import normal_output_dir

    if not (recipe or given.output_dir or given.options):
        return
    run.branch.read()
    if plan := run.branch.view()[0]:
        for name, value in given.options.items():
            if str(plan.plan.options.get(name, "")).lower() != value.lower():
                yield f"--option {name}={value} is not used: edit 'options' in the plan of {run.branch.name} instead"
        settings = {
            "recipe": (recipe, plan.plan.recipe),
            "output-dir": (given.output_dir and normal_output_dir(given.output_dir), plan.plan.output_dir),
        }
        for name, (wanted, planned) in settings.items():
            if wanted and wanted != planned:
                yield f"--{name} {shown(wanted)} is not used: the plan of {run.branch.name} has {shown(planned)}"


def check_phases(spec: "ResolvedPlan | ProseSpec", keys: Sequence[str]) -> None:
    """Refuse unknown phases before anything is written, if the plan is already known."""
    from bot.planning.phases import find_phase
    from bot.planning.resolved_plan import ResolvedPlan

    for key in keys if isinstance(spec, ResolvedPlan) else ():
        find_phase(spec.phases, key)  # type: ignore[union-attr]  # there are keys only for a resolved plan


def read_given_spec(
    door: Door,
    spec: str,
    recipe: str | None,
    settings: ProjectSettings,
    *,
    with_model: bool,
    plans: "PlanReader | None" = None,
    base_of: "Callable[[str], ResolvedPlan | None] | None" = None,
) -> "ResolvedPlan | ProseSpec":
    """Read a spec given as file, ``-`` or text; prose needs a model.

    *base_of* returns the project that the spec adds to, by the default name of the spec's run.
    """
    from bot.history.configuration_files import worktree_root
    from bot.history.recipe_files import worktree_file
    from bot.planning.recipe_names import RecipeFinder, given_name
    from bot.planning.resolved_plan import (
        OUTPUT_DIR,
        RECIPE,
        given_settings,
        name_spec,
        resolve_exact_spec,
        resolve_spec,
    )
    from bot.planning.spec_source import read_source

    text, source, project, _ = read_source(spec, door.stdin)
    base = base_of(name_spec(text, source=source, project=project, with_model=with_model)) if base_of else None
    here = Path.cwd()
    root = worktree_root(here, search=True) or here
    named = plans.recipe if plans else given_name(recipe, None, relative_to=here) if recipe else None
    resolve = resolve_spec if with_model else resolve_exact_spec
    return resolve(
        text,
        source=source,
        project=project,
        recipe=named or RECIPE,
        output_dir=settings.output_dir or OUTPUT_DIR,
        options=settings.options,
        base=base,
        load=plans.load if plans else RecipeFinder([named] if named else [], functools.partial(worktree_file, root)),
        given=given_settings(recipe, settings.output_dir),
    )
