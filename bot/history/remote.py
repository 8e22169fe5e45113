"""The remote side of a run's branch: fetch it, push to it, and re-create local commits on top of it.

Never forces.  A push that is rejected because others pushed means: fetch, put the commits that are not there
yet on top of what is, and push again.
"""

import re
from collections.abc import Sequence

from bot.errors import PushError, RepositoryError, UsageError
from bot.history.git import REMOTE_TIMEOUT
from bot.history.merge import merge_content
from bot.history.repository import Repository, object_id
from bot.history.state import Commit, Entry
from bot.history.writing import NewCommit, write_commits

_RACE = re.compile(
    r"non-fast-forward|fetch first|stale info|cannot lock ref|failed to update ref|already exists|incorrect old value"
)
_SCRATCH = "refs/phasebot/rewrite"


class RejectedError(PushError):
    """Others pushed meanwhile: fetch, reconcile, push again."""


class CannotReplayError(RepositoryError):
    """A person's unpushed commit does not fit on top of what was pushed; only they can say how it should."""


class Remote:
    """One remote of the repository."""

    def __init__(self, repository: Repository, name: str) -> None:
        self._repository = repository
        self.name = name

    def tracking(self, branch: str) -> str:
        """Return the ref that remembers where *branch* stood on the remote."""
        return f"refs/remotes/{self.name}/{branch}"

    def fetch(self, branch: str) -> str | None:
        """Fetch *branch* and return its commit; None when the remote has none.

        Raises:
            PushError: The remote can't be reached.
        """
        tracking = self.tracking(branch)
        result = self._repository.git.run(
            *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules"),
            *("--", self.name, f"+refs/heads/{branch}:{tracking}"),
            timeout=REMOTE_TIMEOUT,
        )
        if result.status == 0:
            return self._repository.oid(tracking)
        if "couldn't find remote ref" in result.err:
            self._repository.git.run("update-ref", "-d", tracking)
            return None
        raise PushError(
            f"fetching {branch} from {self.name}: {_last_line(result.err)}; check the remote, or use --no-push"
        )

    def push(self, oid: str, branch: str) -> None:
        """Push the commit *oid* as *branch*.

        Raises:
            RejectedError: The remote's branch holds commits that *oid* does not.
            PushError: The remote can't be reached, or refuses for another reason.
        """
        result = self._repository.git.run(
            *("push", "--no-verify", "--porcelain", "--no-follow-tags", "--recurse-submodules=no"),
            *("--", self.name, f"{oid}:refs/heads/{branch}"),
            timeout=REMOTE_TIMEOUT,
        )
        if result.status == 0:
            self._repository.git.run("update-ref", self.tracking(branch), oid)
            return
        reason = next((line for line in result.text.split("\n") if line.startswith("!")), "")
        if _RACE.search(reason):
            raise RejectedError(f"pushing {branch} to {self.name}: others pushed meanwhile")
        cause = reason.rpartition("\t")[2] or _last_line(result.err)
        raise PushError(
            f"pushing {branch} to {self.name}: {cause}; "
            "the commits are safe on the local branch, run generate again to push them"
        )


def choose_remote(repository: Repository, name: str | None, *, required: bool) -> str | None:
    """Return the remote to push to: *name*, else ``origin``, else the only one; None when there is none.

    Raises:
        UsageError: *name* is none, or there is none (or no telling which) although one is *required*.
    """
    remotes = repository.git("remote").split()
    if name is not None and name not in remotes:
        raise UsageError(f"remote {name!r} is not known; remotes are: {', '.join(remotes) or 'none'}")
    chosen = name or ("origin" if "origin" in remotes else remotes[0] if len(remotes) == 1 else None)
    if chosen is None and required:
        raise UsageError("pushing: there is no remote; add one with 'git remote add origin URL', or leave --push out")
    return chosen


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith(("To ", "hint:"))]
    return next((line for line in lines if line.startswith(("fatal:", "error:"))), lines[-1] if lines else "no answer")


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
