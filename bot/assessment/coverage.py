"""Whether the files hold what the plan says in sentences: each rule has a test, each feature its endpoints."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from bot.assessment.finding import Finding
from bot.assessment.project import Project
from bot.text import shown

RULE = "rule"
"""The marker of a test that holds a rule: ``@pytest.mark.rule("…")``, with the sentence of the plan."""
_ENDPOINT = re.compile(r"\b(GET|POST|PUT|PATCH|DELETE)\s+(/[\w/{}.-]*)")


class Asked(NamedTuple):
    """What the plan asks of a phase in sentences."""

    phase: str
    paths: Sequence[str]
    """Its files."""
    rules: Sequence[str] = ()
    does: str = ""
    """What the feature does; empty for an entity."""


def find_untested_rules(project: Project, asked: Sequence[Asked], rules: Sequence[str]) -> Iterator[Finding]:
    """Yield rules of phases and *rules* of the whole project that no test is marked with."""
    marked: Mapping[str, set[str]] = {
        path: {plain_rule(text) for test in outline.tests for mark, text in test.marks if mark == RULE}
        for path, outline in project.outlines.items()
    }
    for each in asked:
        own = set[str]().union(*(marked.get(path, set()) for path in each.paths))
        tests = [path for path in each.paths if path in project.outlines and project.outlines[path].tests]
        for rule in each.rules:
            if plain_rule(rule) not in own and each.paths:
                yield project.finding((tests or each.paths)[-1], "untested-rule", f"no test is marked: {shown(rule)}")
    everywhere = set[str]().union(*marked.values())
    for rule in rules:
        if plain_rule(rule) not in everywhere and asked:
            path = next((path for each in asked for path in each.paths if path in marked), asked[0].paths[-1])
            yield project.finding(path, "untested-rule", f"no test is marked: {shown(rule)}")


def plain_rule(rule: str) -> str:
    """Return a rule as it is compared: without regard to spaces, case, and the full stop."""
    return " ".join(rule.split()).rstrip(".").casefold()


def find_missing_endpoints(project: Project, asked: Sequence[Asked]) -> Iterator[Finding]:
    """Yield endpoints that a feature's description names, such as ``GET /feed``, and its files don't have."""
    for each in asked:
        routes = {
            (route.method, _shape(route.path))
            for path in each.paths
            if path in project.outlines
            for route in project.outlines[path].routes
        }
        for method, path in dict.fromkeys(_ENDPOINT.findall(each.does)):
            if (method, _shape(path)) not in routes and each.paths:
                code = next((file for file in each.paths if file.endswith("router.py")), each.paths[0])
                yield project.finding(code, "missing-endpoint", f"there is no endpoint {method} {path}")


def _shape(path: str) -> str:
    """Return a path as it is compared: parameters may have any name."""
    return re.sub(r"\{[^{}]*\}", "{}", path.rstrip(".").rstrip("/")) or "/"
