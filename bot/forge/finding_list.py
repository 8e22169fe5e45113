"""Findings as Markdown, for comments and pull requests."""

from collections.abc import Sequence

from bot.assessment.finding import Finding
from bot.assessment.formats import by_phase, count
from bot.forge.markdown import code, cut, escape_inline

_SYMBOLS = {"error": "❌", "warning": "⚠️"}


def format_markdown(findings: Sequence[Finding], order: Sequence[str]) -> str:
    """Return *findings* as one list per phase, the phases in *order*, and their number."""
    lines = []
    for phase, group in by_phase(findings, order):
        lines += [f"**{code(phase) if phase else 'files of people'}**", ""]
        for each in group:
            lines.append(
                f"- {_SYMBOLS[each.severity]} {code(each.place)}: {escape_inline(each.message)} ({code(each.rule)})"
            )
        lines.append("")
    return cut("\n".join([*lines, count(findings)]))
