"""Shows the progress of a run: as lines, and on a terminal also what is being done now, below them."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Self

from bot.cli.live_rows import FoldedNotes, Moment, live_rows
from bot.cli.output import commit_of, files_of, remarks_of, short_paths
from bot.engine.snapshot import Snapshot
from bot.engine.time_left import likely_end
from bot.history.reasons import code_of, meaning

if TYPE_CHECKING:
    from rich.console import Group


_NEWS = 60.0
"""Seconds in which a note is worth a line of the live view."""


class _FailureLines:
    """Tells once why files of a phase could not be generated, and which errors are left in the others."""

    def __init__(self) -> None:
        self._told: set[str] = set()
        self._found: set[str] = set()
        self._reasons: set[str] = set()

    def new_lines(self, snapshot: Snapshot) -> Iterator[str]:
        """Yield the lines about phases that failed, or came out with errors, since the last call."""
        for key, failed in snapshot.failures.items():
            if key in self._told:
                continue
            self._told.add(key)
            each = snapshot.phase(key)
            if key not in {published for published, _ in snapshot.published}:
                yield f"[{each.phase.place}/{len(snapshot.state.phases)}] {key}  {files_of(each)}"
            for reason in dict.fromkeys(failed.values()):
                paths = [path for path in failed if failed[path] == reason]
                yield f"      {short_paths(paths, each)}: {self._told_once(reason)}"
        for key, left in snapshot.findings.items():
            if key not in self._found:
                self._found.add(key)
                yield from (f"      {each.place}: {each.message}" for each in left)

    def _told_once(self, reason: str) -> str:
        """Return the reason with all that is known; the next time, in few words."""
        if reason in self._reasons and (code := code_of(reason)) != "unknown":
            return f"{meaning(code).words}, as above"
        self._reasons.add(reason)
        return reason


class PlainAnnouncer:
    """Writes one line per event; for pipes, logs and CI.  Used as a context manager."""

    def __init__(self, write: Callable[[str], None]) -> None:
        """Give each line to *write*."""
        self._write = write
        self._shown: set[str] = set()
        self._failures = _FailureLines()
        self._notes = FoldedNotes()
        self._started = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for note in self._notes.repeated():
            if note.times.bit_count() > 1:
                self._write(f"note: {note.message} ({note.times} times)")

    def note(self, message: str) -> None:
        """Write a note; one that comes again and again, at its 2nd, 4th, 8th … time."""
        count = self._notes.add(message)
        if count.bit_count() == 1:
            self._write(f"note: {message}" + (f" ({count} times so far)" if count > 1 else ""))

    def show(self, snapshot: Snapshot) -> None:
        """Write what is new: phases that were published, and files that could not be generated."""
        if snapshot.state.phases:
            for line in self._new_lines(snapshot):
                self._write(line)

    def _new_lines(self, snapshot: Snapshot) -> Iterator[str]:
        if not self._started:
            self._started = True
            yield _first_line(snapshot)
        for key, oid in snapshot.published:
            if oid not in self._shown:
                self._shown.add(oid)
                yield phase_line(snapshot, key)
        yield from self._failures.new_lines(snapshot)


def _first_line(snapshot: Snapshot) -> str:
    branch, total, done = snapshot.state.branch, len(snapshot.state.phases), snapshot.done_before
    if snapshot.state.conflicts and done == total:
        return f"{branch}: all {total} phases are generated, nothing to do but to resolve conflicts"
    what = f"{total} phase{'' if total == 1 else 's'}"
    if done == total:
        return f"{branch}: all {total} phases are complete, nothing to do"
    if snapshot.by_templates and not snapshot.has_work:
        return f"{branch}: all {total} phases are generated, nothing to do for templates"
    return f"{branch}: {what}" + (f", {done} of them complete" if done else "")


def phase_line(snapshot: Snapshot, key: str) -> str:
    """Return a published phase in one line: ``[4/9] entity/Post  4/4 files  committed 1a2b3c4  pushed``."""
    each = snapshot.phase(key)
    parts = [
        f"[{each.phase.place}/{len(snapshot.state.phases)}] {key}",
        files_of(each),
        f"committed {commit_of(each)}",
        "pushed" if snapshot.pushes else "",
        remarks_of(each, short=True),
    ]
    return "  ".join(part for part in parts if part)


class LiveAnnouncer:
    """Writes on a terminal what a pipe would get, and below it what is being done now; used as a context manager."""

    def __init__(self, timer: Callable[[], float], now: Callable[[], datetime]) -> None:
        """Measure time with *timer*, that of the run; take prices as of *now*."""
        from rich.console import Console
        from rich.live import Live

        self._timer, self._now = timer, now
        self._console = Console(stderr=True)
        self._plain = PlainAnnouncer(self._print)
        self._notes = FoldedNotes()
        self._snapshot: Snapshot | None = None
        self._moment = Moment(now=timer(), started=timer())
        self._live = Live(console=self._console, get_renderable=self._view, refresh_per_second=4, transient=True)

    def __enter__(self) -> Self:
        self._moment = Moment(now=self._timer(), started=self._timer())
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()
        for note in self._notes.repeated():
            self._print(f"note: {note.message} ({note.times} times)")

    def note(self, message: str) -> None:
        if self._notes.add(message, self._timer()) == 1:
            self._print(f"note: {message}")

    def show(self, snapshot: Snapshot) -> None:
        """Keep the snapshot for the next redraw, which happens in a thread of its own; print what is new."""
        if self._snapshot is None or snapshot.state.models != self._snapshot.state.models:
            self._moment = replace(self._moment, dollars=self._dollars(snapshot))
        self._moment = replace(self._moment, ends=likely_end(snapshot, self._timer()))
        self._snapshot = snapshot
        self._live.refresh()  # else a phase would be told as finished, and shown as running below that
        self._plain.show(snapshot)

    def _print(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def _dollars(self, snapshot: Snapshot) -> Decimal | None:
        from bot.generation.llm.prices import estimate

        if not any(snapshot.state.tokens):
            return None
        return estimate(snapshot.state.models, self._now()).dollars

    def _view(self) -> "Group":
        from rich.console import Group
        from rich.text import Text

        if self._snapshot is None:
            return Group()
        width, height = self._console.size
        now = self._timer()
        moment = replace(self._moment, now=now, notes=self._notes.repeated(since=now - _NEWS))
        rows = live_rows(self._snapshot, moment, width=width, height=height - 1)
        return Group(*(Text(row.text, row.style, no_wrap=True, overflow="ellipsis") for row in rows))
