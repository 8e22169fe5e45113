"""What of a report is believed: lines that can exist, paths that can be one, texts on one line."""

import pytest

from bot.verification.remarks import Case, Remark, Report, Spot, first_line, line_of, message_of, path_of, rule_of


@pytest.mark.parametrize("number", [0, -1, True, 10**12, "3", 3.0, None])
def test_what_is_no_line_is_none(number: object) -> None:
    assert line_of(number) is None
    assert line_of(3) == 3


@pytest.mark.parametrize("path", [None, 3, "a\0b", "a" * 5_000, ["a"]])
def test_what_can_be_no_path_is_empty(path: object) -> None:
    assert path_of(path) == ""
    assert path_of("app/a.py") == "app/a.py"


def test_texts_are_one_printable_line_and_never_empty() -> None:
    assert message_of("a\x1b[2J\n b", "nothing") == r"a\x1b[2J b"
    assert message_of(" \n", "nothing") == "nothing"
    assert rule_of("not a rule", "x") == "not-a-rule"
    assert rule_of(7, "x") == rule_of("", "x") == "x"
    assert first_line("\n \n first \nsecond") == "first"


def test_a_report_survives_the_way_from_the_worker() -> None:
    remark = Remark(
        spot=Spot("a.py", 3),
        rule="r",
        level="warning",
        message="m",
        test="t",
        module="n",
        trace=[Spot("b.py"), Spot("c", 1)],
    )
    cases = [Case(Spot("d.py", 2), "m", "t")]
    report = Report(remarks=[remark], left_out=1, passed=2, failed=3, skipped=4, problem="p", tests=True, cases=cases)

    assert Report.from_json(report.as_json()) == report
