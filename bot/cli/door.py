"""What only the entry point may touch, and hands to the commands."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.engine.snapshot import Announcer
    from bot.redaction import Redactor


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Environment, clock and streams, which only the entry point may touch."""

    environ: Mapping[str, str]
    """As the process was started with it, secrets included; no child inherits those."""
    in_job: bool
    """Whether this is a job of GitHub Actions, which executes commands that it finds in what is printed."""
    redactor: "Redactor"
    """Knows the keys of the environment."""
    log: Callable[[str], None]
    """Print a line of progress, or an error."""
    tell_runner: Callable[[str], None]
    """Print a line that may be a command for GitHub Actions."""
    announcer: Callable[[], "AbstractContextManager[Announcer]"]
    timer: Callable[[], float]
    now: Callable[[], datetime]
    stdin: Callable[[], bytes]
