"""Read a schema file in the bounded worker: parsers of whole languages may want any amount of time and memory."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from bot.planning.schema_files.carry_over import Entity, carry_over, text_of
from bot.planning.schema_files.source import SchemaError, Source
from bot.sandbox.protocol import Failure, Run

LANGUAGES = ("DBML", "SQL", "Prisma", "JDL", "Mermaid", "OpenAPI", "JSON Schema", "Django")


@dataclass(frozen=True, slots=True)
class SchemaEntity:
    """One entity, in the grammar of specs; each line is that of the schema."""

    name: str
    line: int
    fields: Sequence[tuple[str, int]]
    options: Sequence[tuple[str, int]]
    """What a spec writes as indented bullets: ``unique author, title``."""


@dataclass(frozen=True, slots=True)
class SchemaSpec:
    """What a schema file says, as a spec says it."""

    language: str
    project: str
    description: str
    entities: Sequence[SchemaEntity]
    left_out: Sequence[str]
    """A sentence for each thing that can't be carried over: ``line 12: CHECK (a < b) of orders``."""
    notes: Sequence[str]
    """What was read differently: ``createdAt is created_at``."""


def read_schema(text: str, language: str, run: Run) -> SchemaSpec:
    """Read *text*, a schema in one of :data:`LANGUAGES`, with *run*.

    Raises:
        SchemaError: It can't be read; the message has a line for each problem.
    """
    (answer,) = run("schema", language, [text])
    match answer:
        case {
            "entities": list(entities),
            "project": project,
            "description": text,
            "left_out": left_out,
            "notes": notes,
        }:
            found = [
                SchemaEntity(name, line, _pairs(fields), _pairs(options)) for name, line, fields, options in entities
            ]
            return SchemaSpec(language, project, text, found, left_out, notes)
        case {"problems": list(problems)}:
            raise SchemaError([(line, what) for line, what in problems])
        case Failure(what=what):
            raise SchemaError([(0, f"{what}; split the file")])
    raise SchemaError([(0, "the answer of its parser can't be read")])


def _pairs(rows: list[list[Any]]) -> Sequence[tuple[str, int]]:
    return [(text, line) for text, line in rows]


def read_item(text: str, language: str) -> dict[str, Any]:
    """Return what :func:`read_schema` needs, as JSON can hold it."""
    try:
        source = _reader(language)(text)
        entities = carry_over(source)
    except SchemaError as exc:
        return {"problems": [list(each) for each in exc.problems]}
    return {
        "project": source.project,
        "description": _description(source, entities),
        "entities": [
            [each.name, each.table.line, [[text_of(made), line] for made, line in each.fields.values()], each.options]
            for each in entities
        ],
        "left_out": _told(source.left_out, numbered=True),
        "notes": _told(source.notes, numbered=False),
    }


def _description(source: Source, entities: Sequence[Entity]) -> str:
    """Return the text of the file with those of its tables, which have no other place in a plan."""
    of_tables = [f"{each.name}: {' '.join(each.table.doc.split())}" for each in entities if each.table.doc.strip()]
    return "\n\n".join(filter(None, (source.description.strip(), "\n".join(of_tables))))


def _told(lines: list[tuple[int, str]], *, numbered: bool) -> list[str]:
    """Return each sentence once, in the order of the file."""
    ordered = sorted(lines, key=lambda each: each[0])
    texts = [" ".join(what.split()) for _, what in ordered]
    if numbered:
        texts = [f"line {line}: {what}" if line else what for (line, _), what in zip(ordered, texts, strict=True)]
    return list(dict.fromkeys(texts))


_READERS = {
    "DBML": "dbml.read_dbml",
    "SQL": "sql.read_sql",
    "Prisma": "prisma.read_prisma",
    "JDL": "jdl.read_jdl",
    "Mermaid": "mermaid.read_mermaid",
    "OpenAPI": "openapi.read_openapi",
    "JSON Schema": "openapi.read_openapi",
    "Django": "django_models.read_django",
}


def _reader(language: str) -> Callable[[str], Source]:
    """Import the reader of *language*, and nothing for the others."""
    module, _, function = _READERS[language].partition(".")
    reader: Callable[[str], Source] = getattr(import_module(f"bot.planning.schema_files.{module}"), function)
    return reader
