"""Renders every comment and pull request text from plain values.  Pure: the same values give the same text.

The wording is in ``templates/``.  Every value is sanitised unless it is Markdown built here.  Every link points into
the repository.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from bot.forge import markdown
from bot.forge.conflict_advice import render_advice, render_diffs
from bot.forge.explanations import explain_fault, explain_reasons, link_to_fault, url_of
from bot.forge.markdown import (
    Markdown,
    code,
    count,
    cut,
    fenced,
    fill,
    folded,
    line,
    link,
    prose,
    span,
    within,
)
from bot.history.reasons import code_of, meaning, without_remedy
from bot.history.run_state import PhaseState, PlanFault, RunState
from bot.planning.phases import PLAN_PHASE
from bot.text import truncate

Outcome = Literal[
    "working",
    "complete",
    "conflicts",
    "incomplete",
    "failed",
    "refused",
    "continued",
    "stopped",
    "planned",
    "regenerated",
    "reverted",
]

_MAX_LIST, _MAX_FILES, _MAX_DIAGRAM = 18_000, 10_000, 12_000
"""Character limits of the parts that grow with the plan, so that no part crowds out another."""
_MAX_TEXT, _MAX_REASON, _MAX_NAME = 2_000, 300, 100
_FOLD_ABOVE = 30
"""Up to this many phases are listed in full.  A longer list is folded, below the phases that need attention."""
_MAX_BARS = 60
_OID = re.compile(r"[0-9a-f]{40,64}")
_PARENT_FOLDER = re.compile(r"/(\.|%2e){2}(?![\w.])", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything to report about a run at one moment."""

    state: RunState
    outcome: Outcome
    requested_by: str
    """A login; empty if unknown."""
    server_url: str
    repository: str
    """``owner/name``."""
    run_url: str = ""
    """The workflow run, with its log."""
    pull: int | None = None
    compare_url: str = ""
    """Where people can open the pull request themselves, while there is none."""
    active: Mapping[str, float] = field(default_factory=dict)
    """Phase in progress → seconds since it started."""
    elapsed: float | None = None
    expected: float | None = None
    """Estimated seconds for the whole run."""
    rejected: Mapping[str, str] = field(default_factory=dict)
    """Path → the generated change that was not written, as a diff."""
    regenerated: int = 0
    """Number of phases that the command regenerated."""
    failures: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Phase → path → why the file could not be generated."""
    error: str | None = None
    error_code: str = ""
    """Its reason in the closed list of :mod:`bot.history.reasons`."""
    cost: str = ""
    notes: Sequence[str] = ()
    next_command: str = ""
    plan_diagram: str = ""
    """Mermaid."""

    @property
    def done(self) -> str:
        return f"{sum(not each.wanted for each in self.state.phases)} of {count(len(self.state.phases), 'phase')}"

    @property
    def files(self) -> int:
        return sum(len(each.files) for each in self.state.phases)

    def url(self, *parts: str) -> str:
        """Return a URL in the repository."""
        return url_of(self.server_url, self.repository, *parts)

    def checked_link(self, label: str, url: str) -> str:
        """Return a link to *url* if it points into the repository, else an empty string; *url* is untrusted."""
        linked = link(label, url)
        return linked if linked != label and url.startswith(self.url("")) and not _PARENT_FOLDER.search(url) else ""


def marker(run: str) -> str:
    """Return the first line of the run's progress comment, which identifies it."""
    return f"<!-- phasebot:{re.sub(r'[^A-Za-z0-9._/-]', '', run)} -->"


def render_answer(key: str, text: str) -> str:
    """Return *text* as the answer to one command; the hidden *key* tells it apart from other answers."""
    return f"<!-- phasebot: answer {re.sub(r'[^A-Za-z0-9-]', '', key)} -->\n{text}"


# ---- one function per text


def render_progress(report: Report) -> str:
    """Return the progress comment, which is edited during the run."""
    return cut(fill("progress", _values(report), marker=Markdown(marker(report.state.run))))


def render_summary(report: Report, timings: Sequence[tuple[str, float, float]]) -> str:
    """Return the job summary; *timings* are phase, start and end, in seconds of any clock."""
    longest = sorted(timings, key=lambda each: each[1] - each[2])[:_MAX_BARS]
    chart = fenced(markdown.gantt(sorted(longest, key=lambda each: each[1:])), "mermaid") if timings else ""
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
            description=Markdown(prose(truncate(description, _MAX_TEXT))),
            rows=Markdown("\n".join(within(_rows(report), 2 * _MAX_LIST, "phase", "| and {} | | | |"))),
            example=next((each.key for each in phases if each.is_of_item), phases[-1].key if phases else ""),
        )
    )


def render_help(settings: Mapping[str, str], phases: Sequence[str]) -> str:
    """Return the list of commands, this repository's settings and the phases of this run."""
    return cut(fill("help", {}, settings=[*settings.items()], phases=Markdown(markdown.paths(phases, _FOLD_ABOVE))))


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
        "checklist": _checklist(report),
        "file_list": _file_list(report),
        "diagram": _diagram(report),
        "notes": "\n".join(within(notes, _MAX_TEXT, "note")),
        "advice": render_advice(state.phases),
        "rejected": render_diffs(report.rejected),
        "outdated": _outdated(state),
        "plan_file": _plan_file(report),
        "pull": link(f"pull request #{report.pull}", report.url("pull", str(report.pull))) if report.pull else "",
        "compare": report.checked_link("open a pull request", report.compare_url),
        "log": report.checked_link("log", report.run_url),
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


def _checklist(report: Report) -> str:
    phases = report.state.phases
    if len(phases) <= _FOLD_ABOVE:
        return "\n".join(_items(report, phases))
    notable = [each for each in phases if each.phase.key in report.active or _remarks(report, each)]
    whole = within((_item(report, each, linked=False) for each in phases), _MAX_LIST, "phase")
    folded_list = folded(f"All {len(phases)} phases", whole)
    return "\n".join([*within(_items(report, notable), _MAX_LIST, "phase"), "", folded_list])


def _items(report: Report, phases: Sequence[PhaseState]) -> Iterator[str]:
    """Yield one list item per phase, with its remarks while there is room for them."""
    room = _MAX_LIST
    for each in phases:
        item, remarks = _item(report, each), [f"\n  - {remark}" for remark in _remarks(report, each)]
        room -= sum(map(len, remarks))
        yield "".join([item, *remarks]) if room > 0 else item


def _item(report: Report, each: PhaseState, *, linked: bool = True) -> str:
    key = each.phase.key
    if key in report.active:
        details = [span(report.active[key])]
    else:
        details = [_commit(report, each, linked=linked), _file_count(each)]
    return " \u00b7 ".join([f"- {_symbol(report, each)} {_title(each)}", *filter(None, details)])


def _symbol(report: Report, each: PhaseState) -> str:
    if each.phase.key in report.active:
        return "\u23f3"
    if each.phase.key in report.failures or each.missing or each.open_conflicts:
        return "\u26a0\ufe0f"
    return "\u2b1c" if each.wanted else "\u2705"


def _title(each: PhaseState) -> str:
    return line(truncate(each.phase.title, _MAX_NAME))


def _commit(report: Report, each: PhaseState, *, linked: bool) -> str:
    """Return the phase's short commit id.  Without room for a URL, return it bare: GitHub links bare ids."""
    oid = each.commit if each.commit and _OID.fullmatch(each.commit) else ""
    return link(code(oid[:7]), report.url("commit", oid)) if oid and linked else oid[:7]


def _file_count(each: PhaseState) -> str:
    generated, planned = len(each.files), len(each.phase.files)
    if not generated:
        return "rolled back" if each.status == "reverted" else ""
    return count(generated, "file") if generated == planned else f"{generated} of {count(planned, 'file')}"


def _remarks(report: Report, each: PhaseState) -> Sequence[str]:
    """Return what people should know about a phase that is not in progress."""
    key = each.phase.key
    failed, reasons = report.failures.get(key, {}), dict[str, list[str]]()
    for path in dict.fromkeys([*each.missing, *failed]):
        recorded = meaning(each.reasons[path]).words if path in each.reasons else ""
        detail = without_remedy(failed[path], code_of(failed[path])) if path in failed else recorded
        reasons.setdefault(truncate(detail, _MAX_REASON), []).append(path)
    if key in report.active or not any((reasons, each.edited, each.fallback, each.conflicts, each.kept, each.stale)):
        return ()
    return fill(
        "remarks",
        {"reasons": reasons.items(), "conflicts": each.open_conflicts, "fallback": each.fallback, "stale": each.stale},
        edited=[path for path in each.edited if path not in (*each.conflicts, *each.removed)],
        removed=each.removed,
        kept=list(each.kept.values()),
        key=truncate(key, _MAX_NAME),
    ).split("\n")


def _rows(report: Report) -> Iterator[str]:
    """Yield the rows of the table in the pull request."""
    for each in report.state.phases:
        commit = _commit(report, each, linked=len(report.state.phases) <= _FOLD_ABOVE)
        key = code(truncate(each.phase.key, _MAX_NAME))
        cells = (key, commit, _file_count(each), "; ".join(_remarks(report, each)))
        yield f"| {' | '.join(cells)} |"


def _file_list(report: Report) -> str:
    """Return links to the files, or nothing for a large project, whose branch is linked instead."""
    if not report.files or len(report.state.phases) > _FOLD_ABOVE:
        return ""
    rows = (f"- {_title(each)}: {', '.join(_files(report, each))}" for each in report.state.phases if each.files)
    return folded(count(report.files, "file"), within(rows, _MAX_FILES, "phase"))


def _files(report: Report, each: PhaseState) -> Iterator[str]:
    return (link(code(path), report.url("blob", report.state.branch, path)) for path in each.files)


def _plan_file(report: Report) -> str:
    """Return a link that opens the plan file for editing."""
    path = next((path for each in report.state.phases if each.phase.key == PLAN_PHASE for path in each.files), "")
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
    return "" if report.outcome == "working" else explain_reasons(report.state, report.failures, report.error_code)


def _diagram(report: Report) -> str:
    """Return the diagram, unless it is too large for GitHub to draw or for people to read."""
    fits = len(report.plan_diagram) <= _MAX_DIAGRAM
    return fenced(report.plan_diagram, "mermaid") if report.plan_diagram and fits else ""
