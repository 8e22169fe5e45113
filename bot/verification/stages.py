"""The blame step: which phase broke a test, tried out with the files of one phase after the other.

It starts from files that work, those that the templates make for the plan.  What people or a model made of them comes
on top, in plan order.  Files without a template, and files that no phase owns, stay as they are at head all the time.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import NamedTuple

from bot.assessment.finding import Finding, in_order
from bot.planning.path_rules import inside
from bot.verification.blame import Ground, likely_file
from bot.verification.first_failure import Answer, Outcome, Why, find_first
from bot.verification.verdict import CommandResult, FailedTest

_MAX_RUNS = 8
_SECONDS = 600.0
"""No run is started after that time."""
_MAX_SHOWN = 5


class Changed(NamedTuple):
    """A file that is not at head as its template makes it."""

    made: str
    """The text that the template makes."""
    line: int | None
    """The first line at head that is another; None if the file is gone."""


class Stage(NamedTuple):
    """A phase whose files are not all as the templates make them."""

    phase: str
    files: Mapping[str, Changed]
    """Path inside the project's folder → what it would be."""


class Staged(NamedTuple):
    """What people or a model made of the templates' files."""

    stages: Sequence[Stage]
    """In plan order."""
    without: Sequence[str] = ()
    """Keys of phases that have files which no template makes."""
    untouched: Collection[str] = ()
    """Keys of phases all of whose files are as the templates make them: who blames one of them is wrong."""


class Heard(NamedTuple):
    """What a command said when it ran again."""

    result: CommandResult
    passed: frozenset[str]
    """Names of the tests that passed, as :class:`FailedTest` has them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rerun:
    """How a command is run again."""

    run: Callable[[Mapping[str, str]], Heard]
    """Run it on the files at head, but for those it is given: path inside the project's folder → text."""
    tell: Callable[[str], None]
    now: Callable[[], float]
    """The clock, in seconds."""


def changes(made: Mapping[str, str], head: Mapping[str, str]) -> Mapping[str, Changed]:
    """Return what of the files that templates *made* is something else at *head*; both are path → text."""
    return {path: Changed(text, _line(text, head.get(path))) for path, text in made.items() if head.get(path) != text}


def _line(made: str, text: str | None) -> int | None:
    """Return the first line of *text* that is not as it was made; the last one if only lines after it are missing."""
    if not text:
        return None
    lines = text.splitlines()
    pairs = zip_longest(made.splitlines(), lines)
    differing = (number for number, (one, other) in enumerate(pairs, 1) if one != other)
    return min(next(differing, 1), len(lines))


def uncertain(result: CommandResult, untouched: Collection[str] = ()) -> Mapping[str, FailedTest]:
    """Return the tests of which it is not clear whose fault they are, by name.

    A traceback may come by nothing but files of *untouched* phases, which only received what another phase made wrong.
    """
    if result.ending != "failed":
        return {}
    return {
        each.test: each
        for each in result.faults
        if not each.certain or (each.why == "trace" and each.finding.phase in untouched)
    }


def blame_phases(result: CommandResult, staged: Staged, ground: Ground, folder: str, rerun: Rerun) -> CommandResult:
    """Return *result* with each uncertain test under the phase that broke it, and notes about what was found out.

    *folder* is that of the project in the repository.

    Raises:
        PhasebotError: The command can't be run again.
    """
    tests = uncertain(result, staged.untouched)
    if not tests:
        return result
    if not staged.stages:
        why = f"every file that has a template is as the template makes it{_without(staged)}"
        return with_notes(result, [not_found(len(tests), why)])
    rerun.tell(f"looking for the phase that broke {_tests(len(tests))}: {_MAX_RUNS} runs at most")
    outcomes = find_first([*tests], len(staged.stages), _Looking(tests, staged.stages, rerun))
    found = {name: staged.stages[each.change - 1] for name, each in outcomes.items() if each.why == "found"}
    moved = {name: _moved(tests[name], stage, ground, folder) for name, stage in found.items()}
    faults = [moved.get(each.test, each) for each in result.faults]
    traced = replace(result, faults=faults, findings=_findings(result, faults))
    return with_notes(traced, _notes(outcomes, found, staged))


class _Looking:
    """Runs the tests with the first stages as at head, and all others as the templates make them."""

    def __init__(self, tests: Mapping[str, FailedTest], stages: Sequence[Stage], rerun: Rerun) -> None:
        self._tests, self._stages, self._rerun = tests, stages, rerun
        self._runs, self._until = 0, rerun.now() + _SECONDS
        self._fixed = {name.partition("::")[0] for name in tests}
        """The files of the tests, which stay as they are at head."""

    def __call__(self, number: int) -> Mapping[str, Answer] | None:
        if self._runs >= _MAX_RUNS or self._rerun.now() >= self._until:
            return None
        self._runs += 1
        phases = f"the files of {self._stages[number - 1].phase} and of the phases before it" if number else "no file"
        self._rerun.tell(f"run {self._runs}: with {phases} as on the branch, the others as the templates make them")
        later = [item for stage in self._stages[number:] for item in stage.files.items()]
        heard = self._rerun.run({path: each.made for path, each in later if path not in self._fixed})
        if heard.result.ending not in ("passed", "failed"):
            return {}
        failed = {each.test: each for each in heard.result.faults}
        answers = ((name, self._answer(name, failed.get(name), heard.passed)) for name in self._tests)
        return {name: answer for name, answer in answers if answer}

    def _answer(self, name: str, failed: FailedTest | None, passed: frozenset[str]) -> Answer | None:
        """Return what a test does; one that fails otherwise than at head says nothing about that failure."""
        if failed:
            return "fails" if _kind(failed) == _kind(self._tests[name]) else None
        return "passes" if name in passed else None


def _kind(fault: FailedTest) -> tuple[str, str]:
    """Return how a test failed: ``("test-failed", "AssertionError")``."""
    words = fault.finding.message.removeprefix(f"{fault.test}: ").split(maxsplit=1)
    return fault.finding.rule, words[0] if words else ""


def _moved(fault: FailedTest, stage: Stage, ground: Ground, folder: str) -> FailedTest:
    """Return the failure with a finding about the file of *stage* that is most likely at fault."""
    path = likely_file(ground, fault.test.partition("::")[0], [*stage.files])
    finding = replace(fault.finding, path=inside(folder, path), line=stage.files[path].line, phase=stage.phase)
    return FailedTest(fault.test, finding, "bisected", certain=True)


def _findings(result: CommandResult, faults: Sequence[FailedTest]) -> Sequence[Finding]:
    of_tests = {each.finding for each in result.faults}
    others = [each for each in result.findings if each not in of_tests]
    return in_order([*others, *(each.finding for each in faults)])


def with_notes(result: CommandResult, notes: Sequence[str]) -> CommandResult:
    """Return *result* with *notes* behind its own."""
    return replace(result, notes=[*result.notes, *notes])


def _notes(outcomes: Mapping[str, Outcome], found: Mapping[str, Stage], staged: Staged) -> Sequence[str]:
    by_phase: dict[str, int] = {}
    for stage in found.values():
        by_phase[stage.phase] = by_phase.get(stage.phase, 0) + 1
    notes = [
        f"{phase} broke {_tests(number)}, which {'passes' if number == 1 else 'pass'} without its changes"
        for phase, number in by_phase.items()
    ]
    for why, words in _WORDS.items():
        if number := sum(each.why == why for each in outcomes.values()):
            notes.append(not_found(number, words + (_without(staged) if why == "always" else "")))
    return notes


_WORDS: Mapping[Why, str] = {
    "always": "they fail with every file as the templates make it, too",
    "unlike": "they say nothing, or fail otherwise, with every file as the templates make it",
    "between": "they say nothing, or fail otherwise, with the files of some phases only",
    "stopped": f"it takes more than {_MAX_RUNS} runs, or {_SECONDS / 60:.0f} minutes",
}


def not_found(number: int, why: str) -> str:
    """Return the note that it is not clear who broke *number* tests."""
    return f"not found out which phase broke {_tests(number)}: {why}"


def _without(staged: Staged) -> str:
    shown = [*staged.without[:_MAX_SHOWN], *(["…"] if len(staged.without) > _MAX_SHOWN else [])]
    return f"; no template makes all files of {', '.join(shown)}" if shown else ""


def _tests(number: int) -> str:
    return f"{number} {'test' if number == 1 else 'tests'}"
