"""Patterns of texts: ``slug string matches /[a-z0-9-]+/``.

They are read by the engine that the generated project uses.  It takes linear time, so that no plan can hang us.
"""

from functools import lru_cache
from typing import Annotated

from pydantic import StringConstraints, TypeAdapter, ValidationError
from pydantic_core import SchemaError

MAX_PATTERN = 200


def pattern_problem(pattern: str) -> str | None:
    """Return what is wrong with *pattern*; None if it can be used."""
    if not 0 < len(pattern) <= MAX_PATTERN:
        return f"it has {len(pattern)} characters; the limit is {MAX_PATTERN}"
    try:
        _adapter(pattern)
    except SchemaError:
        return "it can't be read; use letters, sets, groups and repeats, without look-around or references"
    return None


def matches(pattern: str, text: str) -> bool:
    """Whether the whole of *text* matches *pattern*, which has no problem."""
    try:
        _adapter(pattern).validate_python(text)
    except ValidationError:
        return False
    return True


@lru_cache(maxsize=64)
def _adapter(pattern: str) -> TypeAdapter[str]:
    return TypeAdapter(Annotated[str, StringConstraints(pattern=f"^(?:{pattern})$")])
