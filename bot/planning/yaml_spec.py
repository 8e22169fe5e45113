"""The YAML form of a spec, which is also the form of the plan file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

import yaml

from bot.planning import yaml_outline
from bot.planning.entity_grammar import OPTIONS, Option, read_option
from bot.planning.field_reader import is_type
from bot.planning.item_grammar import read_does
from bot.planning.path_rules import output_dir_problem
from bot.planning.plan import Option as OptionValue
from bot.planning.spec_draft import DraftEntity, DraftItem, Problem, SpecDraft, fail_at, locate_fields
from bot.planning.yaml_outline import OutlineError, items, line_of, scalar
from bot.text import shown

INSTRUCTIONS = "instructions"
"""The key of the section with people's instructions for phases."""
_TEXT_KEYS = ("project", "description", "recipe", "output-dir")
_OTHER_NAMES = {"name": "project", "title": "project", "left_out": "left-out", "output_dir": "output-dir"}
KEYS = (*_TEXT_KEYS, "options", "entities", "features", "rules", INSTRUCTIONS, "left-out")
_ITEM_KEYS = ("does", "uses", "rules", "files")
_ENTITY_KEYS = ("fields", *OPTIONS)


def read_yaml_spec(document: str, text: str, source: str) -> SpecDraft:
    """Parse the YAML *document* in a spec; its line numbers are those of the whole *text*.

    Raises:
        UsageError: It can't be parsed; the message names the line.
    """
    try:
        return _Reader(text, source).read(yaml_outline.compose(document))
    except OutlineError as exc:
        fail_at(source, text, exc.line, str(exc))


@dataclass(slots=True)
class _Reader:
    text: str
    source: str
    problems: list[Problem] = field(default_factory=list)

    def read(self, node: yaml.Node) -> SpecDraft:
        texts: dict[str, str] = {}
        found: dict[str, Any] = {}
        collections: dict[str, Sequence[DraftItem]] = {}
        for key, value, line in items(node, "a plan"):
            name = _OTHER_NAMES.get(key, key)
            if name in _TEXT_KEYS:
                texts[name] = scalar(value, key).strip()
                if name == "output-dir" and (problem := output_dir_problem(texts[name])):
                    raise OutlineError(line, f"{shown(texts[name])} {problem}")
            elif name in KEYS and name != "features":
                found[name] = self._section(name, value)
            elif name == "features" or (isinstance(value, yaml.MappingNode) and not _likely(name)):
                collections[name] = [self._item(item, body, at) for item, body, at in items(value, key)]
            else:
                self.problems.append(Problem(line, _unknown(key, KEYS)))
        return SpecDraft(
            self.text,
            self.source,
            " ".join(texts.get("project", "").split()),
            texts.get("description", ""),
            found.get("entities", ()),
            texts.get("recipe"),
            texts.get("output-dir"),
            found.get(INSTRUCTIONS, {}),
            found.get("options", {}),
            collections,
            found.get("rules", ()),
            found.get("left-out", ()),
            problems=self.problems,
        )

    def _section(self, name: str, node: yaml.Node) -> object:
        """Read what stands below one of the plan's keys."""
        match name:
            case "entities":
                return [self._entity(entity, body, at) for entity, body, at in items(node, name)]
            case "instructions":
                return {phase: scalar(text, f"the instruction for {phase}") for phase, text, _ in items(node, name)}
            case "options":
                return {option: _value(value, option) for option, value, _ in items(node, name)}
        return list(_texts(node, name))

    def _entity(self, name: str, node: yaml.Node, line: int) -> DraftEntity:
        """Read an entity: its fields as a mapping, a list or one line, or ``fields`` beside what else it says."""
        if not isinstance(node, yaml.MappingNode):
            return DraftEntity(name, line, *self._listed(name, node))
        fields: list[tuple[str, int]] = []
        options: list[tuple[Option, int]] = []
        entries = list(items(node, f"entity {name}"))
        is_long = any(key == "fields" and not isinstance(value, yaml.ScalarNode) for key, value, _ in entries)
        for key, value, at in entries:
            if is_long and key == "fields":
                listed = self._entity(name, value, line)
                fields += listed.fields
                options += listed.options
            elif is_long and key not in OPTIONS:
                self.problems.append(Problem(at, f"entity {name}: {_unknown(key, _ENTITY_KEYS)}"))
            elif key in OPTIONS and (is_long or _is_option(value)):
                options += ((option, at) for option in _options(key, value))
            else:
                fields.append((f"{key} {scalar(value, f'field {key}')}", at))
        return DraftEntity(name, line, fields, options)

    def _listed(self, name: str, node: yaml.Node) -> tuple[list[tuple[str, int]], list[tuple[Option, int]]]:
        """Read the fields of an entity from a list, which can hold its other lines, too, or from one line."""
        fields: list[tuple[str, int]] = []
        options: list[tuple[Option, int]] = []
        if isinstance(node, yaml.SequenceNode):
            for item in node.value:
                text = _one_pair(item) or scalar(item, f"a field of {name}")
                option = read_option(text)
                if option.kind == "rule" and not text.startswith("rule:"):
                    fields.append((text, line_of(item)))
                else:
                    options.append((option, line_of(item)))
        elif body := scalar(node, f"entity {name}"):
            try:
                fields += locate_fields(body.replace("\n", " "), line_of(node))
            except ValueError as exc:
                self.problems.append(Problem(line_of(node), str(exc)))
        return fields, options

    def _item(self, name: str, node: yaml.Node, line: int) -> DraftItem:
        """Read an item of a collection: one text, or ``does``, ``uses``, ``rules`` and ``files``."""
        if isinstance(node, yaml.ScalarNode):
            does, uses = read_does(node.value)
            return DraftItem(name, line, does, uses)
        found: dict[str, Sequence[str]] = {}
        does = ""
        for key, value, at in items(node, name):
            if key == "does":
                does = scalar(value, "does").strip()
            elif key in _ITEM_KEYS:
                found[key] = list(_texts(value, key))
            else:
                self.problems.append(Problem(at, f"{name}: {_unknown(key, _ITEM_KEYS)}"))
        return DraftItem(name, line, does, found.get("uses", ()), found.get("rules", ()), found.get("files", ()))


def _likely(key: str) -> bool:
    """Whether *key* is probably a known key with a typing error, not a collection of the recipe."""
    return bool(get_close_matches(key.lower(), KEYS, n=1, cutoff=0.8))


def _unknown(key: str, known: Sequence[str]) -> str:
    near = get_close_matches(key.lower(), known, n=1)
    return f"unknown key {shown(key)}; " + (
        f"did you mean {near[0]!r}?" if near else f"the keys are {', '.join(known)}"
    )


def _is_option(value: yaml.Node) -> bool:
    """Whether an entry among fields is none; a field can be called ``index``, but then it has a type."""
    return not isinstance(value, yaml.ScalarNode) or not is_type(str(value.value))


def _options(key: str, node: yaml.Node) -> Iterator[Option]:
    if key == "rules":
        yield from (Option("rule", " ".join(text.split())) for text in _texts(node, key))
    elif key in ("unique", "index"):
        if isinstance(node, yaml.SequenceNode):
            if not node.value:
                yield Option(key, "")
            for group in node.value:
                yield Option(key, ", ".join(_texts(group, key)))
        else:
            yield Option(key, scalar(node, key))
    elif key == "access" and isinstance(node, yaml.MappingNode):
        yield from (Option(key, f"{verb} {', '.join(_texts(who, verb))}") for verb, who, _ in items(node, key))
    else:
        yield Option(key, scalar(node, key))


def _texts(node: yaml.Node, what: str) -> Iterator[str]:
    """Yield the texts of a list, or of a single one."""
    if isinstance(node, yaml.SequenceNode):
        yield from (scalar(item, f"an entry of {what}").strip() for item in node.value)
    elif text := scalar(node, what).strip():
        yield from (each.strip() for each in text.split(",")) if what == "uses" else (text,)


def _value(node: yaml.Node, name: str) -> OptionValue:
    """Return the value of an option as YAML means it: true and false, whole numbers, texts."""
    text = scalar(node, f"option {name}").strip()
    if isinstance(node, yaml.ScalarNode) and not node.style:  # a plain text
        if text in ("true", "false"):
            return text == "true"
        if text.lstrip("-").isdecimal() and len(text) < 16:  # noqa: PLR2004  # any longer is no number of ours
            return int(text)
    return text


def _one_pair(node: yaml.Node) -> str:
    """Return ``name: type`` in a list, which YAML reads as a mapping of one entry."""
    if isinstance(node, yaml.MappingNode) and len(node.value) == 1:
        key, value = node.value[0]
        if isinstance(key, yaml.ScalarNode) and isinstance(value, yaml.ScalarNode):
            return f"{key.value}: {value.value}"
    return ""
