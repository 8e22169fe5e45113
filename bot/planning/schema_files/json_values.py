"""Read what JSON Schema says about one value: its type, format, limits and default, and who sets it."""

import json
import re

from bot.planning.schema_files import naming
from bot.planning.schema_files.checks import whole
from bot.planning.schema_files.json_nodes import Value
from bot.planning.schema_files.schema_fields import is_creation, is_update
from bot.planning.schema_files.source import Column, Source, Table

_FORMATS = {
    "date": "date",
    "date-time": "datetime",
    "time": "time",
    "uuid": "uuid",
    "email": "email",
    "idn-email": "email",
    "uri": "url",
    "url": "url",
    "iri": "url",
    "uri-reference": "string",
    "password": "password",
    "byte": "bytes",
    "binary": "bytes",
    "decimal": "decimal",
    "html": "text",
    "markdown": "text",
    "textarea": "text",
}
_TYPES = {
    "string": "string",
    "integer": "integer",
    "number": "float",
    "boolean": "boolean",
    "object": "json",
    "array": "json",
}


def read_scalar(source: Source, table: Table, column: Column, schema: Value, kind: str) -> None:
    values = [each.text for each in schema["enum"].each() if not each.is_null]
    if "const" in schema:
        values = values or [schema["const"].text]
    form = schema["format"].text
    column.kind = _FORMATS.get(form, "") if kind in {"string", ""} and form else ""
    column.kind = column.kind or _TYPES.get(kind, "string" if values else "json")
    if kind == "number" and (form == "decimal" or schema["multipleOf"]):
        column.kind = "decimal"
    if column.kind == "json" and kind != "array":
        source.note(
            column.line,
            f"{table.name}.{column.name}, {'an object' if kind == 'object' else 'of any type'}, is json",
        )
    if values and column.kind in {"string", "text"}:
        column.kind, column.labels = "enum", values
    elif values:
        source.leave_out(
            (schema["enum"] or schema["const"]).line,
            f"the values {', '.join(values)[:80]} of {table.name}.{column.name}",
        )
    _limits(source, table, column, schema)
    set_default(source, table, column, schema)


def _limits(source: Source, table: Table, column: Column, schema: Value) -> None:
    if column.kind in {"string", "text", "password"}:
        column.least, column.most = _whole(schema["minLength"]), _whole(schema["maxLength"])
        column.pattern = whole(schema["pattern"].text) if schema["pattern"] else ""
    elif schema["pattern"] or schema["maxLength"] or schema["minLength"]:
        key = next(key for key in ("pattern", "maxLength", "minLength") if schema[key])
        if column.kind not in {"email", "url", "uuid", "date", "datetime", "time"}:
            source.leave_out(schema[key].line, f"{key} of {table.name}.{column.name}")
    if column.kind not in {"integer", "float", "decimal"}:
        return
    step = {"integer": 1}.get(column.kind)
    for key, side, sign in (("minimum", "low", 1), ("maximum", "high", -1)):
        exclusive = schema[f"exclusive{key.capitalize()}"]
        limit = exclusive if exclusive and exclusive.text not in {"true", "false"} else schema[key]
        if not limit:
            continue
        is_open = bool(exclusive) and exclusive.text != "false"
        if is_open and (step is None or not re.fullmatch(r"-?\d{1,18}", limit.text)):
            source.leave_out(limit.line, f"exclusive {key} {limit.text} of {table.name}.{column.name}")
        else:
            number = str(int(limit.text) + sign) if is_open else limit.text
            setattr(column, side, number.removesuffix(".0"))


def set_default(source: Source, table: Table, column: Column, schema: Value) -> None:
    default = schema["default"]
    if not default or default.is_null:
        return
    if default.is_mapping or default.is_list or column.kind == "json":
        column.default = json.dumps(default.plain(), ensure_ascii=False)
    else:
        column.default = default.text
    if column.kind != "json" and (default.is_mapping or default.is_list):
        source.leave_out(default.line, f"default of {table.name}.{column.name}")
        column.default = None


def read_server(source: Source, table: Table, column: Column, schema: Value) -> None:
    """Read who sets and who sees the column."""
    name = naming.snake(column.name)
    if schema["writeOnly"].is_true:
        column.secret = column.kind != "password"
    if not schema["readOnly"].is_true or name == "id":
        return
    if column.kind in {"date", "datetime"} and (is_creation(name) or is_update(name)):
        column.auto = "auto update" if is_update(name) else "auto"
    else:
        source.leave_out(schema["readOnly"].line, f"readOnly of {table.name}.{column.name}; clients can set it")


def _whole(value: Value) -> int | None:
    return int(value.text) if re.fullmatch(r"\d{1,9}", value.text) else None
