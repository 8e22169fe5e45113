"""Find the phases that the base already contains, because an earlier run was merged into it.

A squash merge drops the phase commits, but the plan and the files remain.  A phase whose files are in the base counts
as generated from the base's plan, so only phases affected by a plan change are generated again.
"""

from collections.abc import Callable, Collection, Mapping

from bot.history.commit_ledger import InheritedPhases, PhaseRecord
from bot.history.ledger import TEMPLATES, Ledger, derive_state
from bot.history.repository import Identity, Repository, object_id
from bot.history.run_history import find_start, read_history
from bot.history.run_state import Commit, Entry, Generated
from bot.history.trailers import Trailers
from bot.planning.phases import PLAN_PHASE, Phase, plan_path
from bot.planning.resolved_plan import ResolvedPlan

RenderPhase = Callable[[ResolvedPlan, Phase], Mapping[str, str]]
"""Renders a phase from the templates.  Stands in for the generated version when its commits are gone."""


ReadPlan = Callable[[str, Entry | None], ResolvedPlan | None]
"""Reads a plan file, given by path and entry; None if it is not valid."""


def render_nothing(_plan: ResolvedPlan, _phase: Phase) -> Mapping[str, str]:
    """Render no file."""
    return {}


_MAX_RUNS = 20
"""How many merged runs are searched, newest first."""


def inherited_phases(  # the last three are how to read
    repository: Repository,
    fork: str,
    plan: ResolvedPlan,
    render: RenderPhase,
    read_plan: ReadPlan,
    bot: Identity | None = None,
) -> InheritedPhases:
    """Return the phases of *plan* that have files in the commit *fork*; *plan* is the plan in that commit.

    If *bot* is given, only its commits count as generated; see :mod:`bot.history.run_history`.
    """
    paths = sorted({path for phase in plan.phases for path in phase.files})
    entries = repository.entries(fork, paths)
    runs = _MergedRuns(
        repository, {path: {phase.key} for phase in plan.phases for path in phase.files}, plan, render, read_plan, bot
    )
    known = runs.generated(fork)
    rendered = runs.rendered(plan, entries)
    records: dict[str, PhaseRecord] = {}
    generated: dict[str, Generated] = {}
    for phase in plan.phases:
        present = [path for path in phase.files if path in entries]
        if not present:
            continue
        for path in present:
            made = known.get(path)
            generated[path] = rendered[path] if made is None or _is_rendered(made, phase) else made
        if phase.key != PLAN_PHASE:  # each run commits its own plan
            missing = [path for path in phase.files if path not in entries]
            by_templates = all(runs.is_by_templates(known.get(path), entries[path]) for path in present)
            provider = TEMPLATES if by_templates else None
            records[phase.key] = PhaseRecord(fork, 0, _trailers(plan, phase, missing, provider))
    return InheritedPhases(records, generated)


def _trailers(plan: ResolvedPlan, phase: Phase, missing: list[str], provider: str | None) -> Trailers:
    return Trailers(
        run=plan.slug,
        phase=phase.key,
        status="partial" if missing else "complete",
        inputs=phase.inputs,
        recipe=phase.recipe,
        provider=provider,
        missing=tuple(missing),
    )


def _is_rendered(made: Generated, phase: Phase) -> bool:
    """Whether the templates made a file of *phase* from this very plan, so that it can be rendered again."""
    trailers = made.trailers
    return trailers is not None and (trailers.provider, trailers.phase, trailers.inputs, trailers.recipe) == (
        "template",
        phase.key,
        phase.inputs,
        phase.recipe,
    )


class _MergedRuns:
    """What the runs that are in a history made; each run is read on top of those that were merged before it."""

    def __init__(
        self,
        repository: Repository,
        owners: Mapping[str, Collection[str]],
        plan: ResolvedPlan,
        render: RenderPhase,
        read_plan: ReadPlan,
        bot: Identity | None,
    ) -> None:
        self._bot = bot
        self._repository, self._owners, self._render, self._read_plan = repository, owners, render, read_plan
        self._plan_path = plan_path(plan.plan.output_dir)
        self._generated: dict[str, Mapping[str, Generated]] = {}
        self._ledgers: dict[tuple[str, str], Ledger] = {}
        self._as_rendered: set[str] = set()
        """Blobs that are what templates make."""

    def generated(self, commit: str) -> Mapping[str, Generated]:
        """Return what the runs in the history of *commit* made last: path → version; unknown paths are left out."""
        if commit not in self._generated:
            squash = self._newest_squash(commit)
            found: dict[str, Generated] = {}
            for run, tip in self._repository.runs(commit, self._bot)[:_MAX_RUNS]:
                if squash and self._repository.merge_base(tip, squash.oid) == tip:
                    continue
                ledger = self._ledger(run, tip)
                for path in self._owners:
                    made = ledger.file(path).made
                    if path not in found and made and made.trailers and made.trailers.run == run:
                        found[path] = made
            self._generated[commit] = {**(self._squashed(squash) if squash else {}), **found}
        return self._generated[commit]

    def _ledger(self, run: str, tip: str) -> Ledger:
        if (run, tip) not in self._ledgers:
            repository = self._repository
            start = find_start(repository, run, tip, self._bot)
            history = read_history(repository, run, tip, None, start, self._bot)
            base = repository.entries(history.fork, sorted(self._owners)) if history.fork else {}
            earlier = InheritedPhases({}, self.generated(history.fork) if history.fork else {})
            ledger = derive_state(run, base, history.commits, owners=self._owners, inherited=earlier)
            self._ledgers[run, tip] = ledger
        return self._ledgers[run, tip]

    def _newest_squash(self, head: str) -> Commit | None:
        """Return the newest commit that brought a run in one piece: it changed the plan and files made from it."""
        for commit in self._repository.path_log(head, self._plan_path):
            others = [path for path in commit.changes if path in self._owners and path != self._plan_path]
            if others and commit.changes.get(self._plan_path):
                return commit
        return None

    def _squashed(self, squash: Commit) -> Mapping[str, Generated]:
        entry = squash.changes[self._plan_path]
        plan = self._read_plan(self._plan_path, entry)
        return self.rendered(plan, self._repository.entries(squash.oid, sorted(self._owners))) if plan else {}

    def rendered(self, plan: ResolvedPlan, entries: Mapping[str, Entry]) -> Mapping[str, Generated]:
        """Return what the templates make of *plan* where *entries* has a file; what they don't make is as it is there.

        The blobs are cached in memory.
        """
        found: dict[str, Generated] = {}
        for phase in plan.phases:
            if not any(path in entries for path in phase.files):
                continue
            texts = self._render(plan, phase) if phase.key != PLAN_PHASE else {self._plan_path: plan.text}
            for path in phase.files:
                if path in entries:
                    found[path] = Generated(self._rendered_entry(texts.get(path), entries[path]))
        return found

    def is_by_templates(self, known: Generated | None, entry: Entry) -> bool:
        """Whether templates made a file of the base: its commit says so or, after a squash, it is what they make."""
        if known and known.trailers:
            return known.trailers.provider == TEMPLATES
        return entry.oid in self._as_rendered

    def _rendered_entry(self, text: str | None, at_head: Entry) -> Entry:
        if text is None:
            return at_head
        content = text.encode()
        oid = object_id(content, at_head.oid)
        if oid == at_head.oid:
            self._as_rendered.add(oid)
        else:
            self._repository.cache_blob(oid, content)
        return Entry(at_head.mode, oid)
