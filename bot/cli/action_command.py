"""The command that answers the event of a GitHub Actions job."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli.door import Door
from bot.cli.options import with_inputs
from bot.errors import UsageError

if TYPE_CHECKING:
    from bot.action.handler import CommandHandler
    from bot.action.inputs import ActionInputs


@click.command()
@with_inputs
@click.option("--finish", is_flag=True, help="Only report the state of the run, after a process that was killed.")
@click.pass_obj
def action(door: Door, *, inputs: "Callable[[], ActionInputs]", finish: bool) -> None:
    """Answer the event of a GitHub Actions job; action.yml runs this."""
    from bot.forge import workflow_commands
    from bot.forge.webhook_event import Ignored, read_event

    event = read_event(door.environ.get("GITHUB_EVENT_NAME", ""), _event_content(door))
    if isinstance(event, Ignored):
        door.log(f"nothing to do: {event.reason}")
        outputs, summary, code = {"status": "ignored"}, "", 0
    else:
        result = _command_handler(door, inputs()).handle(event, finish=finish)
        outputs, summary, code = dict(result.outputs), result.summary, result.exit_code
    if path := door.environ.get("GITHUB_OUTPUT"):
        workflow_commands.write_outputs(
            Path(path), {name: door.redactor.redact(value) for name, value in outputs.items()}
        )
    if summary and (path := door.environ.get("GITHUB_STEP_SUMMARY")):
        workflow_commands.write_summary(Path(path), door.redactor.redact(summary))
    sys.exit(code)


def _event_content(door: Door) -> bytes:
    path = door.environ.get("GITHUB_EVENT_PATH", "")
    try:
        return Path(path).read_bytes()
    except OSError as exc:
        raise UsageError(
            f"reading the event at GITHUB_EVENT_PATH ({path or 'not set'}): {exc.strerror}; run this in GitHub Actions"
        ) from exc


def _command_handler(door: Door, inputs: "ActionInputs") -> "CommandHandler":
    """Build the handler, and keep its secrets out of the log."""
    from bot.action.handler import CommandHandler
    from bot.cli.progress import PlainAnnouncer
    from bot.forge import workflow_commands
    from bot.forge.github_client import GitHubClient
    from bot.settings import read_actions_settings

    settings, key = read_actions_settings(door.environ), inputs.provider.gemini.key
    token = settings.token.get_secret_value()
    secrets = [token, *([key.get_secret_value()] if key else [])]
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
        inputs=inputs,
        forge=GitHubClient(token, repository=settings.repository, api_url=settings.api_url, secrets=secrets),
        announcer=PlainAnnouncer(door.log),
        print_line=door.tell_runner,
        timer=door.timer,
        now=door.now,
    )
