"""React to a command with 👀 before Phasebot is installed, and with 😕 if it can't be.

It runs on any Python of the runner, so this module and all that it imports need nothing but the standard library.
"""

import json
from typing import Protocol

from bot.errors import ForgeError
from bot.forge.client import Reaction
from bot.forge.webhook_event import Ignored, read_event


class Forge(Protocol):
    """What is asked of the forge, as :class:`bot.forge.client.ForgeClient` does it."""

    def may_write(self, login: str) -> bool: ...

    def react(self, comment: int, reaction: Reaction, *, in_review: bool = False) -> None: ...


def react_first(name: str, content: bytes, forge: Forge, reaction: Reaction = "eyes") -> str:
    """Add *reaction* to the event *name*, if it is a new comment with a command of a person with write access.

    Everything else gets no reaction here, and no answer: Phasebot itself reads the event later.

    Returns:
        A sentence for the log.
    """
    event = read_event(name, content)
    if isinstance(event, Ignored):
        return f"no reaction: {event.reason}"
    if event.comment is None or not event.vouching or json.loads(content)["action"] != "created":
        return "no reaction: the event is not a new comment"
    try:
        for login in event.vouching:
            if not forge.may_write(login):
                return f"no reaction: {login} has no write access to this repository"
        forge.react(event.comment, reaction, in_review=event.in_review)
    except ForgeError as exc:
        return f"no reaction yet: {exc}"
    return f"reacted to the command of {event.login}"
