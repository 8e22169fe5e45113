"""Syntax errors in languages that Phasebot has no parser for: by a grammar of tree-sitter.

The text is untrusted, and the parsers are C: they run in the bounded worker.
"""

from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING

from bot.text import one_line, shown

if TYPE_CHECKING:
    from tree_sitter import Node

NEEDS = "pip install 'phasebot[languages]'"
_MAX_ERRORS, _QUOTED, _MAX_MESSAGE = 3, 40, 200
_PACK = "tree_sitter_language_pack"


def is_installed() -> bool:
    """Whether the grammars are; nothing is loaded."""
    return find_spec("tree_sitter") is not None and find_spec(_PACK) is not None


def find_errors(language: str, text: str) -> list[tuple[int, str]] | None:
    """Return the first syntax errors of *text* as line and message; None if *language* has no grammar here."""
    try:
        from tree_sitter_language_pack import get_parser

        parser = get_parser(language)  # type: ignore[arg-type]  # one that it does not know is a LookupError
    except (ImportError, LookupError):
        return None
    lines = text.split("\n")
    last = len(lines) - (len(lines) > 1 and not lines[-1])
    found: dict[int, str] = {}
    for node in _wrong(parser.parse(text.encode("utf-8", "surrogatepass")).root_node):
        number = min(node.start_point[0] + 1, last)
        what = f"{shown(node.type)} is missing" if node.is_missing else f"near {shown(_quoted(lines[number - 1]))}"
        found.setdefault(number, one_line(f"it does not parse as {language}: {what}", _MAX_MESSAGE))
        if len(found) == _MAX_ERRORS:
            break
    return [*found.items()]


def _quoted(line: str) -> str:
    return line.strip()[:_QUOTED]


def _wrong(root: "Node") -> Iterator["Node"]:
    """Yield what is missing or can't be parsed, in the order of the text; nothing inside of another one."""
    waiting = [root] if root.has_error else []
    while waiting:
        node = waiting.pop()
        if node.is_error or node.is_missing:
            yield node
        else:
            waiting += [each for each in reversed(node.children) if each.has_error]
