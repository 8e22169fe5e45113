"""Reports of test runners, also of those who lie."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text import is_printable
from bot.verification.junit import read_junit
from bot.verification.remarks import MAX_REMARKS, Report, Spot

REPORT = """<?xml version="1.0" encoding="utf-8"?>
<testsuites><testsuite name="pytest" tests="4">
  <testcase classname="tests.test_posts.TestCreate" name="test_it[1]" time="0.1">
    <failure message="AssertionError: assert 404 == 201&#10;more">tests/test_posts.py:12: in test_it
app/routers/posts.py:33: in create
E   AssertionError</failure>
  </testcase>
  <testcase classname="tests.test_posts" name="test_ok" />
  <testcase classname="tests.test_posts" name="test_later"><skipped type="pytest.skip" message="later"/></testcase>
  <testcase classname="" name="tests.test_tags" file="tests/test_tags.py" line="3">
    <error message="collection failure">E   ImportError: no 'Tag'</error>
  </testcase>
</testsuite></testsuites>"""


def test_tests_are_counted_and_failures_have_their_traceback() -> None:
    report = read_junit(REPORT)

    assert (report.passed, report.failed, report.skipped, report.problem) == (1, 2, 1, "")
    assert [(each.module, each.test) for each in report.cases] == [("tests.test_posts", "test_ok")]
    assert Report.from_json(report.as_json()) == report
    failed, broken = report.remarks
    assert (failed.module, failed.test, failed.rule) == ("tests.test_posts.TestCreate", "test_it[1]", "test-failed")
    assert failed.message == "AssertionError: assert 404 == 201"
    assert failed.trace[0] == Spot("app/routers/posts.py", 33)
    assert (broken.spot, broken.rule, broken.message) == (
        Spot("tests/test_tags.py", 3),
        "test-error",
        "collection failure",
    )


BOMB = '<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><testsuite name="&c;"/>'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (BOMB, "it declares a document type"),
        ('<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "it declares a document type"),
        ("<a>" * 100, "its elements are nested too deeply"),
        ("", "it is no complete XML"),
        ("<testsuite>", "it is no complete XML"),
        ("<a>&undefined;</a>", "it is no complete XML"),
        ('<?xml version="1.0" encoding="nonsense"?><a/>', "its encoding is not known"),
    ],
)
def test_what_no_runner_writes_is_refused(text: str, problem: str) -> None:
    assert read_junit(text).problem.startswith(problem)


def test_of_many_failures_some_are_kept_and_all_are_counted() -> None:
    report = read_junit("<t>" + '<testcase name="a"><failure/></testcase>' * (MAX_REMARKS + 5) + "</t>")

    assert (len(report.remarks), report.failed, report.left_out) == (MAX_REMARKS, MAX_REMARKS + 5, 5)


def test_names_and_messages_are_one_printable_line() -> None:
    text = '<t><testcase name="a&#9;&#x202e;b" classname="&#x200b;c"><failure message="&#x9b;2J"/></testcase></t>'

    (remark,) = read_junit(text).remarks

    assert all(map(is_printable, (remark.test, remark.module, remark.message)))


_PARTS = (
    "<testcase>",
    "</testcase>",
    '<testcase name="a" line="²">',
    "<failure>",
    "</failure>",
    "<skipped/>",
    "a:1: ",
    "&",
)


@given(st.one_of(st.text(), st.lists(st.sampled_from(_PARTS)).map("".join)))
def test_no_text_raises(text: str) -> None:
    for wrapped in (text, f"<t>{text}</t>"):
        report = read_junit(wrapped)
        assert report.passed + report.failed + report.skipped >= len(report.remarks)
