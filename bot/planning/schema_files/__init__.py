"""Schema files as specs: DBML, SQL, Prisma, JDL, Mermaid, OpenAPI, JSON Schema and Django's models."""

from bot.planning.schema_files.reading import SchemaEntity, SchemaSpec, read_item, read_schema
from bot.planning.schema_files.recognition import recognise
from bot.planning.schema_files.source import SchemaError

__all__ = ["SchemaEntity", "SchemaError", "SchemaSpec", "read_item", "read_schema", "recognise"]
