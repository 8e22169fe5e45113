"""The workflow that other repositories have of Phasebot's: the same text, but for the commit that its steps use."""

import re
from typing import NamedTuple

from bot.history.installation import Source

_OWN = re.compile(r"^( *- uses: )\./(\S*)(?: #[^\n]*)?$", re.MULTILINE)
"""A step that uses an action of this repository."""
_PINNED = re.compile(r"^( *- uses: )([\w.-]+/[\w.-]+)(/[^\s@]+)?@([^\s@]+)(?: #[^\n]*)?$", re.MULTILINE | re.ASCII)


def pin(workflow: str, source: Source, comment: str = "") -> str:
    """Return *workflow* with the commit *source* where it uses the actions of its own repository."""

    def pinned(match: re.Match[str]) -> str:
        path = f"/{match[2]}" if match[2] else ""
        return f"{match[1]}{source.repository}{path}@{source.commit}{comment}"

    return _OWN.sub(pinned, workflow)


class Pins(NamedTuple):
    """What a workflow is without its pins, and which they are."""

    text: str
    """With the actions of its own repository, as Phasebot's workflow has them."""
    sources: frozenset[str]
    """``owner/name@ref``."""


def read_pins(workflow: str) -> Pins:
    """Take the pins of Phasebot's actions out of *workflow*."""
    found: set[str] = set()

    def own(match: re.Match[str]) -> str:
        if match[2].startswith("actions/"):
            return match[0]
        found.add(f"{match[2]}@{match[4]}")
        return f"{match[1]}./{(match[3] or '').removeprefix('/')}"

    text = _PINNED.sub(own, workflow)
    return Pins(_OWN.sub(r"\1./\2", text), frozenset(found))
