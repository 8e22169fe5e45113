"""Parsing a model's answer: hostile entries, answers that are cut off, and files that are refused."""

import json
import random
import time
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.generation.llm.response_parser import FILES_FORM, NOT_THERE, ParsedFiles, files_schema, parse_files, parse_json
from bot.history.reasons import code_of
from tests.gemini_server import KEY
from tests.unit.values import run_here

_WANTED = ("app/a.py", "app/b.py", "README.md")
_GOOD = {
    "app/a.py": "A = 1\n",
    "app/b.py": 'B = "\u00fc \U0001f600 \\n"\n',
    "README.md": '# Title\n\n"{}[],:\\" text\n',
}


def _answer(*entries: object) -> str:
    return json.dumps({"files": entries})


def _entry(path: str, content: object = "A = 1\n", **more: object) -> dict[str, object]:
    return {"path": path, "content": content, **more}


def _read(text: str, wanted: Sequence[str] = _WANTED, *, cut: bool = False) -> ParsedFiles:
    changes = parse_files(text, wanted, cut=cut, secrets=[KEY], run=run_here)
    _check(changes, wanted)
    return changes


def _check(changes: ParsedFiles, wanted: Sequence[str]) -> None:
    """Check what holds whatever was answered."""
    assert changes.files.keys() | changes.faults.keys() == set(wanted)
    assert not changes.files.keys() & changes.faults.keys()
    assert all(text.endswith("\n") or not text for text in changes.files.values())
    lines = [*changes.faults.values(), *changes.refused]
    assert all(line and line.isprintable() for line in lines), lines
    assert max(map(len, lines), default=0) < 1000
    assert not any(KEY in line for line in lines)


# ---- what is taken


def test_a_good_answer_is_its_files() -> None:
    changes = _read(_answer(*(_entry(*file) for file in _GOOD.items())))

    assert changes == ParsedFiles(_GOOD, {}, ())


def test_a_list_without_the_object_around_it_is_as_good() -> None:
    assert _read(json.dumps([_entry(*file) for file in _GOOD.items()])) == ParsedFiles(_GOOD, {}, ())


@pytest.mark.parametrize("fence", ["```json\n{}\n```", "```\n{}\n```", "\n ```json  \n{}```\n\n", "  {}\n"])
def test_fenced_json_is_read_as_json(fence: str) -> None:
    assert parse_json(fence.replace("{}", '{"a": "```\\n"}')) == {"a": "```\n"}


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("A = 1\r\nB = 2\r\n", "A = 1\nB = 2\n"),
        ("A = 1", "A = 1\n"),
        ("A = 1\r\n\r\n", "A = 1\n\n"),
        ("A = 1\rB = 2\r", "A = 1\nB = 2\n"),
        ("A = 1\n", "A = 1\n"),
    ],
)
def test_lines_end_as_git_wants_them(content: str, text: str) -> None:
    assert _read(_answer(_entry("app/a.py", content))).files == {"app/a.py": text}


def test_an_empty_package_stays_empty() -> None:
    assert _read(_answer(_entry("app/__init__.py", "")), ["app/__init__.py"]).files == {"app/__init__.py": ""}


def test_a_file_that_is_not_there_is_said_to_be_missing() -> None:
    changes = _read(_answer(_entry("app/b.py")))

    assert changes.faults == {"app/a.py": NOT_THERE, "README.md": NOT_THERE}


def test_the_same_file_twice_is_one() -> None:
    changes = _read(_answer(_entry("app/a.py"), _entry("app/b.py"), _entry("app/a.py", "A = 1\r\n")))

    assert changes.files == {"app/a.py": "A = 1\n", "app/b.py": "A = 1\n"}


def test_different_contents_for_a_path_are_a_fault_and_neither_is_taken() -> None:
    changes = _read(_answer(_entry("app/a.py"), _entry("app/b.py"), _entry("app/a.py", "A = 2\n"), _entry("app/a.py")))

    assert changes.files == {"app/b.py": "A = 1\n"}
    assert changes.faults["app/a.py"] == "it appears twice with different contents"


# ---- hostile entries


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("../app/a.py", "leaves the project"),
        ("app/../../etc/passwd", "leaves the project"),
        ("/etc/passwd", "leaves the project"),
        ("C:/app/a.py", "holds the character U+003A"),
        ("c:\\app\\a.py", "holds the character"),
        ("app\\a.py", "holds the character U+005C"),
        (".github/workflows/x.yml", "configures git"),
        (".GitHub/workflows/x.yml", "configures git"),
        (".git/config", "configures git"),
        ("app/.git/hooks/pre-commit", "configures git"),
        ("CLAUDE.md", "instructs an AI agent"),
        ("app/a.py\x00", "holds the character U+0000"),
        ("app/a\u202egpj.py", "holds the character U+202E"),
        ("app/\u2066a.py", "holds the character U+2066"),
        ("app/a.py\ud800", "holds the character U+D800"),
        ("app/a.py\n", "holds the character U+000A"),
        ("app/a.py\x1b[31m", "holds the character U+001B"),
        ("App/a.py", "differs from app/a.py in case"),
        ("readme.md", "differs from README.md in case"),
        ("./app/a.py", "has a part that is empty, or has spaces around it or a dot at its end"),
        ("app//a.py", "has a part that is empty, or has spaces around it or a dot at its end"),
        ("app/a.py/", "has a part that is empty, or has spaces around it or a dot at its end"),
        ("app/a.py ", "has a part that is empty, or has spaces around it or a dot at its end"),
        ("app/entity.py", "was not requested"),
        ("app/models/user.py", "was not requested"),
        ("", "does not have 1 to 400 characters"),
        ("x" * 1_000_000, "does not have 1 to 400 characters"),
    ],
)
def test_a_path_nobody_asked_for_is_refused_and_costs_no_other_file(path: str, why: str) -> None:
    changes = _read(_answer(_entry("app/a.py"), _entry(path), _entry("app/b.py")))

    assert changes.files == {"app/a.py": "A = 1\n", "app/b.py": "A = 1\n"}
    assert len(changes.refused) == 1
    assert why in changes.refused[0]


def test_a_long_path_of_combining_characters_takes_no_time() -> None:
    path = "a" + "\u0301\u0323" * 20_000  # normalised, it takes time by the square of its length

    began = time.perf_counter()
    changes = _read(_answer(_entry(path), _entry("app/a.py")))

    assert time.perf_counter() - began < 0.5
    assert list(changes.files) == ["app/a.py"]


@pytest.mark.parametrize(
    "entry",
    [
        {"path": "app/a.py", "content": "../../etc/passwd", "mode": "120000"},
        {"path": "app/a.py", "content": "A = 1\n", "executable": True},
        {"path": "app/a.py", "target": "/etc/passwd"},
        {"path": "app/a.py"},
        {"path": "app/a.py", "content": None},
        {"path": "app/a.py", "content": 1},
        {"path": "app/a.py", "content": True},
        {"path": "app/a.py", "content": ["A = 1\n"]},
        {"path": "app/a.py", "content": {"text": "A = 1\n"}},
        {"path": "app/a.py", "content": "A = 1\n", "x\n\u202e\x1b[31m" * 50: 1},
        {"path": "app/a.py", "content": "A = 1\n", "\ud800": 1},
    ],
)
def test_an_entry_that_is_more_or_less_than_path_and_content_costs_its_own_file_only(
    entry: Mapping[str, object],
) -> None:
    changes = _read(_answer(_entry("app/b.py"), entry, _entry("README.md", "# Title\n")))

    assert changes.files.keys() == {"app/b.py", "README.md"}
    assert "not an object with path and content" in changes.faults["app/a.py"]
    assert changes.refused == ()


@pytest.mark.parametrize("first", [True, False])
def test_a_bad_entry_spoils_a_good_one_of_its_path_in_either_order(first: bool) -> None:  # noqa: FBT001
    entries = [_entry("app/a.py", mode="120000"), _entry("app/a.py")]

    assert "app/a.py" in _read(_answer(*(entries if first else reversed(entries)))).faults


@pytest.mark.parametrize(
    "entry", [1, None, "app/a.py", [], ["app/a.py", "A = 1\n"], {}, {"path": 3, "content": ""}, {"path": ["app/a.py"]}]
)
def test_an_entry_that_is_none_is_refused_in_words_that_people_understand(entry: object) -> None:
    changes = _read(_answer(entry, _entry("app/a.py")))

    assert list(changes.files) == ["app/a.py"]
    assert len(changes.refused) == 1
    assert "_File" not in changes.refused[0]
    assert ": :" not in changes.refused[0]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("A = '\x00'\n", "U+0000"),
        ("A = 1  # \u202e\n", "U+202E"),
        ("A = 1  # \u2066\n", "U+2066"),
        ("A = '\ud800'\n", "U+D800"),
        ("A = 1\vB = 2\n", "U+000B"),
        ("A = '\u200b'\n", "U+200B"),
        ("A = (\n", "line 1 does not parse"),
        ("", "it is empty"),
        ("```python\nA = 1\n```\n", "wrapped in a Markdown fence"),
        ("# TODO: write this\n", "placeholder"),
    ],
)
def test_a_content_that_can_t_be_committed_costs_its_own_file_only(content: str, why: str) -> None:
    changes = _read(_answer(_entry("app/b.py"), _entry("app/a.py", content)))

    assert list(changes.files) == ["app/b.py"]
    assert why in changes.faults["app/a.py"]


def test_a_content_of_30_megabytes_is_a_fault() -> None:
    text = f'{{"files": [{{"path": "app/a.py", "content": "{"#" * 30_000_000}"}}, {json.dumps(_entry("app/b.py"))}]}}'

    changes = _read(text)

    assert list(changes.files) == ["app/b.py"]
    assert changes.faults["app/a.py"] == "it is larger than 1000000 bytes"


@pytest.mark.parametrize("content", [f'KEY = "{KEY}"\n', f"# {KEY}", f"# TODO {KEY}\n", f"({KEY}"])
def test_a_file_with_a_secret_is_refused_without_showing_it(content: str) -> None:
    changes = _read(_answer(_entry("app/a.py", content), _entry("app/b.py")))

    assert list(changes.files) == ["app/b.py"]
    assert changes.faults["app/a.py"] == "it holds a key of this run; use a placeholder instead"
    assert code_of(changes.faults["app/a.py"]) == "secret"


def test_a_file_with_anybodys_secret_is_refused_without_showing_it() -> None:
    content = "# TODO\n\nAWS = 'AKIA" + "QWERTZ7UIOPASDF2'\n"

    changes = _read(_answer(_entry("app/a.py", content), _entry("app/b.py")))

    assert list(changes.files) == ["app/b.py"]
    assert changes.faults["app/a.py"] == (
        "line 3 holds an AWS key, and would be public with the project; use a placeholder instead"
    )
    assert code_of(changes.faults["app/a.py"]) == "secret"


def test_of_ten_thousand_entries_twenty_are_told() -> None:
    entries = [_entry(f"x/{number}.py") for number in range(10_000)]

    changes = _read(_answer(*entries, _entry("app/a.py")))

    assert list(changes.files) == ["app/a.py"]
    assert len(changes.refused) == 21
    assert changes.refused[0] == "'x/0.py': was not requested"
    assert changes.refused[-1] == "and 9980 more"


def test_twenty_entries_too_many_are_all_told() -> None:
    assert len(_read(_answer(*(_entry(f"x/{number}.py") for number in range(20)))).refused) == 20


# ---- answers that are none


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n",
        "Sure! Here are your files:",
        "\x1b[31mhello\u202e\n",
        '{"files": [',
        '{"files": [\x01]}',
        "{'files': []}",
        "null",
        "12",
        '"text"',
        "{}",
        '{"files": null}',
        '{"files": {"app/a.py": "A = 1"}}',
        '{"file": []}',
        "[" * 100_000,
        '{"a":' * 100_000,
        "9" * 100_000,
        "\ud800",
        "```json\n```",
        _answer(_entry("app/a.py"))[:-1],
        _answer(_entry("app/a.py")) + "\nI hope this helps!",
    ],
)
def test_what_is_no_list_of_files_is_a_value_error_in_one_line(text: str) -> None:
    with pytest.raises(ValueError, match=r"^it ") as caught:
        parse_files(text, _WANTED, cut=False, secrets=[KEY], run=run_here)

    assert str(caught.value).isprintable()
    assert len(str(caught.value)) <= 200


# ---- answers that are cut


def _reached(text: str, cut: int, *, closed: bool) -> list[str]:
    """Return the paths of the files whose content, or if *closed* whole entry, stands before *cut*."""
    found = []
    for path, content in _GOOD.items():
        told = json.dumps(content)
        end = text.index(told, text.index(json.dumps(path))) + len(told)
        found += [path] if end + closed <= cut else []
    return found


def test_an_answer_cut_anywhere_gives_the_files_before_the_cut_as_they_were() -> None:
    text = _answer(*(_entry(*file) for file in _GOOD.items()))

    for cut in range(len(text) + 1):
        files = _read(text[:cut], cut=True).files

        assert files.items() <= _GOOD.items(), text[:cut]
        assert set(_reached(text, cut, closed=True)) <= files.keys() <= set(_reached(text, cut, closed=False))


@pytest.mark.parametrize("fenced", [False, True], ids=["plain", "fenced"])
@pytest.mark.parametrize("content_first", [False, True], ids=["path-first", "content-first"])
def test_what_a_cut_answer_does_not_reach_is_not_in_it(*, fenced: bool, content_first: bool) -> None:
    entries = [_entry(*file) for file in _GOOD.items()]
    if content_first:
        entries = [dict(reversed(entry.items())) for entry in entries]
    text = f"```json\n{_answer(*entries)}" if fenced else _answer(*entries)

    for cut in range(len(text)):
        changes = _read(text[:cut], cut=True)

        assert set(changes.faults.values()) <= {NOT_THERE}, text[:cut]
        assert changes.refused == (), text[:cut]
    assert _read(text, cut=True) == ParsedFiles(_GOOD, {}, ())


def test_an_answer_of_text_as_it_is_cut_at_any_byte_never_differs() -> None:
    text = json.dumps({"files": [_entry(*file) for file in _GOOD.items()]}, ensure_ascii=False)
    encoded = text.encode()

    for cut in range(len(encoded) + 1):
        changes = _read(encoded[:cut].decode(errors="replace"), cut=True)

        assert changes.files.items() <= _GOOD.items()


def test_a_cut_answer_with_half_a_character_in_one_file_still_gives_the_others() -> None:
    text = _answer(_entry("app/a.py"), _entry("app/b.py", "B = '\ud800'\n"), _entry("README.md", "# Title\n"))

    changes = _read(text[:-10], cut=True)

    assert "app/a.py" in changes.files
    assert "app/b.py" in changes.faults


@pytest.mark.parametrize("text", ["", " ", "```json\n", "{", '{"fil', '{"files"', "Sure! He", "[", "[{", "\ud800"])
def test_an_answer_cut_before_anything_holds_nothing(text: str) -> None:
    assert _read(text, cut=True) == ParsedFiles({}, dict.fromkeys(_WANTED, NOT_THERE), ())


def test_a_hostile_answer_that_is_cut_is_judged_as_one_that_is_not() -> None:
    text = _answer(_entry(".git/config"), _entry("app/a.py", "A = (\n"), _entry("app/b.py"))

    changes = _read(text[: text.rindex("content")], cut=True)

    assert changes.files == {}
    assert "configures git" in changes.refused[0]
    assert "does not parse" in changes.faults["app/a.py"]
    assert changes.faults["app/b.py"] == NOT_THERE


# ---- whatever it is

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
_PATHS = st.sampled_from([*_WANTED, "App/a.py", "../x", ".git/config", "other.py"]) | st.text(
    st.characters(), max_size=20
)
_CONTENTS = st.sampled_from(["A = 1\n", "A = 2", "A = (", f"# {KEY}", "", "\ud800"]) | st.text(
    st.characters(), max_size=20
)
_ENTRIES = st.one_of(
    st.fixed_dictionaries({"path": _PATHS, "content": _CONTENTS}),
    st.fixed_dictionaries({"path": _PATHS, "content": _CONTENTS}, optional={"mode": _JSON}),
    st.fixed_dictionaries({}, optional={"path": _PATHS | _JSON, "content": _CONTENTS | _JSON}),
    _JSON,
)


@given(st.lists(_ENTRIES, max_size=8), st.randoms(use_true_random=False))
def test_every_wanted_path_is_a_file_or_a_fault_whatever_the_order(entries: list[object], luck: random.Random) -> None:
    changes = _read(_answer(*entries))
    shuffled = _read(_answer(*luck.sample(entries, len(entries))))

    assert changes.files == shuffled.files
    assert changes.faults.keys() == shuffled.faults.keys()


@given(_JSON.map(json.dumps) | st.text(), st.booleans(), st.data())
def test_any_answer_is_taken_apart_or_a_value_error_in_one_line(text: str, cut: bool, data: st.DataObject) -> None:  # noqa: FBT001
    text = text[: data.draw(st.integers(0, len(text)))] if cut else text

    try:
        _read(text, cut=cut)
    except ValueError as exc:
        assert str(exc).isprintable()  # noqa: PT017  # most texts raise none
        assert len(str(exc)) <= 200  # noqa: PT017


# ---- the schema


def test_the_schema_names_up_to_twenty_paths() -> None:
    paths = [f"app/{number}.py" for number in range(21)]

    assert json.dumps(paths[:20]) in json.dumps(files_schema(paths[:20]))
    assert "enum" not in json.dumps(files_schema(paths))


@pytest.mark.parametrize("count", [1, 20, 21, 500])
def test_the_schema_is_lean(count: int) -> None:
    schema = json.dumps(files_schema([f"app/{number}.py" for number in range(count)]))

    for word in ("maxItems", "minItems", "maxLength", "minLength", "pattern", "$ref", "additionalProperties"):
        assert word not in schema
    assert len(schema) < 1000
    assert all(word in FILES_FORM for word in ("JSON", '"files"', '"path"', '"content"'))
