"""Everything Phasebot says on GitHub, rendered whole from values: the same values, the same text.  Decides nothing.

The words are in ``templates/``; what they put in is sanitised unless it is Markdown made here.  Every link leads into
the repository.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import quote

from bot.forge import markdown
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
from bot.history.run_state import PhaseState, RunState
from bot.planning.phases import PLAN_PHASE
from bot.text import truncate

Outcome = Literal["working", "complete", "incomplete", "failed", "continued", "stopped", "planned", "reverted"]

_ROOM, _FILES_ROOM, _DIAGRAM_ROOM = 18_000, 10_000, 12_000
"""Characters for each part that grows with the plan, so that none pushes another out of the body."""
_TEXT, _REASON, _NAME = 2_000, 300, 100
_FOLD_ABOVE = 30
"""Phases that are listed one by one; of more, those that need eyes, and all of them folded."""
_BARS = 60
_OID = re.compile(r"[0-9a-f]{40,64}")
_UPWARDS = re.compile(r"/(\.|%2e){2}(?![\w.])", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What there is to say about a run at one moment."""

    state: RunState
    outcome: Outcome
    requested_by: str
    """A login; empty if nobody knows."""
    server_url: str
    repository: str
    """``owner/name``."""
    run_url: str = ""
    """The workflow's run, with its log."""
    pull: int | None = None
    compare_url: str = ""
    """Where people open the pull request themselves, as long as there is none."""
    active: Mapping[str, float] = field(default_factory=dict)
    """Phases under way → for how many seconds."""
    elapsed: float | None = None
    expected: float | None = None
    """Seconds that all of it is thought to take."""
    failures: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Phase → path → why it could not be made."""
    error: str | None = None
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
        """Return an address in the repository."""
        encoded = (quote(part, errors="replace") for part in (self.repository, *parts))
        return "/".join([self.server_url.rstrip("/"), *encoded])

    def given(self, label: str, url: str) -> str:
        """Return *label* as a link if *url*, which others made, leads into the repository; else nothing."""
        shown = link(label, url)
        return shown if shown != label and url.startswith(self.url("")) and not _UPWARDS.search(url) else ""


def marker(run: str) -> str:
    """Return the first line of the run's progress comment, by which it is found again."""
    return f"<!-- phasebot:{re.sub(r'[^A-Za-z0-9._/-]', '', run)} -->"


def render_answer(key: str, text: str) -> str:
    """Return *text* as the answer to one command, told from all other answers by the unseen *key*."""
    return f"<!-- phasebot: answer {re.sub(r'[^A-Za-z0-9-]', '', key)} -->\n{text}"


# ---- what is rendered


def render_progress(report: Report) -> str:
    """Return the comment that is kept up to date."""
    return cut(fill("progress", _values(report), marker=Markdown(marker(report.state.run))))


def render_summary(report: Report, timings: Sequence[tuple[str, float, float]]) -> str:
    """Return the job's summary; *timings* are phase, begin and end, in seconds of any clock."""
    longest = sorted(timings, key=lambda each: each[1] - each[2])[:_BARS]
    chart = fenced(markdown.gantt(sorted(longest, key=lambda each: each[1:])), "mermaid") if timings else ""
    return cut(fill("progress", _values(report), gantt=Markdown(chart)))


def render_status(report: Report) -> str:
    """Return the answer to ``/status``; without the marker, because it is not kept up to date."""
    return cut(fill("status", _values(report)))


def render_closing(report: Report) -> str:
    """Return the short comment that tells people, whom edits don't, that a run has ended."""
    return fill("closing", _values(report))


def render_pull_title(project: str) -> str:
    """Return the pull request's title."""
    return f"Generate {markdown.title(project)}"


def render_pull_body(report: Report, issue: int | None, description: str) -> str:
    """Return the pull request's text; merging it closes *issue*."""
    keys = [each.phase.key for each in report.state.phases]
    return cut(
        fill(
            "pull",
            _values(report),
            issue=issue,
            description=Markdown(prose(truncate(description, _TEXT))),
            rows=Markdown("\n".join(within(_rows(report), 2 * _ROOM, "phase", "| and {} | | | |"))),
            example=next((key for key in keys if key.startswith("entity/")), keys[-1] if keys else ""),
        )
    )


def render_help(settings: Mapping[str, str], phases: Sequence[str]) -> str:
    """Return the commands, with what holds in this repository and the phases of this run."""
    return cut(fill("help", {}, settings=[*settings.items()], phases=Markdown(markdown.paths(phases, _FOLD_ABOVE))))


def render_stopping(run: str) -> str:
    """Return the answer to ``/stop``."""
    return fill("stopping", {}, run=truncate(run, _NAME))


def render_refusal(reason: str) -> str:
    """Return the sentence with which a command is refused; further lines of *reason* are shown as they are."""
    first, _, rest = truncate(reason, _TEXT).partition("\n")
    return f"Not run: {line(first)}" + (f"\n\n{fenced(rest)}" if rest.strip() else "")


def render_suggestion(message: str, suggestion: str) -> str:
    """Return what is said to a command that nobody knows, and which one it may be."""
    return f"Not run: {line(truncate(message, _TEXT))}. Did you mean:\n\n{fenced(truncate(suggestion, _TEXT))}"


def render_failure(detail: str, command: str) -> str:
    """Return why a command came to nothing, and how to try again."""
    return fill("failure", {}, detail=truncate(detail, _TEXT), command=truncate(command, _TEXT))


# ---- what templates put in


def _values(report: Report) -> Mapping[str, object]:
    """Return what the templates of a run may put in."""
    state, elapsed, expected = report.state, report.elapsed, report.expected or 0
    read, written = state.tokens
    made = {
        "asked": code(f"@{truncate(report.requested_by, _NAME)}") if report.requested_by else "",
        "error": prose(truncate(report.error or "", _TEXT)),
        "branch": link(code(state.branch), report.url("tree", state.branch)) if state.head else "",
        "checklist": _checklist(report),
        "file_list": _file_list(report),
        "diagram": _diagram(report),
        "notes": "\n".join(within((f"- {line(truncate(each, _REASON))}" for each in report.notes), _TEXT, "note")),
        "plan_file": _plan_file(report),
        "pull": link(f"pull request #{report.pull}", report.url("pull", str(report.pull))) if report.pull else "",
        "compare": report.given("open a pull request", report.compare_url),
        "log": report.given("log", report.run_url),
        "tokens": f"{read + written:,} tokens ({read:,} in, {written:,} out)" if read + written else "",
    }
    return {name: Markdown(text) for name, text in made.items()} | {
        "outcome": report.outcome,
        "complete": state.complete,
        "done": report.done,
        "total": count(len(state.phases), "phase") if state.phases else "",
        "files": count(report.files, "file"),
        "took": span(elapsed) if elapsed and round(elapsed) else "",
        "of": span(expected) if expected > (elapsed or 0) else "",
        "cost": truncate(report.cost, _REASON),
        "command": truncate(report.next_command, _TEXT),
    }


def _checklist(report: Report) -> str:
    phases = report.state.phases
    if len(phases) <= _FOLD_ABOVE:
        return "\n".join(_items(report, phases))
    seen = [each for each in phases if each.phase.key in report.active or _remarks(report, each)]
    whole = within((_item(report, each, linked=False) for each in phases), _ROOM, "phase")
    return "\n".join([*within(_items(report, seen), _ROOM, "phase"), "", folded(f"All {len(phases)} phases", whole)])


def _items(report: Report, phases: Sequence[PhaseState]) -> Iterator[str]:
    """Yield the phases with their remarks, as long as there is room for those."""
    room = _ROOM
    for each in phases:
        item, remarks = _item(report, each), [f"\n  - {remark}" for remark in _remarks(report, each)]
        room -= sum(map(len, remarks))
        yield "".join([item, *remarks]) if room > 0 else item


def _item(report: Report, each: PhaseState, *, linked: bool = True) -> str:
    key = each.phase.key
    if key in report.active:
        details = [span(report.active[key])]
    else:
        details = [_commit(report, each, linked=linked), _made(each)]
    return " \u00b7 ".join([f"- {_symbol(report, each)} {_title(each)}", *filter(None, details)])


def _symbol(report: Report, each: PhaseState) -> str:
    if each.phase.key in report.active:
        return "\u23f3"
    if each.phase.key in report.failures or each.missing or each.conflicts:
        return "\u26a0\ufe0f"
    return "\u2b1c" if each.wanted else "\u2705"


def _title(each: PhaseState) -> str:
    return line(truncate(each.phase.title, _NAME))


def _commit(report: Report, each: PhaseState, *, linked: bool) -> str:
    """Return the phase's commit; where there is no room for its address, GitHub links it by itself."""
    oid = each.commit if each.commit and _OID.fullmatch(each.commit) else ""
    return link(code(oid[:7]), report.url("commit", oid)) if oid and linked else oid[:7]


def _made(each: PhaseState) -> str:
    made, planned = len(each.files), len(each.phase.files)
    if not made:
        return "taken back" if each.status == "reverted" else ""
    return count(made, "file") if made == planned else f"{made} of {count(planned, 'file')}"


def _remarks(report: Report, each: PhaseState) -> Sequence[str]:
    """Return what a person should know of a phase that is not under way."""
    key = each.phase.key
    failed, reasons = report.failures.get(key, {}), dict[str, list[str]]()
    for path in dict.fromkeys([*each.missing, *failed]):
        reasons.setdefault(truncate(failed.get(path, ""), _REASON), []).append(path)
    if key in report.active or not (reasons or each.edited or each.fallback or each.conflicts or each.stale):
        return ()
    return fill(
        "remarks",
        {"reasons": reasons.items(), "conflicts": each.conflicts, "fallback": each.fallback, "stale": each.stale},
        edited=[path for path in each.edited if path not in each.conflicts],
        key=truncate(key, _NAME),
    ).split("\n")


def _rows(report: Report) -> Iterator[str]:
    """Yield the rows of the pull request's table."""
    for each in report.state.phases:
        commit = _commit(report, each, linked=len(report.state.phases) <= _FOLD_ABOVE)
        cells = (code(truncate(each.phase.key, _NAME)), commit, _made(each), "; ".join(_remarks(report, each)))
        yield f"| {' | '.join(cells)} |"


def _file_list(report: Report) -> str:
    """Return the links to the files; of a large project the link to its branch has to do."""
    if not report.files or len(report.state.phases) > _FOLD_ABOVE:
        return ""
    rows = (f"- {_title(each)}: {', '.join(_files(report, each))}" for each in report.state.phases if each.files)
    return folded(count(report.files, "file"), within(rows, _FILES_ROOM, "phase"))


def _files(report: Report, each: PhaseState) -> Iterator[str]:
    return (link(code(path), report.url("blob", report.state.branch, path)) for path in each.files)


def _plan_file(report: Report) -> str:
    """Return the plan's file, as a link to where it is edited."""
    path = next((path for each in report.state.phases if each.phase.key == PLAN_PHASE for path in each.files), "")
    return link(code(path), report.url("edit", report.state.branch, path)) if path else "the plan"


def _diagram(report: Report) -> str:
    """Return the diagram, unless it is larger than anybody can read, or GitHub draws."""
    fits = len(report.plan_diagram) <= _DIAGRAM_ROOM
    return fenced(report.plan_diagram, "mermaid") if report.plan_diagram and fits else ""
