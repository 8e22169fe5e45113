"""Turns what a command said into findings about files of the project, each with the phase that is to blame."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.assessment.finding import Finding, in_order
from bot.planning.path_rules import inside
from bot.secret_scan import find_secret
from bot.text import one_line, truncate
from bot.verification.blame import Blame, Ground, blame, is_test
from bot.verification.remarks import Remark, Report, Spot
from bot.verification.traces import find_trace
from bot.verification.verdict import IN_WORDS, Ending, FailedTest

_MAX_MESSAGE = 400
_MAX_TEST = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a command said, and where it ran."""

    run: Sequence[str]
    folder: str
    """In the project."""
    project: str
    """The project's folder in the clean place, as an absolute path."""
    ending: Ending
    status: int | None
    output: str
    """The end of what it printed."""
    report: Report
    why: str = ""


class Findings:
    """Makes findings about the project of a *ground*, which is in *folder* of the repository."""

    def __init__(self, ground: Ground, folder: str, plan_file: str) -> None:
        """*plan_file* is the path of a file, inside the project, for what is about no other."""
        self.ground, self._folder, self._plan_file = ground, folder, plan_file

    def of(self, said: Said) -> tuple[list[Finding], list[FailedTest]]:
        """Return the findings that a command leads to, in order, and those of tests with all that is known."""
        faults = [self._test_fault(each, said) for each in said.report.remarks if each.test]
        others = [self._finding(each, said) for each in said.report.remarks if not each.test]
        found = [*(each.finding for each in faults), *others]
        found += self._whole(said, found)
        return in_order(found), faults

    def passed(self, said: Said) -> frozenset[str]:
        """Return the names of the tests that passed."""
        files = {each: self.ground.test_file(each, said.folder, said.project) for each in said.report.cases}
        return frozenset(_name(path, each.test) for each, path in files.items())

    def _test_fault(self, remark: Remark, said: Said) -> FailedTest:
        located = list(self._located(remark.trace, said))
        path = self.ground.test_file(remark, said.folder, said.project)
        name = _name(path, remark.test)
        if path:
            to_blame = blame(self.ground, path, remark.test, located)
        else:
            spot = next(iter(located), Spot(self._file_of(said)))
            to_blame = Blame(*spot, self.ground.owners.get(spot.path), "test", certain=False)
        message = f"{name}: {remark.message}"
        return FailedTest(name, self._make(to_blame, remark.rule, message), to_blame.why, to_blame.certain)

    def _finding(self, remark: Remark, said: Said) -> Finding:
        """Return a finding of a linter; if the command passed, nothing that it says is an error."""
        path = self.ground.locate(remark.spot.path, said.folder, said.project)
        severity = "warning" if said.ending == "passed" else remark.level
        spot = Spot(path, remark.spot.line) if path else Spot(self._file_of(said))
        owner = self.ground.owners.get(spot.path)
        return self._make(
            Blame(*spot, owner, "test", certain=True), remark.rule, remark.message, is_error=severity == "error"
        )

    def _whole(self, said: Said, found: Sequence[Finding]) -> Iterator[Finding]:
        """Yield what a command is told as a whole: that it failed without a reason, or that its report is missing."""
        if said.ending == "offline":
            return  # nobody's fault
        program = one_line(" ".join(said.run), 80)
        if said.ending == "passed":
            if said.report.problem:
                message = f"'{program}' passed, but its report says nothing: {said.report.problem}"
                yield self._about_command(said, "no-report", message)
            elif said.report.tests and not said.report.passed:
                yield self._about_command(said, "no-tests", f"'{program}' passed, but no test did")
        elif not any(each.severity == "error" for each in found) or said.ending != "failed":
            what = IN_WORDS[said.ending] if said.status is None else f"ended with status {said.status}"
            last = said.why or _last_line(said.output)
            message = f"'{program}' {what}{': ' if last else ''}{last}"
            yield self._about_command(said, f"command-{said.ending}", message)

    def _about_command(self, said: Said, rule: str, message: str) -> Finding:
        """Return a finding about what the last traceback comes by, else about a file that the command names."""
        located = list(self._located(find_trace(said.output), said))
        tested = [each for each in located if not is_test(each.path)]
        spot = next(iter([*tested, *located]), Spot(self._file_of(said)))
        owner = self.ground.owners.get(spot.path) if spot.path != self._plan_file else None
        return self._make(Blame(*spot, owner, "trace", certain=False), rule, message)

    def _file_of(self, said: Said) -> str:
        """Return the file of the project that the command names, such as ``requirements.txt``; else the plan's."""
        named = (self.ground.locate(each, said.folder, said.project) for each in said.run)
        return next((path for path in named if path), self._plan_file)

    def _located(self, trace: Sequence[Spot], said: Said) -> Iterator[Spot]:
        for each in trace:
            if path := self.ground.locate(each.path, said.folder, said.project):
                yield Spot(path, each.line)

    def _make(self, to_blame: Blame, rule: str, message: str, *, is_error: bool = True) -> Finding:
        return Finding(
            path=inside(self._folder, to_blame.path),
            line=to_blame.line,
            rule=rule,
            severity="error" if is_error else "warning",
            message=without_secrets(one_line(message, _MAX_MESSAGE)),
            phase=to_blame.phase,
        )


def _name(path: str | None, test: str) -> str:
    return truncate(f"{path}::{test}" if path else test, _MAX_TEST)


def without_secrets(text: str) -> str:
    """Return *text*, or what is said in its place if it holds what looks like a secret."""
    found = find_secret(text)
    return f"what it says is left out, because it looks like {found.kind}" if found else text


def _last_line(output: str) -> str:
    """Return the last line of *output* that shows something."""
    for line in reversed(output[-20_000:].split("\n")):
        if shown := one_line(line, _MAX_MESSAGE // 2):
            return shown
    return ""
