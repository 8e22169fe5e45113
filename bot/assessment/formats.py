"""Findings as text, JSON and SARIF."""

import json
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from bot.assessment.finding import Finding

_PEOPLE = "files of people"
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def by_phase(findings: Sequence[Finding], order: Sequence[str]) -> list[tuple[str | None, list[Finding]]]:
    """Return *findings* grouped by phase, the phases in *order*; those about files of no phase come last."""
    places = {key: place for place, key in enumerate(order)}
    ordered = sorted(findings, key=lambda each: places.get(each.phase or "", len(places)))
    return [(phase, list(group)) for phase, group in groupby(ordered, key=lambda each: each.phase)]


def count(findings: Sequence[Finding]) -> str:
    """Return how many errors and warnings there are, in words."""
    errors = sum(1 for each in findings if each.severity == "error")
    numbers = ((errors, "error"), (len(findings) - errors, "warning"))
    return ", ".join(f"{number} {word}{'' if number == 1 else 's'}" for number, word in numbers)


def format_text(findings: Sequence[Finding], order: Sequence[str]) -> str:
    """Return *findings* for people: a phase, below it a line for each finding, and their number."""
    lines: list[str] = []
    for phase, group in by_phase(findings, order):
        lines.append(phase or _PEOPLE)
        lines += [f"  {each.severity}  {each.place}  {each.message} [{each.rule}]" for each in group]
    return "\n".join([*lines, count(findings)])


def format_json(findings: Sequence[Finding], run: Mapping[str, object], notes: Sequence[str] = ()) -> str:
    """Return *findings* for programs; *run* says of what (run, branch, head …), *notes* what was not checked."""
    listed = [
        {
            "phase": each.phase,
            "path": each.path,
            "line": each.line,
            "rule": each.rule,
            "severity": each.severity,
            "message": each.message,
        }
        for each in findings
    ]
    errors = sum(1 for each in findings if each.severity == "error")
    content = {**run, "errors": errors, "warnings": len(findings) - errors, "findings": listed}
    if notes:
        content["notes"] = [*notes]
    return json.dumps(content, indent=2, ensure_ascii=False)


def format_sarif(findings: Sequence[Finding], head: str, notes: Sequence[str] = ()) -> str:
    """Return *findings* as SARIF 2.1.0, which GitHub and editors read; *notes* say what was not checked."""
    rules = [{"id": rule} for rule in dict.fromkeys(each.rule for each in findings)]
    run: dict[str, Any] = {
        "tool": {"driver": {"name": "phasebot", "rules": rules}},
        "results": [_result(each) for each in findings],
        "properties": {"head": head},
    }
    if notes:
        told = [{"level": "note", "message": {"text": note}} for note in notes]
        run["invocations"] = [{"executionSuccessful": True, "toolExecutionNotifications": told}]
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False)


def _result(each: Finding) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": _uri(each.path)}}
    if each.line is not None:
        place["region"] = {"startLine": each.line}
    return {
        "ruleId": each.rule,
        "level": each.severity,
        "message": {"text": each.message},
        "locations": [{"physicalLocation": place}],
        "properties": {"phase": each.phase},
    }


def _uri(path: str) -> str:
    from urllib.parse import quote

    return quote(path)
