"""The command `status`: the phases of a run, as a table, for programs, or as a page for a browser."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli.door import Door
from bot.cli.help import examples
from bot.cli.options import on_a_run_with_a_page
from bot.cli.work import INCOMPLETE, log_notes, open_run, print_result

if TYPE_CHECKING:
    from bot.history.checkout import OpenRun, RunLocation
    from bot.history.plan_reader import BrokenPlanError
    from bot.history.run_state import RunState


@click.command(epilog=examples("status", "status --run blog --format html --output blog.html"))
@on_a_run_with_a_page
@click.option(
    "--output",
    "file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write to FILE instead of standard output.",
)
@click.option("--exit-code", is_flag=True, help="End with 3 if the run is not complete.")
@click.pass_obj
def status(door: Door, *, location: "RunLocation", output: str, file: Path | None, exit_code: bool) -> None:
    """Show the phases of a run: status, commit, files, tokens, people's edits.

    --format html makes one page of it all, with diagram and timeline, that loads nothing from elsewhere.
    """
    from bot.cli.output import render_conflicts, render_diff
    from bot.cli.output_file import check_place, write_file
    from bot.engine.rejected_changes import rejected_changes
    from bot.engine.worktree_problems import worktree_problems

    if file:
        check_place(file)
    run = open_run(door, location)
    run.branch.read()
    for note in run.branch.notes:
        door.log(f"note: {note}")
    text, state, error = _rendered(door, run, output)
    if file:
        write_file(file, door.redactor.redact(text.removesuffix("\n") + "\n"))
    else:
        print_result(door, output, text)
    log_notes(door, worktree_problems(run))
    if error:
        raise error
    if output != "html":  # the page has them
        for path, diff in rejected_changes(run.branch, state, {}).items():
            door.log(render_diff(path, diff))
    if conflicts := render_conflicts(state):
        door.log(f"phasebot: {conflicts}")
    if exit_code and not state.complete:
        sys.exit(INCOMPLETE)


def _rendered(door: Door, run: "OpenRun", output: str) -> tuple[str, "RunState", "BrokenPlanError | None"]:
    """Return the text in the format *output*, the state, and why the plan at head can't be read, if it can't."""
    from bot.cli.output import render_json, render_status
    from bot.engine.explanation import explain_run
    from bot.history.explanation_words import why
    from bot.history.repository import ACTIONS_BOT

    own = (ACTIONS_BOT, run.writer.author, run.writer.committer)
    if output == "html":
        from bot.cli.page_output import render_overview
        from bot.engine.overview import overview

        found = overview(run)
        return render_overview(found, own), found.facts.state, found.error
    plan, state, error = run.branch.view()
    if plan is None and error is None:
        run.branch.existing_plan()  # raises, because there is none
    if output == "json":
        return render_json(state, own), state, error
    reasons = {each.state.phase.key: why(each) for each in explain_run(run.branch).phases}
    return render_status(state, door.now(), own, reasons), state, error
