"""YAML as nodes with lines: anchors, tags, deep nesting and bad characters are refused."""

from collections.abc import Iterator

import pytest
import yaml
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
        ("", 1, "it is empty"),
        ("# only a note\n", 1, "it is empty"),
        ("a: 1\nb: [1\n", 3, "not valid YAML"),
        ("a: 1\n\tb: 2\n", 2, "not valid YAML"),
        ("a: 1\n---\nb: 2\n", 2, "not valid YAML"),
        ("a: 1\nb: &x 1\n", 2, "anchors, aliases and tags are not allowed"),
        ("a: *x\n", 1, "anchors, aliases and tags are not allowed"),
        ("a: !!python/object:os.system 1\n", 1, "anchors, aliases and tags are not allowed"),
        ('a: 1\nb: "\\u202e"\n', 2, "it holds the character U+202E; remove it"),
        ("a: 1\nb: " + "[" * 9, 2, "nested too deeply"),
        ('a: "\\UFFFFFFFF"\n', 1, "not valid YAML"),
    ],
)
def test_what_is_not_plain_yaml_is_refused_with_its_line(text: str, line: int, message: str) -> None:
    at, told = refused(text)

    assert message in told
    assert at == line


def test_the_line_of_an_error_in_a_long_text_is_one_of_its_lines() -> None:
    text = "a: 1\n" + "# a note\n" * 2_000 + "b: [1"

    assert refused(text) == (2_002, "not valid YAML: did not find expected ',' or ']'")


def test_as_many_values_as_the_limit_are_read_and_one_more_is_not() -> None:
    assert len(compose("[" + "a, " * 49_999 + "]").value) == 49_999
    assert refused("[" + "a, " * 49_999 + "\na]") == (2, "it has more than 50,000 keys and values; split the project")


_PIECES = st.sampled_from([
    *("a", "b c", "entities", ":", ": ", " ", "  ", "\n", "\n  ", "- ", "|\n", ">\n", "|-\n", "{", "}", "[", "]", ","),
    *('"', "'", "# c", "= 1", "-> X", "\u00e9", "\U0001f600", "\\n", "project: x\n", "  User:\n    name: string\n"),
])  # fmt: skip


@given(st.lists(_PIECES, max_size=14).map("".join))
def test_a_text_has_the_values_lines_and_places_that_pyyaml_gives_it(text: str) -> None:
    try:
        expected = yaml.compose(text, Loader=yaml.SafeLoader)
        found: yaml.Node | None = compose(text)
    except (yaml.YAMLError, OutlineError):
        return

    assert list(_places(found)) == list(_places(expected))


def _places(node: yaml.Node | None) -> Iterator[object]:
    assert node
    assert node.start_mark
    assert node.end_mark
    children = [each for pair in node.value for each in pair] if isinstance(node, yaml.MappingNode) else node.value
    if isinstance(node, yaml.ScalarNode):
        empty = node.start_mark.index == node.end_mark.index  # libyaml may count it to the next line
        yield node.value, node.start_mark.index, node.end_mark.index, None if empty else node.start_mark.line
        return
    yield type(node), node.start_mark.line, node.start_mark.index, node.end_mark.index
    for child in children:
        yield from _places(child)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a\n- b\n", "the plan must be a mapping"),
        ("[a]: 1\n", "the plan: a key must be plain text"),
        ("a: 1\na: 2\n", "the plan: 'a' appears twice; rename one or merge them"),
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


def test_another_depth_can_be_allowed() -> None:
    text = "[" * 12 + "]" * 12

    assert refused(text) == (1, "nested too deeply; the limit is 8 levels")
    assert line_of(compose(text, max_depth=12)) == 1
