"""Render a recipe's templates, for project files and for model prompts.

Recipes are untrusted, so templates run in jinja's sandbox, in a child process with limits, and see only plain values.
Text from a plan is untrusted, too, so templates use the quoting filters.  The child imports this module, so it imports
little.
"""

import datetime as dt
import json
import re
import uuid
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from bot.generation import plan_views
from bot.sandbox.protocol import Failure, Run
from bot.secret_scan import find_secret
from bot.text import all_newlines, find_hidden, is_printable, is_prose_file, one_line, without_hidden

if TYPE_CHECKING:
    from bot.generation.template_limits import BoundedEnvironment
    from bot.planning.recipe import Recipe

_MAX_REASON = 500
_NO_TEMPLATE = "no template makes this file; a model or a person has to write it"


class RenderingError(Exception):
    """A template of the recipe is broken or does not fit this plan; the message names the template."""

    def __init__(self, message: str, code: str = "template") -> None:
        """*code* is that of the reason why there is no file."""
        super().__init__(message)
        self.code = code


class RenderingLimitError(RenderingError):
    """A template broke a limit of the bounded worker."""


def render_files(
    run: Run, recipe: "Recipe", files: Mapping[str, str], context: Mapping[str, Any], *, check: bool = True
) -> Mapping[str, "str | RenderingError"]:
    """Render *files*, path → template of *recipe*, with *run*; return each text, or why there is none.

    With *check*, a file that should not be committed counts as broken, too.
    """
    made = {path: template for path, template in files.items() if template}
    items = [(template, path if check else None) for path, template in made.items()]
    answers = run("render", (dict(recipe.templates), dict(context)), items) if items else []
    texts = {path: _text_or_error(made[path], answer) for path, answer in zip(made, answers, strict=True)}
    return {path: texts[path] if path in texts else RenderingError(_NO_TEMPLATE) for path in files}


def render_template(run: Run, recipe: "Recipe", name: str, context: Mapping[str, Any]) -> str:
    """Render the template *name* of *recipe* with *run*.

    Raises:
        RenderingError: The template can't be rendered.
    """
    text = render_files(run, recipe, {name: name}, context, check=False)[name]
    if isinstance(text, RenderingError):
        raise text
    return text


def _text_or_error(name: str, answer: object) -> "str | RenderingError":
    match answer:
        case [str(text), None]:
            return text
        case [None, [str(code), str(error)]]:
            return RenderingError(error, code)
        case Failure(what=what):
            return RenderingLimitError(f"template {name}: {what}")
    return RenderingError(f"template {name}: its text can't be read")


def render_item(
    templates: Mapping[str, str], context: Mapping[str, Any], name: str, path: str | None
) -> tuple[str | None, tuple[str, str] | None]:
    """Return the text of the template *name*, or the code and the words of the reason why it can't be *path*.

    This is the worker's part: it runs in the child process, and only there is jinja imported.
    """
    from bot.generation.template_limits import FAILURES

    try:
        text = _environment(tuple(templates.items())).render_bounded(name, context)
    except FAILURES as exc:
        return None, ("template", _told(name, exc))
    text = text if text.endswith("\n") or not text else f"{text}\n"
    if path and (fault := _fault(name, path, text)):
        return None, fault
    return text, None


def find_template_error(templates: Mapping[str, str], name: str) -> str | None:
    """Return why the template *name* does not parse; None if it does.  This, too, is the worker's part."""
    from bot.generation.template_limits import FAILURES

    try:
        _environment(tuple(templates.items())).get_template(name)
    except FAILURES as exc:
        return _told(name, exc)
    return None


def _told(name: str, error: Exception) -> str:
    from bot.generation.template_limits import TooLargeError, place_of

    what = getattr(error, "message", None) or error  # the text of a syntax error repeats the place and the line
    what = str(what).replace(f"{plan_views.__name__}._", "")
    kind = "" if isinstance(error, TooLargeError) else f"{type(error).__name__}: "
    return one_line(f"template {name}: {place_of(error, name)}{kind}{what}", _MAX_REASON)


def _fault(name: str, path: str, text: str) -> tuple[str, str] | None:
    """Return why *text*, from the template *name*, can't be the file *path*; None if it can."""
    if hidden := find_hidden(text.replace("\r\n", "\n"), prose=is_prose_file(path)):
        return "template", (
            f"template {name}: line {text.count(chr(10), 0, hidden.start()) + 1} of {path} would hold the hidden "
            f"character U+{ord(hidden[0]):04X}; remove it from the template, or quote the plan's text with a filter"
        )
    if secret := find_secret(text):
        return "secret", f"{secret}, from the plan or from the recipe's template {name}"
    return None


@lru_cache(maxsize=4)
def _environment(templates: tuple[tuple[str, str], ...]) -> "BoundedEnvironment":
    from bot.generation.template_limits import BoundedEnvironment

    environment = BoundedEnvironment(dict(templates))
    environment.filters |= {"python": python_literal, "docstring": docstring, "markdown": markdown, "toml": toml_string}
    return environment


def python_literal(value: object) -> str:
    """Return *value* as Python source, in the formatter's quote style.

    The source needs the imports ``datetime as dt`` for dates, ``Decimal`` for decimals and ``uuid`` for UUIDs.
    """
    match value:
        case str():
            source = _python_text(value)
        case Decimal():
            source = f'Decimal("{value}")'
        case dt.datetime():
            source = f'dt.datetime.fromisoformat("{value.isoformat()}")'
        case dt.time():
            source = f'dt.time.fromisoformat("{value.isoformat()}")'
        case dt.date():
            source = f"dt.date({value.year}, {value.month}, {value.day})"
        case uuid.UUID():
            source = f'uuid.UUID("{value}")'
        case Mapping():
            source = "{" + ", ".join(f"{python_literal(k)}: {python_literal(v)}" for k, v in value.items()) + "}"
        case float():
            source = repr(value).replace("e+", "e")
        case list() | tuple():
            source = "[" + ", ".join(map(python_literal, value)) + "]"
        case _:
            source = repr(value)
    return source


def docstring(text: str) -> str:
    """Return *text* as one line that is safe inside a triple-quoted docstring, without hidden characters."""
    line = " ".join(without_hidden(all_newlines(text)).split())
    return line.replace("\\", "\\\\").replace('"', "'").strip()


def markdown(text: str) -> str:
    """Return *text* as Markdown prose: escaped so that it can't contain HTML, images or links; hidden characters go."""
    return re.sub(r"([\\`*_\[\]<>!#|])", r"\\\1", without_hidden(all_newlines(text), prose=True))


def toml_string(text: str) -> str:
    """Return *text* as a TOML basic string."""
    return _quoted(text)


def _python_text(text: str) -> str:
    """Quote *text* with the quote character that needs fewer escapes; double quotes in a tie."""
    source = _quoted(text)
    if text.count('"') <= text.count("'"):
        return source
    body = re.sub(r"\\(.)|'", lambda match: {'"': '"', None: "\\'"}.get(match[1], match[0]), source[1:-1])
    return f"'{body}'"


def _quoted(text: str) -> str:
    """Quote *text* so that Python, TOML and JSON read it alike; characters that are not printable are escaped."""
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(each if is_printable(each) else _escape(each) for each in quoted)


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code < 1 << 16 else f"\\U{code:08x}"
