"""Patterns that took quadratic time match the same texts as before, in linear time."""

import re

from hypothesis import given
from hypothesis import strategies as st

from bot.forge.comment_command import _COMMAND
from bot.generation.llm.file_checks import _REQUIREMENTS
from bot.generation.llm.prompts import block
from bot.generation.llm.response_parser import _without_fence
from bot.history.fast_import import _LOCK
from bot.history.remote import _REMEDIES
from bot.planning.field_defaults import _EMAIL, _FLOAT
from bot.planning.names import snake_case


def _of(*pieces: str) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(pieces), max_size=12).map("".join)


@given(_of("```", "`", "json", "\n", " ", "a", "{", "\u2028", "\x1c"))
def test_a_fence_is_removed_as_before(text: str) -> None:
    match = re.fullmatch(r"\s*```(?:json)?\s*\n(.*?)\n?```\s*", text, re.DOTALL)
    assert _without_fence(text) == (match[1] if match else text)


@given(_of("<", " ", "\n", "/", "spec", "Spec", "\u017fpec", "s", ">", "x"))
def test_a_block_can_be_closed_as_little_as_before(text: str) -> None:
    inner = re.sub(r"<(?=\s*/?\s*spec\b)", "&lt;", text, flags=re.IGNORECASE)
    assert block("spec", text) == f"<spec>\n{inner}\n</spec>\n"


@given(_of("a", ".", "@", " ", ",", "b.c"))
def test_an_address_is_one_as_before(text: str) -> None:
    assert bool(_EMAIL.fullmatch(text)) == bool(re.fullmatch(r"[^@\s,]+@[^@\s,]+\.[^@\s,]+", text))


@given(_of("1", ".", "e", "+", "-", "22", "a"))
def test_a_number_is_one_as_before(text: str) -> None:
    assert bool(_FLOAT.fullmatch(text)) == bool(re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?", text))


@given(_of("A", "B", "c", "1", "_"))
def test_names_are_in_snake_case_as_before(text: str) -> None:
    before = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", text)
    assert snake_case(text) == re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", before).lower()


@given(_of("/", "a", " ", "\t"))
def test_a_command_has_the_words_that_it_had(text: str) -> None:
    new, old = _COMMAND.fullmatch(text), re.fullmatch(r"/(\S+)(.*)", text)
    assert (new and new.groups()) == (old and old.groups())


@given(_of("requirements", ".txt", "constraints", "-", "a", "\n"))
def test_requirements_are_known_by_their_name_as_before(name: str) -> None:
    old = re.fullmatch(r".*requirements.*\.txt|constraints.*\.txt", name)
    assert bool(_REQUIREMENTS.fullmatch(name)) == bool(old)


@given(_of("repository ", "Repository ", "not found", "refusing to allow ", " workflow", "\n", "x"))
def test_git_s_messages_have_the_remedies_that_they_had(text: str) -> None:
    new = {
        pattern
        for pattern in _REMEDIES
        if "epository )" in pattern or "refusing" in pattern
        if re.search(pattern, text)
    }
    old = {re.search(r"[Rr]epository .*not found", text), re.search("refusing to allow .* workflow", text)} - {None}
    assert len(new) == len(old)


@given(_of("Unable to create '", "a", ".lock", "': File exists", "\n"))
def test_a_lock_is_found_as_before(text: str) -> None:
    new, old = _LOCK.search(text), re.search(r"Unable to create '(.+\.lock)': File exists", text)
    assert (new and new[1]) == (old and old[1])
