"""A spec is split into sentences in any language; no word of it is lost."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.planning.sentences import MAX_SENTENCES, split_sentences


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("", []),
        ("\n---\n\n***\n", []),
        ("A shop.", ["A shop."]),
        ("A shop\nsells things. Customers\nbuy them!", ["A shop sells things.", "Customers buy them!"]),
        ("Version 2.5 of e.g. a shop, i.e. it. Go.", ["Version 2.5 of e.g. a shop, i.e. it.", "Go."]),
        ('He said "no." Then he left.', ['He said "no."', "Then he left."]),
        ("Really?! Yes... No", ["Really?!", "Yes...", "No"]),
        ("Man leiht z. B. Bohrer. Ab 1. Nie 2.5.", ["Man leiht z. B. Bohrer.", "Ab 1.", "Nie 2.5."]),
        ("商店有商品。每件商品都有价格\uff01顾客下单", ["商店有商品。", "每件商品都有价格\uff01", "顾客下单"]),
        ("متجر. هل يبيع؟ نعم", ["متجر.", "هل يبيع؟", "نعم"]),
        ("# Shop\nIt sells.\n## Login\nWith JWT.", ["# Shop", "It sells.", "## Login", "With JWT."]),
        ("- one\n- two. A\n  b\n* four\n1. five\n- [ ] a", ["- one", "- two.", "A b", "* four", "1. five", "- [ ] a"]),
        ("| name | type |\n|---|---|\n| a. B | b |\nend", ["| name | type |", "| a. B | b |", "end"]),
        ("Like:\n```sql\nselect 1;\n\nselect 2. A\n```\nDone.", ["Like:", "select 1;", "select 2. A", "Done."]),
        ("~~~\n# x\n~~~ y\n", ["# x", "~~~ y"]),
        ("```and then``` more\n``` more words here\nx", ["```and then``` more", "``` more words here", "x"]),
        ("> quoted. Yes\nand more", ["> quoted.", "Yes and more"]),
    ],
)  # fmt: skip
def test_sentences(text: str, sentences: list[str]) -> None:
    assert split_sentences(text) == sentences


def test_very_many_sentences_are_joined_to_groups() -> None:
    sentences = split_sentences("\n".join(f"- item {number}" for number in range(10 * MAX_SENTENCES + 1)))

    assert len(sentences) <= MAX_SENTENCES
    assert sentences[0].startswith("- item 0 - item 1 ")
    assert sentences[-1].endswith(f"- item {10 * MAX_SENTENCES}")


@given(
    st.lists(
        st.sampled_from(["Wort", "a", ". ", "\n", "```\n", "- ", "| ", "。", "# ", "z.B. ", "!", "é", " "]), max_size=60
    )
)
def test_no_letter_is_lost_or_moved(pieces: list[str]) -> None:
    text = "".join(pieces)

    assert re.sub(r"\W", "", "".join(split_sentences(text))) == re.sub(r"\W", "", text)
