"""The first line of a comment → a command; and back, to print exactly what to write next (design §5).

Pure and linear in the length of the text.  Most comments are no commands, and get None and no answer; what was
meant as one and can't be run is a mistake, which gets one.  Nothing is guessed: a mistake runs nothing.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from bot.text import all_newlines, is_printable, shown, without_hidden

Verb = Literal["generate", "regenerate", "rollback", "plan", "status", "stop", "help"]

USAGE: Mapping[Verb, str] = MappingProxyType(
    {
        "generate": "/generate [--max-tokens N] [--provider P] [-- instruction]",
        "regenerate": "/regenerate PHASE… [--cascade] [-- instruction]",
        "rollback": "/rollback PHASE… [--cascade], or /rollback to PHASE [--cascade]",
        "plan": "/plan",
        "status": "/status",
        "stop": "/stop",
        "help": "/help",
    }
)
"""How each command is written."""

_PROVIDERS = ("template", "gemini")
_OPTIONS: Mapping[Verb, tuple[str, ...]] = {
    "generate": ("--max-tokens", "--provider"),
    "regenerate": ("--cascade",),
    "rollback": ("--cascade",),
}
_TAKES_PHASES = ("regenerate", "rollback")
_TAKES_INSTRUCTION = ("generate", "regenerate")

_COMMAND = re.compile(r"/(\S+)(.*)")
_DASHES = re.compile("--|\u2014|\u2013{1,2}|\u2015")
"""Two dashes, or what a phone makes of them."""
_BLANK_LINES = re.compile(r"(?:[^\S\n]*\n)+")
_NUMBER = re.compile(r"[1-9][0-9]{0,11}")
_PHASE_LIKE = re.compile(r"\w+/\w+,?|(plan|core|support|main),?")
_MAX_PHASE = 200
_MAX_WORD = 20
_MAX_SUGGESTION = 500
_NEAR = 0.75


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What a person asked for; well-formed, but its phases need not exist and the person may not be allowed to."""

    verb: Verb
    phases: tuple[str, ...] = ()
    max_tokens: int | None = None
    provider: str | None = None
    cascade: bool = False
    to: bool = False
    """Whether a rollback is of everything after its one phase."""
    instruction: str = ""
    """What stood after ``--``, one line."""
    text: str = ""
    """What stood below the first line."""


@dataclass(frozen=True, slots=True)
class InvalidCommand:
    """What was meant as a command and runs nothing."""

    message: str
    """One printable sentence: what is wrong with which value, what to write."""
    suggestion: str | None = None
    """The line that was probably meant, or its beginning."""


class _Wrong(Exception):
    def __init__(self, message: str, instead: Command | None = None) -> None:
        super().__init__(message)
        self.instead = instead


def parse_command(text: str, *, in_review: bool = False) -> Command | InvalidCommand | None:
    """Read a comment; None when it is not a command and was not meant as one.

    *In review*, on a line of a file, ``/regenerate`` needs no phase: it is the file's.

    A word after ``/`` that is near a command is only taken for one if the rest of its line is what would follow
    that command, or nothing: people also write ``/generated yesterday``.
    """
    line, _, below = all_newlines(text).partition("\n")
    match = _COMMAND.fullmatch(line)
    if match is None:
        return None
    for verb in USAGE:
        if match[1] == verb:
            try:
                return replace(_read(verb, match[2], in_review=in_review), text=_clean_text(below))
            except _Wrong as exc:
                return InvalidCommand(str(exc), _suggestion(exc.instead))
    return _near_miss(match[1], match[2])


def format_command(command: Command) -> str:
    """Write the comment that :func:`parse_command` reads as *command*."""
    words = [f"/{command.verb}", *(["to"] if command.to else []), *command.phases]
    if command.cascade:
        words.append("--cascade")
    if command.max_tokens is not None:
        words.append(f"--max-tokens {command.max_tokens}")
    if command.provider is not None:
        words.append(f"--provider {command.provider}")
    if command.instruction:
        words.append("-- " + command.instruction.replace("\n", " "))
    line = " ".join(words)
    return f"{line}\n\n{command.text}" if command.text else line


def _clean_text(text: str) -> str:
    """Drop hidden characters and the blank lines around, but not the first line's indent: it may be YAML."""
    text = without_hidden(text, prose=True).rstrip()
    blank = _BLANK_LINES.match(text)
    return text[blank.end() :] if blank else text


def _near_miss(word: str, rest: str) -> InvalidCommand | None:
    """Return the answer to a *word* that is no command but looks like one.

    But for case, punctuation and what can't be seen, it is one: the rest doesn't matter.
    """
    from difflib import get_close_matches

    plain = re.sub(r"[\W_]", "", word.casefold())
    if "/" in word or len(plain) > _MAX_WORD:
        return None
    near = get_close_matches(plain, USAGE, n=1, cutoff=_NEAR)
    verb = next((verb for verb in USAGE if verb in near), None)
    if verb is None or (plain != verb and not _could_follow(verb, rest)):
        return None
    try:
        meant = _read(verb, rest)
    except _Wrong as exc:
        meant = exc.instead or Command(verb=verb)
    message = f"there is no command {shown(f'/{word}')}; write {USAGE[verb]}"
    return InvalidCommand(message, _suggestion(meant) or f"/{verb}")


def _could_follow(verb: Verb, rest: str) -> bool:
    first = next(iter(rest.split(maxsplit=1)), "")
    if not first:
        return True
    if verb in _OPTIONS and (first.startswith("-") or _DASHES.match(first)):
        return True
    if verb in _TAKES_PHASES and _PHASE_LIKE.fullmatch(first):
        return True
    return verb == "rollback" and first == "to"


def _suggestion(command: Command | None) -> str | None:
    if command is None:
        return None
    line = format_command(command)
    return line if len(line) <= _MAX_SUGGESTION else None


def _read(verb: Verb, rest: str, *, in_review: bool = False) -> Command:
    """Read what follows a command on its line.

    Raises:
        _Wrong: It can't follow it.
    """
    words, instruction = _split(rest)
    if instruction and verb not in _TAKES_INSTRUCTION:
        raise _Wrong(f"/{verb} takes no instruction, but got {shown(instruction)}; write {USAGE[verb]}")
    bare, values = _options(verb, words)
    limit, provider = values.get("--max-tokens"), values.get("--provider")
    if limit is not None and not _NUMBER.fullmatch(limit):
        raise _Wrong(f"--max-tokens takes a whole number such as 50000, not {shown(limit)}; write {USAGE[verb]}")
    if provider is not None and provider not in _PROVIDERS:
        raise _Wrong(f"--provider takes {' or '.join(_PROVIDERS)}, not {shown(provider)}; write {USAGE[verb]}")
    command = Command(
        verb=verb,
        max_tokens=int(limit) if limit else None,
        provider=provider,
        cascade="--cascade" in values,
        instruction=instruction,
    )
    if verb == "regenerate" and in_review and not bare:
        return command
    return _with_phases(command, bare) if verb in _TAKES_PHASES else _without_phases(command, bare)


def _split(rest: str) -> tuple[list[str], str]:
    """Return the words before a ``--`` that stands alone, their dashes mended, and all that follows it."""
    words: list[str] = []
    for match in re.finditer(r"\S+", rest):
        word = _DASHES.sub("--", match[0], count=1) if _DASHES.match(match[0]) else match[0]
        if word == "--":
            return words, without_hidden(rest[match.end() :], prose=True).strip()
        words.append(word)
    return words, ""


def _options(verb: Verb, words: list[str]) -> tuple[list[str], dict[str, str]]:
    """Tell *words* apart: those that are no options, and option → value, the last one where it repeats."""
    bare: list[str] = []
    values: dict[str, str] = {}
    rest = iter(words)
    for word in rest:
        if not word.startswith("-"):
            bare.append(word)
            continue
        name, equals, value = word.partition("=")
        if name not in _OPTIONS.get(verb, ()):
            raise _Wrong(f"/{verb} has no option {shown(name)}; write {USAGE[verb]}")
        if name == "--cascade" and equals:
            raise _Wrong(f"--cascade takes no value, but got {shown(value)}; write {USAGE[verb]}")
        values[name] = value if equals or name == "--cascade" else next(rest, "")
    return bare, values


def _without_phases(command: Command, bare: list[str]) -> Command:
    if not bare:
        return command
    usage = f"/{command.verb} takes no {shown(' '.join(bare))}; write {USAGE[command.verb]}"
    if command.verb not in _TAKES_INSTRUCTION:
        raise _Wrong(usage, command)
    wish = without_hidden(" ".join([*bare, command.instruction]), prose=True).strip()
    raise _Wrong(usage, replace(command, instruction=wish))


def _with_phases(command: Command, bare: list[str]) -> Command:
    to = command.verb == "rollback" and bare[:1] == ["to"]
    phases = tuple(dict.fromkeys(filter(None, (word.rstrip(",") for word in bare[int(to) :]))))
    for phase in phases:
        if not is_printable(phase) or len(phase) > _MAX_PHASE:
            raise _Wrong(f"{shown(phase)} is no phase; /status lists the phases")
    if not phases:
        raise _Wrong(f"/{command.verb} needs a phase; write {USAGE[command.verb]}; /status lists the phases")
    if to and len(phases) > 1:
        raise _Wrong(f"/rollback to takes one phase, not {shown(' '.join(phases))}; write {USAGE['rollback']}")
    return replace(command, phases=phases, to=to)
