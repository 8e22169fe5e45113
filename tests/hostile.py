"""The hostile corpus in ``data/hostile/``, and what must hold for every text that one of the parsers is given.

A check returns whether the parser accepted the text, and raises if anything but the documented refusal comes of it.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from bot.errors import UsageError
from bot.forge.comment_command import Command, InvalidCommand, format_command, own_words, parse_command
from bot.forge.webhook_event import Ignored, read_event
from bot.forge.workflow_commands import neutralise
from bot.generation.llm.file_checks import find_fault
from bot.generation.llm.response_parser import parse_files
from bot.history.trailers import Trailers, format_message
from bot.planning.path_rules import path_problem
from bot.planning.plan_file import format_plan
from bot.planning.recipe import load_recipe
from bot.planning.resolved_plan import ResolvedPlan, resolve_exact_spec, resolve_plan_file
from bot.planning.spec_parser import is_prose, read_spec
from bot.planning.spec_source import read_comment, read_issue
from bot.text import CONTROL, find_hidden, is_printable, is_prose_file
from tests.unit import test_markdown
from tests.unit.values import BLOG, run_here

FOLDER = Path(__file__).parent / "data" / "hostile"
WANTED = (
    "app/main.py",
    "README.md",
    "pyproject.toml",
    "data.json",
    "compose.yaml",
    "requirements.txt",
    "app/page.html",
)
SECRET = "AIzaSy-not-a-real-key-0123456789abcdefgh"  # noqa: S105
_RECIPE = load_recipe("fastapi")


def load(surface: str) -> dict[str, str]:
    """Return the corpus of a parser in :data:`CHECKS`: name → text."""
    folder = FOLDER / ("events" if surface == "event" else surface)
    return {path.name: read(path) for path in sorted(folder.iterdir())}


def read(path: Path) -> str:
    """Return the text of one file; ``*.parts.json`` holds ``[beginning, repeated, times, end]`` of a long one."""
    content = path.read_bytes().decode()
    if not path.name.endswith(".parts.json"):
        return content
    beginning, repeated, times, end = json.loads(content)
    return f"{beginning}{repeated * times}{end}"


def seeds(surface: str) -> list[str]:
    """Return ordinary texts that the parser of *surface* accepts."""
    return _SEEDS[surface]


def check_shown(text: str) -> None:
    """Check that what a person reads about *text* has no effect on GitHub or in the log."""
    for test in (
        test_markdown.test_prose_is_plain_text_without_effect,
        test_markdown.test_a_title_pings_nobody_and_closes_nothing,
        test_markdown.test_no_text_ends_inline_code,
        test_markdown.test_invisible_characters_are_removed,
    ):
        test.hypothesis.inner_test(text)  # type: ignore[attr-defined]  # hypothesis offers it for this
    for line in neutralise(text).split("\n"):
        assert line.startswith("│ "), line
        assert "##[" not in line
        assert find_hidden(line, prose=True) is None


def _check_command(text: str) -> bool:
    command = parse_command(text)
    own_words(text)
    if isinstance(command, InvalidCommand):
        assert is_printable(command.message)
        assert "\n" not in (command.suggestion or "")
        check_shown(command.message)
    if isinstance(command, Command):
        assert "\n" not in command.instruction
        assert find_hidden(command.instruction + command.text, prose=True) is None
        assert all(map(is_printable, command.phases))
        check_shown(f"{command.instruction}\n{command.text}"[:500])
        again = parse_command(format_command(command))
        assert isinstance(again, Command)
        assert (again.verb, again.phases, again.max_tokens) == (command.verb, command.phases, command.max_tokens)
    return isinstance(command, Command)


def _check_plan(text: str) -> bool:
    try:
        planned = resolve_plan_file(text, source="the plan", output_dir=".", load=lambda _: _RECIPE)
    except UsageError as exc:
        _check_message(exc)
        return False
    _check_resolved(planned)
    return True


def _check_spec(text: str) -> bool:
    issue = read_issue(7, text[:80], text, "", prose=True)
    try:
        read_comment(text)
    except UsageError as exc:
        _check_message(exc)
    try:
        if is_prose(issue.text, source=issue.name):
            return True
        draft = read_spec(issue.text, source=issue.name)
        plan = draft.plan(project=issue.project, recipe="fastapi", output_dir=".", reserved=_RECIPE.reserved)
    except UsageError as exc:
        _check_message(exc)
        return False
    if plan.recipe == "fastapi":
        _check_resolved(
            resolve_plan_file(format_plan(plan), source="it", output_dir=plan.output_dir, load=lambda _: _RECIPE)
        )
    return True


def _check_message(exc: UsageError) -> None:
    assert is_printable(str(exc).replace("\n", "")), str(exc)
    assert len(str(exc)) < 5_000


def _check_resolved(planned: ResolvedPlan) -> None:
    assert CONTROL.search(planned.text) is None
    root = planned.plan.output_dir
    again = resolve_plan_file(planned.text, source="it", output_dir=root, load=lambda _: _RECIPE)
    assert again.plan == planned.plan
    for phase in planned.phases:
        assert is_printable(phase.key)
        assert is_printable(phase.title)
        assert "\n" not in format_message(phase, 1, [], Trailers(run="a")).split("\n\n", maxsplit=1)[0]
        for path in phase.files:
            assert path_problem(path) is None, path


def _check_trailers(text: str) -> bool:
    trailers = Trailers.parse(text)
    if trailers is None:
        return False
    try:
        again = Trailers.parse(trailers.format())
    except ValueError:  # other programs' trailers can hold what ours can't
        return True
    assert again == trailers
    return True


def _check_event(text: str) -> bool:
    accepted = False
    for name in ("issue_comment", "pull_request_review_comment", "workflow_dispatch"):
        event = read_event(name, text.encode("utf-8", "surrogatepass"))
        if isinstance(event, Ignored):
            assert is_printable(event.reason)
            check_shown(event.reason)
            continue
        accepted = True
        assert event.vouching
        assert event.number > 0
        assert all(each.isascii() and is_printable(each) for each in (event.login, *event.vouching))
        assert is_printable(event.default_branch)
        assert not event.default_branch.startswith("-")
    return accepted


def _check_answer(text: str) -> bool:
    accepted = False
    for cut in (False, True):
        try:
            parsed = parse_files(text, WANTED, cut=cut, secrets=[SECRET], run=run_here)
        except ValueError:
            continue
        assert parsed.files.keys() | parsed.faults.keys() == set(WANTED)
        assert not parsed.files.keys() & parsed.faults.keys()
        assert all(map(is_printable, (*map(str, parsed.faults.values()), *parsed.refused)))
        for path, content in parsed.files.items():
            accepted = True
            assert SECRET not in content
            assert find_hidden(content, prose=is_prose_file(path)) is None
    for path in WANTED:
        fault = find_fault(path, text)
        assert fault is None or is_printable(str(fault))
    return accepted


CHECKS: Mapping[str, Callable[[str], bool]] = {
    "command": _check_command,
    "spec": _check_spec,
    "plan": _check_plan,
    "trailers": _check_trailers,
    "event": _check_event,
    "answer": _check_answer,
}
"""Parser → its check, as ``python -m tests.fuzz`` names it; also the folders of the corpus that hold texts for it."""

_PAYLOAD = {
    "action": "created",
    "comment": {"body": "/generate -- add tags\n\nMore.", "id": 1, "user": {"login": "alice", "type": "User"}},
    "issue": {"number": 1, "title": "A blog", "body": BLOG, "state": "open"},
    "inputs": {"command": "/generate", "issue": "12", "login": "alice"},
    "repository": {"default_branch": "main"},
    "sender": {"login": "alice"},
}
_FILES = {
    "app/main.py": "import os\n\n\ndef main() -> int:\n    '''Say it.'''\n    return f'{os.name!r:>{10}}'  # fine\n",
    "README.md": "# Blog\n\n```sh\nmake\n```\n",
    "pyproject.toml": "[project]\nname = 'a'\n[tool.x]\na.b.c = [1, {d = 2}]\n",
    "data.json": '{"a": [1, 2.5, null, "\\u00e9"]}',
    "compose.yaml": "services:\n  db:\n    image: postgres:17\n    ports: ['5432:5432']\n",
    "requirements.txt": "fastapi>=0.1 ; python_version > '3.8'\nuvicorn[standard]==0.30.*  # server\n",
    "app/page.html": "<p>Hello <!-- a comment --></p>\n",
}
_SEEDS: Mapping[str, list[str]] = {
    "command": [
        "/generate --max-tokens 5000 --provider gemini -- add a field\n\nUse PostgreSQL.",
        "/regenerate entity/Post core/app --cascade --discard-edits -- shorter\n> quoted",
        "/rollback to entity/Post\n\nOn Tue, Nov 24, 2026 at 3:01 PM A <a@b.cd> wrote:\n> b\n-- \nA",
        "/Generates it",
    ],
    "spec": [
        BLOG,
        "A small blog: users write posts.",
        "# Blog\n\n```yaml\nentities:\n  User:\n    name: string?\n```\n",
    ],
    "plan": [resolve_exact_spec(BLOG, source="it", project="blog", recipe="fastapi", output_dir=".").text],
    "trailers": [
        (
            "Phasebot-Run: blog\nPhasebot-Phase: entity/Post\nPhasebot-Status: partial\nPhasebot-Inputs: ab12\n"
            "Phasebot-Tokens: in=12 out=3\nPhasebot-Missing: app/a.py\nPhasebot-Reason: absent app/a.py\n"
        ),
        "Phasebot-Run: blog\nPhasebot-Reverts: entity/Post\nPhasebot-Requested-By: alice\nPhasebot-Comment: 12\n",
    ],
    "event": [json.dumps(_PAYLOAD), json.dumps({**_PAYLOAD, "pull_request": _PAYLOAD["issue"]}, indent=1)],
    "answer": [
        json.dumps({"files": [{"path": path, "content": text} for path, text in _FILES.items()]}),
        "```json\n" + json.dumps([{"path": "README.md", "content": "# Blog\n"}]) + "\n```",
        *_FILES.values(),
    ],
}
