"""The one place that runs git, through GitPython.

Every call is hardened the same way: no hooks, no prompts, no pager, messages in English, and a session of its
own, so that an interrupt in the terminal reaches Phasebot and not a commit half-way.
"""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from bot.errors import RepositoryError, UsageError

try:
    from git import Git as Command
    from git import Repo
    from git.exc import GitError
except ImportError as exc:  # GitPython looks for git as soon as it is imported
    raise UsageError("starting git: there is none on the PATH; install git 2.33 or newer") from exc

_ENVIRONMENT = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "LC_ALL": "C",
}
_CONFIG = (
    "core.hooksPath=/dev/null",
    "core.quotePath=false",
    "core.fsync=committed,reference",  # a power cut must not take a finished phase either
    "fastimport.unpackLimit=1",  # one pack per phase: one process and one fsync instead of one per object
    "gc.auto=0",
    "maintenance.auto=false",
    "advice.detachedHead=false",
    "log.showSignature=false",
)
REMOTE_TIMEOUT = 300.0
"""Seconds that a fetch or push may take before it is given up."""


class Result(NamedTuple):
    """What git answered."""

    status: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        """The output as text without the newline at its end; bytes that are no UTF-8 survive a round trip."""
        return self.out.decode("utf-8", "surrogateescape").removesuffix("\n")


class Git:
    """Git in one repository."""

    def __init__(self, repo: Repo) -> None:
        self._repo = repo
        self._repo.git.update_environment(**_ENVIRONMENT)
        self._command = ["git", *(word for setting in _CONFIG for word in ("-c", setting))]

    @property
    def common_dir(self) -> Path:
        """The repository's own folder, shared by all its worktrees."""
        return Path(self._repo.common_dir)

    @property
    def worktree(self) -> Path:
        """The root of the worktree Phasebot was pointed at."""
        return Path(str(self._repo.working_dir))

    def run(
        self,
        *arguments: str,
        stdin: bytes = b"",
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        timeout: float | None = None,
    ) -> Result:
        """Run git and return what it answered, whatever its exit status.

        Raises:
            RepositoryError: It could not be started, or took longer than *timeout* seconds.
        """
        command = [*self._command, "-C", str(folder or self.worktree), *arguments]  # its own cwd expands a $NAME
        try:
            running = self._repo.git.execute(
                command, as_process=True, istream=subprocess.PIPE, env=environment, start_new_session=True
            )  # to be held: it kills its process when it is collected
        except (GitError, OSError) as exc:
            raise RepositoryError(f"git {arguments[0]}: {exc}") from exc
        process = running.proc
        assert process is not None, "as_process gives one"  # noqa: S101
        try:
            out, err = process.communicate(stdin, timeout=timeout)
        except subprocess.TimeoutExpired as exc:
            process.kill()
            process.communicate()
            raise RepositoryError(f"git {arguments[0]}: no answer within {timeout:.0f} s; check the network") from exc
        return Result(process.returncode, out, err.decode("utf-8", "replace").strip())

    def __call__(
        self,
        *arguments: str,
        stdin: bytes = b"",
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> str:
        """Run git and return its output as text.

        Raises:
            RepositoryError: Its exit status was not 0.
        """
        result = self.run(*arguments, stdin=stdin, environment=environment, folder=folder)
        if result.status != 0:
            raise RepositoryError(f"git {arguments[0]}: {result.err or f'exit status {result.status}'}")
        return result.text


def through_environment(settings: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Say *settings* through the environment of one call, after those that everything started here inherits.

    What must not show among the arguments of a process, or be written down, goes this way.
    """
    first = int(os.environ.get("GIT_CONFIG_COUNT") or 0)
    said = {"GIT_CONFIG_COUNT": str(first + len(settings))}
    for number, (key, value) in enumerate(settings, first):
        said |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return said


def open_repository(folder: Path, *, search: bool = False) -> Git | None:
    """Open the repository in *folder* (or, with *search*, around it); None when the folder is empty or not there.

    Raises:
        UsageError: The folder holds files but no repository, or a bare repository.
    """
    try:
        if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
            return None
        repo = Repo(folder, search_parent_directories=search, expand_vars=False)
    except GitError as exc:
        raise UsageError(
            f"opening {folder}: it is not empty and no git repository; run 'git init' in it, or name another folder"
        ) from exc
    except OSError as exc:
        raise UsageError(f"opening {folder}: {exc.strerror or exc}") from exc
    if repo.bare:
        raise UsageError(f"opening {folder}: it is a bare repository; clone it and name the clone")
    return Git(repo)


def create_repository(folder: Path) -> Git:
    """Make *folder* a new repository on the unborn branch ``main``.

    Raises:
        UsageError: It can't be made there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        Command().init("--quiet", "--initial-branch=main", "--", str(folder.absolute()))
        return Git(Repo(folder, expand_vars=False))
    except (GitError, OSError) as exc:
        cause = exc.strerror if isinstance(exc, OSError) else exc
        raise UsageError(f"creating a repository in {folder}: {cause}; name another folder") from exc
