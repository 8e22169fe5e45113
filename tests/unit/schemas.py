"""Schema files in tests: read in this process, and shown as a person would see them."""

from pathlib import Path

import pytest

from bot.planning.entities import Entity
from bot.planning.field_grammar import parse_field
from bot.planning.plan_checks import find_problems
from bot.planning.schema_files import SchemaError, SchemaSpec, read_schema, recognise
from tests.unit.values import run_here

FOLDER = Path(__file__).parents[1] / "data" / "schemas"


def read(text: str, language: str | None = None) -> SchemaSpec:
    """Read *text*, and check that a plan can hold its entities."""
    language = language or recognise(text)
    assert language
    spec = read_schema(text, language, run_here)
    entities = [
        Entity(name=each.name, fields=tuple(parse_field(field) for field, _ in each.fields)) for each in spec.entities
    ]
    assert not find_problems(entities)
    return spec


def fields(text: str, language: str | None = None, entity: int = 0) -> list[str]:
    """Return the fields of one entity of *text*."""
    return [field for field, _ in read(text, language).entities[entity].fields]


def refused(text: str, language: str | None = None) -> str:
    """Return the message with which *text* is refused."""
    with pytest.raises(SchemaError) as caught:
        read(text, language)
    return str(caught.value)


def picture(spec: SchemaSpec) -> str:
    """Return everything that *spec* says, in lines."""
    lines = [f"{spec.language}: {spec.project}", *(f"| {line}" for line in spec.description.splitlines())]
    for entity in spec.entities:
        lines += ["", f"{entity.name}  # line {entity.line}"]
        lines += [f"  {field}  # line {line}" for field, line in entity.fields]
        lines += [f"  - {option}  # line {line}" for option, line in entity.options]
    lines += ["", "left out", *(f"  {each}" for each in spec.left_out)]
    lines += ["", "notes", *(f"  {each}" for each in spec.notes)]
    return "\n".join(line.rstrip() for line in lines) + "\n"
