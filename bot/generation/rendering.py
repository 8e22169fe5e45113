"""Render a recipe's templates, for project files and for model prompts.

Recipes are untrusted, so templates run in jinja's sandbox, in a child process with limits, and see only plain values.
Text from a plan is untrusted, too, so templates use the quoting filters.  The child imports this module, so it imports
little.
"""

import datetime as dt
import json
import re
import uuid
from collections.abc import Collection, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from bot.planning import names
from bot.planning.plurals import plural
from bot.sandbox.protocol import Failure, Run
from bot.secret_scan import find_secret
from bot.text import all_newlines, find_hidden, is_printable, is_prose_file, one_line, without_hidden

if TYPE_CHECKING:
    from bot.generation.template_limits import BoundedEnvironment
    from bot.planning.entities import Entity, Field
    from bot.planning.phases import Phase
    from bot.planning.plan import Plan
    from bot.planning.recipe import Recipe
    from bot.planning.samples import FieldSamples

_MAX_REASON = 500
_NO_TEMPLATE = "no template makes this file; a model or a person has to write it"


class _EntityName:
    """An entity as other entities' templates see it: its name only."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.module = names.module_name(name)
        self.plural = self.table = plural(names.snake_case(name))
        self.order = re.sub(r"\d+", lambda digits: digits[0].zfill(20), self.module)
        """Sort key that orders modules as import sorters do: numbers by value."""


class _FieldView:
    """A field as templates see it."""

    def __init__(self, field: "Field", target: "Entity | None" = None) -> None:
        self.name = field.name
        self.type = field.type
        self.column = field.column
        self.unique = field.unique
        self.index = field.index
        self.optional = field.optional
        self.has_default = field.has_default
        self.default = field.default_value
        self.choices = field.choices
        self.is_relation = field.is_relation
        self.target = _named(target) if target else None
        self.minimum, self.maximum = (_limit(field, limit) for limit in (field.minimum, field.maximum))
        self.digits, self.places, self.pattern = field.digits, field.places, field.pattern
        self.secret, self.is_password = field.secret, field.is_password
        self.auto, self.doc, self.was = field.auto, field.doc, field.was
        self.on_delete, self.many = field.on_delete, field.many
        self.samples: tuple[Any, ...] = ()
        self.accepted: tuple[Any, ...] = ()
        self.refused: tuple[Any, ...] = ()
        self.numbered: tuple[str, int, str] | None = None
        self.is_exclusive = False

    def sample(self, found: "FieldSamples", exclusive: Collection[str]) -> None:
        """Take values for tests; *exclusive* names the relations that need another row in each sample."""
        self.samples, self.accepted, self.refused = found.values, found.accepted, found.refused
        self.numbered, self.is_exclusive = found.numbered, self.name in exclusive


def _limit(field: "Field", text: str | None) -> int | float | Decimal | None:
    """Return a limit as a number of the field's type; lengths are whole numbers."""
    if text is None:
        return None
    if field.type == "decimal":
        return Decimal(text)
    return float(text) if field.type == "float" else int(text)


class _EntityView(_EntityName):
    """An entity as its own phase sees it."""

    def __init__(self, entity: "Entity", others: Mapping[str, "Entity"]) -> None:
        """*others* are the plan's entities, of which this one sees plural and table."""
        from bot.planning.samples import entity_samples

        super().__init__(entity.name)
        self.plural, self.table = entity.plural, entity.table
        self.fields = tuple(_FieldView(field, others.get(field.target or "")) for field in entity.fields)
        by_name = {field.name: field for field in self.fields}
        self.unique = tuple(tuple(by_name[name] for name in group) for group in entity.unique or ())
        self.index = tuple(tuple(by_name[name] for name in group) for group in entity.index)
        self.rules = entity.rules
        self.access = {verb: tuple(who) for verb, who in entity.access.items()}
        samples = entity_samples(entity)
        self.rows = samples.rows
        for field, found in zip(self.fields, samples.fields, strict=True):
            field.sample(found, samples.exclusive)


def _named(entity: "Entity") -> _EntityName:
    """Return *entity* as others see it."""
    view = _EntityName(entity.name)
    view.plural, view.table = entity.plural, entity.table
    return view


class _UsedName(_EntityName):
    """What an item uses, as the item sees it."""

    def __init__(self, name: str, collection: str) -> None:
        super().__init__(name)
        self.collection = collection


class _ItemView(_EntityName):
    """An item of a collection such as features, as phases see it; *content* is its part of a slice."""

    def __init__(self, content: Mapping[str, Any], collections: Mapping[str, str] | None = None) -> None:
        """*collections* says of which collection each item is that it uses; without it, they are not shown."""
        super().__init__(content["name"])
        self.does = content.get("does", "")
        self.rules = tuple(content.get("rules", ()))
        self.files = tuple(content.get("files", ()))
        self.uses = tuple(_UsedName(name, collections[name]) for name in content.get("uses", ()) if collections)


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
    what = str(what).replace(f"{__name__}._", "")
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


def phase_context(plan: "Plan", phase: "Phase") -> dict[str, Any]:
    """Return the template variables of *phase*: only its slice of the plan, because its digest covers just that."""
    content = phase.slice
    context: dict[str, Any] = {}
    if "project" in content:
        context["project"] = {"name": plan.project, "slug": plan.slug, "description": content.get("description", "")}
    by_name = {entity.name: entity for entity in plan.entities}
    if "entity" in content:
        context["entity"] = _EntityView(by_name[content["entity"]["name"]], by_name)
    if "entities" in content:
        context["entities"] = [
            _EntityName(each) if isinstance(each, str) else _EntityView(by_name[each["name"]], by_name)
            for each in content["entities"]
        ]
    return context | _items_context(plan, phase, by_name)


def _items_context(plan: "Plan", phase: "Phase", entities: "Mapping[str, Entity]") -> dict[str, Any]:
    """Return the variables about items of other collections than entities, options and rules."""
    content = phase.slice
    context: dict[str, Any] = {**phase.implied, "rules": list(content.get("rules", ()))}
    if "options" in phase.implied:
        context["options"] = {**phase.implied["options"], **content.get("options", {})}
    for name in plan.collections:
        if name in content:
            context[name] = [_view(each, entities) for each in content[name]]
    if "item" in content:
        used = content.get("uses", {})
        names = {_name(each): collection for collection, listed in used.items() for each in listed}
        context["item"] = _ItemView(content["item"], names)
        context["uses"] = {name: [_view(each, entities) for each in listed] for name, listed in used.items()}
    return context


def _name(seen: str | Mapping[str, Any]) -> str:
    return seen if isinstance(seen, str) else str(seen["name"])


def _view(seen: str | Mapping[str, Any], entities: "Mapping[str, Entity]") -> _EntityName:
    """Return the view of what stands in a slice: a name, an item, or an entity, which has fields."""
    if isinstance(seen, str):
        return _EntityName(seen)
    return _EntityView(entities[seen["name"]], entities) if "fields" in seen else _ItemView(seen)


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
