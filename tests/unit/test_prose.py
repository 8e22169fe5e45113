"""Sentences of a spec, in any script, and which of them ask for something."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.planning.prose import MAX_SENTENCE, asks, owner_of, sentences, without


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two!\nThree goes\non. 4 is none", ["One.", "Two!", "Three goes on.", "4 is none"]),
        ("- first\n- second one\n1. third", ["first", "second one", "third"]),
        ("E.g. a dog. At 9.30 a.m. it barks.", ["E.g. a dog.", "At 9.30 a.m. it barks."]),
        ("\u4e66\u3002\u4eba\u3002", ["\u4e66\u3002", "\u4eba\u3002"]),
        ("| a | b |\n## Head", ["a | b", "Head"]),
        ("...\n\n---", []),
    ],
)  # fmt: skip
def test_a_text_is_split_into_sentences(text: str, expected: list[str]) -> None:
    assert list(sentences(text)) == expected


@given(st.text())
def test_no_letter_is_lost_and_no_sentence_is_long(text: str) -> None:
    found = list(sentences(text))

    assert all(len(each) <= MAX_SENTENCE for each in found)
    letters = [each for each in text if each.isalpha()]
    assert [each for each in "".join(found) if each.isalpha()] == letters


@pytest.mark.parametrize(
    "sentence",
    [
        "Quantity is at least 1.",
        "A hire is refused when fewer tools are left.",
        "`POST /hires/{id}/return` gives the tool back.",
        "Nobody can't follow themselves (422).",
        "Users log in.",
        "A user must confirm.",
        "Only the owner edits.",
        "The rating is between 1 and 5.",
    ],
)
def test_a_requirement_asks_for_something(sentence: str) -> None:
    assert asks(sentence)


@pytest.mark.parametrize(
    "sentence",
    ["A small blog with comments and tags.", "People write posts.", "Every type of the grammar in one project.", ""],
)
def test_a_description_asks_for_nothing(sentence: str) -> None:
    assert not asks(sentence)


@pytest.mark.parametrize(
    ("sentence", "owner"),
    [
        ("A comment has at most 2,000 characters.", "Comment"),
        ("Comments can't be empty.", "Comment"),
        ("Blog posts are never deleted.", "BlogPost"),
        ("quantity is at least 1", "Hire"),
        ("A hire is refused when fewer tools are left.", None),
        ("Everything must be fast.", None),
    ],
)
def test_a_rule_goes_to_the_one_entity_that_it_is_about(sentence: str, owner: str | None) -> None:
    fields = {"Comment": ["body"], "BlogPost": ["body"], "Hire": ["quantity"], "Tool": ["name"]}

    assert owner_of(sentence, fields) == owner


def test_what_became_a_rule_leaves_the_description() -> None:
    text = "A shop. It must be open.\n\n- fast\n- Only adults buy.\n\nMore."

    assert without(text, ["It must be open.", "Only adults buy."]) == "A shop.\n\n- fast\n\nMore."


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("A shop. A tag\nmust be short. More.", "A shop. More."),
        ("A shop.\nA tag must\nbe short.\nMore.", "A shop.\nMore."),
        ("1. A tag must\n   be short.\n2. fast", "2. fast"),
        ("- [ ] A tag must be short. It is.", "- [ ] It is."),
        ("So: A tag  must be short.  More", "So: More"),
        ("> A tag must be short.", ""),
        ("One.\n\nA tag must be short.\n\nA tag must be short. Two.", "One.\n\nTwo."),
    ],
)
def test_a_sentence_leaves_the_description_however_it_is_wrapped(text: str, left: str) -> None:
    assert without(text, ["A tag must be short."]) == left


@given(st.lists(st.sampled_from(["A tag must be short.", "Users are people.", "\n", "\n\n", "\n- ", "X"]), max_size=12))
def test_each_sentence_is_a_rule_or_stays_in_the_description(parts: list[str]) -> None:
    text = " ".join(parts)
    rules = [each for each in sentences(text) if asks(each)]

    left = without(text, rules)

    assert {*left.split(), *" ".join(rules).split()} >= {*text.split()} - {"-"}
    assert not any(rule in " ".join(left.split()) for rule in rules)
