"""The commands of the command line: from options to a call, and from what came of it to what is printed."""

import functools
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli.options import on_a_new_run, on_a_run, with_a_provider, with_inputs, with_work
from bot.errors import UsageError

if TYPE_CHECKING:
    from bot.action.handler import CommandHandler
    from bot.action.result import ActionInputs
    from bot.engine import factory
    from bot.engine.requests import Limits
    from bot.engine.runner import Announcer
    from bot.generation.provider_factory import ProviderOptions
    from bot.history.run_branch import RunBranch
    from bot.history.run_location import RunLocation
    from bot.planning.resolved_plan import ProseSpec, ResolvedPlan
    from bot.settings import GeminiSettings

INCOMPLETE = 3
_PHASES = click.argument("phases", nargs=-1, metavar="PHASE…")


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """What only the outermost module may touch."""

    environ: Mapping[str, str]
    """As the process was started with it."""
    forget: Callable[[str], object]
    """Take a variable out of the environment, so that no child process inherits it."""
    log: Callable[[str], None]
    """Print a line of progress, or an error."""
    announcer: Callable[[], "AbstractContextManager[Announcer]"]
    timer: Callable[[], float]
    now: Callable[[], datetime]
    stdin: Callable[[], bytes]


@click.command()
@click.argument("spec", required=False)
@on_a_new_run
@with_a_provider
@with_work
@click.option(
    "--recipe", default="fastapi", show_default=True, help="A built-in recipe, or a folder with a recipe.yaml."
)
@click.option("--output-dir", default=".", show_default=True, help="The project's folder in the repository.")
@click.option("--only", multiple=True, metavar="PHASE", help="Make this phase only; repeatable.")
@click.pass_obj
def generate(  # noqa: PLR0913  # one for each option
    door: Door,
    *,
    spec: str | None,
    place: "RunLocation",
    output: str,
    choice: "ProviderOptions",
    limits: "Limits",
    recipe: str,
    output_dir: str,
    only: Sequence[str],
    cascade: bool,
) -> None:
    """Start or continue a run.  SPEC is a file, '-' or the text itself; without it the plan in history is continued."""
    from bot.engine import factory
    from bot.engine.requests import Again
    from bot.history.run_location import base_plan

    settings = _settings(door, choice)
    first = None
    if spec is not None:
        base = base_plan(place, output_dir)
        first = _read(door, spec, recipe, output_dir, prose=choice.named(settings) != "template", base=base)
        _check_phases(first, only)
        place = place if place.run is not None else replace(place, run=first.slug)
    order = factory.Order(
        first=first,
        choice=choice,
        settings=settings,
        limits=replace(limits, only=only),
        again=Again(cascade=cascade),
    )
    _carry_on(door, _open(door, place, create=first is not None), order, output)


@click.command()
@_PHASES
@on_a_run
@with_a_provider
@with_work
@click.option("--instruction", default="", metavar="TEXT", help="What to do otherwise; it becomes part of the plan.")
@click.pass_obj
def regenerate(  # noqa: PLR0913  # one for each option
    door: Door,
    *,
    phases: Sequence[str],
    place: "RunLocation",
    output: str,
    choice: "ProviderOptions",
    limits: "Limits",
    cascade: bool,
    instruction: str,
) -> None:
    """Make phases again, and merge what people changed in their files."""
    from bot.engine import factory
    from bot.engine.requests import Again

    if not phases:
        raise UsageError("making phases again: none is named; 'phasebot status' lists them")
    settings = _settings(door, choice)
    again = Again(phases=phases, cascade=cascade, instruction=instruction.strip())
    order = factory.Order(first=None, choice=choice, settings=settings, limits=limits, again=again)
    _carry_on(door, _open(door, place, create=False), order, output)


@click.command()
@_PHASES
@on_a_run
@click.option("--to", metavar="PHASE", help="Take back all that come after this one, instead of naming them.")
@click.option("--cascade", is_flag=True, help="Also take back the phases that need them.")
@click.option("--discard-edits", is_flag=True, help="Also remove what people edited in their files.")
@click.option("--push/--no-push", default=None, help="Default: push if there is a remote.")
@click.pass_obj
def rollback(  # one for each option
    door: Door,
    *,
    phases: Sequence[str],
    place: "RunLocation",
    output: str,
    to: str | None,
    cascade: bool,
    discard_edits: bool,
) -> None:
    """Take phases back, as one commit; the next 'generate' makes them again."""
    import asyncio

    from bot.cli import output as printing
    from bot.engine import factory

    if bool(phases) == bool(to):
        raise UsageError("taking phases back: name phases, or one with --to; 'phasebot status' lists them")
    branch = _open(door, place, create=False)
    with branch.lock(lambda: _wait(door, branch)):
        work = factory.Rollback(phases=[to] if to else phases, to=bool(to), cascade=cascade, discard=discard_edits)
        state = asyncio.run(factory.roll_back(branch, work, door.log))
    click.echo(printing.render_json(state) if output == "json" else printing.render_summary(state, door.now()))


@click.command()
@click.argument("spec")
@click.option("--format", "output", type=click.Choice(["yaml", "json", "mermaid"]), default="yaml", show_default=True)
@click.option("--recipe", default="fastapi", show_default=True)
@click.option("--output-dir", default=".", show_default=True)
@with_a_provider
@click.pass_obj
def plan(door: Door, *, spec: str, output: str, recipe: str, output_dir: str, choice: "ProviderOptions") -> None:
    """Print the plan that SPEC makes; generate nothing."""
    import asyncio

    from bot.engine import factory
    from bot.engine.requests import Limits

    settings = _settings(door, choice)
    first = _read(door, spec, recipe, output_dir, prose=choice.named(settings) != "template")
    order = factory.Order(first=first, choice=choice, settings=settings, limits=Limits())
    planned = asyncio.run(factory.plan(order, door.log))
    if output == "json":
        click.echo(planned.plan.model_dump_json(indent=2, by_alias=True))
    elif output == "mermaid":
        from bot.planning.er_diagram import format_diagram

        click.echo(format_diagram(planned.plan), nl=False)
    else:
        click.echo(planned.text, nl=False)


@click.command()
@on_a_run
@click.pass_obj
def status(door: Door, *, place: "RunLocation", output: str) -> None:
    """Show the phases of a run: status, commit, files, tokens, human edits."""
    from bot.cli import output as printing
    from bot.engine import factory

    branch = _open(door, place, create=False)
    branch.read()
    state = branch.state(factory.plan_of(branch).phases)
    click.echo(printing.render_json(state) if output == "json" else printing.render_status(state, door.now()))


@click.command()
@with_inputs
@click.option("--finish", is_flag=True, help="Only tell how the run stands, for a process that could not any more.")
@click.pass_obj
def action(door: Door, *, inputs: "Callable[[], ActionInputs]", finish: bool) -> None:
    """Answer the event of a job in GitHub Actions; this is what action.yml runs."""
    from bot.forge import workflow_commands
    from bot.forge.command_event import read_command_event
    from bot.forge.webhook_event import Ignored

    door.forget("GITHUB_TOKEN")
    heard = read_command_event(door.environ.get("GITHUB_EVENT_NAME", ""), _event(door))
    if isinstance(heard, Ignored):
        door.log(f"nothing to do: {heard.reason}")
        outputs, summary, code = {"status": "ignored"}, "", 0
    else:
        ending = _action(door, inputs()).answer(heard, finish=finish)
        outputs, summary, code = dict(ending.outputs), ending.summary, ending.exit_code
    if path := door.environ.get("GITHUB_OUTPUT"):
        workflow_commands.write_outputs(Path(path), outputs)
    if summary and (path := door.environ.get("GITHUB_STEP_SUMMARY")):
        workflow_commands.write_summary(Path(path), summary)
    sys.exit(code)


COMMANDS = (generate, plan, status, regenerate, rollback, action)


def _open(door: Door, place: "RunLocation", *, create: bool) -> "RunBranch":
    from bot.generation.templates import render_phase
    from bot.history.run_location import open_branch

    return open_branch(place, create=create, now=door.now, recall=render_phase)


def _wait(door: Door, branch: "RunBranch") -> None:
    door.log(f"waiting for another process to end its work on {branch.name}")


def _carry_on(door: Door, branch: "RunBranch", order: "factory.Order", output: str) -> None:
    """Work on a run, print how it ended, and exit accordingly."""
    import asyncio

    from bot.cli import output as printing
    from bot.engine import factory

    with branch.lock(lambda: _wait(door, branch)), door.announcer() as announcer:
        work = functools.partial(factory.carry_on, branch, order, announcer, door.timer)
        outcome = asyncio.run(factory.until_signalled(work))
    state = outcome.state
    click.echo(printing.render_json(state) if output == "json" else printing.render_summary(state, door.now()))
    if outcome.error:
        raise outcome.error
    if told := printing.render_stale(state):
        door.log(f"phasebot: {told}")
    if outcome.left:
        door.log(f"phasebot: not made yet: {printing.render_left(outcome)}")
        sys.exit(INCOMPLETE)


def _check_phases(first: "ResolvedPlan | ProseSpec", keys: Sequence[str]) -> None:
    """Refuse unknown phases before anything is written, where the plan is known already."""
    from bot.planning.phases import find_phase
    from bot.planning.resolved_plan import ResolvedPlan

    for key in keys if isinstance(first, ResolvedPlan) else ():
        find_phase(first.phases, key)  # type: ignore[union-attr]  # not empty only for one of the two


def _event(door: Door) -> bytes:
    path = door.environ.get("GITHUB_EVENT_PATH", "")
    try:
        return Path(path).read_bytes()
    except OSError as exc:
        raise UsageError(
            f"reading the event at GITHUB_EVENT_PATH ({path or 'not set'}): {exc.strerror}; run this in GitHub Actions"
        ) from exc


def _action(door: Door, inputs: "ActionInputs") -> "CommandHandler":
    """Wire the action, and keep its secrets out of the log."""
    from bot.action.handler import CommandHandler
    from bot.cli.output import PlainAnnouncer
    from bot.forge import workflow_commands
    from bot.forge.github_client import GitHubClient
    from bot.settings import read_actions_settings

    settings, gemini = read_actions_settings(door.environ), _settings(door, inputs.choice)
    token = settings.token.get_secret_value()
    for secret in [token, *([gemini.key.get_secret_value()] if gemini.key else [])]:
        if door.environ.get("GITHUB_ACTIONS") == "true":
            with suppress(UsageError):  # too short to be one, or to be told from a word
                click.echo(workflow_commands.mask(secret))
    return CommandHandler(
        settings=settings,
        inputs=inputs,
        gemini=gemini,
        forge=GitHubClient(token, repository=settings.repository, api_url=settings.api_url),
        announcer=PlainAnnouncer(door.log),
        say=click.echo,
        timer=door.timer,
        now=door.now,
    )


def _settings(door: Door, choice: "ProviderOptions") -> "GeminiSettings":
    """Read the settings of a model, wrong ones only where one may be used."""
    from bot.settings import GeminiSettings, read_settings

    return GeminiSettings() if choice.provider == "template" else read_settings(door.environ)


def _read(  # what a spec is read with
    door: Door, spec: str, recipe: str, output_dir: str, *, prose: bool, base: "ResolvedPlan | None" = None
) -> "ResolvedPlan | ProseSpec":
    """Read a spec given as file, ``-`` or text; *prose* says whether there is somebody to plan it."""
    from bot.planning import resolved_plan
    from bot.planning.spec_source import read_source

    text, source, project = read_source(spec, door.stdin)
    read = resolved_plan.resolve_spec if prose else resolved_plan.resolve_exact_spec
    return read(text, source=source, project=project, recipe=recipe, output_dir=output_dir, base=base)
