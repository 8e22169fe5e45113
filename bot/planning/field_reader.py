"""Reads the tokens of one field: its name, its type with limits, its modifiers and its default.

Other ways to write a field are read where their meaning is plain, and noted.
"""

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from bot.planning import names
from bot.planning.entities import SCALARS, TEXTS, Field
from bot.planning.field_defaults import parse_default
from bot.planning.type_names import OTHER_TYPES, other_type
from bot.text import shown

QUOTED = r'"(?:\\.|[^"\\])*"'
_TOKEN = re.compile(
    rf"""\s*(?:(?P<pattern>matches\s+/(?P<inner>(?:\\.|[^/\\\n])*)/)|(?P<text>{QUOTED})|\((?P<bracket>[^()]*)\)
    |(?P<mark>->|→|[?*=])|(?P<word>(?:(?!->)[^\s"()?*=→])+)|(?P<other>["()]))""",
    re.VERBOSE,
)
_RANGE = re.compile(r"([^\s.,]*(?:\.\d+)?)\s*\.\.\s*([^\s,]*)")
_MARKUP = "*`"
_TYPO = 0.8
"""How near a capitalised word is to a type that was probably meant."""
_OPTIONAL = ("?", "optional", "nullable", "null")
_REQUIRED = ("required", "mandatory", "not null")
_MODIFIERS = (
    *("unique", "index", "?", "secret", "auto", "auto update", "auto delete", "was OLD", "matches /…/", '"text"'),
    "= default",
)


def is_type(text: str) -> bool:
    """Whether *text* begins like the type of a field."""
    word = re.split(r"[\s(?=]", text.strip(), maxsplit=1)[0]
    return word in (*SCALARS, "enum", "->") or text.strip().startswith("->") or other_type(word) is not None


def nearest_type(text: str) -> str | None:
    """Return the type that *text* begins like, if it is a type with a typing error; None if not."""
    word = re.split(r"[\s(?=]", text.strip(), maxsplit=1)[0].lower()
    near = get_close_matches(word, [*SCALARS, "enum"], n=1, cutoff=_TYPO)
    return near[0] if near else None


@dataclass(slots=True)
class _Token:
    kind: str
    text: str


@dataclass(slots=True)
class FieldReader:
    """Reads the tokens of one field, one after another."""

    text: str
    tokens: list[_Token] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def read(self) -> tuple[Field, Sequence[str]]:
        """Return the field, and what to tell people about words that were read as something else.

        Raises:
            ValueError: The text does not parse; the message says what was expected.
        """
        default = self._tokenize()
        self._read_name()
        if self._take("mark", "->", "→"):
            self._read_target()
        else:
            self._read_type()
        self._read_modifiers()
        if default is not None:
            self._read_default(default)
        if self.values["type"] == "relation":
            self.values["index"] = False  # every foreign key is indexed
        if self.values.get("auto") == "delete":
            self.values["optional"] = True  # it is empty until the row is deleted
        return Field(**self.values), self.notes

    def _tokenize(self) -> str | None:
        """Split the text into tokens up to the ``=``; return what follows it, or None."""
        at = 0
        while match := _TOKEN.match(self.text, at):
            at = match.end()
            kind = match.lastgroup or ""
            token = _Token("pattern" if match["pattern"] else kind, match["inner"] if match["pattern"] else match[kind])
            if token.kind == "mark" and token.text == "=":
                return self.text[at:]
            if token.kind == "other":
                what = "quote" if token.text == '"' else "bracket"
                raise ValueError(f"a {what} is not closed; close it")
            self.tokens.append(token)
        return None

    def _take(self, kind: str, *texts: str) -> str | None:
        """Take the next token if it is of *kind*, and one of *texts* if there are any."""
        if self.tokens and self.tokens[0].kind == kind and (not texts or self.tokens[0].text in texts):
            return self.tokens.pop(0).text
        return None

    def _take_words(self, *words: str) -> bool:
        """Take the next words if they are *words*, in any case."""
        ahead = [token.text.lower() for token in self.tokens[: len(words)] if token.kind in ("word", "mark")]
        if ahead != list(words):
            return False
        del self.tokens[: len(words)]
        return True

    def _read_name(self) -> None:
        while self._take("mark", "*"):
            pass
        written = self._take("word") or ""
        while self._take("mark", "*"):
            pass
        if self.tokens and self.tokens[0].kind == "word" and self.tokens[0].text.startswith(":"):
            written += self.tokens.pop(0).text
        written, colon, rest = written.strip(_MARKUP).partition(":")
        if colon and rest:
            self.tokens.insert(0, _Token("word", rest))
        name = written.strip(_MARKUP)
        if (
            name
            and not names.FIELD_NAME.fullmatch(name)
            and names.FIELD_NAME.fullmatch(other := names.field_name(name))
        ):
            self.notes.append(f"{name} is {other}")
            name = other
        self.values["name"] = name

    def _read_target(self) -> None:
        self.values["type"] = "relation"
        words: list[str] = []
        while self.tokens and self.tokens[0].kind == "word" and (not words or self.tokens[0].text[:1].isupper()):
            words.append(self.tokens.pop(0).text.strip(_MARKUP))
        target = "".join(words) if len(words) == 1 else names.entity_name(" ".join(words))
        if not words:
            raise ValueError("a relation is written 'name -> Entity', with 'unique' or '?' after it")
        if not names.ENTITY_NAME.fullmatch(target) and names.ENTITY_NAME.fullmatch(other := names.entity_name(target)):
            target = other
        if [target] != words:
            self.notes.append(f"{' '.join(words)} is {target}")
        self.values["target"] = target
        self.values["many"] = bool(self._take("mark", "*"))

    def _read_type(self) -> None:
        written = self._take("word")
        if not written:
            raise ValueError(
                f"field {shown(self.values['name'])} has no type: write 'name type', such as 'title string'"
            )
        kind = written.strip(_MARKUP)
        brackets = []
        while (bracket := self._take("bracket")) is not None:
            brackets.append(bracket.strip())
        if kind not in (*SCALARS, "enum"):
            if (found := other_type(kind, brackets)) is None:
                return self._read_entity_type(kind)
            self.notes.append(f"{kind}{''.join(f'({each})' for each in brackets)} is {found}")
            kind, *brackets = [each.rstrip(")") for each in found.split("(")]
        self.values["type"] = kind
        if kind == "enum":
            self._read_choices(brackets)
        elif brackets:
            self._read_limits(kind, brackets)
        return None

    def _read_entity_type(self, kind: str) -> None:
        """Read ``author User`` and ``tags [Tag]`` as relations; what is no name of an entity is an unknown type."""
        target = kind.removesuffix("[]").strip("[]")
        near = get_close_matches(kind.lower(), [*SCALARS, "enum", *OTHER_TYPES], n=1)
        is_entity = names.ENTITY_NAME.fullmatch(target) and not get_close_matches(kind.lower(), near, cutoff=_TYPO)
        if not is_entity:
            raise ValueError(
                f"unknown type {shown(kind)}; "
                + (f"did you mean {near[0]!r}? " if near else "")
                + f"types are {' '.join(SCALARS)} enum(a|b|c); write 'name -> Entity' for a relation"
            )
        many = target != kind or bool(self._take("mark", "*"))
        self.values |= {"type": "relation", "target": target, "many": many}
        self.notes.append(f"{self.values['name']} {kind} is {self.values['name']} -> {target}{'*' if many else ''}")

    def _read_choices(self, brackets: Sequence[str]) -> None:
        text = brackets[0] if brackets else ""
        labels = [label.strip().strip("'\"") for label in text.split("|" if "|" in text or "," not in text else ",")]
        plain = [label if names.ENUM_CHOICE.fullmatch(label) else _plain_choice(label) for label in labels]
        for label, choice in zip(labels, plain, strict=True):
            if label != choice:
                self.notes.append(f"{shown(label)} is {choice}")
        self.values["choices"] = tuple(plain) if text else ()

    def _read_limits(self, kind: str, brackets: list[str]) -> None:
        if kind == "decimal" and re.fullmatch(r"\d+\s*(?:,\s*\d+)?", brackets[0]):
            digits, _, places = brackets.pop(0).partition(",")
            self.values |= {"digits": int(digits[:9]), "places": int(places[:9] or 0)}
        if len(brackets) > 1:
            raise ValueError(f"'({brackets[1]})' is one bracket too many; write, for example, string(3..30)")
        for bracket in brackets:
            if match := _RANGE.fullmatch(bracket):
                low, high = match[1], match[2]
            elif kind in (*TEXTS, "bytes") and bracket.isascii() and bracket.isdigit():
                low, high = "", bracket
            else:
                examples = {"bytes": "bytes(5000000), which are at most so many bytes"}
                limits = f"{kind}(120)" if kind in TEXTS else f"{kind}(1..5), {kind}(0..)"
                example = examples.get(kind, limits)
                raise ValueError(f"limits '({bracket})' can't be read; write, for example, {example}")
            if not (low or high):
                raise ValueError(f"limits '({bracket})' say nothing; leave them out")
            self.values |= {"minimum": low or None, "maximum": high or None}

    def _read_modifiers(self) -> None:
        while self.tokens:
            name, value = self._read_modifier()
            if name in self.values and name:
                raise ValueError("a modifier is given twice")
            if name:
                self.values[name] = value

    def _read_modifier(self) -> tuple[str, Any]:
        """Take one modifier; return the attribute of the field that it sets, or an empty name."""
        token = self.tokens[0]
        if token.kind == "pattern":
            return "pattern", self.tokens.pop(0).text.replace("\\/", "/")
        if token.kind == "text":
            return "doc", " ".join(_unquote(self.tokens.pop(0).text, "string").split())
        for words, name, value in _FLAGS:
            if self._take_words(*words):
                return name, value
        if self._take_words("was"):
            return "was", self._take("word") or ""
        raise ValueError(
            f"{shown(f'({token.text})' if token.kind == 'bracket' else token.text)} is not a modifier: after the type, "
            f"write {', '.join(_MODIFIERS[:-1])} or '= default'"
        )

    def _read_default(self, text: str) -> None:
        kind, raw = self.values["type"], text.strip()
        if not raw:
            raise ValueError("there is no value after '='; write a default or remove the '='")
        default, rest = _split_default(kind, raw, self.values.get("choices", ()))
        self.values["default"] = default
        self.text = rest
        if self._tokenize() is not None:
            raise ValueError("there are two '='; put the default in quotes")
        self._read_modifiers()


_FLAGS: Sequence[tuple[tuple[str, ...], str, Any]] = (
    (("unique",), "unique", True),
    (("index",), "index", True),
    (("indexed",), "index", True),
    *(((word,), "optional", True) for word in _OPTIONAL),
    *((tuple(word.split()), "", None) for word in _REQUIRED),
    (("secret",), "secret", True),
    (("auto", "update"), "auto", "update"),
    (("auto", "delete"), "auto", "delete"),
    (("auto",), "auto", "create"),
    (("on", "delete", "cascade"), "on_delete", "cascade"),
    (("on", "delete", "set", "null"), "on_delete", "set null"),
    (("on", "delete", "restrict"), "", None),
)


def _plain_choice(label: str) -> str:
    """Return *label* with what a choice can't hold as ``-``; as it is where nothing would be left."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", label).strip("-") or label


def _split_default(kind: str, raw: str, choices: Sequence[str]) -> tuple[str, str]:
    """Split what follows ``=`` into the default and the modifiers behind it."""
    end = len(raw)
    if kind == "json":
        with suppress(ValueError, RecursionError):  # told when the default is checked
            end = json.JSONDecoder().raw_decode(raw)[1]
    elif match := re.match(QUOTED, raw):
        end = match.end()
    elif raw.startswith('"'):
        pass
    elif kind in TEXTS:
        if doc := re.search(rf"\s{QUOTED}$", raw):
            end = doc.start()
    elif kind == "relation" or (not _fits(kind, raw, choices) and _fits(kind, raw.partition(" ")[0], choices)):
        end = len(raw.partition(" ")[0])
    return _unquote(raw[:end], kind), raw[end:]


def _fits(kind: str, default: str, choices: Sequence[str]) -> bool:
    try:
        parse_default(kind, _unquote(default, kind), choices)
    except ValueError:
        return False
    return True


def _unquote(text: str, kind: str) -> str:
    text = text.strip()
    if text.startswith('"') and kind != "json":  # in JSON the quotes are part of the value
        try:
            return str(json.loads(text))
        except ValueError as exc:
            raise ValueError(f"default {text[:60]} is not a valid quoted string: {exc}") from exc
    if text.startswith("'") and text.endswith("'") and len(text) > 1:
        return text[1:-1]
    return text
