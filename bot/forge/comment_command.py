"""Parses the first line of a comment into a command, and formats a command as a comment (design §5).

Pure, in time linear in the length of the text.  Most comments are not commands: they return None and get no answer.
A comment that looks like a command but cannot be run returns an :class:`InvalidCommand`: it gets an answer and runs
nothing.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from bot.forge.mail_reply import outside_code, without_leading_quote, without_mail
from bot.text import all_newlines, is_printable, shown, without_hidden

Verb = Literal["generate", "regenerate", "fix", "rollback", "plan", "explain", "status", "stop", "help"]

USAGE: Mapping[Verb, str] = MappingProxyType(
    {
        "generate": "/generate [--max-tokens N] [--provider P] [-- instruction]",
        "regenerate": "/regenerate PHASE… [--cascade] [--discard-edits] [-- instruction]",
        "fix": "/fix [PHASE…] [--max-tokens N]",
        "rollback": "/rollback PHASE… [--cascade], or /rollback to PHASE [--cascade]",
        "plan": "/plan",
        "explain": "/explain [PHASE…]",
        "status": "/status",
        "stop": "/stop",
        "help": "/help",
    }
)
"""The syntax of each command."""

_PROVIDERS = ("template", "gemini")
_OPTIONS: Mapping[Verb, tuple[str, ...]] = {
    "generate": ("--max-tokens", "--provider"),
    "regenerate": ("--cascade", "--discard-edits"),
    "fix": ("--max-tokens",),
    "rollback": ("--cascade",),
}
_FLAGS = ("--cascade", "--discard-edits")
_TAKES_PHASES = ("regenerate", "fix", "rollback", "explain")
QUESTIONS: tuple[Verb, ...] = ("explain", "status", "stop", "help")
"""The commands that are answered at once: they generate nothing and wait for no run."""
_TAKES_INSTRUCTION = ("generate", "regenerate")

_COMMAND = re.compile(r"/(\S++)(.*)")
_DASHES = re.compile("--|\u2014|\u2013{1,2}|\u2015")
"""Two dashes, or the long dashes that phones replace them with."""
_BLANK_LINES = re.compile(r"(?:[^\S\n]*\n)+")
_NUMBER = re.compile(r"[1-9][0-9]{0,11}")
_PHASE_LIKE = re.compile(r"\w+/\w+,?|(plan|core|support|main),?")
_MAX_PHASE = 200
_MAX_WORD = 20
_MAX_SUGGESTION = 500
_SIMILARITY = 0.75


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A well-formed command.  Its phases may not exist, and its author may lack write access."""

    verb: Verb
    phases: tuple[str, ...] = ()
    max_tokens: int | None = None
    provider: str | None = None
    cascade: bool = False
    discard_edits: bool = False
    """Take the new version of files that people edited."""
    to: bool = False
    """Roll back every phase after the one named."""
    instruction: str = ""
    """The text after ``--``, one line."""
    text: str = ""
    """The text below the first line, up to quoted mail, a signature or a further command line."""
    ignored: str = ""
    """The further command line, which is not run."""

    @property
    def remark(self) -> str:
        """What the author should know about the comment; empty if all of it was read."""
        return f"only the first command of a comment is run, so {shown(self.ignored)} was not" if self.ignored else ""


@dataclass(frozen=True, slots=True)
class InvalidCommand:
    """A comment that looks like a command but cannot be run as written."""

    message: str
    """One printable sentence: what is wrong with which value, and what to write instead."""
    suggestion: str | None = None
    """The command that was probably meant, or the start of it."""


class _SyntaxError(Exception):
    def __init__(self, message: str, meant: Command | None = None) -> None:
        super().__init__(message)
        self.meant = meant


def parse_command(text: str, *, in_review: bool = False) -> Command | InvalidCommand | None:
    """Parse a comment; return None if it is not a command and does not look like one.

    With *in_review* the comment is on a line of a file, so ``/regenerate`` needs no phase: the file's phase is meant.

    A word similar to a command counts as a mistyped command only if the rest of the line could follow that command:
    people also write ``/generated yesterday``.
    """
    line, _, below = all_newlines(text).partition("\n")
    match = _COMMAND.fullmatch(line)
    if match is None:
        return None
    for verb in USAGE:
        if match[1] == verb:
            try:
                text, ignored = _text_below(below)
                return replace(_parse_rest(verb, match[2], in_review=in_review), text=text, ignored=ignored)
            except _SyntaxError as exc:
                return InvalidCommand(str(exc), _format_suggestion(exc.meant))
    return _suggest_similar(match[1], match[2])


def format_command(command: Command) -> str:
    """Return the comment that :func:`parse_command` parses into *command*."""
    words = [f"/{command.verb}", *(["to"] if command.to else []), *command.phases]
    if command.cascade:
        words.append("--cascade")
    if command.discard_edits:
        words.append("--discard-edits")
    if command.max_tokens is not None:
        words.append(f"--max-tokens {command.max_tokens}")
    if command.provider is not None:
        words.append(f"--provider {command.provider}")
    if command.instruction:
        words.append("-- " + command.instruction.replace("\n", " "))
    line = " ".join(words)
    return f"{line}\n\n{command.text}" if command.text else line


def own_words(text: str) -> str:
    """Return what the author of a comment wrote themselves: no quoted mail, no signature, no command."""
    return _text_below(without_leading_quote(all_newlines(text)))[0]


def _text_below(text: str) -> tuple[str, str]:
    """Return the text that belongs to a command, and the further command line that ends it, if one does.

    Hidden characters and surrounding blank lines go; the first line's indent stays, because YAML needs it.
    """
    text, ignored = _cut_at_command(without_mail(without_hidden(text, prose=True)))
    text = text.rstrip()
    blank = _BLANK_LINES.match(text)
    return text[blank.end() :] if blank else text, ignored


def _cut_at_command(text: str) -> tuple[str, str]:
    """Cut *text* before its first command line outside code blocks; return what is left, and that line."""
    lines = text.split("\n")
    for index in outside_code(lines):
        match = _COMMAND.fullmatch(lines[index])
        if match and match[1] in USAGE:
            return "\n".join(lines[:index]), lines[index].strip()
    return text, ""


def _suggest_similar(word: str, rest: str) -> InvalidCommand | None:
    """Return the answer to a *word* that is similar to a command.

    If it differs only in case, punctuation or invisible characters, the rest of the line does not matter.
    """
    from difflib import get_close_matches

    plain = re.sub(r"[\W_]", "", word.casefold())
    if "/" in word or len(plain) > _MAX_WORD:
        return None
    similar = get_close_matches(plain, USAGE, n=1, cutoff=_SIMILARITY)
    verb = next((verb for verb in USAGE if verb in similar), None)
    if verb is None or (plain != verb and not _could_follow(verb, rest)):
        return None
    try:
        meant = _parse_rest(verb, rest)
    except _SyntaxError as exc:
        meant = exc.meant or Command(verb=verb)
    message = f"there is no command {shown(f'/{word}')}; write {USAGE[verb]}"
    return InvalidCommand(message, _format_suggestion(meant) or f"/{verb}")


def _could_follow(verb: Verb, rest: str) -> bool:
    first = next(iter(rest.split(maxsplit=1)), "")
    if not first:
        return True
    if verb in _OPTIONS and (first.startswith("-") or _DASHES.match(first)):
        return True
    if verb in _TAKES_PHASES and _PHASE_LIKE.fullmatch(first):
        return True
    return verb == "rollback" and first == "to"


def _format_suggestion(command: Command | None) -> str | None:
    if command is None:
        return None
    line = format_command(command)
    return line if len(line) <= _MAX_SUGGESTION else None


def _parse_rest(verb: Verb, rest: str, *, in_review: bool = False) -> Command:
    """Parse the rest of a command line.

    Raises:
        _SyntaxError: The rest does not fit the command.
    """
    words, instruction = _split(rest)
    if instruction and verb not in _TAKES_INSTRUCTION:
        raise _SyntaxError(f"/{verb} does not take an instruction, but got {shown(instruction)}; write {USAGE[verb]}")
    arguments, values = _parse_options(verb, words)
    max_tokens, provider = values.get("--max-tokens"), values.get("--provider")
    if max_tokens is not None and not _NUMBER.fullmatch(max_tokens):
        raise _SyntaxError(
            f"--max-tokens takes a whole number such as 50000, not {shown(max_tokens)}; write {USAGE[verb]}"
        )
    if provider is not None and provider not in _PROVIDERS:
        raise _SyntaxError(f"--provider takes {' or '.join(_PROVIDERS)}, not {shown(provider)}; write {USAGE[verb]}")
    command = Command(
        verb=verb,
        max_tokens=int(max_tokens) if max_tokens else None,
        provider=provider,
        cascade="--cascade" in values,
        discard_edits="--discard-edits" in values,
        instruction=instruction,
    )
    if not arguments and (verb in ("explain", "fix") or (verb == "regenerate" and in_review)):
        return command
    return _with_phases(command, arguments) if verb in _TAKES_PHASES else _without_phases(command, arguments)


def _split(rest: str) -> tuple[list[str], str]:
    """Return the words before a separate ``--``, with long dashes as ``--``, and the instruction after it."""
    words: list[str] = []
    for match in re.finditer(r"\S+", rest):
        word = _DASHES.sub("--", match[0], count=1) if _DASHES.match(match[0]) else match[0]
        if word == "--":
            return words, without_hidden(rest[match.end() :], prose=True).strip()
        words.append(word)
    return words, ""


def _parse_options(verb: Verb, words: list[str]) -> tuple[list[str], dict[str, str]]:
    """Split *words* into arguments and option → value; the last value of a repeated option wins."""
    arguments: list[str] = []
    values: dict[str, str] = {}
    rest = iter(words)
    for word in rest:
        if not word.startswith("-"):
            arguments.append(word)
            continue
        name, equals, value = word.partition("=")
        if name not in _OPTIONS.get(verb, ()):
            raise _SyntaxError(f"/{verb} has no option {shown(name)}; write {USAGE[verb]}")
        if name in _FLAGS and equals:
            raise _SyntaxError(f"{name} does not take a value, but got {shown(value)}; write {USAGE[verb]}")
        values[name] = value if equals or name in _FLAGS else next(rest, "")
    return arguments, values


def _without_phases(command: Command, arguments: list[str]) -> Command:
    if not arguments:
        return command
    message = f"/{command.verb} does not take {shown(' '.join(arguments))}; write {USAGE[command.verb]}"
    if command.verb not in _TAKES_INSTRUCTION:
        raise _SyntaxError(message, command)
    instruction = without_hidden(" ".join([*arguments, command.instruction]), prose=True).strip()
    raise _SyntaxError(message, replace(command, instruction=instruction))


def _with_phases(command: Command, arguments: list[str]) -> Command:
    to = command.verb == "rollback" and arguments[:1] == ["to"]
    phases = tuple(dict.fromkeys(filter(None, (word.rstrip(",") for word in arguments[int(to) :]))))
    for phase in phases:
        misplaced_to = phase == "to" and command.verb == "rollback"
        if not is_printable(phase) or len(phase) > _MAX_PHASE or misplaced_to:
            raise _SyntaxError(f"{shown(phase)} is not a phase; /status lists the phases")
    if not phases:
        raise _SyntaxError(f"/{command.verb} needs a phase; write {USAGE[command.verb]}; /status lists the phases")
    if to and len(phases) > 1:
        raise _SyntaxError(f"/rollback to takes one phase, not {shown(' '.join(phases))}; write {USAGE['rollback']}")
    return replace(command, phases=phases, to=to)
