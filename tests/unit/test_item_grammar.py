"""An item in words: what it does, and what it uses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.planning.entities import Item
from bot.planning.item_grammar import format_does, read_does


@pytest.mark.parametrize(
    ("text", "does", "uses"),
    [
        ("shows posts. Uses Post, Follow.", "shows posts.", ("Post", "Follow")),
        ("shows posts. Uses Post and blog post", "shows posts.", ("Post", "BlogPost")),
        ("shows posts (newest first). Uses: Post.", "shows posts (newest first).", ("Post",)),
        ("Uses Post.", "", ("Post",)),
        ("it uses a cache. Uses Post, Post.", "it uses a cache.", ("Post",)),
        ("nobody Uses Post.", "nobody Uses Post.", ()),
        ("Uses Post. And more.", "Uses Post. And more.", ()),
        ("shows posts", "shows posts", ()),
    ],
)
def test_the_last_sentence_says_what_is_used(text: str, does: str, uses: tuple[str, ...]) -> None:
    assert read_does(text) == (does, uses)


@given(st.lists(st.sampled_from(["Post", "Feed", "A1"]), unique=True))
def test_an_item_reads_back(uses: list[str]) -> None:
    item = Item(name="Feed", does="Lists `GET /feed`, paged.", uses=tuple(uses))

    assert read_does(format_does(item)) == (item.does, item.uses)
