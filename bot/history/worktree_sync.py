"""Refresh the worktrees that have the run's branch checked out, without touching local changes.

Only paths that the branch changed are written.  Files are written before the index is updated, so a kill in between
leaves files that the index does not list yet.  The next run can then find the commits that the worktree lacks.

The index never lists a version that could not be written.  Such a path looks like one that a person removed, so a file
beside the index lists them all, and the next run tries them again.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from bot.errors import RepositoryError
from bot.history.git import main_line
from bot.history.repository import Repository
from bot.history.run_state import Entry
from bot.history.worktree_changes import Change, SyncPoint, find_sync_point, index_entries, pending_changes
from bot.history.worktree_files import WorktreeFiles, index_info
from bot.text import one_line

_OWED = "phasebot-unwritten"
"""The file beside the index; its format is that of ``git update-index --index-info``."""
_MAX_NAMED = 5
"""How many paths a message names."""
_MAX_TEXT = 300
_SUBMODULE = "160000"


class Worktrees:
    """The worktrees that have one branch checked out."""

    def __init__(self, repository: Repository, ref: str) -> None:
        self._repository, self._ref = repository, ref
        self._known: dict[Path, _Worktree] = {}
        self._error: RepositoryError | None = None

    def refresh(self, head: str, base: str | None) -> None:
        """Refresh them to *head*, the commit of the branch, which began at *base*; see :meth:`problems`."""
        self._error = None
        try:
            folders = self.folders()
        except RepositoryError as exc:
            self._error = exc
            return
        for folder in folders:
            self._worktree(folder).refresh(self._ref, head, base)

    def notes(self) -> list[str]:
        """Return which worktrees could not be refreshed at all, and which files were left to people who changed them.

        A locked or broken index is the worktree's own trouble: git itself refuses to commit with it.
        """
        notes = [f"looking for worktrees to refresh: {_shown(str(self._error))}"] if self._error else []
        return notes + [note for each in self._known.values() for note in (each.note, each.trouble) if note]

    def problems(self) -> list[str]:
        """Return which files could not be written."""
        return [each.problem for each in self._known.values() if each.problem]

    def edited(self, path: str, head_oid: str, versions: Collection[str]) -> list[str]:
        """Return how to call the file *path* in each worktree where a person changed it without a commit.

        *versions* are the blobs that the branch ever had there, because a worktree may be behind.
        """
        own, edited = self._repository.git.worktree, []
        with suppress(RepositoryError, OSError):  # a worktree that can't be read is refreshed neither
            edited = [each for each in self.folders() if self._worktree(each).has_edit(path, head_oid, versions)]
        return [one_line(path if each.samefile(own) else str(each / path), _MAX_TEXT) for each in edited]

    def _worktree(self, folder: Path) -> "_Worktree":
        return self._known.setdefault(folder, _Worktree(self._repository, folder))

    def folders(self) -> list[Path]:
        found = []
        for block in self._repository.git("worktree", "list", "--porcelain").split("\n\n"):
            fields = dict(line.partition(" ")[::2] for line in block.split("\n"))
            if fields.get("branch") == self._ref and Path(fields["worktree"]).is_dir():
                found.append(Path(fields["worktree"]))
        return found


class _Worktree:
    """One worktree, and what this process did in it."""

    def __init__(self, repository: Repository, folder: Path) -> None:
        self._git, self._repository, self._folder = repository.git, repository, folder
        self._files = WorktreeFiles(repository.git, folder)
        self._head: str | None = None
        """The commit that this process last refreshed it to."""
        self._owed: dict[str, Entry | None] = {}
        """Path that could not be written → what the index has there instead."""
        self._failed: dict[str, str] = {}
        """Path that this process could not write → why."""
        self._kept: dict[str, None] = {}
        """Paths that were not refreshed because of what a person did."""
        self._error: str | None = None

    def refresh(self, ref: str, head: str, base: str | None) -> None:
        """Refresh it to *head*, the commit that *ref* points to; *base* is where the branch began.

        Paths that a person changed, staged, removed or blocked stay as they are.
        """
        if head == self._head:
            return
        last_synced, self._head, self._error = self._head, None, None
        try:
            self._refresh(ref, head, base, last_synced)
            self._head = head
        except (RepositoryError, OSError) as exc:
            self._error = str(exc).partition("; ")[0]  # the remedy is another one here

    @property
    def note(self) -> str:
        """Which files were left to a person; empty if none were."""
        where = f"the worktree {self._folder}"
        kept = f"not updated in {where}, because you changed, staged or blocked them: {_named(self._kept)}"
        return kept if self._kept else ""

    @property
    def trouble(self) -> str:
        """Why nothing could be refreshed; empty if it could."""
        return self._advice(f"it was not refreshed ({_shown(self._error)})") if self._error else ""

    @property
    def problem(self) -> str:
        """Which files could not be written, and what to do; empty if all could."""
        if self._error or not self._failed:
            return ""
        reason = next(iter(self._failed.values()))
        return self._advice(f"{_named(self._failed)} could not be updated ({_shown(reason)})")

    def _advice(self, what: str) -> str:
        return (
            f"the branch is as it should be, but not the worktree {self._folder}: {what}; "
            "correct the cause and run generate again before you commit there"
        )

    def has_edit(self, path: str, head_oid: str, versions: Collection[str]) -> bool:
        """Whether a person changed *path* without a commit; see :meth:`Worktrees.edited`."""
        entry = index_entries(self._git, self._folder, [path]).get(path)
        hashes, failed = self._files.hashes([path], head_oid)
        on_disk = hashes.get(path)
        if path in failed:
            return False
        if entry and entry.oid == head_oid:
            return on_disk != head_oid
        return any(oid is not None and oid not in versions for oid in (on_disk, entry.oid if entry else None))

    def _refresh(self, ref: str, head: str, base: str | None, last_synced: str | None) -> None:
        git, folder, point = self._git, self._folder, SyncPoint(last_synced)
        before = dict(self._owed) if last_synced else self._read_owed()
        self._owed = dict(before)
        changes, index = pending_changes(git, folder, point, head) if last_synced else ([], {})
        if last_synced is None or self._is_astray(changes, index):
            point = find_sync_point(git, folder, ref, head, base)
            changes, index = self._with_owed(*pending_changes(git, folder, point, head), head)
        updates = self._write(self._due(changes, index), point.later_oids, head)
        if self._owed != before:
            self._save_owed(len(head))
        if updates:
            removals_first = dict(sorted(updates.items(), key=lambda update: update[1] is not None))
            stdin = index_info(removals_first, len(head))
            result = git.run("update-index", "--add", "-z", "--index-info", stdin=stdin, folder=folder)
            if result.status != 0:
                raise RepositoryError(main_line(result.err))

    def _is_astray(self, changes: Iterable[Change], index: Mapping[str, Entry]) -> bool:
        """Whether the index is not as this process left it: a person may have committed."""
        return any(index.get(path) not in (old, self._owed.get(path, old)) for path, old, _ in changes)

    def _with_owed(
        self, changes: Sequence[Change], index: Mapping[str, Entry], head: str
    ) -> tuple[Sequence[Change], Mapping[str, Entry]]:
        """Add the paths that could not be written before."""
        if not self._owed:
            return changes, index
        new = self._repository.entries(head, list(self._owed))
        owed = [Change(path, entry, new.get(path)) for path, entry in self._owed.items()]
        others = [change for change in changes if change.path not in self._owed]
        return [*others, *owed], {**index, **index_entries(self._git, self._folder, list(self._owed))}

    def _due(self, changes: Iterable[Change], index: Mapping[str, Entry]) -> list[Change]:
        """Return the *changes* that the worktree lacks; the others are done, or a person staged something else."""
        due = []
        for path, old, new in changes:
            owed, entry = self._owed.pop(path, old), index.get(path)
            self._failed.pop(path, None)
            self._kept.pop(path, None)
            if entry in (old, owed):
                due.append(Change(path, entry, new))
            elif entry != new:
                self._kept[path] = None
        return due

    def _write(
        self, due: Sequence[Change], later_oids: Mapping[str, Collection[str | None]], head: str
    ) -> Mapping[str, Entry | None]:
        """Write and remove files, and return the entries that the index gets."""
        files = self._files
        hashes, failed = files.hashes([change.path for change in due], head)
        written: dict[str, Entry] = {}
        blocked: set[str] = set()
        for path, old, new in sorted(due, key=lambda change: change.new is not None):  # removals make room
            if path in failed or _SUBMODULE in {entry.mode for entry in (old, new) if entry}:
                continue  # a submodule has no file
            on_disk = hashes.get(path, "" if files.exists(path) else None)
            if files.is_blocked(path) or (new and files.is_folder(path)):
                blocked |= {path} if old != new else set()
            elif on_disk in {old.oid if old else None, *later_oids.get(path, ())}:
                failed |= files.remove(path) if new is None else {}
                written |= {path: new} if new else {}
            elif old != new and on_disk != (new.oid if new else None):
                self._kept[path] = None  # a person changed the file: let it show as modified
        failed |= files.write(written)
        self._failed |= failed
        self._kept |= dict.fromkeys(blocked)
        self._owed |= {path: old for path, old, _ in due if path in failed or path in blocked}
        return {path: new for path, _, new in due if path not in self._owed}

    def _read_owed(self) -> dict[str, Entry | None]:
        try:
            text = self._files.git_path(_OWED).read_bytes().decode("utf-8", "surrogateescape")
        except FileNotFoundError:
            return {}
        owed: dict[str, Entry | None] = {}
        for info, _, path in (row.partition("\t") for row in text.split("\0") if row):
            mode, oid = info.split(" ")
            owed[path] = None if mode == "0" else Entry(mode, oid)
        return owed

    def _save_owed(self, digits: int) -> None:
        path = self._files.git_path(_OWED)
        if self._owed:
            new = path.with_suffix(".new")
            new.write_bytes(index_info(self._owed, digits))
            new.replace(path)
        else:
            path.unlink(missing_ok=True)


def _named(paths: Collection[str]) -> str:
    named = ", ".join(one_line(path, _MAX_TEXT) for path in list(paths)[:_MAX_NAMED])
    return named + (f" and {len(paths) - _MAX_NAMED} more" if len(paths) > _MAX_NAMED else "")


def _shown(reason: str) -> str:
    return one_line(reason, _MAX_TEXT)
