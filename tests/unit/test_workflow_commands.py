"""What Phasebot writes for the runner, checked with ports of the runner's own parsers."""

import re
import unicodedata
from base64 import b64encode
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import UsageError
from bot.forge.workflow_commands import (
    MAX_SUMMARY,
    Annotations,
    Level,
    annotation,
    format_output,
    mask,
    neutralise,
    write_outputs,
    write_summary,
)

_COMMANDS = [
    *("set-output", "save-state", "set-env", "add-path", "add-mask", "add-matcher", "remove-matcher", "stop-commands"),
    *("debug", "notice", "warning", "error", "group", "endgroup", "echo", "internal-set-repo-path"),
]


# ---- the runner (ActionCommand.cs, FileCommandManager.cs), but for the exceptions it swallows

Found = tuple[str, dict[str, str], str]


def _unescape(text: str, *characters: str) -> str:
    for character in ("\r", "\n", *characters, "%"):
        text = text.replace(f"%{ord(character):02X}", character)
    return text


def _parse_v2(line: str) -> Found | None:
    """``::name key=value,key=value::data`` at the start of a line."""
    line = line.lstrip()
    if not line.startswith("::") or (end := line.find("::", 2)) < 0:
        return None
    name, _, properties = line[2:end].partition(" ")
    if name.lower() not in _COMMANDS:
        return None
    pairs = [pair.split("=", 1) for pair in properties.strip().split(",") if "=" in pair]
    return name.lower(), {key: _unescape(value, ":", ",") for key, value in pairs}, _unescape(line[end + 2 :])


def _parse_v1(line: str) -> Found | None:
    """``##[name key=value;key=value]data`` anywhere in a line."""
    start = line.find("##[")
    if start < 0 or (end := line.find("]", start)) < 0:
        return None
    name = line[start + 3 : end].partition(" ")[0]
    return (name.lower(), {}, _unescape(line[end + 1 :], ";", "]")) if name.lower() in _COMMANDS else None


def commands(log: str) -> list[Found]:
    """Return what the runner executes of *log*: it reads lines that also end with a lone CR."""
    lines = re.split(r"\r\n|\r|\n", log)
    return [found for line in lines if (found := _parse_v2(line) or _parse_v1(line))]


def _blind(log: str) -> str:
    """Return *log* as a comparison sees it that ignores all characters outside ASCII."""
    return re.sub(r"[^ -~\r\n│\ufffd]", "", log)


def _read_outputs(text: str) -> dict[str, str]:
    found, lines = {}, iter(text.split("\n"))
    for line in lines:
        if not line:
            continue
        name, heredoc, delimiter = line.partition("<<")
        assert heredoc
        assert name
        assert "=" not in name
        value: list[str] = []
        while (part := next(lines)) != delimiter:
            value.append(part)
        found[name] = "\n".join(value)
    return found


# ---- the log


HOSTILE = [
    "::error::boo",
    "/generate a thing\n::error::boo",
    "  \u00a0\t::set-output name=branch::evil",
    "a\r::set-output name=branch::evil",
    "a\r\n::stop-commands::x",
    "##[error]boo",
    "text ##[set-output name=branch]evil",
    "####[error]boo",
    "##[##[error]boo",
    "## [##[error]",
    "#\u200b#[error]boo",
    "#\u00ad#\u034f[error]boo",
    "#\u0301#\ufe0f[error]boo",
    "#\t#\U000e0041[error]boo",
    "\u200b::error::boo",
    "\ufeff::error::boo",
    "\x1b[2K\r::error::boo",
    "a\u2028::error::b\x85::error::c\x0b::error::d\x0c::error::e",
    "::ADD-MASK::a",
    "\ud800::error::",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_the_runner_finds_no_command_in_untrusted_text(text: str) -> None:
    log = neutralise(text)
    assert commands(log) == commands(_blind(log)) == []
    assert all(line.startswith("│ ") for line in re.split(r"\r\n|\r|\n", log))
    log.encode()


_TEXTS = st.lists(
    st.sampled_from([*HOSTILE, *_COMMANDS, "::", "##[", "#", "[", "]", "\r", "\n", " ", "\u200b", "\u0301", "\ufe0f"])
    | st.text(max_size=3),
    max_size=10,
).map("".join)


@given(_TEXTS)
def test_no_text_passes_a_command_to_the_runner(text: str) -> None:
    log = neutralise(text)
    assert commands(log) == commands(_blind(log)) == []
    for character in log.replace("\n", "").replace("\t", ""):
        assert unicodedata.category(character) not in {"Cc", "Cs", "Zl", "Zp"}
        assert unicodedata.bidirectional(character) not in {
            "LRE",
            "RLE",
            "PDF",
            "LRO",
            "RLO",
            "LRI",
            "RLI",
            "FSI",
            "PDI",
        }


def test_text_stays_readable_in_the_log() -> None:
    assert neutralise("def f():\r\n\treturn '##[x]'  # r\u00e9sum\u00e9\n") == (
        "│ def f():\n│ \treturn '## [x]'  # r\u00e9sum\u00e9"
    )
    assert neutralise("1%\r2%\r") == "│ 1%\n│ 2%"
    assert neutralise("") == "│ "
    assert neutralise("\n\n") == "│ \n│ "


# ---- annotations


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (annotation("error", "boo"), "::error::boo"),
        (annotation("warning", "50% of\r\nit: a, b"), "::warning::50%25 of%0Ait: a, b"),
        (annotation("notice", "m", title="a: b, c%\nd"), "::notice title=a%3A b%2C c%25%0Ad::m"),
        (annotation("error", "m", title="t", file="a,b:c.py"), "::error title=t,file=a%2Cb%3Ac.py::m"),
        (annotation("error", "%0A ##[x] \x1b \u202e"), "::error::%250A ## [x] \ufffd \ufffd"),
    ],
)
def test_an_annotation_is_escaped(line: str, expected: str) -> None:
    assert line == expected


@given(st.sampled_from(["error", "warning", "notice"]), _TEXTS, _TEXTS, _TEXTS)
def test_an_annotation_is_one_command_whatever_it_says(level: Level, message: str, title: str, file: str) -> None:
    line = annotation(level, message, title=title, file=file)
    assert "\n" not in line
    [(name, properties, data)] = commands(line)
    assert name == level
    assert set(properties) <= {"title", "file"}
    assert commands(neutralise(data)) == []


def test_an_annotation_is_cut_before_the_runner_does() -> None:
    line = annotation("error", "%" * 5_000, title="t" * 500)
    [(_, properties, data)] = commands(line)
    assert (len(data), data[-2:]) == (4_000, "%…")
    assert len(properties["title"]) == 200


def test_the_eleventh_annotation_of_a_level_is_text() -> None:
    annotations = Annotations()
    lines = [annotations.add("error", f"e{n}\n::error::x", title="t") for n in range(12)]
    assert [bool(commands(line)) for line in lines] == [True] * 10 + [False] * 2
    assert lines[10] == "│ error: t: e10\n│ ::error::x"
    assert annotations.add("warning", "w") == "::warning::w"


# ---- masks


def test_a_secret_is_masked_as_it_is_and_as_git_sends_it() -> None:
    sent = b64encode(b"x-access-token:ghs_100%25abc").decode()
    assert commands(mask("ghs_100%25abc")) == [("add-mask", {}, "ghs_100%25abc"), ("add-mask", {}, sent)]


@pytest.mark.parametrize("value", ["", "1234567", "two words", "line\nbreaks and more", "\u00fcmlauts-in-it"])
def test_a_secret_like_an_ordinary_word_is_refused(value: str) -> None:
    with pytest.raises(UsageError, match="can't be masked") as caught:
        mask(value)
    assert not value or value not in str(caught.value)


# ---- files


def test_no_output_can_add_another_output(tmp_path: Path) -> None:
    path = tmp_path / "output"
    first = {"run": "issue-12", "files": "", "text": "a\nstatus=complete\nx<<EOF\nEOF\n", "half": "\ud800"}
    write_outputs(path, first)
    write_outputs(path, {"pull-request-url": "https://github.com/a/b/pull/1\r\n"})
    written = path.read_bytes().decode()
    assert _read_outputs(written) == {**first, "half": "?", "pull-request-url": "https://github.com/a/b/pull/1\r\n"}
    assert len(set(re.findall(r"<<(phasebot_\w{32})", written))) == 2


@given(st.dictionaries(st.from_regex(r"[a-z][a-z-]{0,8}", fullmatch=True), _TEXTS, max_size=3))
def test_outputs_are_read_back_unchanged(outputs: dict[str, str]) -> None:
    assert _read_outputs("".join(format_output(*each, "delimiter_1") for each in outputs.items())) == outputs


@pytest.mark.parametrize(
    ("name", "value", "delimiter"),
    [
        ("", "x", "d"),
        ("a=b", "x", "d"),
        ("a\nb", "x", "d"),
        ("a<<b", "x", "d"),
        ("a", "x\nEOF\ny=1", "EOF"),
        ("a", "xEOF", "EOF"),
        ("a", "x", ""),
        ("a", "x", "d\n"),
    ],
)
def test_an_output_that_could_add_another_is_refused(name: str, value: str, delimiter: str) -> None:
    with pytest.raises(ValueError, match="output"):
        format_output(name, value, delimiter)


def test_a_delimiter_that_occurs_in_a_value_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter([b"\xaa", b"\xbb"])
    monkeypatch.setattr("bot.forge.workflow_commands.os.urandom", lambda _: next(drawn))
    write_outputs(tmp_path / "output", {"a": "phasebot_aa"})
    assert (tmp_path / "output").read_text() == "a<<phasebot_bb\nphasebot_aa\nphasebot_bb\n"


def test_a_summary_is_appended(tmp_path: Path) -> None:
    path = tmp_path / "summary"
    write_summary(path, "# One")
    write_summary(path, "# Two \ud800")
    assert path.read_text() == "# One\n# Two ?\n"


@pytest.mark.parametrize("size", [MAX_SUMMARY - 2, MAX_SUMMARY - 1, MAX_SUMMARY, 3 * MAX_SUMMARY])
def test_a_long_summary_is_cut_below_the_runners_limit_and_says_so(tmp_path: Path, size: int) -> None:
    path = tmp_path / "summary"
    write_summary(path, "\u00fc" * (size // 2) + "x" * (size % 2))
    text = path.read_text()
    assert path.stat().st_size <= MAX_SUMMARY
    assert text.startswith("> **Cut off:** this summary is ") == (size >= MAX_SUMMARY)
    assert text.endswith(("\u00fc\n", "x\n"))


def test_summaries_that_are_too_long_together_say_so(tmp_path: Path) -> None:
    path = tmp_path / "summary"
    write_summary(path, "x" * (MAX_SUMMARY - 100))
    for _ in range(20):
        write_summary(path, "y" * 1_000)
    assert "> **Cut off:** this summary is 1,000 bytes long" in path.read_text()
    assert path.stat().st_size < 1024 * 1024
