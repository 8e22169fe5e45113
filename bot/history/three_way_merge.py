"""Bring what a provider made together with what people did: three ways, and a person's line never loses."""

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.history.ledger import Ledger
from bot.history.repository import Repository, object_id
from bot.history.run_state import Entry, FileState


@dataclass(frozen=True, slots=True)
class MergeResult:
    """What of the generated files is to be written, and what is not."""

    files: Mapping[str, bytes]
    conflicts: tuple[str, ...]
    """Paths where a person's version stays because the two could not be merged."""


def merge_files(repository: Repository, ledger: Ledger, files: Mapping[str, bytes], like: str) -> MergeResult:
    """Decide for each generated file what to write; *like* is any object id of the repository.

    Base is the bot's last version, ours the one at head, theirs the new one.  What is already right is left
    out; a path where something other than a file stands, or that a person removed, is a conflict.
    """
    writes: dict[str, bytes] = {}
    conflicts: list[str] = []
    for path, content in files.items():
        state = ledger.file(path)
        new = object_id(content, like)
        if ledger.blocked(path):
            conflicts.append(path)
        elif state.head is not None and state.head.oid == new:
            continue
        elif state.head == state.generated:
            writes[path] = content
        elif (base := last_version(repository, state)) is not None and object_id(base, like) == new:
            continue  # nothing new to say where a person has spoken
        elif (merged := _three_way(repository, base, state.head, content)) is None:
            conflicts.append(path)
        else:
            writes[path] = merged
    return MergeResult(writes, tuple(conflicts))


def last_version(repository: Repository, state: FileState) -> bytes | None:
    """Return what the bot last made of a file, without a person's lines in it: the base of a merge; None if not known.

    Where that was merged with a person's lines and stored nowhere, it is what the merge changed, put on the version
    before; as far as that goes.
    """
    if state.generated is None or not state.generated.is_file:
        return None
    version = repository.blob(state.generated.oid)
    for before, after in state.merges:
        if not (before.is_file and after.is_file):
            break
        next_one = merge_content(repository, repository.blob(before.oid), repository.blob(after.oid), version)
        if next_one is None:
            break
        version = next_one
    return version


def _three_way(repository: Repository, base: bytes | None, ours: Entry | None, theirs: bytes) -> bytes | None:
    if base is None or ours is None:
        return None
    return merge_content(repository, base, repository.blob(ours.oid), theirs)


def merge_content(repository: Repository, base: bytes, ours: bytes, theirs: bytes) -> bytes | None:
    """Merge two changes of one text; None where they conflict or it is no text."""
    if any(b"\0" in content[:8000] for content in (base, ours, theirs)):
        return None
    with tempfile.TemporaryDirectory(prefix="phasebot-") as folder:
        names = _written(Path(folder), (ours, base, theirs))
        result = repository.git.run("merge-file", "-p", "--quiet", *names)
    return result.out if result.status == 0 else None


def _written(folder: Path, contents: Iterable[bytes]) -> list[str]:
    names = []
    for number, content in enumerate(contents):
        path = folder / str(number)
        path.write_bytes(content)
        names.append(str(path))
    return names
