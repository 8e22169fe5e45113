"""Renders every comment and pull request text from plain values.  Pure: the same values give the same text.

The wording is in ``templates/``.  Every value is sanitised unless it is Markdown built here.  Every link points into
the repository.
"""

import re
import shlex
from collections.abc import Mapping, Sequence

from bot.forge import markdown
from bot.forge.behaviour import fold_behaviour, render_behaviour
from bot.forge.conflict_advice import render_advice, render_diffs
from bot.forge.diagrams import entity_diagram, gantt
from bot.forge.explanations import explain_fault, explain_reasons, explain_shortfalls, link_to_fault
from bot.forge.light_markup import light
from bot.forge.markdown import (
    Markdown,
    code,
    cut,
    fenced,
    fill,
    line,
    link,
    prose,
    span,
    within,
)
from bot.forge.phase_boxes import render_boxes
from bot.forge.phase_list import FOLD_ABOVE, checklist, diffs_of, file_list, table
from bot.forge.run_report import Report
from bot.forge.verified import render_verdict
from bot.history.reasons import without_remedy
from bot.history.run_state import PlanFault, RunState
from bot.history.shortfalls import find_shortfalls
from bot.planning.phases import PLAN_PHASE
from bot.text import count, truncate

_MAX_TEXT, _MAX_REASON, _MAX_NAME = 2_000, 300, 100
_MAX_BARS = 60


def marker(run: str) -> str:
    """Return the first line of the run's progress comment, which identifies it."""
    return f"<!-- phasebot:{re.sub(r'[^A-Za-z0-9._/-]', '', run)} -->"


def render_answer(key: str, text: str) -> str:
    """Return *text* as the answer to one command; the hidden *key* tells it apart from other answers."""
    return f"<!-- phasebot: answer {re.sub(r'[^A-Za-z0-9-]', '', key)} -->\n{text}"


# ---- one function per text


def render_progress(report: Report) -> str:
    """Return the progress comment, which is edited during the run."""
    boxes = "" if report.outcome in ("working", "continued") else render_boxes(report.state.phases)
    return cut(fill("progress", _values(report), marker=Markdown(marker(report.state.run)), boxes=Markdown(boxes)))


def render_summary(report: Report, timings: Sequence[tuple[str, float, float]]) -> str:
    """Return the job summary; *timings* are phase, start and end, in seconds of any clock."""
    longest = sorted(timings, key=lambda each: each[1] - each[2])[:_MAX_BARS]
    places = {each.phase.key: each.phase.place for each in report.state.phases}
    bars = [(places.get(key, 0), key, start, end) for key, start, end in sorted(longest, key=lambda each: each[1:])]
    chart = fenced(gantt(bars), "mermaid") if bars else ""
    return cut(fill("progress", _values(report), gantt=Markdown(chart)))


def render_status(report: Report) -> str:
    """Return the answer to ``/status``; it has no marker, because it is never edited."""
    return cut(fill("status", _values(report)))


def render_closing(report: Report) -> str:
    """Return the short comment at the end of a run; GitHub notifies people of new comments, not of edits."""
    return fill("closing", _values(report))


def render_pull_title(project: str) -> str:
    """Return the pull request's title."""
    return f"Generate {markdown.title(project)}"


def render_pull_body(report: Report, issue: int | None, description: str) -> str:
    """Return the pull request's description; merging the pull request closes *issue*."""
    phases = [each.phase for each in report.state.phases]
    return cut(
        fill(
            "pull",
            _values(report),
            issue=issue,
            description=Markdown(light(truncate(description, _MAX_TEXT))),
            warnings=Markdown("\n".join(f"> {line(truncate(each, _MAX_REASON))}  " for each in report.warnings)),
            table=Markdown(table(report)),
            run_lines=_run_lines(report),
            test_lines=truncate("\n".join(report.try_it.test), _MAX_TEXT) if report.state.finished else "",
            has_diffs=bool(diffs_of(report)),
            example=next((each.key for each in phases if each.is_of_item), phases[-1].key if phases else ""),
        )
    )


def render_help(settings: Sequence[tuple[str, str, str]], phases: Sequence[str]) -> str:
    """Return the list of commands, this repository's settings (name, value, origin) and the phases of this run."""
    return cut(fill("help", {}, settings=settings, phases=Markdown(markdown.paths(phases, FOLD_ABOVE))))


def render_stopping(run: str) -> str:
    """Return the answer to ``/stop``."""
    return fill("stopping", {}, run=truncate(run, _MAX_NAME))


def render_refusal(reason: str) -> str:
    """Return a refusal: the first line of *reason* as a sentence, further lines as a code block."""
    first, _, rest = truncate(reason, _MAX_TEXT).partition("\n")
    return f"Not run: {line(first)}" + (f"\n\n{fenced(rest)}" if rest.strip() else "")


def render_broken_plan(fault: PlanFault, server_url: str, repository: str) -> str:
    """Return a refusal because the plan can't be read, with a link to the place."""
    return f"{render_refusal(fault.message)}\n\n{link_to_fault(fault, server_url, repository)}"


def render_suggestion(message: str, suggestion: str) -> str:
    """Return the answer to a mistyped command: what is wrong, and the command that was probably meant."""
    message, suggestion = truncate(message, _MAX_TEXT), truncate(suggestion, _MAX_TEXT)
    return f"Not run: {line(message)}. Did you mean:\n\n{fenced(suggestion)}"


def render_remark(text: str) -> str:
    """Return *text* as a sentence below an answer."""
    return f"Note: {line(truncate(text, _MAX_REASON))}."


def render_failure(detail: str, command: str) -> str:
    """Return why a command failed, and how to try again."""
    return fill("failure", {}, detail=truncate(detail, _MAX_TEXT), command=truncate(command, _MAX_TEXT))


# ---- values for the templates


def _run_lines(report: Report) -> str:
    """Return what to type to get and run the project; of an unfinished one, only what gets it."""
    if report.pull is None or not report.files:
        return ""
    lines, folder = [f"gh pr checkout {report.pull}"], report.plan.output_dir if report.plan else "."
    if report.state.finished and report.try_it.run:
        lines += [f"cd {shlex.quote(folder)}"] if folder != "." else []
        lines += [*report.try_it.run, *([f"# then open {report.try_it.see}"] if report.try_it.see else [])]
    return truncate("\n".join(lines), _MAX_TEXT)


def _values(report: Report) -> Mapping[str, object]:
    """Return the values that templates can use."""
    state, elapsed, expected = report.state, report.elapsed, report.expected or 0
    read, written = state.tokens
    notes = (f"- {line(truncate(each, _MAX_REASON))}" for each in report.notes)
    fragments = {
        "requester": code(f"@{truncate(report.requested_by, _MAX_NAME)}") if report.requested_by else "",
        "error": _error(report),
        "fault": _fault(report),
        "why": _why(report),
        "branch": link(code(state.branch), report.url("tree", state.branch)) if state.head else "",
        "checklist": checklist(report),
        "file_list": file_list(report),
        "diagram": entity_diagram(report.plan) if report.plan else "",
        "behaviour": render_behaviour(report.plan) if report.plan else "",
        "folded_behaviour": fold_behaviour(report.plan) if report.plan else "",
        "notes": "\n".join(within(notes, _MAX_TEXT, "note")),
        "advice": render_advice(state.phases),
        "rejected": render_diffs(report.rejected),
        "outdated": _outdated(state),
        "verdict": render_verdict(report.verified, [each.phase.key for each in state.phases]),
        "plan_file": _plan_file(report),
        "pull": link(f"pull request #{report.pull}", report.url("pull", str(report.pull))) if report.pull else "",
        "compare": report.checked_link("open a pull request", report.compare_url),
        "log": report.checked_link("log", report.run_url),
        "page": report.checked_link("page of this run", report.page_url) if report.outcome != "working" else "",
        "tokens": f"{read + written:,} tokens ({read:,} in, {written:,} out)" if read + written else "",
    }
    return {name: Markdown(text) for name, text in fragments.items()} | {
        "outcome": report.outcome,
        "complete": state.complete,
        "finished": state.finished,
        "conflicts": count(len(state.conflicts), "conflict") if state.conflicts else "",
        "regenerated": count(report.regenerated, "phase"),
        "done": report.done,
        "total": count(len(state.phases), "phase") if state.phases else "",
        "files": count(report.files, "file"),
        "elapsed": span(elapsed) if elapsed and round(elapsed) else "",
        "expected": span(expected) if expected > (elapsed or 0) else "",
        "cost": truncate(report.cost, _MAX_REASON),
        "command": truncate(report.next_command, _MAX_TEXT),
    }


def _outdated(state: RunState) -> str:
    keys = [each.phase.key for each in state.phases if each.stale in ("plan", "dependency")]
    return f"{markdown.paths(keys)} {'is' if len(keys) == 1 else 'are'} outdated" if keys else ""


def _plan_file(report: Report) -> str:
    """Return a link that opens the plan file for editing."""
    plans = (each for each in report.state.phases if each.phase.key == PLAN_PHASE)
    path = next((path for each in plans for path in [*each.phase.files][:1] if path in each.files), "")
    return link(code(path), report.url("edit", report.state.branch, path)) if path else "the plan"


def _error(report: Report) -> str:
    """Return why the run ended, without a remedy for the terminal; a broken plan is told once, with a link."""
    told_as_fault = report.state.fault and report.error == report.state.fault.message
    error = without_remedy(report.error or "", report.error_code)
    return _fault(report) if told_as_fault else prose(truncate(error, _MAX_TEXT))


def _fault(report: Report) -> str:
    fault = report.state.fault
    return explain_fault(fault, report.server_url, report.repository) if fault else ""


def _why(report: Report) -> str:
    if report.outcome == "working":
        return ""
    shortfalls = explain_shortfalls(find_shortfalls(report.state, unwritable=report.unwritable))
    return "\n".join(filter(None, (shortfalls, explain_reasons(report.state, report.failures, report.error_code))))
