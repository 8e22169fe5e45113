"""From an event's bytes to what a person asked for.  Pure, and light: most events ask for nothing."""

import json
from dataclasses import dataclass

from bot.forge.comment_command import Command, InvalidCommand, parse_command
from bot.forge.webhook_event import BOT, Dispatch, Ignored, read_event


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandEvent:
    """A command, and where and by whom it was given; nobody is known to be allowed anything yet."""

    command: Command | InvalidCommand
    number: int
    """Of the issue or pull request."""
    is_pull_request: bool | None
    """None where the event does not tell; so is what follows."""
    title: str = ""
    body: str = ""
    is_open: bool = True
    default_branch: str
    login: str
    """On whose behalf."""
    vouching: tuple[str, ...]
    """Logins that must all be allowed to give a command; with none of them nobody is."""
    continues: bool = False
    """Whether it was given by a job that goes on in another one."""
    comment: int | None = None
    """The comment's id, if it was one."""
    in_review: bool = False
    """Whether the comment stands on a line of a diff."""
    path: str | None = None
    """The file it stands on, in review."""


def read_command_event(name: str, content: bytes) -> CommandEvent | Ignored:
    """Read the event *name* from the file's *content*; whatever can't be a command is ignored, with a reason."""
    try:
        payload = json.loads(content)
    except (ValueError, RecursionError) as exc:
        return Ignored(f"the event's file is no JSON ({type(exc).__name__})")
    event = read_event(name, payload)
    if isinstance(event, Ignored):
        return event
    if isinstance(event, Dispatch):
        command = parse_command(event.command)
    else:
        command = parse_command(event.text, in_review=event.in_review)
    if command is None:
        return Ignored("the text is not a command")
    if isinstance(event, Dispatch):
        people = (event.actor, event.on_behalf_of)
        return CommandEvent(
            command=command,
            number=event.number,
            is_pull_request=None,
            default_branch=event.default_branch,
            login=event.on_behalf_of or event.actor,
            vouching=tuple(login for login in people if login and not login.endswith(BOT)),
            continues=bool(event.on_behalf_of),
        )
    return CommandEvent(
        command=command,
        number=event.number,
        is_pull_request=event.is_pull_request,
        title=event.title,
        body=event.body,
        is_open=event.is_open,
        default_branch=event.default_branch,
        login=event.author,
        vouching=(event.author,),
        comment=event.comment_id,
        in_review=event.in_review,
        path=event.path,
    )
