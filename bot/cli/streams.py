"""The two streams that everything printed goes through: keys are redacted, and in a job no text is a command.

GitHub Actions executes commands that it finds in what a step prints, whoever wrote it.  So a line that it would execute
is neutralised, whatever code prints it; only :meth:`GuardedStream.write_command` prints commands.
"""

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple, TextIO

from bot.redaction import Redactor


class GuardedStream(io.TextIOBase):
    """A text stream that writes to another one, line by line."""

    def __init__(self, stream: TextIO, redactor: Redactor, *, in_job: bool) -> None:
        """Write to *stream*; *in_job* tells that GitHub Actions reads it.  A terminal gets parts of lines at once."""
        self._stream, self._redactor, self._in_job = stream, redactor, in_job
        self._rest = ""

    @property
    def encoding(self) -> str:  # type: ignore[override]  # typeshed says that it can be set
        return getattr(self._stream, "encoding", None) or "utf-8"

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        return getattr(self._stream, "errors", None)

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()

    def writable(self) -> bool:
        return True

    def write(self, text: str | bytes) -> int:  # click writes bytes that complete a word
        if isinstance(text, bytes):
            text = text.decode()
        if self.isatty() and not self._in_job:
            self._write(self._redactor.redact(text))
            return len(text)
        whole, end, self._rest = (self._rest + text).rpartition("\n")
        if end:
            self._write(self._guarded(whole) + end)
        return len(text)

    def log(self, text: str) -> None:
        """Write lines of progress, or an error; in a job behind a bar, which tells them from the runner's own."""
        text = self._redactor.redact(text)
        if self._in_job:
            from bot.forge.workflow_commands import neutralise

            text = neutralise(text)
        self.write(f"{text}\n")
        self.flush()

    def write_command(self, command: str) -> None:
        """Write a command for the runner, which is trusted, and which may hold a key: the runner is told to mask it."""
        if self._rest:
            self.write("\n")
        self._write(f"{command}\n")
        self._stream.flush()

    def flush(self) -> None:
        """Flush the whole lines; the beginning of a line waits for its end, which may make it a command."""
        self._stream.flush()

    def finish(self) -> None:
        """Write what is left, and flush."""
        rest, self._rest = self._rest, ""
        self._write(self._guarded(rest))
        self._stream.flush()

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
        except UnicodeEncodeError:  # rather escapes than no message
            self._stream.write(text.encode(self.encoding, "backslashreplace").decode(self.encoding))

    def _guarded(self, text: str) -> str:
        text = self._redactor.redact(text)
        if not self._in_job:
            return text
        from bot.forge.workflow_commands import has_command, neutralise

        return "\n".join(neutralise(line) if has_command(line) else line for line in text.split("\n"))


class Streams(NamedTuple):
    """Standard output and error, guarded."""

    out: GuardedStream
    err: GuardedStream


@contextmanager
def guarded_streams(redactor: Redactor, *, in_job: bool) -> Iterator[Streams]:
    """Guard standard output and error meanwhile."""
    before = sys.stdout, sys.stderr
    streams = Streams(*(GuardedStream(stream, redactor, in_job=in_job) for stream in before))
    sys.stdout, sys.stderr = streams
    try:
        yield streams
    finally:
        sys.stdout, sys.stderr = before
        for stream in streams:
            with suppress(OSError):  # nobody reads it any more, or the disk is full
                stream.finish()
