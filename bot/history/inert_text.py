"""Text that has no effect where a commit message is read.

GitHub and other services act on words of a commit message: they close issues (``fixes #1``, ``fixes GH-1``), notify
people (``@name``) and skip checks (``[skip ci]``, ``***NO_CI***``).  Paths, phase keys and titles come from recipes,
plans and models, so they are written with :func:`quote` or :func:`words`, and nothing else is written at all.
"""

import json
import re
import unicodedata

from bot.text import is_printable, truncate

_PUNCTUATION = frozenset(" _-./,()+'~")
_REFERENCE = re.compile(r"-(?=\d)")
"""The hyphen of ``ENG-1``; behind a word such as ``fixes``, trackers act on it, and GitHub acts on ``GH-1`` alone."""
_GITHUB_REFERENCE = re.compile(r"(?i:(?<=gh))-(?=\d)")
_DIGEST = re.compile(r"(?:(?P<name>.*[A-Za-z0-9])@)?sha256:[0-9a-f]+")
_SHORT = 100


def words(text: str) -> str:
    """Return *text* for people in at most 100 characters; what could have an effect becomes a blank."""
    plain = "".join(each if _is_plain(each) else " " for each in text)
    return truncate(" ".join(_REFERENCE.sub(" ", plain).split()), _SHORT) or "untitled"


def quote(value: str) -> str:
    """Return *value* as it is if it has no effect, else as a JSON string in which the active characters are escaped.

    :func:`unquote` is the way back.  A digest, and a name with a digest, count as plain.
    """
    digest = _DIGEST.fullmatch(value)
    plain = (digest["name"] or "") if digest else value
    return value if _escape(plain) == plain else f'"{_escape(value)}"'


def unquote(text: str) -> str:
    """Return the value that :func:`quote` wrote; other text, also of earlier releases, is returned unchanged."""
    if len(text) > 1 and text[0] == text[-1] == '"':
        try:
            value = json.loads(text)
        except ValueError:
            return text
        if quote(value) == text:
            return str(value)
    return text


def _escape(value: str) -> str:
    reference = _REFERENCE if " " in value else _GITHUB_REFERENCE
    active = {match.start() for match in reference.finditer(value)}
    return "".join(
        each if _is_plain(each) and place not in active else _escaped(each) for place, each in enumerate(value)
    )


def _escaped(character: str) -> str:
    code = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{code[start : start + 4]}" for start in range(0, len(code), 4))


def _is_plain(character: str) -> bool:
    if character.isascii():
        return character.isalnum() or character in _PUNCTUATION
    return unicodedata.category(character)[0] in "LMN" and is_printable(character)
