"""What was verified, as text that is kept in git beside the run: written and read here only."""

import json
from collections.abc import Iterator

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from bot.text import is_printable
from bot.verification.verdict import Verification

MAX_RECORD = 4 << 20
"""Largest record that is written and read, in bytes."""


@dataclass(frozen=True, slots=True, config=ConfigDict(strict=True))
class Record:
    """A verification, and what it depends on besides the tree."""

    digest: str
    """Of the commands, of the phases with their files and rules, and of the versions of what reads them."""
    verification: Verification


_ADAPTER = TypeAdapter(Record)


def format_record(record: Record) -> bytes | None:
    """Return the text of *record*; None if it is too long to be kept."""
    text = _ADAPTER.dump_json(record, indent=1)
    return text if len(text) <= MAX_RECORD else None


def parse_record(text: bytes) -> Record | None:
    """Read the text of a record; None if it is none, or holds what would not show."""
    try:
        if len(text) > MAX_RECORD or not all(map(is_printable, _texts(json.loads(text)))):
            return None
        return _ADAPTER.validate_json(text)
    except (ValidationError, ValueError, RecursionError):
        return None


def _texts(content: object) -> Iterator[str]:
    waiting = [content]
    while waiting:
        match waiting.pop():
            case str(text):
                yield text
            case list(items):
                waiting += items
            case dict(entries):
                waiting += [*entries, *entries.values()]
