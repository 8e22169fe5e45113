"""What a run would do: the phases that it would make, in plan order, and why.  Nothing is written, and no model asked.

The scheduler of the run decides, on a branch that only this process sees: each phase that it calls ready is added there
as a commit that nobody makes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from bot.engine.explanation import explain_phases
from bot.engine.requests import RunRequest
from bot.engine.scheduler import Scheduler, SeenBranch
from bot.history.causes import Cause, Missing, NeverMade, NewerNeed, PlanChange, Reverted, UnknownPlan, Unmet
from bot.history.explanation import explain
from bot.history.ledger import TEMPLATES, Ledger
from bot.history.repository import BRANCHES
from bot.history.run_branch import RunBranch
from bot.history.run_state import Commit, Entry
from bot.history.trailers import Trailers
from bot.planning.phases import PLAN_PHASE, Phase
from bot.planning.resolved_plan import ResolvedPlan

_REASONS = (NeverMade, Reverted, PlanChange, UnknownPlan, Missing, NewerNeed)
"""Causes for which a phase is made, where the request asks for it; the others are facts about it."""


class Measure(NamedTuple):
    """What the files of this run took a model so far."""

    model: str
    phases: int
    """How many phase commits were counted."""
    files: int
    tokens: tuple[int, int]
    """In and out, of all of them."""

    def of(self, files: int) -> tuple[int, int]:
        """Return the tokens in and out that so many files likely take."""
        read, written = (round(each * files / self.files) for each in self.tokens)
        return read, written


class AgendaItem(NamedTuple):
    """A phase that would be made."""

    phase: Phase
    files: Sequence[str]
    """Those that would be made."""
    causes: Sequence[Cause]
    unwritable: Sequence[str] = ()
    """Files that nobody writes, because there is no template and no model is asked."""


@dataclass(frozen=True, slots=True)
class Agenda:
    """What a run would do."""

    run: str
    is_new: bool
    """Whether history holds no plan of the run yet."""
    items: Sequence[AgendaItem]
    with_model: bool
    measure: Measure | None
    """None if nothing is known: no phase of this run was made by the model that would be asked."""
    removed: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Phases that the plan no longer has, and that would be rolled back → their files."""
    waiting: Sequence[str] = ()
    """Keys of phases that are to be made, and that this run can't make: they wait for others."""

    @property
    def branch(self) -> str:
        return f"{BRANCHES}{self.run}"

    def tokens_of(self, item: AgendaItem) -> tuple[int, int] | None:
        """Return the tokens that *item* likely takes; None if nobody knows."""
        if not self.with_model or item.phase.key == PLAN_PHASE:  # a plan that is known asks no model
            return 0, 0
        return self.measure.of(len(item.files)) if self.measure else None

    @property
    def tokens(self) -> tuple[int, int] | None:
        """The tokens that all of it likely takes; None if nobody knows."""
        found = [self.tokens_of(item) for item in self.items]
        known = [each for each in found if each is not None]
        return (sum(each[0] for each in known), sum(each[1] for each in known)) if len(known) == len(found) else None


class _NewBranch:
    """The branch of a run in a repository that does not exist yet."""

    def __init__(self, run: str) -> None:
        self.run = run
        self.commits: list[Commit] = []
        self._ledger: Ledger | None = None

    def ledger(self, phases: Sequence[Phase]) -> Ledger:
        if self._ledger is None:
            self._ledger = Ledger(self.run, {}, phases=phases)
        return self._ledger

    def append(self, commit: Commit) -> None:
        self.commits.append(commit)
        if self._ledger:
            self._ledger.add(commit)


def make_agenda(branch: RunBranch | None, planned: ResolvedPlan, request: RunRequest, *, run: str = "") -> Agenda:
    """Return what *request* would do on *branch*, which has been read, and is of no use afterwards.

    *planned* is the plan at head, or the one that would be committed first.  Without a branch there is no repository
    yet, and the run would be called *run*.

    Raises:
        UsageError: The request names a phase that the plan does not have.
    """
    phases, with_model = planned.phases, request.provider.resolve() != TEMPLATES
    seen: RunBranch | _NewBranch = branch or _NewBranch(run)
    initial = {commit.oid for commit in seen.commits}
    if branch and branch.fork:
        initial.add(branch.fork)
    scheduler = Scheduler(branch=seen, request=request, initial_commits=initial, with_model=with_model)
    scheduler.check(phases)
    is_new = branch is None or branch.plan_file() is None
    measure = measure_tokens(seen.commits, seen.run, request.provider.models) if with_model else None
    removed = branch.removed_phases(phases) if branch and not request.only and not is_new else {}
    rehearsal = _Rehearsal(seen, scheduler, phases, _explainer(branch, seen, planned))
    items = rehearsal.play(with_plan=is_new)
    return Agenda(
        run=seen.run,
        is_new=is_new,
        items=sorted(items, key=lambda each: each.phase.place),
        with_model=with_model,
        measure=measure,
        removed=removed,
        waiting=[key for key in scheduler.remaining(phases) if key not in {item.phase.key for item in items}],
    )


def measure_tokens(commits: Sequence[Commit], run: str, models: Sequence[str]) -> Measure | None:
    """Return what files of phases took the first of *models* that made some; None if none of them did."""
    for model in models:
        made = [
            (trailers.tokens, len(commit.changes))
            for commit in commits
            if (trailers := commit.trailers) and trailers.run == run and trailers.model == model
            if trailers.tokens and trailers.phase not in (None, PLAN_PHASE)
        ]
        files = sum(count for _, count in made)
        if files:
            tokens = sum(each[0] for each, _ in made), sum(each[1] for each, _ in made)
            return Measure(model, len(made), files, tokens)
    return None


Explain = Callable[[Phase], Sequence[Cause]]


def _explainer(branch: RunBranch | None, seen: SeenBranch, planned: ResolvedPlan) -> Explain:
    if branch is None:
        return lambda phase: explain(phase, seen.ledger(planned.phases), seen.commits).causes
    origins = branch.origins(planned)  # reads the plans of the commits that exist
    return lambda phase: explain_phases(branch, planned, [phase], origins)[0].causes


@dataclass(slots=True)
class _Rehearsal:
    """Lets the scheduler go on as if every phase that is ready were made."""

    branch: RunBranch | _NewBranch
    scheduler: Scheduler
    phases: Sequence[Phase]
    explain: Explain
    items: list[AgendaItem] = field(default_factory=list)

    def play(self, *, with_plan: bool) -> Sequence[AgendaItem]:
        """Return what would be made, in the order in which it would be started; *with_plan*, first that."""
        made: set[str] = set()
        if with_plan:  # also where the base has one: each run commits its own
            made.add(self.phases[0].key)
            self._make(self.phases[0], [*self.phases[0].files])
        while ready := [each for each in self.scheduler.ready(self.phases) if each[0].key not in made]:
            for phase, paths in ready:
                made.add(phase.key)
                self._make(phase, paths)
        return self.items

    def _make(self, phase: Phase, paths: Sequence[str]) -> None:
        with_model, request = self.scheduler.with_model, self.scheduler.request
        unwritable = [] if with_model else [path for path in paths if path in phase.without_template]
        reasons = (*_REASONS, Unmet) if with_model else _REASONS
        causes = [each for each in self.explain(phase) if isinstance(each, reasons)]
        if not request.cascade:
            causes = [each for each in causes if not isinstance(each, NewerNeed)]
        files = [path for path in paths if path not in unwritable]
        self.items.append(AgendaItem(phase, files, causes, unwritable))
        oid = f"{len(self.items):040x}"
        trailers = Trailers(
            run=self.branch.run,
            provider=request.provider.resolve(),
            missing=tuple(unwritable),
        ).for_phase(phase, "partial" if unwritable else "complete")
        self.branch.append(Commit(oid, trailers, changes=dict.fromkeys(files, Entry("100644", oid))))
