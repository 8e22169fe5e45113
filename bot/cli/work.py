"""What commands that work on a run share: open it, work on it, print how it ended."""

import functools
import sys
from collections.abc import Callable, Iterable
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
    _log_ending(door, result)
    return result


def _log_ending(door: Door, result: "RunResult") -> None:
    """Say what is left and what to do; raise the error that ended the work, or exit if something is not done."""
    from bot.cli.output import render_conflicts, render_errors, render_outdated, render_remaining, render_shortfalls

    conflicts, shortfalls = render_conflicts(result.state), render_shortfalls(result)
    if result.error:
        log_notes(door, filter(None, (shortfalls, conflicts)))
        raise result.error
    for line in filter(None, (render_outdated(result.state), render_errors(result))):
        door.log(f"phasebot: {line}")
    left = render_remaining(result)
    if told := [*([f"not generated yet: {left}"] if left else []), *filter(None, (shortfalls, conflicts))]:
        door.log(f"phasebot: {'; '.join(told)}")
    if not result.is_success:
        sys.exit(INCOMPLETE)


def print_state(door: Door, state: "RunState", output: str, render: "Callable[[RunState, datetime], str]") -> None:
    from bot.cli.output import render_json

    print_result(door, output, render_json(state) if output == "json" else render(state, door.now()))


def print_result(door: Door, output: str, text: str) -> None:
    from bot.cli.inert_output import inert_json

    click.echo(inert_json(text, in_job=door.in_job) if output == "json" else text)
