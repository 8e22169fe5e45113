"""Who may have a command run."""

from bot.errors import ForgeError
from bot.forge.client import ForgeClient
from bot.forge.webhook_event import ACTIONS, CommandEvent


def access_problem(event: CommandEvent, forge: ForgeClient) -> str | None:
    """Return why the command is refused; None if everybody responsible for it has write access."""
    if not event.vouching:
        return f"{event.login} is not a person, and does not name the person who requested the command"
    try:
        if event.started_by and not _is_us(event.started_by, forge):
            return (
                f"{event.started_by} started the workflow in the name of {event.login}, and only Phasebot itself "
                "may do that, to continue a run; start it again with the input login left empty"
            )
        if event.tick and event.tick.author.lower() != forge.own_login():
            return f"the comment with the box is by {event.tick.author}, and not by Phasebot"
        for login in event.vouching:
            if not forge.may_write(login):
                return f"{login} has no write access to this repository; ask somebody with write access to comment"
    except ForgeError as exc:
        return f"checking whether {event.login} has write access to this repository failed: {exc}"
    return None


def _is_us(login: str, forge: ForgeClient) -> bool:
    """Whether our own token stands for *login*, or that is the account of the repository's jobs."""
    return login.lower() == ACTIONS or login.lower() == forge.own_login()
