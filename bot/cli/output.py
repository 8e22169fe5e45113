"""What people see on a terminal, in a pipe, and as JSON.  Rendered from state; decides nothing."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from bot.engine.requests import RunResult
from bot.engine.runner import Runner
from bot.history.run_state import PhaseState, RunState
from bot.planning.phases import Phase

if TYPE_CHECKING:
    from rich.table import Table

_SHORT = 7
_SNAPSHOT_SECONDS = 0.1


def render_json(state: RunState) -> str:
    """Return the state as the contract's JSON object (design §3)."""
    return json.dumps(_as_json(state), indent=2)


def _as_json(state: RunState) -> dict[str, Any]:
    return {
        "run": state.run,
        "branch": state.branch,
        "base": state.base,
        "head": state.head,
        "complete": state.complete,
        "phases": [
            {
                "key": each.phase.key,
                "title": each.phase.title,
                "status": each.status,
                "commit": each.commit,
                "files": list(each.files),
                "missing": list(each.missing),
                "edited": list(each.edited),
                "conflicts": list(each.conflicts),
                "stale": each.stale,
                "tokens": {"in": each.tokens[0], "out": each.tokens[1]},
            }
            for each in state.phases
        ],
        "tokens": {"in": state.tokens[0], "out": state.tokens[1]},
        "pushed": state.pushed,
    }


def render_status(state: RunState, now: datetime) -> str:
    """Return the phases as a table, one a line, and the run's line under it."""
    rows = [
        (_place(each, state), each.phase.key, each.status, _files(each), _commit(each), _remarks(each))
        for each in state.phases
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(5)] if rows else []
    lines = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row[:5], widths, strict=True)), row[5]]).rstrip()
        for row in rows
    ]
    return "\n".join([*lines, render_summary(state, now)])


def render_summary(state: RunState, now: datetime) -> str:
    """Return where the run stands, in a line; prices are those of *now*."""
    done = sum(1 for each in state.phases if not each.wanted)
    files = sum(len(each.files) for each in state.phases)
    spent = f", {sum(state.tokens):,} tokens, {_cost(state, now)}" if any(state.tokens) else ""
    word = "complete" if state.complete else "incomplete"
    where = f"{state.branch} at {state.head[:_SHORT]}" + (", pushed" if state.pushed else "")
    return f"{word}: {done} of {len(state.phases)} phases, {files} files{spent} on {where}"


def render_stale(state: RunState) -> str:
    """Return which phases a newer one they need has passed, and what makes them again; nothing where there is none."""
    stale = [each.phase.key for each in state.phases if each.stale == "dependency"]
    return f"older than what they need: {', '.join(stale)}; generate --cascade makes them again" if stale else ""


def render_left(outcome: RunResult) -> str:
    """Return which phases are left, and what has to be run for them."""
    left = ", ".join(outcome.left)
    if outcome.lacking:
        need = "need" if len(outcome.left) > 1 else "needs"
        return f"{left}, which {need} {', '.join(outcome.lacking)}; make those too, or run generate for all phases"
    return f"{left}; run generate again to continue"


def _cost(state: RunState, now: datetime) -> str:
    from bot.generation.llm.prices import estimate

    return str(estimate(state.models, now))


def _place(each: PhaseState, state: RunState) -> str:
    return f"[{each.phase.place}/{len(state.phases)}]"


def _files(each: PhaseState) -> str:
    return f"{len(each.files)}/{len(each.phase.files)} files"


def _commit(each: PhaseState) -> str:
    return each.commit[:_SHORT] if each.commit else "-"


def _remarks(each: PhaseState) -> str:
    remarks = [f"stale by {each.stale}"] if each.stale else []
    named = (
        ("missing", each.missing),
        ("edited", each.edited),
        ("kept yours", each.conflicts),
        ("from the template", each.fallback),
    )
    remarks += [f"{word}: {', '.join(paths)}" for word, paths in named if paths]
    return "; ".join(remarks)


class PlainAnnouncer:
    """Tells a run as lines that read as a story; for pipes, logs and CI."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        """Give each line to *tell*."""
        self._tell = tell
        self._told: set[str] = set()
        self._failed: set[str] = set()
        self._begun = False

    def note(self, message: str) -> None:
        self._tell(f"note: {message}")

    def show(self, run: Runner) -> None:
        """Tell what is new: phases that are out now, and phases that could not be made."""
        if not run.phases:
            return
        for line in self._lines(run):
            self._tell(line)

    def _lines(self, run: Runner) -> Iterator[str]:
        if not self._begun:
            self._begun = True
            yield self._first_line(run)
        for key, oid in run.made_and_out():
            if oid not in self._told:
                self._told.add(oid)
                yield phase_line(run, key)
        for key in run.failures.keys() - self._failed:
            self._failed.add(key)
            failed = run.failures[key]
            for reason in dict.fromkeys(failed.values()):
                yield f"      {', '.join(path for path in failed if failed[path] == reason)}: {reason}"

    def _first_line(self, run: Runner) -> str:
        total, before = len(run.phases), run.done_before
        if before == total:
            return f"{run.branch.name}: all {total} phases were done before, nothing to do"
        return f"{run.branch.name}: {total} phases" + (f", {before} of them done before" if before else "")


def phase_line(run: Runner, key: str) -> str:
    """Return a phase that is out, in a line: ``[4/9] entity/Post  4/4 files  committed 1a2b3c4  pushed``."""
    each = run.phase(key)
    parts = [
        f"[{each.phase.place}/{len(run.phases)}] {key}",
        _files(each),
        f"committed {_commit(each)}",
        "pushed" if run.branch.pushes else "",
        _remarks(each),
    ]
    return "  ".join(part for part in parts if part)


class LiveAnnouncer:
    """Shows all phases at once on a terminal, redrawn as they come; to be used as a context manager.

    What is drawn is a snapshot, because rich draws in a thread of its own.
    """

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live

        self._console = Console(stderr=True)
        self._rows: list[_Row] = []
        self._run: Runner | None = None
        self._drawn = 0.0
        self._live = Live(console=self._console, get_renderable=self._table, refresh_per_second=4)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._run:
            self._rows = _rows(self._run)
        self._live.stop()

    def note(self, message: str) -> None:
        self._console.print(f"note: {message}", markup=False, highlight=False)

    def show(self, run: Runner) -> None:
        """Take a snapshot of the run, ten times a second at most."""
        self._run = run
        now = time.monotonic()
        if now - self._drawn > _SNAPSHOT_SECONDS:
            self._rows, self._drawn = _rows(run), now

    def _table(self) -> "Table":
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2))
        now = time.monotonic()
        room = max(3, self._console.height - 2)
        for row in self._rows[-room:]:
            word = row.word if row.begun is None else f"{now - row.begun:.0f} s"
            table.add_row(row.place, row.key, Text(word, row.style), Text(row.detail, overflow="ellipsis"))
        if len(self._rows) > room:
            table.add_row("", f"and {len(self._rows) - room} more above")
        return table


class _Row(NamedTuple):
    """One phase in the live view."""

    place: str
    key: str
    word: str
    style: str
    detail: str
    begun: float | None = None


def _rows(run: Runner) -> list[_Row]:
    return [_row(run, phase) for phase in run.phases]


def _row(run: Runner, phase: Phase) -> _Row:
    state = run.phase(phase.key)
    place = f"{phase.place}/{len(run.phases)}"
    if (begun := run.active.get(phase.key)) is not None:
        return _Row(place, phase.key, "", "yellow", ", ".join(phase.files), begun)
    if phase.key in run.failures:
        return _Row(place, phase.key, "incomplete", "red", f"missing {', '.join(run.failures[phase.key])}")
    if state.wanted:
        return _Row(place, phase.key, "waiting", "dim", "")
    return _Row(
        place, phase.key, "done", "green", "  ".join(filter(None, (_files(state), _commit(state), _remarks(state))))
    )
