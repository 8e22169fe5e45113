"""Findings in the order in which people read them."""

from bot.assessment.finding import Finding, in_order


def test_errors_come_first_then_the_place_and_nothing_twice() -> None:
    warning = Finding(path="a.py", line=1, rule="B006", severity="warning", message="m")
    late, early = (Finding(path="b.py", line=line, rule="F821", message="m") for line in (10, 9))
    whole = Finding(path="b.py", rule="unused-module", message="m")

    assert in_order([warning, late, early, whole, late]) == [whole, early, late, warning]
