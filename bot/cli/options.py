"""Options that several commands share.  Each set reaches its command as one value."""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from bot.cli.completion_command import complete_run

Command = Callable[..., None]

if TYPE_CHECKING:
    from bot.generation.provider_factory import ProviderOptions
    from bot.settings import GeminiSettings

MODEL = "gemini-3.8-flash"
FALLBACK_MODELS = ("gemini-3.7-flash", "gemini-3.5-flash-lite")  # others' quota and capacity
THINKING = "medium"

_LOCATION_OPTIONS = (
    click.option(
        "--run",
        metavar="NAME",
        shell_complete=complete_run,
        help="The run. Default: the spec's name; without a spec, the one checked out or the only one.",
    ),
    click.option("--base", metavar="REF", help="The branch that the run starts from. Default: the default branch."),
    click.option(
        "--recipe",
        metavar="NAME",
        help="A built-in recipe, or a folder with a recipe.yaml. Default: the plan's or the spec's, else fastapi.",
    ),
    click.option("--remote", metavar="NAME", help="Default: origin, else the only one."),
)
_PROVIDER_OPTIONS = (
    click.option(
        "--provider",
        type=click.Choice(["template", "gemini"]),
        help="Default: gemini if GEMINI_API_KEY is set, else template.",
    ),
    click.option("--model", default=MODEL, show_default=True),
    click.option(
        "--fallback-model",
        multiple=True,
        default=FALLBACK_MODELS,
        show_default=True,
        help="Used when the model before it fails. Repeatable, in order; '' for none.",
    ),
    click.option(
        "--thinking",
        type=click.Choice(["minimal", "low", "medium", "high", "xhigh"]),
        default=THINKING,
        show_default=True,
        help="How long a model thinks. Thinking costs tokens.",
    ),
)
_WORK_OPTIONS = (
    click.option("--fallback", type=click.Choice(["template"]), help="Who writes the files that the model can't."),
    click.option(
        "--cascade", is_flag=True, help="Also regenerate phases that depend on a phase which was regenerated."
    ),
    click.option(
        "--jobs",
        type=click.IntRange(1, 64),
        default=8,
        show_default=True,
        help="Phases to generate at the same time.",
    ),
    click.option("--push/--no-push", default=None, help="Default: push if there is a remote."),
    click.option(
        "--max-tokens",
        type=click.IntRange(min=1),
        metavar="N",
        help="Token limit of the whole run, restarts included.",
    ),
    click.option(
        "--repairs",
        type=click.IntRange(0, 9),
        default=1,
        show_default=True,
        metavar="N",
        help="How often a model may mend errors that checks find.",
    ),
    click.option(
        "--deadline",
        type=click.FloatRange(min=0, min_open=True),
        metavar="MINUTES",
        help="Time limit; run again to continue.",
    ),
)
_PROJECT_OPTIONS = (
    click.option("--output-dir", show_default=".", help="The project's folder in the repository."),
    click.option(
        "--option",
        "options",
        multiple=True,
        metavar="NAME=VALUE",
        help="An option of the recipe; repeatable. 'phasebot recipes show' lists them.",
    ),
)


def with_options(command: Command, options: Sequence[Callable[[Command], Command]]) -> Command:
    for option in reversed(options):  # click lists the option that was added last first
        command = option(command)
    return command


def name_variables(command: click.Command, name: str) -> None:
    """Let ``<NAME>_<OPTION>`` in the environment set each option of *command*, and of the commands below it.

    Without it, click takes the parameter's name in Python, which may be another one.
    """
    for each in command.params:
        if isinstance(each, click.Option):
            each.envvar = f"{name}_{each.opts[0].lstrip('-')}".replace("-", "_").upper()
            each.allow_from_autoenv = False
    for below in command.commands.values() if isinstance(command, click.Group) else ():
        name_variables(below, f"{name}_{below.name}")


def read_options(given: Sequence[str]) -> Mapping[str, str]:
    """Read options of the recipe, each as ``NAME=VALUE``.

    Raises:
        UsageError: One has no ``=``, or is given twice.
    """
    from bot.errors import UsageError
    from bot.text import shown

    options: dict[str, str] = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not (equals and name.strip()):
            raise UsageError(f"reading the option {shown(each)}: it has no value; write NAME=VALUE, such as auth=jwt")
        if name.strip() in options:
            raise UsageError(f"reading the option {shown(each)}: {name.strip()} is given twice; leave one out")
        options[name.strip()] = value.strip()
    return options


class ProjectSettings(NamedTuple):
    """What a person says of a new project beside its spec."""

    output_dir: str | None
    options: Mapping[str, str]


def with_project_settings(command: Command) -> Command:
    """Add the options about a new project, handed to *command* as ``settings``.

    Raises:
        UsageError: One can't be used.
    """

    @functools.wraps(command)
    def with_settings(*, output_dir: str | None, options: Sequence[str], **rest: object) -> None:
        from bot.errors import UsageError
        from bot.planning.path_rules import output_dir_problem
        from bot.text import shown

        if output_dir and (problem := output_dir_problem(output_dir)):
            raise UsageError(f"--output-dir: {shown(output_dir)} {problem}")
        command(settings=ProjectSettings(output_dir, read_options(options)), **rest)

    return with_options(with_settings, _PROJECT_OPTIONS)


def gemini_settings(environ: Mapping[str, str], provider: str | None) -> "GeminiSettings":
    """Read how Gemini is reached; wrong settings matter only where it may be used."""
    from bot.settings import GeminiSettings, read_settings

    return GeminiSettings() if provider == "template" else read_settings(environ)


def is_said(name: str) -> bool:
    """Whether the option *name* was set with the command or in the environment, and not by the repository."""
    source = click.get_current_context().get_parameter_source(name)
    return source in (click.core.ParameterSource.COMMANDLINE, click.core.ParameterSource.ENVIRONMENT)


def _take_defaults(ctx: click.Context, repo: Path) -> None:
    """Let what the repository sets in pyproject.toml stand in for options that are not given, and say so."""
    if ctx.resilient_parsing:  # a shell completes a word, which must not take long, and shows what is printed
        return
    from bot.configuration import PROJECT_FILE, as_options
    from bot.history.configuration_files import worktree_configuration
    from bot.sandbox.worker import shared_worker

    found = as_options(worktree_configuration(repo, shared_worker().run))
    taken = [each for each in ctx.command.params if each.name in found]
    ctx.default_map = {str(each.name): found[str(each.name)] for each in taken}
    if taken:
        names = ", ".join(sorted(each.opts[0].removeprefix("--") for each in taken))
        ctx.obj.log(f"note: {PROJECT_FILE} sets {names}")


def _on_repo(ctx: click.Context, _: click.Parameter, repo: Path) -> Path:
    _take_defaults(ctx, repo)
    return repo


class InRepository(click.Command):
    """A command in the current folder's repository, which it takes no option for."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read what the repository sets before the options."""
        if not {"--help", "-h"} & {*args}:
            _take_defaults(ctx, Path())
        return super().parse_args(ctx, args)


def on_a_run(command: Command) -> Command:
    """Add the options that name a run, handed to *command* as ``location``, and the output format."""
    return _with_location_of(command, "The repository.", ("text", "json"))


def on_a_run_with_findings(command: Command) -> Command:
    """Do the same as :func:`on_a_run` for a command that prints findings."""
    return _with_location_of(command, "The repository.", ("text", "json", "sarif", "markdown"))


def on_a_run_with_a_page(command: Command) -> Command:
    """Do the same as :func:`on_a_run` for the command that can show the run as a web page, too."""
    return _with_location_of(command, "The repository.", ("text", "json", "html"))


def on_a_new_run(command: Command) -> Command:
    """Do the same as :func:`on_a_run` for a command that may create the repository."""
    return _with_location_of(command, "The repository; created if it does not exist or is empty.", ("text", "json"))


def _with_location_of(command: Command, repo_help: str, formats: Sequence[str]) -> Command:
    @functools.wraps(command)
    def with_location(  # one for each option
        *,
        repo: Path,
        run: str | None,
        base: str | None,
        recipe: str | None,
        remote: str | None,
        push: bool | None = None,
        **rest: object,
    ) -> None:
        from bot.history.base import NamedBases
        from bot.history.checkout import RunLocation

        bases = NamedBases(named=base)
        location = RunLocation(folder=repo, run=run, bases=bases, remote=remote, push=push, recipe=recipe)
        command(location=location, **rest)

    repo_option = click.option(
        "--repo",
        default=".",
        show_default=True,
        type=click.Path(path_type=Path),
        help=repo_help,
        is_eager=True,  # what it sets in pyproject.toml is the default of the other options
        callback=_on_repo,
    )
    output = click.option("--format", "output", type=click.Choice(formats), default="text", show_default=True)
    return with_options(with_location, (repo_option, *_LOCATION_OPTIONS, output))


def with_a_provider(command: Command) -> Command:
    """Add the options that say who plans and writes, handed to *command* as ``provider``."""

    @functools.wraps(command)
    def with_provider(
        *, provider: str | None, model: str, fallback_model: Sequence[str], thinking: str, **rest: object
    ) -> None:
        from bot.generation.provider_factory import ProviderOptions

        models = (model, *filter(None, fallback_model))
        gemini = gemini_settings(click.get_current_context().obj.environ, provider)
        options = ProviderOptions(provider=provider, models=models, thinking=thinking, gemini=gemini)
        command(provider=options, **rest)

    return with_options(with_provider, _PROVIDER_OPTIONS)


def with_work(command: Command) -> Command:
    """Add the options of commands that generate, and hand all but the phases to *command* as ``request``.

    Goes below :func:`with_a_provider`, whose value becomes part of the request.
    """

    @functools.wraps(command)
    def with_request(
        *,
        provider: "ProviderOptions",
        cascade: bool,
        fallback: str | None,
        jobs: int,
        max_tokens: int | None,
        repairs: int,
        deadline: float | None,
        **rest: object,
    ) -> None:
        from bot.engine.requests import RunRequest

        request = RunRequest(
            provider=replace(provider, fallback=fallback),
            cascade=cascade,
            jobs=jobs,
            seconds=deadline * 60 if deadline else None,
            max_tokens=max_tokens,
            repairs=repairs,
        )
        command(request=request, **rest)

    return with_options(with_request, _WORK_OPTIONS)
