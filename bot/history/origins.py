"""Find what phases were made from: the version of the plan, and the version of the recipe.

Commits record digests only.  A version counts as the one that a phase was made from if it gives the very same digest,
so nothing here is a guess.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from bot.errors import UsageError
from bot.history.commit_ledger import PhaseRecord
from bot.history.explanation import Versions
from bot.history.plan_reader import PlanReader
from bot.history.recipe_files import BaseFiles
from bot.history.repository import Repository
from bot.history.run_state import Commit
from bot.planning.phases import Phase, derive_phases, plan_path
from bot.planning.plan_changes import phase_facts
from bot.planning.recipe import Recipe, built_in_names
from bot.planning.recipe_model import RecipePhase
from bot.planning.recipe_names import RecipeFinder, recipe_folders
from bot.planning.resolved_plan import ResolvedPlan

_MAX_RECIPES = 50
"""How many versions of a recipe are looked at, newest first."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What a phase was made from, compared with what it would be made from now."""

    versions: Versions | None = None
    """Of the plan; None if they are not needed, or what it was made from can't be read."""
    recipe_files: Sequence[str] = ()
    """Files of the recipe that differ; empty if none does, or that is not known."""


class Origins:
    """Finds what the phases of one branch were made from."""

    def __init__(
        self,
        repository: Repository,
        plans: PlanReader,
        planned: ResolvedPlan,
        *,
        fork: str | None,
        commits: Sequence[Commit],
        heads: Sequence[str],
    ) -> None:
        """*planned* is the plan now; earlier versions of a recipe are searched in the history of *heads*."""
        self._repository, self._plans, self._planned = repository, plans, planned
        self._fork, self._commits, self._heads = fork, commits, heads
        self._versions = [*plans.versions(plan_path(planned.plan.output_dir), fork, commits)]
        if not self._versions or self._versions[-1][1].text != planned.text:
            self._versions.append((0, planned))  # no commit has it yet
        self._recipes: dict[str, Recipe | None] = {}
        self._viewed: dict[tuple[int, int], Mapping[str, Phase]] = {}

    def of(self, phase: Phase, record: PhaseRecord) -> Origin:
        """Return what *phase*, whose newest commit is *record*, was made from."""
        made_with = self._recipe_of(phase, record)
        versions = self._plan_versions(phase, record, made_with) if record.trailers.inputs != phase.inputs else None
        return Origin(versions, self._changed_files(phase, record, made_with) if made_with else ())

    # The plan

    def _plan_versions(self, phase: Phase, record: PhaseRecord, made_with: Recipe | None) -> Versions | None:
        until = self._place(record)
        for number in range(len(self._versions) - 1, -1, -1):
            place, planned = self._versions[number]
            if place > until:
                continue
            for recipe in filter(None, (made_with, planned.recipe)):
                found = self._phase(planned, recipe, phase.key)
                if found and found.inputs == record.trailers.inputs:
                    return self._since(number, recipe, phase)
        return None

    def _since(self, first: int, recipe: Recipe, phase: Phase) -> Versions | None:
        """Return what *phase* saw, as *recipe* shows it, from the version at *first* on."""
        versions = self._versions[first:]
        if len(versions) == 1 or self._phase(versions[-1][1], recipe, phase.key) is None:
            return None
        facts = [phase_facts(self._phase(planned, recipe, phase.key), planned.plan) for _, planned in versions]
        return Versions(facts, [place for place, _ in versions])

    def _place(self, record: PhaseRecord) -> int:
        return next((place for place, each in enumerate(self._commits, 1) if each.oid == record.oid), 0)

    def _phase(self, planned: ResolvedPlan, recipe: Recipe, key: str) -> Phase | None:
        return self._view(planned, recipe).get(key)

    def _view(self, planned: ResolvedPlan, recipe: Recipe) -> Mapping[str, Phase]:
        """Return the phases that *planned* has with *recipe*, by key; none if it does not fit that."""
        view = (id(planned), id(recipe))
        if view not in self._viewed:
            self._viewed[view] = {}
            with suppress(UsageError):
                phases = planned.phases if recipe is planned.recipe else derive_phases(planned.plan, recipe)
                placed = self._plans.placed(replace(planned, recipe=recipe, phases=phases))
                self._viewed[view] = {phase.key: phase for phase in placed.phases}
        return self._viewed[view]

    # The recipe

    def _recipe_of(self, phase: Phase, record: PhaseRecord) -> Recipe | None:
        """Return the recipe that the phase was made with; None if no version that can be read is that one."""
        made_with = record.trailers.recipe
        if made_with is None or made_with == phase.recipe:
            return self._planned.recipe if made_with else None
        if made_with not in self._recipes:
            found = (each for each in self._earlier_recipes(record) if _entry(each, made_with))
            self._recipes[made_with] = next(found, None)
        return self._recipes[made_with]

    def _earlier_recipes(self, record: PhaseRecord) -> Iterator[Recipe]:
        until = self._place(record)
        name = next((each.plan.recipe for place, each in reversed(self._versions) if place <= until), "")
        if not name or name in built_in_names():
            return
        files = BaseFiles(self._repository)
        for commit in (record.oid, *self._recipe_commits(name)):
            files.commit = commit
            with suppress(UsageError):
                yield RecipeFinder((), files)(name)

    def _recipe_commits(self, name: str) -> Iterator[str]:
        for folder in recipe_folders(name):
            for head in self._heads:
                yield from self._repository.commits_in(head, folder, _MAX_RECIPES)

    def _changed_files(self, phase: Phase, record: PhaseRecord, made_with: Recipe) -> Sequence[str]:
        then, now = _entry(made_with, record.trailers.recipe or ""), _entry(self._planned.recipe, phase.recipe)
        if then is None or now is None or record.trailers.recipe == phase.recipe:
            return ()
        before, after = made_with.files_of(then), self._planned.recipe.files_of(now)
        return sorted(path for path in {*before, *after} if before.get(path) != after.get(path))


def _entry(recipe: Recipe, recorded: str) -> RecipePhase | None:
    """Return the phase of *recipe* that commits record as *recorded*."""
    return next((each for each in recipe.phases if f"{recipe.name}@{recipe.digest(each)}" == recorded), None)
