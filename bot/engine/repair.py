"""Repair a run: make phases again with the errors that checks found in them, as long as the errors get fewer."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.assessment.finding import Finding, in_order
from bot.engine import factory
from bot.engine.assessment import assess_run
from bot.engine.requests import Repair, RunRequest, RunResult
from bot.engine.snapshot import Announcer
from bot.engine.verification import fetch_verified, read_verified
from bot.errors import UsageError
from bot.history.checkout import OpenRun
from bot.history.repairs import interrupted_round, last_round, next_round
from bot.history.run_state import Commit, RunState
from bot.history.stop_request import StopRequest
from bot.history.trailers import Round
from bot.planning.phases import PLAN_PHASE, find_phase


@dataclass(frozen=True, slots=True)
class KnownErrors:
    """The errors at the head of a run: those that `assess` finds, and those that `verify` found on this very tree."""

    state: RunState
    by_phase: Mapping[str, Sequence[Finding]]
    """Key → errors, in plan order; no phase without one. The plan is none of them: only people change it."""


def find_errors(run: OpenRun) -> KnownErrors:
    """Return the errors at the head of *run*.

    Raises:
        UsageError: The run has no plan.
        PhasebotError: ruff gave no answer.
    """
    assessed = assess_run(run)
    verified, head = None, assessed.state.head
    for look in (read_verified, fetch_verified):
        if not (verified and verified.is_current):
            verified = look(run, head)
    known = verified.errors.values() if verified else ()
    found = in_order([*assessed.errors, *(each for errors in known for each in errors)])
    keys = [each.phase.key for each in assessed.state.phases if each.phase.key != PLAN_PHASE]
    by_phase = {key: [each for each in found if each.phase == key] for key in keys}
    return KnownErrors(assessed.state, {key: errors for key, errors in by_phase.items() if errors})


def fix_request(run: OpenRun, request: RunRequest, phases: Collection[str] = ()) -> RunRequest:
    """Return the request for the first round of a repair of *phases*, or of all.

    A command on a forge that was carried out already is not carried out again.

    Raises:
        UsageError: There is nothing to repair, nobody who can, or no such phase.
        PhasebotError: ruff gave no answer.
    """
    if request.provider.resolve() == "template":
        raise UsageError(
            f"repairing {run.branch.name}: templates would write the same again; set GEMINI_API_KEY, or mend it by hand"
        )
    known = find_errors(run)
    for key in phases:
        find_phase([each.phase for each in known.state.phases], key)
    errors = {key: found for key, found in known.by_phase.items() if key in phases or not phases}
    comment = request.requester.comment if request.requester else None
    trailers = [each.trailers for each in run.branch.commits if each.trailers]
    if comment and any(each.repair and each.comment == comment for each in trailers):
        return request
    if not errors:
        where = f" in {', '.join(phases)}" if phases else ""
        raise UsageError(
            f"repairing {run.branch.name}: no error is known{where}; 'phasebot verify' runs the tests to find some"
        )
    last = last_round(run.branch.commits)
    return _with(request, _new_round(last.number + 1 if last else 1, errors))


async def work(
    run: OpenRun,
    request: RunRequest,
    announcer: Announcer,
    timer: Callable[[], float],
    stop: asyncio.Event,
    look_for_stop: Callable[[], StopRequest | None] | None = None,
) -> RunResult:
    """Start or continue *run*; when all is made, let the model mend the errors in what it wrote.

    A round that another process has begun is brought to its end first.

    Raises what :func:`bot.engine.factory.work` does.
    """
    started, tried = timer(), request.repair.round.number if request.repair else 0
    limit = request.repairs + max(0, tried - 1)
    result = await factory.work(run, request, announcer, timer, stop, look_for_stop)
    while _is_done(request, result) and not stop.is_set():
        known = find_errors(run)
        result = replace(result, errors=known.by_phase)
        errors = known.by_phase if request.repair else _own_errors(run, known)
        repair = _next_repair(run.branch.commits, errors, tried, limit)
        if repair is None:
            break
        tried, again = repair.round.number, _with(request, repair)
        if request.seconds is not None:
            again = replace(again, seconds=max(0.0, request.seconds - (timer() - started)))
        announcer.note(f"round {tried} of repair, {errors_in_words(repair.errors)}")
        result = await factory.work(run, again, announcer, timer, stop, look_for_stop)
    return result


def _is_done(request: RunRequest, result: RunResult) -> bool:
    """Whether all is made, by a model that is wanted to mend it."""
    is_made = result.state.finished and not (result.error or result.remaining or request.only)
    return is_made and bool(request.repairs or request.repair) and request.provider.resolve() != "template"


def errors_in_words(errors: Mapping[str, Sequence[Finding]]) -> str:
    """Say how many errors there are, and where: ``3 errors in core, main``."""
    number = sum(map(len, errors.values()))
    return f"{number} error{'' if number == 1 else 's'} in {', '.join(errors)}"


def _next_repair(
    commits: Sequence[Commit], errors: Mapping[str, Sequence[Finding]], tried: int, limit: int
) -> Repair | None:
    """Return what to repair now, after the round *tried*: what an interrupted round has left, else a new round."""
    begun = interrupted_round(commits)
    if begun and tried < begun.round.number <= limit:
        left = [key for key in errors if key not in begun.made][: begun.round.phases - len(begun.made)]
        if left:
            return Repair(begun.round, {key: errors[key] for key in left})
    number = next_round(commits, sum(map(len, errors.values())), limit)
    return _new_round(number, errors) if number and number > tried else None


def _new_round(number: int, errors: Mapping[str, Sequence[Finding]]) -> Repair:
    return Repair(Round(number, sum(map(len, errors.values())), len(errors)), errors)


def _with(request: RunRequest, repair: Repair) -> RunRequest:
    return replace(
        request,
        spec=None,
        regenerate=tuple(repair.errors),
        repair=repair,
        instruction="",
        discard_edits=False,
    )


def _own_errors(run: OpenRun, known: KnownErrors) -> Mapping[str, Sequence[Finding]]:
    """Return the errors in what a model wrote and nobody has changed: people's work is mended only if they ask."""
    ledger = run.branch.ledger([each.phase for each in known.state.phases])
    found: dict[str, Sequence[Finding]] = {}
    for each in known.state.phases:
        record = ledger.record(each.phase.key)
        errors = [one for one in known.by_phase.get(each.phase.key, ()) if one.path not in each.edited]
        if record and record.trailers.model and errors:
            found[each.phase.key] = errors
    return found
