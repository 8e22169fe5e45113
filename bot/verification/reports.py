"""Reads the reports of tools, each in its format.  The code that is verified may have written them.

A report is read in the bounded worker, because it may want any amount of time and memory.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Literal
from urllib.parse import unquote

from bot.verification.junit import read_junit
from bot.verification.remarks import Level, Remark, Report, Spot, kept, line_of, message_of, path_of, rule_of
from bot.verification.traces import read_lines

Format = Literal["ruff-json", "junit", "sarif", "plain"]

_NOTHING = "it says nothing more"
_LEVELS: Mapping[str, Level] = {"error": "error", "warning": "warning", "note": "warning"}


def read_report(kind: Format, text: str) -> dict[str, Any]:
    """Return what a report says, as :meth:`Report.as_json` does."""
    match kind:
        case "junit":
            report = read_junit(text)
        case "plain":
            report = _of(list(read_lines(text)))
        case _:
            report = _read_json(kind, text)
    return report.as_json()


def _of(remarks: list[Remark]) -> Report:
    found, left_out = kept(remarks)
    return Report(remarks=found, left_out=left_out)


def _read_json(kind: Format, text: str) -> Report:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return Report(problem="it is no complete JSON")
    if kind == "ruff-json":
        return _of(list(_ruff(content))) if isinstance(content, list) else Report(problem="it is no list")
    runs = content.get("runs") if isinstance(content, dict) else None
    if not isinstance(runs, list):
        return Report(problem="it is no SARIF: it has no list 'runs'")
    return _of(list(_sarif(runs)))


def _ruff(content: list[Any]) -> Iterator[Remark]:
    for each in content:
        if isinstance(each, dict):
            spot = Spot(path_of(each.get("filename")), line_of(_at(each, "location", "row")))
            message = each.get("message")
            rule = rule_of(each.get("code"), "invalid-syntax")
            yield Remark(
                spot=spot, rule=rule, message=message_of(message if isinstance(message, str) else "", _NOTHING)
            )


def _sarif(runs: list[Any]) -> Iterator[Remark]:
    for run in runs:
        results = _at(run, "results")
        for each in results if isinstance(results, list) else ():
            place = _at(each, "locations", 0, "physicalLocation")
            uri, level = _at(place, "artifactLocation", "uri"), _at(each, "level")
            message = _at(each, "message", "text")
            if not isinstance(each, dict) or level == "none":
                continue
            yield Remark(
                spot=Spot(path_of(_path(uri)), line_of(_at(place, "region", "startLine"))),
                rule=rule_of(_at(each, "ruleId"), "sarif"),
                level=_LEVELS.get(level, "warning") if isinstance(level, str) else "warning",
                message=message_of(message if isinstance(message, str) else "", _NOTHING),
            )


def _path(uri: object) -> object:
    if not isinstance(uri, str):
        return uri
    path = uri.removeprefix("file://")
    return unquote(path, errors="replace")


def _at(content: object, *keys: str | int) -> object:
    """Return what is at *keys* in JSON; None if it has another shape."""
    for key in keys:
        if isinstance(key, str) and isinstance(content, dict):
            content = content.get(key)
        elif isinstance(key, int) and isinstance(content, list) and content:
            content = content[key]
        else:
            return None
    return content
