"""The command that answers the event of a GitHub Actions job."""

import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli.door import Door
from bot.cli.help import examples
from bot.cli.input_options import with_inputs
from bot.errors import UsageError

if TYPE_CHECKING:
    from bot.action.handler import CommandHandler
    from bot.action.inputs import GivenInputs

_OID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@click.command(epilog=examples("action --finish"))
@with_inputs
@click.option("--run", metavar="NAME", help="The run to verify, or to report on.")
@click.option("--head", metavar="COMMIT", help="The commit to verify, or to report on instead of answering the event.")
@click.option("--report", default="", help="What the job that verified hands over.")
@click.option("--finish", is_flag=True, help="Only report the state of the run, after a process that was killed.")
@click.option("--verify", is_flag=True, help="Only verify the commit, without a token.")
@click.option("--write-page", is_flag=True, help="Only write the page of the run, without a token.")
@click.pass_obj
def action(  # noqa: PLR0913  # one for each option
    door: Door,
    *,
    inputs: "Callable[[], GivenInputs]",
    run: str | None,
    head: str | None,
    report: str,
    finish: bool,
    verify: bool,
    write_page: bool,
) -> None:
    """Answer the event of a GitHub Actions job; action.yml runs this."""
    from bot.forge.webhook_event import Ignored, read_event

    event = read_event(door.environ.get("GITHUB_EVENT_NAME", ""), _event_content(door))
    if isinstance(event, Ignored):
        door.log(f"nothing to do: {event.reason}")
        _write(door, {"status": "ignored"})
        return
    if write_page:
        from bot.cli import action_page

        _write(door, {"page": action_page.write_page(door, inputs(), run, event.default_branch)})
        return
    if verify:
        run, head = _commit_of(run, head)
        _write(door, {"report": _verify(door, inputs(), run, head, event.default_branch)})
        return
    handler = _command_handler(door, inputs())
    if head:
        run, head = _commit_of(run, head)
        result = handler.report(event, run, head, report)
        if result.message:
            door.log(result.message)
    else:
        result = handler.handle(event, finish=finish)
    _write(door, result.outputs, result.summary)
    sys.exit(result.exit_code)


def _commit_of(run: str | None, head: str | None) -> tuple[str, str]:
    """Return run and commit, as the job that made the commit names them."""
    if not run or not head or not _OID.fullmatch(head):
        raise UsageError(
            "reading the inputs run and head: they are no run and no full id of a commit; hand on the outputs "
            "'run' and 'head' of the job that generated"
        )
    return run, head


def _write(door: Door, outputs: Mapping[str, str], summary: str = "") -> None:
    """Write the outputs of the step, and its summary."""
    from bot.forge import workflow_commands

    if path := door.environ.get("GITHUB_OUTPUT"):
        workflow_commands.write_outputs(
            Path(path), {name: door.redactor.redact(value) for name, value in outputs.items()}
        )
    if summary and (path := door.environ.get("GITHUB_STEP_SUMMARY")):
        workflow_commands.write_summary(Path(path), door.redactor.redact(summary))


def _verify(door: Door, given: "GivenInputs", run: str, head: str, default_branch: str) -> str:
    """Verify a commit, and return what is handed over; nothing if there is nothing to verify."""
    from bot.action.open_run import read_configuration
    from bot.action.verify_job import VerifyJob
    from bot.cli.verify_command import as_text
    from bot.engine.verification import NothingToVerifyError
    from bot.sandbox.worker import shared_worker
    from bot.verification.handover import format_handover
    from bot.verification.verify import Surroundings

    workspace = Path(door.environ.get("GITHUB_WORKSPACE", ""))
    configured = read_configuration(workspace, given.base_branch, default_branch, credentials=None)
    job = VerifyJob(
        workspace=workspace,
        inputs=given.complete(configured),
        run=run,
        head=head,
        default_branch=default_branch,
        around=Surroundings(
            environ=door.environ,
            private=list(filter(None, [door.environ.get("RUNNER_TEMP")])),  # has the file that outputs are written to
            tell=door.log,
            work=shared_worker().run,
        ),
        now=door.now,
    )
    try:
        found = job.work()
    except NothingToVerifyError as exc:
        door.log(f"nothing to do: {exc}")
        return ""
    door.log(as_text(found))
    return format_handover(found.record)


def _event_content(door: Door) -> bytes:
    path = door.environ.get("GITHUB_EVENT_PATH", "")
    try:
        return Path(path).read_bytes()
    except OSError as exc:
        raise UsageError(
            f"reading the event at GITHUB_EVENT_PATH ({path or 'not set'}): {exc.strerror}; run this in GitHub Actions"
        ) from exc


def _command_handler(door: Door, given: "GivenInputs") -> "CommandHandler":
    """Build the handler, and keep its secrets out of the log."""
    from bot.action.handler import CommandHandler
    from bot.cli.progress import PlainAnnouncer
    from bot.forge import workflow_commands
    from bot.forge.github_client import GitHubClient
    from bot.settings import KEY, read_actions_settings

    settings, key = read_actions_settings(door.environ), door.environ.get(KEY, "").strip()
    token = settings.token.get_secret_value()
    secrets = [token, *([key] if key else [])]
    for secret in secrets:
        try:
            mask = workflow_commands.mask(secret)
        except UsageError as exc:  # too short for a secret: masking it would hide ordinary words
            door.log(f"note: {exc}")
        else:
            if door.in_job:
                door.tell_runner(mask)
    return CommandHandler(
        settings=settings,
        given=given,
        forge=GitHubClient(token, repository=settings.repository, api_url=settings.api_url, secrets=secrets),
        announcer=PlainAnnouncer(door.log),
        print_line=door.tell_runner,
        timer=door.timer,
        now=door.now,
    )
