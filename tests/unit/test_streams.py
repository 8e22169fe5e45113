"""Everything printed is redacted, and in a job no line of it is a command, however it is written."""

import io
import sys

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.cli.inert_output import inert_json, inert_yaml
from bot.cli.streams import GuardedStream, guarded_streams
from bot.redaction import Redactor
from tests.unit.test_workflow_commands import HOSTILE, commands

_KEY = "AIza" + "Zq7Rk2mVx9Tb4Lw8Hs3Nd6Jf1Gc5Py0Ua81"


def _stream(*, in_job: bool = True) -> tuple[io.StringIO, GuardedStream]:
    below = io.StringIO()
    return below, GuardedStream(below, Redactor([_KEY]), in_job=in_job)


@given(
    st.lists(st.sampled_from([*HOSTILE, "::", "##[", "error", "]", "\n", "\r", " ", "x", ":", "#", "["]), max_size=9)
)
def test_no_command_gets_through_in_whatever_pieces_it_is_written(pieces: list[str]) -> None:
    below, stream = _stream()
    for piece in pieces:
        stream.write(piece)
        stream.flush()
    stream.finish()

    assert commands(below.getvalue()) == []


@pytest.mark.parametrize("text", ["plain\n", '{\n  "a": 1\n}\n', "- a: b::c\n\n", "#1 ##x [y]\n", "no end", "a\rb\n"])
def test_other_text_is_printed_as_it_is(text: str) -> None:
    below, stream = _stream()
    stream.write(text)
    stream.finish()

    assert below.getvalue() == text


def test_outside_a_job_nothing_but_keys_is_changed() -> None:
    below, stream = _stream(in_job=False)
    stream.write(f"::error::{_KEY[:9]}\x1b{_KEY[9:]} ##[x]\n")
    stream.log("::error::x")

    assert below.getvalue() == "::error::*** ##[x]\n::error::x\n"


def test_what_is_logged_in_a_job_is_behind_a_bar_and_redacted_first() -> None:
    below, stream = _stream()
    stream.log(f"a\n::error::{_KEY[:9]}\u200b{_KEY[9:]}")

    assert below.getvalue() == "│ a\n│ ::error::***\n"


def test_a_command_of_our_own_is_written_as_it_is_on_a_line_of_its_own() -> None:
    below, stream = _stream()
    stream.write("::error::")
    stream.write_command(f"::add-mask::{_KEY}")

    assert below.getvalue() == f"│ ::error::\n::add-mask::{_KEY}\n"
    assert commands(below.getvalue()) == [("add-mask", {}, _KEY)]


def test_prints_errors_and_tracebacks_of_others_are_guarded(capsys: pytest.CaptureFixture[str]) -> None:
    with guarded_streams(Redactor([_KEY]), in_job=True):
        print(f"::error::{_KEY}")
        click.echo("::error::a")
        click.echo("::error::b", err=True)
        click.UsageError("a\n::error::c").show()
        print("##[error]d", file=sys.stderr, end="")
        sys.excepthook(ValueError, ValueError("a\n::error::e"), None)

    for text in capsys.readouterr():
        assert commands(text) == []
        assert _KEY not in text


def test_a_stream_that_can_not_show_a_character_shows_its_code() -> None:
    below = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    with_bar = GuardedStream(below, Redactor([]), in_job=True)
    with_bar.log("\u00fc")

    assert below.buffer.getvalue() == b"\\u2502 \\xfc\n"


@pytest.mark.parametrize("text", HOSTILE)
def test_json_and_yaml_for_a_job_mean_the_same_and_hold_no_command(text: str) -> None:
    import json

    import yaml

    value = {"project": text, "list": [text, {"##[error]": "a\n\n::error::b\n"}], "multi": f"x\n{text}\ny\n"}
    value = json.loads(json.dumps(value).encode("utf-8", "replace").decode().replace("\\ud800", ""))
    as_json, as_yaml = json.dumps(value, ensure_ascii=False, indent=2), yaml.safe_dump(value, allow_unicode=True)

    assert json.loads(inert_json(as_json, in_job=True)) == value
    assert yaml.safe_load(inert_yaml(as_yaml, in_job=True)) == value
    assert commands(inert_json(as_json, in_job=True)) == commands(inert_yaml(as_yaml, in_job=True)) == []
    assert (inert_json(as_json, in_job=False), inert_yaml(as_yaml, in_job=False)) == (as_json, as_yaml)


def test_a_full_disk_at_the_end_hides_no_other_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.StringIO):
        def flush(self) -> None:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(sys, "stdout", Full())

    with pytest.raises(LookupError, match="the real one"), guarded_streams(Redactor([]), in_job=False):
        raise LookupError("the real one")
