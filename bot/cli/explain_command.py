"""The command `explain`: why phases are as they are."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from bot.cli.completion_command import complete_phase
from bot.cli.door import Door
from bot.cli.help import examples
from bot.cli.options import on_a_run

if TYPE_CHECKING:
    from bot.history.checkout import RunLocation


@click.command(epilog=examples("explain entity/Post", "explain"))
@click.argument("phases", nargs=-1, metavar="[PHASE…]", shell_complete=complete_phase)
@on_a_run
@click.pass_obj
def explain(door: Door, *, phases: Sequence[str], location: "RunLocation", output: str) -> None:
    """Explain why phases are as they are.

    Tells what each was made from, what differs now, who edited its files, what it lacks, what it cost, and what to do
    next. Without PHASE, explains all that are more than simply complete.
    """
    from bot.cli.explanation_output import json_of, render_explanations
    from bot.cli.inert_output import inert_json
    from bot.engine import factory
    from bot.engine.explanation import explain_run

    run = factory.open_clone(location).open_run(location.run, door.now)
    run.branch.read()
    for note in run.branch.notes:
        door.log(f"note: {note}")
    explained = explain_run(run.branch, phases)
    if output == "json":
        click.echo(inert_json(json.dumps(json_of(explained, door.now()), indent=2), in_job=door.in_job))
    else:
        click.echo(render_explanations(explained, door.now()))
    if explained.error:
        raise explained.error
