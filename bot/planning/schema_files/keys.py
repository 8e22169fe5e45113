"""Keys of a schema file: each entity of a plan has an integer ``id``, so every other key becomes something else."""

from bot.planning.schema_files import naming
from bot.planning.schema_files.source import Column, Group, Source, Table

_SURROGATE = 32
"""A key with a text at least this long is a UUID or a hash that somebody made."""


def carry_over_keys(source: Source, table: Table, *, referenced: bool) -> None:
    """Drop a key that the built-in id replaces, and keep what people know a row by."""
    keys = [each.name for each in table.columns if each.primary] or table.primary
    line = table.primary_line or table.line
    if len(keys) > 1:
        _several(source, table, keys, line)
        return
    column = table.column(keys[0]) if keys else None
    if column is None:
        if not keys:
            _without_key(source, table)
        return
    column.primary = False
    if column.target:
        column.required = column.unique = True
        source.note(column.line, f"the key {column.name} of {table.name} is unique, beside the built-in id")
    elif _is_built_in(table, column):
        _drop(source, table, column)
    elif _is_made_up(column):
        table.columns.remove(column)
        source.leave_out(
            column.line, f"the {column.kind} key {column.name} of {table.name}; the key is the built-in integer id"
        )
        _rename_id(source, table)
    else:
        _keep(source, table, column, referenced=referenced)


def _several(source: Source, table: Table, keys: list[str], line: int) -> None:
    table.uniques.insert(0, Group(list(keys), line))
    source.note(line, f"the key ({', '.join(keys)}) of {table.name} is unique, beside the built-in id")
    for name in keys:
        if column := table.column(name):
            column.required, column.primary = True, False
    _rename_id(source, table)


def _drop(source: Source, table: Table, column: Column) -> None:
    """Drop a number that the built-in id replaces."""
    table.columns.remove(column)
    if column.name.lower() != "id":
        source.note(column.line, f"key {column.name} of {table.name} is the built-in id")
    if column.default is not None and not column.generated:
        source.leave_out(column.line, f"default {column.default} of the key of {table.name}")
    _rename_id(source, table)


def _is_built_in(table: Table, column: Column) -> bool:
    if column.kind not in {"integer", "decimal", "float"}:
        return False
    name = naming.snake(column.name)
    return (
        column.generated
        or name == "id"
        or name.endswith(("_id", "_no", "_pk"))
        or name in {"pk", "rowid", "key"}
        or (name == f"{naming.snake(table.name)}id")
    )


def _is_made_up(column: Column) -> bool:
    """Whether the key means nothing to people: a UUID, a cuid."""
    if column.kind == "uuid" or column.generated or column.kind == "bytes":
        return True
    is_long = column.most is None or column.most >= _SURROGATE
    return naming.snake(column.name) == "id" and is_long and column.kind in {"string", "text"}


def _keep(source: Source, table: Table, column: Column, *, referenced: bool) -> None:
    column.unique = column.required = True
    what = f"{column.name} as the key of {table.name}: it is unique, and the key is the built-in id"
    source.leave_out(column.line, what + (", which relations refer to" if referenced else ""))
    if naming.snake(column.name) == "id":
        column.field_name = "key"
        source.note(column.line, f"id of {table.name} is key")


def _without_key(source: Source, table: Table) -> None:
    """Take a column ``id`` as the key where the file does not say, as most diagrams don't."""
    column = table.column("id")
    if column and not column.target:
        table.columns.remove(column)
        if column.kind in {"uuid", "string", "text"}:
            source.leave_out(
                column.line, f"the {column.kind} key {column.name} of {table.name}; the key is the built-in integer id"
            )


def _rename_id(source: Source, table: Table) -> None:
    for column in table.columns:
        if not column.target and naming.snake(column.name) == "id":
            column.field_name = "id_value"
            source.note(column.line, f"id of {table.name} is id_value, because id is the built-in key")
