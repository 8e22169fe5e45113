"""What the commands of a recipe said about a project."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Literal, NamedTuple

from bot.assessment.finding import Finding

Ending = Literal["passed", "failed", "time", "memory", "processes", "disk", "output", "missing", "offline", "lost"]
"""How a command ended: with status 0 or another one; above a limit; there is no such program; the network was missing;
or it was ended from outside."""
IN_WORDS: dict[Ending, str] = {
    "passed": "passed",
    "failed": "failed",
    "time": "took longer than its time limit",
    "memory": "needs more memory than it may have",
    "processes": "started more processes than it may have",
    "disk": "wrote more to the disk than it may",
    "output": "printed more than it may",
    "missing": "could not be started",
    "offline": "could not reach the network",
    "lost": "was ended by something else",
}
_CONCLUSIVE = ("passed", "failed")


class Counts(NamedTuple):
    """How many tests passed, failed and were skipped."""

    passed: int
    failed: int
    skipped: int

    def __str__(self) -> str:
        parts = [f"{self.passed} {'test' if self.passed == 1 else 'tests'} passed"]
        parts += [f"{number} {what}" for number, what in ((self.failed, "failed"), (self.skipped, "skipped")) if number]
        return ", ".join(parts)

    def plus(self, other: "Counts") -> "Counts":
        """Return the counts of both."""
        return Counts(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


Why = Literal["rule", "trace", "module", "test", "bisected"]
"""The test is marked with the phase's rule, its traceback comes by the file, it tests the module, or none of that; or
it was tried out that this phase broke it."""


class FailedTest(NamedTuple):
    """A test that failed, and the finding about what is to blame."""

    test: str
    """``tests/test_posts.py::test_create``."""
    finding: Finding
    why: Why
    certain: bool
    """False: other phases may be at fault as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResult:
    """What one command said."""

    run: Sequence[str]
    folder: str
    """In the project."""
    ending: Ending
    status: int | None = None
    """None if it did not end by itself."""
    seconds: float = 0.0
    tests: Counts | None = None
    findings: Sequence[Finding] = ()
    faults: Sequence[FailedTest] = ()
    """Tests that failed; their findings are among *findings*."""
    left: int = 0
    """Processes that it left behind; they were ended."""
    notes: Sequence[str] = ()

    @property
    def name(self) -> str:
        return " ".join(self.run)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What all commands said about one tree."""

    tree: str
    """The id of the tree in git."""
    commands: Sequence[CommandResult]
    isolation: str
    """What the system let the commands be apart from, in one sentence."""
    expected: int
    """How many commands there are; those after a failed installation are not run."""
    notes: Sequence[str] = ()

    @property
    def findings(self) -> Sequence[Finding]:
        return [finding for each in self.commands for finding in each.findings]

    @property
    def errors(self) -> Sequence[Finding]:
        return [each for each in self.findings if each.severity == "error"]

    @property
    def tests(self) -> Counts | None:
        """The tests of all commands together; None if none counts tests."""
        counted = [each.tests for each in self.commands if each.tests]
        return reduce(Counts.plus, counted) if counted else None

    @property
    def is_verified(self) -> bool:
        """Whether the project is verified: every command passed, and nothing that it said is an error."""
        return self.passed and not self.errors

    @property
    def is_telling(self) -> bool:
        """Whether it says something about the project, good or bad; without a network, it does not."""
        return self.passed or bool(self.errors)

    @property
    def passed(self) -> bool:
        """Whether every command passed."""
        return len(self.commands) == self.expected and all(each.ending == "passed" for each in self.commands)

    @property
    def is_conclusive(self) -> bool:
        """Whether the same commands would say the same again: all ran to their end."""
        return len(self.commands) == self.expected and all(each.ending in _CONCLUSIVE for each in self.commands)


@dataclass(frozen=True)
class Verified:
    """What was verified of a run, seen from its head."""

    verification: Verification
    is_current: bool
    """Whether it is about the very files at head.  Otherwise these are not yet verified."""

    @cached_property
    def errors(self) -> Mapping[str | None, Sequence[Finding]]:
        """The errors in the files at head, by the key of the phase; None for files of no phase."""
        found: dict[str | None, list[Finding]] = {}
        for each in self.verification.errors if self.is_current else ():
            found.setdefault(each.phase, []).append(each)
        return found
