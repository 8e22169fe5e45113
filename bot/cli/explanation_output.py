"""Render why phases are as they are, as text and as JSON."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from bot.engine.explanation import ExplainedRun
from bot.history.causes import Cause, told
from bot.history.explanation import Explanation
from bot.history.explanation_words import made_words, status_words
from bot.history.reasons import meaning
from bot.text import one_line

_SHORT, _MAX_NAME = 7, 100
_MAX_CAUSES = 60
_COLUMN = 40
"""How far the commits behind a cause are moved to the right, so that they stand below each other."""


def render_explanations(explained: ExplainedRun, now: datetime) -> str:
    """Return one paragraph per phase, with prices as of *now*."""
    if not explained.phases:
        return "every phase is complete, and nothing that it was made from has changed"
    return "\n\n".join("\n".join(_lines(each, explained.state.run, now)) for each in explained.phases)


def _lines(each: Explanation, run: str, now: datetime) -> Iterator[str]:
    state = each.state
    yield f"{one_line(state.phase.key, _MAX_NAME)}  {status_words(state)}"
    rows = [("made", _made(each, now), "")] if each.made else []
    shown = each.causes[:_MAX_CAUSES]
    rows += [(cause.label, cause.words, f"in {told(cause.by)}" if cause.by else "") for cause in shown]
    if others := len(each.causes) - len(shown):
        rows.append(("", f"and {others} more", ""))
    if after := _next_step(each, run):
        rows.append(("next", after, ""))
    width = min(_COLUMN, max((len(words) for _, words, by in rows if by), default=0))
    for label, words, by in rows:
        yield f"  {label:<8}  {f'{words:<{width}}  {by}' if by else words}".rstrip()


def _made(each: Explanation, now: datetime) -> str:
    """Return what the newest commit of a phase says: when it was made, by what, what it cost as of *now*."""
    assert each.made, "it was made"  # noqa: S101
    time = each.made.time
    when = f"{datetime.fromtimestamp(time, now.tzinfo or UTC):%d %b %H:%M}, " if time else ""
    return f"{each.made.oid[:_SHORT]}  {when}{made_words(each, cost_of(each, now))}"


def cost_of(each: Explanation, now: datetime) -> str:
    """Return the estimated cost of all commits of a phase; empty if they used no tokens."""
    from bot.generation.llm.prices import estimate

    return str(estimate(each.models, now)) if any(each.state.tokens) else ""


def _next_step(each: Explanation, run: str) -> str:
    """Return what to do about a phase next, as a command; empty if there is nothing to do."""
    state, key = each.state, one_line(each.state.phase.key, _MAX_NAME)
    match each.step:
        case "resolve":
            command = f"phasebot regenerate {key} --run {run} --discard-edits"
            return f"edit and commit the file in conflict, or take the new version with '{command}'"
        case "generate":
            remedies = dict.fromkeys(meaning(code).remedy for code in state.reasons.values())
            again = "makes it again" if state.stale else "makes what is missing" if state.missing else "makes it"
            with_model = " with a model" if set(state.unwritable) == set(state.wanted) else ""
            return next(iter(remedies), f"phasebot generate{with_model} {again}")
        case "model":
            return "phasebot generate --provider gemini carries it out; or do it yourself, and take it out of the plan"
        case "cascade":
            return "phasebot generate --cascade makes it again"
        case "regenerate":
            return f"phasebot regenerate {key} --run {run} makes it with the recipe as it is now"
        case _:
            return ""


def json_of(explained: ExplainedRun, now: datetime) -> dict[str, Any]:
    """Return the explanations for programs."""
    state = explained.state
    return {
        "run": state.run,
        "branch": state.branch,
        "head": state.head,
        "phases": [_phase_json(each, now) for each in explained.phases],
    }


def _phase_json(each: Explanation, now: datetime) -> dict[str, Any]:
    state, made = each.state, each.made
    return {
        "key": state.phase.key,
        "title": state.phase.title,
        "status": state.status,
        "stale": state.stale,
        "commit": made.oid if made else None,
        "made-at": datetime.fromtimestamp(made.time, UTC).isoformat() if made and made.time else None,
        "provider": made.trailers.provider if made else None,
        "model": made.trailers.model if made else None,
        "requested-by": made.trailers.requested_by if made else None,
        "files": list(state.files),
        "causes": [cause_json(cause) for cause in each.causes],
        "tokens": {"in": state.tokens[0], "out": state.tokens[1]},
        "cost": cost_of(each, now) or None,
        "next": each.step,
    }


def cause_json(cause: Cause) -> dict[str, Any]:
    """Return a cause for programs: its kind, its words, its values, and the commits behind it."""
    values = {name: value for name, value in asdict(cause).items() if name != "by"}
    commits = [{"commit": each.oid, "by": each.who} for each in cause.by]
    return {"kind": cause.kind, "words": cause.words, **values, "commits": commits}
