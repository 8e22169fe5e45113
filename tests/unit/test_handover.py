"""What one job hands to the next: it comes back as it was, shortened visibly, or not at all."""

import json
import zlib
from base64 import b64encode
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.assessment.finding import Finding
from bot.verification.handover import MAX_HANDOVER, format_handover, parse_handover
from bot.verification.record import Record, format_record
from bot.verification.verdict import CommandResult, Counts, FailedTest, Verification


def finding(number: int = 0, message: str = "it broke") -> Finding:
    return Finding(path=f"app/f{number}.py", line=number + 1, rule="test-failed", message=message, phase="core")


def record(*findings: Finding, tree: str = "1" * 40) -> Record:
    command = CommandResult(
        run=["pytest", "-q"],
        folder=".",
        ending="failed",
        status=1,
        seconds=1.5,
        tests=Counts(1, 2, 3),
        findings=list(findings),
        faults=[FailedTest("tests/a.py::t", each, "trace", certain=True) for each in findings],
        notes=[],
    )
    return Record("sha256:1", Verification(tree=tree, commands=[command], isolation="Apart.", expected=2, notes=["n"]))


def packed(content: object) -> str:
    return b64encode(zlib.compress(json.dumps(content).encode())).decode()


def changed(*steps: str | int, to: object) -> str:
    """Return a line in which one value is another."""
    content = json.loads(format_record(record(finding())) or b"")
    *folders, name = steps
    part = content["verification"]
    for step in folders:
        part = part[step]
    part[name] = to
    return packed(content)


@given(st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), max_size=300))
def test_a_record_comes_back_as_it_was(message: str) -> None:
    given = record(finding(message=message), finding(1))

    line = format_handover(given)

    assert "\n" not in line
    assert parse_handover(line) == given


def test_what_is_too_long_is_shortened_and_told() -> None:
    texts = (f"{number} {zlib.crc32(str(number).encode()):x} " * 9 for number in range(10_000))
    given = record(*(finding(number, text) for number, text in enumerate(texts)))

    line = format_handover(given)
    back = parse_handover(line)

    assert len(line) <= MAX_HANDOVER
    assert back
    (command,) = back.verification.commands
    kept = len(command.findings)
    assert 500 < kept < 10_000
    assert list(command.findings) == list(given.verification.findings[:kept])
    assert [each.finding for each in command.faults] == list(command.findings)
    note = f"{10_000 - kept:,} more findings were left out, because a job can't hand over so many"
    assert list(command.notes) == [note]
    assert command.tests == Counts(1, 2, 3)
    assert format_handover(given, limit=10) == "", "not even its head fits"


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("", id="empty"),
        pytest.param("::error::x", id="a command"),
        pytest.param("QUJD", id="not compressed"),
        pytest.param("QUJ", id="bad padding"),
        pytest.param(f"{format_handover(record(finding()))}\n", id="two lines"),
        pytest.param(format_handover(record(finding()))[:-8], id="cut"),
        pytest.param("A" * (MAX_HANDOVER + 4), id="large"),
        pytest.param(b64encode(zlib.compress(b" " * (16 << 20), 9)).decode(), id="a bomb"),
        pytest.param(packed([]), id="no record"),
        pytest.param(changed("tree", to="main"), id="no tree"),
        pytest.param(changed("tree", to=f"{'1' * 40}\n"), id="a tree and more"),
        pytest.param(changed("expected", to=0), id="more commands than there are"),
        pytest.param(changed("expected", to=10**30), id="a number without end"),
        pytest.param(changed("commands", 0, "seconds", to=float("nan")), id="no number"),
        pytest.param(changed("commands", 0, "tests", to=[-75, 0, 0]), id="fewer than no tests"),
        pytest.param(changed("commands", 0, "tests", to=[True, 0, 0]), id="truth is no number"),
        pytest.param(changed("commands", 0, "findings", 0, "line", to=-1), id="a line above the first"),
        pytest.param(changed("commands", 0, "findings", 0, "severity", to="fine"), id="another severity"),
        pytest.param(changed("commands", 0, "findings", 0, "message", to="a\x1b[2J"), id="a terminal's command"),
        pytest.param(changed("commands", 0, "findings", 0, "message", to="a\n::error::"), id="a runner's command"),
        pytest.param(changed("commands", 0, "findings", 0, "path", to="a" * 6_000), id="no path"),
    ],
)
def test_what_no_verification_says_is_no_record(line: str) -> None:
    assert parse_handover(changed("expected", to=3))
    assert parse_handover(line) is None


def test_more_than_one_text_is_no_record() -> None:
    text = format_record(record()) or b""
    assert parse_handover(b64encode(zlib.compress(text)).decode()) == record()
    assert parse_handover(b64encode(zlib.compress(text + text)).decode()) is None
    assert parse_handover(b64encode(zlib.compress(text) + b"more").decode()) is None
    assert parse_handover(format_handover(replace(record(), digest="")))
