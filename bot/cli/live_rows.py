"""What the live view of a run shows: rows of text and style, for a terminal of any size.  Pure."""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from bot.engine.snapshot import Snapshot
from bot.history.reasons import code_of, meaning
from bot.text import one_line

_MAX_NAME = 100
_MAX_PATH = 200
_MAX_NOTES, _MAX_NOTE, _TAIL = 3, 1_000, 24
_SECONDS = re.compile(r"\b\d+(?:\.\d+)? s\b")
_WAIT = re.compile(r"\bin (\d{1,6}(?:\.\d{1,6})?) s$")
_CENT = Decimal("0.01")


class Row(NamedTuple):
    """One line, without a line break; who shows it cuts it at the edge of the terminal."""

    text: str
    style: str = ""
    """In words of rich.  No colour that can't be read on a light ground, such as yellow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What changes without the run."""

    now: float
    """By the run's timer."""
    started: float
    ends: float | None = None
    """When the run has probably ended; None if nobody knows."""
    dollars: Decimal | None = None
    """What the run has cost so far; None if nothing, or nobody knows."""
    notes: Sequence["RepeatedNote"] = ()
    """The oldest first."""


class RepeatedNote(NamedTuple):
    """A note that came more than once."""

    message: str
    """As it came last."""
    times: int
    at: float
    """When it came last."""

    def as_of(self, now: float) -> str:
        """Return the message, where a number of seconds at its end counts down."""
        if not (found := _WAIT.search(self.message)):
            return self.message
        left = math.ceil(float(found[1]) - (now - self.at))
        return self.message[: found.start()] + (f"in {left} s" if left > 0 else "now")


class FoldedNotes:
    """Counts notes that are alike but for a number of seconds."""

    def __init__(self) -> None:
        self._found: dict[str, RepeatedNote] = {}

    def add(self, message: str, at: float = 0.0) -> int:
        """Count a note, and return how often it has come now."""
        key = _SECONDS.sub("", message)
        before = self._found.pop(key, None)
        self._found[key] = RepeatedNote(message, before.times + 1 if before else 1, at)
        return self._found[key].times

    def repeated(self, since: float = -math.inf) -> Sequence[RepeatedNote]:
        """Return the notes that came more than once, and last after *since*; the oldest first."""
        return [each for each in list(self._found.values()) if each.times > 1 and each.at >= since]


def live_rows(snapshot: Snapshot, moment: Moment, *, width: int, height: int) -> Sequence[Row]:
    """Return at most *height* rows: phases that run, then those that lack files, what waits, notes, and the total."""
    running, failed = list(_running(snapshot, moment)), list(_failed(snapshot))
    rest = [*_waiting(snapshot), *_notes(moment, width), _total(snapshot, moment)]
    room = max(1, height - len(rest))
    phases = [*_fit(running, "running", room)]
    phases += _fit(failed, "incomplete", room - len(phases))
    return [*phases, *rest][-max(1, height) :]


def _fit(rows: Sequence[Row], word: str, room: int) -> Sequence[Row]:
    """Return as many *rows* as there is room for; the last one says how many there are besides."""
    if len(rows) <= room:
        return rows
    shown = rows[: max(0, room - 1)]
    return [*shown, Row(f"and {len(rows) - len(shown)} more {word}", rows[0].style)] if room > 0 else ()


def _running(snapshot: Snapshot, moment: Moment) -> Iterator[Row]:
    places = {each.phase.key: each for each in snapshot.state.phases}
    width = max(map(len, snapshot.active), default=0)
    for key, started in sorted(snapshot.active.items(), key=lambda each: each[1]):
        each = places.get(key)
        files = ", ".join(one_line(path, _MAX_PATH) for path in each.phase.files) if each else ""
        place = f"{f'[{each.phase.place}/{len(places)}]' if each else '':<{_place_width(snapshot)}}"
        yield Row(
            f"{place}  {one_line(key, _MAX_NAME):<{width}}  {_duration(moment.now - started):>5}  {files}", "bold"
        )


def _failed(snapshot: Snapshot) -> Iterator[Row]:
    for each in snapshot.state.phases:
        key = each.phase.key
        if key in snapshot.failures and key not in snapshot.active:
            failed = snapshot.failures[key]
            why = ", ".join(dict.fromkeys(meaning(code_of(reason)).words for reason in failed.values()))
            place = f"{f'[{each.phase.place}/{len(snapshot.state.phases)}]':<{_place_width(snapshot)}}"
            paths = ", ".join(one_line(path, _MAX_PATH) for path in failed)
            yield Row(f"{place}  {one_line(key, _MAX_NAME)}  incomplete  {why}: missing {paths}", "red")


def _waiting(snapshot: Snapshot) -> Iterator[Row]:
    keys = [each.phase.key for each in snapshot.state.phases if each.wanted]
    waiting = [one_line(key, _MAX_NAME) for key in keys if key not in {*snapshot.active, *snapshot.failures}]
    if waiting:
        yield Row(f"{len(waiting)} waiting: {', '.join(waiting)}")


def _notes(moment: Moment, width: int) -> Iterator[Row]:
    """Yield the latest notes with beginning and end, which says what comes next."""
    for note in moment.notes[-_MAX_NOTES:]:
        text = f"note \u00d7{note.times}: {one_line(note.as_of(moment.now), _MAX_NOTE)}"
        more = len(text) - width
        yield Row(text if more <= 0 else f"{text[: max(0, width - _TAIL - 1)]}\u2026{text[-_TAIL:]}")


def _total(snapshot: Snapshot, moment: Moment) -> Row:
    """Return ``3/9 · 1:12 · about 2 min left · 12k tokens · $0.02``."""
    phases, tokens = snapshot.state.phases, sum(snapshot.state.tokens)
    done = sum(1 for each in phases if each.done)
    parts = [
        f"{done}/{len(phases)}" if phases else "planning",
        _duration(moment.now - moment.started),
        f"about {_rough(moment.ends - moment.now)} left" if moment.ends is not None else "",
        f"{_short(tokens)} tokens" if tokens else "",
        "" if moment.dollars is None else f"${moment.dollars:.2f}" if moment.dollars >= _CENT else "under $0.01",
    ]
    return Row(" \u00b7 ".join(filter(None, parts)), "bold")


def _place_width(snapshot: Snapshot) -> int:
    total = len(snapshot.state.phases)
    return len(f"[{total}/{total}]")


def _duration(seconds: float) -> str:
    """Return ``1:12``, or ``1:02:03``."""
    hours, rest = divmod(int(max(0.0, seconds)), 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def _rough(seconds: float) -> str:
    """Return a length of time as people say it, as an estimate deserves: ``20 s``, ``2 min``, ``3 h``."""
    if seconds < 55:  # noqa: PLR2004  # what rounds to a minute
        return f"{max(1, round(seconds / 10)) * 10} s"
    minutes = max(1, round(seconds / 60))
    return f"{minutes} min" if minutes < 100 else f"{round(minutes / 60)} h"  # noqa: PLR2004  # two digits


def _short(number: int) -> str:
    """Return ``950``, ``12k`` or ``1.2M``."""
    if number < 1_000:  # noqa: PLR2004
        return str(number)
    return f"{number / 1_000:.0f}k" if number < 999_500 else f"{number / 1_000_000:.1f}M"  # noqa: PLR2004
