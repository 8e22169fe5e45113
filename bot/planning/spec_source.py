"""Where a spec comes from: a file, standard input, the text itself, or an issue."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from bot.errors import UsageError
from bot.planning.resolved_plan import UNNAMED
from bot.planning.spec_parser import find_heading, is_prose
from bot.text import unix_newlines, without_hidden

_ENDINGS = (".md", ".yaml", ".yml", ".txt")


_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
"""What GitHub does not show, so nobody who asks for the issue to be built has read it."""
_LABEL = re.compile(r"^###[ \t]+\S.*$", re.MULTILINE)
"""What an issue form puts over each of its fields."""
_NOTHING = re.compile(r"^_No response_[ \t]*$", re.MULTILINE)


_LONGEST = 4_000
"""Characters of a comment that becomes part of a plan."""


class SpecSource(NamedTuple):
    """A spec as it was given."""

    text: str
    name: str
    """What to call it in messages: ``the spec blog.md``."""
    project: str
    """A name for the project if the spec has no heading."""


def read_source(spec: str, stdin: Callable[[], bytes]) -> SpecSource:
    """Read *spec*: the name of a file, ``-`` for what *stdin* returns, or a text.

    Raises:
        UsageError: There is no such file, or it is no text.
    """
    if spec == "-":
        return SpecSource(_decoded(stdin(), "the spec on standard input"), "the spec on standard input", UNNAMED)
    path = Path(spec)
    one_line = spec.strip() and "\n" not in spec and ":" not in spec
    looks_like_path = one_line and (spec.endswith(_ENDINGS) or (" " not in spec and spec.isascii()))
    try:
        if path.is_file() or looks_like_path:
            return SpecSource(_decoded(path.read_bytes(), f"the spec {spec}"), f"the spec {spec}", path.stem)
    except (OSError, ValueError) as exc:  # ValueError: no name of a file, with its NUL
        if looks_like_path:
            raise UsageError(
                f"reading the spec {spec}: {_why(exc)}; name a file, '-', or give the text itself"
            ) from exc
    return SpecSource(spec, "the spec", UNNAMED)


def read_issue(number: int, title: str, body: str, added: str = "", *, prose: bool) -> SpecSource:
    """Put a spec together from an issue, as people see it, and what was *added* to it by the command.

    The title names the project where no heading does; the labels of an issue form are no headings.  It is put above the
    text only if that is *prose* and somebody is there to plan it: else lines keep the numbers that errors name.
    """
    text = _shown(body).rstrip()
    if _LABEL.match(text.lstrip()):
        text = _NOTHING.sub("", _LABEL.sub("", text)).rstrip()
    text = "\n\n".join(filter(None, (text, _shown(added).strip())))
    name, source = " ".join(title.split()), f"issue #{number}"
    if prose and name and not find_heading(text) and _is_prose(text, source):
        text = f"# {name}\n\n{text.lstrip()}"
    return SpecSource(text, source, name or UNNAMED)


def _is_prose(text: str, source: str) -> bool:
    """Whether *text* says something to somebody who plans it, and so does its title."""
    try:
        return not text.strip() or is_prose(text, source=source)
    except UsageError:  # which whoever reads it is told
        return False


def _shown(text: str) -> str:
    """Return *text* without what GitHub does not show; its lines stay on their numbers."""
    return _COMMENT.sub(lambda match: "\n" * match[0].count("\n"), unix_newlines(text))


def read_comment(text: str) -> str:
    """Return a comment as people see it, fit for a plan."""
    return without_hidden(_shown(text), prose=True).strip()[:_LONGEST]


def _why(exc: OSError | ValueError) -> str:
    return (exc.strerror if isinstance(exc, OSError) else None) or "it can't be the name of a file"


def _decoded(content: bytes, source: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as exc:
        raise UsageError(f"{source}: byte {exc.start} is not UTF-8 text; save the file as UTF-8") from exc
