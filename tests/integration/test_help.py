"""What `--help` says, and what a shell completes."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from bot.cli.help import GroupedCommands
from bot.cli.main import cli
from tests.repositories import NOTE, SMALL, phasebot

_ROOT = Path(__file__).parents[2]


def commands(group: click.Group = cli, path: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        yield f"{path}{name}", command
        if isinstance(command, click.Group):
            yield from commands(command, f"{path}{name} ")


def helped(*arguments: str, columns: int = 80) -> str:
    return CliRunner().invoke(cli, [*arguments, "--help"], terminal_width=columns, catch_exceptions=False).output


@pytest.mark.parametrize("columns", [80, 200])
def test_no_sentence_is_cut_and_the_action_comes_last(columns: int) -> None:
    shown = helped(columns=columns)

    assert "..." not in shown.replace("[ARGS]...", "")
    assert max(map(len, shown.splitlines())) <= columns
    listed = re.findall(r"^  ([a-z]+)  +\S", shown.partition("\nMake:\n")[2], re.MULTILINE)
    assert listed == [*cli.commands]
    assert listed[-1] == "action"
    assert "3    incomplete" in shown


def test_a_group_lists_its_commands_whole_too() -> None:
    shown = helped("recipes")

    assert "..." not in shown.replace("[ARGS]...", "")
    assert max(map(len, shown.splitlines())) <= 80


def test_a_command_that_belongs_to_no_subject_is_listed() -> None:
    group = GroupedCommands("made")
    group.add_groups({"Make": [click.Command("bake", help="Bake it.")]})
    group.add_command(click.Command("other", help="Do something else."))

    shown = group.get_help(click.Context(group))

    assert "Make:\n  bake  Bake it\n\nCommands:\n  other  Do something else" in shown


def test_each_command_has_a_subject() -> None:
    assert "\nCommands:\n" not in helped()


@pytest.mark.parametrize("name", [name for name, _ in commands()])
def test_each_command_has_examples_that_it_takes(name: str) -> None:
    _, _, written = helped(*name.split(" ")).partition("  Example")
    found = [line.strip() for line in written.splitlines()[1:] if line.strip()]

    assert found
    for line in found:
        assert line.startswith(f"phasebot {name}")
        words = shlex.split(line)[1:]
        command: click.Command = cli
        while isinstance(command, click.Group) and words:
            command = command.commands[words.pop(0)]
        command.make_context(name, words)


@pytest.mark.parametrize(
    ("variable", "value", "arguments", "expected"),
    [
        ("PHASEBOT_STATUS_FORMAT", "json", ("status",), '{\n  "run"'),
        ("PHASEBOT_STATUS_OUTPUT", "there.txt", ("status",), ""),
        ("PHASEBOT_PLAN_FORMAT", "mermaid", ("plan", NOTE), "erDiagram"),
        ("PHASEBOT_RECIPES_LIST_FORMAT", "json", ("recipes", "list"), "["),
    ],
)
def test_each_option_has_a_variable_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, arguments: Sequence[str], expected: str
) -> None:
    folder = tmp_path / "notes"
    assert phasebot("generate", NOTE, "--repo", folder, "--recipe", SMALL).returncode == 0
    monkeypatch.setenv(variable, value)
    monkeypatch.setenv("PYTHONPATH", str(_ROOT))

    done = phasebot(*arguments, cwd=folder)

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(expected)
    assert (folder / "there.txt").exists() == (not expected)


def complete(words: str, folder: Path) -> list[str]:
    environ = {"COMP_WORDS": f"phasebot {words}", "COMP_CWORD": str(len(words.split(" ")))}
    done = subprocess.run(
        [str(Path(sys.executable).with_name("phasebot"))],
        env={**os.environ, **environ, "_PHASEBOT_COMPLETE": "bash_complete"},
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return [line.partition(",")[2] for line in done.stdout.splitlines() if line]


def test_commands_options_and_phases_are_completed(tmp_path: Path) -> None:
    assert phasebot("generate", NOTE, "--repo", tmp_path / "notes", "--recipe", SMALL).returncode == 0

    assert complete("re", tmp_path) == ["regenerate", "recipes"]
    assert complete("status --ex", tmp_path) == ["--exit-code"]
    assert "--dry-run" in complete("generate --", tmp_path)
    assert complete("explain ent", tmp_path / "notes") == ["entity/Note"]
    assert complete(f"explain --repo {tmp_path / 'notes'} s", tmp_path) == ["support"]
    assert complete("explain ", tmp_path) == [], "there is no repository"
    assert complete("status --run ", tmp_path / "notes") == ["note"]
    assert complete("status --run ", tmp_path) == []
    assert complete("status --run x", tmp_path / "notes") == []
    (tmp_path / "notes" / "pyproject.toml").write_text("[tool.phasebot]\nno-such-key = 1\n")
    assert complete("explain ent", tmp_path / "notes") == ["entity/Note"], "no error is shown at the prompt"
    assert complete("generate spec", tmp_path) == ["spec"], "the shell looks for files of that name"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def install(home: Path, *arguments: str, program: str = "/bin/bash") -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    return subprocess.run(
        [sys.executable, "-m", "bot", "completion", *arguments],
        env={**environ, "HOME": str(home), "SHELL": program, "ZDOTDIR": ""},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_a_shell_completes_after_one_command(home: Path, shell: str) -> None:
    startup = home / f".{shell}rc"
    startup.write_bytes(b"alias ll='ls -l'")

    first, second = install(home, "--install", program=f"/usr/bin/{shell}"), install(home, shell, "--install")

    assert (first.returncode, second.returncode) == (0, 0)
    assert f"added a line to {startup}" in first.stderr
    assert f"{startup} reads it already" in second.stderr
    lines = startup.read_text().splitlines()
    assert (len(lines), lines[0]) == (2, "alias ll='ls -l'")
    if shell == "bash":
        ask = ["bash", "--norc", "-c", f". {shlex.quote(str(startup))}; complete -p phasebot"]
        done = subprocess.run(ask, capture_output=True, text=True, check=True, env={**os.environ, "HOME": str(home)})
        assert "_phasebot_completion" in done.stdout
        assert done.stderr == ""


def test_an_old_bash_gets_no_error_when_it_starts(home: Path) -> None:
    assert install(home, "--install").returncode == 0
    script = shlex.quote(str(home / ".local/share/phasebot/completion.bash"))
    old = 'complete() { case "$*" in *nosort*) echo "no nosort" >&2; return 2;; esac; builtin complete "$@"; }'
    ask = ["bash", "--norc", "-c", f"{old}; . {script}; complete -p phasebot"]

    done = subprocess.run(ask, capture_output=True, text=True, check=True)

    assert done.stderr == ""
    assert done.stdout == "complete -F _phasebot_completion phasebot\n"


def test_fish_finds_its_script_by_itself(home: Path) -> None:
    assert install(home, "fish", "--install").returncode == 0
    assert "phasebot" in (home / ".config/fish/completions/phasebot.fish").read_text()


def test_a_shell_without_completion_and_a_home_that_is_read_only_are_told(home: Path) -> None:
    unknown = install(home, program="/bin/tcsh")
    (home / ".local").write_text("in the way")
    blocked = install(home, "--install")

    assert (unknown.returncode, blocked.returncode) == (2, 2)
    assert "$SHELL is 'tcsh', for which there is none; name one: bash, zsh, fish" in unknown.stderr
    assert "print the script without --install instead" in blocked.stderr
    assert not (home / ".bashrc").exists()
