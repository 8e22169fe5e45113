"""What a run finds made already: phases of a run that was merged into its base, whichever way it was merged.

A merge may have squashed the phases' commits away.  What stays is the plan and the files: a phase whose files are
there counts as made from the plan that is there, so only what a changed plan says otherwise is made again.
"""

from collections.abc import Callable, Collection, Iterator, Mapping

from bot.history.ledger import InheritedPhases, Ledger, PhaseRecord, derive_state
from bot.history.repository import Repository, object_id
from bot.history.run_state import Entry
from bot.history.trailers import Trailers
from bot.planning.phases import PLAN_PHASE, Phase
from bot.planning.resolved_plan import ResolvedPlan

RenderPhase = Callable[[ResolvedPlan, Phase], Mapping[str, str]]
"""What the templates make of a phase: stands in for what the bot wrote, where the commits that tell are gone."""


def nothing(_plan: ResolvedPlan, _phase: Phase) -> Mapping[str, str]:
    """Recall nothing."""
    return {}


_RUNS = 20
"""Merged runs that are looked through, newest first."""


def inherited_phases(repository: Repository, fork: str, laid_out: ResolvedPlan, recall: RenderPhase) -> InheritedPhases:
    """Return what the commit *fork* holds of the plan *laid_out*, which lies in it."""
    paths = sorted({path for phase in laid_out.phases for path in phase.files})
    there = repository.entries(fork, paths)
    owned = {path: {phase.key} for phase in laid_out.phases for path in phase.files}
    ledgers = list(_merged_runs(repository, fork, owned))
    made: dict[str, PhaseRecord] = {}
    generated: dict[str, Entry] = {}
    for phase in laid_out.phases:
        found = [path for path in phase.files if path in there]
        if not found:
            continue
        texts = recall(laid_out, phase) if phase.key != PLAN_PHASE else dict.fromkeys(phase.files, laid_out.text)
        for path in found:
            generated[path] = _last(path, ledgers) or _remembered(repository, texts.get(path), there[path])
        if phase.key != PLAN_PHASE:  # which each run commits by itself
            made[phase.key] = PhaseRecord(
                fork, 0, _trailers(laid_out, phase, [path for path in phase.files if path not in there])
            )
    return InheritedPhases(made, generated)


def _trailers(laid_out: ResolvedPlan, phase: Phase, missing: list[str]) -> Trailers:
    return Trailers(
        run=laid_out.slug,
        phase=phase.key,
        status="partial" if missing else "complete",
        inputs=phase.inputs,
        recipe=phase.recipe,
        missing=tuple(missing),
    )


def _merged_runs(repository: Repository, fork: str, owned: Mapping[str, Collection[str]]) -> Iterator[Ledger]:
    """Yield what the runs whose commits are in the history of *fork* add up to, the newest first."""
    for run, tip in repository.runs(fork)[:_RUNS]:
        yield derive_state(run, {}, repository.log(repository.before_run(run, tip), tip), owners=owned)


def _last(path: str, ledgers: list[Ledger]) -> Entry | None:
    return next((entry for ledger in ledgers if (entry := ledger.file(path).generated)), None)


def _remembered(repository: Repository, text: str | None, there: Entry) -> Entry:
    """Return *text* as an object of the repository; without one, what is *there*."""
    if text is None:
        return there
    content = text.encode()
    oid = object_id(content, there.oid)
    if oid != there.oid:
        repository.remember(oid, content)
    return Entry(there.mode, oid)
