"""Finds places of files in what programs print: tracebacks, and lines such as ``app/x.py:3: error: …``."""

import re
from collections.abc import Iterator

from bot.verification.remarks import MAX_LINE, MAX_REMARKS, MAX_TRACE, Level, Remark, Spot, message_of, rule_of

_MAX_TEXT = 1 << 20
_PYTHON = re.compile(r'^(?:E {1,8})? {0,20}File "([^"\n]{1,1600})", line (\d{1,8})( in )?', re.MULTILINE)
"""A place in a traceback; where ``in`` follows without a comma, it is faulthandler's, which has the innermost first."""
_PLACE = re.compile(r"^([^\s:\"'(){}<>|][^:\n\"(){}<>|]{0,400}):(\d{1,8})(?::(\d{1,8}))?:(?= |$)", re.MULTILINE)
"""``path:line: `` or ``path:line:column: `` at the start of a line."""
_LEVEL = re.compile(r"(?i:(fatal error|error|warning|note|info|hint))\b[ :]{0,4}")
_RULE = re.compile(r"\[([A-Za-z][\w/-]{1,60})\]$")


def find_trace(text: str) -> list[Spot]:
    """Return the places of tracebacks in *text*, the innermost first."""
    text = text[-_MAX_TEXT:]
    normal, dumped = list[tuple[int, Spot]](), list[Spot]()
    for match in _PYTHON.finditer(text):
        spot = Spot(match[1], _line(match[2]))
        if match[3]:
            dumped.append(spot)
        else:
            normal.append((match.start(), spot))
    normal += [(match.start(), Spot(match[1], _line(match[2]))) for match in _PLACE.finditer(text)]
    in_order = [spot for _, spot in sorted(normal)[-MAX_TRACE:]]
    return [*reversed(in_order), *dumped[:MAX_TRACE]]


def read_lines(text: str) -> Iterator[Remark]:
    """Yield what lines of *text* say about a place in a file; notes are no remarks."""
    found = 0
    for line in text[:_MAX_TEXT].split("\n"):
        if match := _PLACE.match(line[:4_000]):
            level, message, rule = _parts(line[match.end() : 4_000].strip())
            if level is None:
                continue
            found += 1
            yield Remark(
                spot=Spot(match[1], _line(match[2])),
                rule=rule,
                level=level,
                message=message_of(message, "it says nothing more"),
            )
            if found > MAX_REMARKS * 10:
                return


def _parts(text: str) -> tuple[Level | None, str, str]:
    """Return level, message and rule; no level for what is only a note."""
    level: Level | None = "error"
    if match := _LEVEL.match(text):
        word = match[1].lower()
        level = "error" if "error" in word else "warning" if word == "warning" else None
        text = text[match.end() :]
    rule = "output"
    if match := _RULE.search(text[-70:]):
        rule, text = rule_of(match[1], rule), text[: -len(match[0])]
    return level, text.strip(), rule


def _line(digits: str) -> int | None:
    number = int(digits)
    return number if 0 < number <= MAX_LINE else None
