"""Remedies with whole commands: what to type in this folder to go on with the run, ready to be copied.  Pure."""

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence

_AGAIN = re.compile(r"(?<!')\brun generate(?= again| for those)")
_CASCADE = re.compile(r"(?<!')\bgenerate --cascade\b")
_OTHER = re.compile(r"'phasebot (regenerate|fix|assess|verify|status)( [^'\n]*)?'")
_CHANGED = re.compile(r"\b(?:with(?: another| a higher)?|use|correct) (--[a-z-]+)")

Option = tuple[str, Sequence[str]]
"""A flag → the words that give it."""


def with_commands(message: str, where: Sequence[Option], how: Sequence[Option]) -> str:
    """Return *message*, where each command that it tells to run names the run, and how to work on it.

    *where* are the options that choose repository and run, *how* those of generate that were given.  One that
    people are told to change is left to them.
    """
    place = _words(where)
    changed = _CHANGED.findall(message)
    ways = _words(each for each in how if each[0] not in changed)
    generate = f"phasebot generate{place}{ways}"
    message = _AGAIN.sub(lambda _: f"run {_quoted(generate)}", message)
    message = _CASCADE.sub(lambda _: _quoted(f"{generate} --cascade"), message)
    return _OTHER.sub(lambda found: _other(found[1], found[2] or "", where), message)


def as_options(values: Mapping[str, object]) -> Iterable[Option]:
    """Yield flag and words of each value: a text, a number, a list of texts, or True for a flag alone."""
    for flag, value in values.items():
        if value is True:
            yield flag, (flag,)
        elif isinstance(value, tuple | list):
            yield flag, tuple(word for each in value for word in (flag, str(each)))
        else:
            yield flag, (flag, str(value))


def _words(options: Iterable[Option]) -> str:
    return "".join(f" {shlex.quote(word)}" for _, words in options for word in words)


def _other(command: str, rest: str, where: Sequence[Option]) -> str:
    """Return another command than generate, with those options of *where* that its *rest* does not have."""
    return _quoted(f"phasebot {command}{_words(each for each in where if each[0] not in rest.split(' '))}{rest}")


def _quoted(command: str) -> str:
    return f"`{command}`" if "'" in command else f"'{command}'"
