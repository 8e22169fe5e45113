"""What is asked of a forge: values only, and the protocol of who carries them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

Reaction = Literal["eyes", "rocket", "confused", "+1"]


@dataclass(frozen=True, slots=True)
class Pull:
    """A pull request."""

    number: int
    url: str
    node_id: str
    head: str
    """Its branch's name, without ``refs/heads/``."""
    base: str
    is_open: bool
    is_merged: bool
    is_draft: bool
    is_fork: bool
    """Whether the head lies in another repository, or in one that is gone."""


class Forge(Protocol):
    """One repository on a forge.  Every method may raise :class:`bot.errors.ForgeError`; creating twice makes one."""

    def may_write(self, login: str) -> bool:
        """Whether *login* has write access: ``admin``, ``maintain`` or ``write``, and nothing else."""

    def react(self, comment: int, reaction: Reaction) -> None:
        """Put our reaction on a comment; once is enough."""

    def take_back_reaction(self, comment: int, reaction: Reaction) -> None:
        """Remove our own reaction, if there."""

    def find_comment(self, issue: int, marker: str) -> int | None:
        """Return our own comment that begins with *marker*, over all pages; other people's don't count."""

    def comment(self, issue: int, body: str) -> int:
        """Write a comment and return its id."""

    def edit_comment(self, comment: int, body: str) -> None:
        """Replace a comment's text."""

    def pull(self, number: int) -> Pull:
        """Return the pull request *number*."""

    def find_pull(self, head: str) -> Pull | None:
        """Return the newest pull request of this repository's branch *head*, an open one before closed ones."""

    def open_pull(self, *, head: str, base: str, title: str, body: str, draft: bool) -> Pull:
        """Open a pull request, or return the open one that there is.

        Raises:
            ForgeRefusedError: The repository's settings don't let this token open one.
        """

    def edit_pull(self, pull: Pull, *, title: str | None = None, body: str | None = None) -> None:
        """Replace a pull request's title or text."""

    def mark_ready(self, pull: Pull) -> None:
        """Make a draft ready for review."""

    def dispatch(self, workflow: str, ref: str, inputs: Mapping[str, str]) -> None:
        """Start the workflow file *workflow* on *ref*."""
