"""Write commits with ``git fast-import``: no index, no worktree, one process, and the ref is updated last.

The stream ends with ``done``; without it, a killed parent process leaves half a phase committed.  A commit counts only
if git exits with 0 *and* prints its id.
"""

import re
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.errors import RepositoryError
from bot.history.git import Git, main_line, remedy_for
from bot.history.run_state import Entry

EXECUTABLE, _REGULAR = "100755", "100644"
_LOCK = re.compile(r"(?m)^(?>.*?Unable to create ')(.+\.lock)': File exists")
_LOCK_TIMEOUT = 2.0
"""Seconds after which an unchanged ref lock is considered stale; a running git holds one for milliseconds."""


class RefMovedError(RepositoryError):
    """Somebody else moved the ref: read the branch again and retry."""


@dataclass(frozen=True, slots=True)
class NewCommit:
    """A commit to write, on top of the one before it in the same stream."""

    message: str
    author: str
    committer: str
    """``Name <email> seconds +zone``."""
    files: Mapping[str, bytes | Entry | None]
    """Path → content, an existing tree entry, or None to remove the path."""
    executable: Collection[str] = ()
    """Paths to write as executable; for those given by content."""


def format_stream(ref: str, parent: str | None, commits: Sequence[NewCommit]) -> bytes:
    """Return the fast-import stream that adds *commits* on top of *parent* and updates *ref*.  Pure."""
    return b"".join(_stream(ref, parent, commits))


def _stream(ref: str, parent: str | None, commits: Sequence[NewCommit]) -> Iterator[bytes]:
    yield b"feature done\n"
    for mark, commit in enumerate(commits, 1):
        yield f"commit {ref}\nmark :{mark}\n".encode()
        yield f"author {commit.author}\ncommitter {commit.committer}\n".encode("utf-8", "surrogateescape")
        yield _data(commit.message.encode("utf-8", "surrogateescape"))
        if mark == 1 and parent:
            yield f"from {parent}\n".encode()
        for path, content in commit.files.items():
            name = _quoted(path)
            if content is None:
                yield b"D " + name + b"\n"
            elif isinstance(content, Entry):
                yield f"M {content.mode} {content.oid} ".encode() + name + b"\n"
            else:
                mode = EXECUTABLE if path in commit.executable else _REGULAR
                yield f"M {mode} inline ".encode() + name + b"\n" + _data(content)
        yield f"get-mark :{mark}\n".encode()
    yield b"done\n"


def _data(content: bytes) -> bytes:
    return b"data %d\n" % len(content) + content + b"\n"


def _quoted(path: str) -> bytes:
    raw = path.encode("utf-8", "surrogateescape")
    return b'"' + raw.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n") + b'"'


def write_commits(git: Git, ref: str, parent: str | None, commits: Sequence[NewCommit]) -> list[str]:
    """Add *commits* on top of *parent*, update *ref* in one step, and return their ids.

    Raises:
        RefMovedError: *ref* has commits that *parent* does not; nothing was changed.
        RepositoryError: Git failed; nothing was changed.
    """
    stream = format_stream(ref, parent, commits)
    for attempts_left in (2, 1, 0):
        result = git.run("fast-import", "--quiet", "--done", stdin=stream)
        oids = result.text.split("\n")
        if result.status == 0 and len(oids) == len(commits):
            return oids
        if "new tip" in result.err or "but expected" in result.err:
            break
        if not (attempts_left and _clear_stale_lock(ref, result.err)):
            raise RepositoryError(f"committing to {ref}: {main_line(result.err)}; {remedy_for(result.err)}")
    raise RefMovedError(f"committing to {ref}: somebody else moved it; run generate again")


def _clear_stale_lock(ref: str, err: str) -> bool:
    """Remove the ref lock that a killed git left behind, if *err* names one; return whether to try again.

    Removes only the locks that an update of *ref* takes.  The caller holds the run's lock, and a running git releases
    its lock within milliseconds, so a lock that does not change is stale.
    """
    match = _LOCK.search(err)
    if not match:
        return False
    lock = Path(match[1])
    if lock.name != "HEAD.lock" and not lock.as_posix().endswith(f"{ref}.lock"):
        return False
    try:
        before = lock.stat()
        deadline = time.monotonic() + _LOCK_TIMEOUT
        while time.monotonic() < deadline:
            time.sleep(0.05)
            if lock.stat() != before:
                return True
        lock.unlink()
    except FileNotFoundError:
        pass
    return True
