"""The tokens of DBML, Prisma and JDL."""

import pytest

from bot.planning.schema_files.schema_tokens import Cursor, Language, documentation, joined, split, tokenize, unescape
from bot.planning.schema_files.source import SchemaError

_ALL = Language(texts={'"': "string", "'": "string", "`": "expression"}, triple=True, regex_after=("pattern",))


def test_tokens_know_their_kinds_and_lines() -> None:
    tokens = tokenize("a 'b\\'c'\n`d` 1.5 /* x\n */ '''e\nf''' pattern(/g\\/h/)", _ALL)

    assert [(each.kind, each.text, each.line) for each in tokens] == [
        ("word", "a", 1),
        ("string", "b'c", 1),
        ("end", "\n", 1),
        ("expression", "d", 2),
        ("number", "1.5", 2),
        ("comment", "/* x\n */", 2),
        ("string", "e\nf", 3),
        ("word", "pattern", 4),
        ("symbol", "(", 4),
        ("regex", "g\\/h", 4),
        ("symbol", ")", 4),
        ("end", "", 4),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\n'a\n'", "line 2: the string that begins with"),
        ("/* a", "line 1: the comment that begins with /* is not closed"),
        ("'''a''", "line 1: the text that begins with ''' is not closed"),
        ("`a", "line 1: the expression that begins with '`a' is not closed"),
    ],
)
def test_what_is_not_closed_is_refused(text: str, message: str) -> None:
    with pytest.raises(SchemaError, match="is not closed") as caught:
        tokenize(text, _ALL)

    assert str(caught.value).startswith(message)


def test_a_line_is_skipped_with_its_blocks() -> None:
    cursor = Cursor(tokenize("a b\n{\n c { d }\n}\ne", Language()))

    assert cursor.skip_line() == "a b { c { d } }"
    cursor.skip_ends()
    assert cursor.take().text == "e"
    assert cursor.is_done


def test_parts_are_split_outside_brackets() -> None:
    tokens = tokenize("a(1, 2), b: [3, 4]", Language())[:-1]

    assert [joined(part) for part in split(tokens)] == ["a(1, 2)", "b: [3, 4]"]


def test_only_some_comments_document() -> None:
    tokens = tokenize("/// a\n// b\n/** c\n * d */ x", Language())

    assert documentation([each for each in tokens if each.kind == "comment"]) == "a c d"


def test_escapes() -> None:
    assert unescape(r"a\n\"\u00e9\\") == 'a\n"é\\'
