"""The languages that recipes can name, and which of them a file is in."""

import pytest
from tree_sitter_language_pack import get_parser

from bot.planning.languages import ENDINGS, GRAMMARS, LANGUAGES, language_of


@pytest.mark.parametrize("language", sorted(GRAMMARS))
def test_there_is_a_grammar_for_each(language: str) -> None:
    assert get_parser(language).parse(b"").root_node is not None  # type: ignore[arg-type]


def test_each_is_there_once() -> None:
    assert len(LANGUAGES) == len(set(LANGUAGES)) == len(GRAMMARS | ENDINGS.keys())


@pytest.mark.parametrize(
    ("path", "language"),
    [
        ("web/app.js", "javascript"),
        ("web/deep/app.js", "javascript"),
        ("web/app.jsx", None),
        ("style.css", "css"),
        ("web/style.css", None),
        ("a.min.js", "javascript"),
        ("Makefile", "make"),
    ],
)
def test_the_first_pattern_that_matches_says_it(path: str, language: str | None) -> None:
    patterns = {"*.js": "javascript", "*.min.js": "json", "style.css": "css", "[Mm]akefile": "make"}

    assert language_of(path, patterns) == language
