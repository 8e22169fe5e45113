"""The YAML form of a spec, which is also the form of the plan file."""

from collections.abc import Iterator

import yaml

from bot.planning import yaml_outline
from bot.planning.path_rules import output_dir_problem
from bot.planning.spec_draft import DraftEntity, SpecDraft, fail_at, locate_fields
from bot.text import shown

INSTRUCTIONS = "instructions"
"""The key of the section with people's instructions for phases."""
_TEXT_KEYS = ("project", "description", "recipe", "output-dir")


def read_yaml_spec(document: str, text: str, source: str) -> SpecDraft:
    """Parse the YAML *document* in a spec; its line numbers are those of the whole *text*.

    Raises:
        UsageError: It can't be parsed; the message names the line.
    """
    try:
        return _read_keys(yaml_outline.compose(document), text, source)
    except yaml_outline.OutlineError as exc:
        fail_at(source, text, exc.line, str(exc))


def _read_keys(node: yaml.Node, text: str, source: str) -> SpecDraft:
    texts: dict[str, str] = {}
    entities: list[DraftEntity] = []
    instructions: dict[str, str] = {}
    for key, value, line in yaml_outline.items(node, "a plan"):
        if key == "entities":
            for name, fields, at in yaml_outline.items(value, "entities"):
                entities.append(DraftEntity(name, at, list(_read_fields(name, fields, text, source))))
        elif key == INSTRUCTIONS:
            for phase, instruction, _ in yaml_outline.items(value, "instructions"):
                instructions[phase] = yaml_outline.scalar(instruction, f"the instruction for {phase}")
        elif (name := {"name": "project", "title": "project"}.get(key, key)) in _TEXT_KEYS:
            texts[name] = yaml_outline.scalar(value, key).strip()
            if key == "output-dir" and (problem := output_dir_problem(texts[key])):
                raise yaml_outline.OutlineError(line, f"{shown(texts[key])} {problem}")
        else:
            raise yaml_outline.OutlineError(
                line, f"unknown key {shown(key)}; the keys are {', '.join(_TEXT_KEYS)}, entities, instructions"
            )
    return SpecDraft(
        text,
        source,
        " ".join(texts.get("project", "").split()),
        texts.get("description", ""),
        entities,
        texts.get("recipe"),
        texts.get("output-dir"),
        instructions,
    )


def _read_fields(entity: str, node: yaml.Node, text: str, source: str) -> Iterator[tuple[str, int]]:
    """Yield the fields of an entity, which are written as a mapping, as a list or on one line."""
    if isinstance(node, yaml.MappingNode):
        for name, value, line in yaml_outline.items(node, f"entity {entity}"):
            yield f"{name} {yaml_outline.scalar(value, f'field {name}')}", line
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield yaml_outline.scalar(item, f"a field of {entity}"), yaml_outline.line_of(item)
    elif body := yaml_outline.scalar(node, f"entity {entity}"):
        yield from locate_fields(body.replace("\n", " "), yaml_outline.line_of(node), text, source)
