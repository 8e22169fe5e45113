"""Read the recipes that plans and specs name: from the base, or from the worktree of the person who runs the command.

A branch may hold any recipe, and a workspace any branch, so GitHub Actions reads recipes as the base has them in git.
"""

from pathlib import Path

from bot.history.git import Git
from bot.history.repository import Repository
from bot.planning.recipe import MAX_BYTES, read_inside

_FILE = "phasebot-recipes"
"""In git's folder: the folders outside the repository that people named with --recipe in this clone, a line each."""


class BaseFiles:
    """Reads files of a commit of the base."""

    def __init__(self, repository: Repository) -> None:
        """Read from *repository*; :attr:`commit` says from where."""
        self._repository = repository
        self.commit: str | None = None

    def __call__(self, path: str) -> bytes:
        """Return the file *path*.  Raises ValueError if it is not there, or no file, or too large."""
        entry = self._repository.entries(self.commit, [path]).get(path) if self.commit else None
        if entry is None or not entry.is_file:
            raise ValueError("the base has no such file")
        if int(self._repository.git("cat-file", "-s", entry.oid)) > MAX_BYTES:
            raise ValueError("it is too large")
        return self._repository.blob(entry.oid)


def worktree_file(root: Path, path: str) -> bytes:
    """Return the file *path* of a worktree; raises OSError or ValueError."""
    found = (root / path).resolve()
    if not found.is_relative_to(root.resolve()) or ".git" in found.relative_to(root.resolve()).parts:
        raise ValueError("it is a link out of the repository's files")
    return read_inside(root, path)


def remembered(git: Git) -> set[str]:
    """Return the folders outside the repository that people named in this clone."""
    try:
        return set((git.common_dir / _FILE).read_text().splitlines())
    except (OSError, ValueError):
        return set()


def remember(git: Git, name: str) -> None:
    """Note that somebody named the folder *name* in this clone; where that can't be written, they name it again."""
    if name in remembered(git):
        return
    try:
        with (git.common_dir / _FILE).open("a") as file:
            file.write(f"{name}\n")
    except OSError:
        return
