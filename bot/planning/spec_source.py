"""Read a spec from a file, standard input, the command line or an issue."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from bot.errors import UsageError
from bot.planning.markdown_lines import is_field_or_table
from bot.planning.resolved_plan import UNNAMED
from bot.planning.spec_parser import find_heading, is_prose
from bot.text import unix_newlines, without_hidden

_SUFFIXES = (".md", ".yaml", ".yml", ".txt", ".sql", ".dbml", ".prisma", ".jdl", ".mmd", ".json", ".py")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
"""GitHub hides these, so the person who starts the run has not read them."""
_LABEL = re.compile(r"^###[ \t]+\S.*$", re.MULTILINE)
"""The heading that an issue form puts above each field."""
_NO_RESPONSE = re.compile(r"^_No response_[ \t]*$", re.MULTILINE)
_COMMENT_LIMIT = 4_000
"""Longest comment, in characters, that is added to a plan."""


class SpecSource(NamedTuple):
    """The text of a spec and where it comes from."""

    text: str
    name: str
    """What to call it in messages: ``the spec blog.md``."""
    project: str
    """The project name if the spec has no heading."""
    title: str = ""
    """The project name whatever the spec says."""


def read_source(spec: str, stdin: Callable[[], bytes]) -> SpecSource:
    """Read *spec*: a file name, ``-`` for the result of *stdin*, or the text itself.

    Raises:
        UsageError: The file does not exist or is not UTF-8 text.
    """
    if spec == "-":
        return SpecSource(_decode(stdin(), "the spec on standard input"), "the spec on standard input", UNNAMED)
    path = Path(spec)
    one_line = spec.strip() and "\n" not in spec and ":" not in spec
    looks_like_path = one_line and (spec.endswith(_SUFFIXES) or (" " not in spec and spec.isascii()))
    try:
        if path.is_file() or looks_like_path:
            return SpecSource(_decode(path.read_bytes(), f"the spec {spec}"), f"the spec {spec}", path.stem)
    except (OSError, ValueError) as exc:  # ValueError: a NUL in the name
        if looks_like_path:
            raise UsageError(
                f"reading the spec {spec}: {_reason(exc)}; give a file name, '-' or the text itself"
            ) from exc
    return SpecSource(spec, "the spec", UNNAMED)


def read_issue(number: int, title: str, body: str, added: str = "", *, prose: bool) -> SpecSource:
    """Combine the visible text of an issue with the text *added* by the command.

    The issue's title names the project.  Labels of an issue form are left out, because they are not the person's.
    The title is added to the text only if a model will plan it (*prose*).  Otherwise line numbers in error messages
    would not match the issue.
    """
    text = _shown(body).rstrip()
    if _LABEL.match(text.lstrip()):
        text = _NO_RESPONSE.sub("", _without_labels(text)).rstrip()
    text = "\n\n".join(filter(None, (text, _shown(added).strip())))
    name, source = " ".join(title.split()), f"issue #{number}"
    if prose and name and not find_heading(text) and _is_prose(text, source):
        text = f"# {name}\n\n{text.lstrip()}"
    return SpecSource(text, source, name or UNNAMED, name)


def _without_labels(text: str) -> str:
    """Blank the labels of an issue form; a heading with fields below it names an entity, and stays."""
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if _LABEL.match(line):
            below = next((each for each in lines[number + 1 :] if each.strip()), "")
            if not is_field_or_table(below):
                lines[number] = ""
    return "\n".join(lines)


def _is_prose(text: str, source: str) -> bool:
    """Whether *text* is empty or prose, so that a model plans it and can use the title."""
    try:
        return not text.strip() or is_prose(text, source=source)
    except UsageError:  # reported when the spec is parsed
        return False


def _shown(text: str) -> str:
    """Remove what GitHub does not show from *text*, keeping all line numbers."""
    return _COMMENT.sub(lambda match: "\n" * match[0].count("\n"), unix_newlines(text))


def read_comment(text: str) -> str:
    """Return the visible text of a comment, cleaned for use in a plan.

    Raises:
        UsageError: It is too long.
    """
    cleaned = without_hidden(_shown(text), prose=True).strip()
    if len(cleaned) > _COMMENT_LIMIT:
        raise UsageError(
            f"reading the instruction: the comment has {len(cleaned):,} characters, and the limit is "
            f"{_COMMENT_LIMIT:,}; shorten it, or write it into plan.yaml on the run's branch"
        )
    return cleaned


def _reason(exc: OSError | ValueError) -> str:
    return (exc.strerror if isinstance(exc, OSError) else None) or "it is not a valid file name"


def _decode(content: bytes, source: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as exc:
        raise UsageError(f"{source}: byte {exc.start} is not valid UTF-8; save the file as UTF-8") from exc
