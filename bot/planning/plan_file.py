"""The plan file: :func:`format_plan` writes it, :func:`parse_plan` reads it back.

A plan file is a spec in the YAML form, so people can edit what Phasebot writes.
"""

from collections.abc import Mapping
from typing import Any

import yaml

from bot.planning import field_grammar
from bot.planning.entities import Entity, Field, Item
from bot.planning.item_grammar import format_does, read_does
from bot.planning.plan import Plan
from bot.planning.spec_draft import SpecDraft
from bot.planning.spec_parser import clean
from bot.planning.yaml_spec import INSTRUCTIONS, read_yaml_spec

PLAN_HEADER = """\
# The plan of this project. Edit it to change what is built, commit, and run generate again.
# A field is: name type [unique] [index] [?] [= default], or name -> Entity [?]
"""


def parse_plan(text: str, *, source: str) -> SpecDraft:
    """Parse a plan file; the result is not validated yet.

    Raises:
        UsageError: The text can't be parsed; the message starts with *source* and names the line.
    """
    text = clean(text, source=source)
    return read_yaml_spec(text, text, source)


def format_plan(plan: Plan) -> str:
    """Format the plan file: YAML, with one line of the field grammar per field."""
    content: dict[str, object] = {"project": plan.project}
    if plan.description:
        content["description"] = plan.description
    content |= {"recipe": plan.recipe, "output-dir": plan.output_dir}
    if plan.options:
        content["options"] = dict(plan.options)
    content["entities"] = {entity.name: _entity(entity) for entity in plan.entities}
    for name, items in plan.collections.items():
        content[name] = {item.name: _item(item) for item in items}
    if plan.rules:
        content["rules"] = list(plan.rules)
    if plan.left_out:
        content["left-out"] = list(plan.left_out)
    instructions = format_instructions(plan.instructions) if plan.instructions else ""
    return PLAN_HEADER + _dump(content) + instructions


def format_instructions(instructions: Mapping[str, str]) -> str:
    """Format the ``instructions`` section of the plan file."""
    return _dump({INSTRUCTIONS: dict(instructions)})


def _entity(entity: Entity) -> Mapping[str, Any]:
    """Return the entity's fields; under ``fields`` if it says more."""
    fields = dict(map(_key_and_value, entity.fields))
    more: dict[str, Any] = {}
    if entity.unique or entity.implied_unique:
        more["unique"] = [", ".join(group) for group in entity.unique or ()]
    if entity.index:
        more["index"] = [", ".join(group) for group in entity.index]
    more |= {"plural": entity.plural_name} if entity.plural_name else {}
    more |= {"table": entity.table_name} if entity.table_name else {}
    more |= {"access": {verb: ", ".join(who) for verb, who in entity.access.items()}} if entity.access else {}
    more |= {"rules": list(entity.rules)} if entity.rules else {}
    return {"fields": fields, **more} if more else fields


def _item(item: Item) -> Mapping[str, Any] | str:
    """Return the item in one line, where that says it all and reads back."""
    line = format_does(item)
    if not (item.rules or item.files) and read_does(line) == (item.does, item.uses):
        return line
    content: dict[str, Any] = {"does": item.does}
    content |= {"uses": list(item.uses)} if item.uses else {}
    content |= {"rules": list(item.rules)} if item.rules else {}
    content |= {"files": list(item.files)} if item.files else {}
    return content


def _dump(content: Mapping[str, object]) -> str:
    return yaml.dump(dict(content), Dumper=_PlanDumper, sort_keys=False, allow_unicode=True, width=1000)


class _PlanDumper(yaml.SafeDumper):
    """Writes multi-line text as a block, which is easier to review."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_PlanDumper.add_representer(str, _represent_text)


def _key_and_value(field: Field) -> tuple[str, str]:
    name, _, rest = field_grammar.format_field(field).partition(" ")
    return name, rest
