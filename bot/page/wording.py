"""Numbers, sizes and times as the page shows them, and the one place where text that others wrote is made harmless.

Jinja escapes markup; what it leaves, hidden characters, becomes visible here.
"""

from datetime import UTC, datetime

from bot.text import all_newlines, without_hidden

_KILO = 1000
_MINUTE, _HOUR = 60, 3600


def harmless(text: str) -> str:
    """Return *text* with a sign in place of each hidden character; lines end with a line feed."""
    return without_hidden(all_newlines(text), prose=True, instead="\ufffd")


def count(number: int, word: str, words: str = "") -> str:
    """``1 file``, ``2,000 files``."""
    return f"{number:,} {word if number == 1 else words or f'{word}s'}"


def size(number: int) -> str:
    """``812 B``, ``1.2 kB``, ``34 MB``."""
    if number < _KILO:
        return f"{number} B"
    value, unit = number / _KILO, "kB"
    if value >= _KILO:
        value, unit = value / _KILO, "MB"
    return f"{value:.1f} {unit}" if value < 10 else f"{value:,.0f} {unit}"  # noqa: PLR2004


def span(seconds: float) -> str:
    """``6.2 s``, ``42 s``, ``3 min 12 s``, ``1 h 5 min``."""
    if seconds < 10:  # noqa: PLR2004
        return f"{seconds:.1f} s".replace(".0 s", " s")
    minutes, rest = divmod(round(seconds), _MINUTE)
    hours, minutes = divmod(minutes, _MINUTE)
    parts = [(hours, "h"), (minutes, "min"), (0 if hours else rest, "s")]
    return " ".join(f"{number} {unit}" for number, unit in parts if number)


def moment(time: int) -> str:
    """``27 Nov 2026, 16:02 UTC``; empty for 0, which stands for unknown."""
    return f"{datetime.fromtimestamp(time, UTC):%d %b %Y, %H:%M} UTC" if time else ""
