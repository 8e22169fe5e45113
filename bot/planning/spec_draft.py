"""A parsed but not yet validated spec: what the text contains, and on which lines."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as attribute
from typing import NoReturn

from pydantic import ValidationError

from bot.errors import UsageError
from bot.planning import field_grammar
from bot.planning.entities import Entity, Field
from bot.planning.plan import PROJECT_LIMIT, Plan
from bot.planning.plan_checks import NOTHING_RESERVED, Reserved, find_problems
from bot.text import shown


@dataclass(frozen=True, slots=True)
class DraftEntity:
    """An entity as written in the text; fields are ``(text, line)`` pairs."""

    name: str
    line: int
    fields: Sequence[tuple[str, int]]


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

    def plan(self, *, project: str, recipe: str, output_dir: str, reserved: Reserved = NOTHING_RESERVED) -> Plan:
        """Validate the draft; the arguments are used for what the text does not set.

        Raises:
            UsageError: The draft is not a valid plan; the message names the line, its text and a fix.
        """
        if not self.entities:
            raise UsageError(f"{self.source}: it contains no entities; {field_grammar.HELP}")
        entities = tuple(Entity(name=e.name, fields=tuple(self._fields(e))) for e in self.entities)
        if problems := find_problems(entities, reserved):
            self.fail(self._line(problems[0].entity, problems[0].field), problems[0].message)
        try:
            return Plan(
                project=(self.project or project)[:PROJECT_LIMIT],
                description=self.description,
                recipe=self.recipe or recipe,
                output_dir=self.output_dir or output_dir,
                entities=entities,
                instructions=dict(self.instructions),
            )
        except ValidationError as exc:
            first = exc.errors()[0]
            raise UsageError(
                f"{self.source}: {'.'.join(map(str, first['loc']))}: {first['msg'].removeprefix('Value error, ')}"
            ) from exc

    def on_top_of(self, base: Plan) -> "SpecDraft":
        """Return a draft of the plan *base* with the additions and changes of this draft.

        If both have an entity, its new fields are added, and for a field in both this draft wins.  Nothing is
        removed: people do that by editing the plan.
        """
        first: dict[str, DraftEntity] = {}  # a second definition is kept, so that validation reports it
        for entity in self.entities:
            first.setdefault(entity.name, entity)
        known = {each.name for each in base.entities}
        entities = [_merge(each, first.get(each.name)) for each in base.entities]
        return replace(
            self,
            project=base.project,
            description=base.description,
            entities=[
                *entities,
                *(each for each in self.entities if each.name not in known or each is not first[each.name]),
            ],
            recipe=base.recipe,
            output_dir=base.output_dir,
            instructions={**base.instructions, **self.instructions},
        )

    def _fields(self, entity: DraftEntity) -> Iterator[Field]:
        for text, line in entity.fields:
            try:
                yield field_grammar.parse_field(text)
            except ValueError as exc:
                self.fail(line, str(exc))

    def _line(self, entity: str | None, field: str | None) -> int:
        """Return the line of a field or an entity; of the last one if the name is used twice."""
        line = 1
        for candidate in self.entities:
            if candidate.name == entity:
                line = candidate.line
                for text, at in candidate.fields:
                    if field is not None and re.match(re.escape(field) + r"\b", text):
                        line = at
        return line

    def fail(self, line: int, message: str) -> NoReturn:
        """Raise a UsageError about *line*."""
        fail_at(self.source, self.text, line, message)


def _merge(base: Entity, draft: DraftEntity | None) -> DraftEntity:
    fields = {field.name: (field_grammar.format_field(field), draft.line if draft else 1) for field in base.fields}
    duplicates: list[tuple[str, int]] = []  # kept, so that validation reports them
    new: set[str] = set()
    for text, line in draft.fields if draft else ():
        name = text.split(maxsplit=1)[0] if text.strip() else text
        if name in new:
            duplicates.append((text, line))
        else:
            fields[name] = (text, line)
            new.add(name)
    return DraftEntity(base.name, draft.line if draft else 1, [*fields.values(), *duplicates])


def fail_at(source: str, text: str, line: int, message: str) -> NoReturn:
    """Raise a UsageError about one *line* of *text*; the message quotes the line."""
    lines = text.splitlines()
    quoted = lines[line - 1].strip() if 0 < line <= len(lines) else ""
    raise UsageError(f"{source}, line {line}: {shown(quoted)}: {message}")


def locate_fields(body: str, line: int, text: str, source: str) -> list[tuple[str, int]]:
    """Split the *body* of an entity that starts on *line* into fields, each with its own line.

    Raises:
        UsageError: The body can't be split.
    """
    try:
        fields = field_grammar.split_fields(body) if body.strip() else []
    except ValueError as exc:
        fail_at(source, text, line, str(exc))
    located, end = [], 0
    for field in fields:
        start = body.index(field, end)
        line += body.count("\n", end, start)
        located.append((field.replace("\n", " "), line))
        end = start + len(field)
        line += field.count("\n")
    return located
