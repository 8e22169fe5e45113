"""One definition of hidden characters: what it holds, and that everyone who uses it agrees on every code point."""

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.forge.markdown import visible
from bot.forge.workflow_commands import neutralise
from bot.generation.llm.file_checks import find_fault
from bot.generation.rendering import docstring, markdown, python_literal, toml_string
from bot.planning.names import ENTITY_NAME, FIELD_NAME
from bot.planning.path_rules import path_problem
from bot.text import (
    CONTROL,
    HIDDEN,
    all_newlines,
    find_hidden,
    is_printable,
    is_prose_file,
    one_line,
    shown,
    truncate,
    unix_newlines,
    without_hidden,
)

EVERY = "".join(map(chr, range(0x110000)))
UNSEEN = HIDDEN.findall(EVERY)
SEEN = HIDDEN.sub("", EVERY)

_VISIBLE_FORMATS = "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
"""Signs of Arabic, Syriac and Kaithi around digits: Unicode calls them format characters, but they show."""
_NAMED = (
    "\u200b\u200d\u200e\u200f\u061c\u2060\xad\u034f\U000e0041\u3164\u115f\u1160\uffa0\u2800\u17b4\u17b5\u180b\u180f\ufe00"
    "\ufe0f\U000e0100\U000e01ef\ufff9\ufffb\u202a\u202e\u2066\u2069\ufeff\x00\x1b\x7f\x9f\ud800\udfff\u2028\u2029\x85\r\v\f"
    "\U000e0000\U000e0fff"
)
_ZWJ, _SELECTOR, _TAG = "\u200d", "\ufe0f", "\U000e0067"
FAMILY = f"\U0001f469{_ZWJ}\U0001f469{_ZWJ}\U0001f467"
HEART, KEYCAP = f"\u2764{_SELECTOR}", f"1{_SELECTOR}\u20e3"
RAINBOW = f"\U0001f3f3{_SELECTOR}{_ZWJ}\U0001f308"
ENGLAND = "\U0001f3f4" + "".join(chr(0xE0000 + ord(each)) for each in "gbeng") + "\U000e007f"
PERSIAN, SINHALA = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u0dc1\u0dca\u200d\u0dbb\u0dd3"
WRITING = [
    FAMILY,
    HEART,
    KEYCAP,
    RAINBOW,
    PERSIAN,
    SINHALA,
    f"\u2714\ufe0e {FAMILY}{HEART}{HEART}",
    "\u0928\u094d\u200d\u092f",
]


# ---- the definition


def test_the_definition_holds_what_unicode_calls_control_format_or_separator() -> None:
    categories = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    expected = {each for each in EVERY if unicodedata.category(each) in categories} - {*"\t\n", *_VISIBLE_FORMATS}

    assert expected - set(UNSEEN) == set()
    assert set(_NAMED) - set(UNSEEN) == set()


def test_the_definition_spares_letters_marks_and_symbols_that_show() -> None:
    others = {each for each in UNSEEN if unicodedata.category(each) not in {"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"}}
    selectors = {chr(code) for code in (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))}

    blank = "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0\U00016fe4\U0001d159"
    assert others - selectors - set(map(chr, range(0x13430, 0x13440))) == set(blank)


def test_what_a_plan_refuses_is_hidden() -> None:
    assert set(CONTROL.findall(EVERY)) < set(UNSEEN)
    assert not CONTROL.search("\t\n\u200b")


# ---- prose


@pytest.mark.parametrize("text", WRITING)
def test_emoji_and_joined_letters_are_ordinary_in_prose_only(text: str) -> None:
    assert find_hidden(text, prose=True) is None
    assert without_hidden(f"a{text}b\u200b", prose=True) == f"a{text}b"
    assert find_hidden(text) is not None
    assert find_fault("docs/README.md", f"# {text}\n") is None
    assert find_fault("notes.txt", f"{text}\n") is None
    for path in ("a.py", "a.yaml", "requirements.txt", "constraints-dev.txt", "CMakeLists.txt", "Dockerfile"):
        assert "holds the character" in (find_fault(path, f"# {text}\n") or "")


@pytest.mark.parametrize(
    "text",
    [
        *(
            f"a{_ZWJ}b",
            f"\U0001f469{_ZWJ}",
            f"{_ZWJ}\U0001f469",
            f"\U0001f469{_ZWJ}a",
            f"a{_SELECTOR}",
            f"1{_SELECTOR}",
        ),
        *(f"{HEART}{_SELECTOR}", f"a{_SELECTOR}{_ZWJ}\U0001f469", "1\ufe0e\u20e3", "\U0001f469\u200c\U0001f469"),
        *(
            "\u0645\u200c",
            "\u200c\u0645",
            "\u0645\u200c a",
            "a\u200cb",
            "\u0645\u200b\u0645",
            "\u0645\u200c\u200c\u0645",
        ),
        *(ENGLAND, f"\U0001f3f4{_TAG}", "\u2764\ufe00", f"\u2764{_ZWJ}{_ZWJ}\u2764", f"{_SELECTOR}", f"{_ZWJ}"),
    ],
)
def test_any_other_hidden_character_is_hidden_in_prose_too(text: str) -> None:
    assert find_hidden(text, prose=True) is not None
    assert find_hidden(without_hidden(text, prose=True), prose=True) is None
    assert "holds the character" in (find_fault("README.md", f"{text}\n") or "")


_PIECES = st.sampled_from(
    [*UNSEEN[:40], *WRITING, *"a1#\u0645\u0928\u094d\u2764\ufe0f\ufe0e\u200c\u200d\u20e3\U0001f469"]
)


@given(st.lists(_PIECES | st.characters(exclude_categories=[]), max_size=12).map("".join))
def test_what_is_left_holds_nothing_hidden(text: str) -> None:
    kept = without_hidden(text, prose=True)

    assert find_hidden(kept, prose=True) is None
    assert without_hidden(kept) == without_hidden(text) == HIDDEN.sub("", text)


@pytest.mark.parametrize(
    ("path", "prose"),
    [
        *(
            ("README.md", True),
            ("a/B.MD", True),
            ("a.rst", True),
            ("a.txt", True),
            ("a.adoc", True),
            ("a.markdown", True),
        ),
        *(("a.py", False), ("README", False), ("a.md.py", False), ("a.json", False), ("md", False), ("a.txt/b", False)),
        *(("requirements.txt", False), ("a/requirements-dev.txt", False), ("constraints.txt", False)),
    ],
)
def test_prose_files_hold_text_for_people(path: str, prose: bool) -> None:  # noqa: FBT001
    assert is_prose_file(path) is prose


# ---- everyone agrees


_PLACES = {
    "a.py in a string": ("a.py", 'A = "b{}c"\n'),
    "a.py in a comment": ("a.py", "A = 1  # b{}c\n"),
    "a.py in an identifier": ("a.py", "A{} = 1\n"),
    "a.py alone": ("a.py", "{} = 1\n"),
    "Markdown": ("README.md", "# b{}c\n"),
    "YAML": ("a.yaml", "a: b{}c\n"),
    "TOML": ("a.toml", 'a = "b{}c"\n'),
    "JSON": ("a.json", '{{"a": "b{}c"}}\n'),
    "requirements": ("requirements.txt", "pydantic  # b{}c\n"),
}


@pytest.mark.parametrize("place", _PLACES)
def test_no_generated_file_holds_a_hidden_character(place: str) -> None:
    path, file = _PLACES[place]

    assert find_fault(path, file.format("")) is None or not file.format("").strip("= 1\n")
    passed = [
        each
        for each in UNSEEN
        if find_fault(path, file.format(each)) != f"line 1 holds the character U+{ord(each):04X}"
    ]
    assert passed == []


@pytest.mark.parametrize(("path", "file"), [("README.md", "# {}\n"), ("a.py", "A = '{}'\n"), ("a.py", "# {}\n")])
def test_a_generated_file_may_hold_every_other_character(path: str, file: str) -> None:
    plain = SEEN.replace("\n", "").replace("'", "").replace("\\", "")
    pieces = [plain[start : start + 200_000] for start in range(0, len(plain), 200_000)]

    assert [fault for piece in pieces if (fault := find_fault(path, file.format(piece)))] == []


def test_a_path_holds_none_and_forbids_no_other_but_those_of_windows() -> None:
    allowed = SEEN.translate(dict.fromkeys(map(ord, '\t\n/\\:*?"<>|')))

    assert [each for each in UNSEEN if path_problem(f"a{each}b") != f"holds the character U+{ord(each):04X}"] == []
    problems = {path_problem(allowed[start : start + 300]) or "" for start in range(0, len(allowed), 300)}
    assert not [each for each in problems if "character U+" in each]


def test_the_sanitiser_drops_all_of_them_and_nothing_else() -> None:
    assert visible("a".join(UNSEEN)).replace("\n", "") == "a" * (len(UNSEEN) - 1)
    assert visible(SEEN) == SEEN


def test_the_log_shows_all_of_them_as_one_sign_and_nothing_else() -> None:
    without_return = [each for each in UNSEEN if each != "\r"]

    assert neutralise("a".join(without_return)) == "│ " + "a".join("\ufffd" for _ in without_return)
    assert neutralise(SEEN.replace("\n", "")) == "│ " + SEEN.replace("\n", "")


def test_a_name_holds_none() -> None:
    assert [each for each in UNSEEN if ENTITY_NAME.fullmatch(f"A{each}") or FIELD_NAME.fullmatch(f"a{each}")] == []


def test_a_message_shows_all_of_them_escaped() -> None:
    assert not [each for each in UNSEEN if not shown(f"a{each}b").isascii() or not one_line(f"a{each}b", 20).isascii()]
    assert not [each for each in UNSEEN if is_printable(each)]


def test_what_a_template_writes_is_fit_whatever_the_plan_says() -> None:
    text = "a".join(each for each in UNSEEN if not "\ud800" <= each <= "\udfff")

    assert find_fault("a.py", f'"""A{docstring(text)}"""\nA = {python_literal(text)}\n') is None
    assert find_fault("a.toml", f"a = {toml_string(text)}\n") is None
    assert find_fault("README.md", f"# {markdown(text)}\n") is None
    assert markdown(" ".join(WRITING)) == " ".join(WRITING)


def test_a_large_text_takes_no_time() -> None:
    start = time.process_time()
    for each in (*UNSEEN[::700], "a", "\u2764", "\u0645", "1", *WRITING):
        text = each * (100_000 // len(each))
        without_hidden(text, prose=True)
        one_line(text, 100)
        all_newlines(text)

    assert time.process_time() - start < 10


# ---- lines


def test_line_ends_become_those_of_unix() -> None:
    assert unix_newlines("a\r\nb\rc\n\r\rd\u2028\x85") == "a\nb\nc\n\n\nd\u2028\x85"
    assert all_newlines("a\r\nb\rc\v\f\x1c\x1d\x1e\x85\u2028\u2029d") == "a\nb\nc" + "\n" * 8 + "d"


@given(st.text() | st.text("\r\n\v\x85\u2028a"))
def test_all_line_ends_are_those_that_python_knows(text: str) -> None:
    assert all_newlines(text).removesuffix("\n").split("\n") == (text.splitlines() or [""])


@given(st.text(st.characters(exclude_categories=[])), st.integers(1, 50))
def test_a_message_is_one_printable_line_and_a_cut_shows(text: str, limit: int) -> None:
    line = one_line(text, limit)

    assert is_printable(line)
    assert line.isprintable()
    assert len(line) <= limit
    assert line.endswith("\u2026") or line == one_line(text, 10_000)


def test_a_message_keeps_what_shows() -> None:
    assert one_line(" r\xe9sum\xe9\n\tof\x00 it\u200b ", 40) == "r\xe9sum\xe9 of\\x00 it\\u200b"
    assert one_line("abcdef", 6) == "abcdef"
    assert one_line("abcdefg", 6) == "abcde\u2026"
    assert truncate("ab cdef", 4) == "ab\u2026"


def test_a_long_text_is_cut_in_a_message() -> None:
    assert shown("a\n") == "'a\\n'"
    assert shown("a" * 100) == repr("a" * 100)
    assert shown("a" * 101) == repr("a" * 100) + "\u2026"
    assert shown("a\u3164'\u202e") == '"a\\u3164\'\\u202e"'
