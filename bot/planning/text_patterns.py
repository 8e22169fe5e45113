"""Patterns of texts: ``slug string matches /[a-z0-9-]+/``.

They are read by the engine that the generated project uses.  It takes linear time, so that no plan can hang us.
"""

import re
import string
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from re import _parser as sre  # type: ignore[attr-defined]  # no public module reads a pattern into a tree
from typing import Annotated, Any

from pydantic import StringConstraints, TypeAdapter, ValidationError
from pydantic_core import SchemaError

MAX_PATTERN = 200
_ALPHABET = string.ascii_letters + string.digits + "-_.,:;/@+#!? ()"
"""What texts are made of where a pattern leaves a choice, best first."""
_MAX_STEPS = 100_000
_VARIANTS = 12
"""How many texts are tried for each length."""
_PROPERTY = re.compile(r"\\p(?:\{\w+\}|\w)")
"""A class of Unicode, such as ``\\p{L}``, which Python does not read."""


def pattern_problem(pattern: str) -> str | None:
    """Return what is wrong with *pattern*; None if it can be used."""
    if not 0 < len(pattern) <= MAX_PATTERN:
        return f"it has {len(pattern)} characters; the limit is {MAX_PATTERN}"
    try:
        _adapter(pattern)
    except SchemaError:
        return "it can't be read; use letters, sets, groups and repeats, without look-around or references"
    return None


def matches(pattern: str, text: str) -> bool:
    """Whether the whole of *text* matches *pattern*, which has no problem."""
    try:
        _adapter(pattern).validate_python(text)
    except ValidationError:
        return False
    return True


@lru_cache(maxsize=256)
def sample_texts(pattern: str, shortest: int, longest: int, count: int = 3) -> tuple[str, ...]:
    """Return up to *count* different texts that match *pattern*, the same each time, and none if none is found.

    Their lengths are *shortest* to *longest*.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about sets that look as if they were nested
            tree = sre.parse(_PROPERTY.sub(r"\\w", pattern))
    except (re.error, OverflowError, RecursionError):
        return ()
    found: dict[str, None] = {}
    writer = _Writer(longest)
    for repeats in _repeats(shortest, longest):
        for variant in range(_VARIANTS):
            text = writer.write(tree, repeats, variant)
            if text is not None and shortest <= len(text) <= longest and text not in found and matches(pattern, text):
                found[text] = None
            if len(found) == count:
                return tuple(found)
    return tuple(found)


def _repeats(shortest: int, longest: int) -> Iterator[int]:
    """Yield how many repeats beyond the least number to try: a few, and then what may give the right length."""
    tried = [2, 1, 3, 0, *range(4, 12), *(shortest // unit - less for unit in (1, 2, 3, 4, 5) for less in range(12))]
    yield from dict.fromkeys(each for each in tried if 0 <= each <= longest)


@lru_cache(maxsize=64)
def _adapter(pattern: str) -> TypeAdapter[str]:
    return TypeAdapter(Annotated[str, StringConstraints(pattern=f"^(?:{pattern})$")])


class _TooMuchError(Exception):
    """A text would be too long, or takes too many steps; or the pattern holds what can't be written."""


class _Writer:
    """Writes texts for the tree of a pattern; all of them together take a limited number of steps."""

    def __init__(self, longest: int) -> None:
        self._longest, self._steps = longest, 0
        self._repeats = self._variant = 0

    def write(self, tree: Any, repeats: int, variant: int) -> str | None:  # noqa: ANN401  # it has no public type
        """Return a text; *repeats* is how many to add to the least number, *variant* says which choices to take."""
        self._repeats, self._variant = repeats, variant
        text: list[str] = []
        try:
            self._sequence(tree, text)
        except (_TooMuchError, RecursionError):
            return None
        return "".join(text)

    def _sequence(self, items: Any, text: list[str]) -> None:  # noqa: ANN401
        for kind, value in items:
            self._item(kind, value, text)

    def _item(self, kind: Any, value: Any, text: list[str]) -> None:  # noqa: ANN401
        self._steps += 1
        if len(text) > self._longest or self._steps > _MAX_STEPS:
            raise _TooMuchError
        if kind in (sre.LITERAL, sre.NOT_LITERAL, sre.ANY, sre.IN):
            text.append(self._choose(_characters(kind, value)))
        elif kind is sre.BRANCH:
            self._sequence(self._choose(value[1]), text)
        elif kind is sre.SUBPATTERN:
            self._sequence(value[3], text)
        elif kind in (sre.MAX_REPEAT, sre.MIN_REPEAT):
            least, most, items = value
            more = min(int(most) - least, self._repeats)
            self._repeats -= more
            for _ in range(least + more):
                self._item(sre.SUBPATTERN, (None, 0, 0, items), text)
        elif kind is not sre.AT:
            raise _TooMuchError

    def _choose(self, options: Sequence[Any]) -> Any:  # noqa: ANN401
        if not options:
            raise _TooMuchError
        self._variant, place = divmod(self._variant, len(options))
        return options[place]


def _characters(kind: Any, value: Any) -> Sequence[str]:  # noqa: ANN401
    """Return characters that an item of a pattern may stand for."""
    if kind is sre.LITERAL:
        return chr(value)
    if kind is sre.ANY:
        return _ALPHABET
    items = [(sre.NEGATE, None), (sre.LITERAL, value)] if kind is sre.NOT_LITERAL else list(value)
    negated = items[0][0] is sre.NEGATE
    usual = [each for each in _ALPHABET if any(_holds(item, each) for item in items) != negated]
    firsts = [chr(what[0] if kind is sre.RANGE else what) for kind, what in items if kind in (sre.RANGE, sre.LITERAL)]
    return usual or ([] if negated else firsts)


_CATEGORIES: dict[Any, Callable[[str], bool]] = {
    sre.CATEGORY_DIGIT: str.isdigit,
    sre.CATEGORY_NOT_DIGIT: lambda each: not each.isdigit(),
    sre.CATEGORY_SPACE: str.isspace,
    sre.CATEGORY_NOT_SPACE: lambda each: not each.isspace(),
    sre.CATEGORY_WORD: lambda each: each.isalnum() or each == "_",
    sre.CATEGORY_NOT_WORD: lambda each: not (each.isalnum() or each == "_"),
}


def _holds(item: tuple[Any, Any], character: str) -> bool:
    """Whether an item of a set holds *character*."""
    kind, value = item
    if kind is sre.LITERAL:
        return bool(ord(character) == value)
    if kind is sre.RANGE:
        return bool(value[0] <= ord(character) <= value[1])
    return bool(kind is sre.CATEGORY and _CATEGORIES[value](character))
