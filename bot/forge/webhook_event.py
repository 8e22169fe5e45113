"""What GitHub says has happened → a comment, a dispatch, or why it is neither.

A payload is hostile: people wrote half of it, and emulators and older servers leave fields out.  Whatever can't be
a command is ignored with a reason for the log, and no payload at all makes this raise.
"""

import re
from dataclasses import dataclass

from bot.text import is_printable, shown, unix_newlines

MARKER = "<!-- phasebot:"
"""What each of our own comments begins with; a text that begins so is never a command."""

_LOGIN = re.compile(r"[A-Za-z0-9_-]{1,100}")
BOT = "[bot]"
"""What the login of an app ends with."""
_REPOSITORY = re.compile(r"[A-Za-z0-9_-]{1,100}/(?!\.{1,2}\Z)[A-Za-z0-9._-]{1,100}")
_BRANCH = re.compile(r"[^\s-]\S{0,254}")
_NUMBER = re.compile(r"[1-9][0-9]{0,17}")
_MAX_ID = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """A person's new comment on an issue, on a pull request, or on a line of one."""

    repository: str
    """``owner/name``."""
    default_branch: str
    number: int
    """Of the issue or pull request."""
    is_pull_request: bool
    title: str
    body: str
    """The issue's or pull request's own text."""
    is_open: bool
    is_locked: bool
    is_merged: bool
    comment_id: int
    text: str
    """The comment, its lines ended by ``\\n``."""
    author: str
    """A login, not yet known to be allowed anything."""
    in_review: bool = False
    """Whether it stands on a line of a diff: its id is then of another kind, with its own reactions and answers."""
    path: str | None = None
    """The file it stands on, in review."""
    in_reply_to: int | None = None
    """The comment that began its thread, in review."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatch:
    """A command from the *Run workflow* form, the API, or a run that continues itself."""

    repository: str
    default_branch: str
    number: int
    command: str
    """As in a comment; begins with ``/``."""
    actor: str
    """Who started the workflow; ``github-actions[bot]`` when a run continues itself."""
    on_behalf_of: str
    """The login that the inputs name, empty for none.  Whoever may start the workflow can write any name there."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """An event that carries no command."""

    reason: str
    """One printable sentence for the log."""


class _Unfit(Exception):
    """The payload is no command; its text is the reason."""


def read_event(name: str, payload: object) -> Comment | Dispatch | Ignored:
    """Read an event from ``GITHUB_EVENT_NAME`` and the parsed file at ``GITHUB_EVENT_PATH``."""
    try:
        if name == "workflow_dispatch":
            return _dispatch(payload)
        if name in {"issue_comment", "pull_request_review_comment"}:
            return _comment(payload, in_review=name == "pull_request_review_comment")
    except _Unfit as exc:
        return Ignored(str(exc))
    return Ignored(f"an event {shown(name)} carries no command")


def _comment(payload: object, *, in_review: bool) -> Comment:
    if (action := _at(payload, "action")) != "created":
        raise _Unfit(f"only a new comment is a command; this one was {_named(action)}")
    author = _author(payload)
    text = unix_newlines(_text(payload, "comment.body"))
    if text.lstrip().startswith(MARKER):
        raise _Unfit("the comment is one of our own")
    about, pull = ("pull_request", "pull_request") if in_review else ("issue", "issue.pull_request")
    is_reply = in_review and _at(payload, "comment.in_reply_to_id") is not None
    return Comment(
        repository=_repository(payload),
        default_branch=_branch(payload),
        number=_positive(payload, f"{about}.number"),
        is_pull_request=isinstance(_at(payload, pull), dict),
        title=_text(payload, f"{about}.title"),
        body=_text(payload, f"{about}.body"),
        is_open=_at(payload, f"{about}.state") == "open",
        is_locked=_at(payload, f"{about}.locked") is True,
        is_merged=_at(payload, f"{pull}.merged_at") is not None,
        comment_id=_positive(payload, "comment.id"),
        text=text,
        author=author,
        in_review=in_review,
        path=_text(payload, "comment.path") or None if in_review else None,
        in_reply_to=_positive(payload, "comment.in_reply_to_id") if is_reply else None,
    )


def _author(payload: object) -> str:
    """Return the login of the person who wrote the comment and, which is not the same, sent the event."""
    if not isinstance(_at(payload, "comment.user"), dict):
        raise _Unfit("the comment's author is no user any more")
    login = _at(payload, "comment.user.login")
    if _at(payload, "comment.user.type") != "User" or (isinstance(login, str) and login.endswith(BOT)):
        raise _Unfit(f"the comment's author {_named(login)} is no person")
    if _at(payload, "comment.performed_via_github_app") is not None:
        raise _Unfit("the comment was written by an app in a person's name")
    if not isinstance(login, str) or not _LOGIN.fullmatch(login):
        raise _Unfit(f"the comment's author {_named(login)} is no login")
    if (sender := _at(payload, "sender.login")) != login:
        raise _Unfit(f"the comment is by {_named(login)} and was sent by {_named(sender)}")
    return login


def _dispatch(payload: object) -> Dispatch:
    command = unix_newlines(_text(payload, "inputs.command")).strip()
    if not command.startswith("/"):
        raise _Unfit(f"the input 'command' is {shown(command)}; write a command such as /generate")
    login = _text(payload, "inputs.login").strip().removeprefix("@")
    if login and not _LOGIN.fullmatch(login):
        raise _Unfit(f"the input 'login' is {shown(login)}, which is no person's login")
    actor = _at(payload, "sender.login")
    if not isinstance(actor, str) or not _LOGIN.fullmatch(actor.removesuffix(BOT)):
        raise _Unfit(f"the sender {_named(actor)} is no login")
    return Dispatch(
        repository=_repository(payload),
        default_branch=_branch(payload),
        number=_input_number(payload),
        command=command,
        actor=actor,
        on_behalf_of=login,
    )


def _input_number(payload: object) -> int:
    """Return the issue that the inputs name: a form's are texts, and people write ``#12`` there."""
    value = _at(payload, "inputs.issue")
    if not isinstance(value, str):
        return _positive(payload, "inputs.issue")
    if not _NUMBER.fullmatch(number := value.strip().removeprefix("#")):
        raise _Unfit(f"the input 'issue' is {shown(value)}; write the number of an issue or pull request")
    return int(number)


# ---- fields: each is looked at before it is believed


def _at(payload: object, place: str) -> object:
    """Return what lies at *place* (``comment.user.login``), None where there is nothing."""
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
        raise _Unfit(f"{place} {_named(value)} is no text")
    return value


def _positive(payload: object, place: str) -> int:
    value = _at(payload, place)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= _MAX_ID:
        raise _Unfit(f"{place} {_named(value)} is no number above 0")
    return value


def _repository(payload: object) -> str:
    value = _at(payload, "repository.full_name")
    if not isinstance(value, str) or not _REPOSITORY.fullmatch(value):
        raise _Unfit(f"repository.full_name {_named(value)} is no repository")
    return value


def _branch(payload: object) -> str:
    value = _at(payload, "repository.default_branch")
    if not isinstance(value, str) or not _BRANCH.fullmatch(value) or not is_printable(value):
        raise _Unfit(f"repository.default_branch {_named(value)} is no branch")
    return value
