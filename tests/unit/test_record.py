"""What is kept of a verification: it comes back as it was, or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.assessment.finding import Finding
from bot.verification.record import MAX_RECORD, Record, format_record, parse_record
from bot.verification.verdict import CommandResult, Counts, FailedTest, Verification


def record(message: str = "it broke", run: str = "pytest") -> Record:
    finding = Finding(path="a.py", line=3, rule="test-failed", message=message, phase="core")
    command = CommandResult(
        run=[run],
        folder=".",
        ending="failed",
        status=1,
        seconds=1.5,
        tests=Counts(1, 2, 3),
        findings=[finding, Finding(path="b", rule="r", severity="warning", message="m")],
        faults=[
            FailedTest("tests/a.py::t", finding, "trace", certain=False),
            FailedTest("tests/a.py::u", finding, "bisected", certain=True),
        ],
        left=2,
        notes=["a note"],
    )
    return Record("sha256:1", Verification(tree="1" * 40, commands=[command], isolation="Apart.", expected=1, notes=[]))


@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "S"])), st.sampled_from(["pytest", "näh", '"\\']))
def test_a_record_comes_back_as_it_was(message: str, run: str) -> None:
    text = format_record(record(message, run))

    assert text is not None
    back = parse_record(text)
    assert back is None or back == record(message, run), "what does not show makes it no record"
    assert back is not None or not message.isascii()


@pytest.mark.parametrize(
    "text", [b"", b"{}", b"\xff", b"[" * 100_000, b'{"digest": 1, "verification": null}', b" " * (MAX_RECORD + 1)]
)
def test_what_is_no_record_is_none(text: bytes) -> None:
    assert parse_record(text) is None


def test_types_are_exact_and_every_text_shows() -> None:
    text = format_record(record()) or b""

    assert parse_record(text)
    assert parse_record(text.replace(b'"status": 1', b'"status": "1"')) is None
    assert parse_record(text.replace(b'"ending": "failed"', b'"ending": "fine"')) is None
    assert parse_record(text.replace(b"it broke", rb"\u001b[2J")) is None


def test_what_is_too_long_is_not_kept() -> None:
    assert format_record(record("x" * MAX_RECORD)) is None
