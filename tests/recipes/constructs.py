"""What the generated API does with each construct of a spec: the example `grammar.md`, over HTTP.

``python -m tests.recipes.constructs http://127.0.0.1:8000`` prints the table.  It expects an empty database.
"""

import base64
import sys
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from tests.recipes.http_session import Session

_USER = {"username": "alice", "email": "alice@example.com", "password": "correct horse", "api_token": "tok"}
_POST = {"title": "First", "slug": "first", "body": "x" * 20, "price": "1.10"}


class Step(NamedTuple):
    """One request: what it shows, and which answer is right."""

    construct: str
    expected: int
    method: str
    path: str
    body: object = None
    shows: dict[str, Any] | None = None
    """What the answer holds; None stands for a key that it does not have."""
    caller: str = "alice"
    """Who sends it; nobody before they signed up."""


def _post(**changes: object) -> dict[str, object]:
    return _POST | changes


STEPS = (
    Step("password password", 201, "POST", "/users", _USER, {"id": 1, "role": "member", "password": None}),
    Step("api_token string secret", 200, "GET", "/users/1", None, {"username": "alice", "api_token": None}),
    Step("api_token string secret", 422, "GET", "/users?api_token=tok"),
    Step("api_token string secret", 422, "GET", "/users?sort=api_token"),
    Step("username string(3..30)", 422, "POST", "/users", _USER | {"username": "ab", "email": "b@example.com"}),
    Step("username string(3..30)", 422, "POST", "/users", _USER | {"username": "b" * 31, "email": "b@example.com"}),
    Step("username string(3..30)", 201, "POST", "/users", _USER | {"username": "bob", "email": "b@example.com"}),
    Step("email email unique", 409, "POST", "/users", _USER | {"username": "carol"}),
    Step("role enum(member|admin) = member", 422, "PATCH", "/users/1", {"role": "admin"}),
    Step("create anyone (of accounts)", 422, "POST", "/users", _USER | {"username": "eve", "role": "admin"}),
    Step("create user", 401, "POST", "/writings", _POST, caller=""),
    Step("create admin", 403, "POST", "/tags", {"name": "news"}),
    Step("create admin", 201, "POST", "/tags", {"name": "news"}, {"id": 1}, caller="admin"),
    Step('name string unique "…"', 201, "POST", "/tags", {"name": "tips"}, {"id": 2}, caller="admin"),
    Step("tags -> Tag*", 201, "POST", "/writings", _post(tag_ids=[2, 1], editor_id=2), {"id": 1, "tag_ids": [1, 2]}),
    Step("author -> User = me", 200, "GET", "/writings/1", None, {"author_id": 1}, caller=""),
    Step("author -> User = me", 422, "PATCH", "/writings/1", {"author_id": 2}),
    Step("update owner, admin", 403, "PATCH", "/writings/1", {"rating": 1}, caller="bob"),
    Step("update owner, admin", 200, "PATCH", "/writings/1", {"rating": 1}, caller="admin"),
    Step("tags -> Tag*", 404, "POST", "/writings", _post(slug="b", title="B", tag_ids=[9])),
    Step("tags -> Tag*", 200, "PATCH", "/writings/1", {"tag_ids": [1]}, {"tag_ids": [1]}),
    Step("related -> Post*", 200, "PATCH", "/writings/1", {"related_ids": [1]}, {"related_ids": [1]}),
    Step("plural: writings", 404, "GET", "/posts"),
    Step("title string(120)", 422, "POST", "/writings", _post(slug="b", title="x" * 121)),
    Step("slug … matches /[a-z0-9-]+/", 422, "POST", "/writings", _post(slug="A b", title="B")),
    Step("body text(20..5000)", 422, "POST", "/writings", _post(slug="b", title="B", body="x" * 19)),
    Step("rating integer(1..5)?", 422, "PATCH", "/writings/1", {"rating": 6}),
    Step("rating integer(1..5)?", 422, "PATCH", "/writings/1", {"rating": 0}),
    Step("rating integer(1..5)?", 200, "PATCH", "/writings/1", {"rating": 5}, {"rating": 5}),
    Step("price decimal(10,2)(0..)", 200, "GET", "/writings/1", None, {"price": "1.10"}),
    Step("price decimal(10,2)(0..)", 422, "PATCH", "/writings/1", {"price": "1.105"}),
    Step("price decimal(10,2)(0..)", 422, "PATCH", "/writings/1", {"price": "-0.01"}),
    Step("weight float(0..1)?", 422, "PATCH", "/writings/1", {"weight": 1.5}),
    Step("opens time = 08:30", 200, "GET", "/writings/1", None, {"opens": "08:30:00"}),
    Step("opens time = 08:30", 422, "PATCH", "/writings/1", {"opens": "25:00"}),
    Step("cover bytes(20000)?", 200, "PATCH", "/writings/1", {"cover": "YWJj"}, {"cover": "YWJj"}),
    Step("cover bytes(20000)?", 404, "GET", "/writings/2/cover/content"),
    Step("cover bytes(20000)?", 422, "PATCH", "/writings/1", {"cover": base64.b64encode(b"x" * 20001).decode()}),
    Step("created_at datetime auto", 422, "PATCH", "/writings/1", {"created_at": "2026-01-01T00:00:00Z"}),
    Step("updated_at datetime auto update", 422, "PATCH", "/writings/1", {"updated_at": "2026-01-01T00:00:00Z"}),
    Step("unique author, title", 201, "POST", "/writings", _post(slug="other"), {"id": 2}, caller="bob"),
    Step("post -> Post (restrict)", 201, "POST", "/comments", {"body": "Hi", "post_id": 2}),
    Step("post -> Post (restrict)", 409, "DELETE", "/writings/2", caller="bob"),
    Step("unique post, user", 201, "POST", "/post-likes", {"post_id": 1, "user_id": 1}),
    Step("unique post, user", 409, "POST", "/post-likes", {"post_id": 1, "user_id": 1}),
    Step("on delete cascade", 204, "DELETE", "/writings/1"),
    Step("on delete cascade", 404, "GET", "/post-likes/1"),
    Step("tags -> Tag*", 204, "DELETE", "/tags/1", caller="admin"),
    Step("on delete set null", 201, "POST", "/writings", _post(editor_id=2), {"id": 3, "editor_id": 2}),
    Step("unique author, title", 409, "POST", "/writings", _post(slug="other")),
    Step("on delete set null", 204, "DELETE", "/comments/1"),
    Step("on delete set null", 403, "DELETE", "/users/2"),
    Step("on delete set null", 204, "DELETE", "/users/2", caller="bob"),
    Step("on delete set null", 200, "GET", "/writings/3", None, {"editor_id": None, "author_id": 1}),
    Step("on delete cascade", 404, "GET", "/writings/2"),
)


class Callers:
    """People who sign up and log in; ``admin`` becomes one when first asked for."""

    def __init__(self, session: Session, promote: Callable[[str], object]) -> None:
        self._session, self._promote = session, promote
        self._headers: dict[str, dict[str, str]] = {"": {}}

    def headers(self, name: str) -> dict[str, str]:
        """Return the headers that prove who calls; none before somebody signed up."""
        if name == "admin" and name not in self._headers:
            self._session(201, "POST", "/users", _USER | {"username": name, "email": "admin@example.com"})
            self._promote(name)
        if name not in self._headers:
            self._headers[name] = self._log_in(name)
        return self._headers[name]

    def _log_in(self, name: str) -> dict[str, str]:
        form = {"username": name, "password": _USER["password"]}
        token = self._session.form(200, "/auth/token", form)["access_token"]
        return {"Authorization": f"Bearer {token}"}


def play(base_url: str, promote: Callable[[str], object]) -> Iterator[str]:
    """Send the requests, check the answers, and yield a row of the table for each.

    *promote* makes the account of that name an admin.
    """
    session = Session(base_url)
    callers = Callers(session, promote)
    for number, step in enumerate(STEPS):
        session.headers = callers.headers(step.caller) if number else {}
        answer = session(step.expected, step.method, step.path, step.body)
        for key, value in (step.shows or {}).items():
            assert (answer.get(key), key in answer) == (value, value is not None or key == "editor_id"), (step, answer)
        yield f"| `{step.construct}` | {step.method} {step.path} | {step.expected} |"
    session.headers = {}
    description = session(200, "GET", "/openapi.json")["components"]["schemas"]["TagCreate"]["properties"]["name"]
    assert description["description"] == "as shown to readers"
    yield '| `name string unique "…"` | its text stands in the API\'s description | |'


def _ask(name: str) -> None:
    input(f"In the project: python -m app.auth.manage set-role {name} admin, then press Enter. ")


if __name__ == "__main__":
    print(*("| construct | request | answer |", "|---|---|---|", *play(sys.argv[1], _ask)), sep="\n")
