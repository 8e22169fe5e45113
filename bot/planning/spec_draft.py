"""A spec taken apart but not yet judged: what was found in the text, and on which line."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as attribute
from typing import NoReturn

from pydantic import ValidationError

from bot.errors import UsageError
from bot.planning import field_grammar
from bot.planning.plan import NOTHING_RESERVED, PROJECT_LIMIT, Entity, Field, Plan, Reserved, find_problem
from bot.text import shown


@dataclass(frozen=True, slots=True)
class DraftEntity:
    """An entity as found in the text; fields are ``(text, line)`` pairs."""

    name: str
    line: int
    fields: Sequence[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class SpecDraft:
    """A spec taken apart but not yet judged."""

    text: str
    source: str
    """What is being read, for messages: ``the spec blog.md``."""
    project: str = ""
    description: str = ""
    entities: Sequence[DraftEntity] = ()
    recipe: str | None = None
    output_dir: str | None = None
    instructions: Mapping[str, str] = attribute(default_factory=dict)

    def plan(self, *, project: str, recipe: str, output_dir: str, reserved: Reserved = NOTHING_RESERVED) -> Plan:
        """Judge the draft; the arguments serve where the text itself is silent.

        Raises:
            UsageError: It is no valid plan; the message names line, text and remedy.
        """
        if not self.entities:
            raise UsageError(f"{self.source}: it holds no entities; {field_grammar.HELP}")
        entities = tuple(Entity(name=e.name, fields=tuple(self._fields(e))) for e in self.entities)
        if problem := find_problem(entities, reserved):
            self.fail(self._line(problem.entity, problem.field), problem.message)
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
        """Return a draft of all that *base* plans, and what this one says of more, or otherwise.

        An entity that both have gets the fields that are new; a field that both have is as this one says.  Nothing is
        removed: that is an edit of the plan.
        """
        said: dict[str, DraftEntity] = {}
        for entity in self.entities:
            said.setdefault(entity.name, entity)
        known = {each.name for each in base.entities}
        entities = [_merged(each, said.get(each.name)) for each in base.entities]
        return replace(
            self,
            project=base.project,
            description=base.description,
            entities=[
                *entities,
                *(each for each in self.entities if each.name not in known or each is not said[each.name]),
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
        """Return the line of a field, or of the entity's last mention (a name given twice is wrong there)."""
        line = 1
        for candidate in self.entities:
            if candidate.name == entity:
                line = candidate.line
                for text, at in candidate.fields:
                    if field is not None and re.match(re.escape(field) + r"\b", text):
                        line = at
        return line

    def fail(self, line: int, message: str) -> NoReturn:
        """Raise the error of one *line*."""
        fail_at(self.source, self.text, line, message)


def _merged(base: Entity, said: DraftEntity | None) -> DraftEntity:
    fields = {field.name: (field_grammar.format_field(field), said.line if said else 1) for field in base.fields}
    again: list[tuple[str, int]] = []  # given twice, which whoever judges it will say
    new: set[str] = set()
    for text, line in said.fields if said else ():
        name = text.split(maxsplit=1)[0] if text.strip() else text
        if name in new:
            again.append((text, line))
        else:
            fields[name] = (text, line)
            new.add(name)
    return DraftEntity(base.name, said.line if said else 1, [*fields.values(), *again])


def fail_at(source: str, text: str, line: int, message: str) -> NoReturn:
    """Raise the error of one *line* of *text*, which it quotes."""
    lines = text.splitlines()
    found = lines[line - 1].strip() if 0 < line <= len(lines) else ""
    raise UsageError(f"{source}, line {line}: {shown(found)}: {message}")
