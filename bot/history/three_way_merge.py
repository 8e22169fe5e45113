"""Merge generated files with people's edits, three ways.  On a conflict the person's version wins."""

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.history.ledger import Ledger
from bot.history.line_origins import Block, read_common
from bot.history.repository import Repository, object_id
from bot.history.run_state import Entry, FileState, Generated


@dataclass(frozen=True, slots=True)
class MergeResult:
    """The files to write, and the paths that conflict."""

    files: Mapping[str, bytes]
    conflicts: tuple[str, ...]
    """Paths where the person's version is kept, because the two could not be merged."""
    kept: tuple[str, ...] = ()
    """Paths that hold a person's own file, which the bot never made."""
    discarded: tuple[str, ...] = ()
    """Paths in *files* that drop a person's edits."""


_LINK = "120000"

RenderAgain = Callable[[str, Generated], bytes | None]
"""Renders the text of a path again as the bot made it; None if that text did not come from templates."""


def merge_files(  # each of them is a part of the merge
    repository: Repository,
    ledger: Ledger,
    files: Mapping[str, bytes],
    sample_oid: str,
    render_again: RenderAgain,
    *,
    discard_edits: bool = False,
) -> MergeResult:
    """Merge each generated file; *sample_oid* is any object id of the repository and tells its hash algorithm.

    Base is what the bot would have made alone from the plan that the version at head was made from.  Ours is the
    version at head, theirs is the new one.  Files that head already has are left out.  A path that a person removed or
    replaced with something other than a file is a conflict.  With *discard_edits* the new version wins, unless a folder
    or another path is in the way.
    """
    writes: dict[str, bytes] = {}
    conflicts, kept, discarded = list[str](), list[str](), list[str]()
    for path, content in files.items():
        state = ledger.file(path)
        blocked_by = ledger.blocked_by(path)
        is_link = blocked_by == path and state.head is not None and state.head.mode == _LINK
        if state.head is not None and state.head.is_file and state.head.oid == object_id(content, sample_oid):
            continue
        if discard_edits and (blocked_by is None or is_link):
            writes[path] = content
            if state.head != state.generated:
                discarded.append(path)
        elif ledger.persons_file(path):
            kept.append(path)
        elif blocked_by:
            conflicts.append(path)
        elif state.head == state.generated:
            writes[path] = content
        elif (base := _merge_base(repository, path, state, render_again)) == content:
            continue  # only the person changed the file
        elif (merged := _merge_with_head(repository, base, state.head, content)) is None:
            conflicts.append(path)
        else:
            writes[path] = merged
    return MergeResult(writes, tuple(conflicts), tuple(kept), tuple(discarded))


def _merge_base(repository: Repository, path: str, state: FileState, render_again: RenderAgain) -> bytes | None:
    """Return what the bot would have made alone of the version at head; None if it never made it.

    After a merge with human edits that version is not stored anywhere.  Templates render it again.  A model's is
    reconstructed by applying the changes that each merge made to the version before it.  If one does not apply, the
    version reached so far is returned.
    """
    if state.made is None or state.made.entry is None or not state.made.entry.is_file:
        return None
    if state.made.merges and (rendered := render_again(path, state.made)) is not None:
        return rendered
    version = repository.blob(state.made.entry.oid)
    for before, after in state.made.merges:
        if not (before.is_file and after.is_file):
            break
        next_version = merge_content(repository, repository.blob(before.oid), repository.blob(after.oid), version)
        if next_version is None:
            break
        version = next_version
    return version


def _merge_with_head(repository: Repository, base: bytes | None, head: Entry | None, theirs: bytes) -> bytes | None:
    if base is None or head is None:
        return None
    return merge_content(repository, base, repository.blob(head.oid), theirs)


def merge_content(repository: Repository, base: bytes, ours: bytes, theirs: bytes) -> bytes | None:
    """Merge two versions of a text file; None if they conflict or one of them is binary."""
    if any(b"\0" in content[:8000] for content in (base, ours, theirs)):
        return None
    with tempfile.TemporaryDirectory(prefix="phasebot-") as folder:
        names = _write_files(Path(folder), (ours, base, theirs))
        result = repository.git.run("merge-file", "-p", "--quiet", *names)
    return result.out if result.status == 0 else None


def diff_content(repository: Repository, old: bytes, new: bytes, *more: str) -> str:
    """Return the hunks of the unified diff from *old* to *new*; empty if they are equal or one of them is binary.

    *more* are further options of ``git diff``.
    """
    with tempfile.TemporaryDirectory(prefix="phasebot-") as folder:
        names = _write_files(Path(folder), (old, new))
        options = ("--no-index", "--no-color", "--no-ext-diff", "--no-textconv", *more)
        text = repository.git.run("diff", *options, "--", *names).out.decode("utf-8", "replace")
    _, start, hunks = text.partition("\n@@")
    return f"{start}{hunks}".lstrip("\n")


def common_lines(repository: Repository, old: bytes, new: bytes) -> Sequence[Block]:
    """Return the lines that two versions of a file have in common, as git's diff finds them."""
    return read_common(diff_content(repository, old, new, "--unified=0", "--text"), old, new)


def _write_files(folder: Path, contents: Iterable[bytes]) -> list[str]:
    names = []
    for number, content in enumerate(contents):
        path = folder / str(number)
        path.write_bytes(content)
        names.append(str(path))
    return names
