"""The one place that runs git, through GitPython.

Every call is hardened the same way: no hooks, no prompts, no pager, English messages.  Git runs in its own session,
so that Ctrl-C in the terminal reaches Phasebot and does not kill git in the middle of a commit.
"""

import os
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from bot.errors import RepositoryError, UsageError
from bot.history.child_process import read_to_end

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
    "core.fsmonitor=false",  # it may be a program
)
_READ_OBJECTS = ("cat-file", "diff-tree", "fast-import", "log", "ls-tree", "merge-base", "rev-list")
"""Commands that may fetch objects with the token; they use no worktree, and so run no program on its files."""
_FOREIGN = re.compile("detected dubious ownership|^fatal: unsafe repository", re.MULTILINE)
_RUN_FILTERS = ("checkout-index", "hash-object", "update-index")
"""Commands that read or write files of a worktree, and so run the filters of git's configuration."""
_LFS = re.compile(r"git-lfs (filter-process|(clean|smudge)( --skip)? -- %f|filter-process --skip)")
"""The filter that actions/checkout configures in the workspace, if it is told so."""
_VERSION = re.compile(r"git version ([0-9]{1,4}(?:\.[0-9]{1,4}){1,2})")
_REMOTE_COMMANDS = ("fetch", "ls-remote", "push")
_FIND_PROGRAM = "check the programs that git's configuration runs, such as filters, and the disk"
_GET_PERMISSION = "get write permission for it, or work in a clone of your own"
REMOTE_TIMEOUT = 300.0
"""Timeout of whatever may use the network, in seconds."""
LOCAL_TIMEOUT = 600.0
"""Timeout of everything else, in seconds: a filter program, a FIFO or a dead disk may hold it up."""


class Result(NamedTuple):
    """Exit status and output of a git process."""

    status: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        """The output as text without the final newline; bytes that are not UTF-8 survive a round trip."""
        return self.out.decode("utf-8", "surrogateescape").removesuffix("\n")


class _Call(NamedTuple):
    """How git is called."""

    arguments: Sequence[str]
    stdin: bytes = b""
    environment: Mapping[str, str] | None = None
    """Added to the inherited one."""
    timeout: float = LOCAL_TIMEOUT
    fetches: bool = False
    """Whether the command may fetch objects, though that is not what it is for."""

    @property
    def command(self) -> str:
        return command_of(self.arguments)


class Git:
    """Runs git in one repository."""

    def __init__(self, repo: Repo, *, is_workspace: bool = False) -> None:
        """Run git in *repo*, which is the workspace that a runner mounted for this job if *is_workspace*.

        A container's workspace may belong to another user.  Git refuses such a folder, unless it is told that it is
        safe, which only that one is.
        """
        self._repo, self._is_workspace = repo, is_workspace
        self._repo.git.update_environment(**_ENVIRONMENT)
        self._options = [word for setting in _CONFIG for word in ("-c", setting)]
        if is_workspace:
            self._options += ["-c", f"safe.directory={self.worktree.resolve()}"]
        self._credentials: Mapping[str, str] = {}
        self._redact: Callable[[str], str] = str

    @property
    def common_dir(self) -> Path:
        """The repository's ``.git`` folder, which all its worktrees share."""
        return Path(self._repo.common_dir)

    @property
    def worktree(self) -> Path:
        """The root of the worktree that Phasebot was started on."""
        return Path(str(self._repo.working_dir))

    @property
    def is_writable(self) -> bool:
        """Whether commits can be written to the repository."""
        return all(os.access(self.common_dir / name, os.W_OK) for name in ("objects", "refs"))

    def check_writable(self, doing: str, error: type[RepositoryError] = RepositoryError) -> None:
        """Make sure that commits can be written to the repository.

        Raises:
            RepositoryError: They can't; it is an *error*, and the message begins with *doing*.
        """
        if not self.is_writable:
            raise error(f"{doing}: there is no permission to write to {self.common_dir}; {_GET_PERMISSION}")

    @cached_property
    def promisors(self) -> Mapping[str, str]:
        """The remotes that this clone fetches missing objects from when it needs them; none if it is complete.

        The value is the filter of such a remote.
        """
        pattern = r"^(remote\..*\.(promisor|partialclonefilter)|extensions\.partialclone)$"
        rows = self._execute(_Call(("config", "--get-regexp", pattern))).text.split("\n")
        found, filters = dict[str, str](), dict[str, str]()
        for key, value in (row.partition(" ")[::2] for row in rows if row):
            section, _, rest = key.partition(".")
            name, _, setting = rest.rpartition(".")
            if setting == "partialclonefilter":
                filters[name] = value
            elif section == "extensions" or value == "true":
                found[name or value] = ""
        return {name: filters.get(name, "") for name in found}

    @cached_property
    def _without_filters(self) -> Mapping[str, str]:
        """Variables that switch off the programs that a job's workspace configures as filters, but for git-lfs."""
        pattern = r"^filter\..*\.(clean|smudge|process)$"
        fields = self._execute(_Call(("config", "-z", "--show-scope", "--get-regexp", pattern))).text.split("\0")
        settings = []
        for scope, (key, _, value) in zip(fields[::2], (row.partition("\n") for row in fields[1::2]), strict=False):
            if scope in ("local", "worktree") and not _LFS.fullmatch(value):
                settings += [(key, ""), (f"{key.rpartition('.')[0]}.required", "false")]
        return config_environment(settings)

    def fetch_missing_with(self, credentials: Mapping[str, str], redact: Callable[[str], str]) -> None:
        """Fetch missing objects with *credentials*, an environment; *redact* removes them from messages."""
        self._credentials, self._redact = credentials, redact

    def run(
        self,
        *arguments: str,
        stdin: bytes = b"",
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        timeout: float | None = None,
    ) -> Result:
        """Run git and return its result, whatever the exit status.

        In a partial clone, git may fetch the objects that it lacks, with a time limit and the credentials for it.

        Raises:
            RepositoryError: Git could not be started, took longer than *timeout* seconds (by default
                :data:`LOCAL_TIMEOUT`, or :data:`REMOTE_TIMEOUT` in a partial clone), or could not fetch an object.
        """
        call = _Call(arguments, stdin, environment, timeout or LOCAL_TIMEOUT)
        if self._is_workspace and call.command in _RUN_FILTERS:
            call = call._replace(environment={**self._without_filters, **(environment or {})})
            environment = call.environment
        if not self.promisors:
            return self._execute(call, folder)
        credentials = self._credentials if folder is None and call.command in _READ_OBJECTS else {}
        call = call._replace(
            environment={**credentials, **(environment or {})}, timeout=timeout or REMOTE_TIMEOUT, fetches=True
        )
        result = self._execute(call, folder)
        result = result._replace(err=self._redact(result.err))
        if "promisor remote" in result.err:
            raise RepositoryError(
                f"git {call.command}: this clone is partial, and what it lacks could not be fetched from "
                f"{', '.join(self.promisors)} ({main_line(result.err)}); check the network and the credentials"
            )
        return result

    def _execute(self, call: _Call, folder: Path | None = None) -> Result:
        # GitPython expands $NAME in its working_dir
        result = _run(self._repo.git, call, (*self._options, "-C", str(folder or self.worktree)))
        if result.status != 0 and _FOREIGN.search(result.err):
            raise UsageError(self._ownership_message())
        return result

    def _ownership_message(self) -> str:
        allow = "git config --global --add safe.directory"
        step = f"""put the step 'run: {allow} "$GITHUB_WORKSPACE"' before this one"""
        remedy = step if self._is_workspace else f"if you trust it, run '{allow} {self.worktree}'"
        return f"opening {self.worktree}: the folder belongs to another user, so git refuses to read it; {remedy}"

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
            command = command_of(arguments)
            raise RepositoryError(f"git {command}: {main_line(result.err)}; {remedy_for(result.err)}")
        return result.text


def _run(git: Command, call: _Call, options: Sequence[str] = ()) -> Result:
    """Run git in a process group of its own; see :meth:`Git.run`."""
    with tempfile.TemporaryFile() if call.stdin else nullcontext() as file:  # a pipe would have to be fed while we read
        if file:
            file.write(call.stdin)
            file.seek(0)
        try:
            handle = git.execute(
                ["git", *options, *call.arguments],
                as_process=True,
                istream=file,
                env=call.environment,
                start_new_session=True,
            )
        except (GitError, OSError) as exc:
            raise RepositoryError(f"git {call.command}: {exc}") from exc
    process, handle.proc = handle.proc, None  # else the handle waits for the process once more
    assert process is not None, "as_process returns a process"  # noqa: S101
    try:
        out, err = read_to_end(process, call.timeout)
    except TimeoutError as exc:
        remedy = "check the network" if call.fetches or call.command in _REMOTE_COMMANDS else _FIND_PROGRAM
        raise RepositoryError(f"git {call.command}: no answer within {call.timeout:.0f} s; {remedy}") from exc
    return Result(process.returncode, out, err.decode("utf-8", "replace").strip())


def git_version() -> tuple[int, ...] | None:
    """Return the version of git; None if it does not say."""
    match = _VERSION.search(_run(Command(), _Call(("version",))).text)
    return tuple(map(int, match[1].split("."))) if match else None


def remedy_for(err: str) -> str:
    """Return what to do about git's messages *err*."""
    if re.search("No space left|quota exceeded", err):
        return "free some disk space, then run generate again"
    if re.search("[Pp]ermission|Read-only file system", err):
        return _GET_PERMISSION
    return "run generate again, and if it fails again, check the repository with 'git fsck'"


def command_of(arguments: Sequence[str]) -> str:
    """Return git's command in *arguments*, which may begin with options."""
    words = (word for before, word in zip(("", *arguments), arguments, strict=False) if before != "-c")
    return next(word for word in words if not word.startswith("-"))


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


def open_repository(folder: Path, *, search: bool = False, is_workspace: bool = False) -> Git | None:
    """Open the repository in *folder* or, with *search*, in a parent folder; None if *folder* is empty or missing.

    *is_workspace* is as for :class:`Git`.

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
        raise UsageError(f"opening {folder}: {exc.strerror or exc}; name a folder that you may read") from exc
    if repo.bare:
        raise UsageError(f"opening {folder}: it is a bare repository; clone it and use the clone")
    return Git(repo, is_workspace=is_workspace)


def create_repository(folder: Path) -> Git:
    """Create a repository in *folder* with the unborn branch ``main``.

    Raises:
        UsageError: It can't be created there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        arguments = ("init", "--quiet", "--initial-branch=main", "--", str(folder.absolute()))
        created = _run(Command(), _Call(arguments))
        if created.status != 0:
            raise UsageError(f"creating a repository in {folder}: {main_line(created.err)}; name another folder")
        return Git(Repo(folder, expand_vars=False))
    except (GitError, OSError) as exc:
        cause = exc.strerror if isinstance(exc, OSError) else exc
        raise UsageError(f"creating a repository in {folder}: {cause}; name another folder") from exc
