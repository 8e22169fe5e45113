"""What to do next about a run."""

from dataclasses import replace

from bot.history.run_state import PlanFault
from bot.page.next_steps import headline, next_steps
from bot.page.page_facts import PageFacts
from tests.page_stories import complete, large, nothing, trouble


def commands(facts: PageFacts) -> list[str]:
    return [each.command for each in next_steps(facts)]


def test_a_complete_run_needs_nothing() -> None:
    assert next_steps(complete()) == []
    assert headline(complete().state) == ("complete", "good")


def test_commands_are_those_of_comments_or_of_the_terminal() -> None:
    facts = trouble()

    assert commands(facts) == ["/regenerate entity/Post --discard-edits", "/generate", "/fix"]
    assert commands(replace(facts, by_comments=False)) == [
        "phasebot regenerate entity/Post --run issue-12 --discard-edits",
        "phasebot generate --run issue-12",
        "phasebot fix --run issue-12",
    ]
    assert headline(facts.state) == ("incomplete", "warn")
    assert next_steps(facts)[1].why == "Files are missing: the file does not parse (2 files)"


def test_what_is_outdated_by_a_newer_phase_can_be_made_again() -> None:
    last = next_steps(large(120))[-1]
    assert last.command == "phasebot generate --run issue-12 --cascade"


def test_a_plan_that_cannot_be_read_comes_first() -> None:
    facts = complete()
    fault = PlanFault("reading plan.yaml: line 3 is no field; correct it", "plan.yaml", "1" * 40, 3)
    facts = replace(facts, state=replace(facts.state, fault=fault))

    assert headline(facts.state) == ("the plan can't be read", "bad")
    assert [each.why for each in next_steps(facts)] == [fault.message]


def test_nothing_made_yet() -> None:
    assert headline(nothing().state) == ("incomplete", "idle")
