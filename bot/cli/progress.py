"""Shows the progress of a run: as lines in a pipe or log, as a live table on a terminal."""

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple, Self

from bot.cli.output import commit_of, files_of, remarks_of
from bot.engine.snapshot import Snapshot
from bot.history.reasons import code_of, meaning
from bot.history.run_state import PhaseState

if TYPE_CHECKING:
    from rich.table import Table


class _FailureLines:
    """Tells once why files of a phase could not be generated, and which errors are left in the others."""

    def __init__(self) -> None:
        self._told: set[str] = set()
        self._found: set[str] = set()

    def new_lines(self, snapshot: Snapshot) -> Iterator[str]:
        """Yield the lines about phases that failed, or came out with errors, since the last call."""
        for key, failed in snapshot.failures.items():
            if key in self._told:
                continue
            self._told.add(key)
            for reason in dict.fromkeys(failed.values()):
                yield f"      {', '.join(path for path in failed if failed[path] == reason)}: {reason}"
        for key, left in snapshot.findings.items():
            if key not in self._found:
                self._found.add(key)
                yield from (f"      {each.place}: {each.message}" for each in left)


class PlainAnnouncer:
    """Writes one line per event; for pipes, logs and CI."""

    def __init__(self, write: Callable[[str], None]) -> None:
        """Give each line to *write*."""
        self._write = write
        self._shown: set[str] = set()
        self._failures = _FailureLines()
        self._started = False

    def note(self, message: str) -> None:
        self._write(f"note: {message}")

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
    if done == total:
        return f"{branch}: all {total} phases are complete, nothing to do"
    if snapshot.by_templates and not any(each.wanted for each in snapshot.state.phases):
        return f"{branch}: all {total} phases are generated, nothing to do for templates"
    return f"{branch}: {total} phases" + (f", {done} of them complete" if done else "")


def phase_line(snapshot: Snapshot, key: str) -> str:
    """Return a published phase in one line: ``[4/9] entity/Post  4/4 files  committed 1a2b3c4  pushed``."""
    each = snapshot.phase(key)
    parts = [
        f"[{each.phase.place}/{len(snapshot.state.phases)}] {key}",
        files_of(each),
        f"committed {commit_of(each)}",
        "pushed" if snapshot.pushes else "",
        remarks_of(each),
    ]
    return "  ".join(part for part in parts if part)


class LiveAnnouncer:
    """Shows all phases on a terminal and redraws them as they change; used as a context manager."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live

        self._console = Console(stderr=True)
        self._snapshot: Snapshot | None = None
        self._failures = _FailureLines()
        self._live = Live(console=self._console, get_renderable=self._table, refresh_per_second=4)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def note(self, message: str) -> None:
        self._console.print(f"note: {message}", markup=False, highlight=False)

    def show(self, snapshot: Snapshot) -> None:
        """Keep the snapshot for the next redraw, which happens in a thread of its own; print why phases failed."""
        self._snapshot = snapshot
        for line in self._failures.new_lines(snapshot):
            self._console.print(line, markup=False, highlight=False)

    def _table(self) -> "Table":
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2))
        rows = [_row(self._snapshot, each) for each in self._snapshot.state.phases] if self._snapshot else []
        now = time.monotonic()
        room = max(3, self._console.height - 2)
        for row in rows[-room:]:
            word = row.word if row.started is None else f"{now - row.started:.0f} s"
            table.add_row(row.place, row.key, Text(word, row.style), Text(row.detail, overflow="ellipsis"))
        if len(rows) > room:
            table.add_row("", f"and {len(rows) - room} more above")
        return table


class _Row(NamedTuple):
    """One phase in the live table."""

    place: str
    key: str
    word: str
    style: str
    detail: str
    started: float | None = None


def _row(snapshot: Snapshot, each: PhaseState) -> _Row:
    key, place = each.phase.key, f"{each.phase.place}/{len(snapshot.state.phases)}"
    if (started := snapshot.active.get(key)) is not None:
        return _Row(place, key, "", "yellow", ", ".join(each.phase.files), started)
    if key in snapshot.failures:
        failed = snapshot.failures[key]
        why = ", ".join(dict.fromkeys(meaning(code_of(reason)).words for reason in failed.values()))
        return _Row(place, key, "incomplete", "red", f"{why}: missing {', '.join(failed)}")
    if each.wanted:
        return _Row(place, key, "waiting", "dim", "")
    if each.unmet:
        return _Row(place, key, "pending", "yellow", "  ".join(filter(None, (files_of(each), remarks_of(each)))))
    details = (files_of(each), commit_of(each), remarks_of(each))
    return _Row(place, key, "done", "green", "  ".join(filter(None, details)))
