"""One thing that an assessment has to say about a file."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What is wrong, and where."""

    path: str
    """In the repository."""
    line: int | None = None
    """None: it is about the whole file."""
    rule: str
    """Which check found it, such as ``unknown-name``, or a rule of ruff's, such as ``F821``."""
    severity: Severity = "error"
    message: str
    """One printable line; it may quote the file."""
    phase: str | None = None
    """Key of the phase that has to change, most often the one that owns the file; None if no phase does."""

    @property
    def place(self) -> str:
        """Where it is: ``app/models/post.py:12``."""
        return self.path if self.line is None else f"{self.path}:{self.line}"


class Diagnosis(NamedTuple):
    """One thing that a linter found in a Python file."""

    path: str
    """Inside the project's folder."""
    line: int | None
    rule: str
    is_error: bool
    message: str


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Return *findings* without repetitions, errors first, then by place."""
    return sorted(
        dict.fromkeys(findings),
        key=lambda each: (each.severity != "error", each.path, each.line or 0, each.rule, each.message),
    )


def files_at_fault(findings: Iterable[Finding], files: Collection[str]) -> tuple[str, ...]:
    """Return those of a phase's *files* that have to change: where *findings* are, and all code for one elsewhere."""
    places = {each.path for each in findings}
    is_elsewhere = not places <= set(files)
    return tuple(path for path in files if path in places or (is_elsewhere and path.endswith(".py")))
