"""What GitHub says of a repository's settings, as far as they decide whether Phasebot can work there."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote

from bot.forge.github_transport import GitHubTransport, RequestPacing

T = TypeVar("T")
QUICK = RequestPacing(backoff=0.5, limit_wait=2.0, longest_wait=2.0, between_requests=0.0, timeout=10, total=20.0)
"""For somebody who waits for the answer."""
_MAX_NAMES = 1000


class AboutRepository(NamedTuple):
    """What the token sees of the repository itself."""

    default_branch: str
    may_push: bool | None
    """Whether who the token stands for may push; None if GitHub does not say."""
    scopes: str | None
    """Of a classic token, separated by commas; None for any other one."""


class ActionsPolicy(NamedTuple):
    """Which workflows may run."""

    enabled: bool
    allowed: str | None
    """``all``, ``local_only`` or ``selected``; None if GitHub does not say."""


class GitHubSettings:
    """Asks about one repository; changes nothing."""

    def __init__(self, token: str, *, repository: str, api_url: str, pacing: RequestPacing = QUICK) -> None:
        """Store the settings; nothing is sent.  Raises UsageError if one is malformed."""
        transport = GitHubTransport(token, repository=repository, api_url=api_url, pacing=pacing)
        self._ask, self._requester, self._url = transport.ask, transport.requester, transport.repository.url

    def about(self) -> AboutRepository:
        """Raises ForgeError."""

        def read(headers: Mapping[str, Any], body: Mapping[str, Any]) -> AboutRepository:
            rights = body.get("permissions") or {}
            scopes = headers.get("x-oauth-scopes")
            may_push = rights.get("push")
            return AboutRepository(
                _checked(body["default_branch"], str),
                None if may_push is None else _checked(may_push, bool),
                None if scopes is None else str(scopes),
            )

        return self._read("reading the repository", "metadata=read", "", read)

    def actions(self) -> ActionsPolicy:
        """Raises ForgeError."""

        def read(_: object, body: Mapping[str, Any]) -> ActionsPolicy:
            allowed = body.get("allowed_actions")
            return ActionsPolicy(_checked(body["enabled"], bool), None if allowed is None else _checked(allowed, str))

        return self._read("reading the settings of Actions", "administration=read", "/actions/permissions", read)

    def may_open_pulls(self) -> bool:
        """Whether workflows may open pull requests.  Raises ForgeError."""
        return self._read(
            "reading the permissions of workflows",
            "administration=read",
            "/actions/permissions/workflow",
            lambda _, body: _checked(body["can_approve_pull_request_reviews"], bool),
        )

    def secrets(self) -> frozenset[str]:
        """Return the names of the secrets that workflows get, of the repository and its organisation; at most 100 each.

        Raises ForgeError.
        """
        names: set[str] = set()
        for place in ("secrets", "organization-secrets"):
            path = f"/actions/{place}?per_page=100"
            names |= self._read("reading the names of secrets", "secrets=read", path, lambda _, body: _names(body))
        return frozenset(names)

    def branch_rules(self, branch: str) -> frozenset[str]:
        """Return the kinds of rules that hold for *branch*, which need not exist.  Raises ForgeError."""
        path = f"/rules/branches/{quote(branch, safe='')}?per_page=100"

        def read(_: object, body: Any) -> frozenset[str]:  # noqa: ANN401  # JSON
            return frozenset(_checked(each["type"], str) for each in _checked(body, list)[:_MAX_NAMES])

        return self._read(f"reading the rules for {branch}", "metadata=read", path, read)

    def _read(self, doing: str, needs: str, path: str, read: Callable[[Any, Any], T]) -> T:
        def ask() -> T:
            headers, body = self._requester.requestJsonAndCheck("GET", f"{self._url}{path}")
            return read(headers, body)

        return self._ask(doing, needs, ask)


def _names(body: Mapping[str, Any]) -> set[str]:
    return {_checked(each["name"], str) for each in _checked(body["secrets"], list)[:_MAX_NAMES]}


def _checked(value: object, kind: type[T]) -> T:
    if not isinstance(value, kind):
        raise TypeError(f"it is a {type(value).__name__}")
    return value
