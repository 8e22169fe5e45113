"""Which files are checked, in which language, and what is told of those that are not."""

from collections.abc import Sequence
from typing import Any

from bot.assessment.syntax_faults import SyntaxFault, find_syntax_faults
from bot.sandbox.protocol import Failure
from tests.unit.values import run_here

PATTERNS = {"*.js": "javascript", "*.json": "json", "*.webmanifest": "json", "*.sql": "sql", "*.yml": "yaml"}


def test_what_has_a_parser_anyway_is_told_once() -> None:
    texts = {"a.json": "{", "b.webmanifest": "{\n1}", "c.yml": "[", "d.txt": "}", "e.js": "let ="}

    faults, notes = find_syntax_faults(texts, PATTERNS, run_here, has_grammars=True)

    assert [(each.path, each.line, each.is_sure) for each in faults] == [("b.webmanifest", 2, True), ("e.js", 1, True)]
    assert faults[0].message == "it does not parse: Expecting property name enclosed in double quotes"
    assert notes == []


def test_a_dialect_may_be_right() -> None:
    assert find_syntax_faults({"a.sql": "SELEC"}, PATTERNS, run_here, has_grammars=True)[0] == [
        SyntaxFault("a.sql", 1, "it does not parse as sql: near 'SELEC'", is_sure=False)
    ]


def test_without_grammars_one_note_says_what_is_not_checked_and_the_rest_is() -> None:
    texts = {"a.js": "let =", "b.sql": "SELEC", "c.webmanifest": "{", "d.sql": ""}

    faults, notes = find_syntax_faults(texts, PATTERNS, run_here, has_grammars=False)

    assert [each.path for each in faults] == ["c.webmanifest"]
    (note,) = notes
    assert note.startswith("the syntax of 3 files was not checked, for there is no grammar of javascript, sql here;")
    assert note.endswith("; pip install 'phasebot[languages]'")


def test_nothing_is_asked_of_the_worker_where_the_recipe_names_no_language() -> None:
    def run(task: str, shared: object, items: Sequence[object]) -> Sequence[Any]:  # noqa: ARG001  # never called
        raise AssertionError

    assert find_syntax_faults({"a.js": "let ="}, {}, run, has_grammars=True) == ([], [])


def test_a_file_that_breaks_a_limit_and_those_after_it_are_told() -> None:
    def run(task: str, shared: object, items: Sequence[object]) -> Sequence[Any]:  # noqa: ARG001  # as workers are
        return [Failure("it took longer than 5 s")] * len(items)

    faults, notes = find_syntax_faults({"a.js": "x"}, PATTERNS, run, has_grammars=True)

    assert faults == [SyntaxFault("a.js", None, "its syntax is not known: it took longer than 5 s", is_sure=False)]
    assert notes == []


def test_a_grammar_that_can_not_be_loaded_is_noted() -> None:
    def run(task: str, shared: object, items: Sequence[object]) -> Sequence[Any]:  # noqa: ARG001  # as workers are
        return [None] * len(items)

    _, (note,) = find_syntax_faults({"a.js": "x"}, PATTERNS, run, has_grammars=True)

    assert note.startswith("the syntax of 1 file was not checked, for there is no grammar of javascript here;")
