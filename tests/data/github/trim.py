#!/usr/bin/env python3
"""Make ``openapi.json``: what GitHub publishes of the requests that Phasebot sends, and nothing that is only prose.

In a folder outside of the repository: ``npm pack @octokit/openapi@23.0.2 && tar xzf octokit-openapi-23.0.2.tgz``, then
``python trim.py package/generated/api.github.com.json > openapi.json``.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

Json: TypeAlias = Any

_REPOSITORY = "/repos/{owner}/{repo}"
_OPERATIONS = {
    "": ("get",),
    "/collaborators/{username}/permission": ("get",),
    "/issues/{issue_number}": ("get",),
    "/issues/{issue_number}/comments": ("get", "post"),
    "/issues/comments/{comment_id}": ("patch",),
    "/issues/comments/{comment_id}/reactions": ("get", "post"),
    "/issues/comments/{comment_id}/reactions/{reaction_id}": ("delete",),
    "/pulls": ("get", "post"),
    "/pulls/{pull_number}": ("get", "patch"),
    "/pulls/{pull_number}/comments": ("get",),
    "/pulls/{pull_number}/comments/{comment_id}/replies": ("post",),
    "/pulls/comments/{comment_id}": ("patch",),
    "/pulls/comments/{comment_id}/reactions": ("get", "post"),
    "/pulls/comments/{comment_id}/reactions/{reaction_id}": ("delete",),
    "/actions/workflows/{workflow_id}/dispatches": ("post",),
    "/actions/permissions": ("get",),
    "/actions/permissions/workflow": ("get",),
    "/actions/secrets": ("get",),
    "/actions/organization-secrets": ("get",),
    "/rules/branches/{branch}": ("get",),
    "/statuses/{sha}": ("post",),
}
_OF_OPERATION = ("operationId", "parameters", "requestBody", "responses")
_PROSE = ("description", "title", "example", "examples", "externalDocs", "headers", "links", "default", "deprecated")
_NAMES = ("properties", "paths", "responses", "schemas", "parameters", "content")


def _plain(node: Json, *, names: bool = False) -> Json:
    """Leave out what nothing can be checked against; *names* says that the keys are names that GitHub chose."""
    if isinstance(node, list):
        return [_plain(each) for each in node]
    if not isinstance(node, dict):
        return node
    kept = node if names else {key: node[key] for key in node if key not in _PROSE and not key.startswith("x-")}
    return {key: _plain(value, names=not names and key in _NAMES) for key, value in kept.items()}


def _references(node: Json) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


def trim(description: dict[str, Any]) -> dict[str, Any]:
    """Keep the operations and whatever they refer to."""
    paths = {
        _REPOSITORY + path: {
            method: {key: operation[key] for key in _OF_OPERATION if key in operation}
            for method, operation in description["paths"][_REPOSITORY + path].items()
            if method in methods
        }
        for path, methods in _OPERATIONS.items()
    }
    kept: dict[str, Any] = _plain({"openapi": description["openapi"], "paths": paths})
    kept["info"] = {"version": description["info"]["version"]}
    kept["components"] = {}
    waiting = list(_references(kept))
    while waiting:
        kind, name = waiting.pop().removeprefix("#/components/").split("/")
        group = kept["components"].setdefault(kind, {})
        if name not in group:
            group[name] = _plain(description["components"][kind][name])
            waiting += _references(group[name])
    kept["components"] = {kind: dict(sorted(group.items())) for kind, group in sorted(kept["components"].items())}
    return kept


if __name__ == "__main__":
    print(json.dumps(trim(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))), indent=1, ensure_ascii=False))
