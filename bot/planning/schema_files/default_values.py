"""Defaults of columns: values are kept, what the server makes is ``auto`` or the key, other expressions are listed."""

import re

from bot.planning.schema_files.schema_fields import is_now
from bot.planning.schema_files.source import Column, Source
from bot.text import shown

_VALUE = re.compile(r"[+-]?(?:\d++\.?\d*+|\.\d++)(?:[eE][+-]?\d{1,3})?|true|false", re.IGNORECASE)
_GENERATED = re.compile(
    r"(?:gen_random_uuid|uuid_generate_v\d\w*|uuid_generate|uuidv[47]|uuid|newid|newsequentialid|nextval|random_uuid|"
    r"cuid2?|nanoid|ulid|autoincrement|auto|dbgenerated|uuid\.uuid[14]|generate_ulid|sequence)\s*(?:\(.*\))?",
    re.IGNORECASE | re.DOTALL,
)


def set_default(source: Source, table: str, column: Column, text: str, *, quoted: bool) -> None:
    """Give *column* the default *text*; *quoted* if it is a text, not an expression."""
    plain = text.strip()
    if quoted:
        column.default = text
    elif plain.lower() in {"null", "none", "undefined", ""}:
        return
    elif (
        (is_now(plain) and column.kind in {"date", "datetime"})
        or _VALUE.fullmatch(plain)
        or (column.kind == "enum" and plain in column.labels)
    ):
        column.default = plain
    elif _GENERATED.fullmatch(plain):
        column.generated = True
    else:
        source.leave_out(column.line, f"default {shown(plain)} of {table}.{column.name}, because it is an expression")
