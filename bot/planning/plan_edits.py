"""Change a plan file without laying hands on what people wrote in it: add an instruction."""

from collections.abc import Collection, Mapping
from dataclasses import replace

import yaml

from bot.errors import UsageError
from bot.planning import yaml_outline
from bot.planning.resolved_plan import ResolvedPlan, resolve_plan_file
from bot.planning.spec_parser import INSTRUCTIONS, format_instructions


def add_instruction(planned: ResolvedPlan, text: str, phases: Collection[str], instruction: str) -> ResolvedPlan:
    """Return the plan whose file is *text* with one more *instruction* for each of *phases*.

    The file changes in its part on instructions only; what a phase is told already is not told again.

    Raises:
        UsageError: The instruction can't be part of the plan.
    """
    instructions = dict(planned.plan.instructions)
    for phase in phases:
        there = instructions.get(phase, "")
        if f"\n\n{instruction}\n\n" not in f"\n\n{there}\n\n":
            instructions[phase] = f"{there}\n\n{instruction}" if there else instruction
    changed = _with_section(text, instructions)
    made = resolve_plan_file(changed, source="the plan with the instruction", output_dir=planned.plan.output_dir)
    if made.plan != planned.plan.model_copy(update={"instructions": made.plan.instructions}):
        raise UsageError("adding an instruction to the plan: its file is written in an unusual way; edit it by hand")
    return replace(made, text=changed)


def carry_over(old: str, new: str, theirs: str, *, output_dir: str) -> str | None:
    """Return the plan file *theirs* with the instructions that *new* has more than *old*; None if that is not all.

    So two who instruct phases at the same time don't write over each other.
    """
    try:
        before, after, there = (
            resolve_plan_file(text, source="a plan", output_dir=output_dir) for text in (old, new, theirs)
        )
        if after.plan.model_copy(update={INSTRUCTIONS: before.plan.instructions}) != before.plan:
            return None
        for phase, told in after.plan.instructions.items():
            known = before.plan.instructions.get(phase, "")
            if told != known and told.startswith(known):
                more = told.removeprefix(known).strip("\n")
                there = add_instruction(there, theirs, [phase], more)
                theirs = there.text
            elif told != known:
                return None
    except UsageError:
        return None
    return theirs


def _with_section(text: str, instructions: Mapping[str, str]) -> str:
    """Put the section on instructions in place of the one there is, or at the end."""
    section, node = format_instructions(instructions), yaml_outline.compose(text)
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        if key.value == INSTRUCTIONS:
            rest = text[_end(value) :]
            return text[: key.start_mark.index] + section + rest.removeprefix("\n")
    return text + ("" if text.endswith("\n") else "\n") + section


def _end(node: yaml.Node) -> int:
    """Return where *node* ends; a block's own mark is behind the comments that follow it."""
    if isinstance(node, yaml.MappingNode) and node.value and not node.flow_style:
        return _end(node.value[-1][1])
    assert node.end_mark, "composed nodes have marks"  # noqa: S101
    index: int = node.end_mark.index
    return index
