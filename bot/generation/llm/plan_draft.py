"""A plan that grows by what a model's answers say.  What can't be added is a fault; all faults are told at once."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from bot.planning.entities import Entity, Field, Item, Line
from bot.planning.entity_grammar import Option as EntityOption
from bot.planning.entity_grammar import attributes
from bot.planning.field_grammar import read_field
from bot.planning.plan import Option, Plan
from bot.planning.plan_checks import MAX_PROBLEMS, Reserved, find_problems, suggestion
from bot.text import one_line, shown

MAX_INSTRUCTION = 4_000
"""Longest instruction, in characters."""
PROJECT = "project"
"""The owner of a rule of the whole project; so is an empty text."""
_MAX_FAULT = 400
_TOLD = 3
"""How many faults a person is told."""
_LINE: TypeAdapter[str] = TypeAdapter(Line)

T = TypeVar("T")
Owner = TypeVar("Owner", Entity, Item)


class PlanRefused(Exception):
    """A model's plan breaks rules, which the model can mend."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = [one_line(fault, _MAX_FAULT) for fault in list(dict.fromkeys(faults))[:MAX_PROBLEMS]]
        more = f"; and {len(self.faults) - _TOLD} more" if len(self.faults) > _TOLD else ""
        super().__init__("; ".join(self.faults[:_TOLD]) + more)


class PlanDraft:
    """What a plan consists of, while answers add to it."""

    def __init__(self, base: Plan | None = None) -> None:
        """Start with the plan *base*, or with none."""
        self.entities: list[Entity] = list(base.entities) if base else []
        self.items: dict[str, list[Item]] = {key: list(each) for key, each in base.collections.items()} if base else {}
        self._rules: list[str] = list(base.rules) if base else []
        self._left_out: list[str] = list(base.left_out) if base else []
        self.instructions: dict[str, str] = dict(base.instructions) if base else {}
        self.options: dict[str, Option] = dict(base.options) if base else {}
        self.faults: list[str] = []
        self._unread: set[str] = set()
        """Entities of which a part could not be read, so that other problems with them may be none."""

    @property
    def names(self) -> Sequence[str]:
        """The names of all entities and items."""
        return [entity.name for entity in self.entities] + [
            each.name for items in self.items.values() for each in items
        ]

    def add_entity(
        self, name: str, fields: Iterable[str | Mapping[str, object]], lines: Collection[EntityOption] = ()
    ) -> None:
        """Add an entity; a field is a line of the grammar, or its properties, and *lines* stand below the entity."""
        place = f"entities.{len(self.entities)}"
        read = [self._read_field(name, field, f"{place}.fields.{at}") for at, field in enumerate(fields)]
        known = tuple(field for field in read if field)
        more = self._read(lambda: attributes(lines, [field.name for field in known]), name)
        entity = self._read(lambda: Entity.model_validate({"name": name, "fields": known, **(more or {})}), place)
        if entity is None or more is None or not all(read):
            self._unread.add(name)
        self.entities.append(entity or Entity.model_validate({"name": name, "fields": known}))

    def add_field(self, owner: str, line: str) -> None:
        """Add a field to an entity, which may be new."""
        field = self._read_field(owner, line, "")
        if field is None:
            return
        add: Callable[[Entity], Entity] = lambda old: old.model_copy(update={"fields": (*old.fields, field)})  # noqa: E731
        if not _replace(self.entities, owner, add):
            self.entities.append(Entity(name=owner, fields=(field,)))

    def add_item(self, collection: str, name: str, **more: object) -> None:
        """Add an item to a collection; where it has one of that name, add to that."""
        items = self.items.setdefault(collection, [])
        new = self._read(lambda: Item.model_validate({"name": name, **more}), f"{collection}.{len(items)}")
        if new and not _replace(items, name, lambda old: _merge(old, new)):
            items.append(new)

    def add_rule(self, owner: str, text: str) -> None:
        """Add a rule to an entity, an item or the project."""
        rule = self._read(lambda: _LINE.validate_python(text), f"rules of {owner or PROJECT}")
        if rule is None:
            return
        if owner in ("", PROJECT):
            _append(self._rules, rule)
        elif not _replace(self.entities, owner, lambda old: _with_rule(old, rule)) and not any(
            _replace(items, owner, lambda old: _with_rule(old, rule)) for items in self.items.values()
        ):
            self.faults.append(f"a rule is for {shown(owner)}, which the plan does not have; {self.near(owner)}")

    def leave_out(self, text: str) -> None:
        """Add what is not built."""
        if line := self._read(lambda: _LINE.validate_python(text), "left_out"):
            _append(self._left_out, line)

    def instruct(self, phase: str, text: str) -> None:
        """Add an instruction for a phase to what it has already."""
        known = self.instructions.get(phase, "")
        if (text := text.strip()) and text not in known:
            self.instructions[phase] = text = f"{known}\n{text}".strip()
        if len(text) > MAX_INSTRUCTION:
            self.faults.append(
                f"the instruction for {phase} has {len(text):,} characters; the limit is {MAX_INSTRUCTION:,}: "
                "write rules instead, one sentence each"
            )

    def near(self, name: str) -> str:
        """Return what to do about a *name* that is not known."""
        return suggestion(self.names, name)

    def plan(self, settings: Mapping[str, object], reserved: Reserved) -> Plan:
        """Return the plan; *settings* are its other keys, *reserved* the names that the recipe keeps for itself.

        Raises:
            PlanRefused: It breaks rules.
        """
        faults, plan = list(self.faults), None
        problems = find_problems(self.entities, reserved, self.items)
        faults += [str(problem) for problem in problems if problem.entity not in self._unread]
        if not self.names:
            faults.append("it has no entities")
        whole: dict[str, Any] = {
            **settings,
            "instructions": self.instructions,
            "options": self.options,
            "rules": tuple(self._rules),
            "left-out": tuple(self._left_out),
        }
        collections = {name: tuple(items) for name, items in self.items.items() if items}
        lists = {} if faults else {"entities": tuple(self.entities), "collections": collections}
        try:
            plan = Plan.model_validate(whole | lists)
        except ValidationError as exc:
            faults += faults_of(exc)
        if faults or plan is None:
            raise PlanRefused(faults)
        return plan

    def _read_field(self, entity: str, field: str | Mapping[str, object], place: str) -> Field | None:
        if isinstance(field, str):
            return self._read(lambda: read_field(field)[0], f"{entity}: field {shown(field)}")
        return self._read(lambda: Field.model_validate(field), place)

    def _read(self, read: Callable[[], T], place: str) -> T | None:
        try:
            return read()
        except ValidationError as exc:
            self.faults += faults_of(exc, place)
        except ValueError as exc:
            self.faults.append(f"{place}: {exc}")
        return None


def faults_of(exc: ValidationError, place: str = "") -> Sequence[str]:
    """Return what is wrong, each with its place, which begins with *place*."""
    faults = []
    for error in exc.errors(include_url=False, include_context=False, include_input=False)[:MAX_PROBLEMS]:
        where = ".".join(filter(None, (place, *map(str, error["loc"]))))
        message = error["msg"].removeprefix("Value error, ")
        faults.append(f"{where}: {message}" if where else message)
    return faults


def _replace(owners: list[Owner], name: str, change: Callable[[Owner], Owner]) -> bool:
    for at, owner in enumerate(owners):
        if owner.name == name:
            owners[at] = change(owner)
            return True
    return False


def _with_rule(owner: Owner, rule: str) -> Owner:
    return owner.model_copy(update={"rules": tuple(dict.fromkeys((*owner.rules, rule)))})


def _merge(old: Item, new: Item) -> Item:
    both = {key: tuple(dict.fromkeys((*getattr(old, key), *getattr(new, key)))) for key in ("uses", "rules", "files")}
    does = old.does if new.does in old.does else f"{old.does}\n{new.does}".strip()
    return old.model_copy(update=both | {"does": does})


def _append(lines: list[str], line: str) -> None:
    if line not in lines:
        lines.append(line)
