"""A parsed but not yet validated spec: what the text contains, and on which lines."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as attribute
from difflib import get_close_matches
from typing import NamedTuple, NoReturn

from pydantic import ValidationError

from bot.errors import UsageError
from bot.planning import field_grammar
from bot.planning.access_notes import find_access_notes
from bot.planning.entities import Entity, Field, Item
from bot.planning.entity_grammar import OPTIONS, Option, attributes
from bot.planning.plan import PROJECT_LIMIT, Plan
from bot.planning.plan import Option as OptionValue
from bot.planning.plan_checks import MAX_PROBLEMS, NOTHING_RESERVED, Reserved, find_problems
from bot.planning.plurals import singular
from bot.text import shown

_MAX_NOTES = 20
_NO_ENTITIES = "with GEMINI_API_KEY set, a model finds them in prose; without"


class Problem(NamedTuple):
    """What is wrong with one line."""

    line: int
    message: str


@dataclass(frozen=True, slots=True)
class DraftEntity:
    """An entity as written in the text; fields and options are ``(text, line)`` pairs."""

    name: str
    line: int
    fields: Sequence[tuple[str, int]]
    options: Sequence[tuple[Option, int]] = ()

    def with_rules(self, rules: Sequence[str]) -> "DraftEntity":
        """Return the entity with more *rules*."""
        return replace(self, options=[*self.options, *((Option("rule", rule), self.line) for rule in rules)])

    def has(self, line: int) -> bool:
        """Whether *line* is one of the entity's."""
        return line == self.line or any(line == at for _, at in (*self.fields, *self.options))


@dataclass(frozen=True, slots=True)
class DraftItem:
    """An item of a collection as written in the text."""

    name: str
    line: int
    does: str = ""
    uses: Sequence[str] = ()
    rules: Sequence[str] = ()
    files: Sequence[str] = ()

    @property
    def item(self) -> Item:
        return Item(
            name=self.name, does=self.does, uses=tuple(self.uses), rules=tuple(self.rules), files=tuple(self.files)
        )


@dataclass(frozen=True, slots=True)
class SpecDraft:
    """A parsed but not yet validated spec."""

    text: str
    source: str
    """What to call the spec in messages: ``the spec blog.md``."""
    project: str = ""
    description: str = ""
    entities: Sequence[DraftEntity] = ()
    recipe: str | None = None
    output_dir: str | None = None
    instructions: Mapping[str, str] = attribute(default_factory=dict)
    options: Mapping[str, OptionValue] = attribute(default_factory=dict)
    collections: Mapping[str, Sequence[DraftItem]] = attribute(default_factory=dict)
    rules: Sequence[str] = ()
    left_out: Sequence[str] = ()
    asks: Sequence[str] = ()
    """Sentences of the prose that ask for something, which only a model can sort into the plan."""
    problems: Sequence[Problem] = ()
    notes: Sequence[tuple[int, str]] = ()
    """What was read differently from how it is written, with its line; 0 stands for none."""
    language: str = ""
    """Of the schema file that the spec is, or holds."""

    def plan(self, *, project: str, recipe: str, output_dir: str, reserved: Reserved = NOTHING_RESERVED) -> Plan:
        """Validate the draft; the arguments are used for what the text does not set.

        Raises:
            UsageError: The draft is not a valid plan; the message has every problem with its line, its text and a fix.
        """
        problems = list(self.problems)
        entities = [self._entity(draft, problems) for draft in self.entities]
        collections = {name: tuple(item.item for item in items) for name, items in self.collections.items()}
        if not problems and not (entities or any(collections.values())):
            raise UsageError(f"{self.source}: it contains no entities; {_NO_ENTITIES}, {field_grammar.HELP}")
        entities = _with_known_targets(entities)
        broken = {draft.name for draft in self.entities if any(draft.has(line) for line, _ in problems)}
        found = find_problems(entities, reserved, collections)
        problems += [
            Problem(self._line(each.entity, each.field), each.message) for each in found if each.entity not in broken
        ]
        self.refuse(problems)
        try:
            return Plan(
                project=(self.project or project)[:PROJECT_LIMIT],
                description=self.description,
                recipe=self.recipe or recipe,
                output_dir=self.output_dir or output_dir,
                entities=tuple(entities),
                instructions=dict(self.instructions),
                options=dict(self.options),
                collections=collections,
                rules=tuple(self.rules),
                left_out=tuple(self.left_out),
            )
        except ValidationError as exc:
            first = exc.errors()[0]
            raise UsageError(
                f"{self.source}: {'.'.join(map(str, first['loc']))}: {first['msg'].removeprefix('Value error, ')}"
            ) from exc

    def told(self) -> Sequence[str]:
        """Return the notes, one for each line, a few at most."""
        lines: dict[int, list[str]] = {}
        for line, note in (*self.notes, *self._field_notes(), *self._entity_notes()):
            lines.setdefault(line, []).append(note)
        told = [f"{self.source}: {note}" for note in dict.fromkeys(lines.pop(0, ()))]
        told += [f"{self.source}, line {line}: {'; '.join(dict.fromkeys(lines[line]))}" for line in sorted(lines)]
        more = (
            [f"{self.source}: {len(told) - _MAX_NOTES} more things were read like this"]
            if len(told) > _MAX_NOTES
            else []
        )
        return [*told[:_MAX_NOTES], *more]

    def unreadable_fields(self) -> Iterator[Problem]:
        """Yield the fields that can't be read."""
        for entity in self.entities:
            for text, line in entity.fields:
                try:
                    field_grammar.parse_field(text)
                except ValueError as exc:
                    yield Problem(line, str(exc))

    def _entity_notes(self) -> Iterator[tuple[int, str]]:
        lines = {draft.name: draft.line for draft in self.entities}
        for note in find_access_notes({each.name: self._entity(each, []) for each in self.entities}):
            yield lines[note.entity], note.text
        for draft in self.entities:
            for option, line in draft.options:
                word = option.text.partition(":")[0].strip().lower() if ":" in option.text else ""
                near = get_close_matches(word, OPTIONS, n=1, cutoff=0.75) if option.kind == "rule" else []
                if near:
                    yield line, f"{shown(option.text)} is taken as a rule; did you mean '{near[0]}:'?"

    def _field_notes(self) -> Iterator[tuple[int, str]]:
        known = {entity.name for entity in self.entities}
        by_word = {name.lower(): name for name in known}
        for entity in self.entities:
            for text, line in entity.fields:
                try:
                    field, notes = field_grammar.read_field(text)
                except ValueError:
                    continue
                yield from ((line, note) for note in notes)
                if field.was and field.was in map(_name, (each for each, _ in entity.fields)):
                    yield line, f"{field.name} was not {field.was}, because {entity.name} still has that field"
                if (target := _known_target(field, known, by_word)) != field.target:
                    yield line, f"{field.target} is {target}"
                if (
                    field.type in ("string", "text")
                    and _SECRET.search(field.name)
                    and not (field.secret or field.is_password)
                ):
                    yield (
                        line,
                        f"{field.name} will be shown to whoever reads it; write 'secret' behind its type to hide it",
                    )

    def _entity(self, draft: DraftEntity, problems: list[Problem]) -> Entity:
        """Read the fields and options of one entity; add what can't be read to *problems*, and leave it out."""
        fields = list[Field]()
        for text, line in draft.fields:
            try:
                fields.append(field_grammar.parse_field(text))
            except ValueError as exc:
                problems.append(Problem(line, str(exc)))
        options = [option for option, _ in draft.options]
        fields, options = _single_groups(fields, options)
        try:
            more = attributes(options, [field.name for field in fields])
            return Entity.model_validate({"name": draft.name, "fields": tuple(fields), **more})
        except ValidationError as exc:
            problems.append(Problem(draft.line, exc.errors()[0]["msg"].removeprefix("Value error, ")))
        except ValueError as exc:
            line = next((at for option, at in draft.options if option.kind == "access"), draft.line)
            problems.append(Problem(line, str(exc)))
        return Entity(name=draft.name, fields=tuple(fields))

    def _line(self, name: str | None, field: str | None) -> int:
        """Return the line of a field, an entity or an item; of the last one if the name is used twice."""
        line = 1
        for item in (each for items in self.collections.values() for each in items):
            line = item.line if item.name == name else line
        for candidate in self.entities:
            if candidate.name == name:
                line = candidate.line
                for text, at in candidate.fields:
                    if field is not None and re.match(re.escape(field) + r"\b", text):
                        line = at
        return line

    def refuse(self, problems: Sequence[Problem]) -> None:
        """Raise a UsageError about *problems*, if there are any."""
        if problems:
            raise refusal(self.source, self.text, problems)

    def fail(self, line: int, message: str) -> NoReturn:
        """Raise a UsageError about *line*."""
        fail_at(self.source, self.text, line, message)


_SECRET = re.compile(
    r"(?:^|_)(?:password_(?:hash|digest|salt)|passwd|pwd|secret|token|api_?key|private_key|pin)(?:_hash)?$"
)
"""Names of fields that people seldom want to be returned."""


def _with_known_targets(entities: Sequence[Entity]) -> list[Entity]:
    """Let relations to ``Users`` mean ``User``, where only that exists."""
    known = {entity.name for entity in entities}
    by_word = {name.lower(): name for name in known}
    changed = []
    for entity in entities:
        fields = tuple(
            field.model_copy(update={"target": _known_target(field, known, by_word)}) if field.target else field
            for field in entity.fields
        )
        changed.append(entity if fields == entity.fields else entity.model_copy(update={"fields": fields}))
    return changed


def _name(text: str) -> str:
    """Return the name of a field as it is written."""
    return text.split(maxsplit=1)[0].rstrip(":") if text.strip() else ""


def _known_target(field: Field, known: Collection[str], by_word: Mapping[str, str]) -> str | None:
    if field.target is None or field.target in known:
        return field.target
    return by_word.get(singular(field.target.lower()), field.target)


def _single_groups(fields: Sequence[Field], options: Sequence[Option]) -> tuple[list[Field], list[Option]]:
    """Write ``unique email``, which is about one field, as a property of that field."""
    kept, changed = [], {field.name: field for field in fields}
    for option in options:
        name = option.text.strip()
        if option.kind in ("unique", "index") and name in changed:
            changed[name] = changed[name].model_copy(update={option.kind: True})
        else:
            kept.append(option)
    once = Counter(field.name for field in fields)
    return [changed[field.name] if once[field.name] == 1 else field for field in fields], kept


def refusal(source: str, text: str, problems: Sequence[Problem]) -> UsageError:
    """Return the error about *problems*, each with its line of *text*; the first few if there are many."""
    lines = text.splitlines()
    told = [
        f"line {line}: {shown(lines[line - 1].strip() if 0 < line <= len(lines) else '')}: {message}"
        for line, message in sorted(dict.fromkeys(problems), key=lambda each: each[0])
    ]
    if len(told) == 1:
        return UsageError(f"{source}, {told[0]}")
    more = [f"and {len(told) - MAX_PROBLEMS} more"] if len(told) > MAX_PROBLEMS else []
    return UsageError("\n  ".join([f"{source}: {len(told)} problems", *told[:MAX_PROBLEMS], *more]))


def fail_at(source: str, text: str, line: int, message: str) -> NoReturn:
    """Raise a UsageError about one *line* of *text*; the message quotes the line."""
    raise refusal(source, text, [Problem(line, message)])


def locate_fields(body: str, line: int) -> list[tuple[str, int]]:
    """Split the *body* of an entity that starts on *line* into fields, each with its own line.

    Raises:
        ValueError: The body can't be split.
    """
    fields = field_grammar.split_fields(body) if body.strip() else []
    located, end = [], 0
    for field in fields:
        start = body.index(field, end)
        line += body.count("\n", end, start)
        located.append((field.replace("\n", " "), line))
        end = start + len(field)
        line += field.count("\n")
    return located
