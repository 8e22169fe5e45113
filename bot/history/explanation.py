"""Explain a phase: what its commit was made from, every cause why it is as it is, and what it cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from bot.history.causes import (
    ByPeople,
    Cause,
    Change,
    Conflict,
    Edit,
    Kept,
    Missing,
    NeverMade,
    NewerNeed,
    PlanChange,
    RecipeChange,
    Reverted,
    UnknownPlan,
    Unmet,
)
from bot.history.ledger import Ledger
from bot.history.run_state import UNKNOWN_MODEL, Commit, PhaseState
from bot.history.trailers import Trailers
from bot.planning.phases import PLAN_PHASE, Phase
from bot.planning.plan_changes import Difference, Facts, find_differences, newest_changes

Step = Literal["resolve", "generate", "model", "cascade", "regenerate", "nothing"]
"""What to do about a phase next; see :attr:`Explanation.step`."""


class Versions(NamedTuple):
    """What a phase saw of the plan, from the version that it was made from to the one at head."""

    facts: Sequence[Facts]
    """Oldest first; two at least."""
    places: Sequence[int]
    """The position in history of the commit of each; 1 is the oldest commit of the branch, 0 the base."""


class Made(NamedTuple):
    """The newest commit of a phase."""

    oid: str
    who: str
    """Who asked for it, else who made it."""
    trailers: Trailers
    time: int = 0
    """In seconds since 1970; 0 if that is not known."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why one phase is as it is."""

    state: PhaseState
    made: Made | None
    """None if the run has no commit of it."""
    causes: tuple[Cause, ...] = ()
    models: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Model → tokens in and out, over all commits of the phase."""

    @property
    def step(self) -> Step:
        """What to do next; only people can resolve conflicts, and only a model does what templates can't."""
        state = self.state
        if state.open_conflicts:
            return "resolve"
        if state.wanted:
            return "generate"
        if state.unmet:
            return "model"
        return {"dependency": "cascade", "recipe": "regenerate"}.get(state.stale or "", "nothing")  # type: ignore[return-value]  # steps

    @property
    def is_notable(self) -> bool:
        """Whether it is more than simply complete; an edited plan is simply the plan."""
        is_plan = self.state.phase.key == PLAN_PHASE
        return any(not (is_plan and isinstance(cause, Edit)) for cause in self.causes)


def explain(
    phase: Phase,
    ledger: Ledger,
    commits: Sequence[Commit],
    versions: Versions | None = None,
    recipe_files: Sequence[str] = (),
) -> Explanation:
    """Explain *phase* from the *commits* of the branch, oldest first, which *ledger* has read.

    *versions* is None if the plan that it was made from can't be read.  *recipe_files* are those that differ from the
    ones it was made with, as far as that is known.
    """
    state, record = ledger.state(phase), ledger.record(phase.key)
    changes = {commit.oid: Change(commit.oid, who_made(commit)) for commit in commits}
    causes: list[Cause] = []
    if state.by_people:
        written = [each for each in commits if each.trailers is None and set(phase.files) & set(each.changes)]
        causes.append(ByPeople(tuple(changes[each.oid] for each in written)))
    elif oid := ledger.taken_back(phase.key):
        causes.append(Reverted((changes[oid],)))
    elif record is None and state.wanted:
        causes.append(NeverMade())
    if record and phase.key != PLAN_PHASE and not state.by_people:
        if record.trailers.inputs != phase.inputs:
            causes += _plan_changes(versions, commits, changes)
        if record.trailers.recipe != phase.recipe:
            causes.append(_recipe_change(record.trailers.recipe or "", phase.recipe, recipe_files))
        for key, order in ledger.newer_needs(phase).items():
            causes.append(NewerNeed(key, (changes[commits[order - 1].oid],) if order else ()))
    causes += _of_files(state, ledger, changes)
    time = next((each.time for each in commits if record and each.oid == record.oid), 0)
    made = None
    if record and not state.by_people:
        made = Made(record.oid, record.trailers.requested_by or _name(record.author), record.trailers, time)
    return Explanation(state, made, tuple(causes), spent(commits, ledger.run, phase.key))


def who_made(commit: Commit) -> str:
    """Return who asked for a commit of the bot's, else the name of its author."""
    return (commit.trailers and commit.trailers.requested_by) or _name(commit.author)


def _name(author: str) -> str:
    return author.rpartition(" <")[0]


def _plan_changes(
    versions: Versions | None, commits: Sequence[Commit], changes: Mapping[str, Change]
) -> Sequence[PlanChange | UnknownPlan]:
    if versions is None:
        return [UnknownPlan()]
    found = find_differences(versions.facts[0], versions.facts[-1])
    return [_plan_change(each, versions, commits, changes) for each in found]


def _plan_change(
    difference: Difference, versions: Versions, commits: Sequence[Commit], changes: Mapping[str, Change]
) -> PlanChange:
    places = [versions.places[number] for number in newest_changes(difference, versions.facts)]
    by = tuple(changes[commits[place - 1].oid] for place in places if place)
    path = ".".join(filter(None, difference.path))
    return PlanChange(path, difference.subject, difference.old, difference.new, by)


def _recipe_change(old: str, new: str, files: Sequence[str]) -> RecipeChange:
    before, after = old.rpartition("@")[0], new.rpartition("@")[0]
    return RecipeChange(after, tuple(files), before if before != after else "")


def _of_files(state: PhaseState, ledger: Ledger, changes: Mapping[str, Change]) -> Sequence[Cause]:
    """Return what is to be told about the files of a phase, in plan order of each kind."""

    def by(path: str) -> tuple[Change, ...]:
        return tuple(changes[oid] for oid in ledger.editors(path))

    causes: list[Cause] = []
    causes += [Missing(path, state.reasons.get(path, "")) for path in state.missing]
    if state.commit and state.status != "reverted" and state.stale != "plan":
        causes += [Missing(path) for path in state.wanted if path not in state.missing]
    causes += [Edit(path, by(path)) for path in state.edited if path not in (*state.removed, *state.open_conflicts)]
    causes += [Edit(path, by(path), removed=True) for path in state.removed]
    causes += [Conflict(path, by(path)) for path in state.open_conflicts]
    causes += [Kept(name) for name in state.kept.values()]
    causes += [Unmet(text) for text in state.unmet]
    return causes


def spent(commits: Sequence[Commit], run: str, key: str) -> Mapping[str, tuple[int, int]]:
    """Return the tokens in and out that all commits of the phase *key* used, by model."""
    found: dict[str, tuple[int, int]] = {}
    for trailers in (commit.trailers for commit in commits):
        if trailers and trailers.run == run and trailers.phase == key and trailers.tokens:
            model = trailers.model or UNKNOWN_MODEL
            before = found.get(model, (0, 0))
            found[model] = (before[0] + trailers.tokens[0], before[1] + trailers.tokens[1])
    return found
