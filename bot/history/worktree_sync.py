"""Let a worktree that has the run's branch checked out follow it: only the paths that changed, never a local change.

Files are written before the index names them, so a kill in between leaves files that are simply not listed
yet, and the next run can tell which commits the worktree has not followed.
"""

import tempfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from bot.history.git import Git
from bot.history.run_state import Entry

_ARGUMENTS = 400
_PLACES = 50
"""How many places of the ref's log are looked at; a worktree is behind by a few at most."""


class _Change(NamedTuple):
    path: str
    old: Entry | None
    new: Entry | None


def worktrees_on(git: Git, ref: str) -> list[Path]:
    """Return the worktrees that have *ref* checked out."""
    found = []
    for block in git("worktree", "list", "--porcelain").split("\n\n"):
        facts = dict(line.partition(" ")[::2] for line in block.split("\n"))
        if facts.get("branch") == ref and Path(facts["worktree"]).is_dir():
            found.append(Path(facts["worktree"]))
    return found


class _Followed(NamedTuple):
    """How far a worktree has followed."""

    place: str | None
    """The commit; None before the first."""
    since: Mapping[str, Collection[str | None]] = {}
    """Path → the object ids that the branch has had there since: a refresh that was killed leaves such a file."""


def follow(git: Git, folder: Path, ref: str, head: str, *, base: str | None, before: str | None) -> None:
    """Bring the worktree in *folder* to *head*, the commit that *ref* stands at; *base* is where its branch began.

    *before* is where a former call left it, if there was one.  What a person changed, staged, removed or put in the
    way stays as it is.  A locked index leaves the refresh to the next run.
    """
    followed = _Followed(before)
    changes, index = _behind(git, folder, followed, head) if before else ([], {})
    if before is None or any(index.get(path) != was for path, was, _ in changes):  # a person may have committed here
        followed = _followed_to(git, folder, ref, head, base)
        changes, index = _behind(git, folder, followed, head)
    _refresh(git, folder, changes, index, followed.since, digits=len(head))


def _behind(git: Git, folder: Path, followed: _Followed, head: str) -> tuple[Sequence[_Change], Mapping[str, Entry]]:
    """Return what has changed since *followed*, or has changed and is as it was, and what the index has there."""
    changes = _changes(git, followed.place, head)
    as_before = sorted(set(followed.since) - {change.path for change in changes})
    index = _index(git, folder, [*(change.path for change in changes), *as_before])
    return [*changes, *(_Change(path, index.get(path), index.get(path)) for path in as_before)], index


def _followed_to(git: Git, folder: Path, ref: str, head: str, base: str | None) -> _Followed:
    """Return where *ref* stood when the worktree last followed it.

    The ref's log says where it has stood.  It is the place that the index is nearest to, by the paths that have
    changed since the farthest one; the latest of those that are equally near.  One place alone does not tell:
    what has changed since it may be put back by now, and what a person staged fits nowhere.
    """
    if git.run("diff-index", "--cached", "--quiet", head, "--", folder=folder).status == 0:
        return _Followed(head)
    log = git("log", "-g", "--format=%H", ref, "--").split("\n")
    before = log[log.index(head) + 1 :][:_PLACES] if head in log else []  # it may have moved on meanwhile
    places: list[str | None] = [*before, base]
    steps = [_changes(git, place, later) for place, later in zip(places, [head, *before], strict=True)]
    there = {change.path: change.new for changes in reversed(steps) for change in changes}
    index = _index(git, folder, list(there))
    followed, fewest = _Followed(head), sum(index.get(path) != entry for path, entry in there.items())
    since: dict[str, set[str | None]] = {}
    for place, changes in zip(places, steps, strict=True):
        for path, old, new in changes:
            since.setdefault(path, set()).add(new.oid if new else None)
            there[path] = old
        differing = sum(index.get(path) != entry for path, entry in there.items())
        if differing < fewest:
            followed, fewest = _Followed(place, {path: frozenset(oids) for path, oids in since.items()}), differing
    return followed


def _refresh(  # what was looked up once
    git: Git,
    folder: Path,
    changes: Sequence[_Change],
    index: Mapping[str, Entry],
    since: Mapping[str, Collection[str | None]],
    digits: int,
) -> None:
    hashes = _hashes(git, folder, [change.path for change in changes])
    write: dict[str, Entry] = {}
    record: dict[str, Entry | None] = {}
    for path, was, now in changes:
        if index.get(path) != was or _is_blocked(folder, path):
            continue  # followed already, staged by a person, or something else stands in the way
        record[path] = now
        found = hashes.get(path, "" if _exists(folder, path) else None)
        if found not in {was.oid if was else None, *since.get(path, ())}:
            continue  # changed by a person: the index says what head has, the file stays
        if now is None:
            (folder / path).unlink(missing_ok=True)
            _remove_empty_folders(folder, path)
        else:
            write[path] = now
    _write_files(git, folder, write)
    if record:
        git.run("update-index", "--add", "-z", "--index-info", stdin=_index_info(record, digits), folder=folder)


def _changes(git: Git, old: str | None, new: str) -> list[_Change]:
    old = old or git("hash-object", "-t", "tree", "--stdin")
    tokens = git("diff-tree", "-r", "-z", "--raw", "--no-abbrev", "--no-renames", old, new).split("\0")
    found = []
    for about, path in zip(tokens[::2], tokens[1::2], strict=False):
        old_mode, new_mode, old_oid, new_oid, _ = about.removeprefix(":").split(" ")
        found.append(_Change(path, _entry(old_mode, old_oid), _entry(new_mode, new_oid)))
    return found


def _entry(mode: str, oid: str) -> Entry | None:
    return None if mode == "000000" else Entry(mode, oid)


def _index(git: Git, folder: Path, paths: Sequence[str]) -> dict[str, Entry]:
    found = {}
    for start in range(0, len(paths), _ARGUMENTS):
        some = paths[start : start + _ARGUMENTS]
        rows = git("--literal-pathspecs", "ls-files", "-s", "-z", "--", *some, folder=folder).split("\0")
        for about, _, path in (row.partition("\t") for row in rows if row):
            mode, oid, _ = about.split(" ")
            found[path] = Entry(mode, oid)
    return {path: found[path] for path in paths if path in found}


def _hashes(git: Git, folder: Path, paths: Sequence[str]) -> dict[str, str]:
    """Return the object ids that the files at *paths* would be stored as, the repository's filters applied."""
    files = [
        p
        for p in paths
        if "\n" not in p and not _is_blocked(folder, p) and (folder / p).is_file() and not (folder / p).is_symlink()
    ]
    if not files:
        return {}
    stdin = "".join(f"{path}\n" for path in files).encode("utf-8", "surrogateescape")
    return dict(zip(files, git("hash-object", "--stdin-paths", stdin=stdin, folder=folder).split("\n"), strict=True))


def _exists(folder: Path, path: str) -> bool:
    return (folder / path).exists() or (folder / path).is_symlink()


def _is_blocked(folder: Path, path: str) -> bool:
    """Whether a file or symlink stands where *path* needs a folder: writing would leave the worktree or replace it."""
    parent = folder
    for part in path.split("/")[:-1]:
        parent /= part
        if parent.is_symlink() or (parent.exists() and not parent.is_dir()):
            return True
    return False


def _write_files(git: Git, folder: Path, files: Mapping[str, Entry]) -> None:
    """Write *files* as a checkout would (line endings, filters), by way of an index of their own."""
    if not files:
        return
    with tempfile.TemporaryDirectory(prefix="phasebot-") as scratch:
        own_index = {"GIT_INDEX_FILE": str(Path(scratch) / "index")}
        info = _index_info(files)
        if (
            git.run(
                "update-index", "--add", "-z", "--index-info", stdin=info, folder=folder, environment=own_index
            ).status
            == 0
        ):
            names = "".join(f"{path}\0" for path in files).encode("utf-8", "surrogateescape")
            git.run("checkout-index", "-f", "-q", "-z", "--stdin", stdin=names, folder=folder, environment=own_index)


def _index_info(entries: Mapping[str, Entry | None], digits: int = 0) -> bytes:
    """Write what ``update-index --index-info`` reads; *digits* is the length of an object id, for removals."""
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
