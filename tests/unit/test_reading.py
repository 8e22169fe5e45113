"""Twenty schema files in seven languages, each with the picture of what a plan gets from it."""

import importlib.util
import os
from collections.abc import Sequence

import pytest

from bot.planning.schema_files import SchemaError, read_schema, recognise
from bot.planning.schema_files.reading import LANGUAGES
from bot.sandbox.protocol import Failure
from bot.sandbox.worker import Worker
from tests.unit.schemas import FOLDER, picture, read, refused

FILES = sorted(each.name for each in FOLDER.iterdir() if each.is_file())
_REWRITES = bool(os.environ.get("PHASEBOT_GOLDEN"))
_LANGUAGES = {
    ".dbml": "DBML", ".sql": "SQL", ".prisma": "Prisma", ".jdl": "JDL", ".mmd": "Mermaid", ".txt": "Django",
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_a_schema_file_gives_the_entities_of_its_picture(name: str) -> None:
    text = (FOLDER / name).read_text()
    golden = FOLDER / "pictures" / f"{name}.txt"
    found = picture(read(text))
    if _REWRITES:
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(found)

    assert found == golden.read_text()


def test_there_are_twenty_files_in_all_languages() -> None:
    languages = [recognise((FOLDER / name).read_text()) for name in FILES]

    assert len(FILES) == 20
    assert set(languages) == set(LANGUAGES)
    assert all(
        _LANGUAGES.get("." + name.rpartition(".")[2], language) == language
        for name, language in zip(FILES, languages, strict=True)
    )


def test_the_bounded_worker_reads_the_same() -> None:
    worker = Worker()
    text = (FOLDER / "music_shop.sql").read_text()
    try:
        found = read_schema(text, "SQL", worker.run)
    finally:
        worker.close()

    assert found == read(text)


def test_what_breaks_a_limit_is_refused() -> None:
    def run(task: str, shared: object, items: Sequence[object]) -> Sequence[Failure]:
        assert (task, shared, len(items)) == ("schema", "DBML", 1)
        return [Failure("it took longer than 5 s")]

    with pytest.raises(SchemaError, match=r"it took longer than 5 s; split the file"):
        read_schema("Table a { b int }", "DBML", run)


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)

    assert refused("CREATE TABLE a (b int)") == "this needs sqlglot; install it with pip install 'phasebot[import]'"


def test_all_problems_are_told_at_once_up_to_twenty() -> None:
    text = "erDiagram\n" + "\n".join(f"A{n} ~~ B" for n in range(30))
    lines = refused(text).split("\n")

    assert lines[0] == "line 2: 'A0 ~~ B' is neither an entity nor a relationship 'A ||--o{ B : label'"
    assert len(lines) == 21
    assert lines[-1] == "and 10 more"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("\n".join(f"Table t{n} {{ a int }}" for n in range(10_000)), "DBML"),
        ("\n".join(f"CREATE TABLE t{n} (a int);" for n in range(600)), "SQL"),
        ("\n".join(f"model T{n} {{\n a Int\n}}" for n in range(600)), "Prisma"),
        ("\n".join(f"entity T{n}" for n in range(600)), "JDL"),
        ("erDiagram\n" + "\n".join(f"T{n}" for n in range(600)), "Mermaid"),
    ],
)
def test_too_many_tables_are_refused(text: str, language: str) -> None:
    assert "tables are too many; the limit is 500" in refused(text, language)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("(" * 100_000, "DBML"),
        ("Table a {" * 20_000, "DBML"),
        ("CREATE TABLE a (b int CHECK (" + "(" * 5_000 + "b > 1" + ")" * 5_000 + "));", "SQL"),
        ("CREATE TABLE a (" + "(" * 5_000, "SQL"),
        ("model a {\n b Int @default(" + "(" * 50_000, "Prisma"),
        ("entity a { b String " + "(" * 50_000, "JDL"),
        ("erDiagram\nA {\n" + "int " * 50_000, "Mermaid"),
        ('{"openapi": "3.0.0", "components": ' + '{"a": ' * 1_000 + "1" + "}" * 1_001, "OpenAPI"),
        ("x = " + "(" * 5_000 + ")" * 5_000, "Django"),
        ("class A(models.Model):\n  x = " + "-" * 50_000 + "1", "Django"),
        ("x = " + "[" * 100_000, "Django"),
    ],
)
def test_hostile_nesting_is_refused(text: str, language: str) -> None:
    assert refused(text, language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_file_without_tables_is_refused(language: str) -> None:
    assert refused("# nothing" if language in {"OpenAPI", "JSON Schema", "Django"} else " ", language)
