"""Names of a schema file as a plan writes them: CamelCase singular entities, snake_case fields, enum labels."""

import keyword
import re
import unicodedata

from bot.planning import names
from bot.planning.plurals import singular

_RESERVED = frozenset(
    (
        "Any",
        "BigInt",
        "ClassVar",
        "Decimal",
        "Doc",
        "ExactDecimal",
        "Json",
        "Mapped",
        "ModelBase",
        "RepositoryBase",
        "RequestBase",
        "UUID",
        "UtcDateTime",
        "None",
        "True",
        "False",
    )
)
"""Names that the built-in recipe or Python keeps for itself."""
_PREFIX = re.compile(r"^(?:tbl|tb|t)_(?=[A-Za-z])")
_PARTS = re.compile(r"[^\W_]+")
_LABEL = re.compile(r"[^A-Za-z0-9_.-]+")


def _ascii(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()


def snake(name: str) -> str:
    """Return *name* in snake_case: ``createdAt`` → ``created_at``, ``Unit Price`` → ``unit_price``; may be empty."""
    words = _PARTS.findall(_ascii(name))
    text = "_".join(names.snake_case(word) for word in words)
    return text.lstrip("0123456789_")


def entity_name(table: str, *, is_class: bool = False) -> str:
    """Return the entity's name for a *table* or class; empty if it has no letters that a name may have."""
    plain = _ascii(table)
    if is_class and names.ENTITY_NAME.fullmatch(plain) and not plain.isupper():
        return plain
    words = snake(_PREFIX.sub("", plain, count=1)).split("_")
    if words[-1:] != [""]:
        words[-1] = singular(words[-1])
    kept = _kept_case(plain)
    return "".join(kept.get(word, word[:1].upper() + word[1:]) for word in words)


def _kept_case(name: str) -> dict[str, str]:
    """Return the abbreviations in a mixed-case *name*, by their lower-case form: ``APIKeys`` → ``{api: API}``."""
    if name.isupper() or not names.ENTITY_NAME.fullmatch(name):
        return {}
    found = re.findall(r"(?<![A-Z])[A-Z]{2,}(?=[A-Z][a-z])", name)
    return {each.lower(): each for each in found}


def working_entity(name: str) -> str:
    """Return *name*, or a name like it that an entity may have."""
    if name in _RESERVED:
        return {"Doc": "Document", "None": "NoneItem"}.get(name, f"{name}Item")
    return name[: names.NAME_LIMIT]


def working_field(name: str) -> str:
    """Return *name*, or a name like it that a field may have."""
    name = name[: names.NAME_LIMIT].rstrip("_")
    return f"{name}_value" if keyword.iskeyword(name) or name == "id" else name


def label(text: str) -> str:
    """Return an enum's label as a plan may write it: ``In progress`` → ``In-progress``; may be empty."""
    return _LABEL.sub("-", _ascii(text).strip()).strip("-")[: names.NAME_LIMIT]
