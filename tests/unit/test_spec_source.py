"""Where a spec comes from: a file, standard input, the text itself, or an issue."""

import contextlib
import os
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.errors import UsageError
from bot.planning.resolved_plan import UNNAMED, resolve_exact_spec
from bot.planning.spec_source import SpecSource, read_comment, read_issue, read_source

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

    assert read_source(name, _nothing) == SpecSource(_TEXT, f"the spec {name}", Path(name).stem)


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

    assert read_source("-", _TEXT.encode) == SpecSource(_TEXT, "the spec on standard input", UNNAMED)


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
    assert read_source(text, _nothing) == SpecSource(text, "the spec", UNNAMED)


@pytest.mark.parametrize(
    "text",
    [
        "\u4e00\u4e2a\u56fe\u4e66\u9986\u7cfb\u7edf\uff0c\u6bcf\u672c\u4e66\u90fd\u6709\u4e66\u540d\u548c\u4f5c\u8005\u3002",
        "\u30d6\u30ed\u30b0\u3002\u8a18\u4e8b\u3068\u30bf\u30b0\u304c\u3042\u308b\u3002",
        "\u0e1a\u0e25\u0e47\u0e2d\u0e01\u0e17\u0e35\u0e48\u0e21\u0e35\u0e1a\u0e17\u0e04\u0e27\u0e32\u0e21",
    ],
)
def test_a_text_in_a_script_without_blanks_is_the_spec_itself(text: str) -> None:
    assert read_source(text, _nothing) == SpecSource(text, "the spec", UNNAMED)


@pytest.mark.parametrize("name", ["blog.md", "blog", "no/such.yaml", "my blog.txt", "x" * 5000, "blog.md/x"])
def test_a_name_without_a_file_is_refused_with_what_to_do(folder: Path, name: str) -> None:
    message = _refusal(name)

    assert message.startswith(f"reading the spec {name[:80]}")
    assert message.endswith("give a file name, '-' or the text itself")
    assert list(folder.iterdir()) == []


def test_a_folder_is_no_spec(folder: Path) -> None:
    (folder / "specs").mkdir()

    assert _refusal("specs") == "reading the spec specs: Is a directory; give a file name, '-' or the text itself"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_refused(folder: Path) -> None:
    (folder / "blog.md").write_text(_TEXT)
    (folder / "blog.md").chmod(0)

    assert "Permission denied" in _refusal("blog.md")


@pytest.mark.parametrize("content", [b"# Blog \xff", _TEXT.encode("utf-16"), "f\u00fcr".encode("latin-1")])
def test_what_is_not_utf_8_is_refused_with_the_place(folder: Path, content: bytes) -> None:
    (folder / "blog.md").write_bytes(content)

    assert "not valid UTF-8; save the file as UTF-8" in _refusal("blog.md")
    with pytest.raises(UsageError, match=r"the spec on standard input: byte \d+ is not valid UTF-8"):
        read_source("-", lambda: content)


@given(st.text() | st.text("ab./ \x00\n:~\ud800", max_size=8))
@example("a\x00b")
@example("a\x00.md")
@example("a\ud800")
@example("x" * 5000)
def test_any_argument_is_a_source_or_refused(spec: str) -> None:
    with contextlib.suppress(UsageError):
        assert read_source(spec, lambda: b"text").text in {spec, "text"}


# ---- issues


SPEC = "A blog.\n\n- Post: title string"


def _issue(body: str, added: str = "", title: str = "Blog API", *, prose: bool = False) -> str:
    return read_issue(12, title, body, added, prose=prose).text


def test_an_issue_is_its_text_and_its_title_names_the_project() -> None:
    assert read_issue(12, "Blog API", f"{SPEC}\n", "", prose=False) == SpecSource(
        SPEC, "issue #12", "Blog API", "Blog API"
    )


def test_who_plans_prose_reads_the_title_above_it_where_no_heading_is() -> None:
    assert _issue("A blog.", prose=True) == "# Blog API\n\nA blog."
    assert _issue("", prose=True) == "# Blog API\n\n"
    assert _issue("", "A blog.", prose=True) == "# Blog API\n\nA blog."
    assert _issue("# Shop\n\nA shop.", prose=True) == "# Shop\n\nA shop."
    assert _issue("A shop.\n\n# Shop", prose=True) == "A shop.\n\n# Shop"
    assert _issue(SPEC, prose=True) == SPEC, "it needs nobody to plan it"


@pytest.mark.parametrize(("title", "project"), [("  Blog \t API ", "Blog API"), ("", UNNAMED), (" \n", UNNAMED)])
def test_the_title_is_one_line_and_may_be_missing(title: str, project: str) -> None:
    named = "" if project == UNNAMED else project
    assert read_issue(12, title, SPEC, "", prose=True) == SpecSource(SPEC, "issue #12", project, named)
    assert _issue("A blog.", title=title, prose=True) == ("A blog." if project == UNNAMED else "# Blog API\n\nA blog.")


def test_what_the_command_adds_stands_below() -> None:
    assert _issue(f"{SPEC}\n", "\n- Tag: name string\n") == f"{SPEC}\n\n- Tag: name string"
    assert _issue("", SPEC) == SPEC


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_of_an_issue_end_as_they_may(end: str) -> None:
    assert _issue(end.join(["# Blog", "", "A blog.", ""])) == "# Blog\n\nA blog."


@pytest.mark.parametrize(
    "hidden",
    [
        "<!-- - Secret: key string -->",
        "<!--\n- Secret: key string\n-->",
        "<!---->",
        "<!-- a --><!-- - Secret: key string -->",
        "<!-- - Secret: key string",
        "<!-- - Secret: key string --",
    ],
)
def test_what_github_does_not_show_is_no_part_of_the_spec(hidden: str) -> None:
    assert _issue(f"{SPEC}\n{hidden}") == SPEC
    assert _issue(SPEC, hidden) == SPEC


def test_the_labels_of_an_issue_form_are_no_headings_and_empty_fields_say_nothing() -> None:
    body = f"### What should be built?\n\n{SPEC}\n\n### Anything else?\n\n_No response_\n"

    assert _issue(body).strip() == SPEC
    assert _issue(body.replace(SPEC, "A blog."), prose=True) == "# Blog API\n\nA blog."


def test_headings_of_the_third_order_are_labels_only_where_the_text_begins_with_one() -> None:
    body = "A blog.\n\n### Posts\n\n_No response_"

    assert _issue(body, prose=True) == f"# Blog API\n\n{body}"


def test_a_heading_with_fields_below_it_is_no_label() -> None:
    body = "### What?\n\nA blog.\n\n### Post\n- title string\n\n### Tag\n| Field | Type |\n|---|---|\n| name | string |"

    assert _issue(body) == body.replace("### What?", "")


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("A blog.\n\n- Post: title strng\n", 3),
        ("\n\nA blog.\n\n- Post: title strng\n", 5),
        ("### What should be built?\n\nA blog.\n\n- Post: title strng\n", 5),
        ("### Notes\n\n_No response_\n\n### What?\n\n- Post: title strng\n", 7),
        ("<!-- Write\nyour spec\nbelow -->\n- Post: title strng\n", 4),
        ("# Blog\r\n\r\n- Post: title strng\r\n", 3),
    ],
)
def test_a_line_in_a_message_is_the_line_of_the_issue(body: str, line: int) -> None:
    text, source, project, _ = read_issue(12, "Blog", body, "", prose=False)

    with pytest.raises(UsageError) as caught:
        resolve_exact_spec(text, source=source, project=project, recipe="fastapi", output_dir=".")

    assert str(caught.value).startswith(f"issue #12, line {line}: '- Post: title strng'")


@given(
    st.text(max_size=20), st.text("<!->- \nab#\r:", max_size=40), st.text(max_size=10), st.sampled_from([True, False])
)
def test_any_issue_is_a_spec_without_what_is_hidden(title: str, body: str, added: str, prose: bool) -> None:  # noqa: FBT001
    text, source, project, _ = read_issue(12, title, body, added, prose=prose)

    assert (source, bool(project)) == ("issue #12", True)
    assert "<!--" not in text.removeprefix(f"# {project}\n\n")
    assert "\r" not in text.removeprefix(f"# {project}\n\n")


def test_a_comment_that_is_too_long_is_refused_and_not_cut() -> None:
    assert read_comment(f"{'x' * 4_000}<!-- hidden -->") == "x" * 4_000
    with pytest.raises(UsageError, match="the comment has 4,001 characters, and the limit is 4,000; shorten it"):
        read_comment("x" * 4_001)
