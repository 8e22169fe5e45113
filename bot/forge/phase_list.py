"""Lists the phases of a run in Markdown: for the comment, and as rows of the table in the pull request.  Pure."""

import re
from collections.abc import Iterator, Sequence

from bot.forge.markdown import code, count, fill, folded, line, link, span, within
from bot.forge.run_report import Report
from bot.forge.verified import errors_of, shown
from bot.history.reasons import code_of, meaning, without_remedy
from bot.history.run_state import PhaseState
from bot.history.shortfalls import asks_of
from bot.text import truncate

MAX_LIST, _MAX_FILES = 18_000, 10_000
"""Character limits, so that no part crowds out another."""
_MAX_REASON, _MAX_NAME, _MAX_FINDINGS = 300, 100, 5
FOLD_ABOVE = 30
"""Up to this many phases are listed in full.  A longer list is folded, below the phases that need attention."""
_OID = re.compile(r"[0-9a-f]{40,64}")


def checklist(report: Report) -> str:
    phases = report.state.phases
    if len(phases) <= FOLD_ABOVE:
        return "\n".join(_items(report, phases))
    notable = [each for each in phases if each.phase.key in report.active or _remarks(report, each)]
    whole = within((_item(report, each, linked=False) for each in phases), MAX_LIST, "phase")
    folded_list = folded(f"All {len(phases)} phases", whole)
    return "\n".join([*within(_items(report, notable), MAX_LIST, "phase"), "", folded_list])


def _items(report: Report, phases: Sequence[PhaseState]) -> Iterator[str]:
    """Yield one list item per phase, with its remarks while there is room for them."""
    room = MAX_LIST
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
    troubles = (each.missing, each.open_conflicts, each.unmet, each.findings_left)
    if each.phase.key in report.failures or any(troubles) or errors_of(report.verified, each.phase.key):
        return "\u26a0\ufe0f"
    return "\u2b1c" if each.wanted else "\u2705"


def _title(each: PhaseState) -> str:
    return line(truncate(each.phase.title, _MAX_NAME))


def _commit(report: Report, each: PhaseState, *, linked: bool) -> str:
    """Return the phase's short commit id.  Without room for a URL, return it bare: GitHub links bare ids."""
    oid = each.commit if each.commit and _OID.fullmatch(each.commit) else ""
    return link(code(oid[:7]), report.url("commit", oid)) if oid and linked else oid[:7]


def _file_count(each: PhaseState) -> str:
    generated, planned = len(each.files), each.total
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
    left = report.findings.get(key, ())[:_MAX_FINDINGS] if each.findings_left else ()
    errors, more_errors = shown(errors_of(report.verified, key))
    found = (errors, reasons, each.edited, each.fallback, each.conflicts, each.kept, each.stale, each.findings_left)
    why = report.why.get(key, "")
    if key in report.active or not any((*found, each.unmet, each.by_people, each.unwritable, why)):
        return ()
    return fill(
        "remarks",
        {"reasons": reasons.items(), "conflicts": each.open_conflicts, "fallback": each.fallback, "stale": each.stale},
        findings=[(each.place, truncate(each.message, _MAX_REASON)) for each in left],
        unlisted=count(unlisted, "error") if (unlisted := each.findings_left - len(left)) > 0 else "",
        errors=errors,
        more_errors=count(more_errors, "more error") if more_errors else "",
        edited=[path for path in each.edited if path not in (*each.conflicts, *each.removed)],
        removed=each.removed,
        kept=list(each.kept.values()),
        unmet=asks_of(each),
        by_people=each.by_people,
        unwritable=[path for path in each.unwritable if path not in each.missing],
        why=why,
        key=truncate(key, _MAX_NAME),
    ).split("\n")


def rows(report: Report) -> Iterator[str]:
    """Yield the rows of the table in the pull request."""
    verified = report.verified
    level = ["verified"] if verified and verified.is_current and verified.verification.is_verified else []
    for each in report.state.phases:
        commit = _commit(report, each, linked=len(report.state.phases) <= FOLD_ABOVE)
        key = code(truncate(each.phase.key, _MAX_NAME))
        told = [*(level if each.files else ()), *_remarks(report, each)]
        cells = (key, commit, _file_count(each), "; ".join(told))
        yield f"| {' | '.join(cells)} |"


def file_list(report: Report) -> str:
    """Return links to the files, or nothing for a large project, whose branch is linked instead."""
    if not report.files or len(report.state.phases) > FOLD_ABOVE:
        return ""
    rows = (f"- {_title(each)}: {', '.join(_files(report, each))}" for each in report.state.phases if each.files)
    return folded(count(report.files, "file"), within(rows, _MAX_FILES, "phase"))


def _files(report: Report, each: PhaseState) -> Iterator[str]:
    return (link(code(path), report.url("blob", report.state.branch, path)) for path in each.files)
