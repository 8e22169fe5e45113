"""The plan file: :func:`format_plan` writes it, :func:`parse_plan` reads it back.

A plan file is a spec in the YAML form, so people can edit what Phasebot writes.
"""

from collections.abc import Mapping

import yaml

from bot.planning import field_grammar
from bot.planning.entities import Field
from bot.planning.plan import Plan
from bot.planning.spec_draft import SpecDraft
from bot.planning.spec_parser import read_spec
from bot.planning.yaml_spec import INSTRUCTIONS

PLAN_HEADER = """\
# The plan of this project. Edit it to change what is built, commit, and run generate again.
# A field is: name type [unique] [index] [?] [= default], or name -> Entity [?]
"""


def parse_plan(text: str, *, source: str) -> SpecDraft:
    """Parse a plan file; the result is not validated yet.

    Raises:
        UsageError: The text can't be parsed; the message starts with *source* and names the line.
    """
    return read_spec(text, source=source)


def format_plan(plan: Plan) -> str:
    """Format the plan file: YAML, with one line of the field grammar per field."""
    content: dict[str, object] = {"project": plan.project}
    if plan.description:
        content["description"] = plan.description
    content |= {"recipe": plan.recipe, "output-dir": plan.output_dir, "entities": {}}
    content["entities"] = {entity.name: dict(map(_key_and_value, entity.fields)) for entity in plan.entities}
    instructions = format_instructions(plan.instructions) if plan.instructions else ""
    return PLAN_HEADER + _dump(content) + instructions


def format_instructions(instructions: Mapping[str, str]) -> str:
    """Format the ``instructions`` section of the plan file."""
    return _dump({INSTRUCTIONS: dict(instructions)})


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
