"""Writes the files of a commit into a folder, exactly as git has them: no filter, attribute or hook has an effect."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from bot.errors import PhasebotError
from bot.history.repository import Repository
from bot.text import shown

_FILE, _PROGRAM, _LINK, _MODULE = "100644", "100755", "120000", "160000"
_BATCH = 64 << 20
"""Bytes that are held at the same time."""
_MAX_BYTES = 2 << 30
_MAX_TOLD = 5


class TreeFile(NamedTuple):
    """A file in a tree."""

    path: str
    mode: str
    oid: str
    size: int


class Exported(NamedTuple):
    """What was written."""

    paths: Sequence[str]
    notes: Sequence[str]
    """What was left out, and why."""


class TreeFiles:
    """The files of commits, for those who work on a copy of them."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository

    @property
    def folders(self) -> Sequence[Path]:
        """The folders of the clone, in which a copy has nothing to look for."""
        return [self._repository.git.worktree, self._repository.git.common_dir]

    def tree(self, commit: str) -> str:
        """Return the id of the tree of *commit*."""
        return self._repository.git("rev-parse", "--verify", "--end-of-options", f"{commit}^{{tree}}")

    def export(self, commit: str, folder: Path) -> Exported:
        """Write the files of *commit* into *folder*; see :func:`export_tree`."""
        return export_tree(self._repository, commit, folder)


def export_tree(repository: Repository, commit: str, folder: Path) -> Exported:
    """Write the files of *commit* into *folder*, which is empty; links that lead out of it are left out.

    Raises:
        PhasebotError: They are too large, or can't be written.
    """
    files = list(_files(repository, commit))
    if (size := sum(each.size for each in files)) > _MAX_BYTES:
        raise PhasebotError(
            f"verifying: the files of the commit have {size >> 20:,} MB, and at most {_MAX_BYTES >> 20:,} are copied"
        )
    bad = [each.path for each in files if not _is_plain(each.path)]
    left_out = [f"{shown(path)} is no path that can be written" for path in bad]
    good = [each for each in files if _is_plain(each.path)]
    left_out += [f"the submodule {shown(each.path)} is an empty folder" for each in good if each.mode == _MODULE]
    written = list[str]()
    try:
        for batch in _batches([each for each in good if each.mode in (_FILE, _PROGRAM)]):
            for each, content in zip(batch, repository.blobs([each.oid for each in batch]), strict=True):
                _write(folder / each.path, content, 0o755 if each.mode == _PROGRAM else 0o644)
                written.append(each.path)
        for each in good:
            if each.mode == _MODULE:
                (folder / each.path).mkdir(parents=True, exist_ok=True)
        links = [each for each in good if each.mode == _LINK]
        targets = map(os.fsdecode, repository.blobs([each.oid for each in links]))
        linked = _link(folder, dict(zip((each.path for each in links), targets, strict=True)))
        written += linked.paths
        left_out += linked.notes
    except (OSError, ValueError, RuntimeError) as exc:
        why = exc.strerror if isinstance(exc, OSError) else str(exc)
        raise PhasebotError(f"verifying: the commit's files can't be written to {folder}: {why}") from exc
    return Exported(written, _cut(left_out))


def _files(repository: Repository, commit: str) -> Iterator[TreeFile]:
    for row in filter(None, repository.git("ls-tree", "-r", "-z", "-l", "--full-tree", commit).split("\0")):
        info, _, path = row.partition("\t")
        mode, _, oid, size = info.split()
        yield TreeFile(path, mode, oid, int(size) if size.isdecimal() else 0)


def _link(folder: Path, links: Mapping[str, str]) -> Exported:
    """Make *links*, path → target, in *folder*."""
    made, left_out = list[str](), list[str]()
    for path, target in links.items():
        # A tree can be made by hand in which an earlier link is the folder of this one.
        if not _is_within(folder, (folder / path).parent):
            left_out.append(f"the link {shown(path)} is below a link that leads out of the project")
            continue
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).symlink_to(target)
        made.append(path)
    leading_out = [path for path in made if not _is_within(folder, folder / path)]
    for path in leading_out:
        (folder / path).unlink()
        left_out.append(f"the link {shown(path)} leads out of the project")
    return Exported([path for path in made if path not in leading_out], left_out)


def _is_within(folder: Path, path: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())


def _is_plain(path: str) -> bool:
    """Whether *path* leads to a place in the folder."""
    return not any(part in ("", ".", "..") for part in path.split("/"))


def _batches(files: Sequence[TreeFile]) -> Iterator[Sequence[TreeFile]]:
    batch, size = list[TreeFile](), 0
    for each in files:
        if batch and size + each.size > _BATCH:
            yield batch
            batch, size = [], 0
        batch.append(each)
        size += each.size
    yield batch


def _write(path: Path, content: bytes, mode: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def _cut(notes: Sequence[str]) -> Sequence[str]:
    more = len(notes) - _MAX_TOLD
    return [*notes[:_MAX_TOLD], f"and {more} more"] if more > 1 else notes
