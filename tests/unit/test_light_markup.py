"""People's text keeps its lists, code and emphasis, and nothing else of it has an effect; checked with a parser."""

import pytest
from hypothesis import given

from bot.forge.light_markup import light, light_line
from bot.forge.markdown import visible
from tests.unit.test_markdown import ADDRESS, CLOSING, GFM, HOSTILE, MENTION, REFERENCE

_BLOCKS = {
    f"{kind}_{end}"
    for kind in ("paragraph", "bullet_list", "ordered_list", "list_item")
    for end in ("open", "close")
} | {"inline", "fence"}  # fmt: skip
_INLINES = {"text", "code_inline", "softbreak", "hardbreak", "strong_open", "strong_close", "em_open", "em_close"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a **bold** _word_ and `code`", "a **bold** *word* and `code`"),
        ("- one\n  - two\n    - three\n- four", "- one\n    - two\n        - three\n- four"),
        ("1. one\n2. two", "1. one\n2. two"),
        ("## Goal\ntext", "**Goal**\n\ntext"),
        ("```sql\nselect 1\n```", "```\nselect 1\n```"),
        ("| a | b |\n|---|---|\nend", "```\n| a | b |\n|---|---|\n```\n\nend"),
        ("snake_case, 2 * 3 * 4", "snake_case, 2 \\* 3 \\* 4"),
        ("<b>x</b> ![i](u) [a](b)", "\\<b>x\\</b> \\!\\[i\\](u) \\[a\\](b)"),
        ("`GET /feed of @bob`", "`GET /feed of` @`bob`"),
        ("closes **#1**", "closes **#`1`**"),
        ("```\n@bob closes #1\n```", "@`bob closes` #`1`"),
        ("---\n/generate\n> said", "\\/generate\n\\> said"),
    ],
)
def test_markup_stays_and_all_else_is_text(text: str, shown: str) -> None:
    assert light(text) == shown


@given(HOSTILE)
def test_no_text_has_an_effect(text: str) -> None:
    shown = light(text)
    blocks = GFM.parse(shown)

    assert {block.type for block in blocks} <= _BLOCKS
    assert {token.type for block in blocks for token in block.children or ()} <= _INLINES
    instead = {"code_inline": "\0", "softbreak": "\n", "hardbreak": "\n"}
    outside = "\n".join(
        "".join(instead.get(each.type, each.content) for each in block.children or ()) for block in blocks
    )
    for seen in (outside, shown):  # as GitHub's comments show it, and as a squashed commit's message holds it
        assert not MENTION.search(seen)
        assert not CLOSING.search(seen)
    assert not REFERENCE.search(outside)
    assert not ADDRESS.search(outside)
    assert "<!--" not in shown
    assert not any(each.startswith("/") for each in shown.split("\n"))


@given(HOSTILE)
def test_a_line_stays_one_line_and_shows_its_words(text: str) -> None:
    shown = light_line(text)
    (words,) = ["".join(token.content for block in GFM.parse(f"- {shown}") for token in block.children or ())]

    assert "\n" not in shown
    kept = [each for each in "".join(visible(text).split()) if each.isalnum()]
    assert [each for each in words if each.isalnum()] == kept
