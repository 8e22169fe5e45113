"""Derive the phases of a run from its plan and recipe: order, files, needs and digests."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from string import Template
from typing import Any

from bot.errors import UsageError
from bot.planning.entities import ME, Entity
from bot.planning.path_rules import inside, path_problem
from bot.planning.plan import Plan
from bot.planning.recipe import PROMPTS, Recipe, RecipePhase, digest

PLAN_PHASE = "plan"
PLAN_FILE = ".phasebot/plan.yaml"
SPEC_FILE = ".phasebot/spec.md"
"""The text that the plan was made from; people may edit or remove it, because nothing reads it."""

_COMPARED = 200
"""How many characters of a key are compared with others."""


@dataclass(frozen=True, slots=True)
class Phase:
    """One step of the plan, which becomes one commit."""

    key: str
    title: str
    place: int
    """Position in plan order; ``plan`` is 1."""
    files: Mapping[str, str]
    """Repository path → template, which is empty where there is none; the first of the plan is ``plan.yaml``."""
    needs: tuple[str, ...]
    """Keys of the phases that must be done first; ``plan``, which every phase needs, is not listed."""
    inputs: str
    """Digest of *slice*, written as the trailer ``Phasebot-Inputs``."""
    recipe: str
    """``<name>@sha256:<hex>`` of the recipe files this phase uses."""
    slice: Mapping[str, Any]
    """The part of the plan that this phase can depend on."""
    prompt: str | None = None
    """The recipe's template for this phase's model prompt."""
    reads: tuple[str, ...] = ()
    """Repository paths of phases it needs; the model is shown their content at head."""

    @property
    def without_template(self) -> tuple[str, ...]:
        """Repository paths that no template makes; the plan's own files are none of them."""
        return () if self.key == PLAN_PHASE else tuple(path for path, template in self.files.items() if not template)

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules of its own entity or item; those of the whole project are not among them."""
        owner = self.slice.get("entity") or self.slice.get("item") or {}
        return tuple(owner.get("rules", ()))

    @property
    def asks(self) -> tuple[str, ...]:
        """What people ask of this phase in sentences: templates can't carry it out."""
        if self.key == PLAN_PHASE:  # its slice is the whole plan
            return ()
        owner = self.slice.get("entity") or self.slice.get("item") or {}
        access = [f"{verb} {', '.join(who)}" for verb, who in owner.get("access", {}).items()]
        from_caller = [f"{each['name']} = {ME}" for each in owner.get("fields", ()) if _is_me(each)]
        return (
            *owner.get("rules", ()),
            *([f"access: {'; '.join(access)}"] if access else []),
            *from_caller,
            *self.slice.get("rules", ()),
            *([self.slice["instruction"]] if "instruction" in self.slice else []),
        )


def _is_me(field: Mapping[str, Any]) -> bool:
    return bool(field.get("type") == "relation" and field.get("default") == ME)


def plan_path(output_dir: str) -> str:
    """Return the repository path of the plan file for a project in *output_dir*."""
    return inside(output_dir, PLAN_FILE)


def spec_path(output_dir: str) -> str:
    """Return the repository path of the spec's original text for a project in *output_dir*."""
    return inside(output_dir, SPEC_FILE)


def derive_phases(plan: Plan, recipe: Recipe) -> tuple[Phase, ...]:
    """Return the phases in plan order: ``plan`` first, then as the recipe lists them.

    Raises:
        UsageError: The recipe gives one path to two phases, has an invalid path, or lists a need that is not an
            earlier phase.
    """
    content = plan.content()
    phases = [
        Phase(
            key=PLAN_PHASE,
            title="plan",
            place=1,
            files={plan_path(plan.output_dir): "", spec_path(plan.output_dir): ""},
            needs=(),
            inputs=digest(content),
            recipe=f"{recipe.name}@{digest(recipe.name)}",
            slice=content,
        )
    ]
    keys = {PLAN_PHASE}
    for entry in recipe.phases:
        recipe_id = f"{recipe.name}@{recipe.digest(entry)}"
        for entity in plan.entities if entry.for_each else (None,):
            phases.append(_phase(entry, entity, plan, recipe_id, phases))
            if phases[-1].key in keys:
                raise UsageError(f"recipe {recipe.name!r}: two phases have the key {phases[-1].key!r}; rename one")
            keys.add(phases[-1].key)
    _check_paths_are_disjoint(phases, recipe.name)
    return tuple(phases)


def _phase(entry: RecipePhase, entity: Entity | None, plan: Plan, recipe_id: str, earlier: Sequence[Phase]) -> Phase:
    values = {"name": entity.name, "module": entity.module, "plural": entity.plural} if entity else {}
    key, title = _substitute(entry.key, values), _substitute(entry.title, values)
    plan_slice = _slice(entry, entity, plan, key)
    needs = tuple(_needs(entry, key, earlier))
    paths = {_substitute(path, values): template for path, template in entry.files.items()}
    for path in paths:
        if problem := path_problem(path):
            raise UsageError(f"recipe {plan.recipe!r}, phase {key!r}: path {path!r} {problem}")
    return Phase(
        key=key,
        title=title,
        place=len(earlier) + 1,
        files={inside(plan.output_dir, path): template for path, template in paths.items()},
        needs=needs,
        inputs=digest(plan_slice),
        recipe=recipe_id,
        slice=plan_slice,
        prompt=PROMPTS + entry.prompt if entry.prompt else None,
        reads=tuple(_reads(entry, key, needs, earlier, plan.output_dir)),
    )


def _substitute(text: str, values: Mapping[str, str]) -> str:
    try:
        return Template(text).substitute(values)
    except (KeyError, ValueError) as exc:
        raise UsageError(f"recipe: {text!r} has a placeholder that is not defined for this phase: {exc}") from exc


def _needs(entry: RecipePhase, key: str, earlier: Sequence[Phase]) -> Iterator[str]:
    for need in entry.needs:
        matches = [
            phase.key
            for phase in earlier
            if phase.key == need or (need == "entity/*" and phase.key.startswith("entity/"))
        ]
        if not matches and need != "entity/*":
            raise UsageError(f"recipe: phase {key!r} needs {need!r}, which is not the key of an earlier phase")
        yield from matches


def _reads(
    entry: RecipePhase, key: str, needs: Sequence[str], earlier: Sequence[Phase], output_dir: str
) -> Iterator[str]:
    root = "" if output_dir == "." else f"{output_dir}/"
    available = [path for phase in earlier if phase.key in needs for path in phase.files] if entry.reads else []
    for pattern in entry.reads:
        matches = [path for path in available if fnmatchcase(path.removeprefix(root), pattern)]
        if not matches and "*" not in pattern:
            raise UsageError(f"recipe: phase {key!r} reads {pattern!r}, which none of the phases it needs generates")
        yield from matches


def _slice(entry: RecipePhase, entity: Entity | None, plan: Plan, key: str) -> dict[str, Any]:
    """Return the part of the plan that a phase sees; a change to it makes the phase outdated.

    Defaults are left out, so a later release can add a property to fields without making every phase outdated.
    """
    content: dict[str, Any] = {"output-dir": plan.output_dir}
    if entry.sees != "nothing":
        content["project"] = plan.project
    if entity:
        content["entity"] = entity.content()
    elif entry.sees == "names":
        content["entities"] = [entity.name for entity in plan.entities]
    elif entry.sees == "entities":
        content["description"] = plan.description
        content["entities"] = [entity.content() for entity in plan.entities]
    if plan.rules and (entity or entry.sees == "names"):
        content["rules"] = list(plan.rules)
    if key in plan.instructions:
        content["instruction"] = plan.instructions[key]
    return content


def _check_paths_are_disjoint(phases: Sequence[Phase], recipe: str) -> None:
    owners: dict[str, str] = {}
    for phase in phases:
        for path in phase.files:
            if other := owners.get(path.lower()):
                raise UsageError(
                    f"recipe {recipe!r}: {path!r} belongs to both {other!r} and {phase.key!r}; "
                    "only one phase can own a path"
                )
            owners[path.lower()] = phase.key
    for path, key in owners.items():
        parents = path.split("/")[:-1]
        for depth in range(1, len(parents) + 1):
            if parent_owner := owners.get("/".join(parents[:depth])):
                raise UsageError(
                    f"recipe {recipe!r}: {path!r} of {key!r} needs a folder where {parent_owner!r} has a file"
                )


def find_phase(phases: Sequence[Phase], key: str) -> Phase:
    """Return the phase *key*.

    Raises:
        UsageError: The plan has no such phase; the message lists all phases, the most similar first.
    """
    for phase in phases:
        if phase.key == key:
            return phase
    keys = ", ".join(by_similarity([phase.key for phase in phases], key)[:30])
    raise UsageError(f"phase {key!r} is not in the plan; phases are: {keys}")


def by_similarity(keys: Sequence[str], key: str) -> Sequence[str]:
    """Return *keys*, the one most similar to *key* first."""
    from difflib import SequenceMatcher

    key = key.lower()[:_COMPARED]
    return sorted(keys, key=lambda each: -SequenceMatcher(None, each.lower()[:_COMPARED], key).ratio())


def misplaced_instructions(phases: Sequence[Phase]) -> Sequence[str]:
    """Return the keys of the plan's instructions that no phase gets, because there is none of that name."""
    instructions = phases[0].slice.get("instructions", {}) if phases else {}
    known = {phase.key for phase in phases[1:]}
    return [key for key in instructions if key not in known]


def find_owner(phases: Sequence[Phase], path: str) -> str:
    """Return the key of the phase that owns *path*.

    Raises:
        UsageError: No phase owns it.
    """
    for phase in phases:
        if path in phase.files:
            return phase.key
    raise UsageError(f"{path!r} belongs to no phase; name a phase instead: /regenerate PHASE (/status lists them)")
