"""When the commits of a run were made, and how long each took, as bars in per cent.  Pure.

A run often stands still between two sessions, at night for example.  Each session therefore has an axis of its own.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from bot.history.explanation import who_made
from bot.history.run_state import Commit
from bot.page.wording import count, span

Kind = Literal["phase", "partial", "rollback", "person"]

_SECONDS = re.compile(r"\d{1,9} of [\d,]{1,11} files?, (\d{1,7}\.\d) s\.")
"""What the message of a phase's commit says of the time that it took."""
_PAUSE = 600
"""Seconds without work after which a new session begins."""
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400)
_MAX_TICKS = 5
_LEAST_WIDTH = 0.6
"""Per cent, so that a commit that took no time is seen."""
_FEW = 3


class Bar(NamedTuple):
    """One commit."""

    commit: Commit
    kind: Kind
    name: str
    """Of the phase, or who made the commit."""
    told: str
    """How long it took, or what it is."""
    start: float
    end: float
    """Seconds since 1970."""


class Drawn(NamedTuple):
    """A bar on the axis of its session."""

    bar: Bar
    left: float
    width: float
    """Per cent."""


class Session(NamedTuple):
    """Bars without a long pause between them."""

    start: int
    seconds: float
    bars: Sequence[Drawn]
    ticks: Sequence[tuple[float, str]]
    """Place in per cent, and the time since the start."""


def sessions(commits: Sequence[Commit], titles: Mapping[str, str]) -> Sequence[Session]:
    """Return *commits*, oldest first, by session; *titles* are those of the phases, by key."""
    found: list[list[Bar]] = []
    for bar in (_bar(each, titles) for each in commits if each.time):
        if found and bar.start - max(each.end for each in found[-1][-_FEW:]) <= _PAUSE:
            found[-1].append(bar)
        else:
            found.append([bar])
    return [_session(bars) for bars in found]


def _bar(commit: Commit, titles: Mapping[str, str]) -> Bar:
    trailers, end = commit.trailers, float(commit.time)
    if trailers is None:
        changed = count(len(commit.changes), "file")
        return Bar(commit, "person", who_made(commit) or "somebody", f"changed {changed}", end, end)
    if trailers.reverts:
        names = [titles.get(key, key) for key in trailers.reverts]
        more = f" and {len(names) - _FEW} more" if len(names) > _FEW else ""
        return Bar(commit, "rollback", f"{', '.join(names[:_FEW])}{more}", "rolled back", end, end)
    match = _SECONDS.search(commit.body)
    seconds = float(match[1]) if match else 0.0
    kind: Kind = "partial" if trailers.status == "partial" else "phase"
    name = titles.get(trailers.phase or "", trailers.phase or "")
    return Bar(commit, kind, name, span(seconds) if match else "", end - seconds, end)


def _session(bars: Sequence[Bar]) -> Session:
    start, end = int(min(each.start for each in bars)), max(each.end for each in bars)
    whole = max(1.0, end - start)
    drawn = []
    for each in bars:
        width = max(_LEAST_WIDTH, 100 * (each.end - each.start) / whole)
        drawn.append(Drawn(each, min(100 * (each.start - start) / whole, 100 - width), width))
    return Session(start, end - start, drawn, list(_ticks(whole)))


def _clock(place: int, whole: float) -> str:
    """Return a time on an axis of *whole* seconds: ``20 s``, ``1:30`` minutes, ``2:05 h``; short, for small screens."""
    if whole < 60:  # noqa: PLR2004
        return f"{place} s" if place else "0"
    minutes, rest = divmod(place, 60)
    return f"{minutes // 60}:{minutes % 60:02} h" if whole >= 3600 else f"{minutes}:{rest:02}"  # noqa: PLR2004


def _ticks(seconds: float) -> Iterator[tuple[float, str]]:
    step = next((each for each in _STEPS if seconds / each <= _MAX_TICKS), max(_STEPS[-1], int(seconds / _MAX_TICKS)))
    place = 0
    while place <= seconds:
        yield 100 * place / seconds, _clock(place, seconds)
        place += step
