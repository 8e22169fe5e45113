"""What is asked of a forge: values only, and the protocol of who carries them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

Reaction = Literal["eyes", "rocket", "confused", "+1"]


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request."""

    number: int
    url: str
    node_id: str
    head: str
    """Its branch's name, without ``refs/heads/``."""
    is_open: bool
    is_merged: bool
    is_draft: bool
    is_fork: bool
    """Whether the head lies in another repository, or in one that is gone."""


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue, or the side of a pull request that is one."""

    number: int
    title: str
    body: str
    """Empty if there is none; its lines end with a line feed, as on Unix."""
    is_pull_request: bool
    is_open: bool


@dataclass(frozen=True, slots=True)
class ReviewComment:
    """A comment on a line of a pull request's diff; its id is of another kind than those of other comments."""

    id: int
    author: str
    """Empty if that user is gone."""
    body: str
    """Its lines end with a line feed, as on Unix."""
    updated_at: datetime
    """With its time zone."""
    in_reply_to: int | None
    """The first comment of its thread, which may be gone; None if it is the first itself."""


class ForgeClient(Protocol):
    """One repository on a forge.  Every method may raise :class:`bot.errors.ForgeError`; creating twice makes one.

    What is not there, or not for this token to see, is a :class:`bot.errors.ForgeGoneError`.
    """

    def may_write(self, login: str) -> bool:
        """Whether *login* has write access: ``admin``, ``maintain`` or ``write``, and nothing else."""

    def react(self, comment: int, reaction: Reaction, *, in_review: bool = False) -> None:
        """Put our reaction on a comment, *in_review* on a line of a diff; once is enough."""

    def take_back_reaction(self, comment: int, reaction: Reaction, *, in_review: bool = False) -> None:
        """Remove our own reaction, if there."""

    def find_comment(self, issue: int, marker: str) -> int | None:
        """Return our own comment that begins with *marker*, over all pages; other people's don't count."""

    def comment(self, issue: int, body: str) -> int:
        """Write a comment and return its id."""

    def edit_comment(self, comment: int, body: str) -> None:
        """Replace a comment's text."""

    def reply(self, pull: int, comment: int, body: str) -> int:
        """Answer in the thread that the review comment *comment* is of, and return the answer's id."""

    def review_thread(self, pull: int, comment: int) -> Sequence[ReviewComment]:
        """Return the whole thread that the review comment *comment* is of, oldest first; nothing if it is gone."""

    def issue(self, number: int) -> Issue:
        """Return the issue or pull request *number*, as an issue."""

    def pull(self, number: int) -> PullRequest:
        """Return the pull request *number*."""

    def find_pull(self, head: str) -> PullRequest | None:
        """Return the newest pull request of this repository's branch *head*, an open one before closed ones."""

    def open_pull(self, *, head: str, base: str, title: str, body: str, draft: bool) -> PullRequest:
        """Open a pull request, or return the open one that there is.

        Raises:
            ForgeRefusedError: The repository's settings don't let this token open one.
        """

    def edit_pull(self, pull: PullRequest, *, title: str | None = None, body: str | None = None) -> None:
        """Replace a pull request's title or text."""

    def mark_ready(self, pull: PullRequest) -> None:
        """Make a draft ready for review."""

    def dispatch(self, workflow: str, ref: str, inputs: Mapping[str, str]) -> None:
        """Start the workflow file *workflow* on *ref*."""
