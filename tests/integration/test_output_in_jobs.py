"""In a job of GitHub Actions, no command prints a line that the runner executes, whatever people and models wrote."""

import json
from pathlib import Path

import pytest
import yaml

from tests.repositories import SMALL, commit, git, new_repository, phasebot_here
from tests.unit.test_workflow_commands import commands

_KEY = "AIza" + "Zq7Rk2mVx9Tb4Lw8Hs3Nd6Jf1Gc5Py0Ua81"
_EVIL = "::set-output name=branch::evil"
_SPEC = f"""\
# ##[error]Shop {_EVIL}

{_EVIL}
  {_EVIL}
##[set-output name=branch]evil
####[error]x

- Item: name string = "##[error]x", note text = "{_EVIL}"
"""


@pytest.fixture(autouse=True)
def job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_TOKEN", _KEY)


def printed(*arguments: object) -> str:
    """Run a command; return its standard output when nothing that it prints is a command."""
    done = phasebot_here(*arguments)
    for text in (done.stdout, done.stderr):
        assert commands(text) == [], arguments
        assert _KEY not in text
    assert "Traceback" not in done.stderr
    return done.stdout


def test_the_plan_is_printed_in_every_format_and_means_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ("plan", _SPEC, "--recipe", SMALL)
    as_yaml, as_json, _ = [printed(*arguments, "--format", each) for each in ("yaml", "json", "mermaid")]
    monkeypatch.delenv("GITHUB_ACTIONS")
    outside = phasebot_here(*arguments).stdout

    assert commands(outside)  # which the job does not print
    assert yaml.safe_load(as_yaml) == yaml.safe_load(outside)
    assert json.loads(as_json)["project"] == yaml.safe_load(outside)["project"]


def test_no_command_of_a_hostile_run_prints_one(tmp_path: Path) -> None:
    folder = new_repository(tmp_path / "##[error]x")
    place = ("--repo", folder, "--run", "shop")
    printed("generate", _SPEC, "--recipe", SMALL, *place)
    git(folder, "checkout", "--quiet", "phasebot/shop")
    commit(folder, _EVIL, {"main.py": f"{_EVIL}\n##[error]x\n"})
    printed("regenerate", "main", "--instruction", f"do\n{_EVIL}\n##[error]x", *place)
    for arguments in (["status"], ["status", "--format", "json"], ["generate"], ["generate", "--format", "json"]):
        text = printed(*arguments, *place)
        assert "json" not in arguments or json.loads(text)["run"] == "shop"
    printed("rollback", "main", "--discard-edits", *place)
    plan = folder / ".phasebot" / "plan.yaml"
    commit(folder, "Break it", {".phasebot/plan.yaml": f"{plan.read_text()}\n{_EVIL}: x\n"})
    printed("status", *place)


@pytest.mark.parametrize(
    "arguments",
    [
        ("generate", "x", "--run", f"a\n{_EVIL}"),
        ("generate", "x", "--jobs", f"a\n{_EVIL}"),
        ("generate", "x", "--base", f"a\n{_EVIL}"),
        ("generate", "x", "--recipe", f"a\n{_EVIL}"),
        ("generate", "x", "--output-dir", f"a\n{_EVIL}"),
        ("generate", "x", "--provider", f"a\n{_EVIL}"),
        ("generate", "x", "--model", f"##[error]{_KEY[:9]}\x1b{_KEY[9:]}"),
        ("generate", "x", "--only", f"a\r{_EVIL}"),
        ("regenerate", f"a\n{_EVIL}"),
        ("rollback", f"##[error]\n{_EVIL}"),
        ("rollback", "--to", f"a\n{_EVIL}"),
        (f"a\n{_EVIL}",),
        (f"--{_EVIL}",),
        ("generate", f"- Item: name {_EVIL}\n{_EVIL}"),
        ("generate", f"project: '{_EVIL}'\nentities:\n  Item: {{name: '{_EVIL}'}}\n"),
        ("plan", f"- Item: a text\n- Item: a {_KEY}"),
        ("status",),
        ("action",),
        ("--help",),
    ],
)
def test_what_is_wrong_with_a_command_is_no_command(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(new_repository(tmp_path / "blog"))

    printed(*arguments)
