"""Re-create commits that are not pushed yet on top of what others pushed meanwhile."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from bot.errors import RepositoryError
from bot.history.fast_import import NewCommit, write_commits
from bot.history.ledger import Ledger
from bot.history.repository import Repository, object_id
from bot.history.run_state import Commit, Entry
from bot.history.three_way_merge import merge_content
from bot.planning.phases import PLAN_FILE, PLAN_PHASE
from bot.planning.plan_edits import carry_over

_SCRATCH = "refs/phasebot/rewrite"
_OID = re.compile(r"(?<=^This reverts commit )[0-9a-f]{40,64}", re.MULTILINE)


class CannotRebaseError(RepositoryError):
    """A person's unpushed commit does not fit on top of what was pushed; only they can say how it should."""


def rebase(repository: Repository, local: str, remote: str, known: str | None, ledger: Ledger) -> str:
    """Re-create the commits of *local* that were not pushed yet on top of *remote*; return the new tip.

    *known* is where the remote's branch stood when it was looked at before: what *local* has from there, and *remote*
    lacks, somebody dropped or rewrote, and it is not brought back.  *ledger* is what the commits of *remote* add up to.

    A phase that the other side made meanwhile is dropped, and so is a commit that is there, rewritten.  Where both
    changed a file, the two changes are merged; where that conflicts, a person's version that was pushed stays and
    the commit says so (``Phasebot-Conflict``).  A revert names the commit it reverts by its new id.

    Raises:
        CannotReplayError: A person's commit conflicts, or is a merge.
    """
    base = repository.merge_base(local, remote)
    if base == local:
        return remote
    if base == remote and known in (None, remote):
        return local
    shared = repository.merge_base(known, local) if known else None
    if shared and base in (None, repository.merge_base(base or shared, shared)):
        base = shared
    scratch = f"{_SCRATCH}/{local}"
    try:
        repository.git.run("update-ref", "-d", scratch)
        return _carried(repository, base, local, remote, ledger, scratch)
    finally:
        repository.git.run("update-ref", "-d", scratch)


def _carried(repository: Repository, base: str | None, local: str, remote: str, ledger: Ledger, scratch: str) -> str:
    theirs, ours = repository.log(base, remote), repository.log(base, local)
    done = {c.trailers.phase for c in theirs if c.trailers and c.trailers.phase and c.trailers.status == "complete"}
    ours = [_whole(repository, commit, ledger) for commit in ours]
    paths = sorted({path for commit in ours for path in commit.changes})
    there = repository.entries(remote, paths)
    here = repository.entries(base, paths) if base else {}
    free = {path for path in paths if ledger.file(path) == (there.get(path), there.get(path), ())}
    written = repository.authored(base, remote)
    mine = {oid: told for told, oid in repository.authored(base, local).items()}
    tip, moved = remote, dict[str, str]()
    for commit in ours:
        if mine.get(commit.oid) in written:
            moved[commit.oid] = written[mine[commit.oid]]
        elif not _superseded(commit, done, here):
            new = _replayed(repository, commit, here, there, free)
            message = _OID.sub(lambda match: moved.get(match[0], match[0]), new.message)
            tip = moved[commit.oid] = write_commits(repository.git, scratch, tip, [replace(new, message=message)])[0]
        for path, entry in commit.changes.items():
            _put(here, path, entry)
    return tip


def _whole(repository: Repository, commit: Commit, ledger: Ledger) -> Commit:
    """Return *commit* with all files of its phase, if others took that back meanwhile: it may have changed but some."""
    phase = commit.trailers.phase if commit.trailers else None
    if phase is None or phase == PLAN_PHASE or ledger.made(phase):
        return commit
    return replace(commit, changes={**repository.entries(commit.oid, sorted(ledger.paths(phase))), **commit.changes})


def _superseded(commit: Commit, done: Collection[str], here: Mapping[str, Entry]) -> bool:
    """Whether others made the phase of *commit* meanwhile; not so an edit of a plan, which they did not make."""
    phase = commit.trailers.phase if commit.trailers else None
    return phase in done and not (phase == PLAN_PHASE and any(path in here for path in commit.changes))


def _replayed(
    repository: Repository,
    commit: Commit,
    here: Mapping[str, Entry],
    there: dict[str, Entry],
    free: Collection[str],
) -> NewCommit:
    """Carry one commit over: *here* and *there* are the trees before it on either side; *there* is moved on.

    *free* are the paths where nothing of a person's stands there.
    """
    header, _, message = repository.git("cat-file", "commit", commit.oid).partition("\n\n")
    facts = [line.partition(" ")[::2] for line in header.split("\n")]
    if sum(key == "parent" for key, _ in facts) > 1:
        raise CannotRebaseError(
            f"commit {commit.oid[:10]} is a merge that was not pushed; push or undo it, then run again"
        )
    files: dict[str, bytes | Entry | None] = {}
    conflicts: list[str] = []
    for path, entry in commit.changes.items():
        before, found = here.get(path), there.get(path)
        if found in (before, entry) or (commit.trailers and path in free and not path.endswith(PLAN_FILE)):
            files[path] = entry
            _put(there, path, entry)
        else:
            merged = _merged(repository, before, found, entry)
            if merged is None and commit.trailers:
                merged = _instructed(repository, path, before, found, entry)
            elif merged is None:
                raise CannotRebaseError(
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


def _instructed(
    repository: Repository, path: str, before: Entry | None, found: Entry | None, entry: Entry | None
) -> bytes | None:
    """Put what *entry* tells phases more than *before* into the plan file *found*, where that is what it is about."""
    if not (path.endswith(PLAN_FILE) and before and found and entry):
        return None
    old, theirs, new = (repository.blob(each.oid).decode("utf-8", "replace") for each in (before, found, entry))
    made = carry_over(old, new, theirs, output_dir=path.removesuffix(PLAN_FILE).rstrip("/") or ".")
    return None if made is None else made.encode()


def _put(tree: dict[str, Entry], path: str, entry: Entry | None) -> None:
    if entry is None:
        tree.pop(path, None)
    else:
        tree[path] = entry
