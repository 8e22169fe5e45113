"""The plan that a phase commit was made from is found by what the commit records."""

from collections.abc import Iterator

from bot.history.plan_history import NO_PLAN, OTHER_RECIPE, PlanHistory
from bot.history.trailers import Trailers
from bot.planning.resolved_plan import ResolvedPlan
from tests.repositories import planned

OLD, NEW = planned("# Shop\n\n- Item: name string\n"), planned("# Shop\n\n- Item: title string\n")


def trailers(plan: ResolvedPlan, key: str) -> Trailers:
    phase = next(each for each in plan.phases if each.key == key)
    return Trailers(run="shop").for_phase(phase, "complete")


def test_each_commit_finds_the_plan_of_its_time() -> None:
    found = PlanHistory([NEW, OLD]).find(trailers(OLD, "entity/Item"))

    assert not isinstance(found, str)
    assert (found.plan, found.phase) == (OLD, OLD.phases[2])


def test_no_more_plans_are_read_than_needed() -> None:
    read: list[ResolvedPlan] = []

    def plans() -> Iterator[ResolvedPlan]:
        for each in (NEW, OLD):
            read.append(each)
            yield each

    history = PlanHistory(plans())

    assert not isinstance(history.find(trailers(NEW, "entity/Item")), str)
    assert not isinstance(history.find(trailers(OLD, "core")), str)
    assert read == [NEW]


def test_it_tells_a_plan_that_is_gone_from_another_recipe() -> None:
    history = PlanHistory([NEW])
    old = trailers(OLD, "entity/Item")

    assert history.find(old) == NO_PLAN
    assert history.find(Trailers(run="shop", phase="core", inputs=old.inputs, recipe="small@sha256:0")) == OTHER_RECIPE
    assert history.find(Trailers(run="shop", phase="gone")) == NO_PLAN
