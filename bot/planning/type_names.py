"""What other languages call the types of fields."""

from collections.abc import Mapping, Sequence

from bot.planning.entities import SCALARS
from bot.planning.field_defaults import STRING_LIMIT

OTHER_TYPES: Mapping[str, str] = {
    **dict.fromkeys(("str", "varchar", "char", "nvarchar", "nchar", "character", "varchar2", "citext"), "string"),
    **dict.fromkeys(("tinytext", "mediumtext", "longtext", "clob", "markdown", "html", "longstring"), "text"),
    **dict.fromkeys(
        ("int", "bigint", "smallint", "tinyint", "mediumint", "long", "short", "int4", "int8", "int2", "serial",
         "bigserial", "int32", "int64"),
        "integer",
    ),
    **dict.fromkeys(("double", "real", "float4", "float8", "float32", "float64"), "float"),
    **dict.fromkeys(("numeric", "money", "bigdecimal", "currency"), "decimal"),
    **dict.fromkeys(("bool", "bit"), "boolean"),
    **dict.fromkeys(("timestamp", "timestamptz", "instant", "zoneddatetime", "datetime2"), "datetime"),
    **dict.fromkeys(("localdate", "day"), "date"),
    **dict.fromkeys(("localtime", "timetz"), "time"),
    **dict.fromkeys(("guid", "uniqueidentifier"), "uuid"),
    **dict.fromkeys(("jsonb", "object", "dict", "map"), "json"),
    **dict.fromkeys(("blob", "bytea", "binary", "varbinary", "image", "file", "longblob", "mediumblob"), "bytes"),
    **dict.fromkeys(("uri", "link"), "url"),
    **dict.fromkeys(("mail", "e-mail"), "email"),
}  # fmt: skip
"""Lower-case name → our type."""


def other_type(name: str, brackets: Sequence[str] = ()) -> str | None:
    """Return the type in our grammar, with its limits, that *name* with its *brackets* stands for; None if unknown."""
    plain = name.lower()
    kind = plain if plain in (*SCALARS, "enum") else OTHER_TYPES.get(plain)
    if kind is None:
        return None
    if kind == "enum":
        return f"enum({brackets[0]})" if brackets else "enum"
    size = brackets[0] if brackets else ""
    if kind == "string" and size.isascii() and size.isdigit() and int(size[:9]) > STRING_LIMIT:
        kind = "text"
    if kind in ("integer", "float", "datetime", "boolean", "time") and ".." not in size:
        size = ""  # widths of display and precisions of clocks
    return kind + "".join(f"({each})" for each in (size, *brackets[1:]) if each)
