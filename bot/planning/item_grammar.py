"""One item of a collection in words, as in ``Feed: shows the newest posts. Uses Post, Follow.``."""

import re
from collections.abc import Sequence

from bot.planning import names
from bot.planning.entities import Item

_USES = re.compile(r"\buses?:?\s+([A-Za-z][\w ]*(?:(?:,|\band\b)\s*[A-Za-z][\w ]*)*)\.?\s*", re.IGNORECASE)
_SEPARATOR = re.compile(r",|\band\b")


def read_does(text: str) -> tuple[str, Sequence[str]]:
    """Split what an item does from the names that it uses, which are the last sentence."""
    sentence, at = text.strip(), max(text.strip().rfind("Uses "), text.strip().rfind("Uses: "))
    match = (
        _USES.fullmatch(sentence, at)
        if at >= 0 and sentence[:at].rstrip()[-1:] in ("", ".", "!", "?", ")", ";")
        else None
    )
    if match is None:
        return sentence, ()
    used = (_name(each.strip()) for each in _SEPARATOR.split(match[1]))
    return sentence[:at].strip(), tuple(dict.fromkeys(filter(None, used)))


def _name(text: str) -> str:
    return text if names.ENTITY_NAME.fullmatch(text) else names.entity_name(text)


def format_does(item: Item) -> str:
    """Return what *item* does and uses, so that :func:`read_does` reads it back."""
    return f"{item.does} Uses {', '.join(item.uses)}." if item.uses else item.does
