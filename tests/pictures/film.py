"""Films a terminal: commands run in a pseudo-terminal, and each screen that they show is kept with its time."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pyte

COLUMNS, ROWS = 80, 24
_QUIET = 0.03
"""A screen that has not changed for so many seconds is whole: programs redraw it in several writes."""
_TYPING = 0.045
"""Seconds of the film for a key."""


class Run(NamedTuple):
    """Characters of a row that look alike."""

    column: int
    text: str
    style: str
    """Names of CSS classes: a colour, ``bold``."""


Row = tuple[Run, ...]


class Frame(NamedTuple):
    """A screen, and when the film shows it first."""

    at: float
    rows: tuple[Row, ...]

    @property
    def text(self) -> str:
        """What stands on the screen, without the empty rows at its end."""
        return "\n".join(text_of(row) for row in self.rows).rstrip()


def text_of(row: Sequence[Run]) -> str:
    """Return a row as plain text."""
    line = ""
    for run in row:
        line = line.ljust(run.column) + run.text
    return line.rstrip()


@dataclass
class Film:
    """What a terminal shows while commands run in it; their time is shortened by *speed*."""

    folder: Path
    environment: Mapping[str, str]
    speed: float = 1.0
    frames: list[Frame] = field(default_factory=list)
    now: float = 0.0
    """Seconds of the film so far."""

    def __post_init__(self) -> None:
        """Begin with an empty terminal."""
        self._screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self._screen)

    def pause(self, seconds: float) -> None:
        """Show the screen as it is for so many seconds of the film."""
        self.now += seconds

    def type(self, line: str) -> None:
        """Type a command at the prompt."""
        self._show(b"\x1b[32m$\x1b[0m ")
        for key in line:
            self.now += _TYPING
            self._show(key.encode())
        self.now += 0.3
        self._show(b"\r\n")

    def run(self, *command: str, until: Callable[[str], bool] | None = None) -> int:
        """Run a command, to its end or to Ctrl-C when the screen is as *until* says; return its exit code."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        with subprocess.Popen(
            command, cwd=self.folder, env=self.environment, stdin=theirs, stdout=theirs, stderr=theirs, process_group=0
        ) as process:
            os.close(theirs)
            begun, started = time.monotonic(), self.now
            while block := _read(ours):
                self.now = started + (time.monotonic() - begun) / self.speed
                self._show(block)
                if until and until(self.frames[-1].text):
                    until = None
                    self._show(b"^C")
                    os.killpg(process.pid, signal.SIGINT)
        os.close(ours)
        self.now = started + (time.monotonic() - begun) / self.speed
        return process.returncode

    def _show(self, output: bytes) -> None:
        self._stream.feed(output)
        rows = tuple(self._row(number) for number in range(ROWS))
        if not self.frames or rows != self.frames[-1].rows:
            self.frames.append(Frame(self.now, rows))

    def _row(self, number: int) -> Row:
        cells = self._screen.buffer[number]
        runs: list[Run] = []
        for column in range(COLUMNS):
            cell = cells[column]
            style = _style(cell)
            if runs and runs[-1].style == style and runs[-1].column + len(runs[-1].text) == column:
                runs[-1] = runs[-1]._replace(text=runs[-1].text + cell.data)
            elif cell.data != " ":
                runs.append(Run(column, cell.data, style))
        return tuple(kept for run in runs if (kept := run._replace(text=run.text.rstrip())).text)


def _read(terminal: int) -> bytes:
    """Return what a program writes until it is quiet for a moment; nothing when it has ended."""
    whole = b""
    while not whole or select.select([terminal], [], [], _QUIET)[0]:
        try:
            block = os.read(terminal, 65536)
        except OSError:  # Linux says so when the other side is closed
            return whole
        if not block:
            return whole
        whole += block
    return whole


def _style(cell: Any) -> str:  # noqa: ANN401  # pyte has no types
    colour = "" if cell.fg == "default" else str(cell.fg)
    return " ".join(filter(None, (colour, "bold" if cell.bold else "")))
