"""Where a spec comes from: a file, standard input, or the text itself."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from bot.errors import UsageError
from bot.planning.planned import UNNAMED

_ENDINGS = (".md", ".yaml", ".yml", ".txt")


class Source(NamedTuple):
    """A spec as it was given."""

    text: str
    name: str
    """What to call it in messages: ``the spec blog.md``."""
    project: str
    """A name for the project if the spec has no heading."""


def read_source(spec: str, stdin: Callable[[], bytes]) -> Source:
    """Read *spec*: the name of a file, ``-`` for what *stdin* returns, or a text.

    Raises:
        UsageError: There is no such file, or it is no text.
    """
    if spec == "-":
        return Source(_decoded(stdin(), "the spec on standard input"), "the spec on standard input", UNNAMED)
    path = Path(spec)
    one_line = spec.strip() and "\n" not in spec and ":" not in spec
    looks_like_path = one_line and (spec.endswith(_ENDINGS) or (" " not in spec and spec.isascii()))
    try:
        if path.is_file() or looks_like_path:
            return Source(_decoded(path.read_bytes(), f"the spec {spec}"), f"the spec {spec}", path.stem)
    except (OSError, ValueError) as exc:  # ValueError: no name of a file, with its NUL
        if looks_like_path:
            raise UsageError(
                f"reading the spec {spec}: {_why(exc)}; name a file, '-', or give the text itself"
            ) from exc
    return Source(spec, "the spec", UNNAMED)


def _why(exc: OSError | ValueError) -> str:
    return (exc.strerror if isinstance(exc, OSError) else None) or "it can't be the name of a file"


def _decoded(content: bytes, source: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as exc:
        raise UsageError(f"{source}: byte {exc.start} is not UTF-8 text; save the file as UTF-8") from exc
