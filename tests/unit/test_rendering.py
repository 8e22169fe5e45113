"""The filters that put text of a plan into code: no text breaks out of its quotes."""

import ast
import datetime as dt
import string
import tomllib
import uuid
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.generation.rendering import docstring, markdown, python_literal, toml_string

_HOSTILE = st.text(
    st.sampled_from("\"'\\{}%\n\r\t#N\0\x7f\u2028\u202e\u00a0\ue000") | st.characters(exclude_categories=[])
)
_QUOTES = [
    '"""',
    "'''",
    '\\"""',
    "\\",
    '"\\',
    "\\N{BULLET}",
    "\\u0041",
    "{{ 1 }}",
    "${x}",
    "%(x)s",
    "\r\n",
    "a\u2028b",
    "\ud800",
    "\U0001f600",
    "\U000e0001",
]


@given(_HOSTILE)
def test_a_text_is_the_same_text_as_python_source(text: str) -> None:
    source = python_literal(text)

    assert ast.literal_eval(source) == text
    assert source.isprintable()


@pytest.mark.parametrize("text", _QUOTES)
def test_hostile_quotes_stay_inside_a_python_text(text: str) -> None:
    assert ast.literal_eval(python_literal(text)) == text


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _HOSTILE,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_HOSTILE, inner, max_size=3),
        max_leaves=8,
    )
)
def test_a_json_value_is_the_same_value_as_python_source(value: object) -> None:
    assert ast.literal_eval(python_literal(value)) == value


@pytest.mark.parametrize(
    ("value", "source"),
    [
        (None, "None"),
        (True, "True"),
        (-1, "-1"),
        (0.5, "0.5"),
        (Decimal("9.90"), 'Decimal("9.90")'),
        (dt.date(2026, 1, 31), "dt.date(2026, 1, 31)"),
        (
            dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC),
            'dt.datetime.fromisoformat("2026-01-31T12:00:00+00:00")',
        ),
        (uuid.UUID(int=1), 'uuid.UUID("00000000-0000-0000-0000-000000000001")'),
        (("a", 1), '["a", 1]'),
        ({"a": [None]}, '{"a": [None]}'),
    ],
)
def test_a_value_of_each_type_is_written_as_python(value: object, source: str) -> None:
    assert python_literal(value) == source


@given(_HOSTILE)
@example('"""')
@example("ends in a backslash\\")
@example('ends in a quote"')
def test_a_docstring_compiles_and_stays_one_line(text: str) -> None:
    quoted = docstring(text.replace("\0", "").encode("utf-8", "ignore").decode())

    tree = ast.parse(f'"""{quoted}"""\n')
    assert len(quoted.splitlines()) <= 1
    assert len(tree.body) == 1
    assert isinstance(tree.body[0], ast.Expr)
    assert isinstance(tree.body[0].value, ast.Constant)
    assert tree.body[0].value.value == quoted.replace("\\\\", "\\")


def test_a_docstring_keeps_the_words() -> None:
    assert docstring(' A "small"\n  blog\\ ') == "A 'small' blog\\\\"


@given(st.text(st.characters(exclude_categories=["Cs"])))
@example('\x7f\x00\u2028\U000e0001"""\\')
def test_a_text_is_the_same_text_as_toml(text: str) -> None:
    assert tomllib.loads(f"a = {toml_string(text)}\n") == {"a": text}


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("plain text, 1.0!", "plain text, 1.0\\!"),
        ("<script>", "\\<script\\>"),
        ("![x](http://e)", "\\!\\[x\\](http://e)"),
        ("`code`", "\\`code\\`"),
        ("# *a* _b_ | c", "\\# \\*a\\* \\_b\\_ \\| c"),
        ("\\<b>", "\\\\\\<b\\>"),
    ],
)
def test_markdown_starts_no_html_link_image_or_heading(text: str, quoted: str) -> None:
    assert markdown(text) == quoted


@given(st.text(string.printable.translate(dict.fromkeys(map(ord, "\r\v\f")))))
def test_markdown_escapes_lose_nothing(text: str) -> None:
    quoted = markdown(text)

    assert "".join(quoted[n] for n in _kept(quoted)) == text


def _kept(quoted: str) -> list[int]:
    """Return the places that are no escaping backslash."""
    places, place = [], 0
    while place < len(quoted):
        place += quoted[place] == "\\"
        places.append(place)
        place += 1
    return places
