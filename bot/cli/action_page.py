"""Writes the page of a run at the end of a job, in a step of its own that gets no secret."""

from pathlib import Path
from typing import TYPE_CHECKING

from bot.cli.door import Door
from bot.errors import UsageError

if TYPE_CHECKING:
    from bot.action.inputs import GivenInputs


def write_page(door: Door, given: "GivenInputs", run: str | None, default_branch: str) -> str:
    """Write the page of *run* as the clone in the workspace has it, and return its path.

    Raises:
        UsageError: No run is named, or the runner names no folder for temporary files.
        PhasebotError: The run can't be read, or the file can't be written.
    """
    from bot.action.open_run import open_run, read_configuration
    from bot.cli.output_file import check_place, write_file
    from bot.cli.page_output import render_overview
    from bot.engine.overview import overview
    from bot.history.repository import ACTIONS_BOT
    from bot.planning.names import check_run_name

    folder = door.environ.get("RUNNER_TEMP", "")
    if not run or not folder:
        raise UsageError("writing the page: the input run or RUNNER_TEMP is not set; run this through action.yml")
    check_run_name(run)
    file = Path(folder) / f"phasebot-{run.replace('/', '-')}.html"
    check_place(file)
    workspace = Path(door.environ.get("GITHUB_WORKSPACE", ""))
    inputs = given.complete(read_configuration(workspace, given.base_branch, default_branch, credentials=None))
    opened = open_run(workspace, inputs, run, default_branch, door.now, credentials=None)
    opened.branch.read()
    found = overview(opened, repository=_repository(door), by_comments=True)
    write_file(file, door.redactor.redact(render_overview(found, (ACTIONS_BOT, opened.writer.author))))
    return str(file)


def _repository(door: Door) -> str:
    """Return the page of the repository on the server that runs the job; empty if the runner names none."""
    server, name = (door.environ.get(key, "") for key in ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY"))
    return f"{server.rstrip('/')}/{name}" if server.startswith(("https://", "http://")) and name else ""
