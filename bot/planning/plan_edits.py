"""Add instructions to a plan file and leave the rest of its text as people wrote it."""

from collections.abc import Collection, Mapping
from dataclasses import replace

import yaml

from bot.errors import UsageError
from bot.planning import yaml_outline
from bot.planning.plan_file import format_instructions
from bot.planning.recipe_names import LoadRecipe, load_built_in
from bot.planning.resolved_plan import ResolvedPlan, refuse_secret, resolve_plan_file
from bot.planning.yaml_spec import INSTRUCTIONS


def add_instruction(planned: ResolvedPlan, text: str, phases: Collection[str], instruction: str) -> ResolvedPlan:
    """Add *instruction* for each of *phases* to the plan file *text* and return the resulting plan.

    Only the file's ``instructions`` section changes.  An instruction that a phase already has is not added again.

    Raises:
        UsageError: The instruction can't be part of a plan or holds a secret, or the file can't be edited
            automatically.
    """
    refuse_secret(instruction, "the instruction")
    instructions = dict(planned.plan.instructions)
    for phase in phases:
        existing = instructions.get(phase, "")
        if f"\n\n{instruction}\n\n" not in f"\n\n{existing}\n\n":
            instructions[phase] = f"{existing}\n\n{instruction}" if existing else instruction
    changed = _replace_section(text, instructions)
    result = resolve_plan_file(
        changed, source="the plan with the instruction", output_dir=planned.plan.output_dir, load=_only(planned)
    )
    if result.plan != planned.plan.model_copy(update={"instructions": result.plan.instructions}):
        raise UsageError(
            "adding an instruction to the plan: the plan file has a layout that can't be edited automatically; "
            "add the instruction to the file by hand"
        )
    return replace(result, text=changed)


def _only(planned: ResolvedPlan) -> LoadRecipe:
    """Return a loader of the recipe of *planned*; any other is none that the file could have."""
    return lambda name: planned.recipe if name == planned.plan.recipe else load_built_in(name)


def carry_over(old: str, new: str, theirs: str, *, output_dir: str, load: LoadRecipe = load_built_in) -> str | None:
    """Return the plan file *theirs* with the instructions that *new* adds to *old*; None if *new* changes more.

    This keeps both when two people add instructions at the same time.
    """
    try:
        old_plan, new_plan, their_plan = (
            resolve_plan_file(text, source="a plan", output_dir=output_dir, load=load) for text in (old, new, theirs)
        )
        if new_plan.plan.model_copy(update={INSTRUCTIONS: old_plan.plan.instructions}) != old_plan.plan:
            return None
        for phase, instruction in new_plan.plan.instructions.items():
            previous = old_plan.plan.instructions.get(phase, "")
            if instruction != previous and instruction.startswith(previous):
                added = instruction.removeprefix(previous).strip("\n")
                their_plan = add_instruction(their_plan, theirs, [phase], added)
                theirs = their_plan.text
            elif instruction != previous:
                return None
    except UsageError:
        return None
    return theirs


def _replace_section(text: str, instructions: Mapping[str, str]) -> str:
    """Replace the ``instructions`` section, or append one."""
    section, node = format_instructions(instructions), yaml_outline.compose(text)
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        if key.value == INSTRUCTIONS:
            rest = text[_end(value) :]
            return text[: key.start_mark.index] + section + rest.removeprefix("\n")
    return text + ("" if text.endswith("\n") else "\n") + section


def _end(node: yaml.Node) -> int:
    """Return the index where *node* ends; the end mark of a block would include the comments after it."""
    if isinstance(node, yaml.MappingNode) and node.value and not node.flow_style:
        return _end(node.value[-1][1])
    assert node.end_mark, "composed nodes have marks"  # noqa: S101
    index: int = node.end_mark.index
    return index
