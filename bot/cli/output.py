"""Render the state of a run for the commands: JSON, tables and summaries."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from bot.engine.requests import RunResult
from bot.history.explanation_words import OUTDATED
from bot.history.reasons import count_reasons, meaning
from bot.history.repository import Identity
from bot.history.run_state import PhaseState, RunState
from bot.history.shortfalls import asks_of, find_shortfalls
from bot.history.shortfalls import lines as shortfall_lines
from bot.planning.plan import FEATURES
from bot.text import count, one_line, without_hidden

_SHORT = 7
_MAX_NAME = 100
_MAX_PATHS = 3
"""How many of the paths that one thing blocks are listed."""
_MAX_IN_PASSING = 2


def render_json(state: RunState, own: Collection[Identity] = ()) -> str:
    """Return the state as the contract's JSON object (design §3); see :func:`other_maker` for *own*."""
    return json.dumps(_as_json(state, own), indent=2)


def _as_json(state: RunState, own: Collection[Identity]) -> dict[str, Any]:
    return {
        "run": state.run,
        "branch": state.branch,
        "base": state.base,
        "head": state.head,
        "complete": state.complete,
        "phases": [
            {
                "key": each.phase.key,
                "title": each.phase.title,
                "status": each.status,
                "commit": each.commit,
                "files": list(each.files),
                "missing": list(each.missing),
                "edited": list(each.edited),
                "conflicts": list(each.conflicts),
                "stale": each.stale,
                "tokens": {"in": each.tokens[0], "out": each.tokens[1]},
                **({"made-by": maker} if (maker := "people" if each.by_people else other_maker(each, own)) else {}),
                "rules": list(each.phase.rules),
                "unmet": list(each.unmet),
            }
            for each in state.phases
        ],
        "tokens": {"in": state.tokens[0], "out": state.tokens[1]},
        "pushed": state.pushed,
        **_behaviour(state),
    }


def _behaviour(state: RunState) -> dict[str, Any]:
    """Return what the plan says besides entities and fields, and what is wrong with its instructions."""
    plan = state.phases[0].phase.slice if state.phases else {}
    return {
        "features": list(plan.get("collections", {}).get(FEATURES, ())),
        "rules": list(plan.get("rules", ())),
        "left-out": list(plan.get("left-out", ())),
        "misplaced-instructions": list(state.misplaced),
    }


def other_maker(each: PhaseState, own: Collection[Identity]) -> str:
    """Return who made the phase's commit, if nobody of *own* did and that is known; trailers can be copied."""
    email = each.author.rpartition(" <")[2].removesuffix(">").lower()
    known = {identity.email.lower() for identity in own}
    return one_line(each.author, _MAX_NAME) if own and each.author and email not in known else ""


def render_status(
    state: RunState, now: datetime, own: Collection[Identity] = (), reasons: Mapping[str, str] = MappingProxyType({})
) -> str:
    """Return a table with one line per phase, and the summary of the run under it.

    Phases of which nobody of *own* made the commit say who did.  *reasons* has a line to put below a phase, by key.
    """
    rows = [
        (
            *(_place(each, state), each.phase.key, each.status, files_of(each), commit_of(each)),
            _status_remarks(each, own),
        )
        for each in state.phases
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(5)] if rows else []
    lines = []
    for row in rows:
        cells = [*(cell.ljust(width) for cell, width in zip(row[:5], widths, strict=True)), row[5]]
        lines.append("  ".join(cells).rstrip())
        if reason := reasons.get(row[1]):
            lines.append(f"{' ' * widths[0]}  why: {reason}")
    why = render_reasons(state, {})
    told = [*([f"not generated: {why}"] if why else []), *shortfall_lines(find_shortfalls(state))]
    return "\n".join([*lines, render_summary(state, now), *told])


def render_summary(state: RunState, now: datetime) -> str:
    """Return the state of the run in one line, with prices as of *now*."""
    done = sum(1 for each in state.phases if each.done)
    files = sum(len(each.files) for each in state.phases)
    cost = _cost(state, now) if any(state.tokens) else ""
    spent = f", {sum(state.tokens):,} tokens{f', {cost}' if cost else ''}" if any(state.tokens) else ""
    conflicts = f" with {count(len(state.conflicts), 'conflict')}"
    word = f"complete{conflicts if state.conflicts else ''}" if state.finished else "incomplete"
    where = f"{state.branch} at {state.head[:_SHORT]}" + (", pushed" if state.pushed else "")
    return f"{word}: {done} of {count(len(state.phases), 'phase')}, {count(files, 'file')}{spent} on {where}"


def render_outdated(state: RunState) -> str:
    """Return the outdated phases and the remedy; empty if there are none."""
    outdated = [each.phase.key for each in state.phases if each.stale == "dependency"]
    if not outdated:
        return ""
    return (
        f"outdated, because a phase they depend on was regenerated: {', '.join(outdated)}; "
        "generate --cascade regenerates them"
    )


def render_conflicts(state: RunState) -> str:
    """Return which files have conflicts, and how to resolve them; empty if there are none."""
    lines = []
    for each in state.phases:
        edited = [path for path in each.open_conflicts if path not in each.blocked]
        if edited:
            key, paths = each.phase.key, ", ".join(edited)
            command = f"phasebot regenerate {key} --run {state.run} --discard-edits"
            lines.append(
                f"conflict in {paths}: your version stays; edit and commit it, "
                f"or take the new one with '{command}', which drops all edits in files of {key}"
            )
    blocked = {path: name for each in state.phases for path, name in each.blocked.items()}
    for name in dict.fromkeys(blocked.values()):
        behind = [path for path in blocked if blocked[path] == name != path]
        what = f"{name} is in the way of {_few(behind)}" if behind else f"{name} is a folder or link, and not a file"
        why = ", because the names differ only in case" if behind and not behind[0].startswith(name) else ""
        lines.append(f"conflict: {what}{why}; move it on {state.branch}, commit that, and run generate again")
    return "; ".join(lines)


def _few(paths: Sequence[str]) -> str:
    more = len(paths) - _MAX_PATHS
    return ", ".join(paths[:_MAX_PATHS]) + (f" and {more} more" if more > 0 else "")


def render_diff(path: str, diff: str) -> str:
    """Return a generated change that was not written to *path*, safe for a terminal."""
    return f"not written to {path}:\n{without_hidden(diff, prose=True, instead='?')}"


def render_remaining(result: RunResult) -> str:
    """Return which phases are not generated yet, why, and what to run; not those that templates can't write."""
    left = [key for key in result.remaining if key not in result.stuck]
    if not left:
        return ""
    remaining = ", ".join(left)
    why = render_reasons(result.state, result.snapshot.failures, left)
    if result.blocked_by:
        need = "need" if len(left) > 1 else "needs"
        blocked = f"{remaining}, which {need} {', '.join(result.blocked_by)}"
        return "; ".join(filter(None, (blocked, why, "run generate for those, or for all phases")))
    return f"{remaining}; {why or 'run generate again to continue'}"


def render_shortfalls(result: RunResult) -> str:
    """Return what people asked for and this run could not do, with remedies; empty if it did everything."""
    return "; ".join(shortfall_lines(find_shortfalls(result.state, unwritable=result.unwritable, unmet=result.unmet)))


def render_reasons(
    state: RunState, failures: Mapping[str, Mapping[str, str]], phases: Sequence[str] | None = None
) -> str:
    """Return why files of *phases*, or of all, are missing, with remedies; empty if nobody knows."""
    found = count_reasons(state, failures, phases)
    return "; ".join(f"{each.words}: {each.meaning.remedy}" for each in found)


def _by_reason(each: PhaseState) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield the missing files of a phase by reason; the words are empty for commits of earlier releases."""
    words = {path: meaning(each.reasons[path]).words if path in each.reasons else "" for path in each.missing}
    for reason in dict.fromkeys(words.values()):
        yield reason, [path for path in each.missing if words[path] == reason]


def render_errors(result: RunResult) -> str:
    """Return which errors are left, and what to do; empty if there are none."""
    if not result.errors:
        return ""
    number = sum(map(len, result.errors.values()))
    what = f"{count(number, 'error')} left in {', '.join(result.errors)}"
    edited = [each.phase.key for each in result.state.phases if _has_errors_in_edits(each, result)]
    discard = (
        f"; people's lines stay, but for 'phasebot regenerate {' '.join(edited)} --discard-edits'" if edited else ""
    )
    return f"{what}; 'phasebot assess' lists them, 'phasebot fix' lets a model mend them{discard}"


def _has_errors_in_edits(each: PhaseState, result: RunResult) -> bool:
    return any(one.path in each.edited for one in result.errors.get(each.phase.key, ()))


def _cost(state: RunState, now: datetime) -> str:
    from bot.generation.llm.prices import estimate

    return str(estimate(state.models, now))


def _place(each: PhaseState, state: RunState) -> str:
    return f"[{each.phase.place}/{len(state.phases)}]"


def files_of(each: PhaseState) -> str:
    """Return how many of the phase's files exist: ``3/4 files``."""
    return f"{len(each.files)}/{count(each.total, 'file')}"


def commit_of(each: PhaseState) -> str:
    """Return the abbreviated commit of the phase, or ``-``."""
    return each.commit[:_SHORT] if each.commit else "-"


def _status_remarks(each: PhaseState, own: Collection[Identity]) -> str:
    maker = other_maker(each, own)
    return "; ".join(filter(None, (f"made by {maker}" if maker else "", remarks_of(each))))


def short_paths(paths: Sequence[str], each: PhaseState) -> str:
    """Return *paths* of a phase in one or two of them and a number, for a line that people read in passing."""
    if len(paths) == each.total > 1:
        return f"all {len(paths)} files"
    shown, more = paths[:_MAX_IN_PASSING], len(paths) - _MAX_IN_PASSING
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def remarks_of(each: PhaseState, *, short: bool = False) -> str:
    """Return remarks on the phase, such as missing or edited files; empty if there are none.

    With *short*, not all of the missing files are named.
    """
    remarks = ["made by people"] if each.by_people else []
    remarks += [f"outdated: {OUTDATED[each.stale]}"] if each.stale else []
    remarks += [f"not carried out by templates: {asks_of(each)}"] if each.unmet else []
    remarks += [f"errors left: {each.findings_left}"] if each.findings_left else []
    for words, paths in _by_reason(each):
        named = short_paths(paths, each) if short else ", ".join(paths)
        remarks.append(f"missing: {named}" + (f" ({words})" if words else ""))
    others = (
        ("removed by people", each.removed),
        ("edited", [path for path in each.edited if path not in each.removed]),
        ("conflict", each.open_conflicts),
        ("kept yours", list(each.kept.values())),
        ("from the template", each.fallback),
        ("without a template", [path for path in each.unwritable if path not in each.missing]),
    )
    remarks += [f"{word}: {', '.join(paths)}" for word, paths in others if paths]
    return "; ".join(remarks)
