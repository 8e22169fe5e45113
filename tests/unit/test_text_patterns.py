"""Patterns of texts: what is refused, and that the whole text has to match."""

import pytest

from bot.planning.text_patterns import MAX_PATTERN, matches, pattern_problem


@pytest.mark.parametrize("pattern", ["", "x" * (MAX_PATTERN + 1), "(", "[z-a]", r"(a)\1", "(?<!a)b", "(a{1000}){1000}"])
def test_a_pattern_that_the_generated_project_could_not_read_is_refused(pattern: str) -> None:
    assert pattern_problem(pattern)


@pytest.mark.parametrize(("text", "fits"), [("ab", True), ("ab\n", False), ("xab", False), ("b", True), ("", False)])
def test_the_whole_text_has_to_match(text: str, fits: bool) -> None:  # noqa: FBT001  # parametrized
    assert pattern_problem("ab|b") is None
    assert matches("ab|b", text) == fits
