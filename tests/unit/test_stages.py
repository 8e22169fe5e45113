"""Which phase broke a test, tried out with the files of one phase after the other."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot.assessment.finding import Finding
from bot.verification.blame import Ground
from bot.verification.stages import (
    Changed,
    Heard,
    Rerun,
    Stage,
    Staged,
    blame_phases,
    changes,
    uncertain,
)
from bot.verification.verdict import CommandResult, FailedTest

TEST = "tests/test_post.py::test_it"
OTHER = "tests/test_post.py::test_other"
STAGES = [
    Stage("core", {"app/core.py": Changed("core by template", 3), "app/db.py": Changed("db by template", 1)}),
    Stage("entity/Post", {"app/post.py": Changed("post by template", 7), "tests/test_post.py": Changed("tests", 1)}),
    Stage("main", {"main.py": Changed("main by template", None)}),
]
FILES = frozenset(path for stage in STAGES for path in stage.files)
GROUND = Ground(files=FILES, owners={path: stage.phase for stage in STAGES for path in stage.files})
LINT = Finding(path="api/x.py", rule="F401", severity="warning", message="unused")


def failed(name: str = TEST, *, why: str = "AssertionError: 1 == 2", certain: bool = False) -> FailedTest:
    finding = Finding(path="api/tests/test_post.py", rule="test-failed", message=f"{name}: {why}", phase="entity/Post")
    return FailedTest(name, finding, "module", certain)


def result(*faults: FailedTest) -> CommandResult:
    findings = [*(each.finding for each in faults), LINT]
    return CommandResult(
        run=["pytest"], folder=".", ending="failed" if faults else "passed", findings=findings, faults=faults
    )


class World:
    """A project in which each of *broken* fails as long as the file that it names is as at head."""

    def __init__(self, broken: Mapping[str, str], seconds: float = 1, why: str = "AssertionError: 2 == 1") -> None:
        self.broken, self.seconds, self.why = broken, seconds, why
        self.runs: list[Sequence[str]] = []
        self.told: list[str] = []
        self.time = 0.0

    def run(self, texts: Mapping[str, str]) -> Heard:
        self.runs.append([*texts])
        self.time += self.seconds
        down = [failed(name, why=self.why) for name, path in self.broken.items() if path not in texts]
        return Heard(result(*down), frozenset(name for name, path in self.broken.items() if path in texts))

    def blame(self, *faults: FailedTest, staged: Staged | None = None) -> CommandResult:
        rerun = Rerun(run=self.run, tell=self.told.append, now=lambda: self.time)
        return blame_phases(result(*faults), Staged(STAGES) if staged is None else staged, GROUND, "api", rerun)


def test_the_finding_moves_to_the_phase_and_its_first_changed_line() -> None:
    world = World({TEST: "app/db.py"})

    found = world.blame(failed())

    (fault,) = found.faults
    assert (fault.why, fault.certain) == ("bisected", True)
    assert (fault.finding.phase, fault.finding.path, fault.finding.line) == ("core", "api/app/core.py", 3)
    assert [*found.findings] == [fault.finding, LINT]
    assert found.notes == ["core broke 1 test, which passes without its changes"]
    assert world.told[0] == "looking for the phase that broke 1 test: 8 runs at most"


def test_the_file_that_the_test_is_named_after_comes_first() -> None:
    stage = Stage("entity/Post", {"app/a.py": Changed("", 1), "app/post.py": Changed("", 7)})

    found = World({TEST: "app/post.py"}).blame(failed(), staged=Staged([stage]))

    assert (found.faults[0].finding.path, found.faults[0].finding.line) == ("api/app/post.py", 7)


def test_only_uncertain_tests_are_run_for_and_all_of_them_at_once() -> None:
    world = World({TEST: "app/core.py", OTHER: "main.py"})
    sure = failed("tests/test_a.py::test_a", certain=True)

    found = world.blame(failed(), failed(OTHER), sure)

    assert [each.finding.phase for each in found.faults] == ["core", "main", "entity/Post"]
    assert len(world.runs) == 3
    assert World({}).blame(sure) == result(sure)


def test_the_file_of_a_failing_test_stays_as_it_is_at_head() -> None:
    world = World({TEST: "app/core.py"})

    world.blame(failed())

    assert not any("tests/test_post.py" in run for run in world.runs)
    assert world.runs[0] == ["app/core.py", "app/db.py", "app/post.py", "main.py"]


def test_a_test_that_fails_on_templates_too_stays_uncertain() -> None:
    staged = Staged(STAGES, ["feature/Feed"])

    found = World({TEST: "tests/test_post.py"}).blame(failed(), staged=staged)

    assert found.faults == [failed()]
    (note,) = found.notes
    assert note.startswith("not found out which phase broke 1 test: they fail with every file as the templates make it")
    assert note.endswith("; no template makes all files of feature/Feed")


def test_where_all_is_as_the_templates_make_it_nothing_is_run() -> None:
    world = World({TEST: "app/core.py"})

    found = world.blame(failed(), staged=Staged([]))

    assert (world.runs, [*found.faults]) == ([], [failed()])
    assert found.notes[0].endswith("every file that has a template is as the template makes it")


def test_a_test_that_fails_otherwise_says_nothing() -> None:
    found = World({TEST: "app/post.py"}, why="ImportError: no module").blame(failed())

    assert found.faults == [failed()]
    assert "they say nothing, or fail otherwise, with the files of some phases only" in found.notes[0]


def test_no_run_is_started_after_the_time_or_the_number_of_runs() -> None:
    stages = [Stage(f"p{number}", {f"f{number}": Changed("", 1)}) for number in range(40)]
    world = World({f"t{number}": f"f{number}" for number in range(0, 40, 2)})
    faults = [failed(name) for name in world.broken]

    found = world.blame(*faults, staged=Staged(stages))

    assert len(world.runs) == 8
    assert "it takes more than 8 runs, or 10 minutes" in found.notes[-1]
    assert 0 < [each.why for each in found.faults].count("bisected") < len(world.broken)
    slow = World({TEST: "main.py"}, seconds=601)
    assert "it takes more than" in slow.blame(failed()).notes[0]
    assert len(slow.runs) == 1


def test_a_traceback_by_files_of_templates_is_no_proof() -> None:
    traced = FailedTest(TEST, replace(failed().finding, phase="auth"), "trace", certain=True)
    marked = traced._replace(why="rule")

    assert [*uncertain(result(traced), ["auth"])] == [TEST]
    assert uncertain(result(traced), ["core"]) == uncertain(result(marked), ["auth"]) == {}
    found = World({TEST: "app/core.py"}).blame(traced, staged=Staged(STAGES, untouched=["auth"]))
    assert found.faults[0].finding.phase == "core"


def test_only_of_a_command_that_failed_tests_are_uncertain() -> None:
    assert [*uncertain(result(failed()))] == [TEST]
    assert uncertain(replace(result(failed()), ending="time")) == {}


def test_what_differs_from_the_templates_is_told_with_its_first_line() -> None:
    made = {"same": "a\n", "edited": "a\nb\n", "longer": "a\n", "shorter": "a\nb\n", "gone": "a\n", "empty": "a\n"}
    head = {"same": "a\n", "edited": "a\nc\n", "longer": "a\nb\n", "shorter": "a\n", "empty": "", "own": "x"}

    assert {path: each.line for path, each in changes(made, head).items()} == {
        "edited": 2,
        "longer": 2,
        "shorter": 1,
        "gone": None,
        "empty": None,
    }
