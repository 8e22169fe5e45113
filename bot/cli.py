"""The door: click commands.  The only module that reads the environment and the clock, wires, and sets exit codes."""

import functools
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from bot import __version__
from bot.errors import PhasebotError, UsageError
from bot.options import on_a_run, with_a_provider, with_inputs

if TYPE_CHECKING:
    from bot.action import Action
    from bot.generation.opening import Choice
    from bot.history.opening import Place
    from bot.job import Inputs
    from bot.planning.planned import Description, Planned
    from bot.runner import Announcer
    from bot.settings import GeminiSettings
    from bot.terms import Outcome

INCOMPLETE = 3
_GIT_PLACES = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_NAMESPACE")
"""Set by a git hook, they would point git elsewhere than ``--repo`` says."""
_KEYS = ("GEMINI_API_KEY", "GOOGLE_API_KEY")
"""No child process inherits one."""


@click.group(context_settings={"auto_envvar_prefix": "PHASEBOT", "help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="phasebot")
def cli() -> None:
    """Generate a project phase by phase, one git commit per phase; run again to continue."""


@cli.command()
@click.argument("spec", required=False)
@on_a_run
@with_a_provider
@click.option("--fallback", type=click.Choice(["template"]), help="Who makes the files that the model can't.")
@click.option(
    "--recipe", default="fastapi", show_default=True, help="A built-in recipe, or a folder with a recipe.yaml."
)
@click.option("--output-dir", default=".", show_default=True, help="The project's folder in the repository.")
@click.option("--jobs", type=click.IntRange(1, 64), default=8, show_default=True, help="Phases made at the same time.")
@click.option("--only", multiple=True, metavar="PHASE", help="Make this phase only; repeatable.")
@click.option("--push/--no-push", default=None, help="Default: push if there is a remote.")
@click.option(
    "--max-tokens",
    type=click.IntRange(min=1),
    metavar="N",
    help="Stop before the whole run needs more, restarts included.",
)
@click.option(
    "--deadline",
    type=click.FloatRange(min=0, min_open=True),
    metavar="MINUTES",
    help="Stop in time; run again to continue.",
)
@click.pass_obj
def generate(  # noqa: PLR0913  # one for each option
    environ: Mapping[str, str],
    *,
    spec: str | None,
    place: "Place",
    output: str,
    choice: "Choice",
    fallback: str | None,
    recipe: str,
    output_dir: str,
    jobs: int,
    only: Sequence[str],
    max_tokens: int | None,
    deadline: float | None,
) -> None:
    """Start or continue a run.  SPEC is a file, '-' or the text itself; without it the plan in history is continued."""
    import asyncio

    from bot import wiring
    from bot.history.opening import open_branch
    from bot.terms import Limits

    choice, settings = replace(choice, fallback=fallback), _settings(environ, choice)
    with_model = choice.named(settings) != "template"
    first = None
    if spec is not None:
        first = _read(spec, recipe, output_dir, prose=with_model)
        _check_phases(first, only)
        place = place if place.run is not None else replace(place, run=first.slug)
    branch = open_branch(place, create=first is not None, now=_now)
    tokens = max_tokens if with_model else None
    limits = Limits(jobs=jobs, only=only, seconds=deadline * 60 if deadline else None, tokens=tokens)
    order = wiring.Order(first=first, choice=choice, settings=settings, limits=limits)
    with (
        branch.lock(lambda: click.echo(f"waiting for another process to end its work on {branch.name}", err=True)),
        _announcer() as announcer,
    ):
        work = functools.partial(wiring.carry_on, branch, order, announcer, time.monotonic)
        outcome = asyncio.run(wiring.until_signalled(work))
    _tell(outcome, output)


def _check_phases(first: "Planned | Description", keys: Sequence[str]) -> None:
    """Refuse unknown phases before anything is written, where the plan is known already."""
    from bot.planning.phases import find_phase
    from bot.planning.planned import Planned

    for key in keys if isinstance(first, Planned) else ():
        find_phase(first.phases, key)  # type: ignore[union-attr]  # not empty only for one of the two


def _tell(outcome: "Outcome", output: str) -> None:
    """Print how a run ended, and exit accordingly."""
    from bot import console

    state = outcome.state
    click.echo(console.render_json(state) if output == "json" else console.render_summary(state, _now()))
    if outcome.error:
        raise outcome.error
    if outcome.left:
        click.echo(f"phasebot: not made yet: {', '.join(outcome.left)}; run generate again to continue", err=True)
        sys.exit(INCOMPLETE)


@cli.command()
@click.argument("spec")
@click.option("--format", "output", type=click.Choice(["yaml", "json", "mermaid"]), default="yaml", show_default=True)
@click.option("--recipe", default="fastapi", show_default=True)
@click.option("--output-dir", default=".", show_default=True)
@with_a_provider
@click.pass_obj
def plan(environ: Mapping[str, str], *, spec: str, output: str, recipe: str, output_dir: str, choice: "Choice") -> None:
    """Print the plan that SPEC makes; generate nothing."""
    import asyncio

    from bot import wiring
    from bot.terms import Limits

    settings = _settings(environ, choice)
    first = _read(spec, recipe, output_dir, prose=choice.named(settings) != "template")
    order = wiring.Order(first=first, choice=choice, settings=settings, limits=Limits())
    planned = asyncio.run(wiring.plan(order, functools.partial(click.echo, err=True)))
    if output == "json":
        click.echo(planned.plan.model_dump_json(indent=2, by_alias=True))
    elif output == "mermaid":
        from bot.planning.diagram import format_diagram

        click.echo(format_diagram(planned.plan), nl=False)
    else:
        click.echo(planned.text, nl=False)


@cli.command()
@on_a_run
def status(*, place: "Place", output: str) -> None:
    """Show the phases of a run: status, commit, files, tokens, human edits."""
    from bot import console, wiring
    from bot.history.opening import open_branch

    branch = open_branch(place, create=False, now=_now)
    branch.read()
    found = branch.plan_file()
    if found is None:
        raise UsageError(f"reading {branch.name}: it holds no plan; start the run with 'phasebot generate SPEC'")
    state = branch.state(wiring.plan_at_head(found).phases)
    click.echo(console.render_json(state) if output == "json" else console.render_status(state, _now()))


@cli.command()
@with_inputs
@click.option("--finish", is_flag=True, help="Only tell how the run stands, for a process that could not any more.")
@click.pass_obj
def action(environ: Mapping[str, str], *, inputs: "Callable[[], Inputs]", finish: bool) -> None:
    """Answer the event of a job in GitHub Actions; this is what action.yml runs."""
    from bot.forge import actions
    from bot.forge.event import Ignored
    from bot.forge.hearing import hear

    os.environ.pop("GITHUB_TOKEN", None)  # no child process inherits it
    heard = hear(environ.get("GITHUB_EVENT_NAME", ""), _event(environ))
    if isinstance(heard, Ignored):
        _log(f"nothing to do: {heard.reason}")
        outputs, summary, code = {"status": "ignored"}, "", 0
    else:
        from bot.job import Ending

        ending: Ending = _action(environ, inputs()).answer(heard, finish=finish)
        outputs, summary, code = dict(ending.outputs), ending.summary, ending.exit_code
    if path := environ.get("GITHUB_OUTPUT"):
        actions.write_outputs(Path(path), outputs)
    if summary and (path := environ.get("GITHUB_STEP_SUMMARY")):
        actions.write_summary(Path(path), summary)
    sys.exit(code)


def _event(environ: Mapping[str, str]) -> bytes:
    path = environ.get("GITHUB_EVENT_PATH", "")
    try:
        return Path(path).read_bytes()
    except OSError as exc:
        raise UsageError(
            f"reading the event at GITHUB_EVENT_PATH ({path or 'not set'}): {exc.strerror}; run this in GitHub Actions"
        ) from exc


def _action(environ: Mapping[str, str], inputs: "Inputs") -> "Action":
    """Wire the action, and keep its secrets out of the log."""
    from bot.action import Action
    from bot.console import PlainAnnouncer
    from bot.forge import actions
    from bot.forge.github_api import GitHub
    from bot.settings import read_actions_settings

    settings, gemini = read_actions_settings(environ), _settings(environ, inputs.choice)
    token = settings.token.get_secret_value()
    for secret in [token, *([gemini.key.get_secret_value()] if gemini.key else [])]:
        if environ.get("GITHUB_ACTIONS") == "true":
            with suppress(UsageError):  # too short to be one, or to be told from a word
                click.echo(actions.mask(secret))
    return Action(
        settings=settings,
        inputs=inputs,
        gemini=gemini,
        forge=GitHub(token, repository=settings.repository, api_url=settings.api_url),
        announcer=PlainAnnouncer(_log),
        say=click.echo,
        timer=time.monotonic,
        now=_now,
    )


def _settings(environ: Mapping[str, str], choice: "Choice") -> "GeminiSettings":
    """Read the settings of a model, wrong ones only where one may be used."""
    from bot.settings import GeminiSettings, read_settings

    return GeminiSettings() if choice.provider == "template" else read_settings(environ)


def _read(spec: str, recipe: str, output_dir: str, *, prose: bool) -> "Planned | Description":
    """Read a spec given as file, ``-`` or text; *prose* says whether there is somebody to plan it."""
    from bot.planning import planned
    from bot.planning.source import read_source

    text, source, project = read_source(spec, sys.stdin.buffer.read)
    read = planned.read if prose else planned.plan_spec
    return read(text, source=source, project=project, recipe=recipe, output_dir=output_dir)


def _announcer() -> "AbstractContextManager[Announcer]":
    from bot.console import LiveAnnouncer, PlainAnnouncer

    if sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        return LiveAnnouncer()
    return nullcontext(PlainAnnouncer(_log))


def _log(line: str) -> None:
    """Print a line of progress, or an error; where GitHub Actions reads along, so that it finds no command in it."""
    if os.environ.get("GITHUB_ACTIONS") == "true":
        from bot.forge.actions import neutralise

        line = neutralise(line)
    click.echo(line, err=True)


def _now() -> datetime:
    return datetime.now().astimezone()


@contextmanager
def _exit_codes() -> Iterator[None]:
    """Turn every way of ending into one message and the contract's exit code."""
    try:
        yield
    except click.exceptions.Exit as exc:
        sys.exit(exc.exit_code)
    except click.ClickException as exc:
        exc.show()
        sys.exit(exc.exit_code)
    except PhasebotError as exc:
        _fail(str(exc), exc.exit_code)
    except (KeyboardInterrupt, click.Abort):
        _fail("interrupted; run generate again to continue", 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception:  # noqa: BLE001  # the one place: whatever it was, the commits made are safe
        import traceback

        _log(traceback.format_exc())
        _fail("an error in Phasebot itself (above); what was finished is committed, please report it", 1)


def _fail(message: str, code: int) -> NoReturn:
    _log(f"phasebot: {message}")
    sys.exit(code)


def main() -> NoReturn:
    """Run the command line and exit."""
    environ = dict(os.environ)
    for name in (*_GIT_PLACES, *_KEYS):
        os.environ.pop(name, None)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    # A spec given as text may begin with '- User: …', which click takes for options; a blank before it changes nothing.
    arguments = [f" {word}" if word.startswith(("- ", "* ")) else word for word in sys.argv[1:]]
    with _exit_codes():
        sys.exit(cli.main(arguments, standalone_mode=False, obj=environ) or 0)
