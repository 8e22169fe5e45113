"""Lists the phases of a run in Markdown: for the comment, and as a table in the pull request.  Pure.

A phase is named by its key, because commands take the key.  What people should know about it stands below its name, so
that the table fits a phone.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from bot.forge.file_tree import file_tree
from bot.forge.markdown import Markdown, breakable, code, fill, folded, link, paths, span, within
from bot.forge.run_report import Report
from bot.forge.verified import errors_of, shown
from bot.history.reasons import code_of, meaning, without_remedy
from bot.history.run_state import PhaseState
from bot.history.shortfalls import asks_of
from bot.text import count, truncate

MAX_LIST = 18_000
"""Characters, so that no part crowds out another."""
_MAX_REASON, _MAX_NAME, _MAX_FINDINGS = 300, 100, 5
FOLD_ABOVE = 20
"""Up to this many phases are listed in full.  A longer list is folded, below the phases that need attention."""
_LINK_UP_TO = 60
"""A list of up to this many phases has links; GitHub makes one of a bare commit id by itself."""
_TABLE = "| Phase | Review |\n|---|---|"
_OID = re.compile(r"[0-9a-f]{40,64}")


def checklist(report: Report) -> str:
    """Return one list item per phase; of many, those that need attention, and all of them folded."""
    phases = report.state.phases
    if len(phases) <= FOLD_ABOVE:
        return "\n".join(_items(report, phases))
    told = _notable(report)
    rows = [*within(_items(report, told[:FOLD_ABOVE]), MAX_LIST, "phase"), *_more(told, "- and {}, below")]
    is_linked = len(phases) <= _LINK_UP_TO
    items = (_item(report, each, is_linked=is_linked) for each in phases)
    whole = folded(_summary(report), within(items, MAX_LIST, "phase"))
    return "\n".join([*rows, "", whole] if rows else [whole])


def table(report: Report) -> str:
    """Return the table of the pull request; of many phases, those that need attention, and all of them folded."""
    phases, diffs = report.state.phases, diffs_of(report)
    if not phases:
        return ""
    if len(phases) <= FOLD_ABOVE:
        return "\n".join([_TABLE, *within(_rows(report, phases, diffs), MAX_LIST, "phase", "| and {} | |")])
    told = _notable(report)
    rows = within(_rows(report, told[:FOLD_ABOVE], diffs), MAX_LIST, "phase", "| and {} | |")
    parts = [_TABLE, *rows, *_more(told, "| and {}, below | |"), ""] if told else []
    whole = within(_rows(report, phases, diffs, with_remarks=False), MAX_LIST, "phase", "| and {} | |")
    return "\n".join([*parts, folded(_summary(report), [_TABLE, *whole])])


def _summary(report: Report) -> str:
    return f"All {len(report.state.phases)} phases, {sum(each.done for each in report.state.phases)} done"


def _notable(report: Report) -> Sequence[PhaseState]:
    """Return the phases that people should see; while a run works, all that it did not come to yet are too many."""
    is_working = report.outcome == "working"
    return [
        each
        for each in report.state.phases
        if each.phase.key in report.active or _remarks(report, each) or (each.wanted and not is_working)
    ]


def _more(told: Sequence[PhaseState], words: str) -> Iterator[str]:
    if (more := len(told) - FOLD_ABOVE) > 0:
        yield words.format(f"{more} more")


def _items(report: Report, phases: Sequence[PhaseState]) -> Iterator[str]:
    """Yield one list item per phase, with its remarks while there is room for them."""
    room = MAX_LIST
    for each in phases:
        item, remarks = _item(report, each), [f"\n  - {remark}" for remark in _remarks(report, each)]
        room -= sum(map(len, remarks))
        yield "".join([item, *remarks]) if room > 0 else item


def _item(report: Report, each: PhaseState, *, is_linked: bool = True) -> str:
    if each.phase.key in report.active:
        details = [span(report.active[each.phase.key])]
    else:
        details = [_commit(report, each, is_linked=is_linked), _file_count(each)]
    return " \u00b7 ".join([f"- {_symbol(report, each)} {_name(each)}", *filter(None, details)])


def _rows(
    report: Report, phases: Sequence[PhaseState], diffs: Mapping[str, str], *, with_remarks: bool = True
) -> Iterator[str]:
    """Yield the rows of *phases*; the number of files links to the phase's diff, where it has one."""
    found = report.verified
    level = ["verified"] if found and found.is_current and found.verification.is_verified else []
    is_linked = len(phases) <= _LINK_UP_TO
    for each in phases:
        key = each.phase.key
        told = [*(level if each.files else ()), *_remarks(report, each, in_cell=True)] if with_remarks else []
        name = "<br>\u2022 ".join([f"{_symbol(report, each)} {_name(each)}", *told])
        files = span(report.active[key]) if key in report.active else _file_count(each)
        files = link(files, diffs.get(key, "")) if is_linked and files else files
        review = "<br>".join(filter(None, [_commit(report, each, is_linked=is_linked), files]))
        yield f"| {name} | {review} |"


def _symbol(report: Report, each: PhaseState) -> str:
    if each.phase.key in report.active:
        return "\u23f3"
    troubles = (each.missing, each.open_conflicts, each.unmet, each.findings_left)
    if each.phase.key in report.failures or any(troubles) or errors_of(report.verified, each.phase.key):
        return "\u26a0\ufe0f"
    return "\u2b1c" if each.wanted else "\u2705"


def _name(each: PhaseState) -> str:
    return code(truncate(each.phase.key, _MAX_NAME))


def _commit(report: Report, each: PhaseState, *, is_linked: bool) -> str:
    """Return the phase's short commit id, with a link to its review inside the pull request, once there is one."""
    oid = each.commit if each.commit and _OID.fullmatch(each.commit) else ""
    if not oid or not is_linked:
        return oid[:7]
    is_inside = report.pull is not None and (each.position or each.status == "reverted")
    place = ("pull", str(report.pull), "commits") if is_inside else ("commit",)
    return link(code(oid[:7]), report.url(*place, oid))


def diffs_of(report: Report) -> Mapping[str, str]:
    """Return where the pull request shows what changed since the phase that was committed before, by key."""
    if report.pull is None:
        return {}
    made = [each for each in report.state.phases if each.position and _OID.fullmatch(each.commit or "")]
    made.sort(key=lambda each: each.position)
    return {
        each.phase.key: report.url("pull", str(report.pull), "files", f"{before.commit}..{each.commit}")
        for before, each in pairwise(made)
        if before.commit != each.commit
    }


def _file_count(each: PhaseState) -> str:
    generated, planned = len(each.files), each.total
    if not generated:
        return "rolled back" if each.status == "reverted" else ""
    return count(generated, "file") if generated == planned else f"{generated} of {count(planned, 'file')}"


def _remarks(report: Report, each: PhaseState, *, in_cell: bool = False) -> Sequence[str]:
    """Return what people should know about a phase that is not in progress; *in_cell* so that long names may break."""
    show = breakable if in_cell else code
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
        show=lambda text: Markdown(show(text)),
        show_all=lambda names: Markdown(paths(names, show=show)),
    ).split("\n")


def file_list(report: Report) -> str:
    """Return the files as a tree with links to the branch, folded."""
    paths = [path for each in report.state.phases for path in each.files]
    if not paths:
        return ""
    return folded(
        count(len(paths), "file"), [file_tree(paths, lambda path: report.url("blob", report.state.branch, path))]
    )
