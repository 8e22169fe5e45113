"""Every text of ``data/hostile/`` is parsed or properly refused, in bounded time; and so is what the fuzzer makes."""

import time

import pytest

from tests.fuzz import fuzz
from tests.hostile import CHECKS, FOLDER, check_shown, load, seeds

_PATIENCE = 8.0
"""Seconds of processor time for one text.  Quadratic work takes minutes for the long ones, all else less than one."""
_CASES = [(surface, name) for surface in CHECKS for name in load(surface)]


@pytest.mark.parametrize(("surface", "name"), _CASES)
def test_a_hostile_text_is_parsed_or_refused(surface: str, name: str) -> None:
    began = time.thread_time()

    CHECKS[surface](load(surface)[name])

    assert time.thread_time() - began < _PATIENCE


@pytest.mark.parametrize("title", (FOLDER / "titles.txt").read_text().split("\n"))
def test_a_hostile_title_has_no_effect(title: str) -> None:
    check_shown(title)


@pytest.mark.parametrize("surface", CHECKS)
def test_ordinary_texts_are_accepted(surface: str) -> None:
    assert any(CHECKS[surface](text) for text in seeds(surface))


@pytest.mark.parametrize("target", CHECKS)
def test_a_few_texts_of_the_fuzzer_find_nothing(target: str) -> None:
    assert not fuzz(target, seconds=60.0, seed=1, most=15).found


def test_the_fuzzer_finds_a_fault_and_shortens_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def check(text: str) -> bool:
        assert "@" not in text
        return True

    monkeypatch.setitem(CHECKS, "command", check)

    assert list(fuzz("command", seconds=60.0, seed=1, most=200).found.values()) == ["@"]
