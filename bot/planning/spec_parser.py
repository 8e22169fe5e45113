"""Specs: what a person wrote, in Markdown or YAML, read into a plan; and the plan file, both ways.

A plan file is a spec in the YAML form, so what Phasebot writes can be edited and read by the same rules.
Errors name line, text and remedy.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import yaml

from bot.errors import UsageError
from bot.planning import field_grammar, yaml_outline
from bot.planning.path_rules import check_output_dir
from bot.planning.plan import Field, Plan
from bot.planning.spec_draft import DraftEntity, SpecDraft, fail_at
from bot.text import CONTROL, shown, unix_newlines

_ENTITY_LINE = re.compile(r" {0,3}[-*]\s+(\w+)\s*:(?:\s+(.*))?$")
_HEADING = re.compile(r" {0,3}#{1,6}\s+(.*)")
_CLOSING = re.compile(r"(?:^|\s)#+$")
_CONTINUED = re.compile(r"\s+\S")
_FENCE = re.compile(r" {0,3}(```+|~~~+)")
_ENTITIES_KEY = re.compile(r"entities\s*:")

INSTRUCTIONS = "instructions"
"""The key of a plan's section on what people ask of phases."""
PLAN_HEADER = """\
# The plan of this project. Edit it to change what is built, commit, and run generate again.
# A field is: name type [unique] [index] [?] [= default], or name -> Entity [?]
"""


def read_spec(text: str, *, source: str) -> SpecDraft:
    """Take a spec apart, whichever form it has.

    Raises:
        UsageError: It is empty, too long, holds control characters, or doesn't parse.
    """
    text = clean(text, source=source)
    lines = text.split("\n")
    if _is_yaml(lines):
        return _read_yaml(text, text, source)
    prose, blocks = _split_fences(lines)
    draft = _read_markdown(text, prose, source)
    if not blocks:
        return draft
    if draft.entities or len(blocks) > 1:
        line = draft.entities[0].line if draft.entities else blocks[1][0]
        draft.fail(line, "the entities are given twice; keep them in one YAML block or as '- Name: …' lines")
    first, block = blocks[0]
    inner = _read_yaml("\n" * first + "\n".join(block), text, source)
    return replace(inner, project=inner.project or draft.project, description=inner.description or draft.description)


def is_prose(text: str, *, source: str) -> bool:
    """Whether *text* names no entities in the exact form, or only what looks like some: somebody has to plan it.

    Raises:
        UsageError: It is empty, too long, or holds control characters.
    """
    text = clean(text, source=source)
    lines = text.split("\n")
    prose, blocks = _split_fences(lines)
    if blocks or _is_yaml(lines):
        return False
    try:
        draft = _read_markdown(text, prose, source)
        for entity in draft.entities:
            for field, _ in entity.fields:
                field_grammar.parse_field(field)
    except (UsageError, ValueError):
        return True
    return not draft.entities or not all(entity.fields for entity in draft.entities)


def find_heading(text: str) -> str:
    """Return the first heading of a Markdown *text*, or nothing."""
    prose, _ = _split_fences(_plain_lines(text).split("\n"))
    return next(filter(None, (_heading(line) for _, line, fenced in prose if not fenced)), "")


def format_plan(plan: Plan) -> str:
    """Write the plan file: YAML with the entities in the grammar's form; :func:`read_spec` reads it back."""
    content: dict[str, object] = {"project": plan.project}
    if plan.description:
        content["description"] = plan.description
    content |= {"recipe": plan.recipe, "output-dir": plan.output_dir, "entities": {}}
    content["entities"] = {entity.name: dict(map(_key_and_value, entity.fields)) for entity in plan.entities}
    instructions = format_instructions(plan.instructions) if plan.instructions else ""
    return PLAN_HEADER + _dump(content) + instructions


def format_instructions(instructions: Mapping[str, str]) -> str:
    """Write the section of the plan file that tells what people ask of phases."""
    return _dump({INSTRUCTIONS: dict(instructions)})


def _dump(content: Mapping[str, object]) -> str:
    return yaml.dump(dict(content), Dumper=_PlanDumper, sort_keys=False, allow_unicode=True, width=1000)


class _PlanDumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks, so that a review of the plan reads well."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_PlanDumper.add_representer(str, _represent_text)


def _key_and_value(field: Field) -> tuple[str, str]:
    name, _, rest = field_grammar.format_field(field).partition(" ")
    return name, rest


def clean(text: str, *, source: str) -> str:
    """Return a spec with plain line ends and no mark before it.

    Raises:
        UsageError: It is empty, too long, or holds control characters.
    """
    text = _plain_lines(text)
    if not text.strip():
        raise UsageError(f"{source}: it is empty; {field_grammar.HELP}")
    if len(text) > yaml_outline.MAX_CHARACTERS:
        raise UsageError(
            f"{source}: {len(text):,} characters are too many; the limit is {yaml_outline.MAX_CHARACTERS:,}"
        )
    if match := CONTROL.search(text):
        line = text.count("\n", 0, match.start()) + 1
        raise UsageError(f"{source}, line {line}: it holds the control character U+{ord(match[0]):04X}; remove it")
    return text


def _plain_lines(text: str) -> str:
    return unix_newlines(text.removeprefix("\ufeff"))


def _is_yaml(lines: Sequence[str]) -> bool:
    """Whether ``entities:`` is a key of the whole text.  An indented fence may be part of a value, so it hides none."""
    fence = ""
    for line in lines:
        if fence:
            fence = "" if line.startswith(fence) else fence
        elif line.startswith(("```", "~~~")):
            fence = line[: len(line) - len(line.lstrip(line[0]))]
        elif _ENTITIES_KEY.match(line):
            return True
    return False


def _split_fences(lines: list[str]) -> tuple[list[tuple[int, str, bool]], list[tuple[int, list[str]]]]:
    """Separate the fenced blocks that hold ``entities:`` from all other lines.

    Returns the other lines as ``(number, line, fenced)`` and the blocks as ``(line number of the fence, lines)``.
    """
    prose: list[tuple[int, str, bool]] = []
    blocks: list[tuple[int, list[str]]] = []
    number = 0
    while number < len(lines):
        end = number + 1
        if match := _FENCE.match(lines[number]):
            close = re.compile(rf" {{0,3}}{re.escape(match[1])}{re.escape(match[1][0])}*\s*$")
            while end < len(lines) and not close.match(lines[end]):
                end += 1
            if any(map(_ENTITIES_KEY.match, lines[number + 1 : end])):
                blocks.append((number + 1, lines[number + 1 : end]))
            else:
                prose += [(n + 1, lines[n], True) for n in range(number, min(end + 1, len(lines)))]
            end += 1
        else:
            prose.append((number + 1, lines[number], False))
        number = end
    return prose, blocks


def _read_markdown(text: str, lines: list[tuple[int, str, bool]], source: str) -> SpecDraft:
    project, prose, entities = "", [], []
    rest = iter(enumerate(lines))
    for position, (number, line, fenced) in rest:
        if not (fenced or project) and _HEADING.match(line):
            project = _heading(line)
        elif not fenced and (match := _ENTITY_LINE.match(line)):
            body = match[2] or ""
            following = position + 1
            while body.rstrip().endswith(",") and following < len(lines) and _CONTINUED.match(lines[following][1]):
                body += "\n" + lines[following][1].strip()
                following += 1
                next(rest)
            entities.append(DraftEntity(match[1], number, _located(body, number, text, source)))
        else:
            prose.append(line.rstrip())
    return SpecDraft(text, source, project, re.sub(r"\n{3,}", "\n\n", "\n".join(prose)).strip(), entities)


def _heading(line: str) -> str:
    match = _HEADING.match(line)
    return _CLOSING.sub("", " ".join(match[1].split())).strip() if match else ""


def _located(body: str, line: int, text: str, source: str) -> list[tuple[str, int]]:
    """Split the *body* of an entity that starts on *line* into fields, each with the line it stands on."""
    try:
        fields = field_grammar.split_fields(body) if body.strip() else []
    except ValueError as exc:
        fail_at(source, text, line, str(exc))
    located, end = [], 0
    for field in fields:
        start = body.index(field, end)
        line += body.count("\n", end, start)
        located.append((field.replace("\n", " "), line))
        end = start + len(field)
        line += field.count("\n")
    return located


def _read_yaml(document: str, text: str, source: str) -> SpecDraft:
    """Read the YAML form; *document* has the line numbers of the whole *text*."""
    try:
        return _draft_of(yaml_outline.compose(document), text, source)
    except yaml_outline.OutlineError as exc:
        fail_at(source, text, exc.line, str(exc))


def _draft_of(node: yaml.Node, text: str, source: str) -> SpecDraft:
    found: dict[str, str] = {}
    entities: list[DraftEntity] = []
    instructions: dict[str, str] = {}
    for key, value, line in yaml_outline.items(node, "a plan"):
        if key == "entities":
            for name, fields, at in yaml_outline.items(value, "entities"):
                entities.append(DraftEntity(name, at, list(_yaml_fields(name, fields, text, source))))
        elif key == INSTRUCTIONS:
            for phase, words, _ in yaml_outline.items(value, "instructions"):
                instructions[phase] = yaml_outline.scalar(words, f"the instruction of {phase}")
        elif (name := {"name": "project", "title": "project"}.get(key, key)) in _TEXT_KEYS:
            found[name] = yaml_outline.scalar(value, key).strip()
            if key == "output-dir" and check_output_dir(found[key]) is None:
                raise yaml_outline.OutlineError(
                    line, f"{shown(found[key])} is no folder inside the repository; name one"
                )
        else:
            raise yaml_outline.OutlineError(
                line, f"unknown key {shown(key)}; keys are {', '.join(_TEXT_KEYS)}, entities, instructions"
            )
    return SpecDraft(
        text,
        source,
        " ".join(found.get("project", "").split()),
        found.get("description", ""),
        entities,
        found.get("recipe"),
        found.get("output-dir"),
        instructions,
    )


_TEXT_KEYS = ("project", "description", "recipe", "output-dir")


def _yaml_fields(entity: str, node: yaml.Node, text: str, source: str) -> Iterator[tuple[str, int]]:
    """Yield an entity's fields, written as a mapping, a list of fields or one line of fields."""
    if isinstance(node, yaml.MappingNode):
        for name, value, line in yaml_outline.items(node, f"entity {entity}"):
            yield f"{name} {yaml_outline.scalar(value, f'field {name}')}", line
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield yaml_outline.scalar(item, f"a field of {entity}"), yaml_outline.line_of(item)
    elif body := yaml_outline.scalar(node, f"entity {entity}"):
        yield from _located(body.replace("\n", " "), yaml_outline.line_of(node), text, source)
