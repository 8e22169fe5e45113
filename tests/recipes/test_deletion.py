"""Entities whose rows are only marked as deleted, with the recipe ``fastapi``, over HTTP."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.recipes.conftest import generate, run, serving
from tests.recipes.http_session import Session

ARCHIVE = """\
# Archive
- User: name string unique, password password, removed_at datetime auto delete
- Author: name string, deleted_at datetime? auto delete
- Post: title string unique, author -> Author, editor -> Author? on delete set null, tags -> Tag*,
  gone datetime? auto delete, version integer auto update
- Comment: text text, post -> Post on delete cascade, reply_to -> Comment? on delete cascade,
  deleted_at datetime auto delete, writer -> User? = me
- Like: kind string, comment -> Comment on delete cascade
- Pin: note string, post -> Post
- Tag: name string unique, deleted_at datetime auto delete
"""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate(ARCHIVE, tmp_path_factory.mktemp("archive") / "project")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "app.db"


@pytest.fixture
def send(archive: Path, python: Path, database: Path) -> Iterator[Session]:
    """A session of somebody who is logged in; there are two authors, and a post with two tags."""
    with serving(archive, python, f"sqlite:///{database}") as url:
        session = Session(url)
        session(201, "POST", "/users", {"name": "ada", "password": "correct horse"})
        log_in(session)
        for name in ("Ada", "Bob"):
            session(201, "POST", "/authors", {"name": name})
        for name in ("news", "tips"):
            session(201, "POST", "/tags", {"name": name})
        post = {"title": "First", "author_id": 1, "editor_id": 2, "tag_ids": [1, 2]}
        session(201, "POST", "/posts", post)
        yield session


def log_in(session: Session, expected: int = 200) -> None:
    answer = session.form(expected, "/auth/token", {"username": "ada", "password": "correct horse"})
    if expected == 200:
        session.headers["Authorization"] = f"Bearer {answer['access_token']}"


def ask(database: Path, query: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(database)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def test_a_deleted_row_is_in_no_answer_and_stays_in_the_database(send: Session, database: Path) -> None:
    send(204, "DELETE", "/tags/1")

    assert send(200, "GET", "/tags")["items"] == [{"id": 2, "name": "tips"}]
    assert send(200, "GET", "/posts/1")["tag_ids"] == [2]
    assert send(200, "PATCH", "/posts/1", {"title": "Again"})["tag_ids"] == [2]
    assert send(200, "GET", "/posts/1", include="tags")["tags"] == [{"id": 2, "name": "tips"}]
    assert send(404, "PATCH", "/posts/1", {"tag_ids": [1]})["detail"] == "Tag 1 does not exist"
    assert send(409, "POST", "/tags", {"name": "news"})["detail"] == "Tag with the same name exists"
    assert ask(database, "SELECT name, deleted_at IS NULL FROM tags ORDER BY id") == [("news", 0), ("tips", 1)]
    assert ask(database, "SELECT tag_id FROM post_tags ORDER BY tag_id") == [(1,), (2,)], "it can come back"


def test_a_row_that_others_refer_to_is_not_deleted(send: Session, database: Path) -> None:
    send(201, "POST", "/pins", {"note": "read this", "post_id": 1})

    send(409, "DELETE", "/posts/1")
    send(409, "DELETE", "/authors/1")
    assert send(200, "GET", "/posts/1")["version"] == 1
    send(204, "DELETE", "/pins/1")
    send(204, "DELETE", "/posts/1")
    send(204, "DELETE", "/authors/1")

    send(404, "POST", "/posts", {"title": "Second", "author_id": 1})
    assert ask(database, "SELECT count(*) FROM pins") == [(0,)], "it has no mark"
    assert ask(database, "SELECT count(*) FROM authors") == [(2,)]


def test_rows_go_with_the_one_they_refer_to_or_forget_it(send: Session, database: Path) -> None:
    comment = {"text": "Nice", "post_id": 1}
    send(201, "POST", "/comments", comment)
    send(201, "POST", "/comments", comment | {"reply_to_id": 1})
    send(201, "POST", "/likes", {"kind": "heart", "comment_id": 2})

    send(204, "DELETE", "/authors/2")
    assert send(200, "GET", "/posts/1")["editor_id"] is None
    send(204, "DELETE", "/posts/1")

    assert send(200, "GET", "/comments")["total"] == 0
    assert send(200, "GET", "/likes")["total"] == 0
    assert ask(database, "SELECT count(deleted_at) FROM comments") == [(2,)]
    assert ask(database, "SELECT count(*) FROM likes") == [(0,)], "it has no mark"


def test_a_deleted_account_is_closed(send: Session) -> None:
    send(200, "GET", "/auth/me")

    send(204, "DELETE", "/users/1")

    send(401, "GET", "/auth/me")
    log_in(send, 401)


def test_no_row_comes_to_refer_to_one_that_is_deleted_at_the_same_time(
    archive: Path, python: Path, tmp_path: Path
) -> None:
    script = """
from app.core.config import Settings
from app.core.database import Database, ModelBase
from app.core.errors import NotFoundError
from app.models.author import Author
from app.models.pin import Pin
from app.models.post import Post
from app.repositories.post_repository import PostRepository

database = Database(Settings())
ModelBase.metadata.create_all(database.engine)
with database.session() as one, database.session() as other:
    one.add_all([Author(id=1, name="Ada"), Post(id=1, title="First", author_id=1)])
    one.commit()
    assert one.get(Post, 1)
    one.close()
    PostRepository(other).delete(1)
    one.add(Pin(note="read this", post_id=1))
    try:
        one.flush()
    except NotFoundError as error:
        print(error.detail, error.fields)
"""

    told = run(archive, python, "-c", script, DATABASE_URL=f"sqlite:///{tmp_path}/app.db")

    assert told == "The row that post_id names was deleted meanwhile ['post_id']\n"
