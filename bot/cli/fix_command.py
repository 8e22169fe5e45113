"""The command `fix`: a model mends what checks found to be wrong."""

import functools
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from bot.cli.completion_command import complete_phase
from bot.cli.door import Door
from bot.cli.help import examples
from bot.cli.options import on_a_run, with_a_provider, with_work

if TYPE_CHECKING:
    from bot.engine.requests import RunRequest
    from bot.history.checkout import RunLocation

_FAILED = 1


@click.command(epilog=examples("fix", "fix entity/Post"))
@click.argument("phases", nargs=-1, metavar="[PHASE…]", shell_complete=complete_phase)
@on_a_run
@with_a_provider
@with_work
@click.pass_obj
def fix(door: Door, *, phases: Sequence[str], location: "RunLocation", output: str, request: "RunRequest") -> None:
    """Let a model mend the errors that `assess` and the last `verify` found.

    Makes the phases again that have errors, with the errors. Ends with 1 if some are left.
    """
    from bot.cli.work import open_run, start_worker, work_on
    from bot.engine.repair import fix_request

    start_worker()
    prepare = functools.partial(fix_request, phases=phases)
    if work_on(door, open_run(door, location), request, output, prepare=prepare).errors:
        sys.exit(_FAILED)
    door.log("phasebot: 'phasebot assess' finds no error any more; 'phasebot verify' runs the tests")
