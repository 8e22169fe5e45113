"""The grammar of fields.  :func:`parse_field` and :func:`format_field` are inverses.

    name type(limits) [unique] [index] [?] [matches /…/] [secret] [auto] [was old] ["text"] [= default]
    name -> Entity [unique] [?] [on delete …] [= me]        name -> Entity*

Every form of a spec (Markdown, YAML, plan file) is parsed by these functions, so there is one grammar and one
set of error messages.
"""

import json
import re
from collections.abc import Sequence
from functools import lru_cache

from bot.planning.entities import ME, TEXTS, Field
from bot.planning.field_reader import QUOTED, FieldReader

HELP = """\
a spec lists its entities, one per line, with each field as 'name type':
  - User: username string unique, email email unique, bio text?
  - Post: title string, published boolean = false, author -> User
types: string text integer float decimal boolean date datetime uuid email url json enum(a|b|c)"""

_BARE = re.compile(r"[\w.@:/+-]+( [\w.@:/+-]+)*", re.ASCII)
_PIECE = re.compile(
    rf"""(?<=[=:\[{{,(])\s*(?:{QUOTED}|'[^']*')|\bmatches\s+/(?:\\.|[^/\\\n])*/|(?<=\s){QUOTED}(?=[\s,?=]|$)|[\s\S]"""
)
"""A quoted text, a pattern, otherwise a single character."""
_DEPTH = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}


def split_fields(text: str) -> list[str]:
    """Split ``field, field…`` at commas outside quotes and brackets.

    Raises:
        ValueError: A field is empty or a bracket is not closed.
    """
    starts, depth = [0], 0
    for piece in _PIECE.finditer(text):
        depth = max(0, depth + _DEPTH.get(piece[0], 0))
        if piece[0] == "," and depth == 0:
            starts.append(piece.end())
    if depth > 0:
        raise ValueError("a bracket is not closed; close it, or put the default in quotes")
    ends = [*(start - 1 for start in starts[1:]), len(text)]
    fields = [text[start:end].strip() for start, end in zip(starts, ends, strict=True)]
    if len(fields) > 1 and not fields[-1]:
        fields.pop()
    if "" in fields:
        raise ValueError("a field is empty: separate fields with one comma, as in 'name type, name type'")
    return fields


def parse_field(text: str) -> Field:
    """Parse one field; see :func:`read_field`, whose notes this leaves out."""
    return read_field(text)[0]


@lru_cache(maxsize=1 << 14)  # a field is looked at when its line is recognised, and again when the plan is made
def read_field(text: str) -> tuple[Field, Sequence[str]]:
    """Parse one field; also return what to tell people about words that were read as something else.

    This checks the syntax only; :func:`bot.planning.plan_checks.find_problems` checks names, defaults and targets.

    Raises:
        ValueError: The text does not parse; the message says what was expected.
    """
    field, notes = FieldReader(text).read()
    return field, tuple(notes)


def format_field(each: Field) -> str:
    """Format a field so that :func:`parse_field` returns an equal one."""
    words = [each.name, f"-> {each.target}{'*' if each.many else ''}" if each.is_relation else _type(each)]
    words += [word for word, is_set in (("unique", each.unique), ("index", each.index)) if is_set]
    text = " ".join(words) + ("?" if each.optional else "")
    later = [
        "matches /" + re.sub(r"(?<!\\)((?:\\\\)*)/", r"\1\\/", each.pattern) + "/" if each.pattern is not None else "",
        "secret" if each.secret else "",
        {"create": "auto", "update": "auto update", "delete": "auto delete", None: ""}[each.auto],
        f"was {each.was}" if each.was is not None else "",
        f"on delete {each.on_delete}" if each.on_delete else "",
        json.dumps(each.doc, ensure_ascii=False) if each.doc else "",
    ]
    text = " ".join([text, *filter(None, later)])
    if each.default is None:
        return text
    if each.type == "json" or (each.is_relation and each.default == ME) or _BARE.fullmatch(each.default):
        return f"{text} = {each.default}"
    return f"{text} = {json.dumps(each.default, ensure_ascii=False)}"


def _type(each: Field) -> str:
    if each.type == "enum":
        return f"enum({'|'.join(each.choices)})"
    size = f"({each.digits},{each.places or 0})" if each.digits is not None else ""
    low, high = each.minimum or "", each.maximum or ""
    if not (low or high):
        return each.type + size
    limits = high if each.type in (*TEXTS, "bytes") and not low else f"{low}..{high}"
    return f"{each.type}{size}({limits})"
