"""A git folder for the calls that get the token: the repository's objects and refs, without its configuration.

What a repository configures decides which server, address and proxy git talks to, whether it checks certificates, and
which programs it runs.  An earlier step of a job, or a clone from elsewhere, may have written it.  So a call that gets
the token reads a configuration that is written here, and besides only that of the system, the user and the environment.
"""

import re
import shutil
import weakref
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from tempfile import mkdtemp

from bot.history.git import Git, config_environment

REMOTE = "phasebot-remote"
"""The only remote that the folder knows, so that nothing else is configured for it."""
_SHARED = ("objects", "refs", "packed-refs", "reftable", "shallow", "logs")
_FORMAT = r"^extensions\.(objectformat|refstorage)$"
"""How objects and refs are stored.  Besides the URLs of the remote, nothing else is taken over."""


class SealedRepository:
    """Shares objects and refs with the repository of *git*; the folder is removed with this object."""

    def __init__(self, git: Git, remote: str) -> None:
        """Know the URLs of *remote* as :data:`REMOTE`."""
        self._git, self._remote = git, remote

    def urls(self, *options: str) -> Sequence[str]:
        """Return the URLs of the remote, without what the repository configures to be put in their place.

        *options* are those of ``git remote get-url``.
        """
        environment = {"GIT_DIR": str(self._folder)}
        result = self._git.run("remote", "get-url", "--all", *options, "--", REMOTE, environment=environment)
        return result.text.split("\n")

    def environment(self, protocol: str, settings: Sequence[tuple[str, str]]) -> dict[str, str]:
        """Return variables that make git use the folder with *settings*, and talk *protocol* only."""
        return {
            "GIT_DIR": str(self._folder),
            "GIT_ALLOW_PROTOCOL": protocol,
            "GIT_ASKPASS": "",
            "GIT_TRACE_REDACT": "1",
            **config_environment(settings),
        }

    @cached_property
    def _folder(self) -> Path:
        common = self._git.common_dir.absolute()
        folder = Path(mkdtemp(prefix="phasebot-git-"))
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        for name in _SHARED:
            (folder / name).symlink_to(common / name)
        (folder / "HEAD").write_text("ref: refs/heads/main\n")  # no call asks for it, but git does
        lines = "".join(self._config(common))
        (folder / "config").write_text(lines, encoding="utf-8", errors="surrogateescape")
        return folder

    def _config(self, common: Path) -> Iterator[str]:
        yield "[core]\nrepositoryFormatVersion = 1\nbare = true\nlogAllRefUpdates = true\n[extensions]\n"
        for row in self._git.run("config", "--file", str(common / "config"), "--get-regexp", _FORMAT).text.split("\n"):
            if match := re.fullmatch(r"extensions\.(\w+) (\w+)", row):
                yield f"{match[1]} = {match[2]}\n"
        yield f'[remote "{REMOTE}"]\n'
        for name in ("url", "pushurl"):
            for url in self._git.run("config", "-z", "--get-all", f"remote.{self._remote}.{name}").text.split("\0"):
                yield f"{name} = {_quoted(url)}\n" if url else ""
        objects = self._git.promisors.get(self._remote)
        if objects is not None:
            yield f"promisor = true\npartialCloneFilter = {_quoted(objects or 'blob:none')}\n"


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
