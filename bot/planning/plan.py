"""The plan: what will be built, as data.

Every plan is validated by these models, whether a person, a file or a model wrote it, so every :class:`Plan` object
is valid.  :func:`find_problem` also checks the names that a recipe reserves, which only the recipe knows.
"""

import keyword
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Literal, NamedTuple, Self, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, field_validator, model_validator
from pydantic import Field as Setting

from bot.planning import names
from bot.planning.field_defaults import Default, parse_default
from bot.planning.path_rules import normal_output_dir, output_dir_problem
from bot.text import CONTROL, shown

MAX_ENTITIES = 500
MAX_FIELDS = 200
MAX_CHOICES = 200
PROJECT_LIMIT = 100

Scalar = Literal[
    "string", "text", "integer", "float", "decimal", "boolean", "date", "datetime", "uuid", "email", "url", "json"
]
FieldType = Literal[Scalar, "enum", "relation"]
SCALARS: tuple[str, ...] = get_args(Scalar)

_CHOICE = re.compile(r"[A-Za-z0-9_.-]+")


def _clean(text: str) -> str:
    if bad := CONTROL.search(text):
        raise ValueError(f"it holds the character U+{ord(bad[0]):04X}; remove it")
    return text


def _one_line(text: str) -> str:
    line = " ".join(_clean(text).split())
    if not line:
        raise ValueError("it is empty; write at least one word")
    return line


_Line = Annotated[str, AfterValidator(_one_line)]
_Prose = Annotated[str, AfterValidator(lambda text: _clean(text).strip())]


class Problem(NamedTuple):
    """What is wrong, and where: in a field, in an entity (*field* is None) or in the whole plan (both are None)."""

    entity: str | None
    field: str | None
    message: str

    def __str__(self) -> str:
        place = ".".join(filter(None, (self.entity, self.field)))
        return f"{place}: {self.message}" if place else self.message


class Reserved(NamedTuple):
    """Names that the recipe keeps for itself: no entity or field can have them."""

    entities: frozenset[str] = frozenset()
    fields: frozenset[str] = frozenset()


NOTHING_RESERVED = Reserved()


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Field(_Frozen):
    """One field of an entity: a column, or a relation to another entity."""

    name: str
    type: FieldType
    unique: bool = False
    index: bool = False
    optional: bool = False
    default: str | None = None
    """The default as written in the grammar (``false``, ``9.99``, ``now``), without quotes."""
    choices: tuple[str, ...] = ()
    target: str | None = None

    @property
    def is_relation(self) -> bool:
        return self.type == "relation"

    @property
    def column(self) -> str:
        """The name of the database column; for a relation it ends in ``_id``."""
        return f"{self.name}_id" if self.is_relation else self.name

    @property
    def has_default(self) -> bool:
        return self.default is not None

    @property
    def default_value(self) -> Default:
        """The default as a Python value of the field's type; ``now`` and ``today`` stay strings."""
        return None if self.default is None else parse_default(self.type, self.default, self.choices)


class Entity(_Frozen):
    """One kind of record in the project, with its fields in order."""

    name: str
    fields: tuple[Field, ...]

    @property
    def module(self) -> str:
        return names.module_name(self.name)

    @property
    def plural(self) -> str:
        return names.plural(names.snake_case(self.name))


class Plan(_Frozen):
    """What will be built.  Entities and fields keep the order in which the person wrote them."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=True)

    project: _Line = Setting(min_length=1, max_length=PROJECT_LIMIT)
    description: _Prose = ""
    recipe: _Line = "fastapi"
    output_dir: str = Setting(default=".", alias="output-dir")
    entities: tuple[Entity, ...]
    instructions: Mapping[_Line, _Prose] = {}
    """Extra instructions from people, by phase key."""

    @property
    def slug(self) -> str:
        return names.slug(self.project)

    @field_validator("output_dir")
    @classmethod
    def _normalize_output_dir(cls, folder: str) -> str:
        if problem := output_dir_problem(folder):
            raise ValueError(f"{shown(folder)} {problem}")
        return normal_output_dir(folder)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if problem := find_problem(self.entities):
            raise ValueError(str(problem))
        return self


def find_problem(entities: Sequence[Entity], reserved: Reserved = NOTHING_RESERVED) -> Problem | None:
    """Return the first problem with the *entities* (names, relations, cycles, limits), or None."""
    return next(_problems(entities, reserved), None)


def _problems(entities: Sequence[Entity], reserved: Reserved) -> Iterator[Problem]:
    if len(entities) > MAX_ENTITIES:
        extra = entities[MAX_ENTITIES].name
        yield Problem(
            extra, None, f"{len(entities)} entities are too many; the limit is {MAX_ENTITIES}: split the project"
        )
    taken: dict[tuple[str, str], str] = {}
    for entity in entities:
        yield from _entity_problems(entity, reserved)
        for place in (("module", entity.module), ("table", entity.plural), ("name", entity.name.lower())):
            if (other := taken.get(place)) == entity.name:
                yield Problem(entity.name, None, f"entity {entity.name} is defined twice; rename one or merge them")
            elif other:
                message = f"entities {other} and {entity.name} would share the {place[0]} {place[1]!r}; rename one"
                yield Problem(entity.name, None, message)
            taken[place] = entity.name
    known = {entity.name for entity in entities}
    for entity in entities:
        for field in entity.fields:
            if field.is_relation and field.target not in known:
                yield Problem(
                    entity.name,
                    field.name,
                    f"relation to unknown entity {shown(field.target or '')}; {_suggestion(known, field.target)}",
                )
    yield from _cycles(entities)


def _suggestion(known: set[str], target: str | None) -> str:
    import difflib

    near = difflib.get_close_matches(target or "", known, n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    return "add an entity of that name, or use one of: " + ", ".join(sorted(known)[:10])


def _entity_problems(entity: Entity, reserved: Reserved) -> Iterator[Problem]:
    if message := _name_problem("entity", entity.name, names.ENTITY_NAME, "BlogPost", reserved.entities):
        yield Problem(entity.name, None, message)
    if not entity.fields:
        yield Problem(
            entity.name, None, f"entity {entity.name} has no fields; write, for example, '- {entity.name}: name string'"
        )
    if len(entity.fields) > MAX_FIELDS:
        yield Problem(
            entity.name, None, f"entity {entity.name} has {len(entity.fields)} fields; the limit is {MAX_FIELDS}"
        )
    columns: set[str] = set()
    for field in entity.fields:
        if message := _name_problem("field", field.name, names.FIELD_NAME, "created_at", reserved.fields):
            yield Problem(entity.name, field.name, message)
        if clash := {field.name, field.column} & columns:
            yield Problem(entity.name, field.name, f"name {min(clash)!r} is used twice in {entity.name}; rename one")
        columns |= {field.name, field.column}
        yield from (Problem(entity.name, field.name, message) for message in _field_problems(field))


def _name_problem(kind: str, name: str, pattern: re.Pattern[str], example: str, reserved: frozenset[str]) -> str | None:
    if not pattern.fullmatch(name):
        shape = (
            "a capital letter, then letters and digits"
            if kind == "entity"
            else "lowercase letters, digits and single '_'"
        )
        return f"{shown(name)} is not a valid {kind} name: use {shape}, such as {example!r}"
    if len(name) > names.NAME_LIMIT:
        return f"name {name[:20]!r}… has {len(name)} characters; the limit is {names.NAME_LIMIT}"
    if keyword.iskeyword(name):
        other = f"{name}_value" if kind == "field" else f"{name}Item"
        return f"{name!r} is a Python keyword; rename the {kind}, for example to {other!r}"
    if name in reserved:
        return f"{name!r} is reserved for the generated project itself; choose another name for the {kind}"
    return None


def _field_problems(field: Field) -> Iterator[str]:
    if field.is_relation and field.default is not None:
        yield "a relation can't have a default; make it optional with '?'"
        return
    if field.type == "enum":
        yield from _choice_problems(field.choices)
    if field.type == "json" and (field.unique or field.index):
        yield "a json field can't be unique or indexed: databases don't compare documents"
    if field.default is not None:
        if bad := CONTROL.search(field.default):
            yield f"its default holds the character U+{ord(bad[0]):04X}; remove it"
        try:
            parse_default(field.type, field.default, field.choices)
        except ValueError as exc:
            yield f"default {shown(field.default)} does not fit type {field.type}: {exc}"


def _choice_problems(choices: Sequence[str]) -> Iterator[str]:
    if not 0 < len(choices) <= MAX_CHOICES:
        yield f"an enum needs 1 to {MAX_CHOICES} choices: enum(draft|published)"
    for choice in choices:
        if not _CHOICE.fullmatch(choice) or len(choice) > names.NAME_LIMIT:
            yield f"enum choice {shown(choice)}: use letters, digits and '_', '-', '.', at most {names.NAME_LIMIT}"
    if len(set(choices)) < len(choices):
        yield "an enum choice appears twice"


def _cycles(entities: Sequence[Entity]) -> Iterator[Problem]:
    """Yield a problem if required relations form a cycle, because then no entity's row could be created first."""
    needs = {e.name: [f for f in e.fields if f.is_relation and not f.optional] for e in entities}
    creatable: set[str] = set()
    while ready := {
        name for name, fields in needs.items() if name not in creatable and all(f.target in creatable for f in fields)
    }:
        creatable |= ready
    stuck = [entity.name for entity in entities if entity.name not in creatable]
    if not stuck:
        return
    path: list[str] = []
    name = stuck[0]
    while name not in path:
        path.append(name)
        field = next((f for f in needs[name] if f.target not in creatable), None)
        if field is None or field.target not in needs:
            return
        name = field.target or ""
    cycle = [*path[path.index(name) :], name]
    field = next(f for f in needs[name] if f.target == cycle[1])
    yield Problem(
        name,
        field.name,
        f"required relations form a cycle: {' -> '.join(cycle)}; no row could be created first, "
        f"so make one relation optional: '{field.name} -> {field.target} ?'",
    )
