"""Writes what the GitHub Actions runner reads from files and from the log: outputs, summary, annotations, masks.

The runner executes commands that it finds in the log: ``::command::`` at the start of a line, or ``##[command]``
anywhere in a line.  Its comparison ignores invisible characters.  So untrusted text goes through :func:`neutralise`
before it is printed.
"""

import os
import re
from base64 import b64encode
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from bot.errors import UsageError
from bot.text import truncate, unix_newlines, without_hidden

Level = Literal["error", "warning", "notice"]

MAX_SUMMARY = 1_000_000
"""Bytes in a step's summary; the runner drops a summary above 1 MiB."""
MAX_ANNOTATION = 4_000
"""Characters in an annotation; the runner cuts at 4,096."""
MAX_ANNOTATIONS = 10
"""Annotations per level and step; the runner drops any more."""

_MAX_TITLE = 200
_MIN_SECRET = 8
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_SECRET = re.compile(r"[!-~]+")
_HASHES = re.compile(r"#([^ -~\n]*+)#([^ -~\n]*+)\[")
"""``##[`` as seen by a reader that ignores characters outside ASCII."""
_COMMAND = re.compile(r"[^!-~\u2502\ufffd]*+:[^ -~]*+:")
"""What the runner may take for a command in a line."""


def format_output(name: str, value: str, delimiter: str) -> str:
    """Return one output for ``GITHUB_OUTPUT``; *delimiter* must be unpredictable to the author of *value*.

    Raises:
        ValueError: The name is invalid, or the value contains the delimiter.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not a valid name for an output")
    if not _NAME.fullmatch(delimiter) or delimiter in value:
        raise ValueError(f"the delimiter of output {name!r} is invalid, or the value contains it")
    return f"{name}<<{delimiter}\n{value}\n{delimiter}\n"


def write_outputs(path: Path, outputs: Mapping[str, str]) -> None:
    """Append *outputs* to the file at *path*, all of them or none."""
    while any((delimiter := f"phasebot_{os.urandom(16).hex()}") in value for value in outputs.values()):
        pass
    _append(path, "".join(format_output(name, value, delimiter) for name, value in outputs.items()))


def write_summary(path: Path, markdown: str) -> None:
    """Append *markdown* to the step's summary; if it does not fit, cut its end and say so in the first line."""
    used = path.stat().st_size if path.exists() else 0
    content = markdown.encode("utf-8", "replace")
    if len(content) + 1 > MAX_SUMMARY - used:
        note = f"> **Cut off:** this summary is {len(content):,} bytes long, which is more than GitHub shows.\n\n"
        room = max(0, MAX_SUMMARY - used - len(note) - 1)
        markdown = note + content[:room].decode("utf-8", "ignore")
    _append(path, f"{markdown}\n")


def _append(path: Path, text: str) -> None:
    with path.open("ab") as file:
        file.write(text.encode("utf-8", "replace"))


def _make_visible(text: str) -> str:
    """Replace invisible characters, break up ``##[``, and end lines with a line feed."""
    return _HASHES.sub(r"#\1#\2 [", without_hidden(unix_newlines(text), prose=True, instead="\ufffd"))


def has_command(line: str) -> bool:
    """Whether the runner may find a command in a line of the log."""
    return any(map(_COMMAND.match, line.split("\r"))) or bool(_HASHES.search(line))


def neutralise(text: str) -> str:
    """Return *text* for the log, each line behind a bar, so that the runner finds no command in it."""
    return "\n".join(f"│ {line}" for line in _make_visible(text).removesuffix("\n").split("\n"))


def annotation(level: Level, message: str, *, title: str = "", file: str = "", line: int | None = None) -> str:
    """Return the line that makes the runner show *message* on the run's page, on *file* and its *line* if given."""
    values = {"title": truncate(_make_visible(title), _MAX_TITLE), "file": _make_visible(file)}
    values |= {"line": str(line)} if line else {}
    properties = ",".join(f"{name}={_escape_property(value)}" for name, value in values.items() if value)
    return (
        f"::{level}{' ' if properties else ''}{properties}::{_escape(truncate(_make_visible(message), MAX_ANNOTATION))}"
    )


class Annotations:
    """The annotations of one step; those past the limit of a level become plain text for the log."""

    def __init__(self) -> None:
        """Start without annotations."""
        self._count: Counter[Level] = Counter()

    def add(self, level: Level, message: str, *, title: str = "", file: str = "", line: int | None = None) -> str:
        """Return the line to print for *message*."""
        self._count[level] += 1
        if self._count[level] <= MAX_ANNOTATIONS:
            return annotation(level, message, title=title, file=file, line=line)
        return neutralise(": ".join(filter(None, (level, file, title, message))))


def mask(value: str) -> str:
    """Return the lines that make the runner mask a secret in the log, also in the form in which git sends it.

    Raises:
        UsageError: The secret is too short or has spaces: masking it would also mask ordinary words and outputs.
    """
    if len(value) < _MIN_SECRET or not _SECRET.fullmatch(value):
        raise UsageError(
            f"a secret of {len(value)} characters can't be masked in the log: "
            f"it needs at least {_MIN_SECRET} ASCII characters and no spaces; correct it in the repository's settings"
        )
    git_header = b64encode(f"x-access-token:{value}".encode()).decode()
    return "\n".join(f"::add-mask::{_escape(each)}" for each in (value, git_header))


def _escape(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape(text).replace(":", "%3A").replace(",", "%2C")
