"""What GitHub Actions' runner reads from files and from the log: outputs, summary, annotations, masks.

The runner executes what stands in the log.  It knows two forms, ``::command::`` at the start of a line and
``##[command]`` anywhere in one, and compares them as a dictionary does, blind to characters that nobody sees.
So foreign text passes :func:`neutralise` before it is printed, and nothing else prints it.
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
"""Bytes in a step's summary; the runner drops one above 1 MiB."""
MAX_ANNOTATION = 4_000
"""Characters in an annotation; the runner cuts at 4,096."""
MAX_ANNOTATIONS = 10
"""Annotations of a level in a step; the runner drops the others."""

_MAX_TITLE = 200
_MIN_SECRET = 8
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_SECRET = re.compile(r"[!-~]+")
_HASHES = re.compile(r"#([^ -~\n]*+)#([^ -~\n]*+)\[")
"""``##[`` to a reader that passes over any of the characters that are not ASCII."""


def format_output(name: str, value: str, delimiter: str) -> str:
    """Write one output for ``GITHUB_OUTPUT``; whoever chose *value* must not know the *delimiter*.

    Raises:
        ValueError: The name is none, or the delimiter stands in the value.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} can't be an output's name")
    if not _NAME.fullmatch(delimiter) or delimiter in value:
        raise ValueError(f"the delimiter of the output {name!r} is no name, or stands in its value")
    return f"{name}<<{delimiter}\n{value}\n{delimiter}\n"


def write_outputs(path: Path, outputs: Mapping[str, str]) -> None:
    """Add *outputs* to the file at *path*, all or none."""
    while any((delimiter := f"phasebot_{os.urandom(16).hex()}") in value for value in outputs.values()):
        pass
    _append(path, "".join(format_output(name, value, delimiter) for name, value in outputs.items()))


def write_summary(path: Path, markdown: str) -> None:
    """Add *markdown* to the step's summary; what the file has no room for is cut, and the first line says so."""
    there = path.stat().st_size if path.exists() else 0
    content = markdown.encode("utf-8", "replace")
    if len(content) + 1 > MAX_SUMMARY - there:
        note = (
            f"> **Cut:** this summary is {len(content):,} bytes long, more than GitHub shows; its end is left out.\n\n"
        )
        room = max(0, MAX_SUMMARY - there - len(note) - 1)
        markdown = note + content[:room].decode("utf-8", "ignore")
    _append(path, f"{markdown}\n")


def _append(path: Path, text: str) -> None:
    with path.open("ab") as file:
        file.write(text.encode("utf-8", "replace"))


def _seen(text: str) -> str:
    """Make every character visible, and no ``##[``; line ends become those of Unix."""
    return _HASHES.sub(r"#\1#\2 [", without_hidden(unix_newlines(text), prose=True, instead="\ufffd"))


def neutralise(text: str) -> str:
    """Return *text* for the log, each line behind a bar; the runner finds no command in it."""
    return "\n".join(f"│ {line}" for line in _seen(text).removesuffix("\n").split("\n"))


def annotation(level: Level, message: str, *, title: str = "", file: str = "") -> str:
    """Return the line that makes the runner show *message* with the run, on *file* if one is named."""
    named = {"title": truncate(_seen(title), _MAX_TITLE), "file": _seen(file)}
    properties = ",".join(f"{name}={_escape_property(value)}" for name, value in named.items() if value)
    return f"::{level}{' ' if properties else ''}{properties}::{_escape(truncate(_seen(message), MAX_ANNOTATION))}"


class Annotations:
    """The annotations of one step: the first of a level as such, the others as plain text for the log."""

    def __init__(self) -> None:
        """Start with none."""
        self._made: Counter[Level] = Counter()

    def add(self, level: Level, message: str, *, title: str = "", file: str = "") -> str:
        """Return what to print for *message*."""
        self._made[level] += 1
        if self._made[level] <= MAX_ANNOTATIONS:
            return annotation(level, message, title=title, file=file)
        return neutralise(": ".join(filter(None, (level, file, title, message))))


def mask(value: str) -> str:
    """Return the lines that make the runner blot out a secret, also as git sends it to GitHub.

    Raises:
        UsageError: Masking it would blot out ordinary words, and with them the outputs that hold one.
    """
    if len(value) < _MIN_SECRET or not _SECRET.fullmatch(value):
        raise UsageError(
            f"a secret of {len(value)} characters can't be masked in the log: "
            f"it needs {_MIN_SECRET} or more, with no blank among them; check the secret in the repository's settings"
        )
    sent = b64encode(f"x-access-token:{value}".encode()).decode()
    return "\n".join(f"::add-mask::{_escape(each)}" for each in (value, sent))


def _escape(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape(text).replace(":", "%3A").replace(",", "%2C")
