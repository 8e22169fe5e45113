"""The grammar of one entity and one field: parse and format, each the other's inverse.

    name type [unique] [index] [?] [= default]        name -> Entity [unique] [?]

Every form of a spec (Markdown, YAML, the plan file) is read through these functions, so there is one
grammar and one set of messages.
"""

import json
import re
from difflib import get_close_matches

from bot.planning.plan import SCALARS, Field
from bot.text import shown

HELP = """\
a spec names its entities, one a line, each field as 'name type':
  - User: username string unique, email email unique, bio text?
  - Post: title string, published boolean = false, author -> User
types: string text integer float decimal boolean date datetime uuid email url json enum(a|b|c)"""

_ENUM = re.compile(r"\benum\s*\(([^()]*)\)")
_BARE = re.compile(r"[\w.@:/+-]+( [\w.@:/+-]+)*", re.ASCII)
_PIECE = re.compile(r"""(?<=[=:\[{,(])\s*(?:"(?:\\.|[^"\\])*"|'[^']*')|[\s\S]""")
"""A quoted text where a value may stand, or else one character."""
_DEPTH = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}
_MODIFIERS = ("unique", "index", "?")


def split_fields(text: str) -> list[str]:
    """Split ``field, field…`` at the commas outside quotes and brackets.

    Raises:
        ValueError: A field is empty, or a bracket is left open.
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
        raise ValueError("a field is empty: fields stand between single commas, as 'name type, name type'")
    return fields


def parse_field(text: str) -> Field:
    """Read one field of the grammar.

    Whether the field makes sense (names, default, target) is for :func:`bot.planning.plan.find_problem`.

    Raises:
        ValueError: It doesn't parse; the message says what was expected.
    """
    declaration, equals, default = text.partition("=")
    choices: tuple[str, ...] = ()
    if match := _ENUM.search(declaration):
        choices = tuple(choice.strip() for choice in match[1].split("|"))
        declaration = declaration[: match.start()] + "enum" + declaration[match.end() :]
    name, arrow, target = (part.strip() for part in declaration.partition("->"))
    words = (f"{name} relation {target}" if arrow else name).replace("?", " ? ").split()
    found = [word for word in words[1:] if word in _MODIFIERS]
    rest = [word for word in words[1:] if word not in _MODIFIERS]
    if len(set(found)) < len(found):
        raise ValueError("a modifier is given twice")
    if arrow and rest[1:] != rest[-1:]:
        raise ValueError("a relation is written 'name -> Entity', with 'unique' or '?' after it")
    if equals and not default.strip():
        raise ValueError("there is nothing after '='; write a default or leave '=' out")
    kind = "relation" if arrow else _field_type(words, rest)
    return Field(
        name=words[0].removesuffix(":") if words else "",
        type=kind,  # type: ignore[arg-type]  # checked there
        target=rest[-1] if arrow else None,
        unique="unique" in found,
        index="index" in found and not arrow,  # every foreign key is indexed
        optional="?" in found,
        default=_unquote(default.strip(), kind) if equals else None,
        choices=choices,
    )


def _field_type(words: list[str], rest: list[str]) -> str:
    if not rest:
        raise ValueError(f"field {shown(' '.join(words))} has no type: write 'name type', such as 'title string'")
    kind, *more = rest
    if kind == "enum" or kind in SCALARS:
        if more:
            raise ValueError(
                f"{shown(more[0])} is no modifier: after the type come 'unique', 'index', '?' or '= default'"
            )
        return kind
    near = get_close_matches(kind.lower(), [*SCALARS, "enum"], n=1)
    raise ValueError(
        f"unknown type {shown(kind)}; "
        + (f"did you mean {near[0]!r}? " if near else "")
        + f"types are {' '.join(SCALARS)} enum(a|b|c), and 'name -> Entity' for a relation"
    )


def _unquote(text: str, kind: str) -> str:
    if text.startswith('"') and kind != "json":  # there the quotes are the value's own
        try:
            return str(json.loads(text))
        except ValueError as exc:
            raise ValueError(f"default {text[:60]} is no quoted text: {exc}") from exc
    if text.startswith("'") and text.endswith("'") and len(text) > 1:
        return text[1:-1]
    return text


def format_field(field: Field) -> str:
    """Write *field* so that :func:`parse_field` reads it back."""
    kind = f"enum({'|'.join(field.choices)})" if field.type == "enum" else field.type
    words = [field.name, f"-> {field.target}" if field.is_relation else kind]
    words += [word for word, on in (("unique", field.unique), ("index", field.index)) if on]
    text = " ".join(words) + ("?" if field.optional else "")
    if field.default is None:
        return text
    if field.type == "json" or _BARE.fullmatch(field.default):
        return f"{text} = {field.default}"
    return f"{text} = {json.dumps(field.default, ensure_ascii=False)}"
