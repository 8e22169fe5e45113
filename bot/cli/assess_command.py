"""The command `assess`: what is wrong with the files of a run, without executing anything of them."""

import sys
from typing import TYPE_CHECKING

import click

from bot.cli.door import Door
from bot.cli.help import examples
from bot.cli.options import on_a_run_with_findings

if TYPE_CHECKING:
    from bot.engine.assessment import Assessment
    from bot.history.checkout import RunLocation

_FAILED = 1


@click.command(epilog=examples("assess", "assess --format sarif"))
@on_a_run_with_findings
@click.pass_obj
def assess(door: Door, *, location: "RunLocation", output: str) -> None:
    """Find what is wrong with the files of a run; nothing of them is executed.

    Ends with 1 if there are errors.
    """
    from bot.cli.inert_output import inert_json
    from bot.engine import factory
    from bot.engine.assessment import assess_run

    found = assess_run(factory.open_clone(location).open_run(location.run, door.now))
    text = _format(found, output)
    for note in found.notes:
        door.log(f"phasebot: {note}")
    click.echo(inert_json(text, in_job=door.in_job) if output in ("json", "sarif") else text)
    if found.errors:
        phases = list(dict.fromkeys(each.phase for each in found.errors if each.phase))
        made_again = f"'phasebot regenerate {' '.join(phases)}' makes them again"
        again = f"; 'phasebot fix' lets a model mend them, {made_again}" if phases else ""
        number = f"{len(found.errors)} error{'' if len(found.errors) == 1 else 's'}"
        door.log(f"phasebot: assessing {found.state.branch}: {number}{again}")
        sys.exit(_FAILED)


def _format(found: "Assessment", output: str) -> str:
    from bot.assessment.formats import format_json, format_sarif, format_text
    from bot.forge.finding_list import format_markdown

    order = [each.phase.key for each in found.state.phases]
    if output == "json":
        state = found.state
        return format_json(found.findings, {"run": state.run, "branch": state.branch, "head": state.head}, found.notes)
    if output == "sarif":
        return format_sarif(found.findings, found.state.head, found.notes)
    return (format_markdown if output == "markdown" else format_text)(found.findings, order)
