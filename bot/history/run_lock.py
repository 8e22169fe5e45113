"""One process at a time works on a run in one clone."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from bot.errors import RepositoryError


def lock_run(git_folder: Path, run: str, on_wait: Callable[[], None]) -> AbstractContextManager[object]:
    """Hold the lock of *run*, waiting for another process to release it; the system releases it if a process dies.

    *on_wait* is called once before it waits.

    Raises:
        RepositoryError: The lock file can't be written.
    """
    from filelock import FileLock, Timeout

    path = git_folder / "phasebot" / f"{run.replace('/', '--')}.lock"
    try:
        path.parent.mkdir(exist_ok=True)
        try:
            return FileLock(path).acquire(timeout=0)
        except Timeout:
            on_wait()
            return FileLock(path).acquire()
    except OSError as exc:
        raise RepositoryError(f"locking the run {run}: {exc}; check the permissions of {path.parent}") from exc
