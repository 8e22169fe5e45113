"""What the generated API answers where a request is almost right: nothing is taken for something else."""

import json
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.recipes.conftest import EXAMPLES, generate, run, serving
from tests.recipes.http_session import Session

SPEC = """\
# Answers
- Thing: name string, email email unique, price decimal(10,2), plain decimal?, size integer(1..5)?, ratio float?,
  on boolean = true, born date?, seen datetime?, opens time?, note text?, code string(0..5) = "", secret_word password?
- Part: thing -> Thing, label string
  - unique thing, label
"""
GOOD = {"name": "a", "email": "A.B@Example.com", "price": "1.10"}


class Api:
    """Sends requests."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __call__(self, method: str, path: str, body: object = None) -> tuple[int, dict[str, str], dict[str, Any]]:
        """Return status, headers and body."""
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, dict(answer.headers), json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            return error.code, dict(error.headers), json.loads(error.read())


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory, python: Path) -> Iterator[Api]:
    folder = tmp_path_factory.mktemp("answers")
    project = generate(SPEC, folder / "project", "--option", "auth=none")
    with serving(project, python, f"sqlite:///{folder}/app.db") as url:
        yield Api(url)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""}, {"name": "  "}, {"name": None}, {"name": 1}, {"size": "2"}, {"size": True}, {"size": 2.5},
        {"size": 6}, {"ratio": "0.5"}, {"on": "yes"}, {"on": 1},
        {"price": "1_000"}, {"price": "\u0967"}, {"price": "1.001"}, {"price": 45600614.58218817}, {"price": 5e-324},
        {"price": True}, {"price": ""}, {"born": 0}, {"born": "20260131"},
        {"seen": 1_700_000_000}, {"seen": "1700000000"}, {"seen": "-1700000000"}, {"seen": "-1e9"}, {"born": "-1"},
        {"opens": "10:00Z"},
        {"email": "nobody"}, {"seen": "9999-12-31T23:59:59-05:00"}, {"unknown": 1}, {"secret_word": "short"},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_almost_right_is_refused_with_a_pointer(api: Api, wrong: dict[str, object]) -> None:
    status, headers, problem = api("POST", "/things", GOOD | {"email": "x@example.com"} | wrong)

    assert status == 422
    assert headers["content-type"] == "application/problem+json"
    assert (problem["type"], problem["title"], problem["status"]) == ("about:blank", "Unprocessable Entity", 422)
    assert [each["pointer"] for each in problem["errors"]] == [f"#/{name}" for name in wrong]


@pytest.mark.parametrize(
    ("right", "shown"),
    [
        ({"price": "1.10"}, "1.10"), ({"price": 1.1}, "1.10"), ({"price": "2"}, "2.00"), ({"price": 0.1 + 0.2}, "0.30"),
        ({"plain": "1.10"}, "1.10"),
        ({"plain": "0.123456"}, "0.123456"), ({"size": 2.0}, 2), ({"ratio": 1}, 1.0), ({"note": ""}, ""),
        ({"code": ""}, ""),
        ({"seen": "9999-12-31T23:59:59Z"}, "9999-12-31T23:59:59Z"),
        ({"seen": "0001-01-01T00:00:00Z"}, "0001-01-01T00:00:00Z"),
        ({"email": "C@Example.COM"}, "c@example.com"),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_right_is_shown_as_it_is(api: Api, right: dict[str, object], shown: object) -> None:
    body = GOOD | {"email": f"{abs(hash(str(right)))}@example.com"} | right

    status, headers, row = api("POST", "/things", body)

    assert (status, headers.get("location")) == (201, f"/things/{row['id']}")
    assert row[next(iter(right))] == shown


def test_the_constraint_that_is_broken_is_named(api: Api) -> None:
    thing = api("POST", "/things", GOOD | {"email": "one@example.com"})[2]["id"]
    api("POST", "/parts", {"thing_id": thing, "label": "x"})

    taken = api("POST", "/things", GOOD | {"email": "ONE@example.com"})
    pair = api("POST", "/parts", {"thing_id": thing, "label": "x"})
    used = api("DELETE", f"/things/{thing}")
    unknown = api("POST", "/parts", {"thing_id": 10**9, "label": "x"})

    assert (taken[0], taken[2]["errors"]) == (
        409, [{"detail": "Thing with the same email exists", "pointer": "#/email"}],
    )  # fmt: skip
    assert pair[2]["detail"] == "Part with the same thing_id and label exists"
    assert (used[0], used[2]["detail"]) == (409, f"Thing {thing} is still referenced")
    assert (unknown[0], unknown[2]["errors"]) == (
        404, [{"detail": "Thing 1000000000 does not exist", "pointer": "#/thing_id"}],
    )  # fmt: skip


def test_every_error_is_a_problem(api: Api) -> None:
    requests: list[tuple[str, str, object, int]] = [
        ("GET", "/nothing", None, 404),
        ("PUT", "/things", {}, 405),
        ("GET", "/things?limit=x", None, 422),
        ("POST", "/things", b"\xff\xfe", 422),
        ("POST", "/things", b"{", 422),
    ]
    for method, path, body, expected in requests:
        status, headers, problem = api(method, path, body)
        assert (status, problem["status"], headers["content-type"]) == (expected, expected, "application/problem+json")
    assert api("PUT", "/things", {})[1]["allow"] == "GET, POST"
    assert api("PUT", "/things/1", {})[1]["allow"] == "DELETE, GET, PATCH"
    assert api("GET", "/things?limit=x")[2]["errors"][0]["parameter"] == "limit"


def test_the_documentation_tells_names_tags_and_examples(api: Api) -> None:
    described = api("GET", "/openapi.json")[2]

    paths, schemas = described["paths"], described["components"]["schemas"]
    assert paths["/things"]["get"]["operationId"] == "list_things"
    assert paths["/things/{row_id}"]["patch"]["operationId"] == "update_thing"
    assert described["info"]["version"] == "0.1.0"
    assert {each["name"] for each in described["tags"]} == {"things", "parts", "health"}
    assert schemas["ThingCreate"]["examples"]
    assert "HTTPValidationError" not in schemas
    assert schemas["ThingCreate"]["properties"]["size"]["anyOf"][0] == {"type": "integer", "minimum": 1, "maximum": 5}


USER = {"username": "fuzz", "email": "fuzz@example.com", "password": "correct horse"}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["blog", "grammar"])
def test_schemathesis_finds_nothing(tmp_path: Path, python: Path, name: str) -> None:
    project = generate(EXAMPLES / f"{name}.md", tmp_path / "project")
    database = f"sqlite:///{tmp_path}/{name}.db"
    with serving(project, python, database, LOGIN_ATTEMPTS="100000") as url:
        command = [Path(sys.executable).with_name("schemathesis"), "run", f"{url}/openapi.json", "--checks", "all"]
        if name == "grammar":
            Api(url)("POST", "/users", USER)
            run(project, python, "-m", "app.auth.manage", "set-role", "fuzz", "admin", DATABASE_URL=database)
            form = {"username": "fuzz", "password": USER["password"]}
            token = Session(url).form(200, "/auth/token", form)["access_token"]
            command += ["-H", f"Authorization: Bearer {token}"]
            for own in ("update_user", "delete_user"):  # the token ends when its account changes
                command += ["--exclude-operation-id", own]
        told = run(tmp_path, *command, "--max-examples", 50)

    assert "Failures:" not in told
