"""Column types of databases as types of a plan, for SQL, DBML and Mermaid."""

import re
from collections.abc import Sequence

from bot.planning.schema_files.source import Column, Source

STRING_LIMIT = 255
"""Longest ``string`` of a plan; what is longer is a ``text``."""

_KINDS = {
    "string": """varchar char character nchar nvarchar varchar2 nvarchar2 bpchar citext string str name sysname
        shorttext chr varying slug phone keyword""",
    "text": "text tinytext mediumtext longtext clob ntext nclob xml longvarchar markdown html richtext",
    "integer": """int integer int2 int4 int8 int16 int32 int64 smallint bigint tinyint mediumint serial bigserial
        smallserial serial2 serial4 serial8 year long short byte number uint uint8 uint16 uint32 uint64 ubigint
        uinteger usmallint utinyint umediumint autoincrement counter""",
    "decimal": "decimal numeric dec money smallmoney currency bigdecimal udecimal",
    "float": """float double real float4 float8 float32 float64 double_precision udouble ufloat binary_float
        binary_double""",
    "boolean": "bool boolean",
    "date": "date",
    "datetime": """datetime timestamp timestamptz datetime2 smalldatetime datetimeoffset timestampltz timestampntz
        timestamp_s timestamp_ms timestamp_ns instant zoneddatetime localdatetime timestamp_with_time_zone
        timestamp_without_time_zone""",
    "time": "time timetz localtime time_with_time_zone time_without_time_zone",
    "uuid": "uuid uniqueidentifier guid",
    "json": "json jsonb hstore object map dict array list variant",
    "bytes": "blob tinyblob mediumblob longblob bytea binary varbinary image bytes raw file rowversion",
    "email": "email",
    "url": "url uri",
    "password": "password",
}
_BY_NAME = {name: kind for kind, names in _KINDS.items() for name in names.split()}
_SERIAL = frozenset(["serial", "bigserial", "smallserial", "serial2", "serial4", "serial8", "autoincrement", "counter"])
_TEXTS = frozenset(
    [
        "inet",
        "cidr",
        "macaddr",
        "macaddr8",
        "ipaddress",
        "ipprefix",
        "interval",
        "bit",
        "varbit",
        "bit_varying",
        "ltree",
        "tsquery",
        "regclass",
        "oid",
        "duration",
        "enum",
        "set",
        "int4range",
        "int8range",
        "numrange",
        "tsrange",
        "tstzrange",
        "daterange",
    ]
)
"""Types whose values a plan can hold only as text."""
_NOTHING = frozenset(
    [
        "tsvector",
        "geometry",
        "geography",
        "point",
        "line",
        "lseg",
        "box",
        "path",
        "polygon",
        "circle",
        "linestring",
        "multipoint",
        "multipolygon",
        "multilinestring",
        "geometrycollection",
        "vector",
        "cube",
    ]
)
"""Types that have no values that a plan can hold."""
_SIZE = re.compile(r"\d{1,7}")
_UNSIGNED = re.compile(r"u(?:tiny|small|medium|big)?int(?:eger)?\d*|udecimal|udouble|ufloat")


def set_type(source: Source, table: str, column: Column, name: str, arguments: Sequence[str] = ()) -> bool:
    """Give *column* the type that *name* with *arguments* is; return whether a plan can hold it at all."""
    written = f"{name}({', '.join(arguments)})" if arguments else name
    plain = "_".join(name.lower().split())
    column.type_name = name
    if labels := source.enums.get(name.lower()) or source.enums.get(name.lower().rpartition(".")[2]):
        column.kind, column.labels = "enum", list(labels)
        return True
    if plain in _NOTHING:
        source.leave_out(column.line, f"column {column.name} of {table}, because a plan has no type {written}")
        return False
    if (
        is_unsigned := plain.startswith("unsigned")
        or plain.endswith("_unsigned")
        or _UNSIGNED.fullmatch(plain) is not None
    ):
        plain = plain.removesuffix("_unsigned").removeprefix("unsigned")
    numbers = [int(each) for each in arguments if _SIZE.fullmatch(each)]
    column.kind = _kind(plain, numbers)
    if not column.kind:
        unknown = "" if plain in _TEXTS else "unknown "
        source.note(column.line, f"{table}.{column.name} of {unknown}type {written} is a string")
        column.kind, numbers = "string", []
    column.generated |= plain in _SERIAL
    if column.kind in {"string", "text"} and numbers:
        column.most = numbers[0]
    if column.kind == "decimal" and numbers[1:]:
        column.digits = (numbers[0], numbers[1])
    if is_unsigned and column.kind in {"integer", "decimal", "float"}:
        column.low = "0"
    return True


def _kind(plain: str, numbers: Sequence[int]) -> str:
    """Return the type of a plan for the type *plain*; empty, if only a text can hold its values."""
    if plain in {"bit", "tinyint"} and (list(numbers) == [1] or (plain == "bit" and not numbers)):
        return "boolean"
    if plain in {"number", "numeric", "decimal"} and numbers and not any(numbers[1:]):
        return "integer"  # numeric(10) and numeric(10,0) have no fraction
    return _BY_NAME.get(plain, "")
