"""Shows the files of a run as a tree in Markdown: with links while there is room, else as plain text.  Pure."""

from collections.abc import Callable, Iterator, Sequence

from bot.forge.markdown import code, fenced, link, within
from bot.text import one_line

_ROOM = 10_000
"""Characters, so that the tree crowds nothing else out."""
_MAX_NAME, _MAX_DEPTH, _MAX_FOLDERS = 100, 6, 20

_Folder = dict[str, "_Folder | str"]
"""Name → a folder, or the path of a file."""


def file_tree(paths: Sequence[str], url: Callable[[str], str]) -> str:
    """Return *paths* as nested lists whose files link to their *url*; as a block of text if that would be too long."""
    tree = _tree(paths)
    linked = "\n".join(_items(tree, url))
    return linked if len(linked) <= _ROOM else fenced("\n".join(within(_lines(tree), _ROOM, "line", "… and {}")))


def _tree(paths: Sequence[str]) -> _Folder:
    root: _Folder = {}
    for path in sorted(paths):
        *folders, name = path.split("/", _MAX_FOLDERS)
        inner = root
        for each in folders:
            found = inner.setdefault(f"{each}/", {})
            assert isinstance(found, dict), "the names of folders end with a slash"  # noqa: S101
            inner = found
        inner[name] = path
    return root


def _sorted(tree: _Folder) -> Iterator[tuple[str, "_Folder | str"]]:
    """Yield folders before files; a folder that holds only one other folder is one with it."""
    for name, inner in sorted(tree.items(), key=lambda item: (isinstance(item[1], str), item[0])):
        yield _joined(name, inner)


def _joined(name: str, inner: "_Folder | str") -> tuple[str, "_Folder | str"]:
    """Join a folder with its only folder."""
    while isinstance(inner, dict) and len(inner) == 1:
        [(below, deeper)] = inner.items()
        if isinstance(deeper, str):
            break
        name, inner = name + below, deeper
    return name, inner


def _items(tree: _Folder, url: Callable[[str], str], depth: int = 0) -> Iterator[str]:
    indent = "  " * min(depth, _MAX_DEPTH)
    for name, inner in _sorted(tree):
        shown = code(one_line(name, _MAX_NAME))
        if isinstance(inner, str):
            yield f"{indent}- {link(shown, url(inner))}"
        else:
            yield f"{indent}- {shown}"
            yield from _items(inner, url, depth + 1)


def _lines(tree: _Folder, depth: int = 0) -> Iterator[str]:
    for name, inner in _sorted(tree):
        yield "  " * depth + one_line(name, _MAX_NAME)
        if isinstance(inner, dict):
            yield from _lines(inner, depth + 1)
