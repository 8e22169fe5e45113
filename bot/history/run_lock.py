"""Lock a run, so that only one process per clone works on it."""

import os
import stat
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from bot.errors import RepositoryError


def lock_run(git_folder: Path, run: str, on_wait: Callable[[], None]) -> AbstractContextManager[object]:
    """Acquire the lock of *run*, and wait if another process holds it; a dying process releases its lock.

    *on_wait* is called once before waiting.  A repository that can't be written needs no lock.

    Raises:
        RepositoryError: The lock file can't be written.
    """
    from filelock import FileLock, Timeout

    if not os.access(git_folder / "objects", os.W_OK):
        return nullcontext()
    path = git_folder / "phasebot" / f"{run.replace('/', '--')}.lock"
    try:
        mode = stat.S_IMODE(git_folder.stat().st_mode)  # whoever shares the repository shares the lock
        if not path.parent.exists():
            path.parent.mkdir(exist_ok=True)
            path.parent.chmod(mode)
        lock = FileLock(path, mode=mode & 0o666)
        try:
            return lock.acquire(timeout=0)
        except Timeout:
            on_wait()
            return lock.acquire()
    except OSError as exc:
        raise RepositoryError(f"locking the run {run}: {exc}; check the permissions of {path.parent}") from exc
