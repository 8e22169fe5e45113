"""The grammar of fields.  :func:`parse_field` and :func:`format_field` are inverses.

    name type [unique] [index] [?] [= default]        name -> Entity [unique] [?]

Every form of a spec (Markdown, YAML, plan file) is parsed by these functions, so there is one grammar and one
set of error messages.
"""

import json
import re
from difflib import get_close_matches

from bot.planning.plan import SCALARS, Field
from bot.text import shown

HELP = """\
a spec lists its entities, one per line, with each field as 'name type':
  - User: username string unique, email email unique, bio text?
  - Post: title string, published boolean = false, author -> User
types: string text integer float decimal boolean date datetime uuid email url json enum(a|b|c)"""

_ENUM = re.compile(r"\benum\s*\(([^()]*)\)")
_BARE = re.compile(r"[\w.@:/+-]+( [\w.@:/+-]+)*", re.ASCII)
_PIECE = re.compile(r"""(?<=[=:\[{,(])\s*(?:"(?:\\.|[^"\\])*"|'[^']*')|[\s\S]""")
"""A quoted string in a place where a value can start, otherwise a single character."""
_DEPTH = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}
_MODIFIERS = ("unique", "index", "?")


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
    """Parse one field.

    This checks the syntax only; :func:`bot.planning.plan.find_problem` checks names, defaults and targets.

    Raises:
        ValueError: The text does not parse; the message says what was expected.
    """
    declaration, equals, default = text.partition("=")
    choices: tuple[str, ...] = ()
    if match := _ENUM.search(declaration):
        choices = tuple(choice.strip() for choice in match[1].split("|"))
        declaration = declaration[: match.start()] + "enum" + declaration[match.end() :]
    name, arrow, target = (part.strip() for part in declaration.partition("->"))
    words = (f"{name} relation {target}" if arrow else name).replace("?", " ? ").split()
    modifiers = [word for word in words[1:] if word in _MODIFIERS]
    type_words = [word for word in words[1:] if word not in _MODIFIERS]
    if len(set(modifiers)) < len(modifiers):
        raise ValueError("a modifier is given twice")
    if arrow and type_words[1:] != type_words[-1:]:
        raise ValueError("a relation is written 'name -> Entity', with 'unique' or '?' after it")
    if equals and not default.strip():
        raise ValueError("there is no value after '='; write a default or remove the '='")
    kind = "relation" if arrow else _field_type(words, type_words)
    return Field(
        name=words[0].removesuffix(":") if words else "",
        type=kind,  # type: ignore[arg-type]  # checked by _field_type
        target=type_words[-1] if arrow else None,
        unique="unique" in modifiers,
        index="index" in modifiers and not arrow,  # every foreign key is indexed
        optional="?" in modifiers,
        default=_unquote(default.strip(), kind) if equals else None,
        choices=choices,
    )


def _field_type(words: list[str], type_words: list[str]) -> str:
    if not type_words:
        raise ValueError(f"field {shown(' '.join(words))} has no type: write 'name type', such as 'title string'")
    kind, *extra = type_words
    if kind == "enum" or kind in SCALARS:
        if extra:
            raise ValueError(
                f"{shown(extra[0])} is not a modifier: after the type, write 'unique', 'index', '?' or '= default'"
            )
        return kind
    near = get_close_matches(kind.lower(), [*SCALARS, "enum"], n=1)
    raise ValueError(
        f"unknown type {shown(kind)}; "
        + (f"did you mean {near[0]!r}? " if near else "")
        + f"types are {' '.join(SCALARS)} enum(a|b|c); write 'name -> Entity' for a relation"
    )


def _unquote(text: str, kind: str) -> str:
    if text.startswith('"') and kind != "json":  # in JSON the quotes are part of the value
        try:
            return str(json.loads(text))
        except ValueError as exc:
            raise ValueError(f"default {text[:60]} is not a valid quoted string: {exc}") from exc
    if text.startswith("'") and text.endswith("'") and len(text) > 1:
        return text[1:-1]
    return text


def format_field(field: Field) -> str:
    """Format *field* so that :func:`parse_field` returns an equal one."""
    kind = f"enum({'|'.join(field.choices)})" if field.type == "enum" else field.type
    words = [field.name, f"-> {field.target}" if field.is_relation else kind]
    words += [word for word, is_set in (("unique", field.unique), ("index", field.index)) if is_set]
    text = " ".join(words) + ("?" if field.optional else "")
    if field.default is None:
        return text
    if field.type == "json" or _BARE.fullmatch(field.default):
        return f"{text} = {field.default}"
    return f"{text} = {json.dumps(field.default, ensure_ascii=False)}"
