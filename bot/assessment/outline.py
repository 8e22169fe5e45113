"""What a Python file imports, defines and uses, as far as checks across files need it.

An outline is JSON: it is made in the bounded worker, because the text is untrusted.
"""

import ast
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from bot.sandbox.protocol import Failure, Run

_TEXT = 200
"""Longer texts than this are no names."""
_METHODS = frozenset(("get", "post", "put", "patch", "delete", "head", "options"))
_Function = ast.FunctionDef | ast.AsyncFunctionDef


class Import(NamedTuple):
    """``import module`` or, with a name, ``from module import name``."""

    line: int
    module: str
    """With leading dots where it is relative."""
    name: str | None
    bound: str
    """The name that it has in this file."""
    is_early: bool
    """Whether it is executed as soon as the file is imported."""


class Use(NamedTuple):
    """``bound.name``, of something that the file imports."""

    line: int
    bound: str
    name: str


class Route(NamedTuple):
    """An endpoint: ``@router.get("/feed")``."""

    line: int
    method: str
    path: str


class MarkedFunction(NamedTuple):
    """A test, with the texts of its markers: ``@pytest.mark.rule("…")``."""

    line: int
    name: str
    marks: Sequence[tuple[str, str]]


class Class(NamedTuple):
    """A class: what it is derived from, and what it defines itself."""

    line: int
    bases: Sequence[str]
    names: Sequence[str]


class Outline(NamedTuple):
    """One Python file."""

    names: Mapping[str, int]
    """What other files can import from it → line."""
    is_open: bool
    """Whether it has names that can't be seen: of ``from x import *``, or made when they are asked for."""
    imports: Sequence[Import]
    uses: Sequence[Use]
    words: frozenset[str]
    """All names in it, and its short texts."""
    classes: Mapping[str, Class]
    texts_of: Mapping[str, Sequence[str]]
    """What a class assigns, such as ``Post.author_id`` → the texts in that statement."""
    routers: Mapping[str, int]
    """Names of routers → line."""
    routes: Sequence[Route]
    tests: Sequence[MarkedFunction]
    is_script: bool
    """Whether somebody may run it: ``if __name__ == "__main__"``."""

    @classmethod
    def read(cls, content: Mapping[str, Any]) -> "Outline":
        """Read what :func:`outline_file` returned."""
        rest = {name: content[name] for name in ("names", "is_open", "texts_of", "routers", "is_script")}
        return cls(
            imports=[Import(*each) for each in content["imports"]],
            uses=[Use(*each) for each in content["uses"]],
            words=frozenset(content["words"]),
            routes=[Route(*each) for each in content["routes"]],
            classes={name: Class(*each) for name, each in content["classes"].items()},
            tests=[
                MarkedFunction(line, name, [(mark, text) for mark, text in marks])
                for line, name, marks in content["tests"]
            ],
            **rest,
        )


def read_outlines(run: Run, texts: Mapping[str, str]) -> dict[str, Outline]:
    """Return the outlines of those Python files, path → text, that parse; the bounded worker, *run*, parses them."""
    found = zip(texts, run("outline", None, [*texts.values()]), strict=True) if texts else ()
    return {path: Outline.read(each) for path, each in found if each and not isinstance(each, Failure)}


def outline_file(text: str) -> dict[str, Any] | None:
    """Return the outline of a Python file as JSON; None if it does not parse."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    imports = sorted(_imports(tree), key=lambda each: each.line)
    bound = {each.bound for each in imports}
    nodes = list(ast.walk(tree))
    classes = [each for each in tree.body if isinstance(each, ast.ClassDef)]
    return {
        "names": dict(_names(tree.body)),
        "is_open": any(each.name == "*" for each in imports) or "__getattr__" in dict(_names(tree.body)),
        "imports": imports,
        "uses": [
            (node.lineno, node.value.id, node.attr)
            for node in nodes
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in bound
        ],
        "words": sorted({word for node in nodes for word in _words(node)}),
        "classes": {
            each.name: (each.lineno, [_last_name(base) for base in each.bases], [name for name, _ in _names(each.body)])
            for each in classes
        },
        "texts_of": {
            f"{each.name}.{name}": sorted(_texts(statement))
            for each in classes
            for name, statement in _assignments(each.body)
        },
        "routers": {name: each.lineno for name, each in _assignments(tree.body) if _makes_router(each)},
        "routes": [route for node in nodes if isinstance(node, _Function) for route in _routes(node)],
        "tests": [_test(node) for node in nodes if isinstance(node, _Function) and node.name.startswith("test")],
        "is_script": any(isinstance(each, ast.If) and "__name__" in _all_words(each.test) for each in tree.body),
    }


def _imports(tree: ast.Module) -> Iterator[Import]:
    """Yield the imports; those inside functions and for type checkers are not early."""
    waiting: list[tuple[ast.AST, bool]] = [(tree, True)]
    while waiting:
        node, is_early = waiting.pop()
        match node:
            case ast.Import():
                for each in node.names:
                    yield Import(node.lineno, each.name, None, each.asname or each.name.partition(".")[0], is_early)
            case ast.ImportFrom():
                module = "." * node.level + (node.module or "")
                for each in node.names:
                    yield Import(node.lineno, module, each.name, each.asname or each.name, is_early)
            case ast.If(test=test, body=body, orelse=orelse) if "TYPE_CHECKING" in _all_words(test):
                waiting += [(each, False) for each in body]
                waiting += [(each, is_early) for each in orelse]
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                waiting += [(each, False) for each in ast.iter_child_nodes(node)]
            case _:
                waiting += [(each, is_early) for each in ast.iter_child_nodes(node)]


def _names(body: Sequence[ast.stmt]) -> Iterator[tuple[str, int]]:
    """Yield what *body* defines, whichever way an ``if`` or a ``try`` goes."""
    for each in body:
        match each:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield each.name, each.lineno
            case ast.Import() | ast.ImportFrom():
                yield from ((name.asname or name.name.partition(".")[0], each.lineno) for name in each.names)
            case ast.Assign() | ast.AnnAssign() | ast.AugAssign():
                yield from ((name, each.lineno) for name in _targets(each))
            case _ if isinstance(alias := getattr(each, "name", None), ast.Name):  # `type Name = …`
                yield alias.id, each.lineno
            case _:
                for block in ("body", "orelse", "finalbody"):
                    yield from _names(getattr(each, block, []))
                for handler in getattr(each, "handlers", []):
                    yield from _names(handler.body)


def _targets(statement: ast.Assign | ast.AnnAssign | ast.AugAssign) -> Iterator[str]:
    for target in statement.targets if isinstance(statement, ast.Assign) else [statement.target]:
        yield from (node.id for node in ast.walk(target) if isinstance(node, ast.Name))


def _assignments(body: Sequence[ast.stmt]) -> Iterator[tuple[str, ast.stmt]]:
    for each in body:
        if isinstance(each, ast.Assign | ast.AnnAssign):
            yield from ((name, each) for name in _targets(each))


def _last_name(node: ast.expr) -> str:
    """Return the name of a base class, without its module and its parameters."""
    while isinstance(node, ast.Subscript):
        node = node.value
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _texts(node: ast.AST) -> set[str]:
    found = {each.value for each in ast.walk(node) if isinstance(each, ast.Constant) and isinstance(each.value, str)}
    return {text for text in found if len(text) <= _TEXT}


def _makes_router(statement: ast.stmt) -> bool:
    value = getattr(statement, "value", None)
    return isinstance(value, ast.Call) and "APIRouter" in _all_words(value.func)


def _words(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name(id=word) | ast.Attribute(attr=word) | ast.arg(arg=word) | ast.keyword(arg=str(word)):
            yield word
        case ast.Constant(value=str(word)) if len(word) <= _TEXT:
            yield word


def _all_words(node: ast.AST) -> set[str]:
    return {word for each in ast.walk(node) for word in _words(each)}


def _routes(function: _Function) -> Iterator[Route]:
    for each in function.decorator_list:
        match each:
            case ast.Call(func=ast.Attribute(attr=method), args=[ast.Constant(value=str(path)), *_]) if (
                method in _METHODS
            ):
                yield Route(function.lineno, method.upper(), path)


def _test(function: _Function) -> MarkedFunction:
    marks = []
    for each in function.decorator_list:
        match each:
            case ast.Call(func=ast.Attribute(attr=mark), args=arguments):
                marks += [(mark, text) for value in arguments if (text := _text(value)) is not None]
    return MarkedFunction(function.lineno, function.name, marks)


def _text(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
