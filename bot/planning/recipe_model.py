"""What can stand in ``recipe.yaml``, as data; how its parts fit together, :mod:`bot.planning.recipe_checks` checks."""

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
    model_validator,
)
from pydantic import Field as Setting

from bot.planning.path_rules import output_dir_problem, path_problem
from bot.planning.plan import Option
from bot.planning.text_patterns import pattern_problem
from bot.text import CONTROL, shown

MAX_PHASES = 100
"""How many phases a recipe can list; with *for-each* one stands for many."""
MAX_FILES = 500
MAX_LIST = 200
_MAX_NEEDS = 50
_MAX_OPTION = 1_000
"""Longest text of an option."""
PLANNED = "planned"
USES = "uses"
CHANGES = "changes"
TYPES = "types"
ENTITIES = "entities"
_OLD_ENTITIES = "entity"
_WORD = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*")


def _one_line(text: str) -> str:
    if not text.isprintable() or text != text.strip():
        raise ValueError("it must be one line without leading or trailing spaces")
    return text


Text = Annotated[str, Setting(min_length=1, max_length=200), AfterValidator(_one_line)]


def _word(text: str) -> str:
    if not _WORD.fullmatch(text) or len(text) > 40:  # noqa: PLR2004
        raise ValueError(f"{shown(text)} is not a valid name: use lowercase letters, digits and single '-' or '_'")
    return text


Word = Annotated[str, AfterValidator(_word)]


def _argument(text: str) -> str:
    if "\0" in text:
        raise ValueError("no argument of a program can hold U+0000")
    return text


_Argument = Annotated[str, Setting(min_length=1, max_length=1_000), AfterValidator(_argument)]


def _pattern(text: str) -> str:
    if problem := pattern_problem(text):
        raise ValueError(f"the pattern {shown(text)} can't be used: {problem}")
    return text


def _folder(text: str) -> str:
    if problem := output_dir_problem(text):
        raise ValueError(f"{shown(text)} {problem}")
    return text


def _report(text: str) -> str:
    if text and (problem := path_problem(text)):
        raise ValueError(f"{shown(text)} {problem}")
    return text


def _files(value: object) -> Mapping[str, str] | str:
    if value == PLANNED:
        return PLANNED
    if not isinstance(value, Mapping):
        raise ValueError(f"it must be a mapping of paths to templates, or the word {PLANNED!r}")  # noqa: TRY004
    if not 0 < len(value) <= MAX_FILES:
        raise ValueError(f"it lists {len(value)} files; a phase has 1 to {MAX_FILES}")
    for path, template in value.items():
        if not isinstance(template, str | None):
            raise ValueError(f"{shown(path)} must name a template, or nothing if no template makes it")  # noqa: TRY004
    return {path: template or "" for path, template in value.items()}


def _seen(value: object) -> str | tuple[str, ...]:
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple) and len(value) <= MAX_LIST and all(isinstance(each, str) for each in value):
        return tuple(value)
    raise ValueError("it must be one word, or a list of words such as [names, features]")


def _option_value(value: object) -> Option:
    if isinstance(value, str | bool | int):
        return value
    raise ValueError("it must be text, a number without a point, true or false")


class Part(BaseModel):
    """A part of recipe.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class RecipePhase(Part):
    """One phase, or with *for_each* one per item; ``${name} ${module} ${plural}`` are replaced with the item's."""

    key: Text
    title: Text
    for_each: Text | None = Setting(default=None, alias="for-each")
    """A collection; ``entity`` is the old spelling of ``entities``."""
    needs: Annotated[tuple[Text, ...], Setting(max_length=_MAX_NEEDS)] = ()
    """What must be done first: keys, ``<collection>/*``, keys that end in ``/*``, and ``uses``."""
    sees: Annotated[
        str | tuple[str, ...],
        PlainValidator(_seen),
        PlainSerializer(lambda words: words if isinstance(words, str) else [*words]),
        WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
    ] = "nothing"
    """Which part of the plan a phase sees and so depends on, besides its own item and the project's rules."""
    files: Annotated[
        Mapping[str, str] | str,
        PlainValidator(_files),
        WithJsonSchema(
            {
                "anyOf": [
                    {"type": "object", "minProperties": 1, "additionalProperties": {"type": ["string", "null"]}},
                    {"const": PLANNED},
                ]
            }
        ),
    ]
    """Path in the project → template, in the order in which a reviewer should read them.

    Without a template, a model or a person writes the file.  ``planned`` stands for the item's own list of files.
    """
    when: Text | Annotated[Mapping[Text, Text], Setting(min_length=1, max_length=MAX_FILES)] | None = None
    """The condition on which a plan has this phase; or path → the condition on which it has that file.

    In place of a path, a word of *sees* can stand: the phase sees that part of the plan on the condition.

    See :mod:`bot.planning.recipe_conditions`.
    """
    carries_out: Mapping[Literal["access"], Text] = Setting(default={}, alias="carries-out")
    """What of an entity its templates carry out besides fields → on which condition.

    ``access`` stands for who may do what, and for relations to whoever calls.
    """
    prompt: str | None = None
    """The template below ``prompts/`` for this phase's model prompt."""
    reads: Annotated[tuple[Text, ...], Setting(max_length=_MAX_NEEDS)] = ()
    """Paths or patterns of files, generated by phases it needs, that the model is shown as they are at head.

    ``uses`` stands for all files of the items that its item uses.
    """

    @property
    def collection(self) -> str | None:
        """The collection that has a phase for each of its items."""
        return ENTITIES if self.for_each == _OLD_ENTITIES else self.for_each

    @property
    def conditions(self) -> Mapping[str, str]:
        """Path or seen word → its condition; the path ``""`` stands for the whole phase."""
        return self.when if isinstance(self.when, Mapping) else {"": self.when} if self.when else {}

    @property
    def is_planned(self) -> bool:
        return self.files == PLANNED

    @property
    def templates(self) -> Mapping[str, str]:
        """Path → template, which is empty where there is none."""
        return self.files if isinstance(self.files, Mapping) else {}

    @property
    def seen(self) -> frozenset[str]:
        """What it sees of the plan, in words such as ``names``, ``entities``, ``features/names``, ``options/auth``."""
        if self.for_each == _OLD_ENTITIES and isinstance(self.sees, str):  # so it was before there were other words
            return frozenset() if self.sees == "nothing" else frozenset(("project",))
        words = (self.sees,) if isinstance(self.sees, str) else self.sees
        return frozenset(words) - {"nothing"}


class RecipeOption(Part):
    """One choice that a plan makes: a value that templates and prompts see."""

    type: Literal["choice", "boolean", "integer", "text"]
    default: Annotated[
        Option, PlainValidator(_option_value), WithJsonSchema({"type": ["string", "boolean", "integer"]})
    ]
    about: Text
    """What it is for, in one sentence."""
    choices: Annotated[tuple[Text, ...], Setting(max_length=MAX_LIST)] = ()
    minimum: int | None = None
    maximum: int | None = None
    new: Annotated[
        Option | None, PlainValidator(_option_value), WithJsonSchema({"type": ["string", "boolean", "integer"]})
    ] = None
    """The value that is written into a new plan that does not name the option; older plans keep the default."""
    new_when: Text | None = Setting(default=None, alias="new-when")
    """The condition on which a new plan gets it."""
    needs: Text | None = None
    """The condition on which a plan can have another value than the default."""
    warnings: Annotated[Mapping[Text, Text], Setting(max_length=MAX_LIST)] = {}
    """Value → what people should know if a plan has it."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.new is not None and (problem := self.problem(self.new)):
            raise ValueError(f"its value for new plans {problem}")
        if self.new_when and self.new is None:
            raise ValueError("'new-when' is the condition for 'new', which is missing")
        if (self.type == "choice") != bool(self.choices):
            raise ValueError(
                "'choices' are missing; list them" if self.type == "choice" else "only a choice has 'choices'"
            )
        if self.type != "integer" and (self.minimum is not None or self.maximum is not None):
            raise ValueError("only an integer has 'minimum' and 'maximum'")
        if problem := self.problem(self.default):
            raise ValueError(f"its default {problem}")
        for value in self.warnings:
            if problem := self.problem(self.read(value)):
                raise ValueError(f"'warnings': {problem}")
        return self

    def problem(self, value: Option) -> str | None:
        """Return what is wrong with *value*, in words that continue a sentence that starts with it."""
        kind = {"boolean": bool, "integer": int}.get(self.type, str)
        if type(value) is not kind:
            what = {"boolean": "true or false", "integer": "a number without a point"}.get(self.type, "text")
            return f"{shown(str(value))} is not {what}"
        if isinstance(value, str):
            if self.choices and value not in self.choices:
                return f"{shown(value)} is not one of its choices: {', '.join(self.choices)}"
            if CONTROL.search(value) or len(value) > _MAX_OPTION:
                return f"{shown(value)} holds hidden characters, or more than {_MAX_OPTION:,}"
        elif (self.minimum is not None and value < self.minimum) or (self.maximum is not None and value > self.maximum):
            least, most = ("" if limit is None else limit for limit in (self.minimum, self.maximum))
            return f"{value} is outside {least}..{most}"
        return None

    def read(self, text: str) -> Option:
        """Return the value that *text* stands for, such as the one after ``--option NAME=``; *text* if for none."""
        plain = text.strip().lower()
        if self.type == "boolean":
            return {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}.get(plain, text)
        is_number = self.type == "integer" and plain.removeprefix("-").isdecimal() and len(plain) < 20  # noqa: PLR2004
        return int(plain) if is_number else text


class RecipeCollection(Part):
    """A list in the plan besides the entities."""

    singular: Word
    about: Text
    max: Annotated[int, Setting(ge=1)] = 500


class NameLimits(Part):
    """What names of entities and other items have to be like, besides the rules for all recipes."""

    length: Annotated[int, Setting(ge=1)] | None = Setting(default=None, alias="max-length")
    matches: Annotated[str, AfterValidator(_pattern)] | None = None


class RecipeLimits(Part):
    """Limits of what a plan of the recipe can hold."""

    names: NameLimits = NameLimits()


class VerifyCommand(Part):
    """A command that proves a generated project."""

    run: Annotated[tuple[_Argument, ...], Setting(min_length=1, max_length=MAX_LIST)]
    """The program and its arguments; no shell reads them."""
    folder: Annotated[str, AfterValidator(_folder)] = "."
    """Where it runs, in the project."""
    seconds: Annotated[int, Setting(ge=1, le=3_600)] = 300
    findings: Literal["ruff-json", "junit", "sarif", "plain"] = "plain"
    """How its findings are read."""
    report: Annotated[str, AfterValidator(_report)] = ""
    """The file in the project that it writes its findings to; without one, they are what it prints."""
    network: bool = False
    """Whether it may use the network, as the step that installs what the others need."""


class TryIt(Part):
    """What people type in the project's folder to try a generated project; they are shown, never run."""

    run: Annotated[tuple[Text, ...], Setting(max_length=MAX_LIST)] = ()
    """What starts it, line by line."""
    see: Text | None = None
    """What to open then, such as an address."""
    test: Annotated[tuple[Text, ...], Setting(max_length=MAX_LIST)] = ()
    """What runs its tests, after *run*."""


class RecipePrompts(Part):
    """Prompts of the whole recipe."""

    system: str
    """The system prompt for every phase: layout and conventions.  It contains nothing from the plan."""
    plan: str
    """The system prompt for turning a prose description into a plan."""


class ReservedNames(Part):
    """Names that no entity or field can have."""

    entities: frozenset[str] = frozenset()
    fields: frozenset[str] = frozenset()
    plurals: frozenset[str] = frozenset()


class RecipeFile(Part):
    """The whole of recipe.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid", title="Recipe of Phasebot (recipe.yaml)")
    version: ClassVar[int] = 2

    name: Text
    description: str = ""
    options: Annotated[Mapping[Word, RecipeOption], Setting(max_length=MAX_LIST)] = {}
    collections: Annotated[Mapping[Word, RecipeCollection], Setting(max_length=MAX_LIST)] = {}
    limits: RecipeLimits = RecipeLimits()
    reserved: ReservedNames = ReservedNames()
    shared: tuple[str, ...] = ()
    """Templates that others import; all phases depend on them."""
    prompts: RecipePrompts | None = None
    phases: Annotated[tuple[RecipePhase, ...], Setting(min_length=1, max_length=MAX_PHASES)]
    verify: Annotated[tuple[VerifyCommand, ...], Setting(max_length=MAX_LIST)] = ()
    try_it: TryIt = Setting(default=TryIt(), alias="try")
    language: Annotated[Mapping[Text, Word], Setting(max_length=MAX_LIST)] = {}
    """Pattern of paths → language, so that static checks know what to parse."""


def schema() -> dict[str, Any]:
    """Return the JSON Schema of recipe.yaml, for editors."""
    return RecipeFile.model_json_schema(by_alias=True) | {"$schema": "https://json-schema.org/draft/2020-12/schema"}


def schema_text() -> str:
    """Return the text of ``recipe.schema.json``."""
    return json.dumps(schema(), indent=2, ensure_ascii=False, sort_keys=True) + "\n"


if __name__ == "__main__":
    print(schema_text(), end="")  # noqa: T201
