"""What a report says, before it is known which files it is about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from bot.text import one_line, truncate

MAX_REPORT = 8 << 20
"""Largest report that is read, in bytes."""
MAX_REMARKS = 1_000
"""How many remarks of a report are kept; the others are counted."""
MAX_TRACE = 60
"""How many places of a traceback are kept: those at its end."""
MAX_LINE = 10_000_000
MAX_PASSED = 50_000
"""How many names of tests that passed are kept."""
_MAX_MESSAGE = 300
_MAX_NAME = 400
_MAX_RULE = 80

Level = Literal["error", "warning"]


class Spot(NamedTuple):
    """A place in a file, as a report names it: the path may be absolute, or lead anywhere."""

    path: str
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One thing that a report says."""

    spot: Spot
    """The path is empty if the report names none."""
    rule: str
    level: Level = "error"
    message: str
    """One printable line."""
    test: str = ""
    """The name of the test that failed; empty if it is about something else."""
    module: str = ""
    """Where a test is: ``tests.test_posts.TestCreate``."""
    trace: Sequence[Spot] = ()
    """The places of a traceback, the innermost first."""


class Case(NamedTuple):
    """A test, as a report names it."""

    spot: Spot
    module: str
    test: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a report says."""

    remarks: Sequence[Remark] = ()
    left_out: int = 0
    """How many more remarks it has."""
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    problem: str = ""
    """Why it can't be read."""
    tests: bool = field(default=False)
    """Whether it counts tests."""
    cases: Sequence[Case] = ()
    """Tests that passed."""

    def as_json(self) -> dict[str, Any]:
        """Return what :meth:`from_json` reads."""
        remarks = [
            [*each.spot, each.rule, each.level, each.message, each.test, each.module, [[*spot] for spot in each.trace]]
            for each in self.remarks
        ]
        counts = [self.left_out, self.passed, self.failed, self.skipped]
        cases = [[*each.spot, each.module, each.test] for each in self.cases]
        return {"remarks": remarks, "counts": counts, "problem": self.problem, "tests": self.tests, "cases": cases}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Report":
        """Read what :meth:`as_json` returned."""
        left_out, passed, failed, skipped = content["counts"]
        return cls(
            remarks=[
                Remark(
                    spot=Spot(path, line),
                    rule=rule,
                    level=level,
                    message=message,
                    test=test,
                    module=module,
                    trace=[Spot(*spot) for spot in trace],
                )
                for path, line, rule, level, message, test, module, trace in content["remarks"]
            ],
            left_out=left_out,
            passed=passed,
            failed=failed,
            skipped=skipped,
            problem=content["problem"],
            tests=content["tests"],
            cases=[Case(Spot(path, line), module, test) for path, line, module, test in content["cases"]],
        )


def message_of(text: str, otherwise: str) -> str:
    """Return *text* for people, in one printable line; *otherwise* if nothing of it shows."""
    return one_line(text[: _MAX_MESSAGE * 4], _MAX_MESSAGE) or otherwise


def name_of(text: str) -> str:
    """Return a name of a report, in one printable line."""
    return one_line(text[: _MAX_NAME * 2], _MAX_NAME)


def rule_of(text: object, otherwise: str) -> str:
    """Return the name of a rule without spaces."""
    return "-".join(one_line(text[: _MAX_RULE * 2], _MAX_RULE).split()) if isinstance(text, str) and text else otherwise


def path_of(text: object) -> str:
    """Return a path of a report; empty if it can't be one."""
    return text if isinstance(text, str) and len(text) <= 4 * _MAX_NAME and "\0" not in text else ""


def line_of(number: object) -> int | None:
    """Return a line number of a report; None if it can't be one."""
    is_line = isinstance(number, int) and not isinstance(number, bool) and 0 < number <= MAX_LINE
    return number if is_line and isinstance(number, int) else None


def kept(remarks: Sequence[Remark]) -> tuple[Sequence[Remark], int]:
    """Return the first of *remarks*, and how many more there are."""
    return remarks[:MAX_REMARKS], max(0, len(remarks) - MAX_REMARKS)


def first_line(text: str) -> str:
    """Return the first line of *text* that shows something."""
    return next((truncate(line.strip(), _MAX_MESSAGE * 2) for line in text.split("\n", 20) if line.strip()), "")
