"""Every regular expression in ``bot``, and texts on which each could be slow.

The patterns are found in the source, so a new one can't be forgotten: each call of :mod:`re`, each pattern or path
specification that a module holds, and each use of one.  pydantic's ``pattern=`` is linear by construction and not here.
"""

import ast
import importlib
import pkgutil
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from random import Random
from types import ModuleType
from typing import Any, NamedTuple

from pathspec import GitIgnoreSpec

import bot

_parser: Any = importlib.import_module("re._parser")
_compiler: Any = importlib.import_module("re._compiler")

_METHODS = {
    **{name: name for name in ("match", "fullmatch", "search", "findall", "finditer", "split", "sub")},
    "subn": "sub",
}
_EACH = ("match", "fullmatch", "search")


class Use(NamedTuple):
    """A pattern, and the method that the code calls with a text from outside."""

    pattern: re.Pattern[str]
    method: str

    def __str__(self) -> str:
        return f"{self.method} {self.pattern.pattern[:60]!r}"

    def run(self, text: str) -> object:
        """Use the pattern on *text* as the code does, to the end of the result."""
        if self.method == "sub":
            return self.pattern.sub("", text)
        if self.method == "finditer":
            return sum(1 for _ in self.pattern.finditer(text))
        return getattr(self.pattern, self.method)(text)


def find_uses(built: Mapping[str, Iterable[str]]) -> list[Use]:
    """Return all uses of patterns in ``bot``.

    *built* has examples for the patterns that are built at run time: ``module.function`` → patterns.

    Raises:
        AssertionError: A pattern is built at run time and *built* has no example of it, or has one too many.
    """
    methods: defaultdict[re.Pattern[str], set[str]] = defaultdict(set)
    known = set[str]()
    for module, tree in _modules():
        for held in _held(module):
            methods[held] |= set()
        parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and isinstance(value := vars(module).get(node.id), re.Pattern):
                methods[value] |= _methods_of(node, parents)
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _is_of_re(node.func)):
                continue
            patterns: Iterable[str] | None = _value(node.args[0], module)
            if patterns is None:
                key = f"{module.__name__}.{getattr(_enclosing(node, parents), 'name', '')}"
                known.add(key)
                patterns = built.get(key, ())
            used = {_METHODS[node.func.attr]} if node.func.attr in _METHODS else _methods_of_local(node, parents)
            for source in patterns:
                methods[re.compile(source, _flags(node, module))] |= used
    assert known == set(built), f"patterns that are built at run time, and examples of them: {known ^ set(built)}"
    return [Use(pattern, method) for pattern, found in methods.items() for method in sorted(found or _EACH)]


def _held(module: ModuleType) -> Iterator[re.Pattern[str]]:
    for value in vars(module).values():
        if isinstance(value, re.Pattern):
            yield value
        elif isinstance(value, GitIgnoreSpec):
            yield from (each.regex for each in value.patterns if each.regex is not None)


def _is_of_re(function: ast.Attribute) -> bool:
    return ast.unparse(function.value) == "re" and function.attr in (*_METHODS, "compile")


def _modules() -> Iterator[tuple[ModuleType, ast.Module]]:
    for info in pkgutil.walk_packages(bot.__path__, "bot."):
        if info.name.startswith("bot.recipes") or info.name == "bot.__main__":
            continue
        module = importlib.import_module(info.name)
        assert module.__file__
        with open(module.__file__, encoding="utf-8") as file:  # noqa: PTH123
            yield module, ast.parse(file.read())


def _value(node: ast.expr, module: ModuleType) -> tuple[str, ...] | None:
    """Return the pattern in the source *node*; None if it is known only at run time."""
    try:
        value = eval(compile(ast.Expression(node), "<pattern>", "eval"), dict(vars(module)))  # noqa: S307  # our source
    except NameError:
        return None
    return (value,) if isinstance(value, str) else ()


def _flags(node: ast.Call, module: ModuleType) -> int:
    flags = [each.value for each in node.keywords if each.arg == "flags"]
    flags += [each for each in node.args[1:] if ast.unparse(each).startswith("re.")]
    return int(eval(ast.unparse(flags[0]), dict(vars(module)))) if flags else 0  # noqa: S307  # our source


def _methods_of(node: ast.expr, parents: Mapping[ast.AST, ast.AST]) -> set[str]:
    """Return the methods that the code calls of the pattern *node*; if it is passed on, those that are usual."""
    parent = parents[node]
    if isinstance(parent, ast.IfExp):  # (A if prose else B).search
        return _methods_of(parent, parents)
    if isinstance(parent, ast.Attribute):
        return {_METHODS[parent.attr]} if parent.attr in _METHODS else set()
    if isinstance(getattr(node, "ctx", None), ast.Store):
        return set()
    return {"match", "fullmatch"}


def _methods_of_local(node: ast.Call, parents: Mapping[ast.AST, ast.AST]) -> set[str]:
    """Return the methods called of a pattern that a function compiles and keeps in a variable."""
    assignment = parents[node]
    while not isinstance(assignment, ast.Assign | ast.Module):
        assignment = parents[assignment]
    function = _enclosing(assignment, parents)
    if isinstance(function, ast.Module) or not isinstance(assignment, ast.Assign):
        return set()  # a module's attribute: counted by its name
    names = {each.id for each in assignment.targets if isinstance(each, ast.Name)}
    uses = [each for each in ast.walk(function) if isinstance(each, ast.Name) and each.id in names]
    return set().union(*(_methods_of(each, parents) for each in uses))


def _enclosing(node: ast.AST, parents: Mapping[ast.AST, ast.AST]) -> ast.AST:
    """Return the function that *node* is in, or the module."""
    while not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Module):
        node = parents[node]
    return node


# Texts

_CHARACTERS = " \n\ta0A_.-#`'\"<>@/|()[]{}:,;*+=~$%&\\\u00e9\u200d"
BAD_UNITS = (
    *(" ", "\n", "\t", "<", "`", '"', "'", "#", "(", ")", "[", "{", ">", "-", ".", "a", "0", "@", "/", ":", "\\", ","),
    *(
        "On a ",
        "<!--",
        "```\n",
        "\n\n",
        " \n",
        "a ",
        "a.",
        "a@",
        "#a",
        "# ",
        "\\\n",
        '"\\',
        "\\'",
        "- ",
        ". ",
        "www.",
        "://",
    ),
)
"""What is slow often, whatever the pattern."""
_ENDS = ("", "\x00", "\n", "!a", "a", " ")
_ATOMS = ("LITERAL", "NOT_LITERAL", "IN", "ANY")
_MANY = 8
"""A repetition that can be longer than this counts as unlimited."""


def texts(pattern: re.Pattern[str], most: int) -> list[Callable[[int], str]]:
    """Return at most *most* builders of texts of about *n* characters that could be slow for *pattern*.

    They come from its syntax: what leads to a repetition, what is repeated, many times, and an end that does not match.
    """
    tree = _parser.parse(pattern.pattern, pattern.flags)
    alphabet = _alphabet(tree)
    first, near = dict[tuple[str, str, str], None](), dict[tuple[str, str, str], None]()
    for prefix, bodies, after in _repetitions(tree, "", alphabet):
        ends = (*_ENDS, after)
        first |= dict.fromkeys((prefix, body, end) for body in bodies for end in ends)
        near |= dict.fromkeys(
            ("", prefix + body * few, end) for body in ("", *bodies) for few in (1, 2) for end in ends
        )
        near |= dict.fromkeys((prefix, body + other, "\x00") for body in bodies for other in BAD_UNITS)
    far = dict.fromkeys(("", unit, end) for unit in (*BAD_UNITS, *alphabet) for end in _ENDS)
    order = Random(len(near))  # noqa: S311  # always the same
    chosen = [order.sample(list(each), min(len(each), most // 3)) for each in (first, near, far)]
    return [_builder(*shape) for shape in dict.fromkeys(chain(*chosen)) if shape[1]]


def _builder(prefix: str, unit: str, end: str) -> Callable[[int], str]:
    def build(n: int) -> str:
        return prefix + unit * max(1, n // len(unit)) + end

    build.__name__ = f"{prefix!r} + {unit!r} * n + {end!r}"
    return build


def _alphabet(tree: Any) -> str:  # noqa: ANN401  # re's own types
    found = dict.fromkeys(_CHARACTERS)
    for kind, value in _nodes(tree):
        if kind.name in {"LITERAL", "NOT_LITERAL"}:
            found[chr(value)] = None
        elif kind.name == "RANGE":
            found[chr(value[0])] = None
    atoms = [(kind, value) for kind, value in _nodes(tree) if kind.name in _ATOMS]
    kinds = dict[tuple[bool, ...], str]()
    for each in found:  # one of each kind that the pattern tells apart
        accepted = tuple(_accepts(node, tree.state, each) for node in atoms)
        kinds.setdefault((*accepted, each.isalnum() or each == "_", each.isspace(), each == "\n"), each)
    return "".join(kinds.values())


def _nodes(tree: Any) -> Iterator[tuple[Any, Any]]:  # noqa: ANN401
    if isinstance(tree, _parser.SubPattern):
        for each in tree.data:
            yield from _nodes(each)
    elif isinstance(tree, tuple) and tree and hasattr(tree[0], "name"):
        yield tree[0], tree[1]
        yield from _nodes(tree[1])
    elif isinstance(tree, tuple | list):
        for each in tree:
            yield from _nodes(each)


def _repetitions(tree: Any, prefix: str, alphabet: str) -> Iterator[tuple[str, list[str], str]]:  # noqa: ANN401
    """Yield for each repetition what leads to it, what it repeats, and a text that could follow."""
    nodes = list(tree.data)
    for place, (kind, value) in enumerate(nodes):
        inner = _inner(kind.name, value)
        if kind.name.endswith("REPEAT"):
            _, most, body = value
            if most > _MANY:
                after = _sample(nodes[place + 1 :], tree.state, alphabet, few=True)
                yield prefix, _bodies(body, alphabet), after[:-1]
        for each in inner:
            yield from _repetitions(each, prefix, alphabet)
        prefix += _sample([(kind, value)], tree.state, alphabet)


def _inner(name: str, value: Any) -> list[Any]:  # noqa: ANN401
    match name:
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            return [value[2]]
        case "SUBPATTERN":
            return [value[3]]
        case "BRANCH":
            return list(value[1])
        case "ATOMIC_GROUP":
            return [value]
        case "ASSERT" | "ASSERT_NOT":
            return [value[1]]
    return []


def _bodies(body: Any, alphabet: str) -> list[str]:  # noqa: ANN401
    if len(body.data) == 1 and body.data[0][0].name in {"IN", "ANY", "NOT_LITERAL"}:
        return [each for each in alphabet if _accepts(body.data[0], body.state, each)]
    whole = _sample(body.data, body.state, alphabet)
    branches = [
        _sample(each.data, each.state, alphabet) for node in body.data for each in _inner(node[0].name, node[1])
    ]
    return [each for each in dict.fromkeys([whole, *branches]) if each]


def _sample(nodes: Iterable[Any], state: Any, alphabet: str, *, few: bool = False) -> str:  # noqa: ANN401
    """Return a short text that *nodes* match, more or less."""
    text = ""
    for kind, value in nodes:
        match kind.name:
            case "LITERAL":
                text += chr(value)
            case "IN" | "ANY" | "NOT_LITERAL":
                text += next((each for each in alphabet if _accepts((kind, value), state, each)), "")
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                times = value[0] if few else max(1, value[0])
                text += _sample(value[2].data, state, alphabet) * times
            case "SUBPATTERN" | "ATOMIC_GROUP" | "BRANCH":
                inner = _inner(kind.name, value)
                text += _sample(inner[0].data, state, alphabet, few=few)
    return text


_COMPILED: dict[str, re.Pattern[str]] = {}


def _accepts(node: Any, state: Any, character: str) -> bool:  # noqa: ANN401
    """Whether the single *node* matches *character*."""
    key = f"{node} {state.flags}"
    if key not in _COMPILED:
        _COMPILED[key] = _compiler.compile(_parser.SubPattern(state, [node]), state.flags)
    return bool(_COMPILED[key].fullmatch(character))
