"""The door: click commands.  The only module that reads the environment and the clock, wires, and sets exit codes."""

import asyncio
import functools
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from bot import __version__
from bot.errors import PhasebotError, UsageError

if TYPE_CHECKING:
    from bot.generation.provider import Provider
    from bot.history.branch import Branch, PlanFile
    from bot.history.opening import Place
    from bot.planning.planned import Planned
    from bot.runner import Announcer, Limits, Outcome

INCOMPLETE = 3
_GIT_PLACES = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_NAMESPACE")


def _on_a_run(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say which run, and hand them to *command* as its place; and the output's format."""
    options = (
        click.option(
            "--repo",
            default=".",
            show_default=True,
            type=click.Path(path_type=Path),
            help="The repository; made if it is not there or empty.",
        ),
        click.option(
            "--run", metavar="NAME", help="Default: the spec's name, else the one checked out or the only one."
        ),
        click.option("--base", metavar="REF", help="What a new branch starts from; default: the default branch."),
        click.option("--remote", metavar="NAME", help="Default: origin, else the only one."),
        click.option("--format", "output", type=click.Choice(["text", "json"]), default="text", show_default=True),
    )

    @functools.wraps(command)
    def with_place(  # one for each option
        *,
        repo: Path,
        run: str | None,
        base: str | None,
        remote: str | None,
        push: bool | None = None,
        **rest: object,
    ) -> None:
        from bot.history.opening import Place

        command(place=Place(folder=repo, run=run, base=base, remote=remote, push=push), **rest)

    for option in reversed(options):
        with_place = option(with_place)
    return with_place


@click.group(context_settings={"auto_envvar_prefix": "PHASEBOT", "help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="phasebot")
def cli() -> None:
    """Generate a project phase by phase, one git commit per phase; run again to continue."""


@cli.command()
@click.argument("spec", required=False)
@_on_a_run
@click.option("--provider", type=click.Choice(["template"]), default="template", show_default=True)
@click.option(
    "--recipe", default="fastapi", show_default=True, help="A built-in recipe, or a folder with a recipe.yaml."
)
@click.option("--output-dir", default=".", show_default=True, help="The project's folder in the repository.")
@click.option("--jobs", type=click.IntRange(1, 64), default=8, show_default=True, help="Phases made at the same time.")
@click.option("--only", multiple=True, metavar="PHASE", help="Make this phase only; repeatable.")
@click.option("--push/--no-push", default=None, help="Default: push if there is a remote.")
@click.option(
    "--deadline",
    type=click.FloatRange(min=0, min_open=True),
    metavar="MINUTES",
    help="Stop in time; run again to continue.",
)
def generate(  # noqa: PLR0913  # one for each option
    *,
    spec: str | None,
    place: "Place",
    output: str,
    provider: str,
    recipe: str,
    output_dir: str,
    jobs: int,
    only: Sequence[str],
    deadline: float | None,
) -> None:
    """Start or continue a run.  SPEC is a file, '-' or the text itself; without it the plan in history is continued."""
    from bot.history.opening import open_branch
    from bot.runner import Limits

    first = None
    if spec is not None:
        first = _first_plan(spec, recipe, output_dir)
        _check_phases(first, only)
        place = place if place.run is not None else replace(place, run=first.plan.slug)
    branch = open_branch(place, create=first is not None, now=_now)
    with branch.lock(lambda: click.echo(f"waiting for another process to end its work on {branch.name}", err=True)):
        limits = Limits(jobs=jobs, only=only, seconds=deadline * 60 if deadline else None)
        outcome = _carry_on(branch, first, _PROVIDERS[provider](), limits)
    _tell(outcome, output, only)


def _check_phases(planned: "Planned", keys: Sequence[str]) -> None:
    from bot.planning.phases import find_phase

    for key in keys:
        find_phase(planned.phases, key)


def _tell(outcome: "Outcome", output: str, only: Sequence[str]) -> None:
    """Print how a run ended, and exit accordingly."""
    from bot import console

    state = outcome.state
    click.echo(console.render_json(state) if output == "json" else console.render_summary(state))
    if outcome.error:
        raise outcome.error
    wanted = [each.phase.key for each in state.phases if each.wanted and (not only or each.phase.key in only)]
    if wanted:
        click.echo(f"phasebot: not made yet: {', '.join(wanted)}; run generate again to continue", err=True)
        sys.exit(INCOMPLETE)


@cli.command()
@click.argument("spec")
@click.option("--format", "output", type=click.Choice(["yaml", "json", "mermaid"]), default="yaml", show_default=True)
@click.option("--recipe", default="fastapi", show_default=True)
@click.option("--output-dir", default=".", show_default=True)
def plan(spec: str, output: str, recipe: str, output_dir: str) -> None:
    """Print the plan that SPEC makes; generate nothing."""
    planned = _first_plan(spec, recipe, output_dir)
    if output == "json":
        click.echo(planned.plan.model_dump_json(indent=2, by_alias=True))
    elif output == "mermaid":
        from bot.planning.diagram import format_diagram

        click.echo(format_diagram(planned.plan), nl=False)
    else:
        click.echo(planned.text, nl=False)


@cli.command()
@_on_a_run
def status(*, place: "Place", output: str) -> None:
    """Show the phases of a run: status, commit, files, tokens, human edits."""
    from bot import console
    from bot.history.opening import open_branch

    branch = open_branch(place, create=False, now=_now)
    branch.read()
    found = branch.plan_file()
    if found is None:
        raise UsageError(f"reading {branch.name}: it holds no plan; start the run with 'phasebot generate SPEC'")
    state = branch.state(_plan_at_head(found).phases)
    click.echo(console.render_json(state) if output == "json" else console.render_status(state))


def _first_plan(spec: str, recipe: str, output_dir: str) -> "Planned":
    """Read a spec given as file, ``-`` or text into a plan."""
    from bot.planning.planned import plan_spec

    text, source, name = _spec_text(spec)
    return plan_spec(text, source=source, project=name, recipe=recipe, output_dir=output_dir)


def _plan_at_head(found: "PlanFile") -> "Planned":
    from bot.planning.planned import plan_file

    source = f"the plan {found.path} at commit {found.commit}"
    return plan_file(found.text, source=source, output_dir=found.output_dir)


def _spec_text(spec: str) -> tuple[str, str, str]:
    """Return text, what to call it in messages, and a name for a project whose spec has no heading."""
    if spec == "-":
        return _decoded(sys.stdin.buffer.read(), "the spec on standard input"), "the spec on standard input", "project"
    path = Path(spec)
    one_line = spec.strip() and "\n" not in spec and ":" not in spec
    looks_like_path = one_line and (spec.endswith((".md", ".yaml", ".yml", ".txt")) or " " not in spec)
    try:
        if path.is_file() or looks_like_path:
            return _decoded(path.read_bytes(), f"the spec {spec}"), f"the spec {spec}", path.stem
    except OSError as exc:
        if looks_like_path:
            raise UsageError(
                f"reading the spec {spec}: {exc.strerror}; name a file, '-', or give the text itself"
            ) from exc
    return spec, "the spec", "project"


def _decoded(content: bytes, source: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as exc:
        raise UsageError(f"{source}: byte {exc.start} is not UTF-8 text; save the file as UTF-8") from exc


def _template() -> "Provider":
    from bot.generation.template import TemplateProvider

    return TemplateProvider()


_PROVIDERS: dict[str, Callable[[], "Provider"]] = {"template": _template}


def _carry_on(branch: "Branch", first: "Planned | None", provider: "Provider", limits: "Limits") -> "Outcome":
    from bot.runner import Run

    if first:
        branch.start()
    with _announcer() as announcer:
        run = Run(
            branch=branch,
            provider=provider,
            announcer=announcer,
            read_plan=_plan_at_head,
            first_plan=first,
            limits=limits,
            timer=time.monotonic,
        )
        return asyncio.run(_until_signalled(run.carry_on))


async def _until_signalled(work: Callable[[asyncio.Event], Any]) -> "Outcome":
    """Run *work* with an event that the first SIGINT or SIGTERM sets; the second one ends the process as usual."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_signal() -> None:
        stop.set()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal)
    outcome: Outcome = await work(stop)
    return outcome


def _announcer() -> "AbstractContextManager[Announcer]":
    from bot.console import LiveAnnouncer, PlainAnnouncer

    if sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        return LiveAnnouncer()
    return nullcontext(PlainAnnouncer(sys.stderr))


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
        traceback.print_exc()
        _fail("an error in Phasebot itself (above); what was finished is committed, please report it", 1)


def _fail(message: str, code: int) -> NoReturn:
    click.echo(f"phasebot: {message}", err=True)
    sys.exit(code)


def main() -> NoReturn:
    """Run the command line and exit."""
    for name in _GIT_PLACES:
        os.environ.pop(name, None)  # set by a git hook, they would point git elsewhere than --repo says
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    # A spec given as text may begin with '- User: …', which click takes for options; a blank before it changes nothing.
    arguments = [f" {word}" if word.startswith(("- ", "* ")) else word for word in sys.argv[1:]]
    with _exit_codes():
        sys.exit(cli.main(arguments, standalone_mode=False) or 0)
