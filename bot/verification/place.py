"""The clean place: a temporary folder with the tree, a home folder and a folder for temporary files."""

import os
import stat
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from bot.verification.environment import Folders

_TREE, _HOME, _TEMPORARY, _VENV = "tree", "home", "tmp", "venv"


class Place:
    """The folders of a clean place."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.tree = root / _TREE
        self.venv = root / _VENV
        for name in (_TREE, _HOME, _TEMPORARY):
            (root / name).mkdir()

    def empty(self) -> Sequence[Path]:
        """Make the place anew, but for its environment, and return the new folders.  No process may use it."""
        for path in [*self.root.iterdir()]:
            if path.is_dir() and not path.is_symlink():  # a command may have put anything there
                if path != self.venv:
                    remove_folder(path)
            else:
                path.unlink()
        made = [self.root / name for name in (_TREE, _HOME, _TEMPORARY)]
        for path in made:
            path.mkdir()
        return made

    def folders(self, folder: str) -> Folders:
        """Return the folders for the project in *folder* of the tree."""
        project = self.tree if folder == "." else self.tree / folder
        venv = str(self.venv) if self.venv.exists() else ""
        return Folders(str(project), str(self.root / _HOME), str(self.root / _TEMPORARY), venv)


@contextmanager
def clean_place() -> Iterator[Place]:
    """Make a clean place, which is removed when the context is left."""
    root = Path(os.path.realpath(tempfile.mkdtemp(prefix="phasebot-verify-")))
    try:
        yield Place(root)
    finally:
        remove_folder(root)


def replace_file(folder: Path, path: str, text: str) -> None:
    """Write *text* to *path* in *folder*, in place of what stands there; no link leads out of the folder."""
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    with target.open("x", encoding="utf-8", newline="") as file:
        file.write(text)


def give_to(user: int, folder: Path) -> None:
    """Let *user* own *folder* with all that is in it, which only root can."""
    if folder.stat().st_uid == user:
        return
    for root, names, files in os.walk(folder):
        for name in (*names, *files):
            os.chown(os.path.join(root, name), user, user, follow_symlinks=False)  # noqa: PTH118
    os.chown(folder, user, user)


def remove_folder(folder: Path) -> None:
    """Remove *folder* with all that is in it, however deep it is, and whatever it forbids.  Nobody may use it."""
    parent = os.open(folder.parent, os.O_RDONLY | os.O_DIRECTORY)
    names = [folder.name]
    try:
        here = _enter(folder.name, parent)
        while names:
            if name := _remove_files(here):
                names.append(name)
                inner = _enter(name, here)
                os.close(here)
                here = inner
            else:
                outer = os.open("..", os.O_RDONLY | os.O_DIRECTORY, dir_fd=here)
                os.close(here)
                os.rmdir(names.pop(), dir_fd=outer)
                here = outer
        os.close(here)
    finally:
        os.close(parent)


def _enter(name: str, parent: int) -> int:
    with suppress(PermissionError):
        os.chmod(name, stat.S_IRWXU, dir_fd=parent)  # relative to a descriptor
    return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)


def _remove_files(folder: int) -> str | None:
    """Remove files up to the first folder in the open folder, and return its name; None if there is none."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                return entry.name
            os.unlink(entry.name, dir_fd=folder)  # relative to a descriptor
    return None


def read_file(path: Path, root: Path, most: int) -> bytes | None:
    """Return the content of a file that a command wrote; None if it isn't one, or it is not inside *root*.

    At most one byte more than *most* is read.
    """
    real = Path(os.path.realpath(path))
    if not real.is_relative_to(root):
        return None
    try:
        descriptor = os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except (OSError, ValueError):
        return None
    with os.fdopen(descriptor, "rb") as file:
        return file.read(most + 1) if stat.S_ISREG(os.fstat(descriptor).st_mode) else None
