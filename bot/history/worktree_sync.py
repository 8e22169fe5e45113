"""Refresh a worktree that has the run's branch checked out, without touching local changes.

Only paths that the branch changed are written.  Files are written before the index is updated, so a kill in between
leaves files that the index does not list yet.  The next run can then find the commits that the worktree lacks.
"""

import tempfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from bot.history.git import Git
from bot.history.run_state import Entry

_MAX_ARGUMENTS = 400
"""Paths per git call; the length of a command line is limited."""
_MAX_REFLOG_ENTRIES = 50
"""How many reflog entries are searched; a worktree is a few commits behind at most."""


class _Change(NamedTuple):
    path: str
    old: Entry | None
    new: Entry | None


def worktrees_on(git: Git, ref: str) -> list[Path]:
    """Return the worktrees that have *ref* checked out."""
    found = []
    for block in git("worktree", "list", "--porcelain").split("\n\n"):
        fields = dict(line.partition(" ")[::2] for line in block.split("\n"))
        if fields.get("branch") == ref and Path(fields["worktree"]).is_dir():
            found.append(Path(fields["worktree"]))
    return found


class _SyncPoint(NamedTuple):
    """The commit that a worktree was last refreshed to."""

    commit: str | None
    """None for the empty tree."""
    later_oids: Mapping[str, Collection[str | None]] = {}
    """Path → blobs the branch had there after the commit; a killed refresh may have left one of them on disk."""


def refresh_worktree(git: Git, folder: Path, ref: str, head: str, *, base: str | None, last_synced: str | None) -> None:
    """Refresh the worktree in *folder* to *head*, the commit that *ref* points to; *base* is where the branch began.

    *last_synced* is the commit that this process last refreshed it to, if any.  Paths that a person changed, staged,
    removed or blocked stay as they are.  If the index is locked, the next run refreshes it.
    """
    point = _SyncPoint(last_synced)
    changes, index = _pending_changes(git, folder, point, head) if last_synced else ([], {})
    if last_synced is None or any(index.get(path) != old for path, old, _ in changes):  # a person may have committed
        point = _find_sync_point(git, folder, ref, head, base)
        changes, index = _pending_changes(git, folder, point, head)
    _refresh(git, folder, changes, index, point.later_oids, digits=len(head))


def _pending_changes(
    git: Git, folder: Path, point: _SyncPoint, head: str
) -> tuple[Sequence[_Change], Mapping[str, Entry]]:
    """Return the changes since *point* and the index entries at their paths.

    They include paths that changed and changed back, because a killed refresh may have written the version in between.
    """
    changes = _changes(git, point.commit, head)
    changed_back = sorted(set(point.later_oids) - {change.path for change in changes})
    index = _index(git, folder, [*(change.path for change in changes), *changed_back])
    return [*changes, *(_Change(path, index.get(path), index.get(path)) for path in changed_back)], index


def _find_sync_point(git: Git, folder: Path, ref: str, head: str, base: str | None) -> _SyncPoint:
    """Return the commit that the worktree was last refreshed to.

    The candidates are the earlier commits in the reflog of *ref*.  The index is compared with each of them, at all
    paths that changed since the oldest one.  The commit with the fewest differences wins, the newest one on a tie.
    No single comparison is enough: a later commit may have changed a path back, and what a person staged matches none.
    """
    if git.run("diff-index", "--cached", "--quiet", head, "--", folder=folder).status == 0:
        return _SyncPoint(head)
    log = git("log", "-g", "--format=%H", ref, "--").split("\n")
    earlier = log[log.index(head) + 1 :][:_MAX_REFLOG_ENTRIES] if head in log else []  # the ref may have moved since
    candidates: list[str | None] = [*earlier, base]
    steps = [_changes(git, old, new) for old, new in zip(candidates, [head, *earlier], strict=True)]
    tree = {change.path: change.new for changes in reversed(steps) for change in changes}
    index = _index(git, folder, list(tree))
    best, fewest = _SyncPoint(head), sum(index.get(path) != entry for path, entry in tree.items())
    later_oids: dict[str, set[str | None]] = {}
    for commit, changes in zip(candidates, steps, strict=True):
        for path, old, new in changes:
            later_oids.setdefault(path, set()).add(new.oid if new else None)
            tree[path] = old
        differences = sum(index.get(path) != entry for path, entry in tree.items())
        if differences < fewest:
            best, fewest = _SyncPoint(commit, {path: frozenset(oids) for path, oids in later_oids.items()}), differences
    return best


def _refresh(
    git: Git,
    folder: Path,
    changes: Sequence[_Change],
    index: Mapping[str, Entry],
    later_oids: Mapping[str, Collection[str | None]],
    digits: int,
) -> None:
    hashes = _hashes(git, folder, [change.path for change in changes])
    files: dict[str, Entry] = {}
    index_updates: dict[str, Entry | None] = {}
    for path, old, new in changes:
        if index.get(path) != old or _is_blocked(folder, path):
            continue  # refreshed already, staged by a person, or blocked
        index_updates[path] = new
        on_disk = hashes.get(path, "" if _exists(folder, path) else None)
        if on_disk not in {old.oid if old else None, *later_oids.get(path, ())}:
            continue  # a person changed the file: keep it, and let it show as modified
        if new is None:
            (folder / path).unlink(missing_ok=True)
            _remove_empty_folders(folder, path)
        else:
            files[path] = new
    _write_files(git, folder, files)
    if index_updates:
        stdin = _index_info(index_updates, digits)
        git.run("update-index", "--add", "-z", "--index-info", stdin=stdin, folder=folder)


def _changes(git: Git, old: str | None, new: str) -> list[_Change]:
    old = old or git("hash-object", "-t", "tree", "--stdin")
    tokens = git("diff-tree", "-r", "-z", "--raw", "--no-abbrev", "--no-renames", old, new).split("\0")
    found = []
    for info, path in zip(tokens[::2], tokens[1::2], strict=False):
        old_mode, new_mode, old_oid, new_oid, _ = info.removeprefix(":").split(" ")
        found.append(_Change(path, _entry(old_mode, old_oid), _entry(new_mode, new_oid)))
    return found


def _entry(mode: str, oid: str) -> Entry | None:
    return None if mode == "000000" else Entry(mode, oid)


def _index(git: Git, folder: Path, paths: Sequence[str]) -> dict[str, Entry]:
    found = {}
    for start in range(0, len(paths), _MAX_ARGUMENTS):
        chunk = paths[start : start + _MAX_ARGUMENTS]
        rows = git("--literal-pathspecs", "ls-files", "-s", "-z", "--", *chunk, folder=folder).split("\0")
        for info, _, path in (row.partition("\t") for row in rows if row):
            mode, oid, _ = info.split(" ")
            found[path] = Entry(mode, oid)
    return {path: found[path] for path in paths if path in found}


def _hashes(git: Git, folder: Path, paths: Sequence[str]) -> dict[str, str]:
    """Return the blob id of each file at *paths*, with the repository's filters applied."""
    files = [
        path
        for path in paths
        if "\n" not in path and not _is_blocked(folder, path)
        if (folder / path).is_file() and not (folder / path).is_symlink()
    ]
    if not files:
        return {}
    stdin = "".join(f"{path}\n" for path in files).encode("utf-8", "surrogateescape")
    return dict(zip(files, git("hash-object", "--stdin-paths", stdin=stdin, folder=folder).split("\n"), strict=True))


def _exists(folder: Path, path: str) -> bool:
    return (folder / path).exists() or (folder / path).is_symlink()


def _is_blocked(folder: Path, path: str) -> bool:
    """Whether a parent of *path* is a file or symlink, so that writing would replace it or leave the worktree."""
    parent = folder
    for part in path.split("/")[:-1]:
        parent /= part
        if parent.is_symlink() or (parent.exists() and not parent.is_dir()):
            return True
    return False


def _write_files(git: Git, folder: Path, files: Mapping[str, Entry]) -> None:
    """Write *files* like a checkout does (line endings, filters), through a temporary index."""
    if not files:
        return
    with tempfile.TemporaryDirectory(prefix="phasebot-") as scratch:
        environment = {"GIT_INDEX_FILE": str(Path(scratch) / "index")}
        info = _index_info(files)
        arguments = ("update-index", "--add", "-z", "--index-info")
        if git.run(*arguments, stdin=info, folder=folder, environment=environment).status == 0:
            names = "".join(f"{path}\0" for path in files).encode("utf-8", "surrogateescape")
            git.run("checkout-index", "-f", "-q", "-z", "--stdin", stdin=names, folder=folder, environment=environment)


def _index_info(entries: Mapping[str, Entry | None], digits: int = 0) -> bytes:
    """Return the input of ``update-index --index-info``; *digits* is the length of an object id, for removals."""
    removed = Entry("0", "0" * digits)
    rows = ((entry or removed, path) for path, entry in entries.items())
    return b"".join(f"{entry.mode} {entry.oid}\t{path}\0".encode("utf-8", "surrogateescape") for entry, path in rows)


def _remove_empty_folders(folder: Path, path: str) -> None:
    parents: Iterable[Path] = (folder / path).parents
    for parent in parents:
        if parent == folder or (parent.exists() and any(parent.iterdir())):
            return
        if parent.exists():
            parent.rmdir()
