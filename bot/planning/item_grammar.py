"""One item of a collection in words, as in ``Feed: shows the newest posts. Uses Post, Follow.``."""

import re
from collections.abc import Sequence

from bot.planning import names
from bot.planning.entities import Item

_SEPARATOR = re.compile(r",|\band\b")
_NAME = re.compile(r"[A-Za-z][\w ]*")
_ENDS = ("", ".", "!", "?", ")", ";")


def read_does(text: str) -> tuple[str, Sequence[str]]:
    """Split what an item does from the names that it uses, which are the last sentence."""
    sentence = text.strip()
    at = max(sentence.rfind("Uses "), sentence.rfind("Uses: "))
    before = sentence[: max(at, 0)].rstrip()
    names_text = sentence[at:].removeprefix("Uses").removeprefix(":").strip().removesuffix(".")
    named = [each.strip() for each in _SEPARATOR.split(names_text)]
    if at < 0 or before[-1:] not in _ENDS or not all(map(_NAME.fullmatch, named)):
        return sentence, ()
    return before, tuple(dict.fromkeys(filter(None, map(_name, named))))


def _name(text: str) -> str:
    return text if names.ENTITY_NAME.fullmatch(text) else names.entity_name(text)


def format_does(item: Item) -> str:
    """Return what *item* does and uses, so that :func:`read_does` reads it back."""
    return f"{item.does} Uses {', '.join(item.uses)}." if item.uses else item.does
