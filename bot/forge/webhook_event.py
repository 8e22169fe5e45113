"""Reads a GitHub event: the command that a person gave, or the reason why the event holds none.

A command is a new comment, the input of a workflow that was started, or a box that was ticked in our own comment.

A payload is hostile: strangers wrote half of it, and emulators and older servers leave fields out.  Whatever can't be a
command is ignored with a reason for the log; no payload makes this raise.  It imports little: most comments are chat.
"""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from zlib import crc32

from bot.forge.box_edit import read_ticks, run_of
from bot.forge.comment_command import Command, InvalidCommand, parse_command
from bot.text import is_printable, shown

MARKER = "<!-- phasebot:"
"""Every comment of ours begins with this; a text that begins with it is never a command."""

BOT = "[bot]"
"""The ending of an app's login."""
ACTIONS = "github-actions[bot]"
"""The login of a job's own token; only workflows of the repository have it."""
_LOGIN = re.compile(r"[A-Za-z0-9_-]{1,100}")
_BRANCH = re.compile(r"[^\s-]\S{0,254}")
_NUMBER = re.compile(r"[1-9][0-9]{0,17}")
_MAX_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Tick:
    """A box that was ticked in a progress comment."""

    comment: int
    author: str
    """Who wrote the comment; it counts only if that is ourselves."""
    run: str
    """The run whose progress comment it says to be."""
    id: str
    """Digits, the same for the same edit of the comment, and for no other; longer than any id of a comment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandEvent:
    """A command as it was given.  It is not known yet whether the person may give it."""

    command: Command | InvalidCommand
    number: int
    """Of the issue or pull request."""
    login: str
    """The person for whom the command runs."""
    vouching: tuple[str, ...]
    """Logins that must all have write access; if there is none, the command is refused."""
    default_branch: str
    is_pull_request: bool | None = None
    """None for dispatch events; title, body and is_open then keep their defaults."""
    title: str = ""
    body: str = ""
    """The text of the issue or pull request."""
    is_open: bool = True
    continues: bool = False
    """Whether an earlier job started this one to continue its run."""
    started_by: str = ""
    """Who started the workflow in the name of *login*; empty if that is *login*.  Only we ourselves may do that."""
    comment: int | None = None
    """The comment's id; None for dispatch events."""
    in_review: bool = False
    """Whether the comment is on a line of a diff: GitHub numbers those apart from other comments."""
    path: str | None = None
    """The file that a review comment is on."""
    tick: Tick | None = None
    """Set if the command is a box that was ticked; *comment* is None then."""

    @property
    def request_id(self) -> str | None:
        """What tells this command from every other one on a comment; None for dispatch events."""
        return self.tick.id if self.tick else str(self.comment) if self.comment else None


@dataclass(frozen=True, slots=True)
class Ignored:
    """An event that holds no command."""

    reason: str
    """One printable sentence for the log."""


class _Unfit(Exception):
    """The payload holds no command; the text is the reason."""


def read_event(name: str, content: bytes) -> CommandEvent | Ignored:
    """Read the event *name* (``GITHUB_EVENT_NAME``) from the *content* of the file at ``GITHUB_EVENT_PATH``."""
    try:
        payload = json.loads(content)
    except (ValueError, RecursionError) as exc:
        return Ignored(f"the event file is not JSON ({type(exc).__name__})")
    try:
        if name == "workflow_dispatch":
            return _dispatch(payload)
        if name in {"issue_comment", "pull_request_review_comment"}:
            return _comment(payload, in_review=name == "pull_request_review_comment")
    except _Unfit as exc:
        return Ignored(str(exc))
    return Ignored(f"events of the kind {shown(name)} hold no command")


def _comment(payload: object, *, in_review: bool) -> CommandEvent:
    action = _at(payload, "action")
    if action == "edited" and not in_review and run_of(_text(payload, "comment.body")):
        return _ticked(payload)
    if action != "created":
        raise _Unfit(f"only a new comment can be a command; this one was {_named(action)}")
    author = _author(payload)
    text = _text(payload, "comment.body")
    if text.lstrip().startswith(MARKER):
        raise _Unfit("the comment is one of our own")
    about, pull = ("pull_request", "pull_request") if in_review else ("issue", "issue.pull_request")
    return CommandEvent(
        command=_command(text, in_review=in_review),
        number=_positive(payload, f"{about}.number"),
        login=author,
        vouching=(author,),
        default_branch=_branch(payload),
        is_pull_request=isinstance(_at(payload, pull), dict),
        title=_text(payload, f"{about}.title"),
        body=_text(payload, f"{about}.body"),
        is_open=_at(payload, f"{about}.state") == "open",
        comment=_positive(payload, "comment.id"),
        in_review=in_review,
        path=_text(payload, "comment.path") or None if in_review else None,
    )


def _command(text: str, *, in_review: bool = False) -> Command | InvalidCommand:
    command = parse_command(text, in_review=in_review)
    if command is None:
        raise _Unfit("the text is not a command")
    return command


def _author(payload: object) -> str:
    """Return the login of the person who wrote the comment and sent the event; these must be the same."""
    if not isinstance(_at(payload, "comment.user"), dict):
        raise _Unfit("the comment's author is not a user any more")
    login = _at(payload, "comment.user.login")
    if _at(payload, "comment.user.type") != "User" or (isinstance(login, str) and login.endswith(BOT)):
        raise _Unfit(f"the comment's author {_named(login)} is not a person")
    if _at(payload, "comment.performed_via_github_app") is not None:
        raise _Unfit("the comment was written by an app in a person's name")
    if not isinstance(login, str) or not _LOGIN.fullmatch(login):
        raise _Unfit(f"the comment's author {_named(login)} is not a login")
    if (sender := _at(payload, "sender.login")) != login:
        raise _Unfit(f"the comment is by {_named(login)} and was sent by {_named(sender)}")
    return login


def _ticked(payload: object) -> CommandEvent:
    """Read an edit of a progress comment; it is not known yet whether the comment is ours."""
    old, new = _text(payload, "changes.body.from"), _text(payload, "comment.body")
    author, sender = _at(payload, "comment.user.login"), _at(payload, "sender.login")
    if _at(payload, "comment.user.type") != "Bot" or not isinstance(author, str):
        raise _Unfit(f"the edited comment is by {_named(author)}, which is not a bot")
    if _at(payload, "sender.type") != "User" or not isinstance(sender, str) or not _LOGIN.fullmatch(sender):
        raise _Unfit(f"the comment was edited by {_named(sender)}, which is not a person")
    command = read_ticks(old, new) if run_of(old) == run_of(new) else None
    if command is None:
        raise _Unfit("no box of the progress comment was ticked")
    comment = _positive(payload, "comment.id")
    return CommandEvent(
        command=command,
        number=_positive(payload, "issue.number"),
        login=sender,
        vouching=(sender,),
        default_branch=_branch(payload),
        is_pull_request=isinstance(_at(payload, "issue.pull_request"), dict),
        title=_text(payload, "issue.title"),
        body=_text(payload, "issue.body"),
        is_open=_at(payload, "issue.state") == "open",
        tick=Tick(comment, author, run_of(new), _edit_id(comment, _text(payload, "comment.updated_at"), command)),
    )


def _edit_id(comment: int, updated_at: str, command: Command | InvalidCommand) -> str:
    """Return digits for one edit; GitHub tells only its second, so what was ticked in that second is part of them."""
    try:
        seconds = int(datetime.fromisoformat(updated_at).timestamp())
    except (ValueError, OverflowError, OSError):
        raise _Unfit(f"comment.updated_at {shown(updated_at)} is not a time") from None
    return f"{comment}{max(0, seconds):011}{crc32(repr(command).encode('utf-8', 'replace')):010}"


def _dispatch(payload: object) -> CommandEvent:
    text = _text(payload, "inputs.command").strip()
    if not text.startswith("/"):
        raise _Unfit(f"the input 'command' is {shown(text)}; write a command such as /generate")
    login = _text(payload, "inputs.login").strip().removeprefix("@")
    if login and not _LOGIN.fullmatch(login):
        raise _Unfit(f"the input 'login' is {shown(login)}, which is not a person's login")
    actor = _at(payload, "sender.login")
    if not isinstance(actor, str) or not _LOGIN.fullmatch(actor.removesuffix(BOT)):
        raise _Unfit(f"the sender {_named(actor)} is not a login")
    login = actor if login.lower() == actor.lower() else login
    return CommandEvent(
        command=_command(text),
        number=_input_number(payload),
        login=login or actor,
        # Whoever may start the workflow can write any login there, so the person who started it has to vouch, too.
        vouching=tuple(each for each in (actor, login) if each and not each.endswith(BOT)),
        default_branch=_branch(payload),
        continues=bool(login),
        started_by=actor if login not in ("", actor) else "",
    )


def _input_number(payload: object) -> int:
    """Return the issue that the inputs name: forms send text, and people write ``#12`` there."""
    value = _at(payload, "inputs.issue")
    if not isinstance(value, str):
        return _positive(payload, "inputs.issue")
    if not _NUMBER.fullmatch(number := value.strip().removeprefix("#")):
        raise _Unfit(f"the input 'issue' is {shown(value)}; write the number of an issue or pull request")
    return int(number)


# Fields: each is checked before it is used


def _at(payload: object, place: str) -> object:
    """Return the value at *place* (``comment.user.login``); None where there is none."""
    for key in place.split("."):
        if not isinstance(payload, dict):
            return None
        payload = payload.get(key)
    return payload


def _named(value: object) -> str:
    return shown(value) if isinstance(value, str) else f"(of type {type(value).__name__})"


def _text(payload: object, place: str) -> str:
    """Return the text at *place*, empty where there is none."""
    value = _at(payload, place)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _Unfit(f"{place} {_named(value)} is not text")
    return value


def _positive(payload: object, place: str) -> int:
    value = _at(payload, place)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= _MAX_ID:
        raise _Unfit(f"{place} {_named(value)} is not a number above 0")
    return value


def _branch(payload: object) -> str:
    value = _at(payload, "repository.default_branch")
    if not isinstance(value, str) or not _BRANCH.fullmatch(value) or not is_printable(value):
        raise _Unfit(f"repository.default_branch {_named(value)} is not a branch name")
    return value
