"""YAML as nodes that remember their line.

Specs and plan files are hostile and their errors name lines, so neither ``safe_load`` (no lines, aliases
that multiply, recursion as deep as the input) nor pydantic's locations serve.
"""

from collections.abc import Iterator

import yaml

from bot.text import CONTROL, shown

MAX_CHARACTERS = 1 << 20
_MAX_DEPTH = 8


class OutlineError(ValueError):
    """The text is no YAML of the simple kind read here; *line* is 1-based."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


def compose(text: str) -> yaml.Node:
    """Parse *text* as one YAML document without aliases, tags or deep nesting.

    Raises:
        OutlineError: It is none.
    """
    try:
        _check_events(text)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        raise OutlineError(mark.line + 1 if mark else 1, f"not valid YAML: {exc.problem or exc.context}") from exc
    except yaml.YAMLError as exc:
        raise OutlineError(1, f"not valid YAML: {' '.join(str(exc).split())}") from exc
    except OutlineError:
        raise
    except (ValueError, OverflowError) as exc:  # a "\\U…" escape beyond Unicode
        raise OutlineError(1, f"not valid YAML: {exc}") from exc
    if node is None:
        raise OutlineError(1, "there is nothing in it")
    return node


def _check_events(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = _line(event)
        if getattr(event, "anchor", None) or getattr(event, "tag", None):  # an alias has its anchor's name
            raise OutlineError(line, "YAML anchors, aliases and tags are not used here; write the value out")
        if isinstance(event, yaml.ScalarEvent) and (bad := CONTROL.search(event.value)):
            raise OutlineError(line, f"it holds the character U+{ord(bad[0]):04X}; remove it")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_DEPTH:
            raise OutlineError(line, "nested too deeply")


def _line(place: yaml.Node | yaml.Event) -> int:
    return place.start_mark.line + 1 if place.start_mark else 1


def line_of(node: yaml.Node) -> int:
    """Return the 1-based line a *node* starts at."""
    return _line(node)


def items(node: yaml.Node, what: str) -> Iterator[tuple[str, yaml.Node, int]]:
    """Yield the mapping's ``(key, value, line)`` in order.

    Raises:
        OutlineError: *node* is no mapping of plain keys, or a key is given twice.
    """
    if not isinstance(node, yaml.MappingNode):
        raise OutlineError(line_of(node), f"{what} must be a mapping ('key: value' lines)")
    seen: set[str] = set()
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise OutlineError(line_of(key), f"{what}: a key must be plain text")
        if key.value in seen:
            raise OutlineError(line_of(key), f"{what}: {shown(key.value)} is given twice; rename or merge one")
        seen.add(key.value)
        yield key.value, value, line_of(key)


def scalar(node: yaml.Node, what: str) -> str:
    """Return the text of a scalar *node*; YAML's own types (``yes``, ``1.0``, null) are not applied.

    Raises:
        OutlineError: *node* is a list or a mapping.
    """
    if not isinstance(node, yaml.ScalarNode):
        raise OutlineError(line_of(node), f"{what} must be text on one line")
    return str(node.value)
