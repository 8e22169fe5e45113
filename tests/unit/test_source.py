"""Where a spec comes from: a file, standard input, or the text itself."""

import contextlib
import os
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.errors import UsageError
from bot.planning.planned import UNNAMED
from bot.planning.source import Source, read_source

_TEXT = "# Blog\n\nEin Blog f\u00fcr \u4e16\u754c.\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _nothing() -> bytes:
    raise AssertionError("standard input was not asked for")


def _refusal(spec: str) -> str:
    with pytest.raises(UsageError) as caught:
        read_source(spec, _nothing)
    return str(caught.value)


@pytest.mark.parametrize("name", ["blog.md", "blog", "my blog.md", "a:b.yaml", "blog.v2.txt", "\u535a\u5ba2.md"])
def test_a_file_is_read_and_names_the_project(folder: Path, name: str) -> None:
    (folder / name).write_text(_TEXT, encoding="utf-8")

    assert read_source(name, _nothing) == Source(_TEXT, f"the spec {name}", Path(name).stem)


def test_a_file_may_lie_anywhere(folder: Path) -> None:
    path = folder / "deep" / "er" / "blog.md"
    path.parent.mkdir(parents=True)
    path.write_text(_TEXT, encoding="utf-8")

    assert read_source(str(path), _nothing).project == "blog"
    assert read_source("deep/../deep/er/blog.md", _nothing).text == _TEXT


def test_line_ends_are_kept_for_whoever_reads_the_spec(folder: Path) -> None:
    (folder / "blog.md").write_bytes(b"\xef\xbb\xbfa\r\nb\r")

    assert read_source("blog.md", _nothing).text == "\ufeffa\r\nb\r"


def test_standard_input_is_read_for_a_dash(folder: Path) -> None:
    (folder / "-").write_text("not this")

    assert read_source("-", _TEXT.encode) == Source(_TEXT, "the spec on standard input", UNNAMED)


@pytest.mark.parametrize(
    "text",
    [
        _TEXT,
        "a blog with posts",
        "# Blog\n- Post: title string",
        "- Post: title string",
        "Post: title",
        "A blog.\nblog.md",
        "https://example.com/blog.md",
        "x y" * 100_000,
        "x\n" * 100_000,
        "",
        " ",
    ],
)
def test_any_other_text_is_the_spec_itself(text: str) -> None:
    assert read_source(text, _nothing) == Source(text, "the spec", UNNAMED)


@pytest.mark.parametrize(
    "text",
    [
        "\u4e00\u4e2a\u56fe\u4e66\u9986\u7cfb\u7edf\uff0c\u6bcf\u672c\u4e66\u90fd\u6709\u4e66\u540d\u548c\u4f5c\u8005\u3002",
        "\u30d6\u30ed\u30b0\u3002\u8a18\u4e8b\u3068\u30bf\u30b0\u304c\u3042\u308b\u3002",
        "\u0e1a\u0e25\u0e47\u0e2d\u0e01\u0e17\u0e35\u0e48\u0e21\u0e35\u0e1a\u0e17\u0e04\u0e27\u0e32\u0e21",
    ],
)
def test_a_text_in_a_script_without_blanks_is_the_spec_itself(text: str) -> None:
    assert read_source(text, _nothing) == Source(text, "the spec", UNNAMED)


@pytest.mark.parametrize("name", ["blog.md", "blog", "no/such.yaml", "my blog.txt", "x" * 5000, "blog.md/x"])
def test_a_name_without_a_file_is_refused_with_what_to_do(folder: Path, name: str) -> None:
    message = _refusal(name)

    assert message.startswith(f"reading the spec {name[:80]}")
    assert message.endswith("name a file, '-', or give the text itself")
    assert list(folder.iterdir()) == []


def test_a_folder_is_no_spec(folder: Path) -> None:
    (folder / "specs").mkdir()

    assert _refusal("specs") == "reading the spec specs: Is a directory; name a file, '-', or give the text itself"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_refused(folder: Path) -> None:
    (folder / "blog.md").write_text(_TEXT)
    (folder / "blog.md").chmod(0)

    assert "Permission denied" in _refusal("blog.md")


@pytest.mark.parametrize("content", [b"# Blog \xff", _TEXT.encode("utf-16"), "f\u00fcr".encode("latin-1")])
def test_what_is_not_utf_8_is_refused_with_the_place(folder: Path, content: bytes) -> None:
    (folder / "blog.md").write_bytes(content)

    assert "not UTF-8 text; save the file as UTF-8" in _refusal("blog.md")
    with pytest.raises(UsageError, match=r"the spec on standard input: byte \d+ is not UTF-8"):
        read_source("-", lambda: content)


@given(st.text() | st.text("ab./ \x00\n:~\ud800", max_size=8))
@example("a\x00b")
@example("a\x00.md")
@example("a\ud800")
@example("x" * 5000)
def test_any_argument_is_a_source_or_refused(spec: str) -> None:
    with contextlib.suppress(UsageError):
        assert read_source(spec, lambda: b"text").text in {spec, "text"}
