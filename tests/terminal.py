"""A terminal of any size: runs a command in it, and tells what its screen showed, and when."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyte

_TICK = 0.02


@dataclass(frozen=True)
class Shown:
    """What a command showed."""

    code: int
    output: bytes
    frames: Sequence[tuple[float, Sequence[str]]] = field(repr=False)
    """Seconds since the start, and the lines of the screen; only what differs from the frame before."""
    history: Sequence[str]
    """All lines at the end, those that have left the screen included."""

    @property
    def last(self) -> Sequence[str]:
        return self.frames[-1][1] if self.frames else ()


def run_in_terminal(
    command: Sequence[object],
    *,
    columns: int = 80,
    rows: int = 24,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    at_frame: Callable[[Sequence[str], "subprocess.Popen[bytes]"], None] | None = None,
    seconds: float = 120.0,
) -> Shown:
    """Run *command* to its end; *at_frame* sees each frame and may send signals.

    Raises:
        TimeoutError: It took longer than *seconds*.
    """
    screen = pyte.HistoryScreen(columns, rows, history=100_000, ratio=0.5)
    stream = pyte.ByteStream(screen)
    terminal, other = pty.openpty()
    fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    started = time.monotonic()
    process = subprocess.Popen(
        [*map(str, command)],
        stdin=other,
        stdout=other,
        stderr=other,
        cwd=cwd,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "", "LINES": "", **(environ or {})},
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509  # no test starts threads here
    )
    os.close(other)
    output, frames = bytearray(), list[tuple[float, Sequence[str]]]()
    try:
        while time.monotonic() - started < seconds:
            is_ready = select.select([terminal], [], [], _TICK)[0]
            try:
                piece = os.read(terminal, 1 << 16) if is_ready else b""
            except OSError:  # nobody has the other end any more
                break
            if is_ready and not piece:
                break
            output += piece
            stream.feed(piece)
            lines = [line.rstrip() for line in screen.display]
            if not frames or frames[-1][1] != lines:
                frames.append((time.monotonic() - started, lines))
                if at_frame:
                    at_frame(lines, process)
        else:
            raise TimeoutError("\n".join([f"{command}: it takes longer than {seconds} s", *screen.display]))
        code = process.wait(seconds)
    finally:
        process.kill()
        os.close(terminal)
    above = ["".join(line[column].data for column in range(columns)).rstrip() for line in screen.history.top]
    return Shown(code, bytes(output), frames, [*above, *(line.rstrip() for line in screen.display)])
