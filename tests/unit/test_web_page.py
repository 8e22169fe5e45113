"""The page as HTML: golden, self-contained, and inert whatever strangers wrote; ``PHASEBOT_GOLDEN=1`` rewrites it."""

import os
import re
import time
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.page.web_page import render_page
from bot.text import find_hidden
from tests.page_stories import HIDDEN, HOSTILE_TEXT, STORIES, complete, hostile, large, trouble

REWRITE = bool(os.environ.get("PHASEBOT_GOLDEN"))  # before the environment is sealed
GOLDEN = Path(__file__).parent.parent / "data" / "page"
_LOADING = ("src", "srcset", "action", "data", "poster", "background", "formaction", "xlink:href", "ping")
_VOID = ("meta", "link", "br", "input")
_SAFE_TAGS = frozenset(
    (
        *("html", "head", "meta", "title", "link", "style", "body", "a", "header", "main", "footer", "section", "nav"),
        *("div", "p", "h1", "h2", "h3", "h4", "span", "b", "i", "strong", "code", "pre", "br", "ul", "ol", "li"),
        *("dl", "dt", "dd", "table", "thead", "tbody", "tr", "th", "td", "details", "summary", "fieldset", "legend"),
        *("input", "label", "figure", "figcaption", "article", "svg", "defs", "marker", "path", "circle", "g", "rect"),
        "text",
    )
)


class Reader(HTMLParser):
    """Reads tags and attributes as a browser would, and the text between."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes what it did not open"

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.text += data


@pytest.mark.parametrize("name", ["trouble", "hostile", "nothing"])
def test_the_page_is_as_it_was(name: str) -> None:
    page, golden = render_page(STORIES[name]()), GOLDEN / f"{name}.html"
    if REWRITE:
        golden.write_text(page, "utf-8")
    assert page == golden.read_text("utf-8")


@pytest.mark.parametrize("name", STORIES)
def test_nothing_is_loaded_and_nothing_can_run(name: str) -> None:
    found = Reader(render_page(STORIES[name]()))

    assert found.open == []
    assert {tag for tag, _ in found.tags} <= _SAFE_TAGS
    for tag, attributes in found.tags:
        assert not [each for each in attributes if each in _LOADING or each.startswith("on")], (tag, attributes)
        assert not re.search(r"url\((?!#)|@import|expression", attributes.get("style") or "")
        if tag == "a":
            assert re.match(r"#|https://github\.com/acme/blog/", attributes["href"] or "")
    (policy,) = [each["content"] for tag, each in found.tags if "http-equiv" in each]
    assert policy
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:;")
    assert [each["href"] for tag, each in found.tags if tag == "link"] == ["data:,"]
    style = (Path(__file__).parents[2] / "bot" / "page" / "templates" / "page.css").read_text()
    assert "url(" not in style
    assert "@import" not in style


def test_text_of_strangers_is_shown_and_has_no_effect() -> None:
    page = render_page(hostile())

    assert HOSTILE_TEXT in Reader(page).text
    assert HIDDEN not in page
    assert find_hidden(page, prose=True) is None
    assert page.encode()


@given(st.text(max_size=60))
def test_any_text_is_only_text(text: str) -> None:
    facts = hostile()
    found = Reader(render_page(replace(facts, notes=[text], cost=text, makers={"core": text}, rejected={text: text})))

    assert found.open == []
    assert {tag for tag, _ in found.tags} <= _SAFE_TAGS


def test_what_the_issue_asks_for_is_there() -> None:
    text = " ".join(Reader(render_page(trouble())).text.split())

    for part in (
        "Phasebot run issue-12",
        "incomplete 5 of 10 phases done",
        "/regenerate entity/Post --discard-edits",
        "5 entities and their relations",
        "Comment.author: User",
        "commits, 2 by people",
        "app/models/user.py, in 416c16c by Ada Lovelace",
        "missing: the file does not parse",
        "tests/test_users.py::test_create: assert 201 == 422",
        "66 tests passed, 9 failed, 1 skipped",
        "-PAGE = 50 # as the customer wants it",
        "gemini-3.7-flash",
        "about $0.0213 (estimate)",
        "A comment has at most 2,000 characters.",
        "pictures in posts",
    ):
        assert part in text, part


def test_links_need_a_repository_on_the_web() -> None:
    assert "https://github.com" in render_page(complete())
    found = Reader(render_page(replace(complete(), repository="")))
    assert all((each["href"] or "").startswith("#") for tag, each in found.tags if tag == "a")


def test_ids_are_unique_and_every_place_that_is_linked_exists() -> None:
    for story in STORIES.values():
        found = Reader(render_page(story()))
        ids = [each["id"] for _, each in found.tags if each.get("id")]
        assert len(ids) == len({*ids})
        linked = {(each["href"] or "")[1:] for tag, each in found.tags if tag == "a" and str(each["href"])[0] == "#"}
        assert linked <= {*ids}


def test_the_blog_is_small_and_five_hundred_entities_are_bearable() -> None:
    assert len(render_page(complete()).encode()) < 100_000
    facts = large(500)
    begin = time.process_time()
    page = render_page(facts)

    assert time.process_time() - begin < 3
    assert len(page.encode()) < 1_500_000
