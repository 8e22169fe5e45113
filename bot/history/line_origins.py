"""Follow the lines of a file through its versions, to tell who wrote them.  Pure."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bot.history.proof import Origin

_HUNK = re.compile(r"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@")


class Block(NamedTuple):
    """Lines that two versions have in common; counted from 0."""

    old: int
    new: int
    length: int


FindCommon = Callable[[bytes, bytes], Sequence[Block]]
"""Finds what an old and a new version have in common, in order."""


@dataclass(frozen=True, slots=True)
class Step:
    """What a commit made of a file."""

    oid: str | None
    """The blob; None where the file is gone."""
    by: Origin
    """Who wrote the lines that are new."""
    rendered: bytes | None = None
    """What the recipe makes of the file: new lines that it has are the bot's."""
    is_whole: bool = False
    """Whether all lines are of who brought it, whatever stood there before."""


def count_of_lines(content: bytes) -> int:
    """Return the number of lines; the last one need not end."""
    return content.count(b"\n") + bool(content and not content.endswith(b"\n"))


def relevant(steps: Sequence[Step]) -> Sequence[Step]:
    """Return those of *steps*, oldest first, that the last one's lines come from.

    Who brings back a version that stood there before, brings back whose lines they were.
    """
    kept: list[Step] = []
    for step in steps:
        earlier = [number for number, each in enumerate(kept) if each.oid == step.oid]
        if step.is_whole:
            kept.append(step)
        elif earlier and step.oid:
            del kept[earlier[-1] + 1 :]
        else:
            kept.append(step)
    return kept[max((number for number, each in enumerate(kept) if each.is_whole), default=0) :]


def follow(steps: Sequence[Step], contents: Mapping[str, bytes], common: FindCommon) -> list[Origin]:
    """Return who wrote each line once the relevant *steps* are done; *contents* are blobs.

    A line that a version has in common with the one before keeps its origin.
    """
    before, origins = b"", list[Origin]()
    for step in steps:
        after = contents[step.oid] if step.oid else b""
        origins = [step.by] * count_of_lines(after) if step.is_whole else _next(before, origins, after, step, common)
        before = after
    return origins


def _next(before: bytes, origins: Sequence[Origin], after: bytes, step: Step, common: FindCommon) -> list[Origin]:
    found: list[Origin | None] = [None] * count_of_lines(after)
    for block in common(before, after) if before and after else ():
        found[block.new : block.new + block.length] = origins[block.old : block.old + block.length]
    if step.rendered is not None and None in found:
        for block in common(step.rendered, after):
            for line in range(block.new, block.new + block.length):
                found[line] = found[line] or "bot"
    return [origin or step.by for origin in found]


def first_difference(expected: bytes, content: bytes) -> int:
    """Return the number of the first line of *content* that differs from *expected*, from 1 on."""
    lines, others = content.split(b"\n"), expected.split(b"\n")
    pairs = zip(lines, others, strict=False)
    return next((number for number, (one, other) in enumerate(pairs, 1) if one != other), min(len(lines), len(others)))


def read_common(hunks: str, old: bytes, new: bytes) -> list[Block]:
    """Return what two versions have in common, from the *hunks* of their diff without context."""
    return [block for block in _between(hunks, count_of_lines(old), count_of_lines(new)) if block.length > 0]


def _between(hunks: str, old_count: int, new_count: int) -> Iterator[Block]:
    old = new = 0
    for line in hunks.split("\n"):
        if match := _HUNK.match(line):
            old_start, old_size, new_start, new_size = (int(each or 1) for each in match.groups())
            old_start -= old_size > 0  # of nothing, git names the line before
            new_start -= new_size > 0
            yield Block(old, new, min(old_start - old, new_start - new))
            old, new = old_start + old_size, new_start + new_size
    yield Block(old, new, min(old_count - old, new_count - new))
