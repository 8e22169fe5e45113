"""Find the phases that the base already contains, because an earlier run was merged into it.

A squash merge drops the phase commits, but the plan and the files remain.  A phase whose files are in the base counts
as generated from the base's plan, so only phases affected by a plan change are generated again.
"""

from collections.abc import Callable, Collection, Iterator, Mapping

from bot.history.ledger import InheritedPhases, Ledger, PhaseRecord, derive_state
from bot.history.repository import Repository, object_id
from bot.history.run_history import find_start, read_history
from bot.history.run_state import Entry
from bot.history.trailers import Trailers
from bot.planning.phases import PLAN_PHASE, Phase
from bot.planning.resolved_plan import ResolvedPlan

RenderPhase = Callable[[ResolvedPlan, Phase], Mapping[str, str]]
"""Renders a phase from the templates.  Stands in for the generated version when its commits are gone."""


def render_nothing(_plan: ResolvedPlan, _phase: Phase) -> Mapping[str, str]:
    """Render no file."""
    return {}


_MAX_RUNS = 20
"""How many merged runs are searched, newest first."""


def inherited_phases(repository: Repository, fork: str, plan: ResolvedPlan, render: RenderPhase) -> InheritedPhases:
    """Return the phases of *plan* that have files in the commit *fork*; *plan* is the plan in that commit."""
    paths = sorted({path for phase in plan.phases for path in phase.files})
    entries = repository.entries(fork, paths)
    owners = {path: {phase.key} for phase in plan.phases for path in phase.files}
    ledgers = list(_merged_ledgers(repository, fork, owners))
    records: dict[str, PhaseRecord] = {}
    generated: dict[str, Entry] = {}
    for phase in plan.phases:
        present = [path for path in phase.files if path in entries]
        if not present:
            continue
        texts = render(plan, phase) if phase.key != PLAN_PHASE else dict.fromkeys(phase.files, plan.text)
        for path in present:
            generated[path] = _generated_entry(path, ledgers) or _rendered_entry(
                repository, texts.get(path), entries[path]
            )
        if phase.key != PLAN_PHASE:  # each run commits its own plan
            missing = [path for path in phase.files if path not in entries]
            records[phase.key] = PhaseRecord(fork, 0, _trailers(plan, phase, missing))
    return InheritedPhases(records, generated)


def _trailers(plan: ResolvedPlan, phase: Phase, missing: list[str]) -> Trailers:
    return Trailers(
        run=plan.slug,
        phase=phase.key,
        status="partial" if missing else "complete",
        inputs=phase.inputs,
        recipe=phase.recipe,
        missing=tuple(missing),
    )


def _merged_ledgers(repository: Repository, fork: str, owners: Mapping[str, Collection[str]]) -> Iterator[Ledger]:
    """Yield the ledger of each run whose commits are in the history of *fork*, newest run first."""
    for run, tip in repository.runs(fork)[:_MAX_RUNS]:
        start = find_start(repository, run, tip)
        commits = read_history(repository, run, tip, None, start.oid if start else None).commits
        yield derive_state(run, {}, commits, owners=owners)


def _generated_entry(path: str, ledgers: list[Ledger]) -> Entry | None:
    return next((entry for ledger in ledgers if (entry := ledger.file(path).generated)), None)


def _rendered_entry(repository: Repository, text: str | None, in_base: Entry) -> Entry:
    """Return an entry for the rendered *text*, whose blob is cached in memory; without text, the entry in the base."""
    if text is None:
        return in_base
    content = text.encode()
    oid = object_id(content, in_base.oid)
    if oid != in_base.oid:
        repository.cache_blob(oid, content)
    return Entry(in_base.mode, oid)
