"""What a repository sets for all its runs: ``.github/phasebot.yml`` for the action, ``[tool.phasebot]`` for commands.

Both are read here, into one form.  They differ in how they are parsed, and in names: the one has those of the action's
inputs, the other those of the options.
"""

import functools
import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from bot.errors import UsageError
from bot.planning import yaml_outline
from bot.planning.path_rules import output_dir_problem
from bot.planning.recipe import built_in_names
from bot.planning.recipe_names import recipe_folders
from bot.sandbox.protocol import Failure, Run
from bot.text import one_line, shown

ACTION_FILE = ".github/phasebot.yml"
PROJECT_FILE = "pyproject.toml"
_TABLE = "[tool.phasebot]"
_HEADER = re.compile(r"\[ *tool *\. *phasebot *\][ \t]*(?:#.*)?")
_TOML_LINE = re.compile(r"line ([0-9]{1,9})")
_MAX_PROBLEMS, _MAX_LINE = 20, 300


def _names(value: object) -> object:
    """Return a list of names, which may be written as a text with blanks or commas in between."""
    return value.replace(",", " ").split() if isinstance(value, str) else value


def _pairs(value: object) -> object:
    """Return options of a recipe, written as ``NAME=VALUE`` or as a mapping, as a mapping of texts."""
    words = _names(value)
    if isinstance(words, list) and all(isinstance(word, str) and word.partition("=")[1] for word in words):
        pairs = [word.partition("=") for word in words]
        names = [name.strip() for name, _, _ in pairs]
        return {name: text.strip() for name, _, text in pairs} if len({*names}) == len(names) and all(names) else value
    if isinstance(value, dict):
        return {name: _text(each) for name, each in value.items()}
    return value


def _text(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else str(value) if isinstance(value, int | float) else value


def _recipe(value: object) -> object:
    if isinstance(value, str) and value not in built_in_names() and not [*recipe_folders(value)]:
        raise ValueError("it is outside the repository")
    return value


def _folder(value: object) -> object:
    if isinstance(value, str) and (problem := output_dir_problem(value)):
        raise ValueError(problem)
    return value


_Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[!-~]+$")]


class Configuration(BaseModel):
    """What a repository sets; None is for what it does not."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    provider: Literal["gemini", "template"] | None = None
    model: _Name | None = None
    fallback_models: Annotated[list[_Name], BeforeValidator(_names)] | None = None
    thinking: Literal["minimal", "low", "medium", "high", "xhigh"] | None = None
    fallback: Literal["template"] | None = None
    recipe: Annotated[str, BeforeValidator(_recipe)] | None = None
    options: Annotated[dict[str, str], BeforeValidator(_pairs)] | None = None
    output_dir: Annotated[str, Field(min_length=1), BeforeValidator(_folder)] | None = None
    base: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    jobs: Annotated[int, Field(ge=1, le=64)] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    repairs: Annotated[int, Field(ge=0, le=9)] | None = None
    deadline: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    draft: bool | None = None


_TAKES = {
    "provider": "gemini or template",
    "model": "the name of a model",
    "fallback_models": "names of models",
    "thinking": "minimal, low, medium, high or xhigh",
    "fallback": "template",
    "recipe": "a built-in recipe, or a folder of the repository",
    "options": "options of the recipe, such as auth=jwt",
    "output_dir": "a folder of the repository",
    "base": "the name of a branch",
    "jobs": "a whole number from 1 to 64",
    "max_tokens": "a whole number above 0",
    "repairs": "a whole number from 0 to 9",
    "deadline": "a number of minutes above 0",
    "draft": "true or false",
}
"""Field → what it takes, in words."""

_SECRET = "everybody who can read the repository could use it; keep it in the repository's secrets"  # noqa: S105
_HANDED = "only a job of the workflow hands it to another; take it out"
_SAID = "it is said with each command; take it out"
_ELSEWHERE = "what a repository says must not change where it is read from or pushed to; take it out"


@dataclass(frozen=True, slots=True)
class _Form:
    """How one of the two files writes a configuration."""

    source: str
    keys: Mapping[str, str]
    """Key → field."""
    refused: Mapping[str, str]
    """Key → why it can't be set there."""


_FOR_ACTION = _Form(
    source=ACTION_FILE,
    keys={
        **{name: name for name in ("provider", "model", "recipe", "options", "jobs", "repairs", "draft")},
        "fallback-models": "fallback_models",
        "output-dir": "output_dir",
        "base-branch": "base",
        "max-tokens": "max_tokens",
        "deadline-minutes": "deadline",
    },
    refused={
        **dict.fromkeys(("github-token", "gemini-api-key"), _SECRET),
        **dict.fromkeys(("run", "head", "report"), _HANDED),
        "page": "a step of the workflow has to upload it; set it there",
    },
)
_FOR_COMMANDS = _Form(
    source=f"{PROJECT_FILE}, {_TABLE}",
    keys={
        **{name: name for name in ("provider", "model", "thinking", "fallback", "recipe", "base", "jobs", "repairs")},
        "fallback-model": "fallback_models",
        "option": "options",
        "output-dir": "output_dir",
        "max-tokens": "max_tokens",
        "deadline": "deadline",
    },
    refused={
        **dict.fromkeys(("gemini-api-key", "github-token"), _SECRET),
        **dict.fromkeys(("repo", "remote", "push", "no-push"), _ELSEWHERE),
        **dict.fromkeys(("run", "format", "only", "dry-run", "instruction", "cascade", "discard-edits", "to"), _SAID),
        **dict.fromkeys(("again", "rebuild"), _SAID),
    },
)
ACTION_KEYS, COMMAND_KEYS = _FOR_ACTION.keys, _FOR_COMMANDS.keys
"""Key of the file → field of :class:`Configuration`."""


@dataclass(slots=True)
class _Parsed:
    values: Mapping[str, Any] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict)


def read_action_file(text: str) -> Configuration:
    """Read ``.github/phasebot.yml``.

    Raises:
        UsageError: It says something that can't be set there; the message tells all of it.
    """
    return _read(text, _FOR_ACTION, _parse_yaml)


def read_project_file(text: str, run: Run) -> Configuration:
    """Read the table ``[tool.phasebot]`` of ``pyproject.toml``, which may have none; raises like the other one.

    *run* performs tasks in the bounded worker.
    """
    return _read(text, _FOR_COMMANDS, functools.partial(_parse_toml, run=run))


def as_options(configuration: Configuration) -> dict[str, Any]:
    """Return what is set, by the names that the options of commands have in Python."""
    found = configuration.model_dump(exclude_none=True)
    if "options" in found:
        found["options"] = [f"{name}={value}" for name, value in found["options"].items()]
    return {("fallback_model" if name == "fallback_models" else name): value for name, value in found.items()}


class _UnreadableError(Exception):
    def __init__(self, line: int | None, message: str) -> None:
        super().__init__(message)
        self.line = line


def _read(text: str, form: _Form, parse: Callable[[str], _Parsed]) -> Configuration:
    try:
        parsed = parse(text)
    except _UnreadableError as exc:
        raise _error(form, [(exc.line, str(exc))]) from exc
    known = {form.keys[key]: value for key, value in parsed.values.items() if key in form.keys}
    problems = [(parsed.lines.get(key), _unknown(key, form)) for key in parsed.values if key not in form.keys]
    try:
        configuration = Configuration.model_validate(known)
    except ValidationError as exc:
        wrong = {str(error["loc"][0]) for error in exc.errors()}
        problems += [
            (parsed.lines.get(key), f"{key} is {_shown(parsed.values[key])}; it takes {_TAKES[name]}")
            for key, name in form.keys.items()
            if name in wrong
        ]
        configuration = Configuration()
    if problems:
        raise _error(form, sorted(problems, key=lambda each: each[0] or 0))
    return configuration


def _shown(value: object) -> str:
    return shown(value) if isinstance(value, str) else one_line(repr(value), 100)


def _unknown(key: str, form: _Form) -> str:
    if reason := form.refused.get(key):
        return f"{key} can't be set here: {reason}"
    near = get_close_matches(key, form.keys, n=1)
    return f"there is no key {shown(key)}; " + (f"did you mean {near[0]}?" if near else f"keys: {', '.join(form.keys)}")


def _error(form: _Form, problems: Sequence[tuple[int | None, str]]) -> UsageError:
    lines = [
        one_line(f"line {line}: {message}" if line else message, _MAX_LINE)
        for line, message in problems[:_MAX_PROBLEMS]
    ]
    if len(problems) == 1:
        return UsageError(f"reading {form.source}: {lines[0]}")
    more = [f"and {len(problems) - _MAX_PROBLEMS} more"] if len(problems) > _MAX_PROBLEMS else []
    return UsageError("\n  ".join([f"reading {form.source}: it has {len(problems)} problems:", *lines, *more]))


# ---- parsing


def _parse_yaml(text: str) -> _Parsed:
    if all(not line.strip() or line.lstrip().startswith("#") for line in text.split("\n")):
        return _Parsed()
    parsed, values, lines = _Parsed(), dict[str, Any](), dict[str, int]()
    try:
        for key, node, line in yaml_outline.items(yaml_outline.compose(text), "it"):
            lines[key] = line
            try:
                values[key] = yaml.constructor.SafeConstructor().construct_object(node, deep=True)
            except (ValueError, ArithmeticError, yaml.YAMLError):  # the date 2026-99-99, a list as a key
                raise _UnreadableError(line, f"{key}: its value can't be read; put it in quotes") from None
    except yaml_outline.OutlineError as exc:
        raise _UnreadableError(exc.line, str(exc)) from exc
    parsed.values, parsed.lines = values, lines
    return parsed


def parse_project_file(text: str) -> Mapping[str, Any]:
    """Return the table of ``pyproject.toml``, and the lines of its keys; or an error, and its line.

    This is a task of the bounded worker, because ``tomllib`` takes minutes for some texts of 50 kB.
    """
    try:
        content = tomllib.loads(text.replace("\r\n", "\n"))
    except tomllib.TOMLDecodeError as exc:
        match = _TOML_LINE.search(str(exc))
        return {"error": f"not valid TOML: {exc}", "line": int(match[1]) if match else None}
    except (RecursionError, ValueError) as exc:  # nested without end; a number or a date out of range
        return {"error": f"it can't be read ({type(exc).__name__})", "line": None}
    tool = content.get("tool", {})
    table = tool.get("phasebot", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        return {"error": f"tool.phasebot is {_shown(table)}; write a table, {_TABLE}", "line": None}
    return {"values": json.loads(json.dumps(table, default=str)), "lines": dict(_toml_lines(text))}


def _parse_toml(text: str, run: Run) -> _Parsed:
    (answer,) = run("toml", None, [text])
    if isinstance(answer, Failure):
        raise _UnreadableError(None, f"it can't be read: {answer.what}")
    if "error" in answer:
        raise _UnreadableError(answer["line"], answer["error"])
    return _Parsed(answer["values"], answer["lines"])


def _toml_lines(text: str) -> Iterator[tuple[str, int]]:
    """Yield the keys of the table with their lines, as far as they are written in the plain way."""
    inside = False
    for number, line in enumerate(text.split("\n"), start=1):
        if line.lstrip().startswith("["):
            inside = bool(_HEADER.fullmatch(line.strip()))
        elif inside and "=" in line:
            yield line.partition("=")[0].strip().strip("\"'"), number
