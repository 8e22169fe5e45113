"""Fields of type ``bytes`` with the recipe ``fastapi``: contents that are sent as they are."""

import base64
import json
import socket
import subprocess
from http.client import HTTPResponse
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from jsonschema import Draft202012Validator

from tests.recipes.conftest import generate, serving
from tests.recipes.http_session import Session

FILES = """\
# Files
- User: name string unique, password password, avatar bytes(200000)?
- Document: title string, data bytes(1..5000000), cover_page bytes?, signature bytes secret?, owner -> User = me,
  version integer auto update
  - access: read owner
- Note: text text, file bytes
  - access: read anyone; create anyone; update anyone
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate(FILES, tmp_path_factory.mktemp("files") / "project")


def begin(url: str, length: int, sent: bytes) -> socket.socket:
    """Begin an upload of *length* bytes, and send only some of them."""
    place = urlsplit(url)
    assert place.hostname
    connection = socket.create_connection((place.hostname, place.port or 80), timeout=10)
    head = f"PUT /notes/1/file/content HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Length: {length}\r\n\r\n"
    connection.sendall(head.encode() + sent)
    return connection


def test_uploads_that_take_their_time_keep_nobody_waiting(files: Path, python: Path, tmp_path: Path) -> None:
    pool = {"DATABASE_POOL_SIZE": "1", "DATABASE_MAX_OVERFLOW": "0", "DATABASE_TIMEOUT": "2", "REQUEST_THREADS": "2"}
    with serving(files, python, f"sqlite:///{tmp_path}/app.db", **pool) as url:
        send = Session(url)
        send(201, "POST", "/notes", {"text": "a", "file": ""})
        uploads = [begin(url, 1000, b"x" * 400) for _ in range(30)]

        assert send(200, "GET", "/notes")["total"] == 1
        for each in uploads:
            each.sendall(b"x" * 600)
            assert each.recv(1000).startswith(b"HTTP/1.1 204 ")
            each.close()

        assert send(200, "GET", "/notes/1")["file"] == "eHh4" * 333 + "eA=="


def test_an_upload_that_is_too_large_is_refused_before_its_end(files: Path, python: Path, tmp_path: Path) -> None:
    with serving(files, python, f"sqlite:///{tmp_path}/app.db") as url:
        Session(url)(201, "POST", "/notes", {"text": "a", "file": "YWJj"})
        upload = begin(url, 10**9, b"x" * (2**20 + 1))

        with HTTPResponse(upload) as answer:
            answer.begin()
            assert answer.status == 413
            assert json.load(answer)["detail"] == "Content must have at most 1048576 bytes"
        upload.close()
        assert Session(url)(200, "GET", "/notes/1")["file"] == "YWJj"


def test_a_content_that_is_too_large_for_json_is_in_no_answer_with_its_row(files: Path) -> None:
    schemas = (files / "app/schemas/document.py").read_text()

    read = schemas[schemas.index("class DocumentRead") : schemas.index("class DocumentQuery")]
    assert "cover_page" in read
    assert "data:" not in read
    assert "deferred=True" in (files / "app/models/document.py").read_text()


def test_the_published_limits_are_those_that_hold(files: Path, python: Path) -> None:
    script = """
import json
from typing import Annotated
from pydantic import TypeAdapter, ValidationError
from app.core.fields import ContentSize, EncodedContent

def is_valid(adapter, text):
    try:
        adapter.validate_python(text)
    except ValidationError:
        return False
    return True

texts = json.loads(input())
for shortest in range(8):
    for longest in range(max(1, shortest), 9):
        adapter = TypeAdapter(Annotated[EncodedContent, ContentSize(shortest, longest)])
        print(json.dumps([adapter.json_schema(), [is_valid(adapter, text) for text in texts]]))
"""
    texts = [base64.b64encode(bytes(size)).decode() for size in range(12)]

    done = subprocess.run(
        [python, "-c", script], cwd=files, input=json.dumps(texts), capture_output=True, text=True, check=True
    )

    lines = done.stdout.splitlines()
    assert len(lines) == 43
    for line in lines:
        schema, valid = json.loads(line)
        assert [Draft202012Validator(schema).is_valid(text) for text in texts] == valid, schema
