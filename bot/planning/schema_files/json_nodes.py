"""JSON and YAML as values that know their lines, for OpenAPI and JSON Schema."""

import re
from collections.abc import Iterator

import yaml

from bot.planning.schema_files.source import SchemaError
from bot.planning.yaml_outline import OutlineError, compose, line_of

MAX_DEPTH = 40
_PAIR = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_NULL = ("null", "~", "", "Null", "NULL")


def read_document(text: str) -> "Value":
    r"""Return the document *text*, JSON or YAML.

    Raises:
        SchemaError: It is neither, or too large.
    """
    # JSON writes an emoji as two escapes, which YAML does not join.
    text = _PAIR.sub(
        lambda match: match[0].encode().decode("unicode-escape").encode("utf-16", "surrogatepass").decode("utf-16"),
        text,
    )
    try:
        return Value(compose(text, max_depth=MAX_DEPTH))
    except OutlineError as exc:
        raise SchemaError([(exc.line, str(exc))]) from exc


class Value:
    """A value of the document; what is not there is falsy and empty, so that paths need no checks."""

    def __init__(self, node: yaml.Node | None, line: int = 0) -> None:
        self._node = node
        self.line = line or (line_of(node) if node else 0)

    def __bool__(self) -> bool:
        return self._node is not None

    def __getitem__(self, key: str) -> "Value":
        """Return what a mapping has for *key*; the last one, as JSON does."""
        return next((value for name, value in reversed(list(self.items())) if name == key), Value(None))

    def __contains__(self, key: str) -> bool:
        return any(name == key for name, _ in self.items())

    def items(self) -> Iterator[tuple[str, "Value"]]:
        """Yield the entries of a mapping, with the lines of their keys."""
        if isinstance(self._node, yaml.MappingNode):
            for key, value in self._node.value:
                if isinstance(key, yaml.ScalarNode):
                    yield key.value, Value(value, line_of(key))

    def each(self) -> Iterator["Value"]:
        """Yield the elements of a list."""
        if isinstance(self._node, yaml.SequenceNode):
            yield from map(Value, self._node.value)

    @property
    def is_mapping(self) -> bool:
        return isinstance(self._node, yaml.MappingNode)

    @property
    def is_list(self) -> bool:
        return isinstance(self._node, yaml.SequenceNode)

    @property
    def text(self) -> str:
        """The text of a scalar, as written."""
        return str(self._node.value) if isinstance(self._node, yaml.ScalarNode) else ""

    @property
    def is_null(self) -> bool:
        return isinstance(self._node, yaml.ScalarNode) and not self._node.style and self._node.value in _NULL

    @property
    def is_true(self) -> bool:
        return self.text.lower() == "true"

    def plain(self) -> object:
        """Return the value as Python's; numbers and texts as YAML reads them."""
        if self.is_mapping:
            return {name: value.plain() for name, value in self.items()}
        if self.is_list:
            return [value.plain() for value in self.each()]
        if not isinstance(self._node, yaml.ScalarNode) or self.is_null:
            return None
        if self._node.style in {'"', "'", "|", ">"}:
            return self.text
        return _PLAIN.get(self.text.lower(), _number(self.text))


_PLAIN: dict[str, object] = {"true": True, "false": False}


def _number(text: str) -> object:
    if re.fullmatch(r"[+-]?\d{1,100}", text):
        return int(text)
    return float(text) if re.fullmatch(r"[+-]?\d{1,100}\.\d{1,100}", text) else text
