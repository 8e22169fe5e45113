"""The text of a spec as Markdown."""

import pytest

from bot.planning.spec_file import format_spec


@pytest.mark.parametrize(
    "text",
    ["# Blog\n\n- User: name string\n", "Build a shop.\n", "See:\n\n```sql\nCREATE TABLE a (b int);\n```\n\nThanks\n",
     "~~~yaml\nentities:\n  A: {b: text}\n~~~\n", "- model Car {is a title\n", "Model trains are great {\n"],
)  # fmt: skip
def test_markdown_stays_as_it_is(text: str) -> None:
    assert format_spec(text) == text


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("project: A\nentities:\n  A:\n    b: text", "yaml"),
        ("-- shop\ncreate  table a (b int);", "sql"),
        ("erDiagram\n  A ||--o{ B : has", "mermaid"),
        ("// x\nmodel User {\n  id Int @id\n}", "prisma"),
        ("Table users {\n  id int\n}", "dbml"),
        ("entity Product {\n  name String\n}", "jdl"),
        ("from django.db import models\n\nclass A(models.Model):\n    b = 1", "python"),
        ('{"openapi": "3.0.0"}', "json"),
        ("openapi: 3.0.0", "yaml"),
    ],
)
def test_another_language_is_fenced_as_such(text: str, language: str) -> None:
    assert format_spec(f"\n{text}\n") == f"```{language}\n{text}\n```\n"


def test_a_fence_is_longer_than_those_in_the_text() -> None:
    assert format_spec("entities:\n  A: ````").startswith("`````yaml\n")


def test_hidden_characters_go_and_line_ends_are_plain() -> None:
    assert format_spec("\ufeffA\u202e shop\u200b\r\nfor ‎me 🙂\r") == "A shop\nfor me 🙂\n"
