"""Reports in all formats, and texts that only look like one."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text import is_printable
from bot.verification.remarks import MAX_REMARKS, Report, Spot
from bot.verification.reports import Format, read_report
from tests.unit.values import run_here

FORMATS: tuple[Format, ...] = ("ruff-json", "junit", "sarif", "plain")
RUFF = {"code": "F821", "filename": "/place/tree/app/a.py", "message": "Undefined name `x`", "location": {"row": 3}}


def sarif(**result: object) -> str:
    return json.dumps({"version": "2.1.0", "runs": [{"results": [result]}]})


def place(uri: object, line: object = 1) -> list[object]:
    return [{"physicalLocation": {"artifactLocation": {"uri": uri}, "region": {"startLine": line}}}]


def read(kind: Format, text: str) -> Report:
    return Report.from_json(run_here("report", kind, [text])[0])


def test_ruff_is_read() -> None:
    (found,) = read("ruff-json", json.dumps([RUFF])).remarks

    assert (found.spot, found.rule, found.message) == (Spot("/place/tree/app/a.py", 3), "F821", "Undefined name `x`")


def test_a_syntax_error_of_ruffs_has_no_code() -> None:
    assert read("ruff-json", json.dumps([RUFF | {"code": None}])).remarks[0].rule == "invalid-syntax"


def test_sarif_is_read() -> None:
    text = sarif(ruleId="S1", level="error", message={"text": "bad"}, locations=place("file:///place/tree/a%20b.py", 7))

    (found,) = read("sarif", text).remarks

    assert (found.spot, found.rule, found.level, found.message) == (Spot("/place/tree/a b.py", 7), "S1", "error", "bad")


@pytest.mark.parametrize("level", ["note", None, "no level", {}])
def test_levels_of_sarif_below_error_are_warnings(level: object) -> None:
    assert read("sarif", sarif(level=level, message={"text": "m"})).remarks[0].level == "warning"


@pytest.mark.parametrize(
    ("kind", "text", "problem"),
    [
        ("ruff-json", "", "it is no complete JSON"),
        ("ruff-json", "{}", "it is no list"),
        ("ruff-json", "[" * 100_000, "it is no complete JSON"),
        ("sarif", "[]", "it is no SARIF: it has no list 'runs'"),
        ("sarif", '{"runs": 1}', "it is no SARIF: it has no list 'runs'"),
        ("junit", "no XML", "it is no complete XML"),
    ],
)
def test_a_report_that_can_not_be_read_says_why(kind: Format, text: str, problem: str) -> None:
    report = read(kind, text)

    assert report.problem.startswith(problem)
    assert not report.remarks


def test_of_many_findings_some_are_kept_and_the_others_counted() -> None:
    report = read("ruff-json", json.dumps([RUFF] * (MAX_REMARKS + 2)))

    assert (len(report.remarks), report.left_out) == (MAX_REMARKS, 2)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda each: (
        st.lists(each)
        | st.dictionaries(
            st.sampled_from(
                (
                    *("runs", "results", "locations", "physicalLocation", "artifactLocation", "uri", "region"),
                    *("startLine", "message", "text", "level", "ruleId", "filename", "location", "row", "code"),
                )
            ),
            each,
        )
    ),
)


@given(st.sampled_from(FORMATS), st.one_of(st.text(), _VALUES.map(json.dumps)))
def test_no_text_raises_and_all_that_is_shown_is_printable(kind: Format, text: str) -> None:
    content = read_report(kind, text)
    report = Report.from_json(json.loads(json.dumps(content)))

    assert report.as_json() == content
    for each in report.remarks:
        assert all(map(is_printable, (each.rule, each.message, each.test, each.module)))
        assert each.rule
