"""The forge client protocol, and the values that it returns."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

Reaction = Literal["eyes", "rocket", "confused", "+1"]
StatusState = Literal["success", "failure", "error"]

WRITING = ("admin", "maintain", "write")
"""The permissions with which a person may give commands."""
VALID_SETTINGS = re.compile(r"[!-~]+ [\w.-]+/[\w.-]+ https?://[\w.-]+(:\d{1,5})?(/[\w./-]*)?", re.ASCII)
"""Token, repository and address of the API of a client, separated by blanks."""


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request."""

    number: int
    url: str
    node_id: str
    head: str
    """The name of its branch, without ``refs/heads/``."""
    is_open: bool
    is_merged: bool
    is_draft: bool
    is_fork: bool
    """Whether the head is in another repository, or in a deleted one."""


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue, or a pull request seen as an issue."""

    number: int
    title: str
    body: str
    """Empty if there is none; lines end with a line feed."""
    is_pull_request: bool
    is_open: bool


@dataclass(frozen=True, slots=True)
class ReviewComment:
    """A comment on a line of a pull request's diff.  Its ids are separate from those of issue comments."""

    id: int
    author: str
    """Empty if the user's account was deleted."""
    body: str
    """Lines end with a line feed."""
    updated_at: datetime
    """Time-zone aware."""
    in_reply_to: int | None
    """The first comment of the thread, which may be deleted; None if this is the first comment."""


class ForgeClient(Protocol):
    """One repository on a forge.

    Every method may raise :class:`bot.errors.ForgeError`.  It is a :class:`bot.errors.ForgeGoneError` if the target
    does not exist or the token cannot see it.  A retry after a lost reply does not create a second comment, reaction
    or pull request.
    """

    def may_write(self, login: str) -> bool:
        """Return whether *login* has write access: ``admin``, ``maintain`` or ``write``, nothing else."""

    def own_login(self) -> str:
        """Return the login that the token stands for."""

    def react(self, comment: int, reaction: Reaction, *, in_review: bool = False) -> None:
        """Add our reaction to a comment; with *in_review*, to a review comment.  Repeating it changes nothing."""

    def take_back_reaction(self, comment: int, reaction: Reaction, *, in_review: bool = False) -> None:
        """Remove our own reaction, if it exists."""

    def find_comment(self, issue: int, marker: str) -> int | None:
        """Return the id of our own comment that begins with *marker*, searching all pages."""

    def comment(self, issue: int, body: str, *, again: bool = False) -> int:
        """Write a comment and return its id.

        With *again*, it may have been written before: our comment with the same first line is edited instead.
        """

    def edit_comment(self, comment: int, body: str) -> None:
        """Replace a comment's text."""

    def reply(self, pull: int, comment: int, body: str, *, again: bool = False) -> int:
        """Reply in the thread of the review comment *comment*, and return the id of the reply.

        With *again*, our reply with the same first line is edited instead, if there is one.
        """

    def review_thread(self, pull: int, comment: int) -> Sequence[ReviewComment]:
        """Return the thread of the review comment *comment*, oldest first; empty if the comment was deleted."""

    def issue(self, number: int) -> Issue:
        """Return the issue or pull request *number*, as an issue."""

    def pull(self, number: int) -> PullRequest:
        """Return the pull request *number*."""

    def find_pull(self, head: str) -> PullRequest | None:
        """Return the newest pull request of this repository's branch *head*; an open one wins over closed ones."""

    def open_pull(self, *, head: str, base: str, title: str, body: str, draft: bool) -> PullRequest:
        """Open a pull request, or return the one that is already open.

        Raises:
            ForgeRefusedError: The repository's settings do not let this token open one.
        """

    def edit_pull(self, pull: PullRequest, *, title: str | None = None, body: str | None = None) -> None:
        """Replace a pull request's title or description."""

    def mark_ready(self, pull: PullRequest) -> None:
        """Mark a draft as ready for review."""

    def set_status(self, commit: str, context: str, state: StatusState, description: str, url: str) -> None:
        """Set what stands beside *commit* under the name *context*; *description* has at most 140 characters."""

    def dispatch(self, workflow: str, ref: str, inputs: Mapping[str, str]) -> None:
        """Start the workflow file *workflow* on *ref*."""
