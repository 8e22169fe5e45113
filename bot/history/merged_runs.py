"""Phases that the base already holds, because an earlier run was merged into it, by whatever kind of merge.

A squash merge drops the phase commits.  The plan and the files remain: a phase whose files are in the base counts as
generated from the plan in the base, so only what a changed plan affects is generated again.
"""

from collections.abc import Callable, Collection, Iterator, Mapping

from bot.history.ledger import InheritedPhases, Ledger, PhaseRecord, derive_state
from bot.history.repository import Repository, object_id
from bot.history.run_state import Entry
from bot.history.trailers import Trailers
from bot.planning.phases import PLAN_PHASE, Phase
from bot.planning.resolved_plan import ResolvedPlan

RenderPhase = Callable[[ResolvedPlan, Phase], Mapping[str, str]]
"""Renders a phase from the templates.  Replaces what the bot wrote where the commits that held it are gone."""


def render_nothing(_plan: ResolvedPlan, _phase: Phase) -> Mapping[str, str]:
    """Render no file."""
    return {}


_RUNS = 20
"""How many merged runs are searched, newest first."""


def inherited_phases(repository: Repository, fork: str, plan: ResolvedPlan, render: RenderPhase) -> InheritedPhases:
    """Return the phases of *plan*, a plan in the commit *fork*, that *fork* holds files of."""
    paths = sorted({path for phase in plan.phases for path in phase.files})
    there = repository.entries(fork, paths)
    owned = {path: {phase.key} for phase in plan.phases for path in phase.files}
    ledgers = list(_merged_runs(repository, fork, owned))
    made: dict[str, PhaseRecord] = {}
    generated: dict[str, Entry] = {}
    for phase in plan.phases:
        found = [path for path in phase.files if path in there]
        if not found:
            continue
        texts = render(plan, phase) if phase.key != PLAN_PHASE else dict.fromkeys(phase.files, plan.text)
        for path in found:
            generated[path] = _last(path, ledgers) or _remembered(repository, texts.get(path), there[path])
        if phase.key != PLAN_PHASE:  # each run commits its own plan
            made[phase.key] = PhaseRecord(
                fork, 0, _trailers(plan, phase, [path for path in phase.files if path not in there])
            )
    return InheritedPhases(made, generated)


def _trailers(plan: ResolvedPlan, phase: Phase, missing: list[str]) -> Trailers:
    return Trailers(
        run=plan.slug,
        phase=phase.key,
        status="partial" if missing else "complete",
        inputs=phase.inputs,
        recipe=phase.recipe,
        missing=tuple(missing),
    )


def _merged_runs(repository: Repository, fork: str, owned: Mapping[str, Collection[str]]) -> Iterator[Ledger]:
    """Yield the ledger of each run whose commits are in the history of *fork*, newest first."""
    for run, tip in repository.runs(fork)[:_RUNS]:
        yield derive_state(run, {}, repository.log(repository.before_run(run, tip), tip), owners=owned)


def _last(path: str, ledgers: list[Ledger]) -> Entry | None:
    return next((entry for ledger in ledgers if (entry := ledger.file(path).generated)), None)


def _remembered(repository: Repository, text: str | None, there: Entry) -> Entry:
    """Return the entry of *text*, kept in memory; without a text, the entry that is *there*."""
    if text is None:
        return there
    content = text.encode()
    oid = object_id(content, there.oid)
    if oid != there.oid:
        repository.remember(oid, content)
    return Entry(there.mode, oid)
