"""Which paths a project may have: hostile ones are refused, harmless look-alikes are allowed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.planning.path_rules import inside, normal_output_dir, output_dir_problem, path_problem
from tests.unit.test_denied_names import NAMES

_LEAVES = "leaves the project"
_ODD = "has a part that is empty, or has spaces around it or a dot at its end"
_DEVICE = "is reserved on Windows"
_NEVER = ", so it is never generated; use another name, or add it yourself"
_DENIED = f"configures git or GitHub{_NEVER}"
_HIDDEN = f"is hidden, unlike such harmless files as .gitignore{_NEVER}"
_SIZE = "does not have 1 to 400 characters"


@pytest.mark.parametrize(
    "path",
    [
        ".gitignore",
        "app/.gitignore",
        ".gitkeep",
        "data/.gitkeep",
        ".dockerignore",
        ".env.example",
        "app/models/x.py",
        "app/models/class_.py",
        "Dockerfile",
        "gitlab/x.py",
        "app/git.py",
        "docs/claude-and-us/agent.md",
        "app/consoles.py",
        "app/com.py",
        "app/auxiliary/nullable.py",
        "a b/c d.txt",
        "docs/\u00fcbersicht.md",
        "docs/\u8aac\u660e.md",
        "x" * 400,
    ],
)
def test_a_harmless_path_may_be_generated(path: str) -> None:
    assert path_problem(path) is None


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("", _SIZE),
        ("x" * 401, _SIZE),
        ("..", _LEAVES),
        ("../x", _LEAVES),
        ("app/../../x", _LEAVES),
        ("app/..", _LEAVES),
        ("/etc/passwd", _LEAVES),
        ("/", _LEAVES),
        ("//host/share", _LEAVES),
        ("C:/x", "holds the character U+003A"),
        ("c:x", "holds the character U+003A"),
        ("app/x.py:stream", "holds the character U+003A"),
        ("..\\x", "holds the character U+005C"),
        ("app\\x.py", "holds the character U+005C"),
        (".git\\config", "holds the character U+005C"),
        ("a\x00b", "holds the character U+0000"),
        ("a\nb", "holds the character U+000A"),
        ("a\x1b[31m", "holds the character U+001B"),
        ("a\x7f", "holds the character U+007F"),
        ("a\x85b", "holds the character U+0085"),
        ("a\u061cb", "holds the character U+061C"),
        ("a\u202egpj.py", "holds the character U+202E"),
        ("a\u2066b", "holds the character U+2066"),
        ("a\u2028b", "holds the character U+2028"),
        ("a\ud800", "holds the character U+D800"),
        ("a*.py", "holds the character U+002A"),
        ("a?.py", "holds the character U+003F"),
        ('a".py', "holds the character U+0022"),
        ("a|b", "holds the character U+007C"),
        (".", _ODD),
        ("./x", _ODD),
        ("app/./x", _ODD),
        ("app//x", _ODD),
        ("app/", _ODD),
        ("...", _ODD),
        (". .", _ODD),
        ("app/x.", _ODD),
        ("app./x", _ODD),
        ("app/x ", _ODD),
        (" app/x", _ODD),
        (".git./config", _ODD),
        (".git /config", _ODD),
        ("con", _DEVICE),
        ("CON.txt", _DEVICE),
        ("app/nul.py", _DEVICE),
        ("aux/x.py", _DEVICE),
        ("Prn.tar.gz", _DEVICE),
        ("com1", _DEVICE),
        ("LPT9.log", _DEVICE),
        ("com\u00b9.txt", _DEVICE),
        ("con .txt", _DEVICE),
        ("CONIN$", _DEVICE),
        ("GIT~1/config", _DEVICE),
        ("app/progra~1", _DEVICE),
    ],
)
def test_a_path_that_some_system_reads_as_another_is_refused(path: str, problem: str) -> None:
    assert path_problem(path) == problem


@pytest.mark.parametrize("name", ["CLAUDE~1.MD", "GIT~1", "AGENTS~12.MD", "jenkin~1", "a/SITECU~1.PY", "x~1 .md"])
def test_a_short_name_of_windows_is_refused(name: str) -> None:
    assert path_problem(name) == _DEVICE


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("\uff0egit/config", _DENIED),
        (".\uff47\uff49\uff54/config", _DENIED),
        (".g\u0131t", _DENIED),
        ("agent\u017f.md", "instructs"),
        (".hus\u212ay/pre-commit", "runs"),
        (".g\u200cit/config", "holds the character U+200C"),
        (".gi\u200dt/config", "holds the character U+200D"),
        ("\ufeff.git/config", "holds the character U+FEFF"),
        (".git\u2060/config", "holds the character U+2060"),
        (".g\u206ait/config", "holds the character U+206A"),
        (".git\u206f/config", "holds the character U+206F"),
        ("\uff0e\uff0e/x", _LEAVES),
        ("a\uff0f..\uff0fb", _LEAVES),
        ("a\u2025", None),
    ],
)
def test_a_look_alike_is_refused_where_a_file_system_takes_it_for_the_real_one(path: str, problem: str | None) -> None:
    found = path_problem(path)

    assert (found or "").startswith(problem or "")
    assert (found is None) == (problem is None)


@given(st.text(max_size=30), st.text(max_size=30))
def test_nothing_below_a_git_folder_is_ever_allowed(before: str, after: str) -> None:
    assert path_problem(f"{before}/.git/{after}") is not None


@given(st.text(st.sampled_from("./\\ aGit~1:"), max_size=12))
def test_an_allowed_path_has_only_plain_parts(path: str) -> None:
    allowed = path_problem(path) is None

    assert not allowed or not {"", ".", "..", ".git"} & set(path.lower().split("/"))


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        (".", "."),
        ("", "."),
        ("./", "."),
        ("api", "api"),
        (" ./api/ ", "api"),
        ("a//b/./c", "a/b/c"),
        ("a\\b", "a/b"),
        ("..", None),
        ("../api", None),
        ("api/../..", None),
        ("api/..", None),
        ("/", None),
        ("/api", None),
        ("C:/api", None),
        ("C:\\api", None),
        ("\\\\host\\share", None),
        ("~1/.git", None),
        (".github", None),
        (".hidden/api", None),
        ("nul", None),
        ("a\x00", None),
        ("a\u202e", None),
        ("x" * 401, None),
    ],
)
def test_an_output_folder_is_normalised_or_refused(text: str, normal: str | None) -> None:
    problem = output_dir_problem(text)

    assert (None if problem else normal_output_dir(text)) == normal


@pytest.mark.parametrize("name", [*NAMES, ".gitignore", ".env.example", ".phasebot"])
def test_no_project_is_generated_in_a_folder_that_a_program_acts_on(name: str) -> None:
    for folder in (name, f"a/{name.upper()}", f"{name}/b"):
        problem = output_dir_problem(folder) or ""
        assert problem.startswith("is not a folder inside the repository that may hold a project, because it ")
        assert problem.endswith("; give another one, or '.'")


def test_a_path_lies_inside_the_output_folder() -> None:
    assert (inside(".", "main.py"), inside("api", "app/x.py")) == ("main.py", "api/app/x.py")
