"""A model's answers about a plan: the form in which they come, and what they say to a draft of the plan."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, TypeVar

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Tag,
    ValidationError,
    model_validator,
)
from pydantic import Field as Setting

from bot.generation.llm.plan_draft import PROJECT, PlanDraft, faults_of
from bot.generation.llm.response_parser import parse_json
from bot.planning.entity_grammar import Option, format_access
from bot.planning.recipe import Recipe
from bot.planning.recipe_fit import collections_of, has_entities
from bot.text import one_line, shown

_MAX_REASON = 300
_WORD = re.compile(r"\w+")
_PLACES = (PROJECT, "description", "rules", "left_out", "left-out", "options", "instructions")
"""Where a plan can have a sentence, besides entities and items."""

Model = TypeVar("Model", bound=BaseModel)


def _listed(content: object) -> object:
    return [content] if isinstance(content, str) else content


def _as_text(content: object) -> object:
    """Return a flag or a number as the grammar writes it."""
    return json.dumps(content) if isinstance(content, bool | int | float) else content


def _as_list(content: object) -> object:
    """Return ``{phase: text}`` as a list of instructions."""
    return [{"phase": key, "text": text} for key, text in content.items()] if isinstance(content, dict) else content


_Text = Annotated[str, BeforeValidator(_as_text)]
_Lines = Annotated[tuple[str, ...], BeforeValidator(_listed)]
_Groups = Annotated[tuple[_Lines, ...], BeforeValidator(_listed)]


class _Received(BaseModel):
    """Part of a model's answer: null means absent, and other keys are ignored."""

    @model_validator(mode="before")
    @classmethod
    def _leave_out_null(cls, content: object) -> object:
        if not isinstance(content, dict):
            return content
        return {key: value for key, value in content.items() if value is not None}


class _Field(_Received):
    """A field by its properties, as models write it that don't follow the schema."""

    model_config = ConfigDict(extra="ignore")

    name: str
    type: str
    unique: bool = False
    index: bool = False
    optional: bool = False
    default: _Text | None = None
    choices: tuple[str, ...] | None = None
    target: str | None = None
    minimum: _Text | None = None
    maximum: _Text | None = None
    digits: int | None = None
    places: int | None = None
    pattern: str | None = None
    secret: bool = False
    auto: str | None = None
    doc: str | None = None
    on_delete: str | None = None
    many: bool = False

    def content(self) -> dict[str, Any]:
        return {key: value for key, value in self if value not in (None, "", ())}


_FieldForm = Annotated[
    Annotated[str, Tag("line")] | Annotated[_Field, Tag("object")],
    Discriminator(lambda field: "object" if isinstance(field, dict) else "line"),
]


class _Entity(_Received):
    name: str
    fields: tuple[_FieldForm, ...] | None = None
    unique: _Groups = ()
    index: _Groups = ()
    plural: str = ""
    table: str = ""
    access: str | Mapping[str, _Lines] = ""
    rules: _Lines = ()
    instruction: str = ""

    def field_names(self) -> Sequence[str]:
        lines = [field if isinstance(field, str) else field.name for field in self.fields or ()]
        return [line.split(maxsplit=1)[0] for line in lines if line.strip()]

    def lines(self) -> Sequence[Option]:
        """Return what it says besides its fields as the lines below an entity."""
        access = self.access if isinstance(self.access, str) else format_access(self.access)
        settings = {"plural": self.plural, "table": self.table, "access": access}
        return [
            *(Option("unique", ", ".join(group)) for group in self.unique),
            *(Option("index", ", ".join(group)) for group in self.index),
            *(Option(kind, text) for kind, text in settings.items() if text.strip()),
            *(Option("rule", rule) for rule in _filled(self.rules)),
        ]


class _Item(_Received):
    name: str
    does: str = ""
    uses: _Lines = ()
    rules: _Lines = ()
    files: _Lines = ()


class _Instruction(_Received):
    phase: str
    text: str


class Proposal(_Received):
    """A plan, or what an exact plan gets from the prose beside it."""

    project: str = ""
    description: str = ""
    entities: tuple[_Entity, ...]
    collections: Mapping[str, tuple[_Item, ...]] = {}
    rules: _Lines = ()
    left_out: _Lines = Setting(default=(), validation_alias=AliasChoices("left_out", "left-out"))
    options: Mapping[str, str | bool | int] = {}
    instructions: Annotated[tuple[_Instruction, ...], BeforeValidator(_as_list)] = ()

    def add_to(self, draft: PlanDraft) -> None:
        """Add a whole plan to a draft that has none."""
        for entity in self.entities:
            fields = [field if isinstance(field, str) else field.content() for field in entity.fields or ()]
            draft.add_entity(entity.name, fields, entity.lines())
        draft.options |= self.options
        self._add_rest(draft)

    def add_beside(self, draft: PlanDraft) -> None:
        """Add what came of prose to a draft whose entities are exact: they get rules, and no field."""
        fields = {entity.name: {field.name for field in entity.fields} for entity in draft.entities}
        for entity in self.entities:
            if entity.name not in fields:
                draft.faults.append(
                    f"{shown(entity.name)} is not an entity of the plan, which gets none; {draft.near(entity.name)}; "
                    "what needs another entity goes to left_out"
                )
                continue
            for name in entity.field_names():
                if name not in fields[entity.name]:
                    draft.faults.append(
                        f"{entity.name}: its fields are exact, and {shown(name)} is none of them; "
                        "what needs another field goes to left_out"
                    )
            for rule in _filled(entity.rules):
                draft.add_rule(entity.name, rule)
        self._add_rest(draft)

    def _add_rest(self, draft: PlanDraft) -> None:
        for entity in self.entities:
            draft.instruct(f"entity/{entity.name}", entity.instruction)
        for collection, items in self.collections.items():
            for item in items:
                more = {"uses": _filled(item.uses), "rules": _filled(item.rules), "files": _filled(item.files)}
                draft.add_item(collection, item.name, does=item.does, **more)
        for rule in _filled(self.rules):
            draft.add_rule(PROJECT, rule)
        for line in _filled(self.left_out):
            draft.leave_out(line)
        for instruction in self.instructions:
            draft.instruct(instruction.phase, instruction.text)


class _Sentence(_Received):
    number: int
    kind: str
    of: str = ""
    text: str = ""
    uses: _Lines = ()
    files: _Lines = ()


class Coverage(_Received):
    """What a model says about each sentence of a spec: where the plan has it, or what has to be added."""

    sentences: tuple[_Sentence, ...]

    def add_to(self, draft: PlanDraft, count: int, recipe: Recipe, *, exact: bool) -> None:
        """Add to a draft what is not covered; every one of *count* sentences needs an answer."""
        known, collections = {*draft.names, *_PLACES}, collections_of(recipe)
        for each in self.sentences:
            place = f"sentence {each.number}"
            if not 1 <= each.number <= count:
                draft.faults.append(f"{place} does not exist; the last one is {count}")
            elif each.kind == "covered" and known.isdisjoint(_WORD.findall(each.of)):
                draft.faults.append(f"{place}: it is not covered by {shown(each.of)}, which the plan does not have")
            elif each.kind not in ("covered", "background"):
                self._add(draft, each, collections, exact=exact)
        if missing := sorted(set(range(1, count + 1)) - {each.number for each in self.sentences}):
            draft.faults.append(f"there is no answer for the sentences {', '.join(map(str, missing))}")

    def _add(self, draft: PlanDraft, each: _Sentence, collections: Sequence[str], *, exact: bool) -> None:
        place = f"sentence {each.number}"
        if not each.text.strip():
            draft.faults.append(f"{place}: it is a {shown(each.kind)}, so 'text' has to say it")
        elif each.kind == "rule":
            draft.add_rule(each.of, each.text)
        elif each.kind == "left_out":
            draft.leave_out(each.text)
        elif each.kind == "instruction":
            draft.instruct(each.of, each.text)
        elif each.kind in collections:
            draft.add_item(each.kind, each.of, does=each.text, uses=_filled(each.uses), files=_filled(each.files))
        elif each.kind == "field" and exact:
            draft.faults.append(f"{place}: the entities are exact and get no field; make it a rule, or left_out")
        elif each.kind == "field":
            draft.add_field(each.of, each.text)
        else:
            kinds = [
                "covered",
                "background",
                "rule",
                "instruction",
                "left_out",
                *collections,
                *([] if exact else ["field"]),
            ]
            draft.faults.append(f"{place}: kind {shown(each.kind)} is not known; use one of: {', '.join(kinds)}")


def read_proposal(text: str, recipe: Recipe, *, exact: bool) -> Proposal:
    """Read the plan of an answer, or what it adds to an *exact* one; the collections of *recipe* are keys of it.

    Raises:
        ValueError: It is no plan.
    """
    content = parse_json(text)
    if isinstance(content, dict):
        content["collections"] = {key: content[key] for key in collections_of(recipe) if content.get(key)}
        if (exact or not has_entities(recipe)) and content.get("entities") is None:
            content["entities"] = []
    proposal = _validate(Proposal, content, "a plan")
    if not exact and (bare := next((each.name for each in proposal.entities if each.fields is None), None)):
        raise ValueError(f"it is not a plan: {one_line(bare, _MAX_REASON)} has no fields")
    return proposal


def read_coverage(text: str) -> Coverage:
    """Read what an answer says about sentences.

    Raises:
        ValueError: It says nothing about them.
    """
    return _validate(Coverage, parse_json(text), "a list of sentences")


def _validate(model: type[Model], content: object, what: str) -> Model:
    try:
        return model.model_validate(content)
    except ValidationError as exc:
        raise ValueError(f"it is not {what}: {one_line(faults_of(exc)[0], _MAX_REASON)}") from exc


def _filled(lines: Iterable[str]) -> tuple[str, ...]:
    return tuple(line for line in lines if line.strip())
