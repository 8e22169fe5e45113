"""The session that the recording in README.md shows: a run by a model, Ctrl-C, the same command again, the history."""

import os
import re
import shutil
import sys
from pathlib import Path

from tests.gemini_server import Author, FakeGemini
from tests.pictures.film import Film

SPEC = Path(__file__).parents[2] / "bot" / "recipes" / "fastapi" / "examples" / "blog.md"
GENERATE = "phasebot generate blog.md --repo blog"
LOG = "git -C blog log --oneline"


def play(folder: Path, latency: float, speed: float) -> Film:
    """Film the session in an empty *folder*; the model on the loopback takes *latency* seconds for an answer."""
    shutil.copy(SPEC, folder / "blog.md")
    with FakeGemini(Author(latency=latency)) as fake:
        tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = os.environ | fake.environment | {"PATH": tools, "TERM": "xterm-256color", "GIT_PAGER": "cat"}
        film = Film(folder, environment, speed)
        film.pause(0.5)
        film.type(GENERATE)
        interrupted = film.run(*GENERATE.split(), until=_entities_are_written)
        film.pause(1.5)
        film.type(GENERATE)
        completed = film.run(*GENERATE.split())
        film.pause(1.0)
        film.type(LOG)
        film.run(*LOG.split())
    if (interrupted, completed) != (130, 0):
        message = f"the session ended with {interrupted} and {completed}, not with 130 and 0:\n{film.frames[-1].text}"
        raise RuntimeError(message)
    return film


def _entities_are_written(screen: str) -> bool:
    """Whether core is committed, and entities have been in work for a moment."""
    return bool(re.search(r" core .* committed ", screen) and re.search(r" entity/User +0:0[1-9]", screen))
