"""The tasks of the bounded worker are a closed list, and their answers are JSON."""

import json
import subprocess
import sys

import pytest

from bot.sandbox.tasks import perform, prepare


@pytest.mark.parametrize(
    ("task", "shared", "item", "answer"),
    [
        ("render", ({"a.j2": "{{ x }}"}, {"x": 1}), ("a.j2", None), ["1\n", None]),
        (
            "render",
            ({"a.j2": "{{ y }}"}, {"x": 1}),
            ("a.j2", None),
            [None, ["template", "template a.j2: line 1: UndefinedError: 'y' is undefined"]],
        ),
        ("parse", {"a.j2": "{{ y }}"}, "a.j2", None),
        (
            "parse",
            {"a.j2": "{% if %}"},
            "a.j2",
            "template a.j2: line 1: TemplateSyntaxError: Expected an expression, got 'end of statement block'",
        ),
        (
            "entries",
            (["a.py"], False),
            '[{"path": "a.py", "content": "A = 1"}]',
            {"entries": [["a.py", "A = 1\n", None]]},
        ),
        ("entries", (["a.py"], False), "1", {"error": "it has no list of files"}),
        ("judge", None, ("a.py", "A = 1\n"), None),
        ("schema", "DBML", "Table a {", {"problems": [[1, "the block of Table a is not closed; add a '}'"]]}),
        ("judge", None, ("a.py", "A = (\n"), ["unparsable", "line 1 does not parse: '(' was never closed"]),
    ],
)
def test_a_task_answers_in_json(task: str, shared: object, item: object, answer: object) -> None:
    prepare(task)

    assert json.loads(json.dumps(perform(task, shared, item))) == answer


_IMPORTS = """
import json, sys
from bot.sandbox.tasks import perform, prepare

_READERS = ("bot.planning.schema_files.", "sqlglot.")  # one small module a language
for task, shared, item in json.load(sys.stdin):
    prepare(task)
    before = set(sys.modules)
    perform(task, shared, item)
    imported = {name.split(".")[0] for name in set(sys.modules) - before if not name.startswith(_READERS)}
    print(*imported - sys.stdlib_module_names)
"""


@pytest.mark.parametrize(
    "request_",
    [
        ("render", [{"a.j2": "{{ 1 | python }}"}, {}], ["a.j2", None]),
        ("parse", {"a.j2": "{{ y }}"}, "a.j2"),
        ("entries", [["a.py"], False], '[{"path": "a.py", "content": "A = 1"}]'),
        ("judge", None, ["requirements.txt", "fastapi==1\n"]),
        ("schema", "SQL", "CREATE TABLE a (b int);"),
    ],
    ids=lambda each: each[0],
)
def test_what_a_task_needs_is_imported_before_its_time_is_measured(request_: object) -> None:
    asked = json.dumps([request_])

    done = subprocess.run([sys.executable, "-c", _IMPORTS], input=asked, capture_output=True, text=True, check=False)

    assert (done.stdout, done.stderr) == ("\n", "")


@pytest.mark.parametrize("task", ["", "eval", "os.system", "perform"])
def test_nothing_else_is_a_task(task: str) -> None:
    with pytest.raises(ValueError, match="unknown task"):
        perform(task, None, "1")
