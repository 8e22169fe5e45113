"""Write new files into a worktree: all of them or none, each whole, and nothing that is there is replaced."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from bot.errors import UsageError


def check_place(root: Path, path: str) -> bool:
    """Whether there is a file at *path*; nothing is followed on the way.

    Raises:
        UsageError: There is something else, or a link or a file on the way.
    """
    place = root
    for part in Path(path).parts:
        place /= part
        is_last = place == root / path
        if place.is_symlink() or (place.exists() and not (place.is_file() if is_last else place.is_dir())):
            kind = "a link" if place.is_symlink() else "in the way"
            raise UsageError(f"writing {path}: {place.relative_to(root)} is {kind}; move it away and try again")
    return place.exists()


def write_new(root: Path, files: Mapping[str, str]) -> None:
    """Write *files*: path → text.

    Raises:
        UsageError: One can't be written, or came into being meanwhile; none is there then.
    """
    made: list[Path] = []
    folders: list[Path] = []
    for path, text in files.items():
        try:
            check_place(root, path)
            folders += _make_folders(root, path)
            _write(root / path, text)
        except OSError as exc:
            for each in made:
                each.unlink(missing_ok=True)
            for folder in reversed(folders):
                with suppress(OSError):
                    folder.rmdir()
            raise UsageError(f"writing {path}: {exc.strerror or exc}; nothing was written") from exc
        made.append(root / path)


def _make_folders(root: Path, path: str) -> Sequence[Path]:
    missing = [root / each for each in reversed(Path(path).parents) if not (root / each).exists()]
    for folder in missing:
        folder.mkdir()
    return missing


def _write(place: Path, text: str) -> None:
    descriptor, name = tempfile.mkstemp(dir=place.parent, prefix=".phasebot-")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            os.fchmod(descriptor, 0o666 & ~_umask())
            file.write(text)
        os.link(name, place)  # unlike a move, it replaces nothing
    finally:
        Path(name).unlink()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
