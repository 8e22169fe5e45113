"""Plan and recipe → the ordered phases of a run, with their files, needs and digests."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from string import Template
from typing import Any

from bot.errors import UsageError
from bot.planning.path_rules import inside, path_problem
from bot.planning.plan import Entity, Plan
from bot.planning.recipe import PROMPTS, Recipe, RecipePhase, digest

PLAN_PHASE = "plan"
PLAN_FILE = ".phasebot/plan.yaml"


@dataclass(frozen=True, slots=True)
class Phase:
    """One step of the plan: what one commit will hold."""

    key: str
    title: str
    place: int
    """From 1; ``plan`` is 1."""
    files: Mapping[str, str]
    """Repository path → template (empty for the plan's own file)."""
    needs: tuple[str, ...]
    """Keys of the phases to be done before; all need ``plan``, which is not listed."""
    inputs: str
    """Digest of what the person controls for this phase (design §2.2)."""
    recipe: str
    """``<name>@sha256:<hex>`` of the recipe files this phase uses."""
    slice: Mapping[str, Any]
    """The part of the plan this phase may depend on; *inputs* is its digest."""
    prompt: str | None = None
    """The recipe's template of what a model is told of this phase."""
    reads: tuple[str, ...] = ()
    """Repository paths, of phases it needs, whose content at head a model is shown."""


def plan_path(output_dir: str) -> str:
    """Return where the plan file of a project in *output_dir* lies."""
    return inside(output_dir, PLAN_FILE)


def derive_phases(plan: Plan, recipe: Recipe) -> tuple[Phase, ...]:
    """Lay out the phases in plan order: ``plan`` first, then as the recipe lists them.

    Raises:
        UsageError: The recipe gives a path to two phases, an impossible path, or a need that no phase meets
            before it.
    """
    whole = plan.model_dump(mode="json", by_alias=True)
    phases = [
        Phase(
            key=PLAN_PHASE,
            title="plan",
            place=1,
            files={plan_path(plan.output_dir): ""},
            needs=(),
            inputs=digest(whole),
            recipe=f"{recipe.name}@{digest(recipe.name)}",
            slice=whole,
        )
    ]
    keys = {PLAN_PHASE}
    for entry in recipe.phases:
        used = f"{recipe.name}@{recipe.digest(entry)}"
        for entity in plan.entities if entry.for_each else (None,):
            phases.append(_phase(entry, entity, plan, used, phases))
            if phases[-1].key in keys:
                raise UsageError(f"recipe {recipe.name!r}: two phases have the key {phases[-1].key!r}; rename one")
            keys.add(phases[-1].key)
    _refuse_shared_paths(phases, recipe.name)
    return tuple(phases)


def _phase(entry: RecipePhase, entity: Entity | None, plan: Plan, recipe: str, before: Sequence[Phase]) -> Phase:
    words = {"name": entity.name, "module": entity.module, "plural": entity.plural} if entity else {}
    key, title = _fill(entry.key, words), _fill(entry.title, words)
    content = _slice(entry, entity, plan, key)
    needs = tuple(_needs(entry, key, before))
    paths = {_path(_fill(path, words)): template for path, template in entry.files.items()}
    return Phase(
        key=key,
        title=title,
        place=len(before) + 1,
        files={inside(plan.output_dir, path): template for path, template in paths.items()},
        needs=needs,
        inputs=digest(content),
        recipe=recipe,
        slice=content,
        prompt=PROMPTS + entry.prompt if entry.prompt else None,
        reads=tuple(_reads(entry, key, needs, before, plan.output_dir)),
    )


def _fill(text: str, words: Mapping[str, str]) -> str:
    try:
        return Template(text).substitute(words)
    except (KeyError, ValueError) as exc:
        raise UsageError(f"recipe: {text!r} has a placeholder that this phase does not have: {exc}") from exc


def _path(path: str) -> str:
    if problem := path_problem(path):
        raise UsageError(f"recipe: path {path!r} {problem}")
    return path


def _needs(entry: RecipePhase, key: str, before: Sequence[Phase]) -> Iterator[str]:
    for need in entry.needs:
        found = [
            phase.key
            for phase in before
            if phase.key == need or (need == "entity/*" and phase.key.startswith("entity/"))
        ]
        if not found and need != "entity/*":
            raise UsageError(f"recipe: phase {key!r} needs {need!r}, which is no phase before it")
        yield from found


def _reads(
    entry: RecipePhase, key: str, needs: Sequence[str], before: Sequence[Phase], output_dir: str
) -> Iterator[str]:
    root = "" if output_dir == "." else f"{output_dir}/"
    there = [path for phase in before if phase.key in needs for path in phase.files] if entry.reads else []
    for pattern in entry.reads:
        found = [path for path in there if fnmatchcase(path.removeprefix(root), pattern)]
        if not found and "*" not in pattern:
            raise UsageError(f"recipe: phase {key!r} reads {pattern!r}, which no phase that it needs makes")
        yield from found


def _slice(entry: RecipePhase, entity: Entity | None, plan: Plan, key: str) -> dict[str, Any]:
    """Return what a phase may see of the plan, and so what makes it stale.

    Defaults are left out, so that a later release can give fields another property without making all stale.
    """
    seen: dict[str, Any] = {"output-dir": plan.output_dir}
    if entry.sees != "nothing":
        seen["project"] = plan.project
    if entity:
        seen["entity"] = entity.model_dump(mode="json", exclude_defaults=True)
    elif entry.sees == "names":
        seen["entities"] = [entity.name for entity in plan.entities]
    elif entry.sees == "entities":
        seen["description"] = plan.description
        seen["entities"] = [entity.model_dump(mode="json", exclude_defaults=True) for entity in plan.entities]
    if key in plan.instructions:
        seen["instruction"] = plan.instructions[key]
    return seen


def _refuse_shared_paths(phases: Sequence[Phase], recipe: str) -> None:
    owner: dict[str, str] = {}
    for phase in phases:
        for path in phase.files:
            if other := owner.get(path.lower()):
                raise UsageError(
                    f"recipe {recipe!r}: {path!r} belongs to {other!r} and {phase.key!r}; phases own disjoint paths"
                )
            owner[path.lower()] = phase.key
    for path, key in owner.items():
        parents = path.split("/")[:-1]
        for depth in range(1, len(parents) + 1):
            if above := owner.get("/".join(parents[:depth])):
                raise UsageError(
                    f"recipe {recipe!r}: a file of {above!r} stands where {key!r} has the folder of {path!r}"
                )


def find_phase(phases: Sequence[Phase], key: str) -> Phase:
    """Return the phase *key*.

    Raises:
        UsageError: There is none; the message lists the phases, nearest first.
    """
    from difflib import SequenceMatcher

    for phase in phases:
        if phase.key == key:
            return phase
    near = sorted(phases, key=lambda phase: -SequenceMatcher(None, phase.key.lower(), key.lower()).ratio())
    raise UsageError(f"phase {key!r} is not in the plan; phases are: {', '.join(phase.key for phase in near[:30])}")


def find_owner(phases: Sequence[Phase], path: str) -> str:
    """Return the phase that *path* belongs to.

    Raises:
        UsageError: It belongs to none.
    """
    for phase in phases:
        if path in phase.files:
            return phase.key
    raise UsageError(f"{path!r} belongs to no phase; name one: /regenerate PHASE, and /status lists them")
