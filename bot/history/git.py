"""The one place that runs git, through GitPython.

Every call is hardened the same way: no hooks, no prompts, no pager, English messages.  Git runs in its own session,
so that Ctrl-C in the terminal reaches Phasebot and does not kill git in the middle of a commit.
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
except ImportError as exc:  # GitPython looks for git when it is imported
    raise UsageError("starting git: it is not on the PATH; install git 2.33 or newer") from exc

_ENVIRONMENT = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    **dict.fromkeys(("GIT_GLOB_PATHSPECS", "GIT_NOGLOB_PATHSPECS", "GIT_ICASE_PATHSPECS"), "0"),  # ours are literal
    "LC_ALL": "C",
}
_CONFIG = (
    "core.hooksPath=/dev/null",
    "core.quotePath=false",
    "core.ignoreCase=false",  # else fast-import would put app/x into App/, and overwrite Readme.md with README.md
    "core.fsync=committed,reference",  # a power cut must not lose a finished phase either
    "fastimport.unpackLimit=1",  # one pack per phase: one process and one fsync instead of one per object
    "gc.auto=0",
    "maintenance.auto=false",
    "advice.detachedHead=false",
    "log.showSignature=false",
)
REMOTE_TIMEOUT = 300.0
"""Timeout of a fetch or push, in seconds."""


class Result(NamedTuple):
    """Exit status and output of a git process."""

    status: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        """The output as text without the final newline; bytes that are not UTF-8 survive a round trip."""
        return self.out.decode("utf-8", "surrogateescape").removesuffix("\n")


class Git:
    """Runs git in one repository."""

    def __init__(self, repo: Repo) -> None:
        self._repo = repo
        self._repo.git.update_environment(**_ENVIRONMENT)
        self._command = ["git", *(word for setting in _CONFIG for word in ("-c", setting))]

    @property
    def common_dir(self) -> Path:
        """The repository's ``.git`` folder, which all its worktrees share."""
        return Path(self._repo.common_dir)

    @property
    def worktree(self) -> Path:
        """The root of the worktree that Phasebot was started on."""
        return Path(str(self._repo.working_dir))

    def run(
        self,
        *arguments: str,
        stdin: bytes = b"",
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        timeout: float | None = None,
    ) -> Result:
        """Run git and return its result, whatever the exit status.

        Raises:
            RepositoryError: Git could not be started, or took longer than *timeout* seconds.
        """
        command = [
            *self._command,
            "-C",
            str(folder or self.worktree),
            *arguments,
        ]  # GitPython expands $NAME in its working_dir
        try:
            handle = self._repo.git.execute(
                command, as_process=True, istream=subprocess.PIPE, env=environment, start_new_session=True
            )  # keep a reference: the handle kills the process when it is garbage-collected
        except (GitError, OSError) as exc:
            raise RepositoryError(f"git {arguments[0]}: {exc}") from exc
        process = handle.proc
        assert process is not None, "as_process returns a process"  # noqa: S101
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
            RepositoryError: The exit status was not 0.
        """
        result = self.run(*arguments, stdin=stdin, environment=environment, folder=folder)
        if result.status != 0:
            command = next(word for word in arguments if not word.startswith("-"))
            raise RepositoryError(f"git {command}: {result.err or f'exit status {result.status}'}")
        return result.text


def main_line(err: str) -> str:
    """Return the line of git's messages that says what went wrong."""
    lines = [line for line in err.splitlines() if line.strip()]
    prefixed = (line for prefix in ("fatal:", "error:") for line in lines if line.startswith(prefix))
    return next(prefixed, lines[-1] if lines else "git gave no reason")


def config_environment(settings: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return environment variables that pass *settings* to one git call, after the inherited ones.

    Use this for secrets: they do not appear in the process's arguments and are not written to a file.
    """
    first = int(os.environ.get("GIT_CONFIG_COUNT") or 0)
    variables = {"GIT_CONFIG_COUNT": str(first + len(settings))}
    for number, (key, value) in enumerate(settings, first):
        variables |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return variables


def open_repository(folder: Path, *, search: bool = False) -> Git | None:
    """Open the repository in *folder* or, with *search*, in a parent folder; None if *folder* is empty or missing.

    Raises:
        UsageError: The folder has files but is not a repository, or it is a bare repository.
    """
    try:
        if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
            return None
        repo = Repo(folder, search_parent_directories=search, expand_vars=False)
    except GitError as exc:
        raise UsageError(
            f"opening {folder}: it is not empty and not a git repository; run 'git init' in it, or name another folder"
        ) from exc
    except OSError as exc:
        raise UsageError(f"opening {folder}: {exc.strerror or exc}") from exc
    if repo.bare:
        raise UsageError(f"opening {folder}: it is a bare repository; clone it and use the clone")
    return Git(repo)


def create_repository(folder: Path) -> Git:
    """Create a repository in *folder* with the unborn branch ``main``.

    Raises:
        UsageError: It can't be created there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        Command().init("--quiet", "--initial-branch=main", "--", str(folder.absolute()))
        return Git(Repo(folder, expand_vars=False))
    except (GitError, OSError) as exc:
        cause = exc.strerror if isinstance(exc, OSError) else exc
        raise UsageError(f"creating a repository in {folder}: {cause}; name another folder") from exc
