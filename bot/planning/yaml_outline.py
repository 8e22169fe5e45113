"""Parse YAML into nodes that know their line number.

Specs and plan files are untrusted, and error messages about them name lines.  ``safe_load`` has no line numbers,
expands aliases and recurses as deep as the input, so it can't be used here.
"""

from collections.abc import Iterator

import yaml

from bot.text import CONTROL, shown

MAX_CHARACTERS = 1 << 20
_MAX_DEPTH = 8


class OutlineError(ValueError):
    """The text is not YAML of the simple kind accepted here; *line* is 1-based."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


def compose(text: str) -> yaml.Node:
    """Parse *text* as one YAML document without aliases, tags or deep nesting.

    Raises:
        OutlineError: It is not such a document.
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
        raise OutlineError(1, "it is empty")
    return node


def _check_events(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = _line(event)
        if getattr(event, "anchor", None) or getattr(event, "tag", None):  # aliases have an anchor, too
            raise OutlineError(line, "YAML anchors, aliases and tags are not allowed; write the value out")
        if isinstance(event, yaml.ScalarEvent) and (bad := CONTROL.search(event.value)):
            raise OutlineError(line, f"it holds the character U+{ord(bad[0]):04X}; remove it")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_DEPTH:
            raise OutlineError(line, f"nested too deeply; the limit is {_MAX_DEPTH} levels")


def _line(place: yaml.Node | yaml.Event) -> int:
    return place.start_mark.line + 1 if place.start_mark else 1


def line_of(node: yaml.Node) -> int:
    """Return the 1-based line on which *node* starts."""
    return _line(node)


def items(node: yaml.Node, what: str) -> Iterator[tuple[str, yaml.Node, int]]:
    """Yield ``(key, value, line)`` for each entry of a mapping, in order.

    Raises:
        OutlineError: *node* is not a mapping, or has a key that is not plain text or appears twice.
    """
    if not isinstance(node, yaml.MappingNode):
        raise OutlineError(line_of(node), f"{what} must be a mapping ('key: value' lines)")
    seen: set[str] = set()
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise OutlineError(line_of(key), f"{what}: a key must be plain text")
        if key.value in seen:
            raise OutlineError(line_of(key), f"{what}: {shown(key.value)} appears twice; rename one or merge them")
        seen.add(key.value)
        yield key.value, value, line_of(key)


def scalar(node: yaml.Node, what: str) -> str:
    """Return the text of a scalar *node*; it is not converted to YAML's types (``yes``, ``1.0``, null).

    Raises:
        OutlineError: *node* is a list or a mapping.
    """
    if not isinstance(node, yaml.ScalarNode):
        raise OutlineError(line_of(node), f"{what} must be text on one line")
    return str(node.value)
