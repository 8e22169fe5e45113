"""The facts of a page are plain values that say nothing until they are given."""

from bot.page.page_facts import PageFacts
from tests.page_stories import complete, nothing


def test_facts_that_are_not_given_are_empty() -> None:
    facts = PageFacts(state=nothing().state)

    assert (facts.plan, facts.verified, facts.cost, facts.repository) == (None, None, "", "")
    assert not any((facts.commits, facts.explained, facts.sizes, facts.rejected, facts.notes))


def test_the_same_history_gives_the_same_facts() -> None:
    assert complete() == complete()
