"""jinja's sandbox, with limits on the size of what a template computes.

The limits give a broken template a good message at once.  What they don't know of is stopped by the limits of the
process that renders it.
"""

import re
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from jinja2 import Environment, StrictUndefined, TemplateError, TemplateRuntimeError, TemplateSyntaxError
from jinja2.filters import FILTERS
from jinja2.loaders import DictLoader
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

MAX_SIZE = 1 << 20
"""Longest text that an expression may compute, and longest file, in characters; a list has as many items at most."""
_MAX_BITS = 1 << 12
FAILURES = (
    *(TemplateError, ArithmeticError, AttributeError, LookupError, RuntimeError),
    *(SyntaxError, TypeError, ValueError),
)
"""Exceptions that a broken template can raise; its expressions can fail like any Python code."""
_GLOBALS = ("range", "dict", "namespace", "cycler", "joiner")
"""The functions that templates may call; jinja also has one that makes long texts up."""
_NOT_A_FILTER = "random"
"""The same plan has to give the same files."""
_SIZED_FILTERS = ("batch", "center", "indent", "slice", "tojson", "wordwrap")
_SIZED_METHODS = ("center", "expandtabs", "ljust", "rjust", "to_bytes", "zfill")
"""What makes a text as long as a number says."""
_SIZED = (str, bytes, list, tuple)
_WIDTH = re.compile(r"%[-+ #0]*(\d*)(?:\.(\d*))?")
_WIDTH_DIGITS = len(str(MAX_SIZE)) - 1


class TooLargeError(TemplateRuntimeError):
    """An expression of a template is too large to compute."""


class _Loader(DictLoader):
    """Gives templates their names as file names, so that errors say which one they are from."""

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:  # type: ignore[override]
        source, _, is_current = super().get_source(environment, template)
        return source, template, is_current


class BoundedEnvironment(ImmutableSandboxedEnvironment):
    """An environment whose templates can't compute anything large."""

    intercepted_binops = frozenset(("+", "*", "**", "%"))

    def __init__(self, templates: Mapping[str, str]) -> None:
        super().__init__(
            loader=_Loader(templates),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            autoescape=False,  # the output is code, not HTML; the filters quote
        )
        self.globals = {name: self.globals[name] for name in _GLOBALS}
        self.filters = {name: _bounded(name, each) for name, each in FILTERS.items() if name != _NOT_A_FILTER}

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:  # noqa: ANN401
        """Compute *left operator right*, if the result is small."""
        match operator:
            case "*":
                _check_product(left, right)
            case "**":
                _check_power(left, right)
            case "%" if isinstance(left, str | bytes):
                _check_format(left, right)
            case "+" if isinstance(left, _SIZED) and isinstance(right, _SIZED):
                _check_size(len(left) + len(right))
        return super().call_binop(context, operator, left, right)

    def call(self, context: Context, function: Any, /, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """Call *function*, unless a number among its arguments makes its result large."""
        if getattr(function, "__name__", "") in _SIZED_METHODS:
            _check_numbers((*args, *kwargs.values()))
        result = super().call(context, function, *args, **kwargs)
        if isinstance(result, str):
            _check_size(len(result))
        return result

    def render_bounded(self, name: str, context: Mapping[str, Any]) -> str:
        """Render the template *name*, up to the largest size of a file."""
        pieces, size = list[str](), 0
        for piece in self.get_template(name).generate(context):
            size += len(piece)
            if size > MAX_SIZE:
                raise TooLargeError(f"its text is longer than {MAX_SIZE:,} characters")
            pieces.append(piece)
        return "".join(pieces)


def place_of(error: BaseException, name: str) -> str:
    """Return where in the template *name*, or in one that it uses, *error* was raised: ``line 3: ``; or nothing."""
    found: tuple[str, int] | None = None
    if isinstance(error, TemplateSyntaxError):
        found = error.name or name, error.lineno
    trace = error.__traceback__
    while trace and not isinstance(error, TemplateSyntaxError):
        if "__jinja_exception__" in trace.tb_frame.f_globals:
            found = trace.tb_frame.f_code.co_filename, trace.tb_lineno
        trace = trace.tb_next
    if found is None:
        return ""
    return f"line {found[1]}: " if found[0] == name else f"line {found[1]} of {found[0]}: "


def _bounded(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the filter *function*, which refuses to make a large text."""

    @wraps(function)
    def bounded(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        if name in _SIZED_FILTERS:
            _check_numbers((*args, *kwargs.values()))
        elif name == "format":
            _check_format(args[0], (*args[1:], *kwargs.values()))
        result = function(*args, **kwargs)
        if isinstance(result, str):
            _check_size(len(result))
        return result

    return bounded


def _check_size(size: int) -> None:
    if size > MAX_SIZE:
        raise TooLargeError(f"an expression makes a value of {size:,} characters or items; the limit is {MAX_SIZE:,}")


def _check_numbers(values: tuple[object, ...]) -> None:
    for value in values:
        if isinstance(value, int):
            _check_size(abs(value))


def _check_product(left: object, right: object) -> None:
    if isinstance(left, int) and isinstance(right, int):
        _check_bits(left.bit_length() + right.bit_length())
    for value, times in ((left, right), (right, left)):
        if isinstance(value, _SIZED) and isinstance(times, int):
            _check_size(len(value) * max(times, 0))


def _check_power(left: object, right: object) -> None:
    if isinstance(left, int) and isinstance(right, int):
        _check_bits(left.bit_length() * abs(right))


def _check_bits(bits: int) -> None:
    if bits > _MAX_BITS:
        raise TooLargeError(f"an expression makes a number of more than {_MAX_BITS:,} bits")


def _check_format(template: object, values: object) -> None:
    text = template.decode("latin-1") if isinstance(template, bytes) else str(template)
    if any(len(digits) > _WIDTH_DIGITS for match in _WIDTH.finditer(text) for digits in match.groups("")):
        raise TooLargeError(f"a format has a width of more than {_WIDTH_DIGITS} digits")
    if "*" in text:
        _check_numbers(values if isinstance(values, tuple) else (values,))
