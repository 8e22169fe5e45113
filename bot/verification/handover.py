"""A record as one line of text that one job hands to the next as its output: written and read here only.

The next job trusts nothing of it: code that the first one executed may have written it.
"""

import re
import zlib
from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Iterator
from dataclasses import replace

from bot.verification.record import MAX_RECORD, Record, format_record, parse_record
from bot.verification.remarks import MAX_LINE
from bot.verification.verdict import CommandResult, Verification

MAX_HANDOVER = 100_000
"""Characters.  Linux passes no variable of 128 KiB to a program, so the next job could not read a longer output."""
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_OID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_MAX_NUMBER = 1_000_000_000
_MAX_TEXT = 5_000
"""A path can have 4,096 characters, a message far fewer."""
_MAX_COMMANDS = 100


def format_handover(record: Record, limit: int = MAX_HANDOVER) -> str:
    """Return the line for *record*; what does not fit is left out, and its notes say how much."""
    found = record.verification
    most = max((len(each.findings) for each in found.commands), default=0)
    while True:
        text = _pack(replace(record, verification=_shortened(found, most)))
        if text and len(text) <= limit:
            return text
        if not most:
            return ""
        most //= 2


def parse_handover(text: str) -> Record | None:
    """Read the line; None if it is none, or says what no verification could say."""
    if len(text) > MAX_HANDOVER or not _BASE64.fullmatch(text):
        return None
    unpacked = zlib.decompressobj()
    try:
        content = unpacked.decompress(b64decode(text, validate=True), MAX_RECORD + 1)
    except (zlib.error, Error):
        return None
    record = parse_record(content)
    is_whole = unpacked.eof and not unpacked.unused_data
    return record if record and is_whole and _is_plausible(record.verification) else None


def _pack(record: Record) -> str:
    text = format_record(record)
    return b64encode(zlib.compress(text, 9)).decode() if text else ""


def _shortened(found: Verification, most: int) -> Verification:
    """Return *found* with at most so many findings of each command; they are in order, errors first."""
    return replace(found, commands=[_shorter(each, most) for each in found.commands])


def _shorter(each: CommandResult, most: int) -> CommandResult:
    left_out = len(each.findings) - most
    if left_out <= 0:
        return each
    kept = each.findings[:most]
    known = frozenset(kept)
    faults = [fault for fault in each.faults if fault.finding in known]
    note = f"{left_out:,} more findings were left out, because a job can't hand over so many"
    return replace(each, findings=kept, faults=faults, notes=[*each.notes, note])


def _is_plausible(found: Verification) -> bool:
    """Whether every number and text is one that a verification could have; the types are right already."""
    commands, findings = found.commands, found.findings
    counts = [number for each in commands for number in (*(each.tests or ()), each.left)]
    lines = [each.line for each in findings if each.line is not None]
    return (
        bool(_OID.fullmatch(found.tree))
        and len(commands) <= min(found.expected, _MAX_COMMANDS)
        and all(0 <= number <= _MAX_NUMBER for number in (*counts, found.expected))
        and all(abs(each.status or 0) <= _MAX_NUMBER for each in commands)
        and all(0 <= each.seconds <= _MAX_NUMBER for each in commands)
        and all(0 < line <= MAX_LINE for line in lines)
        and all(len(text) <= _MAX_TEXT for text in _texts(found))
    )


def _texts(found: Verification) -> Iterator[str]:
    for each in (*found.findings, *(fault.finding for command in found.commands for fault in command.faults)):
        yield from (each.path, each.rule, each.message, each.phase or "")
