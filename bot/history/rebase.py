"""Rebase unpushed commits onto the commits that others pushed in the meantime."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from bot.errors import RepositoryError
from bot.history.fast_import import NewCommit, write_commits
from bot.history.ledger import Ledger
from bot.history.repository import Repository, object_id
from bot.history.run_history import only_made_by
from bot.history.run_state import Commit, Entry
from bot.history.three_way_merge import merge_content
from bot.history.trailers import format_conflicts
from bot.planning.phases import PLAN_FILE, PLAN_PHASE
from bot.planning.plan_edits import carry_over
from bot.planning.recipe_names import LoadRecipe, load_built_in

_SCRATCH_REFS = "refs/phasebot/rewrite"
_REVERTED_OID = re.compile(r"(?<=^This reverts commit )[0-9a-f]{40,64}", re.MULTILINE)


class CannotRebaseError(RepositoryError):
    """A person's unpushed commit conflicts with what was pushed; only that person can resolve it."""


def rebase(  # what to rebase, and how what is there reads
    repository: Repository,
    local: str,
    remote: str,
    last_known: str | None,
    ledger: Ledger,
    makers: Collection[str] | None = None,
    load: LoadRecipe = load_built_in,
) -> str:
    """Rebase the unpushed commits of *local* onto *remote*; return the new tip.

    *last_known* is where the remote-tracking branch pointed before the fetch.  Commits up to there that *remote* no
    longer has were dropped or rewritten by somebody, and are not brought back.  *ledger* is derived from *remote*, of
    the commits of *makers*; *load* loads the recipes of plans.

    A phase that *remote* has completed is dropped, and so is a commit that *remote* has in rewritten form.  Files that
    both sides changed are merged.  On a conflict the pushed version is kept, and the rebased commit records it
    (``Phasebot-Conflict``).  A revert gets the new id of the commit that it reverts.

    Raises:
        CannotRebaseError: A person's commit conflicts, or is a merge.
    """
    base = repository.merge_base(local, remote)
    if base == local:
        return remote
    if base == remote and last_known in (None, remote):
        return local
    shared = repository.merge_base(last_known, local) if last_known else None
    if shared and base in (None, repository.merge_base(base or shared, shared)):
        base = shared
    scratch_ref = f"{_SCRATCH_REFS}/{local}"
    try:
        repository.git.run("update-ref", "-d", scratch_ref)
        return _rebase_commits(repository, base, local, remote, ledger, scratch_ref, makers=makers, load=load)
    finally:
        repository.git.run("update-ref", "-d", scratch_ref)


def _rebase_commits(  # noqa: PLR0913  # as above
    repository: Repository,
    base: str | None,
    local: str,
    remote: str,
    ledger: Ledger,
    scratch_ref: str,
    *,
    makers: Collection[str] | None,
    load: LoadRecipe,
) -> str:
    theirs, ours = (only_made_by(makers, repository.log(base, tip)) for tip in (remote, local))
    completed = {
        c.trailers.phase for c in theirs if c.trailers and c.trailers.phase and c.trailers.status == "complete"
    }
    ours = [_with_whole_phase(repository, commit, ledger) for commit in ours]
    paths = sorted({path for commit in ours for path in commit.changes})
    onto = repository.entries(remote, paths)
    parent = repository.entries(base, paths) if base else {}
    unedited = {path for path in paths if onto.get(path) == ledger.file(path).head == ledger.file(path).generated}
    remote_oids = repository.oids_by_authorship(base, remote)
    authorship = {oid: key for key, oid in repository.oids_by_authorship(base, local).items()}
    tip, new_oids = remote, dict[str, str]()
    for commit in ours:
        if authorship.get(commit.oid) in remote_oids:
            new_oids[commit.oid] = remote_oids[authorship[commit.oid]]
        elif not _is_superseded(commit, completed, parent):
            new = _rebase_commit(repository, commit, parent, onto, unedited, load)
            message = _REVERTED_OID.sub(lambda match: new_oids.get(match[0], match[0]), new.message)
            new = replace(new, message=message)
            tip = new_oids[commit.oid] = write_commits(repository.git, scratch_ref, tip, [new])[0]
        for path, entry in commit.changes.items():
            _set_entry(parent, path, entry)
    return tip


def _with_whole_phase(repository: Repository, commit: Commit, ledger: Ledger) -> Commit:
    """Add all files of the phase to a commit that may have changed only some, if *remote* has rolled the phase back."""
    phase = commit.trailers.phase if commit.trailers else None
    if phase is None or phase == PLAN_PHASE or ledger.record(phase):
        return commit
    files = repository.entries(commit.oid, sorted(ledger.changed_paths(phase)))
    return replace(commit, changes={**files, **commit.changes})


def _is_superseded(commit: Commit, completed: Collection[str], parent: Mapping[str, Entry]) -> bool:
    """Whether *remote* has completed the commit's phase; an edit of an existing plan is never superseded."""
    phase = commit.trailers.phase if commit.trailers else None
    return phase in completed and not (phase == PLAN_PHASE and any(path in parent for path in commit.changes))


def _rebase_commit(
    repository: Repository,
    commit: Commit,
    parent: Mapping[str, Entry],
    onto: dict[str, Entry],
    unedited: Collection[str],
    load: LoadRecipe,
) -> NewCommit:
    """Return *commit* applied to *onto*, which is updated.

    *parent* is the tree before the commit.  *unedited* are the paths without human edits on the remote side.
    """
    header, _, message = repository.git("cat-file", "commit", commit.oid).partition("\n\n")
    fields = [line.partition(" ")[::2] for line in header.split("\n")]
    if sum(key == "parent" for key, _ in fields) > 1:
        raise CannotRebaseError(
            f"commit {commit.oid[:10]} is a merge that was not pushed; push or undo it, then run again"
        )
    files: dict[str, bytes | Entry | None] = {}
    conflicts: list[str] = []
    for path, entry in commit.changes.items():
        old, theirs = parent.get(path), onto.get(path)
        if theirs in (old, entry) or (commit.trailers and path in unedited and not path.endswith(PLAN_FILE)):
            files[path] = entry
            _set_entry(onto, path, entry)
        else:
            merged = _merge_entries(repository, old, theirs, entry)
            if merged is None and commit.trailers:
                merged = _merge_instructions(repository, path, old, theirs, entry, load)
            elif merged is None:
                raise CannotRebaseError(
                    f"commit {commit.oid[:10]} and the pushed branch both changed {path!r}; rebase it, then run again"
                )
            if merged is None:
                conflicts.append(path)
            else:
                files[path] = merged
                _set_entry(onto, path, Entry("100644", object_id(merged, commit.oid)))
    message = message.removesuffix("\n") + "\n" + format_conflicts(conflicts)
    values = dict(fields)
    return NewCommit(message, values["author"], values["committer"], files)


def _merge_entries(repository: Repository, old: Entry | None, theirs: Entry | None, ours: Entry | None) -> bytes | None:
    if not (old and theirs and ours and old.is_file and theirs.is_file and ours.is_file):
        return None
    contents: Sequence[bytes] = [repository.blob(each.oid) for each in (old, theirs, ours)]
    return merge_content(repository, *contents)


def _merge_instructions(  # three versions of a file
    repository: Repository,
    path: str,
    old: Entry | None,
    theirs: Entry | None,
    ours: Entry | None,
    load: LoadRecipe,
) -> bytes | None:
    """Carry the instructions that *ours* added over to the plan file *theirs*; None if that is not possible."""
    if not (path.endswith(PLAN_FILE) and old and theirs and ours):
        return None
    before, pushed, after = (repository.blob(each.oid).decode("utf-8", "replace") for each in (old, theirs, ours))
    text = carry_over(before, after, pushed, output_dir=path.removesuffix(PLAN_FILE).rstrip("/") or ".", load=load)
    return None if text is None else text.encode()


def _set_entry(tree: dict[str, Entry], path: str, entry: Entry | None) -> None:
    if entry is None:
        tree.pop(path, None)
    else:
        tree[path] = entry
