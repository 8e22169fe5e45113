"""Commits that no provider makes: an instruction put into the plan, and phases taken back."""

from collections.abc import Callable, Collection, Sequence

from bot.engine.requests import Again, Requester
from bot.errors import UsageError
from bot.history.commits import PhaseCommit, RevertCommit
from bot.history.run_branch import ATTEMPTS, RunBranch
from bot.history.trailers import Trailers
from bot.planning.phases import PLAN_PHASE, Phase, find_phase
from bot.planning.plan_edits import add_instruction
from bot.planning.resolved_plan import ResolvedPlan


def asked_trailers(run: str, requested: Requester | None) -> Trailers:
    """Return what every commit of *run* says of who asked for it."""
    if requested is None:
        return Trailers(run=run)
    return Trailers(run=run, requested_by=requested.login, comment=requested.comment)


def instruct(
    branch: RunBranch, planned: ResolvedPlan, again: Again, requested: Requester | None, before: Collection[str]
) -> None:
    """Commit the instruction of *again* as part of the plan, unless it is there or the same comment put it there.

    Raises:
        UsageError: It can't be part of the plan.
    """
    said = asked_trailers(branch.run, requested)
    told = (commit.trailers for commit in branch.commits if commit.trailers)
    if said.comment and any(each.phase == PLAN_PHASE and each.comment == said.comment for each in told):
        return
    for _ in range(ATTEMPTS):
        found = branch.plan_file()
        assert found, "the plan was read"  # noqa: S101
        changed = add_instruction(planned, found.text, again.phases, again.instruction)
        if changed.text == found.text:
            return
        phase = changed.phases[0]
        work = PhaseCommit(
            phase=phase,
            of=len(changed.phases),
            files=dict.fromkeys(phase.files, changed.text.encode()),
            trailers=said.of(phase, "complete"),
            body=[f"Instructed {', '.join(again.phases)}."],
            replaces=before,
            over=found.blob,
        )
        if branch.commit(work, planned.phases):
            return


def take_back_gone(branch: RunBranch, phases: Sequence[Phase], requested: Requester | None) -> str | None:
    """Remove the files of phases that the plan does not have any more, and return what to tell people of it."""
    gone = branch.gone(phases)
    work = RevertCommit(paths=gone, trailers=asked_trailers(branch.run, requested), fork=branch.fork, gone=True)
    put = branch.commit(work, phases) if gone else None
    if put is None:
        return None
    kept = f"; kept, because people edited it: {', '.join(put.kept)}" if put.kept else ""
    return f"not in the plan any more, and taken back: {', '.join(gone)}{kept}"


def roll_back(  # noqa: PLR0913  # each is one of the command's options
    branch: RunBranch,
    planned: ResolvedPlan,
    keys: Sequence[str],
    *,
    to: bool = False,
    cascade: bool = False,
    discard: bool = False,
    requested: Requester | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Sequence[str]:
    """Take phases back in one commit and return which; with *to* all that come after the one in *keys*.

    *tell* people first what they edited in the files; it stays, unless *discard*.

    Raises:
        UsageError: One is not in the plan or not made, or others that are made need it and *cascade* is not set.
        RepositoryError: Git refused; nothing moved.
    """
    phases, ledger = planned.phases, branch.ledger(planned.phases)
    said = asked_trailers(branch.run, requested)
    if done := _answered(branch, said.comment):
        return done
    named = {find_phase(phases, key).key for key in keys}
    if to:
        place = max(phase.place for phase in phases if phase.key in named)
        named = {phase.key for phase in phases if phase.place > place and _is_own(branch, phases, phase)}
    _check(branch, phases, named, to=to)
    needing = _needing(named, phases, [phase.key for phase in phases if ledger.made(phase.key)])
    if needing and not cascade:
        raise UsageError(
            f"taking back {', '.join(_ordered(named, phases))}: {', '.join(needing)} "
            f"{'need' if len(needing) > 1 else 'needs'} it; take them back too with --cascade"
        )
    taken = _ordered({*named, *needing}, phases)
    paths = {phase.key: list(phase.files) for phase in phases if phase.key in taken}
    work = RevertCommit(paths=paths, trailers=said, fork=branch.fork, discard=discard)
    edited = [path for phase in phases if phase.key in taken for path in phase.files if ledger.is_others(path)]
    if edited and discard:
        tell(f"with it goes what people edited: {', '.join(edited)}; commit {(branch.head or '')[:10]} still holds it")
    elif edited:
        tell(f"people edited {', '.join(edited)}, so that stays; --discard-edits takes it, too")
    branch.commit(work, phases)
    return taken


def _answered(branch: RunBranch, comment: str | None) -> Sequence[str]:
    """Return what was taken back for this very *comment* already."""
    told = (commit.trailers for commit in branch.commits if commit.trailers)
    return next((each.reverts for each in told if comment and each.reverts and each.comment == comment), ())


def _check(branch: RunBranch, phases: Sequence[Phase], named: Collection[str], *, to: bool) -> None:
    if PLAN_PHASE in named:
        raise UsageError("taking back plan: all phases need it; delete the branch to begin anew")
    inherited = [phase.key for phase in phases if phase.key in named and _is_bases(branch, phases, phase)]
    if inherited:
        raise UsageError(
            f"taking back {', '.join(inherited)}: {branch.base} has it already, so it is not this run's to take back; "
            "edit plan.yaml or the files instead"
        )
    absent = [phase.key for phase in phases if phase.key in named and not _is_own(branch, phases, phase)]
    if absent or not named:
        what = ", ".join(absent) if absent else "what comes after it" if to else "nothing"
        raise UsageError(f"taking back {what}: {branch.name} has not made it; 'phasebot status' shows what it has")


def _is_bases(branch: RunBranch, phases: Sequence[Phase], phase: Phase) -> bool:
    made = branch.ledger(phases).made(phase.key)
    return made is not None and made.order == 0


def _is_own(branch: RunBranch, phases: Sequence[Phase], phase: Phase) -> bool:
    """Whether *phase* is made, and by this run: what its base holds is not for it to take back."""
    made = branch.ledger(phases).made(phase.key)
    return made is not None and made.order > 0 and phase.key != PLAN_PHASE


def _needing(named: Collection[str], phases: Sequence[Phase], made: Collection[str]) -> Sequence[str]:
    """Return the phases among *made* that need one of *named*, directly or not, in plan order."""
    found: dict[str, None] = {}
    for phase in phases:  # in plan order, so what a phase needs comes before it
        if phase.key in made and phase.key not in named and {*named, *found}.intersection(phase.needs):
            found[phase.key] = None
    return list(found)


def _ordered(keys: Collection[str], phases: Sequence[Phase]) -> Sequence[str]:
    return [phase.key for phase in phases if phase.key in keys]
