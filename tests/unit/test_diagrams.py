"""Diagrams that people can read on GitHub."""

import pytest

from bot.forge.diagrams import entity_diagram, gantt
from tests.unit.values import BLOG, read_plan


def _entities(number: int, fields: str = "name string") -> str:
    return "".join(f"- Item{each:02}: {fields}\n" for each in range(number))


def test_a_small_plan_is_drawn_whole() -> None:
    drawn = entity_diagram(read_plan(BLOG + "- Setting: name string\n"))

    assert drawn.startswith("```mermaid\nerDiagram\n    User {\n        integer id PK\n")
    assert "    Setting {\n" in drawn
    assert drawn.endswith("\n```")


def test_entities_that_relate_to_nothing_are_named_if_they_are_many() -> None:
    drawn = entity_diagram(read_plan("- Post: title string\n- Comment: post -> Post\n" + _entities(7)))

    assert "Item" not in drawn.partition("```\n")[0]
    assert drawn.endswith(
        "\n```\n\nNot drawn, because they relate to no other entity: `Item00`, `Item01`, `Item02`, `Item03` and 3 more."
    )


def test_a_wide_diagram_has_no_fields() -> None:
    drawn = entity_diagram(read_plan("- Post: title string\n" + _entities(9, "post -> Post")))

    assert "title" not in drawn
    assert "    Post\n    Item00\n" in drawn
    assert "    Post ||--o{ Item00 : post\n" in drawn


@pytest.mark.parametrize("spec", [_entities(60), "- Post: title string\n" + _entities(40, "post -> Post")])
def test_a_diagram_that_nobody_could_read_is_left_out(spec: str) -> None:
    drawn = entity_diagram(read_plan(spec))

    assert "mermaid" not in drawn
    assert drawn.endswith("entities, too many for a diagram that people can read.")


def test_entities_that_relate_to_each_other_in_a_circle_are_drawn() -> None:
    drawn = entity_diagram(read_plan("- Person: home -> House ?, boss -> Person ?\n- House: owner -> Person ?\n"))

    assert drawn.count("o{") == 3


def test_the_chart_has_the_given_numbers_and_few_marks() -> None:
    assert (
        gantt([(1, "plan", 5.0, 6.0), (12, "entity/A", 6.0, 95.5)])
        == """\
gantt
    dateFormat YYYY-MM-DD HH:mm:ss.SSS
    todayMarker off
    axisFormat %M:%S
    tickInterval 30second
    1. plan, 1s :done, 2000-01-01 00:00:00.000, 2000-01-01 00:00:01.000
    12. entity/A, 1m 30s :done, 2000-01-01 00:00:01.000, 2000-01-01 00:01:30.500"""
    )


@pytest.mark.parametrize(
    ("seconds", "marks"), [(0.2, "1second"), (60, "15second"), (3_000, "10minute"), (7_200, "30minute"), (1e6, "8hour")]
)
def test_the_marks_fit_the_length_of_the_run(seconds: float, marks: str) -> None:
    chart = gantt([(1, "a", 0.0, seconds)])

    assert f"    tickInterval {marks}\n" in chart
    assert ("%H:%M" in chart) == (seconds >= 3600)
