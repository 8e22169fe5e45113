"""Re-create commits that are not pushed yet on top of what others pushed meanwhile."""

from collections.abc import Sequence

from bot.errors import RepositoryError
from bot.history.merge import merge_content
from bot.history.repository import Repository, object_id
from bot.history.state import Commit, Entry
from bot.history.writing import NewCommit, write_commits

_SCRATCH = "refs/phasebot/rewrite"


class CannotReplayError(RepositoryError):
    """A person's unpushed commit does not fit on top of what was pushed; only they can say how it should."""


def replay(repository: Repository, local: str, remote: str) -> str:
    """Re-create the commits of *local* that *remote* lacks on top of *remote*; return the new tip.

    A phase that the other side made meanwhile is dropped.  Where both changed a file, the two changes are
    merged; where that conflicts, what was pushed stays and the commit says so (``Phasebot-Conflict``).

    Raises:
        CannotReplayError: A person's commit conflicts, or is a merge.
    """
    base = repository.merge_base(local, remote)
    if base == local:
        return remote
    if base == remote:
        return local
    theirs = repository.log(base, remote)
    done = {c.trailers.phase for c in theirs if c.trailers and c.trailers.phase and c.trailers.status == "complete"}
    ours = repository.log(base, local)
    paths = sorted({path for commit in ours for path in commit.changes})
    there = repository.entries(remote, paths)
    here = repository.entries(base, paths) if base else {}
    new = []
    for commit in ours:
        if not (commit.trailers and commit.trailers.phase in done):
            new.append(_replayed(repository, commit, here, there))
        for path, entry in commit.changes.items():
            _put(here, path, entry)
    if not new:
        return remote
    scratch = f"{_SCRATCH}/{local}"
    repository.git.run("update-ref", "-d", scratch)
    tip = write_commits(repository.git, scratch, remote, new)[-1]
    repository.git.run("update-ref", "-d", scratch)
    return tip


def _replayed(repository: Repository, commit: Commit, here: dict[str, Entry], there: dict[str, Entry]) -> NewCommit:
    """Carry one commit over: *here* and *there* are the trees before it on either side; *there* is moved on."""
    header, _, message = repository.git("cat-file", "commit", commit.oid).partition("\n\n")
    facts = [line.partition(" ")[::2] for line in header.split("\n")]
    if sum(key == "parent" for key, _ in facts) > 1:
        raise CannotReplayError(
            f"commit {commit.oid[:10]} is a merge that was not pushed; push or undo it, then run again"
        )
    files: dict[str, bytes | Entry | None] = {}
    conflicts: list[str] = []
    for path, entry in commit.changes.items():
        before, found = here.get(path), there.get(path)
        if found in (before, entry):
            files[path] = entry
            _put(there, path, entry)
        else:
            merged = _merged(repository, before, found, entry)
            if merged is None and commit.trailers is None:
                raise CannotReplayError(
                    f"commit {commit.oid[:10]} and the pushed branch both changed {path!r}; rebase it, then run again"
                )
            if merged is None:
                conflicts.append(path)
            else:
                files[path] = merged
                _put(there, path, Entry("100644", object_id(merged, commit.oid)))
    message = message.removesuffix("\n") + "\n" + "".join(f"Phasebot-Conflict: {path}\n" for path in conflicts)
    people = dict(facts)
    return NewCommit(message, people["author"], people["committer"], files)


def _merged(repository: Repository, before: Entry | None, found: Entry | None, entry: Entry | None) -> bytes | None:
    if not (before and found and entry and before.is_file and found.is_file and entry.is_file):
        return None
    contents: Sequence[bytes] = [repository.blob(each.oid) for each in (before, found, entry)]
    return merge_content(repository, *contents)


def _put(tree: dict[str, Entry], path: str, entry: Entry | None) -> None:
    if entry is None:
        tree.pop(path, None)
    else:
        tree[path] = entry
