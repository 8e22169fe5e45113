"""What commands that work on a run share: open it, work on it, print how it ended."""

import functools
import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli.door import Door

if TYPE_CHECKING:
    from bot.engine.requests import RunRequest, RunResult
    from bot.history.checkout import OpenRun, RunLocation
    from bot.history.run_state import RunState

INCOMPLETE = 3
_WHERE = ("repo", "run", "base", "remote")
_HOW = (
    *("provider", "model", "fallback_model", "thinking", "fallback"),
    *("jobs", "push", "max_tokens", "repairs", "deadline"),
)


def start_worker() -> None:
    """Start the process that renders templates, which takes as long as to import the rest and to read history."""
    from bot.sandbox.worker import shared_worker

    shared_worker().start()


def open_run(door: Door, location: "RunLocation") -> "OpenRun":
    from bot.engine import factory

    return factory.open_clone(location).open_run(location.run, door.now)


def log_wait(door: Door, run: "OpenRun") -> None:
    door.log(f"waiting for another process to finish its work on {run.branch.name}")


def log_notes(door: Door, notes: Iterable[str]) -> None:
    for note in notes:
        door.log(f"note: {note}")


def log_how_to_try(door: Door, run: "OpenRun") -> None:
    from bot.cli.try_it import try_lines

    if lines := list(try_lines(run, Path.cwd())):
        door.log("\n".join(["phasebot: try it:", *(f"  {line}" for line in lines)]))


def work_on(
    door: Door,
    run: "OpenRun",
    request: "RunRequest",
    output: str,
    *,
    prepare: "Callable[[OpenRun, RunRequest], RunRequest] | None" = None,
) -> "RunResult":
    """Work on a run and print the result; exit with its code if it is not a success.

    *prepare* completes the request once nobody else works on the run.
    """
    import asyncio

    from bot.cli.output import render_summary
    from bot.engine import repair
    from bot.engine.signals import until_signalled

    with run.lock(lambda: log_wait(door, run)), door.announcer() as announcer:
        request = prepare(run, request) if prepare else request
        result = asyncio.run(until_signalled(functools.partial(repair.work, run, request, announcer, door.timer)))
    print_state(door, result.state, output, render_summary)
    log_notes(door, result.notes)
    _log_ending(door, result, lambda message: _with_commands(run, result, message))
    return result


def _with_commands(run: "OpenRun", result: "RunResult", message: str) -> str:
    """Return a message whose commands can be copied; without a plan there is none that would continue."""
    from bot.cli.next_command import as_options, with_commands

    if not result.state.phases:
        return message
    where, how = _said_options()
    if "--run" not in where and not _is_the_run_without_a_name(run):
        where = {**where, "--run": run.branch.run}
    return with_commands(message, tuple(as_options(where)), tuple(as_options(how)))


def _said_options() -> tuple[Mapping[str, object], Mapping[str, object]]:
    """Return what was given with the command: flag → value, those that choose the run, and those of the work on it."""
    context, given = click.get_current_context(), dict[str, tuple[str, object]]()
    for each in context.command.params:
        name = each.name or ""
        if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            value = context.params[name]
            given[name] = (each.secondary_opts[0], True) if value is False else (each.opts[0], value)
    where, how = ([given[name] for name in names if name in given] for names in (_WHERE, _HOW))
    return dict(where), dict(how)


def _is_the_run_without_a_name(run: "OpenRun") -> bool:
    from bot.errors import UsageError
    from bot.history.run_name import choose_run

    try:
        return choose_run(run.repository, None) == run.branch.run
    except UsageError:
        return False


def _log_ending(door: Door, result: "RunResult", worded: Callable[[str], str]) -> None:
    """Say what is left and what to do, as *worded*.

    Raises:
        PhasebotError: It ended the work.
        SystemExit: Something is not done.
    """
    from bot.cli.output import render_conflicts, render_errors, render_outdated, render_remaining, render_shortfalls

    conflicts, shortfalls = render_conflicts(result.state), render_shortfalls(result)
    if result.error:
        log_notes(door, map(worded, filter(None, (shortfalls, conflicts))))
        raise result.error.with_message(worded(str(result.error)))
    for line in filter(None, (render_outdated(result.state), render_errors(result))):
        door.log(f"phasebot: {worded(line)}")
    left = render_remaining(result)
    if told := [*([f"not generated yet: {left}"] if left else []), *filter(None, (shortfalls, conflicts))]:
        door.log(f"phasebot: {worded('; '.join(told))}")
    if not result.is_success:
        sys.exit(INCOMPLETE)


def print_state(door: Door, state: "RunState", output: str, render: "Callable[[RunState, datetime], str]") -> None:
    from bot.cli.output import render_json

    print_result(door, output, render_json(state) if output == "json" else render(state, door.now()))


def print_result(door: Door, output: str, text: str) -> None:
    from bot.cli.inert_output import inert_json

    click.echo(inert_json(text, in_job=door.in_job) if output == "json" else text)
