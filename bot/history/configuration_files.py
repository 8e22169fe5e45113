"""Read what a repository sets: for the action as the base has it in git, for a person as it is in the worktree.

A workspace may hold any branch, and what a pull request says must not count before it is merged.
"""

from pathlib import Path

from bot.configuration import ACTION_FILE, PROJECT_FILE, Configuration, read_action_file, read_project_file
from bot.errors import UsageError
from bot.history.repository import Repository
from bot.planning.recipe import read_inside
from bot.sandbox.protocol import Run

_MAX_BYTES = 100_000
_OTHER_NAME = ".github/phasebot.yaml"


def configuration_at(repository: Repository, commit: str) -> Configuration:
    """Return what ``.github/phasebot.yml`` of *commit* sets; nothing if there is none.

    Raises:
        UsageError: It can't be used.
    """
    found = repository.entries(commit, [ACTION_FILE, _OTHER_NAME])
    entry = found.get(ACTION_FILE)
    if entry is None:
        if _OTHER_NAME in found:
            raise UsageError(f"reading {_OTHER_NAME}: only {ACTION_FILE} is read; rename the file")
        return Configuration()
    if not entry.is_file:
        raise UsageError(f"reading {ACTION_FILE}: it is a link or a folder; make it a file")
    if int(repository.git("cat-file", "-s", entry.oid)) > _MAX_BYTES:
        raise UsageError(f"reading {ACTION_FILE}: it is larger than {_MAX_BYTES:,} bytes; shorten it")
    return read_action_file(_decoded(repository.blob(entry.oid), ACTION_FILE))


def worktree_configuration(folder: Path, run: Run) -> Configuration:
    """Return what ``pyproject.toml`` at the root of the repository at *folder* sets; nothing if there is none.

    As for all commands, the current folder may be anywhere in the repository.  *run* performs tasks in the bounded
    worker.

    Raises:
        UsageError: It can't be used.
    """
    root = worktree_root(folder, search=folder == Path())
    if root is None:
        return Configuration()
    try:
        content = read_inside(root, PROJECT_FILE)
    except FileNotFoundError:
        return Configuration()
    except (OSError, ValueError) as exc:
        cause = exc.strerror if isinstance(exc, OSError) else exc
        why = cause or "it is a link out of the repository, or too large"
        raise UsageError(f"reading {PROJECT_FILE}: {why}; make it a file that you can read") from exc
    if b"phasebot" not in content:  # then nothing in it is about us, whatever it is
        return Configuration()
    return read_project_file(_decoded(content, PROJECT_FILE), run)


def worktree_root(folder: Path, *, search: bool) -> Path | None:
    """Return *folder*, or with *search* the nearest one above it, if that is the root of a worktree; else None."""
    try:
        start = folder.resolve()
        places = (start, *start.parents) if search else (start,)
        return next((place for place in places if (place / ".git").exists()), None)
    except (OSError, ValueError):  # who opens the repository says what is wrong with it
        return None


def _decoded(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise UsageError(f"reading {name}: it is not UTF-8; save it as UTF-8") from exc
