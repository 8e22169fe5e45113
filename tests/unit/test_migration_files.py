"""Which migrations a project has, read from the files that Alembic writes."""

from hypothesis import given
from hypothesis import strategies as st

from bot.planning.migration_files import Migrations, read_migrations


def _file(revision: str, down: str) -> str:
    return f'"""Words.\n\nRevises: {down}\n"""\nrevision = {revision}\ndown_revision = {down}\n\n\ndef upgrade(): ...\n'


def test_a_project_without_migrations_has_none() -> None:
    assert read_migrations({}) == Migrations((), 0)
    assert read_migrations({"env.py": "import alembic\n", "notes.txt": "revision\n"}) == Migrations((), 0)


def test_the_newest_is_the_one_that_no_other_builds_on() -> None:
    texts = {"a": _file("'0001'", "None"), "b": _file('"0002"', "'0001'"), "c": _file("'0003'", '"0002"')}

    assert read_migrations(texts) == Migrations(("0003",), 3)


def test_a_number_has_the_digest_of_what_it_changes_behind_it() -> None:
    texts = {"a": _file("'0001_5f0c'", "None"), "b": _file("'0012_a3'", "'0001_5f0c'"), "c": _file("'0300b'", "'x'")}

    assert read_migrations(texts) == Migrations(("0012_a3", "0300b"), 12)


def test_two_that_build_on_the_same_one_are_both_the_newest() -> None:
    texts = {"a": _file("'0001'", "None"), "b": _file("'0002'", "'0001'"), "c": _file("'f3a9'", "'0001'")}

    assert read_migrations(texts) == Migrations(("0002", "f3a9"), 2)
    merged = texts | {"d": _file("'0003'", "('0002', 'f3a9')")}
    assert read_migrations(merged) == Migrations(("0003",), 3)


def test_types_beside_the_names_are_passed_over() -> None:
    text = 'revision: str = "ab12"\ndown_revision: Union[str, Sequence[str], None] = None\n'

    assert read_migrations({"a": text}) == Migrations(("ab12",), 0)


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=200)))
def test_any_text_is_read(texts: dict[str, str]) -> None:
    read_migrations(texts)
    read_migrations({name: f"revision = {text}" for name, text in texts.items()})
