"""Build the commit of a generated phase."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from bot.engine.requests import Repair, Requester, request_trailers
from bot.generation.provider import GenerationResult
from bot.history.commits import PhaseCommit
from bot.history.inert_text import quote
from bot.history.ledger import Ledger
from bot.history.reasons import code_of, meaning
from bot.history.trailers import Status
from bot.planning.phases import PLAN_PHASE, Phase
from bot.text import count


def phase_commit(  # noqa: PLR0913  # each of them goes into the commit
    phase: Phase,
    generated: GenerationResult,
    seconds: float,
    *,
    total: int,
    run: str,
    base: str | None,
    provider: str,
    requester: Requester | None,
    repair: Repair | None = None,
    initial_commits: Collection[str],
    discard_edits: bool = False,
    is_asked_for: bool = False,
) -> PhaseCommit:
    """Return the commit of *phase*, one of *total*, which took *seconds* to generate.

    A plan's commit records *base*.  It replaces the phase's commit if that is one of *initial_commits*; what people
    made themselves, only if it *is_asked_for*.
    """
    is_plan = phase.key == PLAN_PHASE
    status: Status = "partial" if generated.missing else "complete"
    return PhaseCommit(
        phase=phase,
        total=total,
        files={path: text.encode() for path, text in generated.files.items()},
        trailers=replace(
            request_trailers(run, requester).for_phase(phase, status),
            base=base if is_plan else None,
            provider=provider if generated.model or not is_plan else None,
            model=generated.model,
            tokens=(generated.tokens.read, generated.tokens.written) if generated.tokens.total else None,
            findings=_findings(generated),
            repair=repair.round if repair and phase.key in repair.errors else None,
            missing=tuple(generated.missing),
            reason=_reasons(generated),
            fallback=generated.fallback,
        ),
        body=_body(generated, seconds),
        replaces=() if is_plan else initial_commits,
        discard_edits=discard_edits,
        is_asked_for=is_asked_for,
        overwrite=is_plan,  # a plan is made from the edited file, if there is one
    )


def is_worth_a_commit(generated: GenerationResult, phase: Phase, ledger: Ledger) -> bool:
    """Whether history has to record the result of an attempt to generate *phase*.

    One without files is recorded if it cost tokens, or says what the phase's newest commit does not; but not if the
    phase is complete: an attempt to regenerate it that failed leaves it as it is.
    """
    if generated.files:
        return True
    if not ledger.wanted(phase):
        return False
    if generated.tokens.total or generated.stopped:
        return bool(generated.tokens.total)
    record = ledger.record(phase.key)
    recorded = (record.trailers.inputs, record.trailers.reason) if record else None
    return recorded != (phase.inputs, _reasons(generated))


def _reasons(generated: GenerationResult) -> tuple[tuple[str, str], ...]:
    return tuple((code_of(reason), path) for path, reason in generated.missing.items())


def _findings(generated: GenerationResult) -> tuple[int, int] | None:
    left = len(generated.findings)
    return (generated.given, left) if generated.given or left else None


def _body(generated: GenerationResult, seconds: float) -> Sequence[str]:
    """Return the message's body, one paragraph each; it holds no text of a model."""
    made = len(generated.files)
    lines = [f"Missing {quote(path)}: {meaning(code).words}" for code, path in _reasons(generated)]
    if findings := _findings(generated):
        lines.append(f"Findings given to the model: {findings[0]}, left: {findings[1]}.")
    if refused := len(generated.refused):
        lines.append(f"Refused {count(refused, 'file')} that nobody asked for.")
    return [
        f"{made} of {count(made + len(generated.missing), 'file')}, {seconds:.1f} s.",
        *(["\n".join(lines)] if lines else []),
    ]
