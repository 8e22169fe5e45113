"""Find the changes of a branch that a worktree lacks, and the commit that it was last refreshed to."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from bot.history.git import Git
from bot.history.run_state import Entry

_MAX_ARGUMENTS = 400
"""Paths per git call; the length of a command line is limited."""
_MAX_REFLOG_ENTRIES = 50
"""How many reflog entries are searched; a worktree is a few commits behind at most."""


class Change(NamedTuple):
    """A change of one path between two commits."""

    path: str
    old: Entry | None
    new: Entry | None


class SyncPoint(NamedTuple):
    """The commit that a worktree was last refreshed to."""

    commit: str | None
    """None for the empty tree."""
    later_oids: Mapping[str, Collection[str | None]] = {}
    """Path → blobs the branch had there after the commit; a killed refresh may have left one of them on disk."""


def pending_changes(
    git: Git, folder: Path, point: SyncPoint, head: str
) -> tuple[Sequence[Change], Mapping[str, Entry]]:
    """Return the changes since *point* and the index entries at their paths.

    They include paths that changed and changed back, because a killed refresh may have written the version in between.
    """
    changes = _changes(git, point.commit, head)
    changed_back = sorted(set(point.later_oids) - {change.path for change in changes})
    index = index_entries(git, folder, [*(change.path for change in changes), *changed_back])
    return [*changes, *(Change(path, index.get(path), index.get(path)) for path in changed_back)], index


def find_sync_point(git: Git, folder: Path, ref: str, head: str, base: str | None) -> SyncPoint:
    """Return the commit that the worktree was last refreshed to.

    The candidates are the earlier commits in the reflog of *ref*.  The index is compared with each of them, at all
    paths that changed since the oldest one.  The commit with the fewest differences wins, the newest one on a tie.
    No single comparison is enough: a later commit may have changed a path back, and what a person staged matches none.
    """
    if git.promisors:  # the next command has no credentials to fetch trees
        git("ls-tree", "-r", head)
    if git.run("diff-index", "--cached", "--quiet", head, "--", folder=folder).status == 0:
        return SyncPoint(head)
    log = git("log", "-g", "--format=%H", ref, "--").split("\n")
    earlier = log[log.index(head) + 1 :][:_MAX_REFLOG_ENTRIES] if head in log else []  # the ref may have moved since
    candidates: list[str | None] = [*earlier, base]
    steps = [_changes(git, old, new) for old, new in zip(candidates, [head, *earlier], strict=True)]
    tree = {change.path: change.new for changes in reversed(steps) for change in changes}
    index = index_entries(git, folder, list(tree))
    best, fewest = SyncPoint(head), sum(index.get(path) != entry for path, entry in tree.items())
    later_oids: dict[str, set[str | None]] = {}
    for commit, changes in zip(candidates, steps, strict=True):
        for path, old, new in changes:
            later_oids.setdefault(path, set()).add(new.oid if new else None)
            tree[path] = old
        differences = sum(index.get(path) != entry for path, entry in tree.items())
        if differences < fewest:
            best, fewest = SyncPoint(commit, {path: frozenset(oids) for path, oids in later_oids.items()}), differences
    return best


def _changes(git: Git, old: str | None, new: str) -> list[Change]:
    old = old or git("hash-object", "-t", "tree", "--stdin")
    tokens = git("diff-tree", "-r", "-z", "--raw", "--no-abbrev", "--no-renames", old, new).split("\0")
    found = []
    for info, path in zip(tokens[::2], tokens[1::2], strict=False):
        old_mode, new_mode, old_oid, new_oid, _ = info.removeprefix(":").split(" ")
        found.append(Change(path, _entry(old_mode, old_oid), _entry(new_mode, new_oid)))
    return found


def _entry(mode: str, oid: str) -> Entry | None:
    return None if mode == "000000" else Entry(mode, oid)


def index_entries(git: Git, folder: Path, paths: Sequence[str]) -> dict[str, Entry]:
    """Return the index entries at *paths*; missing ones are left out."""
    found = {}
    for start in range(0, len(paths), _MAX_ARGUMENTS):
        chunk = paths[start : start + _MAX_ARGUMENTS]
        rows = git("--literal-pathspecs", "ls-files", "-s", "-z", "--", *chunk, folder=folder).split("\0")
        for info, _, path in (row.partition("\t") for row in rows if row):
            mode, oid, _ = info.split(" ")
            found[path] = Entry(mode, oid)
    return {path: found[path] for path in paths if path in found}
