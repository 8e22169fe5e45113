"""Names that programs act on by themselves are refused in every spelling, and what a project needs is allowed."""

from collections.abc import Callable

import pytest

from bot.planning.path_rules import path_problem
from tests.repositories import DATA

_NEVER = ", so it is never generated; use another name, or add it yourself"


def _names() -> tuple[list[str], list[str]]:
    denied, allowed = (DATA / "hostile" / "names.txt").read_text().split("# allowed\n")
    return tuple([line for line in part.splitlines() if line and line[0] != "#"] for part in (denied, allowed))  # type: ignore[return-value]


NAMES, ALLOWED = _names()
"""Names that programs act on by themselves, and names that a project may have."""


@pytest.mark.parametrize("path", ALLOWED)
def test_what_a_project_needs_may_be_generated(path: str) -> None:
    assert path_problem(path) is None


_SPELLINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "upper": str.upper,
    "title": str.title,
    "swapped": str.swapcase,
    "full width": lambda path: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" and c != "/" else c for c in path),
    "long s": lambda path: path.replace("s", "\u017f"),
    "Kelvin": lambda path: path.replace("k", "\u212a"),
    "dotless": lambda path: path.replace("i", "\u0131"),
    "dotted": lambda path: path.replace("i", "\u0130"),
    "ignored by HFS": lambda path: path[:2] + "\u200c" + path[2:],
    "dot at the end": lambda path: path + ".",
    "space at the end": lambda path: path + " ",
    "blank at the end": lambda path: path + "\u00a0",
    "stream": lambda path: path + "::$DATA",
    "backslash": lambda path: path.replace("/", "\\") + "\\x",
    "in a folder": lambda path: f"a/b/{path}",
    "as a folder": lambda path: f"{path}/x.py",
}


@pytest.mark.parametrize("spelling", _SPELLINGS)
def test_what_a_program_acts_on_by_itself_is_refused_in_every_spelling(spelling: str) -> None:
    assert len(NAMES) > 250
    assert [name for name in NAMES if path_problem(_SPELLINGS[spelling](name)) is None] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_refusal_says_in_one_sentence_what_the_file_is_and_what_to_do(name: str) -> None:
    problem = path_problem(name) or ""

    assert problem.endswith(_NEVER)
    assert problem.startswith(("configures ", "instructs ", "runs ", "changes ", "is hidden"))


@pytest.mark.parametrize(
    ("path", "what"),
    [
        (".github/workflows/ci.yml", "configures git or GitHub"),
        ("Jenkinsfile", "configures a CI or deployment service"),
        ("docs/CLAUDE.md", "instructs an AI agent"),
        ("lefthook.yml", "runs programs when people commit"),
        (".vscode/tasks.json", "configures an editor or a shell"),
        ("app/x.pth", "changes what Python or a package manager loads"),
        (".ssh/config", "is hidden, unlike such harmless files as .gitignore"),
        (".gitignore/x", "configures git or GitHub"),
        (".env.example/x", "is hidden, unlike such harmless files as .gitignore"),
        (".phasebot/plan.yaml/x", "is hidden, unlike such harmless files as .gitignore"),
    ],
)
def test_each_kind_of_file_has_its_words(path: str, what: str) -> None:
    assert path_problem(path) == f"{what}{_NEVER}"
