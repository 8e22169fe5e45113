"""Read which migrations a project has from its files; their form is Alembic's."""

import ast
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

_ASSIGNED = re.compile(r"^(revision|down_revision)(?:: [^=\n]{1,80})? ?= ?([^\n]{1,500})$", re.MULTILINE)

_NUMBERED = re.compile(r"([0-9]{1,9})(?:_|$)")
"""The number of a migration, and behind it, since there was one, the digest of what it changes."""


class Migrations(NamedTuple):
    """The migrations of a project, which build on each other."""

    newest: tuple[str, ...]
    """Those that no other builds on, sorted; several where two runs were merged without regard to each other."""
    highest: int
    """The highest number of one that is numbered."""


def read_migrations(texts: Mapping[str, str]) -> Migrations:
    """Return the migrations in *texts*, file name → text; files that are none are passed over."""
    below: dict[str, Sequence[str]] = {}
    for text in texts.values():
        values = {name: _names(value) for name, value in _ASSIGNED.findall(text)}
        for revision in values.get("revision", ()):
            below[revision] = values.get("down_revision", ())
    built_on = {name for names in below.values() for name in names}
    numbers = [int(match[1]) for name in below if (match := _NUMBERED.match(name))]
    return Migrations(tuple(sorted(name for name in below if name not in built_on)), max(numbers, default=0))


def _names(source: str) -> Sequence[str]:
    """Return the revisions that a Python value names: a text, or several in brackets."""
    try:
        value = ast.literal_eval(source.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return ()
    found = value if isinstance(value, tuple | list) else (value,)
    return [each for each in found if isinstance(each, str)]
