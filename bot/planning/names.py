"""Derived names: modules, slugs and run names.

They become paths, tables and branch names, which are part of the generated project's interface.  The rules are
fixed here because upgrading an inflection library could rename people's tables.
"""

import hashlib
import keyword
import re
import unicodedata

from bot.errors import UsageError
from bot.text import shown

ENTITY_NAME = re.compile(r"[A-Z][A-Za-z0-9]*")
FIELD_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
ENUM_CHOICE = re.compile(r"[A-Za-z0-9_.-]+")
NAME_LIMIT = 60
"""Longest name of an entity or field; PostgreSQL cuts identifiers at 63 characters, and a relation adds ``_id``."""

_RUN_LIMIT = 100
_RUN_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")


def snake_case(name: str) -> str:
    """``PostTag`` → ``post_tag``, ``HTTPServer`` → ``http_server``."""
    name = re.sub(r"([A-Z])(?=[A-Z][a-z])", r"\1_", name)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower()


def field_name(text: str) -> str:
    """Return the likely name of a field: ``regionName`` and ``Region name`` → ``region_name``."""
    return re.sub(r"[^a-z0-9]+", "_", snake_case(_without_accents(text))).strip("_").lstrip("0123456789_")


def entity_name(text: str) -> str:
    """Return the likely name of an entity: ``blog post`` and ``blog_post`` → ``BlogPost``."""
    words = re.findall(r"[A-Za-z0-9]+", _without_accents(text))
    return "".join(word[0].upper() + word[1:] for word in words).lstrip("0123456789")


def _without_accents(text: str) -> str:
    """Return *text* in ASCII, or empty if a letter of another script would be lost."""
    plain = unicodedata.normalize("NFKD", text)
    kept = "".join(each for each in plain if not unicodedata.combining(each))
    return "" if any(each.isalnum() and not each.isascii() for each in kept) else kept


def slug(text: str, *, default: str = "project") -> str:
    """Return *text* as lower-case ASCII words joined by ``-``, at most 60 characters; *default* if nothing is left.

    Words in another script than Latin become a few digits, which differ from text to text.
    """
    plain = unicodedata.normalize("NFKD", text)
    words = re.sub(r"[^a-z0-9]+", "-", plain.encode("ascii", "ignore").decode().lower())[:60].strip("-")
    if any(each.isalpha() and not unicodedata.name(each, "").startswith("LATIN") for each in plain):
        digits = hashlib.sha256(plain.encode("utf-8", "replace")).hexdigest()[:8]
        return f"{words[:51].strip('-') or default}-{digits}"
    return words or default


def module_name(entity: str) -> str:
    """Return the module name of an *entity*: snake_case, with ``_`` after a Python keyword (``Class`` → ``class_``)."""
    module = snake_case(entity)
    return f"{module}_" if keyword.iskeyword(module) else module


def plural_module_name(plural: str) -> str:
    """Return the module name of a *plural*, with ``_`` after a Python keyword (``as`` → ``as_``)."""
    return f"{plural}_" if keyword.iskeyword(plural) else plural


def check_run_name(run: str) -> str:
    """Return *run* if ``phasebot/<run>`` is a valid branch name on every system and safe inside a comment marker.

    Stricter than ``git check-ref-format``: only letters, digits and ``._-/``.

    Raises:
        UsageError: *run* is invalid.
    """
    parts = run.split("/")
    if (
        len(run) > _RUN_LIMIT
        or ".." in run
        or any(not _RUN_PART.fullmatch(part) or part.endswith((".", ".lock")) for part in parts)
    ):
        raise UsageError(
            f"run name {shown(run)} is not a valid branch name: use letters, digits and '.', '_', '-', "
            f"such as {slug(run)!r}"
        )
    return run
