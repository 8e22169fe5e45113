"""Read the properties of JSON Schema, as OpenAPI and schema files have them."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from bot.planning.schema_files import naming
from bot.planning.schema_files.json_nodes import Value
from bot.planning.schema_files.json_values import read_scalar, read_server, set_default
from bot.planning.schema_files.source import Column, Source, Table
from bot.text import shown

_TOLD = frozenset(
    [
        "type",
        "format",
        "enum",
        "default",
        "description",
        "title",
        "example",
        "examples",
        "xml",
        "externalDocs",
        "deprecated",
        "nullable",
        "readOnly",
        "writeOnly",
        "minLength",
        "maxLength",
        "pattern",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "$ref",
        "allOf",
        "anyOf",
        "oneOf",
        "items",
        "properties",
        "required",
        "additionalProperties",
        "uniqueItems",
        "minItems",
        "maxItems",
        "$comment",
        "$schema",
        "$id",
        "id",
        "discriminator",
        "const",
        "multipleOf",
        "definitions",
        "$defs",
        "minProperties",
        "maxProperties",
        "contentEncoding",
        "contentMediaType",
        "patternProperties",
    ]
)
_MAX_STEPS = 50
"""How many references may follow each other."""


class Property(NamedTuple):
    """One property of an object, whichever of its parts has it."""

    name: str
    schema: Value
    required: bool


class Schemas:
    """The schemas that the document names, and how they refer to each other."""

    def __init__(self, named: Mapping[str, Value], root: str) -> None:
        self.named = named
        self.root = root
        """The name of the whole document, if that is a schema itself."""
        self.entities: dict[str, str] = {}
        """Name of a schema → name of the table that it becomes."""

    def target(self, schema: Value) -> str:
        """Return the name that *schema* refers to, directly or in the only part that says more than null."""
        if reference := schema["$ref"]:
            return self.root if reference.text == "#" else reference.text.rpartition("/")[2]
        part = _only_part(schema)
        return self.target(part) if part else ""

    def resolve(self, schema: Value) -> tuple[str, Value]:
        """Follow references to a schema that is no reference; return its name, or an empty one, and itself."""
        name = ""
        for _ in range(_MAX_STEPS):
            target = self.target(schema)
            if target in self.named:
                name, schema = target, self.named[target]
            elif inner := None if target else _only_part(schema):
                schema = inner
            else:
                break
        return name, schema

    def properties(self, schema: Value, depth: int = 0) -> Iterator[Property]:
        """Yield the properties of an object with those of the schemas that it extends."""
        required = {each.text for each in schema["required"].each()}
        if depth < _MAX_STEPS // 5:
            for part in schema["allOf"].each():
                target = self.target(part)
                inner = self.named.get(target, part)
                for each in self.properties(inner, depth + 1):
                    yield each._replace(required=each.required or each.name in required)
        for name, value in schema["properties"].items():
            yield Property(name, value, name in required)

    def is_object(self, schema: Value) -> bool:
        """Whether *schema* has properties of its own or by extension."""
        return schema["properties"].is_mapping or any(True for _ in self.properties(schema))


class Properties:
    """Reads the properties of objects as columns."""

    def __init__(self, source: Source, schemas: Schemas) -> None:
        self._source = source
        self._schemas = schemas

    def read(self, table: Table, schema: Value) -> None:
        """Add the columns of *table*."""
        found = {each.name: each for each in self._schemas.properties(schema)}
        for each in found.values():
            if column := self._column(table, each):
                table.columns.append(column)
        for key, value in schema.items():
            if key not in _TOLD or (key in {"oneOf", "anyOf", "patternProperties"} and schema["properties"]):
                self._source.leave_out(value.line, f"{key} of {table.name}")

    def add(self, table: Table, form: str, schema: Value) -> None:
        """Add the passwords that only another *form* of the entity has."""
        for each in self._schemas.properties(schema):
            is_secret = each.schema["format"].text == "password" or each.name == "password"
            if is_secret and not table.column(each.name) and (column := self._column(table, each)):
                table.columns.append(column)
                self._source.note(column.line, f"{each.name} of {table.name} is from {form}")

    def _column(self, table: Table, each: Property) -> Column | None:
        schema = each.schema
        column = Column(each.name, schema.line, required=each.required, doc=schema["description"].text)
        for key, value in schema.items():
            if key not in _TOLD:
                self._source.leave_out(value.line, f"{key} of {table.name}.{each.name}")
        name, resolved = self._schemas.resolve(schema)
        if _may_be_null(schema) or _may_be_null(resolved):
            column.required = False
        if name in self._schemas.entities:
            self._relation(column, name)
            return column
        if self._schemas.target(schema) and not name:
            self._source.fail(
                schema.line, f"{table.name}.{each.name}: there is no schema {shown(self._schemas.target(schema))}"
            )
            return None
        kind = _type(resolved)
        if kind == "array":
            return self._list(table, column, resolved)
        read_scalar(self._source, table, column, resolved, kind)
        if resolved is not schema:
            column.doc = column.doc or resolved["description"].text
            set_default(self._source, table, column, schema)
        read_server(self._source, table, column, schema)
        return None if self._is_twice(table, column) else column

    def _relation(self, column: Column, name: str) -> None:
        column.kind, column.target = "relation", self._schemas.entities[name]
        column.exact_name = not naming.snake(column.name).endswith("_id")

    def _list(self, table: Table, column: Column, schema: Value) -> Column | None:
        name, resolved = self._schemas.resolve(schema["items"])
        for key in ("minItems", "maxItems"):
            if schema[key]:
                self._source.leave_out(schema[key].line, f"{key} {schema[key].text} of {table.name}.{column.name}")
        if name not in self._schemas.entities:
            what = _type(resolved) or "value"
            self._source.note(column.line, f"{table.name}.{column.name}, a list of {what}s, is json")
            column.kind = "json"
            set_default(self._source, table, column, schema)
            return column
        target = self._schemas.entities[name]
        if back := self._back(resolved, table.name):
            self._source.note(column.line, f"{column.name} of {table.name} is the other side of {back} of {target}")
            return None
        column.kind, column.target, column.many = "relation", target, True
        self._source.note(column.line, f"{column.name} of {table.name} is many to many")
        return column

    def _back(self, schema: Value, table: str) -> str:
        """Return the property of *schema* by which it refers to *table*, or whose list of it came first."""
        made = next(
            (each for each in self._source.tables if each.name == self._schemas.entities.get(table, table)), None
        )
        for each in self._schemas.properties(schema):
            name, resolved = self._schemas.resolve(each.schema)
            inner = self._schemas.resolve(resolved["items"])[0] if _type(resolved) == "array" else ""
            if self._schemas.entities.get(name) == table:
                return each.name
            by_name = naming.snake(each.name).removesuffix("_id")
            if by_name == naming.snake(table) and by_name != naming.snake(each.name):
                return each.name
            owner = next(
                (other for other in self._source.tables if self._schemas.named.get(other.name) is schema), None
            )
            if self._schemas.entities.get(inner) == table and made is not owner and owner and owner.column(each.name):
                return each.name
        return ""

    def _is_twice(self, table: Table, column: Column) -> bool:
        """Take ``petId`` as a relation to Pet; return whether there is one of that name already.

        A schema has no other way to say it.
        """
        name = naming.snake(column.name)
        wanted = name.removesuffix("_id")
        target = next((each for each in self._schemas.entities.values() if naming.snake(each) == wanted), None)
        if name == wanted or target is None or column.kind not in {"integer", "uuid", "string"}:
            return False
        if any(naming.snake(each.name) == wanted for each in table.columns):
            self._source.note(column.line, f"{column.name} of {table.name} is that of {wanted}")
            return True
        column.target, column.default = target, None
        self._source.note(column.line, f"{column.name} of {table.name} refers to {target}, by its name")
        return False


def _type(schema: Value) -> str:
    """Return the type of *schema*, apart from null."""
    kinds = [each.text for each in schema["type"].each()] or [schema["type"].text]
    kind = next((each for each in kinds if each != "null"), "")
    if not kind:
        parts = [part for key in ("anyOf", "oneOf", "allOf") for part in schema[key].each()]
        inner = {_type(part) for part in parts} - {"", "null"}
        kind = inner.pop() if len(inner) == 1 else ""
    if not kind:
        kind = "object" if schema["properties"] else "array" if schema["items"] else ""
    return kind


def _only_part(schema: Value) -> Value | None:
    """Return the only part of *schema* that says more than null."""
    for key in ("allOf", "anyOf", "oneOf"):
        parts = [part for part in schema[key].each() if part["type"].text != "null" and not part.is_null]
        if len(parts) == 1 and not schema["properties"]:
            return parts[0]
    return None


def _may_be_null(schema: Value) -> bool:
    if schema["nullable"].is_true or any(each.text == "null" for each in schema["type"].each()):
        return True
    return any(part["type"].text == "null" or part.is_null for key in ("anyOf", "oneOf") for part in schema[key].each())
