"""JSON and YAML as values with lines."""

import pytest

from bot.planning.schema_files.json_nodes import read_document
from bot.planning.schema_files.source import SchemaError


def test_values_know_their_lines_and_what_is_missing_is_empty() -> None:
    root = read_document('{\n "a": {"b": [1, "x"]},\n "c": null\n}')

    assert (root["a"]["b"].line, root["c"].line) == (2, 3)
    assert [each.text for each in root["a"]["b"].each()] == ["1", "x"]
    assert not root["z"]["y"]
    assert root["c"].is_null
    assert "a" in root
    assert "z" not in root


def test_values_as_python() -> None:
    plain = read_document('a: [1, 1.5, true, "1", null, {b: x}]').plain()

    assert plain == {"a": [1, 1.5, True, "1", None, {"b": "x"}]}


def test_two_escapes_are_one_character() -> None:
    assert read_document('{"a": "\\ud83d\\udcda"}')["a"].text == "📚"


@pytest.mark.parametrize("text", ["[" * 60 + "]" * 60, "a: [1", "a: &x 1\nb: *x", '{"a": "\\ud83d"}'])
def test_what_is_no_plain_document_is_refused(text: str) -> None:
    with pytest.raises(SchemaError, match=r"line [12]: "):
        read_document(text)
