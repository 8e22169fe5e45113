"""Writes what a command prints to a file that somebody named: whole or not at all."""

import os
import tempfile
from pathlib import Path

from bot.errors import PhasebotError, UsageError

_MODE = 0o666


def check_place(file: Path) -> None:
    """Make sure, before any work is done, that *file* can stand where it is to.

    Raises:
        UsageError: There is no such folder, or a folder has the name.
    """
    if file.is_dir():
        raise UsageError(f"--output: {file} is a folder; name a file in it, such as {file / 'status.html'}")
    if not file.parent.is_dir():
        raise UsageError(f"--output: there is no folder {file.parent}; create it, or name another file")


def write_file(file: Path, text: str) -> None:
    """Write *text* to *file*; one that is there is replaced at once, so that nobody ever reads a part.

    Raises:
        PhasebotError: It can't be written.
    """
    try:
        if file.exists() and not file.is_file():  # a device or a pipe
            file.write_text(text, encoding="utf-8", errors="replace")
            return
        target = file.resolve()  # a link stays one
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:60]}.")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace", newline="") as stream:
                stream.write(text)
            Path(name).chmod(_mode_of(target))
            Path(name).replace(target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as exc:
        raise PhasebotError(f"writing {file}: {exc.strerror or exc}; free the place, or name another file") from exc


def _mode_of(target: Path) -> int:
    """Return the permissions of the file that is replaced, or those of a new one."""
    if target.exists():
        return target.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return _MODE & ~mask
