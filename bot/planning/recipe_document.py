"""Read ``recipe.yaml`` into :class:`bot.planning.recipe_model.RecipeFile`, with the line of everything that is wrong.

All problems are told at once.  So what is wrong is taken out, and the rest is read as if it had never been there.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, NamedTuple, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bot.errors import UsageError
from bot.planning import yaml_outline
from bot.planning.recipe_model import RecipeFile
from bot.text import one_line, shown

FILE = "recipe.yaml"
MAX_PROBLEMS = 20
"""How many problems are told at once."""
MAX_FOUND = 100
"""How many problems are looked for: a hostile text has thousands."""
_MAX_WORD = 100
_ROUNDS = 4
_LISTS, _ENTRY = ("phases", "verify"), 2
"""The lists of mappings, and how long the place of an entry is."""
_MAX_MESSAGE = 400
Place = tuple[str | int, ...]
"""Keys and positions that lead to a value of recipe.yaml."""


class RecipeProblem(NamedTuple):
    """What is wrong with a recipe, and where."""

    file: str
    line: int | None
    message: str

    def __str__(self) -> str:
        place = f"{self.file}, line {self.line}" if self.line else self.file
        return f"{place}: {self.message}"


class RecipeError(UsageError):
    """A recipe can't be used."""

    def __init__(self, source: str, problems: Sequence[RecipeProblem]) -> None:
        """*source* is how the recipe is called: ``recipe 'x'``."""
        self.problems = tuple(problems[:MAX_PROBLEMS])
        more = len(problems) - len(self.problems)
        if len(problems) == 1:
            super().__init__(f"{source}, {problems[0]}")
            return
        lines = [*map(str, self.problems), *([f"and {more} more"] if more else [])]
        super().__init__("\n  ".join([f"{source} has {len(problems)} problems:", *lines]))


@dataclass
class Document:
    """What recipe.yaml holds, and the line of each value."""

    data: Any = None
    lines: dict[Place, int] = field(default_factory=dict)
    problems: list[RecipeProblem] = field(default_factory=list)
    broken: set[int] = field(default_factory=set)
    """Entries of ``phases`` whose key, items or files can't be read."""
    unread_needs: set[int] = field(default_factory=set)
    """Entries of ``phases`` whose needs can't be read."""
    names: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Names in ``collections`` and ``options``, also of those that can't be read."""

    def add(self, place: Place, message: str) -> None:
        """Note a problem at *place*."""
        self.problems.append(RecipeProblem(FILE, self.line(place), one_line(message, _MAX_MESSAGE)))

    def line(self, place: Place) -> int:
        """Return the line of *place*, or of the nearest part around it."""
        return next((self.lines[place[:size]] for size in range(len(place), -1, -1) if place[:size] in self.lines), 1)


def read_document(text: str) -> tuple[RecipeFile | None, Document]:
    """Return what *text* says, as far as it can be read, and all that is wrong with its form."""
    document = Document()
    try:
        root = yaml_outline.compose(text)
    except yaml_outline.OutlineError as exc:
        document.problems.append(RecipeProblem(FILE, exc.line, str(exc)))
        return None, document
    document.data = _value(root, (), document)
    parts = document.data if isinstance(document.data, dict) else {}
    listed = {part: parts.get(part) for part in ("collections", "options")}
    document.names = {part: frozenset(each if isinstance(each, dict) else ()) for part, each in listed.items()}
    return _validate(document), document


def _value(node: yaml.Node, place: Place, document: Document) -> Any:  # noqa: ANN401
    """Return *node* as a plain value; a key that appears twice is a problem."""
    document.lines.setdefault(place, yaml_outline.line_of(node))
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key, value in node.value:
            line = yaml_outline.line_of(key)
            if not isinstance(key, yaml.ScalarNode):
                document.problems.append(RecipeProblem(FILE, line, "a key must be plain text"))
            elif key.value in found:
                first = document.lines[(*place, key.value)]
                message = f"{shown(key.value)} appears twice, first on line {first}; rename one or merge them"
                document.problems.append(RecipeProblem(FILE, line, message))
            else:
                document.lines[(*place, key.value)] = line
                found[key.value] = _value(value, (*place, key.value), document)
        return found
    if isinstance(node, yaml.SequenceNode):
        return [_value(each, (*place, number), document) for number, each in enumerate(node.value)]
    try:
        return yaml.constructor.SafeConstructor().construct_object(node)
    except (ValueError, ArithmeticError, yaml.YAMLError) as exc:  # the date 2026-99-99
        document.add(place, f"{shown(str(node.value))} can't be read ({exc}); put it in quotes if it is text")
        return str(node.value)


def _validate(document: Document) -> RecipeFile | None:
    """Return the valid part; None if too little of it is."""
    told: list[Place] = []
    for _ in range(_ROUNDS):
        try:
            return RecipeFile.model_validate(document.data)
        except ValidationError as exc:
            now: list[Place] = []
            errors = [(error, _place(error)) for error in exc.errors()[:MAX_FOUND]]
            for error, place in errors:
                if error["type"] == "too_short" and any(place == each[: len(place)] != each for _, each in errors):
                    continue  # what is wrong in it counts as missing
                if place not in now and not any(
                    place[: len(each)] == each or each[: len(place)] == place for each in told
                ):
                    document.add(place, _words(error, place))
                now.append(place)
                _take_out(document, error, place)
            told += now
    return None


def _place(error: ErrorDetails) -> Place:
    """Return where *error* is; pydantic writes ``[key]`` behind a key of a mapping that is wrong itself."""
    return tuple(part for part in error["loc"] if part != "[key]")


def _take_out(document: Document, error: ErrorDetails, place: Place) -> None:
    """Take out what is wrong; a part that lacks something is kept if it can be filled in, else it goes itself."""
    is_missing = error["type"] == "missing"
    if is_missing and place[-1] in ("title", "about", "name", "singular"):
        _set(document.data, place, "missing")
        return
    place = place[:-1] if is_missing and len(place) > 1 else place
    if isinstance(place[-1] if place else None, int) and not (place[0] in _LISTS and len(place) == _ENTRY):
        place = place[:-1]
    if place[:1] == ("phases",) and len(place) >= _ENTRY and error["type"] != "extra_forbidden":
        key = place[_ENTRY] if len(place) > _ENTRY else "key"
        if key in ("key", "for-each", "files"):
            document.broken.add(int(place[1]))
        elif key == "needs":
            document.unread_needs.add(int(place[1]))
    _remove(document.data, place)


def _parent(data: Any, place: Place) -> Any:  # noqa: ANN401
    """Return the mapping or list that holds *place*; None if it is gone."""
    for part in place[:-1]:
        if isinstance(data, dict):
            data = data.get(part)
        else:
            data = data[part] if isinstance(data, list) and isinstance(part, int) and part < len(data) else None
    return data if place else None


def _set(data: Any, place: Place, value: object) -> None:  # noqa: ANN401
    parent = _parent(data, place)
    if isinstance(parent, dict):
        parent[place[-1]] = value


def _remove(data: Any, place: Place) -> None:  # noqa: ANN401
    parent = _parent(data, place)
    if isinstance(parent, dict):
        parent.pop(place[-1], None)
    elif isinstance(parent, list) and isinstance(place[-1], int) and place[-1] < len(parent):
        parent[place[-1]] = _harmless(place)


def _harmless(place: Place) -> object:
    """Return what stands in for an entry of a list, so that the positions of the others stay."""
    if place[0] == "phases":
        return {"key": f"broken-{place[1]}", "title": "broken", "files": {f"broken-{place[1]}": "missing"}}
    return {"run": ["missing"]}


# ---- in plain words

_KINDS = {
    "string_type": "text; put it in quotes if it looks like a number or a date",
    "dict_type": "a mapping ('key: value' lines)",
    "mapping_type": "a mapping ('key: value' lines)",
    "model_type": "a mapping ('key: value' lines)",
    "model_attributes_type": "a mapping ('key: value' lines)",
    "tuple_type": "a list, such as [one, two]",
    "list_type": "a list, such as [one, two]",
    "frozen_set_type": "a list, such as [one, two]",
    "set_type": "a list, such as [one, two]",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
}


def _words(error: ErrorDetails, place: Place) -> str:
    kind, context = error["type"], error.get("ctx", {})
    given = shown(str(error["input"]))
    name = next((each for each in reversed(place) if isinstance(each, str)), "")
    what = f"'{name}'" if place else "a recipe"
    match kind:
        case "missing":
            told = f"{what} is missing{_of(place[:-1])}; add it"
        case "extra_forbidden":
            told = f"unknown key {shown(name)}{_of(place[:-1])}; {nearest(name, _keys(place[:-1]), 'the keys are')}"
        case "literal_error":
            choices = str(context["expected"]).replace("'", "").replace(" or ", ", ").split(", ")
            told = f"{what} can't be {given}; {nearest(str(error['input']), choices, 'it is one of')}"
        case "value_error":
            told = f"{what}: {context.get('error', error['msg'])}"
        case "too_short" | "string_too_short":
            told = f"{what} is empty; it needs at least one {'entry' if kind == 'too_short' else 'character'}"
        case "too_long" | "string_too_long":
            unit = "entries" if kind == "too_long" else "characters"
            told = f"{what} has too many {unit}; the limit is {context['max_length']}"
        case "greater_than_equal":
            told = f"{what} is {given}; it must be at least {context['ge']}"
        case "less_than_equal":
            told = f"{what} is {given}; it must be at most {context['le']}"
        case _ if kind in _KINDS:
            told = f"{what} must be {_KINDS[kind]}, not {_kind_of(error['input'])}"
        case _:
            told = f"{what}: {error['msg']}"
    return told


def _of(place: Place) -> str:
    """Return to what a key belongs: `` of phases``, or nothing at the top."""
    names = [each for each in place if isinstance(each, str)]
    return f" in '{'.'.join(names)}'" if names else ""


def _kind_of(value: object) -> str:
    if value is None:
        return "empty"
    kinds = ((bool, "true or false"), (int | float, "a number"), (str, "text"), (list, "a list"), (dict, "a mapping"))
    found = next((name for kind, name in kinds if isinstance(value, kind)), "a date")
    return f"{found} ({shown(str(value))})" if isinstance(value, str | int | float) else found


def nearest(name: str, known: Sequence[str], what: str) -> str:
    """Return what to write instead of *name*: the most similar of *known*, else all of them, introduced by *what*."""
    near = get_close_matches(name[:_MAX_WORD].lower(), known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"{what}: {', '.join([*known][:20]) or 'none'}"


def _keys(place: Place) -> list[str]:
    """Return the keys that can stand at *place*."""
    kind: Any = RecipeFile
    for part in place:
        if isinstance(part, int):
            continue
        is_model = isinstance(kind, type) and issubclass(kind, BaseModel)
        model = next(_models(kind), None)
        kind = _field(model, part) if model and (is_model or get_origin(kind) is tuple) else model
    model = next(_models(kind), None)
    return [info.alias or name for name, info in model.model_fields.items()] if model else []


def _field(model: type[BaseModel], key: str) -> Any:  # noqa: ANN401
    for name, info in model.model_fields.items():
        if key == (info.alias or name):
            return info.annotation
    return None


def _models(kind: Any) -> Iterator[type[BaseModel]]:  # noqa: ANN401
    """Yield the models in an annotation: ``RecipePhase`` of ``tuple[RecipePhase, ...]``."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
    for each in get_args(kind):
        yield from _models(each)
