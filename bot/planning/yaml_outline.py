"""Parse YAML into nodes that know their line number.

Specs and plan files are untrusted, and error messages about them name lines.  ``safe_load`` has no line numbers,
expands aliases and recurses as deep as the input, so it can't be used here.  libyaml parses, because it is ten times as
fast as Python, and the number of values is limited, so that no text takes longer than about a second.
"""

from collections.abc import Iterator

import yaml

from bot.text import CONTROL, shown

MAX_CHARACTERS = 1 << 20
_MAX_DEPTH = 8
_MAX_VALUES = 50_000
_Loader = type[yaml.SafeLoader] | type[yaml.CSafeLoader]
_FAST: _Loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
_EXPLAINED = 8_000
"""Up to this many characters, PyYAML's own parser gives the message, which is better; it takes 0.3 s at most."""


class OutlineError(ValueError):
    """The text is not YAML of the simple kind accepted here; *line* is 1-based."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


def compose(text: str, *, max_depth: int = _MAX_DEPTH) -> yaml.Node:
    """Parse *text* as one YAML document without aliases, tags, nesting beyond *max_depth* or very many values.

    Raises:
        OutlineError: It is not such a document.
    """
    try:
        return _compose(text, _FAST, max_depth)
    except OutlineError as exc:
        if len(text) > _EXPLAINED:
            raise OutlineError(min(exc.line, text.count("\n") + 1), str(exc)) from exc.__cause__
    return _compose(text, yaml.SafeLoader, max_depth)


def _compose(text: str, loader: _Loader, max_depth: int) -> yaml.Node:
    try:
        _check_events(text, loader, max_depth)
        node = yaml.compose(text, Loader=loader)
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        if "nesting depth" in str(exc.problem):  # libyaml's own limit, which its lookahead can reach first
            raise OutlineError(mark.line + 1 if mark else 1, _too_deep(max_depth)) from exc
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


def _too_deep(max_depth: int) -> str:
    return f"nested too deeply; the limit is {max_depth} levels"


def _check_events(text: str, loader: _Loader, max_depth: int) -> None:
    depth = values = 0
    for event in yaml.parse(text, Loader=loader):
        line = _line(event)
        if getattr(event, "anchor", None) or getattr(event, "tag", None):  # aliases have an anchor, too
            raise OutlineError(line, "YAML anchors, aliases and tags are not allowed; write the value out")
        if isinstance(event, yaml.ScalarEvent) and (bad := CONTROL.search(event.value)):
            raise OutlineError(line, f"it holds the character U+{ord(bad[0]):04X}; remove it")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > max_depth:
            raise OutlineError(line, _too_deep(max_depth))
        values += isinstance(event, yaml.NodeEvent)
        if values > _MAX_VALUES:
            raise OutlineError(line, f"it has more than {_MAX_VALUES:,} keys and values; split the project")


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
