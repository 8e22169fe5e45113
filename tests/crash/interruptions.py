"""The parts of random histories: clones, what a branch holds, and how a process is interrupted."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from bot.errors import PhasebotError
from bot.generation.provider import GenerationRequest, GenerationResult
from bot.generation.templates import TemplateProvider

RUN = "blog"
BRANCH = f"phasebot/{RUN}"
PLAN = ".phasebot/plan.yaml"


class Broken(AssertionError):
    """An invariant does not hold."""


class Killed(BaseException):
    """The process that asked git for this is dead."""


@dataclass
class Mishap:
    """What happens at the n-th write of a process, before or after it."""

    at: int
    before: bool
    act: Callable[[], None] | None
    """None kills the process."""


class Facts(NamedTuple):
    """What a commit has behind it, as far as the invariants speak of it."""

    oid: str
    commits: tuple[str, ...]
    """Oids of the first-parent history, newest first."""
    people: tuple[str, ...]
    """Subjects of people's commits; each is unique."""
    answers: tuple[str, ...]
    """The id of a comment, and what a commit did for it: a phase is made once more after something was taken back."""
    markers: frozenset[tuple[str, str]]
    """Path and line that a person wrote."""


NOTHING = Facts("", (), (), (), frozenset())


class Author:
    """Renders templates, and like a model never writes the same twice."""

    def __init__(self, edition: int | None) -> None:
        """Name an *edition*; None keeps to the templates, as what is found squashed is held against them."""
        self._edition = edition
        self.name = "template" if edition is None else "gemini"

    async def generate(self, request: GenerationRequest) -> GenerationResult:
        made = await TemplateProvider().generate(request)
        await asyncio.sleep(0)
        if self._edition is None:
            return made
        files = {path: dressed(text, self._edition) for path, text in made.files.items()}
        return GenerationResult(files, made.missing, f"edition-{self._edition}")


def dressed(text: str, edition: int) -> str:
    """Return what an author makes of a template's *text*, with room around its own line for a merge."""
    return f"# The begin.\n#\n#\n#\n# Edition {edition}.\n#\n#\n{text}#\n#\n# The end.\n"


@dataclass
class Place:
    """A clone, and the person who sits there; the origin has a place, too."""

    name: str
    folder: Path
    floor: Facts = NOTHING
    """What was there when somebody looked last: from here on it may only grow."""
    error: PhasebotError | None = None
    """How the bot's last work here ended."""

    @property
    def is_origin(self) -> bool:
        return self.name == "origin.git"


def read_ref(folder: Path, ref: str) -> str:
    """Return what *ref* names, without a process; nothing where there is none."""
    inside = folder / ".git" if (folder / ".git").is_dir() else folder
    if (inside / ref).is_file():
        return (inside / ref).read_text().strip()
    packed = inside / "packed-refs"
    rows = [row.split(" ") for row in packed.read_text().splitlines()] if packed.is_file() else []
    return next((row[0] for row in rows if row[1:] == [ref]), "")


# The beginnings
