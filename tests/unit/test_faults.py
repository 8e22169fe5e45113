"""Findings of what a command said."""

from dataclasses import replace

from bot.assessment.finding import Finding
from bot.verification.blame import Ground
from bot.verification.faults import Findings, Said
from bot.verification.remarks import Remark, Report, Spot

PLAN = ".phasebot/plan.yaml"
OWNERS = {
    "app/a.py": "entity/A",
    "tests/test_a.py": "entity/A",
    "requirements.txt": "support",
    PLAN: "plan",
    "slow.py": "core",
}
GROUND = Ground(files=frozenset(OWNERS), owners=OWNERS)
PROJECT = "/place/tree/api"
LINT = Remark(spot=Spot(f"{PROJECT}/app/a.py", 3), rule="F821", message="undefined")
SAID = Said(
    run=["ruff", "check"],
    folder=".",
    project=PROJECT,
    ending="failed",
    status=1,
    output="",
    report=Report(remarks=[LINT]),
)


def findings(said: Said) -> list[Finding]:
    return Findings(GROUND, "api", PLAN).of(said)[0]


def test_a_finding_has_the_path_in_the_repository_and_the_phase_of_the_file() -> None:
    assert findings(SAID) == [
        Finding(path="api/app/a.py", line=3, rule="F821", severity="error", message="undefined", phase="entity/A")
    ]


def test_what_a_command_that_passed_says_is_no_error() -> None:
    (found,) = findings(replace(SAID, ending="passed", status=0))

    assert found.severity == "warning"


def test_paths_that_lead_elsewhere_are_those_of_no_file() -> None:
    for path in ("../../etc/passwd", "/etc/passwd", "/place/tree/api/../x", "app", "", "app/../../a.py"):
        (found,) = findings(replace(SAID, report=Report(remarks=[replace(LINT, spot=Spot(path, 3))])))
        assert (found.path, found.line, found.phase) == (f"api/{PLAN}", None, "plan"), path


def test_a_command_that_failed_without_a_finding_is_one_about_the_file_that_it_names() -> None:
    said = replace(
        SAID, run=["pip", "install", "-r", "requirements.txt"], report=Report(), output="a\nno such thing\n\n"
    )

    (found,) = findings(said)

    assert (found.path, found.phase, found.rule) == ("api/requirements.txt", "support", "command-failed")
    assert found.message == "'pip install -r requirements.txt' ended with status 1: no such thing"


def test_without_such_a_file_it_is_about_no_phase() -> None:
    (found,) = findings(replace(SAID, report=Report(), ending="missing", status=None, why="no such program"))

    assert (found.path, found.phase) == (f"api/{PLAN}", None)
    assert found.message == "'ruff check' could not be started: no such program"


def test_a_command_that_hung_is_about_what_its_last_traceback_comes_by() -> None:
    output = (
        f'Timeout!\n  File "{PROJECT}/slow.py", line 3 in wait\n  File "{PROJECT}/tests/test_a.py", line 9 in test\n'
    )

    (found,) = findings(replace(SAID, report=Report(), ending="time", status=None, output=output))

    assert (found.path, found.line, found.phase, found.rule) == ("api/slow.py", 3, "core", "command-time")


def test_a_limit_is_told_also_where_there_are_findings() -> None:
    assert [each.rule for each in findings(replace(SAID, ending="memory", status=None))] == ["command-memory", "F821"]


def test_nobody_is_to_blame_for_a_missing_network() -> None:
    assert findings(replace(SAID, report=Report(), ending="offline")) == []


def test_a_command_that_passes_without_a_report_is_not_believed() -> None:
    passed = replace(SAID, ending="passed", status=0, run=["pytest"])

    (missing,) = findings(replace(passed, report=Report(problem="there is no junit.xml", tests=True)))
    (empty,) = findings(replace(passed, report=Report(tests=True)))

    assert (missing.rule, missing.severity) == ("no-report", "error")
    assert (empty.rule, empty.severity) == ("no-tests", "error")
    assert findings(replace(passed, report=Report(tests=True, passed=1))) == []


def test_a_test_that_failed_is_known_with_what_is_to_blame() -> None:
    remark = Remark(
        spot=Spot(""),
        rule="test-failed",
        message="it broke",
        test="test_it",
        module="tests.test_a",
        trace=[Spot("/usr/lib/x.py", 1), Spot("app/a.py", 7), Spot("tests/test_a.py", 2)],
    )

    found, (fault,) = Findings(GROUND, ".", PLAN).of(replace(SAID, report=Report(remarks=[remark], tests=True)))

    assert found == [fault.finding]
    assert (fault.test, fault.why, fault.certain) == ("tests/test_a.py::test_it", "trace", True)
    assert (fault.finding.path, fault.finding.line, fault.finding.phase) == ("app/a.py", 7, "entity/A")
    assert fault.finding.message == "tests/test_a.py::test_it: it broke"


def test_a_test_of_no_file_is_told_all_the_same() -> None:
    remark = Remark(spot=Spot("/etc/passwd"), rule="test-failed", message="m", test="t", module="os.path")

    _, (fault,) = Findings(GROUND, ".", PLAN).of(replace(SAID, report=Report(remarks=[remark], tests=True)))

    assert (fault.test, fault.finding.path, fault.certain) == ("t", PLAN, False)


def test_what_looks_like_a_secret_is_left_out() -> None:
    token = "ghp_" + "aB3dE5gH7jK9mN1pQ3sT5vW7xY9zA1bC3dE5"
    (found,) = findings(replace(SAID, report=Report(remarks=[replace(LINT, message=f"expected {token}")])))

    assert found.message == "what it says is left out, because it looks like a GitHub token"
