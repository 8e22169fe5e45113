"""YAML as nodes with lines: anchors, tags, deep nesting and bad characters are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.planning.yaml_outline import OutlineError, compose, items, line_of, scalar


def refused(text: str) -> tuple[int, str]:
    """Return line and message with which *text* is refused."""
    with pytest.raises(OutlineError) as caught:
        compose(text)
    return caught.value.line, str(caught.value)


def test_keys_come_in_order_with_their_lines() -> None:
    found = list(items(compose("b: 1\n\n# a note\na:\n  c: x\n"), "the plan"))

    assert [(key, line) for key, _, line in found] == [("b", 1), ("a", 4)]
    assert [line_of(node) for _, node, _ in found] == [1, 5]


@pytest.mark.parametrize("text", ["yes", "1.0", "null", "~", "2026-01-31", "0x10", "NaN"])
def test_a_scalar_is_the_text_that_stands_there(text: str) -> None:
    ((_, node, _),) = items(compose(f"a: {text}"), "the plan")

    assert scalar(node, "a") == text


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, "there is nothing in it"),
        ("# only a note\n", 1, "there is nothing in it"),
        ("a: 1\nb: [1\n", 3, "not valid YAML"),
        ("a: 1\n\tb: 2\n", 2, "not valid YAML"),
        ("a: 1\n---\nb: 2\n", 2, "not valid YAML"),
        ("a: 1\nb: &x 1\n", 2, "anchors, aliases and tags are not used here"),
        ("a: *x\n", 1, "anchors, aliases and tags are not used here"),
        ("a: !!python/object:os.system 1\n", 1, "anchors, aliases and tags are not used here"),
        ('a: 1\nb: "\\u202e"\n', 2, "it holds the character U+202E; remove it"),
        ("a: 1\nb: " + "[" * 9, 2, "nested too deeply"),
        ('a: "\\UFFFFFFFF"\n', 1, "not valid YAML"),
    ],
)
def test_what_is_not_plain_yaml_is_refused_with_its_line(text: str, line: int, message: str) -> None:
    at, told = refused(text)

    assert message in told
    assert at == line


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a\n- b\n", "the plan must be a mapping"),
        ("[a]: 1\n", "the plan: a key must be plain text"),
        ("a: 1\na: 2\n", "the plan: 'a' is given twice; rename or merge one"),
    ],
)
def test_only_a_mapping_of_different_plain_keys_has_items(text: str, message: str) -> None:
    with pytest.raises(OutlineError, match=message):
        list(items(compose(text), "the plan"))


@pytest.mark.parametrize("text", ["[a]", "{a: b}"])
def test_a_list_or_a_mapping_is_no_scalar(text: str) -> None:
    with pytest.raises(OutlineError, match="the name must be text on one line"):
        scalar(compose(text), "the name")


@given(st.text() | st.lists(st.sampled_from("a:-[]{}&*!|>'\"#%@ \n\t")).map("".join))
def test_any_text_is_composed_or_refused_on_one_of_its_lines(text: str) -> None:
    try:
        compose(text)
    except OutlineError as exc:
        assert 1 <= exc.line <= len(text.splitlines()) + 2  # noqa: PT017  # some texts are YAML
