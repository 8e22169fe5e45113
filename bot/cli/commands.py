"""The commands: each turns its options into a request, and its result into output and an exit code."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from bot.cli.action_command import action
from bot.cli.assess_command import assess
from bot.cli.completion_command import complete_phase, complete_spec, completion
from bot.cli.doctor_command import doctor
from bot.cli.door import Door
from bot.cli.dry_run import show_agenda
from bot.cli.explain_command import explain
from bot.cli.fix_command import fix
from bot.cli.given_spec import check_phases, read_given_spec, unused_options
from bot.cli.help import examples
from bot.cli.init_command import init
from bot.cli.options import (
    InRepository,
    ProjectSettings,
    is_said,
    on_a_new_run,
    on_a_run,
    with_a_provider,
    with_project_settings,
    with_work,
)
from bot.cli.recipes_command import recipes
from bot.cli.status_command import status
from bot.cli.try_it import is_first_time
from bot.cli.verify_command import verify
from bot.cli.work import (
    log_how_to_try,
    log_notes,
    log_wait,
    open_run,
    print_state,
    start_worker,
    work_on,
)
from bot.errors import UsageError

if TYPE_CHECKING:
    from bot.engine.requests import RunRequest
    from bot.generation.provider_factory import ProviderOptions
    from bot.history.checkout import RunLocation

_PHASES = click.argument("phases", nargs=-1, metavar="PHASE…", shell_complete=complete_phase)


@click.command(epilog=examples("generate spec.md --repo blog", "generate", "generate --dry-run"))
@click.argument("spec", required=False, shell_complete=complete_spec)
@on_a_new_run
@with_a_provider
@with_work
@with_project_settings
@click.option(
    "--only",
    multiple=True,
    metavar="PHASE",
    shell_complete=complete_phase,
    help="Generate only this phase; repeatable.",
)
@click.option(
    "--dry-run", is_flag=True, help="Show what would be generated, why, and what it likely costs; write nothing."
)
@click.pass_obj
def generate(  # noqa: PLR0913  # one for each option
    door: Door,
    *,
    spec: str | None,
    location: "RunLocation",
    output: str,
    request: "RunRequest",
    settings: ProjectSettings,
    only: Sequence[str],
    dry_run: bool,
) -> None:
    """Start or continue a run.

    SPEC is a file, '-' for standard input, or the text itself; without it, the plan in history is continued.
    """
    request = replace(request, only=only)
    if dry_run:
        show_agenda(door, spec, location, settings, request, output)
        return
    start_worker()
    from bot.engine import factory
    from bot.planning.resolved_plan import OUTPUT_DIR

    if spec is None:
        clone = factory.open_clone(location)
        run = clone.open_run(location.run, door.now)
        said = ProjectSettings(
            settings.output_dir if is_said("output_dir") else None, settings.options if is_said("options") else {}
        )
        log_notes(door, unused_options(run, clone.plans.recipe if is_said("recipe") else None, said))
    else:
        found = factory.find_clone(location)
        with_model = request.provider.resolve() != "template"
        base_of = (
            (lambda name: found.base_plan(location.run or name, settings.output_dir or OUTPUT_DIR)) if found else None
        )
        plans = found.plans if found else None
        read = read_given_spec(
            door, spec, location.recipe, settings, with_model=with_model, plans=plans, base_of=base_of
        )
        check_phases(read, only)
        clone = found or factory.create_clone(location)
        request = replace(request, spec=read)
        location = location if location.run is not None else replace(location, run=read.slug)
    opened = clone.open_run(location.run, door.now)
    result = work_on(door, opened, request, output)
    if any(is_first_time(opened.branch.commits, key) for key, _ in result.snapshot.published):
        log_how_to_try(door, opened)


@click.command(epilog=examples("regenerate entity/Post", "regenerate entity/Post --instruction 'sort by date'"))
@_PHASES
@on_a_run
@with_a_provider
@with_work
@click.option(
    "--instruction", default="", metavar="TEXT", help="Extra instruction for these phases; saved in the plan."
)
@click.option(
    "--discard-edits", is_flag=True, help="Take the new version of files that people edited, instead of merging."
)
@click.pass_obj
def regenerate(
    door: Door,
    *,
    phases: Sequence[str],
    location: "RunLocation",
    output: str,
    request: "RunRequest",
    instruction: str,
    discard_edits: bool,
) -> None:
    """Regenerate phases, and merge people's edits into the new files."""
    if not phases:
        raise UsageError("regenerating: no phase is named; 'phasebot status' lists them")
    start_worker()
    request = replace(request, regenerate=phases, instruction=instruction.strip(), discard_edits=discard_edits)
    work_on(door, open_run(door, location), request, output)


@click.command(epilog=examples("rollback entity/Post --cascade", "rollback --to core"))
@click.argument("phases", nargs=-1, metavar="[PHASE…]", shell_complete=complete_phase)
@on_a_run
@click.option(
    "--to",
    metavar="PHASE",
    shell_complete=complete_phase,
    help="Roll back every phase after PHASE, instead of naming them.",
)
@click.option("--cascade", is_flag=True, help="Also roll back the phases that depend on these.")
@click.option("--discard-edits", is_flag=True, help="Also remove people's edits in the files of these phases.")
@click.option("--push/--no-push", default=None, help="Default: push if there is a remote.")
@click.pass_obj
def rollback(
    door: Door,
    *,
    phases: Sequence[str],
    location: "RunLocation",
    output: str,
    to: str | None,
    cascade: bool,
    discard_edits: bool,
) -> None:
    """Roll back phases in one commit; the next 'generate' generates them again."""
    import asyncio

    from bot.cli.output import render_summary
    from bot.engine import factory
    from bot.engine.requests import RollbackRequest

    if bool(phases) == bool(to):
        raise UsageError("rolling back: name phases, or one with --to; 'phasebot status' lists them")
    run = open_run(door, location)
    with run.lock(lambda: log_wait(door, run)):
        request = RollbackRequest(
            phases=[to] if to else phases, to=bool(to), cascade=cascade, discard_edits=discard_edits
        )
        result = asyncio.run(factory.roll_back_phases(run, request, door.log))
    print_state(door, result.state, output, render_summary)
    log_notes(door, result.notes)
    if result.error:
        raise result.error


@click.command(cls=InRepository, epilog=examples("plan spec.md", "plan spec.md --format mermaid"))
@click.argument("spec", shell_complete=complete_spec)
@click.option("--format", "output", type=click.Choice(["yaml", "json", "mermaid"]), default="yaml", show_default=True)
@click.option("--recipe", show_default="fastapi", help="A built-in recipe, or a folder with a recipe.yaml.")
@with_project_settings
@with_a_provider
@click.pass_obj
def plan(  # one for each option
    door: Door,
    *,
    spec: str,
    output: str,
    recipe: str | None,
    settings: ProjectSettings,
    provider: "ProviderOptions",
) -> None:
    """Print the plan for SPEC; generate nothing."""
    import asyncio

    from bot.cli.inert_output import inert_json, inert_yaml
    from bot.engine import factory

    read = read_given_spec(door, spec, recipe, settings, with_model=provider.resolve() != "template")
    resolved = asyncio.run(factory.plan_spec(read, provider, door.log))
    log_notes(door, resolved.notes)
    if output == "json":
        click.echo(inert_json(json.dumps(resolved.plan.shown(), indent=2, ensure_ascii=False), in_job=door.in_job))
    elif output == "mermaid":
        from bot.planning.er_diagram import format_diagram

        click.echo(format_diagram(resolved.plan), nl=False)
    else:
        click.echo(inert_yaml(resolved.text, in_job=door.in_job), nl=False)


COMMANDS = {
    "Make": (generate, plan, regenerate, fix, rollback),
    "Look": (status, explain),
    "Check": (assess, verify),
    "Set up": (init, doctor, recipes, completion),
    "GitHub Actions": (action,),
}
"""Title of the group in the help → its commands."""
