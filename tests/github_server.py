"""A GitHub on the loopback that keeps state, and can misbehave in every way that a network can.

It holds both sides to GitHub's published description (``data/github``): a request that GitHub would not understand,
and an answer of this server that GitHub would not give, fail the test that caused them.
"""

import json
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Protocol, Self, TypeAlias, TypeVar
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from jsonschema import Draft202012Validator

Json: TypeAlias = Any

TOKEN = "ghs_test0123456789"  # noqa: S105  # a made-up one
LOGIN = "github-actions[bot]"
REPOSITORY = "acme/blog"
_LONGEST = 65_536
_LONGEST_DESCRIPTION = 140
_NEEDS = {
    "issues/create-comment": "issues=write; pull_requests=write",
    "issues/update-comment": "issues=write; pull_requests=write",
    "reactions/create-for-issue-comment": "issues=write; pull_requests=write",
    "reactions/delete-for-issue-comment": "issues=write; pull_requests=write",
    "reactions/create-for-pull-request-review-comment": "pull_requests=write",
    "reactions/delete-for-pull-request-comment": "pull_requests=write",
    "pulls/create-reply-for-review-comment": "pull_requests=write",
    "pulls/create": "pull_requests=write",
    "pulls/update": "pull_requests=write",
    "actions/create-workflow-dispatch": "actions=write",
    "repos/create-commit-status": "statuses=write",
    "actions/get-github-actions-permissions-repository": "administration=read",
    "actions/get-github-actions-default-workflow-permissions-repository": "administration=read",
    "actions/list-repo-secrets": "secrets=read",
    "actions/list-repo-organization-secrets": "secrets=read",
    "graphql": "contents=write,pull_requests=write",
}
_VIEWER = "query { viewer { login } }"
_SAMPLES = {"string": "x", "integer": 1, "number": 1, "boolean": False, "array": [], "object": {}}
_FORMATS = {"uri": "https://github.example/x", "date-time": "2026-01-01T00:00:00Z"}


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    number: int
    """From 1."""
    method: str
    path: str
    """Without the prefix of an own server."""
    query: Mapping[str, str]
    body: Any
    headers: Mapping[str, str]
    time: float

    @property
    def line(self) -> str:
        return f"{self.method} {self.path.removeprefix(f'/repos/{REPOSITORY}')}"


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What the server does otherwise than GitHub would."""

    status: int | None = None
    """None: what GitHub would answer."""
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    acts: bool = False
    """The request has its effect, whatever the answer says."""
    wait: float = 0.0
    cut: int | None = None
    """Close the connection after so many bytes of the body."""
    reset: bool = False
    """Reset the connection instead of answering."""


Script = Callable[[Asked], Reply | None]
_Page = tuple[int, Json, Mapping[str, str]]


def refusal(status: int, message: str, **headers: str) -> Reply:
    """Refuse as GitHub does."""
    body = json.dumps({"message": message, "documentation_url": "https://docs.example/rest", "status": str(status)})
    return Reply(status=status, body=body.encode(), headers={key.replace("_", "-"): headers[key] for key in headers})


def at(line: str, *replies: Reply, ever: bool = False) -> Script:
    """Misbehave where *line*, a pattern such as ``POST /pulls``, fits: once by each of *replies*, or *ever*."""
    left = list(replies)

    def script(asked: Asked) -> Reply | None:
        if not re.fullmatch(line, asked.line):
            return None
        return left[0] if ever else left.pop(0) if left else None

    return script


@dataclass(kw_only=True)
class Issue:
    """An issue that is no pull request."""

    title: str = "Blog"
    body: str | None = "A blog."
    state: str = "open"
    locked: bool = False
    deleted: bool = False


@dataclass
class Comment:
    """A comment on an issue or a pull request."""

    id: int
    issue: int
    login: str | None
    body: str


@dataclass(kw_only=True)
class ReviewComment:
    """A comment on a line of a pull request's diff."""

    id: int
    pull: int
    login: str | None
    body: str
    in_reply_to: int | None
    path: str = "app/main.py"
    updated_at: str = "2026-01-02T03:04:05Z"


class Reaction(NamedTuple):
    """A reaction on a comment."""

    id: int
    comment: int
    login: str
    content: str
    in_review: bool = False


@dataclass(kw_only=True)
class Pull:
    """A pull request."""

    number: int
    head: str
    base: str = "main"
    title: str = "Blog"
    body: str | None = None
    draft: bool = False
    state: str = "open"
    locked: bool = False
    merged: bool = False
    repository: str | None = REPOSITORY
    """Of the head; None if it was deleted."""

    @property
    def node_id(self) -> str:
        return f"PR_{self.number}"


class Operation(NamedTuple):
    """What the description says of one kind of request."""

    id: str
    values: Mapping[str, str]
    """Of the parameters in the path."""
    described: Mapping[str, Any]


class Contract:
    """GitHub's published description."""

    def __init__(self) -> None:
        text = (Path(__file__).parent / "data" / "github" / "openapi.json").read_text(encoding="utf-8")
        self._described = json.loads(text)
        for name in ("pull-request", "pull-request-simple"):  # it forgets that a fork can be deleted, with its owner
            head = self._described["components"]["schemas"][name]["properties"]["head"]
            for part in ("repo", "user"):
                head["properties"][part] = {"oneOf": [{"nullable": True, "type": "null"}, head["properties"][part]]}
        self._components = _translated(self._described["components"])

    def operation(self, method: str, path: str) -> Operation | None:
        """Find what is asked for."""
        for template, methods in self._described["paths"].items():
            match = re.fullmatch(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", template), path)
            if match and method.lower() in methods:
                described = methods[method.lower()]
                values = {name: unquote(value) for name, value in match.groupdict().items()}
                return Operation(described["operationId"], values, described)
        return None

    def of_request(self, asked: Asked, operation: Operation) -> list[str]:
        """Return what is wrong with a request."""
        known = {row["name"]: row for row in map(self._resolved, operation.described.get("parameters", ()))}
        given = {**asked.query, **operation.values}
        wrong = [f"unknown parameter {name}" for name in given if name not in known]
        for name, value in given.items():
            if name in known:
                schema = known[name]["schema"]
                number = schema.get("type") == "integer" and value.isdecimal()
                wrong += self._wrong(schema, int(value) if number else value)
        wrong += [f"no {name}" for name, row in known.items() if row.get("required") and name not in given]
        expected = operation.described.get("requestBody")
        if expected is None or (asked.body is None and not expected.get("required")):
            return [*wrong, *(["a body"] if asked.body is not None else [])]
        schema = expected["content"]["application/json"]["schema"]
        wrong += [f"unknown field {name}" for name in asked.body or () if name not in schema["properties"]]
        return [*wrong, *self._wrong(schema, asked.body)]

    def of_answer(self, operation: Operation, status: int, body: object) -> list[str]:
        """Return what is wrong with an answer."""
        described = operation.described["responses"].get(str(status))
        if described is None and status < 400:
            return [f"never answered with {status}"]
        undocumented = {"$ref": "#/components/responses/not_found"}
        content = self._resolved(undocumented if described is None else described).get("content")
        if content is None:
            return ["a body"] if body is not None else []
        return self._wrong(content["application/json"]["schema"], body)

    def filled(self, name: str, known: object) -> Json:
        """Make an object of the kind *name*: what is *known*, and something for all else that it must have."""
        return self._fill({"$ref": f"#/components/schemas/{name}"}, known)

    def _fill(self, schema: Mapping[str, Any], known: object = ...) -> Json:
        schema = self._resolved(schema)
        if "oneOf" in schema:
            return None if known is None else self._fill(schema["oneOf"][-1], known)
        if isinstance(known, dict) or (schema.get("type") == "object" and known is ... and not schema.get("nullable")):
            given: dict[str, Any] = known if isinstance(known, dict) else {}
            parts = schema.get("properties", {})
            names = {*schema.get("required", ()), *given}
            return {each: self._fill(parts.get(each, {}), given.get(each, ...)) for each in sorted(names)}
        if known is not ...:
            return known
        sample = _FORMATS.get(schema.get("format", "")) or schema.get("enum", [_SAMPLES[schema["type"]]])[0]
        return None if schema.get("nullable") else sample

    def _resolved(self, node: Mapping[str, Any]) -> Mapping[str, Any]:
        if "$ref" not in node:
            return node
        kind, name = node["$ref"].removeprefix("#/components/").split("/")
        found: Mapping[str, Any] = self._described["components"][kind][name]
        return found

    def _wrong(self, schema: object, value: object) -> list[str]:
        validator = Draft202012Validator({**_translated(schema), "components": self._components})
        return [f"{each.json_path}: {each.message[:200]}" for each in validator.iter_errors(value)]


@cache
def contract() -> Contract:
    return Contract()


def _translated(node: Json) -> Json:
    """Say ``nullable`` as JSON Schema does."""
    if isinstance(node, list):
        return [_translated(each) for each in node]
    if not isinstance(node, dict):
        return node
    made = {key: _translated(value) for key, value in node.items()}
    return {"anyOf": [{"type": "null"}, made]} if node.get("nullable") is True else made


class _Refused(Exception):
    def __init__(self, status: int, message: str, **more: object) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"message": message, "documentation_url": "https://docs.example/rest", "status": str(status)} | more


class _Numbered(Protocol):
    @property
    def id(self) -> int: ...


_Row = TypeVar("_Row", bound=_Numbered)


def _found(rows: Iterable[_Row], number: str) -> _Row:
    found = next((each for each in rows if each.id == int(number)), None)
    if found is None:
        raise _Refused(404, "Not Found")
    return found


def _in_review(asked: Asked) -> bool:
    return asked.path.startswith(f"/repos/{REPOSITORY}/pulls/")


def _invalid(resource: str, message: str, code: str = "custom") -> _Refused:
    return _Refused(422, "Validation Failed", errors=[{"resource": resource, "code": code, "message": message}])


class FakeGitHub:
    """The server with one repository, for as long as its context lasts; *script* says when it misbehaves."""

    def __init__(self, script: Script | None = None, *, prefix: str = "") -> None:
        self.script = script
        self.prefix = prefix
        self.login = LOGIN
        """Whom the token stands for."""
        self.issues = {12: Issue()}
        self.comments: list[Comment] = []
        self.review_comments: list[ReviewComment] = []
        self.reactions: list[Reaction] = []
        self.pulls: list[Pull] = []
        self.branches = {"phasebot/issue-12"}
        """Those with commits that the base does not have."""
        self.permissions = {"alice": ("write", "write")}
        """The permission and the name of the role, by login."""
        self.granted = {"contents", "issues", "pull_requests", "actions", "statuses"}
        """What the token may write."""
        self.readable = {"administration", "secrets"}
        """What the token may read, besides what every token may."""
        self.may_push: bool | None = True
        self.scopes: str | None = None
        """Of a classic token."""
        self.actions_enabled, self.allowed_actions = True, "all"
        self.secrets, self.organization_secrets = {"GEMINI_API_KEY"}, set[str]()
        self.rules: list[str] = []
        """The kinds of rules that hold for every branch."""
        self.may_open_pulls = self.has_drafts = True
        self.workflows = {"phasebot.yml"}
        self.dispatches: list[Mapping[str, Any]] = []
        self.statuses: list[Mapping[str, Any]] = []
        """Those of all commits, the oldest first."""
        self.requests: list[Asked] = []
        self.violations: list[str] = []
        """What the description does not allow."""
        self._ids, self._review_ids = count(1001), count(1001)
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    @property
    def url(self) -> str:
        """The address of its API."""
        return f"http://127.0.0.1:{self._server.server_address[1]}{self.prefix}"

    @property
    def lines(self) -> list[str]:
        """What was asked, in order."""
        return [asked.line for asked in self.requests]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, _: object, exc: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        if exc is None:
            assert not self.violations, "\n".join(self.violations)

    def add_comment(self, body: str, *, issue: int = 12, login: str | None = LOGIN) -> Comment:
        """Write a comment as *login*; None is somebody who is gone."""
        self.comments.append(Comment(next(self._ids), issue, login, body))
        return self.comments[-1]

    def add_review_comment(
        self, body: str, *, pull: int, login: str | None = LOGIN, in_reply_to: int | None = None
    ) -> ReviewComment:
        """Write a comment on a line as *login*, or an answer to one; None is somebody who is gone."""
        made = ReviewComment(id=next(self._review_ids), pull=pull, login=login, body=body, in_reply_to=in_reply_to)
        self.review_comments.append(made)
        return made

    def add_pull(self, *, number: int = 0, head: str = "phasebot/issue-12", **more: Json) -> Pull:
        """Open a pull request."""
        self.pulls.append(Pull(head=head, number=number or next(self._ids), **more))
        return self.pulls[-1]

    def note(self, asked: Asked) -> Asked:
        """Keep a request."""
        with self._lock:
            self.requests.append(asked)
        return asked

    def answer(self, asked: Asked) -> _Page:
        """Do what is asked, and return what GitHub would."""
        with self._lock:
            if asked.path == ("/graphql" if not self.prefix else "/api/graphql"):
                return self._mutate(asked)
            operation = contract().operation(asked.method, asked.path)
            if operation is None:
                self.violations.append(f"{asked.line}: nothing that GitHub knows, or add it to trim.py")
                return 404, {"message": "Not Found"}, {}
            self._hold(asked, contract().of_request(asked, operation))
            headers: Mapping[str, str] = {}
            try:
                self._admit(asked, operation)
                name = re.sub(r"\W", "_", operation.id)
                status, body, *rest = getattr(self, f"_{name}")(asked, **operation.values)
                headers = rest[0] if rest else {}
            except _Refused as exc:
                status, body = exc.status, exc.body
                if status == 403:
                    headers = {"X-Accepted-GitHub-Permissions": _NEEDS.get(operation.id, "metadata=read")}
            self._hold(asked, contract().of_answer(operation, status, body))
            return status, body, headers

    def _hold(self, asked: Asked, wrong: Sequence[str]) -> None:
        self.violations += [f"{asked.line}: {each}" for each in wrong]

    def _admit(self, asked: Asked, operation: Operation) -> None:
        if asked.headers.get("authorization") not in {f"token {TOKEN}", f"Bearer {TOKEN}"}:
            raise _Refused(401, "Bad credentials")
        if f"{operation.values['owner']}/{operation.values['repo']}" != REPOSITORY:
            raise _Refused(404, "Not Found")
        needs = _NEEDS.get(operation.id, "")
        if not {*re.findall(r"(\w+)=read", needs)} <= self.readable:
            raise _Refused(403, "Resource not accessible by integration")
        wanted = re.findall(r"(\w+)=write", needs)
        if wanted and not self.granted & set(wanted):
            raise _Refused(403, "Resource not accessible by integration")

    def _mutate(self, asked: Asked) -> _Page:
        name = "markPullRequestReadyForReview"
        query = asked.body["query"]
        if query == _VIEWER:
            return 200, {"data": {"viewer": {"login": self.login}}}, {}
        variables = asked.body["variables"]["input"]
        if f"($input: M{name[1:]}Input!)" not in query or f"{name}(input: $input)" not in query:
            self.violations.append(f"GraphQL: {query}")
        if asked.headers.get("authorization") != f"token {TOKEN}":
            return 401, {"message": "Bad credentials", "documentation_url": "https://docs.example"}, {}
        pull = next((each for each in self.pulls if each.node_id == variables["pullRequestId"]), None)
        error = None
        if pull is None:
            error = {"type": "NOT_FOUND", "message": "Could not resolve to a node with the global id of that."}
        elif not self.granted >= {"contents", "pull_requests"}:
            error = {"type": "FORBIDDEN", "message": "Resource not accessible by integration"}
        if pull is None or error:
            return 200, {"data": {name: None}, "errors": [{"path": [name], **(error or {})}]}, {}
        pull.draft = False
        return 200, {"data": {name: {"clientMutationId": None, "pullRequest": {"isDraft": False}}}}, {}

    def _page(self, asked: Asked, rows: Sequence[Any]) -> _Page:
        size, page = int(asked.query.get("per_page", 30)), int(asked.query.get("page", 1))
        last = max(1, -(-len(rows) // size))
        links = {"next": page + 1, "last": last} if page < last else {}
        address = self.url + asked.path
        parts = (
            f'<{address}?{urlencode({**asked.query, "page": number})}>; rel="{name}"' for name, number in links.items()
        )
        return 200, rows[(page - 1) * size : page * size], {"Link": ", ".join(parts)} if links else {}

    def _repos_get_collaborator_permission_level(self, _: Asked, username: str, **__: str) -> tuple[int, Any]:
        if username == "Copilot":
            raise _Refused(404, "Copilot is not a user")
        permission, role = self.permissions.get(username, ("read", "read"))  # as in public repositories
        known = {"permission": permission, "role_name": role, "user": {"login": username, "role_name": role}}
        return 200, contract().filled("repository-collaborator-permission", known)

    def _shown(self, comment: Comment) -> Json:
        user = {"login": comment.login} if comment.login else None
        known = {"id": comment.id, "body": comment.body, "user": user, "author_association": "NONE"}
        return contract().filled("issue-comment", known | {"url": f"{self.url}/x/{comment.id}"})

    def _issues_get(self, _: Asked, issue_number: str, **__: str) -> tuple[int, Any]:
        found = self._find_issue(issue_number)
        known: dict[str, Any] = {name: getattr(found, name) for name in ("title", "body", "state", "locked")}
        known |= {"number": int(issue_number), "url": f"{self.url}/repos/{REPOSITORY}/issues/{issue_number}"}
        return 200, contract().filled("issue", known | ({"pull_request": {}} if isinstance(found, Pull) else {}))

    def _issues_list_comments(self, asked: Asked, issue_number: str, **_: str) -> _Page:
        self._find_issue(issue_number)
        return self._page(asked, [self._shown(each) for each in self.comments if each.issue == int(issue_number)])

    def _issues_create_comment(self, asked: Asked, issue_number: str, **_: str) -> tuple[int, Any]:
        self._check_lock(self._find_issue(issue_number))
        self._check_body(asked, "IssueComment")
        return 201, self._shown(self.add_comment(asked.body["body"], issue=int(issue_number), login=self.login))

    def _issues_update_comment(self, asked: Asked, comment_id: str, **_: str) -> tuple[int, Any]:
        self._check_body(asked, "IssueComment")
        comment = _found(self.comments, comment_id)
        comment.body = asked.body["body"]
        return 200, self._shown(comment)

    def _reactions_list_for_issue_comment(self, asked: Asked, comment_id: str, **_: str) -> _Page:
        return self._page(asked, [self._reaction(each) for each in self._reactions_on(asked, comment_id)])

    def _reactions_create_for_issue_comment(self, asked: Asked, comment_id: str, **_: str) -> tuple[int, Any]:
        for each in self._reactions_on(asked, comment_id):
            if (each.login, each.content) == (self.login, asked.body["content"]):
                return 200, self._reaction(each)
        made = Reaction(next(self._ids), int(comment_id), self.login, asked.body["content"], _in_review(asked))
        self.reactions.append(made)
        return 201, self._reaction(made)

    def _reactions_delete_for_issue_comment(
        self, asked: Asked, comment_id: str, reaction_id: str, **_: str
    ) -> tuple[int, Any]:
        self.reactions.remove(_found(self._reactions_on(asked, comment_id), reaction_id))
        return 204, None

    _reactions_list_for_pull_request_review_comment = _reactions_list_for_issue_comment
    _reactions_create_for_pull_request_review_comment = _reactions_create_for_issue_comment
    _reactions_delete_for_pull_request_comment = _reactions_delete_for_issue_comment

    def _reactions_on(self, asked: Asked, comment_id: str) -> list[Reaction]:
        in_review = _in_review(asked)
        comment = _found(self.review_comments, comment_id) if in_review else _found(self.comments, comment_id)
        return [each for each in self.reactions if (each.comment, each.in_review) == (comment.id, in_review)]

    def _reaction(self, reaction: Reaction) -> Json:
        known = {"id": reaction.id, "content": reaction.content, "user": {"login": reaction.login}}
        return contract().filled("reaction", known)

    def _line_comment(self, comment: ReviewComment) -> Json:
        known: dict[str, Any] = {name: getattr(comment, name) for name in ("id", "body", "path", "updated_at")}
        known["user"] = {"login": comment.login} if comment.login else None
        known["url"] = f"{self.url}/repos/{REPOSITORY}/pulls/comments/{comment.id}"
        known |= {} if comment.in_reply_to is None else {"in_reply_to_id": comment.in_reply_to}
        return contract().filled("pull-request-review-comment", known)

    def _pulls_list_review_comments(self, asked: Asked, pull_number: str, **_: str) -> _Page:
        pull = self._find_pull(pull_number).number
        return self._page(asked, [self._line_comment(each) for each in self.review_comments if each.pull == pull])

    def _pulls_create_reply_for_review_comment(
        self, asked: Asked, pull_number: str, comment_id: str, **_: str
    ) -> tuple[int, Any]:
        pull = self._find_pull(pull_number)
        self._check_lock(pull)
        self._check_body(asked, "PullRequestReviewComment")
        first = [each for each in self.review_comments if each.pull == pull.number and each.in_reply_to is None]
        to = _found(first, comment_id).id
        return 201, self._line_comment(self.add_review_comment(asked.body["body"], pull=pull.number, in_reply_to=to))

    def _pulls_update_review_comment(self, asked: Asked, comment_id: str, **_: str) -> tuple[int, Any]:
        self._check_body(asked, "PullRequestReviewComment")
        comment = _found(self.review_comments, comment_id)
        comment.body = asked.body["body"]
        return 200, self._line_comment(comment)

    def _pull(self, pull: Pull, kind: str = "pull-request") -> Json:
        known: dict[str, Any] = {name: getattr(pull, name) for name in ("number", "title", "body", "draft", "state")}
        address = f"https://github.example/{REPOSITORY}/pull/{pull.number}"
        owner = (pull.repository or "unknown").partition("/")[0]
        head = None if pull.repository is None else {"id": 7 if pull.repository == REPOSITORY else 8}
        known |= {
            "node_id": pull.node_id,
            "html_url": address,
            "url": f"{self.url}/repos/{REPOSITORY}/pulls/{pull.number}",
            "merged_at": "2026-01-02T00:00:00Z" if pull.merged else None,
            "head": {"ref": pull.head, "label": f"{owner}:{pull.head}", "repo": head, "user": head and {}},
            "base": {"ref": pull.base, "label": f"acme:{pull.base}", "repo": {"id": 7}},
        }
        return contract().filled(kind, known | ({"merged": pull.merged} if kind == "pull-request" else {}))

    def _pulls_get(self, _: Asked, pull_number: str, **__: str) -> tuple[int, Any]:
        return 200, self._pull(self._find_pull(pull_number))

    def _pulls_update(self, asked: Asked, pull_number: str, **_: str) -> tuple[int, Any]:
        pull = self._find_pull(pull_number)
        self._check_body(asked, "PullRequest")
        for name, value in asked.body.items():
            setattr(pull, name, value)
        return 200, self._pull(pull)

    def _pulls_list(self, asked: Asked, **_: str) -> _Page:
        state, head = asked.query.get("state", "open"), asked.query.get("head")
        newest_first = asked.query.get("direction", "desc") == "desc"
        found = [
            self._pull(each, "pull-request-simple")
            for each in sorted(self.pulls, key=lambda each: each.number, reverse=newest_first)
            if state in {"all", each.state}
            and head in {None, f"{(each.repository or 'unknown').partition('/')[0]}:{each.head}"}
        ]
        return self._page(asked, found)

    def _pulls_create(self, asked: Asked, **_: str) -> tuple[int, Any]:
        self._check_body(asked, "PullRequest")
        wanted = Pull(number=0, **asked.body)
        if not self.may_open_pulls:
            raise _Refused(403, "GitHub Actions is not permitted to create or approve pull requests.")
        if wanted.draft and not self.has_drafts:
            raise _Refused(422, "Draft pull requests are not supported in this repository.")
        ours = [each for each in self.pulls if each.repository == REPOSITORY and each.state == "open"]
        if any((each.head, each.base) == (wanted.head, wanted.base) for each in ours):
            raise _invalid("PullRequest", f"A pull request already exists for acme:{wanted.head}.")
        if wanted.head not in self.branches:
            raise _invalid("PullRequest", f"No commits between {wanted.base} and {wanted.head}")
        wanted.number = next(self._ids)
        self.pulls.append(wanted)
        return 201, self._pull(wanted)

    def _actions_create_workflow_dispatch(self, asked: Asked, workflow_id: str, **_: str) -> tuple[int, Any]:
        if workflow_id not in self.workflows:
            raise _Refused(404, "Not Found")
        self.dispatches.append({"workflow": workflow_id, **asked.body})
        return 204, None

    def _repos_create_commit_status(self, asked: Asked, sha: str, **_: str) -> tuple[int, Any]:
        if len(asked.body.get("description") or "") > _LONGEST_DESCRIPTION:
            raise _invalid("Status", "description is too long (maximum is 140 characters)")
        self.statuses.append({"sha": sha, **asked.body})
        known = {name: asked.body.get(name) for name in ("state", "description", "target_url", "context")}
        return 201, contract().filled("status", known | {"id": next(self._ids)})

    def _repos_get(self, *_: Asked, **__: str) -> _Page:
        rights = {"admin": False, "push": self.may_push, "pull": True}
        known: dict[str, Any] = {"default_branch": "main", "full_name": REPOSITORY}
        known |= {} if self.may_push is None else {"permissions": rights}
        headers = {} if self.scopes is None else {"X-OAuth-Scopes": self.scopes}
        return 200, contract().filled("full-repository", known), headers

    def _actions_get_github_actions_permissions_repository(self, *_: Asked, **__: str) -> tuple[int, Any]:
        known = {"enabled": self.actions_enabled} | (
            {"allowed_actions": self.allowed_actions} if self.actions_enabled else {}
        )
        return 200, known

    def _actions_get_github_actions_default_workflow_permissions_repository(
        self, *_: Asked, **__: str
    ) -> tuple[int, Any]:
        return 200, {
            "default_workflow_permissions": "read",
            "can_approve_pull_request_reviews": self.may_open_pulls,
        }

    def _actions_list_repo_secrets(self, *_: Asked, **__: str) -> tuple[int, Any]:
        return 200, self._secrets(self.secrets, "actions-secret")

    def _actions_list_repo_organization_secrets(self, *_: Asked, **__: str) -> tuple[int, Any]:
        return 200, self._secrets(self.organization_secrets, "actions-secret")

    def _secrets(self, names: Iterable[str], kind: str) -> Json:
        rows = [contract().filled(kind, {"name": name}) for name in sorted(names)]
        return {"total_count": len(rows), "secrets": rows}

    def _repos_get_branch_rules(self, *_: Asked, **__: str) -> tuple[int, Any]:
        source = {"ruleset_source_type": "Repository", "ruleset_source": REPOSITORY, "ruleset_id": 1}
        rule = {"operator": "contains", "pattern": "x"}
        return 200, [
            {"type": kind, **source} | ({"parameters": rule} if kind.endswith("_pattern") else {})
            for kind in self.rules
        ]

    def _check_lock(self, issue: Issue | Pull) -> None:
        if issue.locked:
            raise _Refused(403, "Unable to create comment because issue is locked.")

    def _check_body(self, asked: Asked, resource: str) -> None:
        if len(asked.body.get("body") or "") > _LONGEST:
            raise _invalid(resource, f"body is too long (maximum is {_LONGEST} characters)", "unprocessable")

    def _find_issue(self, number: str) -> Issue | Pull:
        found = self.issues.get(int(number))
        if found and found.deleted:
            raise _Refused(410, "This issue was deleted")
        return found or self._find_pull(number)

    def _find_pull(self, number: str) -> Pull:
        found = next((each for each in self.pulls if each.number == int(number)), None)
        if found is None:
            raise _Refused(404, "Not Found")
        return found


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_: object) -> None:
        """Say nothing: lost connections are what some tests are about."""


def _handler(fake: FakeGitHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else each answer takes 40 ms

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path = parts.path.removeprefix(fake.prefix)
            query = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = json.loads(text) if text else None
            number = len(fake.requests) + 1
            asked = fake.note(Asked(number, self.command, path, query, body, headers, time.monotonic()))
            _serve(self, asked, (fake.script and fake.script(asked)) or Reply(), fake)

        do_POST = do_PATCH = do_DELETE = do_PUT = do_GET  # noqa: N815  # names that http.server looks up

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


def _serve(handler: BaseHTTPRequestHandler, asked: Asked, reply: Reply, fake: FakeGitHub) -> None:
    status, body, headers = reply.status, reply.body, dict(reply.headers)
    if reply.acts or (status is None and not reply.reset):
        would, content, more = fake.answer(asked)
        if status is None:
            status, headers = would, {**more, **headers}
            body = b"" if content is None else json.dumps(content).encode()
    time.sleep(reply.wait)
    if reply.reset:
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.close_connection = True
        handler.connection.close()
        return
    handler.send_response(status or 200)
    plain = {"Content-Type": "application/json; charset=utf-8", "X-RateLimit-Limit": "1000"}
    if status != 204:
        plain["Content-Length"] = str(len(body))
    for name, value in {**plain, "X-RateLimit-Remaining": "999", **headers}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body if reply.cut is None else body[: reply.cut])
    if reply.cut is not None:
        handler.close_connection = True
