"""SQL: which statements are read, which are listed by their kind, and what is wrong with each."""

import pytest

from tests.unit.schemas import fields, read, refused


def test_statements_that_declare_no_table_are_listed_once_by_kind() -> None:
    spec = read(
        "SET a = 1;\nCREATE TABLE a (b int);\nSET c = 2;\nCREATE VIEW v AS SELECT 1;\nGRANT ALL ON a TO b;", "SQL"
    )

    assert spec.left_out == ["line 1: SET (2 statements, the first here)", "line 4: CREATE VIEW", "line 5: GRANT"]


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("CREATE TABLE a (b INTEGER PRIMARY KEY AUTOINCREMENT, c TEXT NOT NULL) WITHOUT ROWID, STRICT;", "c text"),
        ("CREATE TABLE `a` (`id` int(11) AUTO_INCREMENT PRIMARY KEY, `c` tinyint(1) DEFAULT 1);", "c boolean? = true"),
        ("CREATE TABLE [dbo].[a]([id] [int] IDENTITY(1,1) PRIMARY KEY, [c] [nvarchar](40) NULL)\nGO", "c string(40)?"),
        ("create table a (c timestamptz not null default (now() at time zone 'utc'));", "c datetime = now"),
    ],
)  # fmt: skip
def test_each_dialect(text: str, field: str) -> None:
    assert fields(text, "SQL")[-1] == field


def test_enums_and_domains_may_come_after_their_use() -> None:
    text = """CREATE TABLE a (m mood NOT NULL DEFAULT 'ok', y year);
CREATE TYPE mood AS ENUM ('ok', 'it''s');
CREATE DOMAIN year AS integer CHECK (VALUE > 1900);"""

    assert fields(text, "SQL") == ["m enum(ok|it-s) = ok", "y integer(1901..)?"]


def test_a_table_of_another_is_left_out() -> None:
    spec = read("CREATE TABLE a (b int);\nCREATE TABLE c AS SELECT 1;\nCREATE TABLE d PARTITION OF a DEFAULT;", "SQL")

    assert spec.left_out == ["line 2: CREATE TABLE … AS", "line 3: CREATE TABLE … PARTITION OF"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("CREATE TABLE a (b int,\n c itn zzz qqq)", "line 1: this statement can't be read"),
        ("CREATE TABLE a (b int", "line 1: this statement can't be read"),
        ("CREATE TABLE a (b int);\nCREATE TABLE a (c int);", "line 2: table a is created twice; remove one"),
        ("CREATE TABLE a (b int,\n b int)", "line 2: a has column b twice; rename one"),
        ("CREATE TABLE a (b int DEFAULT 'x)", "line 1: the quote ' is not closed"),
        ("CREATE TABLE a (b int /* x", "line 1: the comment that begins with /* is not closed"),
        ("SELECT 1", "it has no table with a column"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, message: str) -> None:
    assert refused(text, "SQL").startswith(message)
