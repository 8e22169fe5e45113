"""The message of a phase commit: format it, and read its trailers back.

Trailers are the load-bearing text: they are all the state there is.  Nothing a model or a plan wrote reaches
one, but for paths, which :mod:`bot.planning.path_rules` confines before.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Literal, Self

from bot.planning.phases import Phase

Status = Literal["complete", "partial"]

_PREFIX = "Phasebot-"
_TOKENS = re.compile(r"in=(\d{1,15}) out=(\d{1,15})")
_LINE = re.compile(r"Phasebot-([A-Za-z-]+): ?(.*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trailers:
    """The trailers of one commit, in the order they are written; a tuple is a trailer that repeats."""

    run: str
    phase: str | None = None
    status: Status | None = None
    inputs: str | None = None
    recipe: str | None = None
    provider: str | None = None
    model: str | None = None
    tokens: tuple[int, int] | None = None
    """Tokens in and out."""
    requested_by: str | None = None
    comment: str | None = None
    missing: tuple[str, ...] = ()
    """Repository paths that could not be made."""
    fallback: tuple[str, ...] = ()
    """Repository paths that the recipe's templates filled, because the provider could not."""
    conflict: tuple[str, ...] = ()
    """Repository paths where a person's version stayed instead of the new one."""
    reverts: tuple[str, ...] = ()
    """Keys of phases this commit takes back."""

    def of(self, phase: Phase, status: Status) -> Self:
        """Return the same, said of *phase* as the plan has it."""
        return replace(self, phase=phase.key, status=status, inputs=phase.inputs, recipe=phase.recipe)

    def format(self) -> str:
        """Write the trailer paragraph, newline at its end.

        Raises:
            ValueError: A value holds a line break or other control character.
        """
        return "".join(f"{line}\n" for line in self._lines())

    def _lines(self) -> Iterator[str]:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "tokens" and value:
                value = f"in={value[0]} out={value[1]}"
            for each in value if isinstance(value, tuple) else (value,):
                if each is None:
                    continue
                if not each.isprintable() or each != each.strip() or not each:
                    raise ValueError(f"{each!r} can't be a trailer's value")
                yield f"{_PREFIX}{_key(field.name)}: {each}"

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read the trailers that ``git log --format=%(trailers:only,unfold)`` printed.

        None when they are no trailers of ours, or forged so badly that they mean nothing; unknown keys are
        passed over, so a later release may add some.
        """
        found: dict[str, list[str]] = {}
        for line in text.split("\n"):
            if match := _LINE.fullmatch(line.strip()):
                found.setdefault(match[1].replace("-", "_").lower(), []).append(match[2].strip())
        last = {name: values[-1] for name, values in found.items() if values[-1]}
        tokens = _TOKENS.fullmatch(last.get("tokens", ""))
        status = last.get("status")
        if "run" not in last or not ("phase" in last or "reverts" in found):
            return None
        if "phase" in last and status not in ("complete", "partial"):
            return None
        repeated = {name: tuple(found.get(name, ())) for name in ("missing", "fallback", "conflict", "reverts")}
        single = {name: last.get(name) for name in _SINGLE}
        return cls(
            status=status,  # type: ignore[arg-type]  # checked above
            tokens=(int(tokens[1]), int(tokens[2])) if tokens else None,
            **single,  # type: ignore[arg-type]  # texts only
            **repeated,  # type: ignore[arg-type]  # tuples of text only
        )


_SINGLE = ("run", "phase", "inputs", "recipe", "provider", "model", "requested_by", "comment")


def _key(name: str) -> str:
    return name.replace("_", "-").title()


def format_message(phase: Phase, of: int, body: Sequence[str], trailers: Trailers) -> str:
    """Write the whole message of a phase commit; *of* is the number of phases in the plan."""
    subject = f"Generate {phase.title} [{phase.place}/{of}]"
    return "\n".join([subject, "", *(f"{line}\n" for line in body), trailers.format()])


def format_revert(keys: Sequence[str], kept: Sequence[str], trailers: Trailers) -> str:
    """Write the whole message of a commit that takes phases back; *kept* are the paths that stay all the same."""
    subject = f"Roll back {keys[0]}" if len(keys) == 1 else f"Roll back {len(keys)} phases"
    told = [f"Kept, because people edited it: {path}" for path in kept]
    return "\n".join([subject, "", *(["\n".join(told) + "\n"] if told else []), trailers.format()])
