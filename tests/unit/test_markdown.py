"""The sanitiser shows untrusted text in full and without effect; checked with a CommonMark parser."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.forge import markdown
from bot.forge.markdown import CUT, Markdown, code, cut, fenced, fill, line, link, prose, title
from bot.text import find_hidden

GFM = MarkdownIt("commonmark").enable(["table", "strikethrough"])

MENTION = re.compile(r"(?:^|[^\w`])@[a-z0-9][a-z0-9-]*(?:/[a-z0-9._-]+)?", re.IGNORECASE)
REFERENCE = re.compile(r"(?:^|\W)(?:[\w.-]+/[\w.-]+|[\w.-]+)?#\d+|\bGH-\d+", re.IGNORECASE)
CLOSING = re.compile(
    r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?)\b:?\s+(?:[\w.-]+/[\w.-]+)?(?:#|GH-|https?://\S+/(?:issues|pull)/)\d+",
    re.IGNORECASE,
)
ADDRESS = re.compile(r"(?:https?|ftp)://\S|\bwww\.|[\w.+-]+@[\w-]+\.", re.IGNORECASE)

_WORDS = [
    *("@alice", "@acme/team", "@", "bob@example.com", "y@.z", "mailto:a@b.c", "xmpp:a@b.c", "#1", "#", "GH-1", "gh-2"),
    *("fixes ", "Closes: ", "resolved ", "acme/blog#1", "https://github.com/a/b/issues/1", "http://a.b", "://", ":"),
    *("www.", "www.a.b", "ftp://x.y", "<https://a.b>", "[a](b)", "![a](b)", "[a]: b", "[^1]", "[x]", "[", "]", "("),
    *("<b>", "</details>", "<!-- phasebot:x -->", "<!--", "-->", "<", ">", "&amp;", "&#64;bob", "&#x40;bob", "&"),
    *("&commat;bob", "`", "``", "```", "~~~", "~", "*", "**", "_", "__", "\\", "|", "!", "$", "$x$", "$$", "$5", "%"),
    *("\n", "\n\n", "\r\n", "\r", "\u2028", "\t", "    ", " ", "---", "===", ":-", "-|-", "# ", "> ", "- ", "+ "),
    *("/generate", "/", "1. ", "2)", "w", "a", "é", "\u4e16", "😀", ".", ",", "-", "1", "{{ x }}", ")"),
    *("\u200b", "\u202e", "\x00", "\ufe0f", "\U000e0041", "\ud800"),
]
HOSTILE = st.lists(st.sampled_from(_WORDS), max_size=10).map("".join) | st.text()


def _inlines(shown: str) -> list[Token]:
    return [token for block in GFM.parse(shown) for token in block.children or ()]


def _text(shown: str) -> str:
    """Return the text that people read, code included."""
    return "".join("\n" if each.type == "softbreak" else each.content for each in _inlines(shown))


def _words(text: str) -> list[str]:
    return markdown.visible(text).replace("|", "\u00a6").split()


@given(HOSTILE)
def test_prose_is_plain_text_without_effect(text: str) -> None:
    shown = prose(text)

    assert {block.type for block in GFM.parse(shown)} <= {"paragraph_open", "inline", "paragraph_close"}
    assert {token.type for token in _inlines(shown)} <= {"text", "code_inline", "softbreak"}
    instead = {"code_inline": "\0", "softbreak": "\n"}
    blocks = [block.children or () for block in GFM.parse(shown)]
    outside = "\n".join("".join(instead.get(each.type, each.content) for each in block) for block in blocks)
    for seen in (outside, shown):  # as GitHub's comments show it, and as a squashed commit's message holds it
        assert not MENTION.search(seen)
        assert not CLOSING.search(seen)
    assert not REFERENCE.search(outside)
    assert not ADDRESS.search(outside)
    assert "<!--" not in shown
    assert not any(each.startswith("/") for each in shown.split("\n"))


@given(HOSTILE)
def test_prose_shows_every_visible_character(text: str) -> None:
    assert "".join(_text(prose(text)).replace("|", "\u00a6").split()) == "".join(_words(text))


@given(HOSTILE)
def test_a_line_is_one_line_of_prose_also_in_a_table_cell(text: str) -> None:
    shown = line(text)
    table = GFM.parse(f"| a | b |\n|---|---|\n| {shown} | {code(text)} |\n")

    assert "\n" not in shown
    assert _text(shown) == _text(prose(" ".join(markdown.visible(text).split())))
    assert [block.type for block in table].count("td_open") == 2
    cells = [block.children or [] for block in table if block.type == "inline"][2:]
    assert {token.type for token in cells[0]} <= {"text", "code_inline"}
    assert [(token.type, token.content.strip()) for token in cells[1]] == [("code_inline", " ".join(_words(text)))]


@given(HOSTILE)
def test_no_text_ends_inline_code(text: str) -> None:
    tokens = _inlines(f"a {code(text)} b")

    assert [token.type for token in tokens] == ["text", "code_inline", "text"]
    assert tokens[1].content.strip() == " ".join(_words(text))


@given(HOSTILE, HOSTILE)
def test_no_text_ends_a_code_block(text: str, language: str) -> None:
    first, last = GFM.parse(f"{fenced(text, language)}\n\nend")[0], GFM.parse(f"{fenced(text, language)}\n\nend")[2]

    assert first.type == "fence"
    assert re.fullmatch(r"[A-Za-z0-9+-]*", first.info)
    assert first.content.strip("\n") == markdown.visible(text).strip("\n")
    assert last.content == "end"


@given(HOSTILE)
def test_invisible_characters_are_removed(text: str) -> None:
    for shown in (prose(text), line(text), code(text), fenced(text), title(text)):
        shown.encode()
        assert find_hidden(shown, prose=True) is None


@given(HOSTILE)
def test_a_title_pings_nobody_and_closes_nothing(text: str) -> None:
    shown = title(text)

    assert "\n" not in shown
    assert not MENTION.search(shown)
    assert not CLOSING.search(shown)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("A blog, with tags.", "A blog, with tags."),
        ("Set GEMINI_API_KEY, or lower --jobs!", "Set GEMINI_API_KEY, or lower --jobs!"),
        ("about $0.0213 (estimate)", "about $0.0213 (estimate)"),
        ("ask @alice, or @acme/team.", "ask @`alice`, or @`acme/team`."),
        ("mail a.b@c.example", "mail a.b@`c.example`"),
        ("Fixes #1 and acme/x#22, see GH-3", "Fixes #`1` and acme/x#`22`, see GH-`3`"),
        ("closes https://github.com/a/b/issues/1.", "closes https:`//github.com/a/b/issues/1`."),
        ("(www.example.com)", "(`www.example.com`)"),
        ("<!-- phasebot:x -->", r"\<\!-- phasebot:x -->"),
        ("&#64;bob &lt;", r"&#`64`;bob \&lt;"),
        ("[a](b) ![c](d)", r"\[a\](b) \!\[c\](d)"),
        ("/generate now", r"\/generate now"),
        ("a\n# b\n- c\n12. d\n===\n> e", "a\n\\# b\n\\- c\n12\\. d\n\\===\n\\> e"),
        ("a\n    b\n\n\n\n\nc  \n", "a\nb\n\nc"),
        ("__init__ of a_b, *x*, ~y~ | z", r"\_\_init\_\_ of a_b, \*x\*, \~y\~ \| z"),
        ("$x^2$ for $5", "`$x`^2`$` for $5"),
        ("a\u200b@\u200bali\u202ece", "a@`alice`"),
        ("", ""),
    ],
)
def test_prose_examples(text: str, shown: str) -> None:
    assert prose(text) == shown


def test_inline_code_has_enough_backticks() -> None:
    assert code("a") == "`a`"
    assert code("a`b") == "``a`b``"
    assert code("`a```") == "```` `a``` ````"
    assert code("a | b\nc") == "`a \u00a6 b c`"
    assert code("") == "` `"


def test_a_link_needs_a_web_address() -> None:
    assert link("a", "https://github.com/a/b?c=d#e") == "[a](https://github.com/a/b?c=d#e)"
    assert link("a", "http://127.0.0.1:8080/a/b") == "[a](http://127.0.0.1:8080/a/b)"
    assert {link("a", url) for url in ("", "x", "javascript:x", "https://a b", "https://a/)", "https://a@b/")} == {"a"}


def test_a_template_sanitises_what_is_not_markdown() -> None:
    assert "*not*" in fill("progress", {"error": Markdown("*not*"), "outcome": "working"})
    assert r"\*not\*" in fill("progress", {"error": "*not*", "outcome": "working"})


# ---- cutting


def test_a_short_body_is_left_alone() -> None:
    assert cut("a\n```\nb", 100) == "a\n```\nb"


def test_a_long_body_is_cut_after_a_line_and_open_blocks_are_closed() -> None:
    body = "a\n<details>\n\n````python\n```\n" + "x = 1\n" * 100 + "````\n\n</details>"

    shown = cut(body, 150)

    assert shown.startswith("a\n<details>\n\n````python\n```\nx = 1\n")
    assert shown.endswith(f"x = 1\n````\n\n</details>\n\n{CUT}")
    assert 140 < len(shown) <= 150


@given(
    st.lists(
        st.sampled_from(
            ["a b\n", "```\n", "````py\n", "~~~\n", "\n<details>\n\n", "\n</details>\n\n", "\n", "- x\n", "x" * 30]
        ),
        max_size=60,
    ).map("".join),
    st.integers(60, 300),
)
def test_a_cut_body_fits_and_ends_with_the_note(body: str, limit: int) -> None:
    shown = cut(body, limit)

    assert len(shown) <= limit
    assert cut(shown, limit) == shown
    assert shown == cut(body, limit)
    if len(body) > limit:
        last = [block for block in GFM.parse(shown) if block.type in {"inline", "fence", "code_block"}][-1]
        assert last.content.endswith(CUT)
        assert last.type == "inline"


def test_rows_that_do_not_fit_are_counted() -> None:
    assert list(markdown.within(["aaaa", "bbbb", "cccc"], 10, "row")) == ["aaaa", "bbbb", "- and 1 more row"]
    assert list(markdown.within(["aaaa"] * 9, 10, "row", "| {} |")) == ["aaaa", "aaaa", "| 7 more rows |"]
    assert markdown.paths(["a", "b", "c"], 2) == "`a`, `b`, `c`"
    assert markdown.paths(["a", "b", "c", "d"], 2) == "`a`, `b` and 2 more"


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0.2, "0s"), (59.6, "1m 0s"), (192, "3m 12s"), (3900, "1h 5m"), (-1, "0s")]
)
def test_durations_are_readable(seconds: float, shown: str) -> None:
    assert markdown.span(seconds) == shown


@pytest.mark.parametrize(
    "text",
    [
        "@" * 50_000,
        "@a" * 50_000,
        "`" * 50_000,
        "www." * 25_000,
        "://." * 25_000,
        "$" * 50_000,
        "a./-" * 25_000,
        "_" * 50_000,
    ],
)
def test_a_large_text_is_fast(text: str) -> None:
    began = time.perf_counter()
    for render in (prose, line, code, fenced, title, cut):
        render(text)

    assert time.perf_counter() - began < 5
