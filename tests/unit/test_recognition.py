"""A schema's language is recognised by its content; a spec, a plan file and prose are none."""

import pytest

from bot.planning.schema_files import recognise


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Table users {\n  id int\n}", "DBML"),
        ('Table "my users" as U [headercolor: #fff]\n{\n', "DBML"),
        ("// shop\nEnum a { b }\nTable x.y { id int }", "DBML"),
        ("create table if not exists a (b int);", "SQL"),
        ("-- x\nCREATE UNLOGGED TABLE [a] (b int)", "SQL"),
        ("# a comment of MySQL\nCREATE TABLE `a` (b int)", "SQL"),
        ("model User {\n  id Int @id\n}", "Prisma"),
        ("entity User {\n name String\n}\nenum A { B }", "JDL"),
        ("relationship OneToMany { A{b} to B }", "JDL"),
        ("erDiagram\n A ||--o{ B : c", "Mermaid"),
        ("---\ntitle: x\n---\nerDiagram\n  A", "Mermaid"),
        ("openapi: 3.0.3\ninfo: {}", "OpenAPI"),
        ('{"openapi": "3.1.0"}', "OpenAPI"),
        ('swagger: "2.0"', "OpenAPI"),
        ('{"$schema": "https://json-schema.org/draft/2020-12/schema"}', "JSON Schema"),
        ('{\n "type": "object",\n "properties": {}}', "JSON Schema"),
        ("from django.db import models\n\nclass A(models.Model):\n  pass", "Django"),
    ],
)
def test_a_schema_is_recognised(text: str, language: str) -> None:
    assert recognise(text) == language


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# Blog\n\n- User: name string\n- Post: title string, author -> User",
        "entities:\n  User:\n    - name string",
        "- Table: number integer\n- Guest: name string",
        "A shop. Create table reservations for guests, and a model of each.",
        "Please build this\n\n```sql\nCREATE TABLE a (b int);\n```\n",
        "We use the model User { with care.",
        "title: x\nopenapi is a format",
        "class Foo: a thing that people do",
        '{"a": 1}',
    ],
)
def test_a_spec_or_prose_is_none(text: str) -> None:
    assert recognise(text) is None
