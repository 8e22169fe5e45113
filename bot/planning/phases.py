"""Derive the phases of a run from its plan and recipe: order, files, needs and digests."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from string import Template
from typing import Any

from bot.errors import UsageError
from bot.planning.entities import ME, Entity, Item
from bot.planning.names import plural_module_name
from bot.planning.path_rules import inside, path_problem
from bot.planning.phase_slices import PlanView
from bot.planning.plan import Plan
from bot.planning.recipe import PROMPTS, Recipe, digest
from bot.planning.recipe_checks import PLAN_FILE, PLAN_PHASE, REVISION
from bot.planning.recipe_fit import check_fit
from bot.planning.recipe_model import CHANGES, USES, RecipePhase
from bot.planning.schema_changes import MigrationStart

__all__ = ["PLAN_FILE", "PLAN_PHASE", "Phase", "derive_phases", "find_owner", "find_phase", "plan_path", "spec_path"]

_GLOB = frozenset("*?[")
_MAX_PHASES = 10_000
_MAX_STEPS = 2_000_000
"""How many phases are needed and files looked at, in all: a hostile recipe can ask for any number."""
_MAX_USED = 60
"""How many files of the items that an item uses a model is shown."""
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
    """Repository path → template, empty where there is none: a model or a person writes it.

    Of the plan's own files, ``plan.yaml`` is the first.
    """
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
    implied: Mapping[str, Any] = field(default_factory=dict)
    """What templates see besides the slice: collections that are empty, options that have their defaults."""
    carried_out: frozenset[str] = frozenset()
    """What of an entity templates carry out besides its fields; see ``carries-out`` of recipes."""

    @property
    def is_of_item(self) -> bool:
        """Whether it is for one entity or one item of another collection."""
        return "entity" in self.slice or "item" in self.slice

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
        rules = owner.get("rules", ())
        if "access" in self.carried_out:
            owner = {}
        access = [f"{verb} {', '.join(who)}" for verb, who in owner.get("access", {}).items()]
        from_caller = [f"{each['name']} = {ME}" for each in owner.get("fields", ()) if _is_me(each)]
        return (
            *rules,
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


def derive_phases(plan: Plan, recipe: Recipe, start: MigrationStart | None = None) -> tuple[Phase, ...]:
    """Return the phases in plan order: ``plan`` first, then as the recipe lists them.

    Those of a collection's items are in plan order, but what an item uses comes before it.  *start* is what a migration
    starts from; without it there is no phase for one.

    Raises:
        UsageError: The plan does not fit the recipe, two phases get one path or key, a path is invalid, or a need is
            not an earlier phase.
    """
    check_fit(plan, recipe)
    content = plan.content()
    view = PlanView(plan, recipe, start)
    made = _Phases(view)
    made.add(
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
    )
    for entry in filter(view.has, recipe.phases):
        recipe_id = f"{recipe.name}@{recipe.digest(entry)}"
        for item in _in_order(plan.items(entry.collection)) if entry.collection else (None,):
            made.add(made.phase(entry, item, recipe_id), entry, item)
    _check_paths_are_disjoint(made.phases, recipe.name)
    return tuple(made.phases)


def _in_order(items: Sequence[Entity | Item]) -> list[Entity | Item]:
    """Return *items* so that what one uses comes before it; otherwise they keep their order.  Uses form no circle."""
    by_name = {item.name: item for item in items}
    done: dict[str, Entity | Item] = {}
    for item in items:
        stack = [item]
        while stack:
            uses = stack[-1].uses if isinstance(stack[-1], Item) else ()
            open_uses = [by_name[name] for name in uses if name in by_name and name not in done]
            if open_uses:
                stack.append(open_uses[0])
            else:
                last = stack.pop()
                done[last.name] = last
    return [*done.values()]


class _Phases:
    """The phases derived so far, to be found by what others need."""

    def __init__(self, view: PlanView) -> None:
        self.phases: list[Phase] = []
        self._view, self._root = view, view.plan.output_dir
        self._by_key: dict[str, Phase] = {}
        self._absent = {entry.key for entry in view.recipe.phases if not view.has(entry)}
        """Keys of phases that this plan has not, although the recipe has them."""
        conditional = [entry for entry in view.recipe.phases if entry.conditions]
        self._optional = {path for entry in conditional for path in (*entry.conditions, *entry.templates)}
        self._groups = defaultdict[str, list[str]](list)
        """``<collection>/*`` and ``<start of keys>/*`` → keys."""
        self._by_item = defaultdict[str, list[str]](list)
        self._steps = 0

    def add(self, phase: Phase, entry: RecipePhase | None = None, item: Entity | Item | None = None) -> None:
        """Add *phase*, which is *entry* for *item*."""
        recipe = self._view.recipe.name
        if phase.key in self._by_key:
            raise UsageError(f"recipe {recipe!r}: two phases have the key {phase.key!r}; rename one")
        if len(self.phases) >= _MAX_PHASES:
            raise UsageError(f"recipe {recipe!r}: the plan has more than {_MAX_PHASES:,} phases; split the project")
        self.phases.append(phase)
        self._by_key[phase.key] = phase
        parts = phase.key.split("/")
        groups = {"/".join(parts[:depth]) for depth in range(1, len(parts))}
        for group in groups | ({entry.collection} if entry and entry.collection else set()):
            self._groups[f"{group}/*"].append(phase.key)
        if item is not None:
            self._by_item[item.name].append(phase.key)

    def phase(self, entry: RecipePhase, item: Entity | Item | None, recipe_id: str) -> Phase:
        """Return the phase that *entry* is for *item*."""
        values = {"name": item.name, "module": item.module, "plural": plural_module_name(item.plural)} if item else {}
        start = self._view.start if CHANGES in entry.seen else None
        if start:
            values[REVISION] = start.revision
        key = _substitute(entry.key, values)
        seen = self._view.see(entry, item, key)
        # A migration that is merged stays, whatever is made again beside it.
        needs = () if start and start.merged else self._needs(entry, item, key, values)
        listed = {path: template for path, template in entry.templates.items() if self._view.has(entry, path)}
        paths = {_substitute(path, values): template for path, template in listed.items()}
        if entry.is_planned and isinstance(item, Item):
            paths = dict.fromkeys(item.files, "")
        for path in paths:
            if problem := path_problem(path):
                raise UsageError(f"recipe {self._view.recipe.name!r}, phase {key!r}: path {path!r} {problem}")
        return Phase(
            key=key,
            title=_substitute(entry.title, values),
            place=len(self.phases) + 1,
            files={inside(self._root, path): template for path, template in paths.items()},
            needs=needs,
            inputs=digest(seen.slice),
            recipe=recipe_id,
            slice=seen.slice,
            implied=seen.implied,
            carried_out=self._view.carries_out(entry),
            prompt=PROMPTS + entry.prompt if entry.prompt else None,
            reads=tuple(self._reads(entry, item, key, needs, values)),
        )

    def _needs(
        self, entry: RecipePhase, item: Entity | Item | None, key: str, values: Mapping[str, str]
    ) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for need in entry.needs:
            if need == USES:
                found |= dict.fromkeys(self._used(item, key))
            elif need.endswith("/*"):
                found |= dict.fromkeys(self._groups.get(need, ()))
            elif (needed := _substitute(need, values)) in self._by_key:
                found[needed] = None
            elif needed not in self._absent:
                raise UsageError(f"recipe: phase {key!r} needs {needed!r}, which is not the key of an earlier phase")
        self._spend(len(found))
        return tuple(found)

    def _spend(self, steps: int) -> None:
        self._steps += steps
        if self._steps > _MAX_STEPS:
            raise UsageError(
                f"recipe {self._view.recipe.name!r}: its phases need and read too much of each other for this plan; "
                "let them need and read less, or split the project"
            )

    def _used(self, item: Entity | Item | None, key: str) -> Iterator[str]:
        """Yield the phases of what *item* uses."""
        for name in item.uses if isinstance(item, Item) else ():
            collection = self._view.places[name]
            if name not in self._by_item and any(each.collection == collection for each in self._view.recipe.phases):
                raise UsageError(
                    f"recipe {self._view.recipe.name!r}: phase {key!r} uses {name}, whose phase comes later; "
                    f"list the phases of {collection} before it"
                )
            yield from self._by_item.get(name, ())

    def _reads(
        self,
        entry: RecipePhase,
        item: Entity | Item | None,
        key: str,
        needs: Sequence[str],
        values: Mapping[str, str],
    ) -> Iterator[str]:
        if not entry.reads:
            return
        root = "" if self._root == "." else f"{self._root}/"
        needed = sorted((self._by_key[need] for need in needs), key=lambda phase: phase.place)
        available = {path.removeprefix(root): path for phase in needed for path in phase.files}
        self._spend(len(available))
        found: set[str] = set()
        for pattern in entry.reads:
            if pattern == USES:
                matches = [path for used in self._used(item, key) for path in self._by_key[used].files][:_MAX_USED]
            else:
                matches = _matching(_substitute(pattern, values), available)
                self._spend(len(available) if _GLOB & set(pattern) else 1)
            if not matches and pattern != USES and "*" not in pattern and pattern not in self._optional:
                raise UsageError(
                    f"recipe: phase {key!r} reads {pattern!r}, which none of the phases it needs generates"
                )
            yield from (path for path in matches if path not in found)
            found.update(matches)


def _matching(pattern: str, available: Mapping[str, str]) -> list[str]:
    """Return the repository paths of what in *available*, by path in the project, matches *pattern*."""
    if not _GLOB & set(pattern):
        return [available[pattern]] if pattern in available else []
    return [full for path, full in available.items() if fnmatchcase(path, pattern)]


def _substitute(text: str, values: Mapping[str, str]) -> str:
    return Template(text).substitute(values)


def _check_paths_are_disjoint(phases: Sequence[Phase], recipe: str) -> None:
    owners: dict[str, Phase] = {}
    for phase in phases:
        for path in phase.files:
            if other := owners.get(path.lower()):
                problem = f"{path!r} belongs to both {other.key!r} and {phase.key!r}; only one phase can own a path"
                raise UsageError(f"recipe {recipe!r}: {problem}{_remedy(other, phase)}")
            owners[path.lower()] = phase
    for path, phase in owners.items():
        parents = path.split("/")[:-1]
        for depth in range(1, len(parents) + 1):
            if other := owners.get("/".join(parents[:depth])):
                problem = f"{path!r} of {phase.key!r} needs a folder where {other.key!r} has a file"
                raise UsageError(f"recipe {recipe!r}: {problem}{_remedy(other, phase)}")


def _remedy(*phases: Phase) -> str:
    items = [phase.key for phase in phases if phase.is_of_item]
    return f"; rename the item of {items[-1]!r}, or give it other files" if items else ""


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
