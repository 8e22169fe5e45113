"""Findings as text, JSON and SARIF."""

import json

from bot.assessment.finding import Finding
from bot.assessment.formats import count, format_json, format_sarif, format_text

_FINDINGS = [
    Finding(path="app/a b.py", line=3, rule="F821", message="no name", phase="main"),
    Finding(path="app/core.py", rule="unused-module", message="nothing imports it", phase="core"),
    Finding(path="x.py", line=1, rule="F401", severity="warning", message="unused"),
]


def test_people_read_them_by_phase_in_the_order_of_the_plan() -> None:
    assert format_text(_FINDINGS, ["core", "main"]) == (
        "core\n  error  app/core.py  nothing imports it [unused-module]\n"
        "main\n  error  app/a b.py:3  no name [F821]\n"
        "files of people\n  warning  x.py:1  unused [F401]\n"
        "2 errors, 1 warning"
    )
    assert format_text([], []) == count([]) == "0 errors, 0 warnings"


def test_programs_read_them_as_json() -> None:
    content = json.loads(format_json(_FINDINGS, {"run": "blog"}))

    assert (content["run"], content["errors"], content["warnings"]) == ("blog", 2, 1)
    assert content["findings"][0] == {
        "phase": "main", "path": "app/a b.py", "line": 3, "rule": "F821", "severity": "error", "message": "no name",
    }  # fmt: skip


def test_editors_read_them_as_sarif() -> None:
    (run,) = json.loads(format_sarif(_FINDINGS, "0" * 40))["runs"]

    assert run["properties"] == {"head": "0" * 40}
    first, second, third = run["results"]
    assert first["locations"] == [
        {"physicalLocation": {"artifactLocation": {"uri": "app/a%20b.py"}, "region": {"startLine": 3}}}
    ]
    assert "region" not in second["locations"][0]["physicalLocation"]
    assert (third["level"], third["ruleId"], third["properties"]) == ("warning", "F401", {"phase": None})
