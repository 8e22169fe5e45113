"""Find the plan that a phase commit was made from, among all that a branch ever had.  Pure."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from bot.history.trailers import Trailers
from bot.planning.phases import Phase
from bot.planning.resolved_plan import ResolvedPlan

MAX_PLANS = 500
"""How many versions of a plan are read, newest first."""

OTHER_RECIPE = "it was made with another version of the recipe"
NO_PLAN = "no plan in the history has what it says to be made from"


class PlannedPhase(NamedTuple):
    """A phase as one version of the plan has it."""

    plan: ResolvedPlan
    phase: Phase


class PlanHistory:
    """The plans of a branch, newest first; each is looked at once, and only if those after it don't have a phase."""

    def __init__(self, plans: Iterable[ResolvedPlan]) -> None:
        self._more: Iterator[ResolvedPlan] = islice(plans, MAX_PLANS)
        self._phases: dict[tuple[str, str, str], PlannedPhase] = {}
        """Key, inputs and recipe → the newest phase that has them; those of others are made of the same."""
        self._inputs: set[tuple[str, str]] = set()
        self._recipes: set[tuple[str, str]] = set()
        self._keys: set[str] = set()

    def find(self, trailers: Trailers) -> PlannedPhase | str:
        """Return the phase that a commit with *trailers* was made from, or why there is none, in words."""
        key, inputs, recipe = trailers.phase or "", trailers.inputs or "", trailers.recipe or ""
        while (key, inputs, recipe) not in self._phases:
            plan = next(self._more, None)
            if plan is None:
                is_same_recipe = (key, recipe) in self._recipes and (key, inputs) not in self._inputs
                return NO_PLAN if is_same_recipe or key not in self._keys else OTHER_RECIPE
            self._add(plan)
        return self._phases[key, inputs, recipe]

    def _add(self, plan: ResolvedPlan) -> None:
        for phase in plan.phases:
            self._phases.setdefault((phase.key, phase.inputs, phase.recipe), PlannedPhase(plan, phase))
            self._inputs.add((phase.key, phase.inputs))
            self._recipes.add((phase.key, phase.recipe))
            self._keys.add(phase.key)
