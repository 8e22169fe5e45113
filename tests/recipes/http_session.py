"""A session of a client with the generated blog over HTTP; needs only the standard library.

``python http_session.py http://127.0.0.1:8000`` prints what it did.  It expects an empty database, and leaves rows.
"""

import json
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any


class Session:
    """Sends requests, checks the status of each answer and notes it."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url.rstrip("/")
        self.headers: dict[str, str] = {}
        self.lines: list[str] = []

    def __call__(self, expected: int, method: str, path: str, body: object = None, **query: object) -> Any:  # noqa: ANN401  # whatever the JSON holds
        """Return the JSON of the answer, None if it has no body."""
        if query:
            path += "?" + urllib.parse.urlencode(query)
        request = urllib.request.Request(
            self.base_url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", **self.headers},
        )
        return self._send(expected, request)

    def form(self, expected: int, path: str, fields: Mapping[str, str]) -> Any:  # noqa: ANN401  # whatever the JSON holds
        """Send a form, and return the JSON of the answer."""
        content = urllib.parse.urlencode(fields).encode()
        return self._send(expected, urllib.request.Request(self.base_url + path, content, self.headers))

    def _send(self, expected: int, request: urllib.request.Request) -> Any:  # noqa: ANN401  # whatever the JSON holds
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                status, text = response.status, response.read()
        except urllib.error.HTTPError as error:
            with error:
                status, text = error.code, error.read()
        self.lines.append(f"{request.get_method()} {request.full_url[len(self.base_url) :]} -> {status}")
        assert status == expected, f"{self.lines[-1]}, expected {expected}: {text.decode(errors='replace')}"
        return json.loads(text) if text else None


def play(base_url: str) -> list[str]:
    """Use every part of the blog at *base_url*; return lines ``METHOD path -> status``.

    Raises:
        AssertionError: An answer was not as expected; the message says which.
    """
    send = Session(base_url)

    assert send(200, "GET", "/health") == {"status": "ok"}
    assert "/posts" in send(200, "GET", "/openapi.json")["paths"]

    user = send(201, "POST", "/users", {"username": "ada", "email": "ada@example.com"})
    assert user == {"id": user["id"], "username": "ada", "email": "ada@example.com", "bio": None}
    post = send(201, "POST", "/posts", {"title": "Hello", "body": "World", "author_id": user["id"]})
    assert post["published"] is False
    comment = send(201, "POST", "/comments", {"body": "Nice", "post_id": post["id"], "author_id": user["id"]})
    tag = send(201, "POST", "/tags", {"name": "python"})
    link = send(201, "POST", "/post-tags", {"post_id": post["id"], "tag_id": tag["id"]})
    for path, row in (("users", user), ("posts", post), ("comments", comment), ("tags", tag), ("post-tags", link)):
        assert send(200, "GET", f"/{path}/{row['id']}") == row

    # 409: a value that must be unique is taken, a row is still referred to
    send(409, "POST", "/users", {"username": "ada", "email": "other@example.com"})
    send(409, "POST", "/users", {"username": "other", "email": "ada@example.com"})
    send(409, "POST", "/tags", {"name": "python"})
    send(409, "POST", "/post-tags", {"post_id": post["id"], "tag_id": tag["id"]})
    send(409, "DELETE", f"/users/{user['id']}")
    send(409, "DELETE", f"/posts/{post['id']}")
    other = send(201, "POST", "/users", {"username": "bob", "email": "bob@example.com", "bio": "Builder"})
    send(409, "PATCH", f"/users/{other['id']}", {"username": "ada"})

    # 404: the row does not exist, or one it refers to
    send(404, "GET", "/posts/999999")
    send(404, "PATCH", "/posts/999999", {"title": "x"})
    send(404, "DELETE", "/posts/999999")
    send(404, "POST", "/posts", {"title": "x", "body": "y", "author_id": 999999})
    send(404, "PATCH", f"/posts/{post['id']}", {"author_id": 999999})
    send(404, "POST", "/post-tags", {"post_id": post["id"], "tag_id": 999999})

    # 422: the request is invalid
    send(422, "POST", "/users", {"username": "eve"})
    send(422, "POST", "/users", {"username": "eve", "email": "not an address"})
    send(422, "POST", "/users", {"username": "eve", "email": "eve@example.com", "admin": True})
    send(422, "POST", "/users", {"username": "e" * 256, "email": "eve@example.com"})
    send(422, "POST", "/users", {"username": "nul\0", "email": "eve@example.com"})
    send(422, "POST", "/users", {"username": "\ud800", "email": "eve@example.com"})
    send(422, "POST", "/posts", {"title": "x", "body": "y", "author_id": 2**63})
    send(422, "PATCH", f"/posts/{post['id']}", {"title": None})
    send(422, "GET", "/posts/one")
    send(422, "GET", f"/posts/{2**63}")
    send(422, "GET", "/posts", sort="nothing")
    send(422, "GET", "/posts", limit=-1)

    # partial updates
    changed = send(200, "PATCH", f"/posts/{post['id']}", {"published": True})
    assert changed == post | {"published": True}
    assert send(200, "PATCH", f"/users/{other['id']}", {"bio": None})["bio"] is None

    # lists: pages, filters, order
    for number in range(5):
        send(201, "POST", "/posts", {"title": f"Post {number}", "body": "…", "author_id": other["id"]})
    page = send(200, "GET", "/posts", limit=2, offset=1)
    assert (len(page["items"]), page["total"], page["limit"], page["offset"]) == (2, 6, 2, 1)
    assert send(200, "GET", "/posts", offset=6)["items"] == []
    found = send(200, "GET", "/posts", author_id=other["id"], published="false", sort="-title", limit=3)
    assert [item["title"] for item in found["items"]] == ["Post 4", "Post 3", "Post 2"]
    assert found["total"] == 5
    assert send(200, "GET", "/posts", published="true")["items"] == [changed]
    assert send(200, "GET", "/users", sort="-username")["items"][0]["username"] == "bob"

    # deletion, in an order that leaves nothing dangling
    for path in (
        f"/post-tags/{link['id']}",
        f"/comments/{comment['id']}",
        f"/posts/{post['id']}",
        f"/users/{user['id']}",
    ):
        assert send(204, "DELETE", path) is None
        send(404, "GET", path)
    return send.lines


if __name__ == "__main__":
    print("\n".join(play(sys.argv[1])))
