"""Write, remove and compare the files of a worktree, as git would: with its line endings, filters and modes.

A file is replaced wholly or not at all, and one that can't be written is in no other file's way.
"""

import errno
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from bot.history.git import Git, Result, main_line
from bot.history.repository import object_id
from bot.history.run_state import Entry

Reasons = dict[str, str]
"""Path → why git or the system refused."""


class WorktreeFiles:
    """The files of one worktree."""

    def __init__(self, git: Git, folder: Path) -> None:
        self._git = git
        self.folder = folder

    def git_path(self, name: str) -> Path:
        """Return the file *name* in the worktree's own part of the ``.git`` folder."""
        return self.folder / self._git("rev-parse", "--git-path", name, folder=self.folder)

    def exists(self, path: str) -> bool:
        """Whether there is anything at *path*."""
        return (self.folder / path).exists() or (self.folder / path).is_symlink()

    def is_folder(self, path: str) -> bool:
        """Whether there is a folder at *path*, and not a link to one."""
        return (self.folder / path).is_dir() and not (self.folder / path).is_symlink()

    def is_blocked(self, path: str) -> bool:
        """Whether a parent of *path* is a file or symlink, so that writing would replace it or leave the worktree."""
        parent = self.folder
        for part in path.split("/")[:-1]:
            parent /= part
            if parent.is_symlink() or (parent.exists() and not parent.is_dir()):
                return True
        return False

    def hashes(self, paths: Sequence[str], sample_oid: str) -> tuple[dict[str, str], Reasons]:
        """Return the blob id of each file or symlink at *paths*, as git would add it, and what could not be read."""
        there = [path for path in paths if not self.is_blocked(path)]
        links = [path for path in there if (self.folder / path).is_symlink()]
        files = [path for path in there if path not in links and (self.folder / path).is_file() and "\n" not in path]
        found: dict[str, str] = {}

        def add_hashes(some: Sequence[str]) -> Result:
            stdin = "".join(f"{path}\n" for path in some).encode("utf-8", "surrogateescape")
            result = self._git.run("hash-object", "--stdin-paths", stdin=stdin, folder=self.folder)
            if result.status == 0:
                found.update(zip(some, result.text.split("\n"), strict=True))
            return result

        failed = _all_or_each(files, add_hashes)
        for path in links:
            target = str((self.folder / path).readlink()).encode("utf-8", "surrogateescape")
            found[path] = object_id(target, sample_oid)
        return found, failed

    def write(self, files: Mapping[str, Entry]) -> Reasons:
        """Write *files*, and return those that could not be written, which are as they were."""
        if not files:
            return {}
        scratch = self.git_path("phasebot-files")
        shutil.rmtree(scratch, ignore_errors=True)  # a killed process may have left it
        try:
            scratch.mkdir()
            return self._write(files, scratch)
        except OSError as exc:
            return dict.fromkeys(files, _reason(exc))
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _write(self, files: Mapping[str, Entry], scratch: Path) -> Reasons:
        """Check *files* out into *scratch*, which is on the same disk, then move each to its place."""

        def check_out(some: Sequence[str]) -> Result:
            (scratch / "index").unlink(missing_ok=True)
            environment = {"GIT_INDEX_FILE": str(scratch / "index")}
            info = index_info({path: files[path] for path in some})
            arguments = ("update-index", "--add", "-z", "--index-info")
            result = self._git.run(*arguments, stdin=info, folder=self.folder, environment=environment)
            if result.status != 0:
                return result
            if self._git.promisors:  # the command that writes files has no credentials to fetch them
                oids = "".join(f"{files[path].oid}\n" for path in some)
                self._git("cat-file", "--batch-check", stdin=oids.encode())
            names = "".join(f"{path}\0" for path in some).encode("utf-8", "surrogateescape")
            where = ("-f", "-q", "-z", "--stdin", f"--prefix={scratch}/tree/")
            return self._git.run("checkout-index", *where, stdin=names, folder=self.folder, environment=environment)

        failed = _all_or_each(list(files), check_out)
        for path in files.keys() - failed.keys():
            try:
                _move(scratch / "tree" / path, self.folder / path)
            except OSError as exc:
                failed[path] = _reason(exc)
        return failed

    def remove(self, path: str) -> Reasons:
        """Remove a file, and the folders that become empty; return why it could not be removed, if so."""
        try:
            (self.folder / path).unlink(missing_ok=True)
        except OSError as exc:
            return {path: _reason(exc)}
        self._remove_empty_folders(path)
        return {}

    def _remove_empty_folders(self, path: str) -> None:
        for parent in (self.folder / path).parents:
            if parent == self.folder or (parent.exists() and any(parent.iterdir())):
                return
            with suppress(OSError):
                parent.rmdir()


def index_info(entries: Mapping[str, Entry | None], digits: int = 0) -> bytes:
    """Return the input of ``update-index --index-info``; *digits* is the length of an object id, for removals."""
    removed = Entry("0", "0" * digits)
    rows = ((entry or removed, path) for path, entry in entries.items())
    return b"".join(f"{entry.mode} {entry.oid}\t{path}\0".encode("utf-8", "surrogateescape") for entry, path in rows)


def _all_or_each(paths: Sequence[str], run: Callable[[Sequence[str]], Result]) -> Reasons:
    """Run git once for all of *paths*; if that fails, once for each, and return what failed."""
    if not paths or (len(paths) > 1 and run(paths).status == 0):
        return {}
    results = ((path, run([path])) for path in paths)
    return {path: main_line(result.err) for path, result in results if result.status != 0}


def _move(source: Path, target: Path) -> None:
    """Put *source* in the place of *target* in one step; a folder is never replaced."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        source.replace(target)
    except OSError as exc:
        if exc.errno != errno.EXDEV:
            raise
        copy = target.with_name(".phasebot-copy")  # the worktree is on another disk than its .git folder
        try:
            shutil.copy2(source, copy, follow_symlinks=False)
            copy.replace(target)
        finally:
            copy.unlink(missing_ok=True)


def _reason(exc: OSError) -> str:
    return exc.strerror or str(exc)
