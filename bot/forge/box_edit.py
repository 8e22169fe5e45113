"""Reads which boxes a person ticked in the progress comment: the difference between its old and its new text.

Both texts are hostile, because whoever may edit a comment can write anything into it.  A box counts only if it stood in
the old text, and was not ticked there.  It imports little, like all that looks at events.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot.forge.comment_command import Command, InvalidCommand
from bot.text import all_newlines

KINDS: Mapping[str, Command] = {
    "regenerate": Command(verb="regenerate"),
    "discard": Command(verb="regenerate", discard_edits=True),
    "rollback": Command(verb="rollback", cascade=True),
}
"""Name of a kind of box → its command, without phases."""
_KEY = r"[A-Za-z0-9][A-Za-z0-9._/-]{0,99}"
_RUN = re.compile(r"<!-- phasebot:([A-Za-z0-9._/-]{1,200}) -->")
_BOX = re.compile(rf"- \[([ xX])\] <!-- phasebot:box:({'|'.join(KINDS)}):({_KEY}) -->.*")


def format_box(kind: str, key: str) -> str:
    """Return the start of a list item with an empty box; empty if *key* can't stand in a hidden comment."""
    return f"- [ ] <!-- phasebot:box:{kind}:{key} -->" if re.fullmatch(_KEY, key) and "--" not in key else ""


def run_of(text: str) -> str:
    """Return the run whose progress comment *text* is, by its first line; empty if it is none."""
    found = _RUN.fullmatch(all_newlines(text).partition("\n")[0])
    return found[1] if found else ""


def read_ticks(old: str, new: str) -> Command | InvalidCommand | None:
    """Return the command of the boxes that are ticked in *new* and were not in *old*; None if there are none.

    GitHub sends one event per tick.  Somebody who edits the text can tick several boxes: those of one kind are one
    command, and others are refused, because nobody knows which should be first.
    """
    before, after = _boxes(old), _boxes(new)
    ticked = [box for box, is_ticked in before.items() if not is_ticked and after.get(box)]
    kinds = list(dict.fromkeys(kind for kind, _ in ticked))
    if not kinds:
        return None
    if len(kinds) > 1:
        return InvalidCommand("boxes of several kinds were ticked at once; tick one, and the next when it is done")
    (kind,) = kinds
    return _with_phases(KINDS[kind], [key for _, key in ticked])


def _with_phases(command: Command, keys: Sequence[str]) -> Command:
    return replace(command, phases=tuple(keys))


def _boxes(text: str) -> Mapping[tuple[str, str], bool]:
    """Return kind and phase of each box → whether it is ticked, wherever it stands."""
    found: dict[tuple[str, str], bool] = {}
    for line in all_newlines(text).split("\n"):
        if box := _BOX.fullmatch(line):
            found[box[2], box[3]] = found.get((box[2], box[3]), False) or box[1] != " "
    return found
