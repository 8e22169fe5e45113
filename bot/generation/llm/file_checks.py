"""Check that a file written by a model can be committed: it parses, is complete and has no placeholders.

The text is untrusted: it may try to disguise its content or to exhaust a parser's memory.  It is parsed only after
checks that make this safe, and never executed.  Error messages quote it escaped and shortened.
"""

import ast
import io
import json
import re
import tokenize
import tomllib
import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress

import yaml

from bot.history.reasons import Reason
from bot.secret_scan import find_secret
from bot.text import find_hidden, is_prose_file, one_line, shown

_MAX_REASON = 200
_MAX_BYTES = 1_000_000
_MAX_SLOW_BYTES = 100_000  # for formats with a slow parser, which takes seconds for this many
_MAY_BE_EMPTY = ("__init__.py", "py.typed", ".gitkeep")
_MARKDOWN = (".md", ".markdown")
_YAML = (".yaml", ".yml")
_WITHOUT_COMMENTS = (".csv", ".json", ".rst", ".txt")
_REQUIREMENTS = re.compile(r"(?>.*?requirements).*\.txt|constraints.*\.txt")
_INCLUDE = re.compile(r"(?:-[rc]\s*|--(?:requirement|constraint)[\s=]\s*)\w[\w.-]*", re.ASCII)
_OPTION = re.compile(r"(?<!\S)--?[A-Za-z][\w-]*|\\", re.ASCII)
_ENCODING = re.compile(r"[ \t]*#.*?coding[:=][ \t]*([-\w.]+)", re.ASCII)
_FENCE = re.compile(r"(`{3,}+|~{3,}+)[ \t]*+([^`]*+)")
_LONG_KEY = re.compile(r"""(?:\.[ \t]*+(?:[\w-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')[ \t]*+){20}""")
_QUOTED_OR_COMMENT = re.compile(
    r"""(?<!\w)"(?:[^"\\]|\\.?)*+(?:"|$) | (?<!\w)'(?:[^'\\]|\\.?)*+(?:'|$) | ((?:(?<!\S)\#|(?<!:)//).*)""", re.VERBOSE
)
_FILLER = re.compile(r"^\s*(?:\.\.\.|…)\s*$|lorem ipsum", re.IGNORECASE)
_OMITTED_CODE = (
    r"(?:rest of (?:the|this|your)|remaining|existing) (?:\w+ )?(?:code|logic|file|module|class|classes"
    r"|(?:function|method|implementation|route|router|endpoint|handler|model|schema|import|test)s?)\b"
)
_IS_UNCHANGED = r"(?:(?:(?:is|are|would be) )?(?:the same|here|omitted|similar|unchanged)|goes?|stays?|remains?)\b"
_PLACEHOLDER = re.compile(
    r"(?-i:\b(?:TODO|FIXME|XXX)\b)|^(?:\. ?){2,}$|^…$"
    r"|\byour (?:\w+ )?code (?:goes )?here\b|\b(?:code|implementation|logic) goes here\b"
    r"|^\W*implement this(?: [\w()]++){0,3}\W*$|\b(?:to|must|please|should) implement this\b"
    rf"|^\W*(?:and )?(?:the )?{_OMITTED_CODE}\W*$|\b{_OMITTED_CODE}\W+{_IS_UNCHANGED}"
    r"|\bsame as before\b|\bomitted for brevity\b"
    r"|^\W*(?:please )?(?:add|insert|put|write) (?:[\w'-]+ ){1,4}here(?=\W*$|[.,:;!)]| (?:as|if) needed)",
    re.IGNORECASE,
)
"""Comments that replace code.  Comments about code don't match: 'the rest of the file is read lazily'."""
_FAILURES = (SyntaxError, yaml.YAMLError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""Exceptions that parsers raise; PyYAML, for example, raises an AttributeError for ``!!timestamp a``."""


class _FileError(ValueError):
    """The file breaks a rule; the message says which."""


def find_fault(path: str, text: str) -> Reason | None:
    """Return why *text*, which a model wrote for the file *path*, can't be committed; None if it can.

    The reason is one printable line of at most 200 characters, such as ``line 3 does not parse: …``.
    """
    name = path.rsplit("/", 1)[-1].lower()
    try:
        _check_text(name, text)
        if secret := find_secret(text):
            return Reason("secret", f"{secret}, and would be public with the project; use a placeholder instead")
        tree = _parse(name, text)
    except (*_FAILURES, RecursionError, MemoryError) as exc:
        code = "unfit" if isinstance(exc, _FileError) else "unparsable"
        return Reason(code, one_line(_reason(exc), _MAX_REASON))
    first = min((*_placeholder_comments(name, text), *(_empty_bodies(tree) if tree else ())), default=None)
    if first is None:
        return None
    return Reason("placeholder", one_line(f"line {first[0]} holds a placeholder: {first[1]}", _MAX_REASON))


def find_syntax_error(name: str, text: str) -> tuple[int | None, str] | None:
    """Return why *text* does not parse as the file *name*, with the line where that is known; None if it does."""
    try:
        _parse(name, text)
    except (*_FAILURES, RecursionError, MemoryError) as exc:
        line, what = _place(exc)
        return line, one_line(what if isinstance(exc, _FileError) else f"it does not parse: {what}", _MAX_REASON)
    return None


def _check_text(name: str, text: str) -> None:
    if bad := find_hidden(text, prose=is_prose_file(name)):
        raise _FileError(f"line {text.count(chr(10), 0, bad.start()) + 1} holds the character U+{ord(bad[0]):04X}")
    limit = _MAX_SLOW_BYTES if name.endswith(_YAML) or _REQUIREMENTS.fullmatch(name) else _MAX_BYTES
    if len(text.encode()) > limit:
        raise _FileError(f"it is larger than {limit} bytes")
    lines = [line.rstrip() for line in text.split("\n") if line.strip()]
    if not lines and name not in _MAY_BE_EMPTY:
        raise _FileError("it is empty")
    if lines and _is_fenced(lines, markdown=name.endswith(_MARKDOWN)):
        raise _FileError("it is wrapped in a Markdown fence")


def _is_fenced(lines: Sequence[str], *, markdown: bool) -> bool:
    """Whether the whole file is inside a Markdown fence that the model did not remove."""
    first, last = (_FENCE.fullmatch(lines[index]) for index in (0, -1))
    if not markdown:
        return bool(first or (last and not last[2]))
    fences: list[str] = []  # models nest fences that name a language, although CommonMark does not
    for number, line in enumerate(lines, start=1):
        fence = _FENCE.fullmatch(line.lstrip())
        if fence and fences and not fence[2] and fence[1].startswith(fences[-1]):
            fences.pop()
        elif fence:
            fences.append(fence[1])
        if not fences:
            return bool(first and first[2].lower() in {"", "markdown", "md"} and number == len(lines))
    return True  # never closed


def _parse(name: str, text: str) -> ast.Module | None:
    """Parse a file by its type and return the syntax tree if it is Python."""
    if name.endswith(".py"):
        return _parse_python(text)
    if name.endswith(".toml"):
        if match := _LONG_KEY.search(text):  # memory use is quadratic in the number of parts
            raise _FileError(f"line {text.count(chr(10), 0, match.start()) + 1} has a key with too many parts")
        tomllib.loads(text)
    elif name.endswith(".json"):
        json.loads(text)
    elif name.endswith(_YAML):
        list(yaml.load_all(text, Loader=_Loader))
    elif _REQUIREMENTS.fullmatch(name):
        _parse_requirements(text)
    return None


def _reason(exc: Exception) -> str:
    line, what = _place(exc)
    return what if isinstance(exc, _FileError) else f"{f'line {line}' if line else 'it'} does not parse: {what}"


def _place(exc: Exception) -> tuple[int | None, str]:
    """Return the line that a parser names, and what it says."""
    line: int | None = None
    what: object = str(exc) or type(exc).__name__
    match exc:
        case RecursionError() | MemoryError():
            what = "it is too large, or nested too deeply"
        case SyntaxError() | json.JSONDecodeError():
            line, what = exc.lineno, exc.msg
        case yaml.MarkedYAMLError(problem_mark=yaml.Mark(line=index)):
            line, what = index + 1, exc.problem
    return line, str(what)


def _parse_python(text: str) -> ast.Module:
    """Compile a module and return its tree.  Only the compiler reports errors such as a 'return' outside a function."""
    _check_encoding(text)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = ast.parse(text)
        for node in ast.walk(tree):
            if isinstance(node, ast.Try | ast.TryStar) and node.finalbody:
                # The compiler copies finally blocks for every exit, exponentially if nested, so move them to the body.
                node.body += node.finalbody
                node.finalbody = [ast.copy_location(ast.Pass(), node.finalbody[0])]
        compile(tree, "<generated>", "exec", dont_inherit=True)
    return tree


def _check_encoding(text: str) -> None:
    """Refuse an encoding declaration: in another encoding, Python and pip could read a comment as code."""
    for number, line in enumerate(text.split("\n", 2)[:2], start=1):
        match = _ENCODING.match(line)
        if match and match[1].lower().replace("_", "-") not in {"utf-8", "utf8"}:
            raise _FileError(f"line {number} declares the encoding {shown(match[1])}; only UTF-8 is allowed")


class _Loader(yaml.SafeLoader):
    yaml_constructors = yaml.SafeLoader.yaml_constructors | {"tag:yaml.org,2002:merge": lambda *_: "<<"}

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Don't apply merge keys (``<<``), because a chain of them grows exponentially."""


def _parse_requirements(text: str) -> None:
    from packaging.requirements import Requirement

    _check_encoding(text)
    number = 1
    for match in re.finditer(r"((?:(?![^\S\n]*#).*\\\n)*.*)\n?", text):  # pip joins continued lines
        line = match[1].replace("\\\n#", " #").replace("\\\n", "").removesuffix("\\")
        line = re.sub(r"(?<!\S)#.*", "", line).strip()
        if line and not _INCLUDE.fullmatch(line):
            if option := _OPTION.search(line):
                raise _FileError(f"line {number} asks pip for {option[0]}; only names and versions are allowed")
            try:
                url = Requirement(line).url
            except (ValueError, RecursionError) as exc:
                raise _FileError(f"line {number} is not a valid requirement: {str(exc).split(chr(10))[0]}") from exc
            if url:
                raise _FileError(f"line {number} asks pip for {shown(url)}; only names and versions are allowed")
        number += match[0].count("\n")


def _placeholder_comments(name: str, text: str) -> Iterator[tuple[int, str]]:
    """Yield comments, and in Markdown lines, that replace omitted content, with their line numbers."""
    lines = enumerate(text.split("\n"), start=1)
    if name.endswith(_MARKDOWN):
        yield from ((number, shown(line.strip())) for number, line in lines if _FILLER.search(line))
    elif not name.endswith(_WITHOUT_COMMENTS) or _REQUIREMENTS.fullmatch(name):
        matches = ((number, match) for number, line in lines for match in _QUOTED_OR_COMMENT.finditer(line))
        comments = ((number, match[1]) for number, match in matches if match[1])
        for number, comment in _python_comments(text) if name.endswith(".py") else comments:
            if _PLACEHOLDER.search(" ".join(comment.strip("#/! \t").split())):
                yield number, shown(comment)


def _python_comments(text: str) -> Iterator[tuple[int, str]]:
    with suppress(tokenize.TokenError, SyntaxError):  # tokenize is stricter than the compiler
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string


def _empty_bodies(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield functions, classes and modules that are not implemented, with their line numbers."""
    nodes = list(ast.walk(tree))
    abstract = [node for node in nodes if isinstance(node, ast.ClassDef) and _is_abstract(node)]
    allowed = {child for node in abstract for child in (node, *node.body)}
    for node in nodes:
        if isinstance(node, ast.Module | ast.ClassDef) and node not in allowed:
            yield from ((each.lineno, "a lone '...'") for each in node.body if _no_op(each) == "...")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node not in allowed:
            body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
            no_ops = [_no_op(each) for each in body]
            exempt = any(each == "overload" or each.startswith("abstract") for each in map(_name, node.decorator_list))
            if no_ops and all(no_ops) and not exempt:
                yield body[0].lineno, f"the body of {node.name}() is only '{no_ops[0]}'"


def _no_op(statement: ast.stmt) -> str | None:
    match statement:
        case ast.Pass():
            return "pass"
        case ast.Expr(value=ast.Constant(value=value)) if value is ...:
            return "..."
        case ast.Raise(exc=ast.expr() as error) if _name(error) == "NotImplementedError":
            return "raise NotImplementedError"
    return None


def _is_abstract(node: ast.ClassDef) -> bool:
    bases = (*node.bases, *(each.value for each in node.keywords if each.arg == "metaclass"))
    return any(_name(base).endswith(("Protocol", "ABC", "ABCMeta")) for base in bases)


def _name(node: ast.expr) -> str:
    """Return the last part of the name that *node* is or calls: ``overload`` for ``typing.overload``."""
    while isinstance(node, ast.Call | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
