"""Format the message of a phase commit, and parse its trailers.

Trailers hold the whole state of a run.  No text of a model reaches a message.  What comes from a plan or a recipe is
written so that it has no effect there, see :mod:`bot.history.inert_text`.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Literal, NamedTuple, Self

from bot.history.inert_text import quote, unquote, words
from bot.planning.phases import Phase
from bot.text import CONTROL

Status = Literal["complete", "partial"]

_PREFIX = "Phasebot-"
_TOKENS = re.compile(r"in=(\d{1,15}) out=(\d{1,15})")
_FINDINGS = re.compile(r"given=(\d{1,9}) left=(\d{1,9})")
_REPAIR = re.compile(r"round=(\d{1,9}) errors=(\d{1,9})(?: phases=(\d{1,9}))?")
_REASON = re.compile(r"([a-z][a-z-]{0,19}) (\S.*)")
_LINE = re.compile(r"Phasebot-([A-Za-z-]+): ?(.*)")


class Round(NamedTuple):
    """A round of repair."""

    number: int
    errors: int
    """How many errors it began with."""
    phases: int = 0
    """How many phases it is to make again; 0 if the commit is of a release that did not tell."""

    def __str__(self) -> str:
        return f"round={self.number} errors={self.errors}" + (f" phases={self.phases}" if self.phases else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trailers:
    """The trailers of one commit, in the order they are written.  A tuple holds a trailer that can repeat."""

    run: str
    phase: str | None = None
    status: Status | None = None
    inputs: str | None = None
    recipe: str | None = None
    base: str | None = None
    """Name of the branch that the run started from; in the run's first plan commit."""
    provider: str | None = None
    model: str | None = None
    tokens: tuple[int, int] | None = None
    """Tokens in and out."""
    findings: tuple[int, int] | None = None
    """How many findings the model was given to mend its files, and how many are left in them."""
    repair: Round | None = None
    """The round of repair that made the commit."""
    requested_by: str | None = None
    comment: str | None = None
    missing: tuple[str, ...] = ()
    """Repository paths that could not be generated."""
    reason: tuple[tuple[str, str], ...] = ()
    """Why, as ``(code, path)``; the codes are those of :mod:`bot.history.reasons`, or of a later release."""
    fallback: tuple[str, ...] = ()
    """Repository paths generated from the recipe's templates, because the provider failed."""
    conflict: tuple[str, ...] = ()
    """Repository paths that conflict: a person's version was kept and the new one dropped."""
    kept: tuple[str, ...] = ()
    """Repository paths that hold a person's own file, which the bot never made: it was kept."""
    discarded: tuple[str, ...] = ()
    """Repository paths whose human edits were discarded, because somebody asked for that."""
    reverts: tuple[str, ...] = ()
    """Keys of the phases that this commit rolls back."""

    def for_phase(self, phase: Phase, status: Status) -> Self:
        """Return a copy with the trailers that identify *phase* as it is in the plan."""
        return replace(self, phase=phase.key, status=status, inputs=phase.inputs, recipe=phase.recipe)

    def format(self) -> str:
        """Return the trailer paragraph, with a newline at its end.

        Raises:
            ValueError: A value contains a line break or another control character.
        """
        return "".join(f"{line}\n" for line in self._lines())

    def _lines(self) -> Iterator[str]:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "tokens" and value:
                written = [f"in={value[0]} out={value[1]}"]
            elif field.name == "findings" and value:
                written = [f"given={value[0]} left={value[1]}"]
            elif field.name == "repair" and value:
                written = [str(value)]
            elif field.name == "reason":
                written = list(map(_format_reason, value))
            else:
                values = value if isinstance(value, tuple) else (value,)
                written = [_format_value(each) for each in values if each is not None]
            yield from (f"{_PREFIX}{_trailer_key(field.name)}: {each}" for each in written)

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Parse the output of ``git log --format=%(trailers:only,unfold)``.

        Returns None if the trailers are not Phasebot's or are malformed.  Unknown keys are ignored, so that a later
        release can add some.
        """
        found: dict[str, list[str]] = {}
        for line in text.split("\n"):
            if match := _LINE.fullmatch(line.strip()):
                found.setdefault(match[1].replace("-", "_").lower(), []).append(unquote(match[2].strip()))
        last = {name: values[-1] for name, values in found.items() if values[-1]}
        status = last.get("status")
        if "run" not in last or not ("phase" in last or "reverts" in found):
            return None
        if "phase" in last and status not in ("complete", "partial"):
            return None
        repeated = {name: tuple(found.get(name, ())) for name in _REPEATED}
        single = {name: last.get(name) for name in _SINGLE}
        return cls(
            status=status,  # type: ignore[arg-type]  # checked above
            tokens=_pair(_TOKENS, last.get("tokens")),
            findings=_pair(_FINDINGS, last.get("findings")),
            repair=_round(last.get("repair")),
            reason=tuple(
                (match[1], unquote(match[2])) for match in map(_REASON.fullmatch, found.get("reason", ())) if match
            ),
            **single,  # type: ignore[arg-type]  # strings only
            **repeated,  # type: ignore[arg-type]  # tuples of strings only
        )


_REPEATED = ("missing", "fallback", "conflict", "kept", "discarded", "reverts")
_SINGLE = ("run", "phase", "inputs", "recipe", "base", "provider", "model", "requested_by", "comment")


def _pair(form: re.Pattern[str], text: str | None) -> tuple[int, int] | None:
    match = form.fullmatch(text or "")
    return (int(match[1]), int(match[2])) if match else None


def _round(text: str | None) -> Round | None:
    match = _REPAIR.fullmatch(text or "")
    return Round(int(match[1]), int(match[2]), int(match[3] or 0)) if match else None


def _format_value(value: str) -> str:
    if not value or value != value.strip() or CONTROL.search(value) or {"\t", "\n"} & set(value):
        raise ValueError(f"{value!r} can't be a trailer's value")
    return quote(value)


def _format_reason(reason: tuple[str, str]) -> str:
    text = " ".join((reason[0], _format_value(reason[1])))
    match = _REASON.fullmatch(text)
    if match is None or match[1] != reason[0]:
        raise ValueError(f"{text!r} can't be a trailer's value")
    return text


def _trailer_key(name: str) -> str:
    return name.replace("_", "-").title()


def format_message(phase: Phase, total: int, body: Sequence[str], trailers: Trailers) -> str:
    """Return the whole message of a phase commit; *total* is the number of phases in the plan."""
    subject = f"Generate {words(phase.title)} [{phase.place}/{total}]"
    return "\n".join([subject, "", *(f"{line}\n" for line in body), trailers.format()])


def format_revert(keys: Sequence[str], kept: Sequence[str], trailers: Trailers) -> str:
    """Return the whole message of a commit that rolls back the phases *keys* but leaves the *kept* paths."""
    subject = f"Roll back {quote(keys[0])}" if len(keys) == 1 else f"Roll back {len(keys)} phases"
    lines = [f"Kept, because people edited it: {quote(path)}" for path in kept]
    return "\n".join([subject, "", *(["\n".join(lines) + "\n"] if lines else []), trailers.format()])


def format_conflicts(paths: Iterable[str]) -> str:
    """Return the trailers to add to a message if *paths* conflict."""
    return "".join(f"{_PREFIX}Conflict: {quote(path)}\n" for path in paths)
