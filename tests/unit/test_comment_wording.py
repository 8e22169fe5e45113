"""What messages of the command line say in a comment: remedies that help there."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.forge.comment_wording import for_comment

BOT = Path(__file__).parents[2] / "bot"
ROOMS = ("engine", "generation", "history", "planning", "action")
ONLY_ON_THE_COMMAND_LINE = re.compile(
    r"\brun (?:generate|again)\b|\'phasebot |git fsck|\bGEMINI_API_KEY\b"
    r"|--(?:no-push|push|remote|repo|base|model|fallback-model|jobs)\b|(?<!/regenerate 0 )--discard-edits"
)


def texts() -> Iterator[str]:
    """Yield each text in the code that may become part of a comment: no docstrings, values of f-strings as 0."""
    for room in ROOMS:
        for path in sorted((BOT / room).rglob("*.py")):
            if path.name.startswith("doctor"):  # there is no such command in comments
                continue
            tree = ast.parse(path.read_text())
            documented = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
            parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
            for node in ast.walk(tree):
                if isinstance(node, ast.JoinedStr):
                    yield "".join(str(part.value) if isinstance(part, ast.Constant) else "0" for part in node.values)
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    is_message = " " in node.value and id(node) not in {*documented, *parts}
                    yield node.value if is_message else ""


def test_no_text_names_what_there_is_only_on_the_command_line() -> None:
    found = [text for text in texts() if ONLY_ON_THE_COMMAND_LINE.search(text)]

    assert len(found) > 20
    assert [text for text in map(for_comment, found) if ONLY_ON_THE_COMMAND_LINE.search(text)] == []


@pytest.mark.parametrize(
    ("message", "command", "comment"),
    [
        (
            "stopped as asked; what was finished is committed, run generate again to continue",
            "/generate --provider gemini",
            "stopped as asked; what was finished is committed, comment /generate --provider gemini again to continue",
        ),
        (
            "9 of 9 tokens are used; run generate again with --max-tokens 12000",
            "/generate --max-tokens 12000",
            "9 of 9 tokens are used; comment /generate --max-tokens 12000",
        ),
        (
            "planning: stopped before there was a plan; run generate again",
            "/regenerate main -- use \\1 and more\nbelow",
            "planning: stopped before there was a plan; comment /regenerate main again",
        ),
        (
            "quota used up; run generate again tomorrow, or use another --model",
            "",
            "quota used up; comment /generate again tomorrow, or set another model in the action's inputs",
        ),
        (
            "reading phasebot/x: it has no plan; start the run with 'phasebot generate SPEC'",
            "/status",
            "reading phasebot/x: it has no plan; start the run with /generate on the issue that describes the project",
        ),
    ],
)
def test_a_remedy_is_the_comment_that_helps(message: str, command: str, comment: str) -> None:
    assert for_comment(message, command) == comment
