"""What a repository sets, in both of its files: one form, every mistake told at once, nothing secret repeated."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click
import pytest
from pydantic import ValidationError

from bot.cli import commands
from bot.cli.action_command import action
from bot.configuration import (
    _SECRET,
    ACTION_KEYS,
    COMMAND_KEYS,
    Configuration,
    as_options,
    read_action_file,
)
from bot.configuration import read_project_file as read_with
from bot.errors import UsageError
from bot.sandbox.protocol import Failure
from tests.unit.values import run_here

ACTION = """\
# for everybody
provider: gemini
model: gemini-3.8-flash
fallback-models: gemini-3.7-flash, gemini-3.5-flash-lite
recipe: recipes/mine
options: {auth: jwt, docker: true}
output-dir: api
base-branch: develop
jobs: 4
max-tokens: 500000
repairs: 0
deadline-minutes: 7.5
draft: false
"""
PROJECT = """\
[project]
name = "x"

[tool.phasebot] # for everybody
provider = "gemini"
model = "gemini-3.8-flash"
fallback-model = ["gemini-3.7-flash", "gemini-3.5-flash-lite"]
thinking = "low"
fallback = "template"
recipe = "recipes/mine"
option = ["auth=jwt", "docker=true"]
output-dir = "api"
base = "develop"
jobs = 4
max-tokens = 500_000
repairs = 0
deadline = 7.5
"""
SHARED = Configuration(
    provider="gemini",
    model="gemini-3.8-flash",
    fallback_models=["gemini-3.7-flash", "gemini-3.5-flash-lite"],
    recipe="recipes/mine",
    options={"auth": "jwt", "docker": "true"},
    output_dir="api",
    base="develop",
    jobs=4,
    max_tokens=500_000,
    repairs=0,
    deadline=7.5,
)


def read_project_file(text: str) -> Configuration:
    return read_with(text, run_here)


def refused(read: Callable[[str], object], text: str) -> str:
    with pytest.raises(UsageError) as caught:
        read(text)
    return str(caught.value)


def test_both_files_say_the_same_in_their_own_words() -> None:
    assert read_action_file(ACTION) == SHARED.model_copy(update={"draft": False})
    assert read_project_file(PROJECT) == SHARED.model_copy(update={"thinking": "low", "fallback": "template"})


@pytest.mark.parametrize("text", ["", "# nothing\n", "jobs:\n"])
def test_a_file_may_set_nothing(text: str) -> None:
    assert read_action_file(text) == Configuration()


@pytest.mark.parametrize("text", ["", "[tool.other]\nphasebot = 1\n", "[tool.phasebot]\n"])
def test_a_project_may_set_nothing(text: str) -> None:
    assert read_project_file(text) == Configuration()


def test_all_mistakes_are_told_at_once_with_their_lines() -> None:
    text = "jobs: 99\nmodle: x\n\nprovider: openai\ngithub-token: x\noutput-dir: ../x\nrecipe: /etc\nrepairs: '1'\n"

    assert refused(read_action_file, text).split("\n") == [
        "reading .github/phasebot.yml: it has 7 problems:",
        "  line 1: jobs is 99; it takes a whole number from 1 to 64",
        "  line 2: there is no key 'modle'; did you mean model?",
        "  line 4: provider is 'openai'; it takes gemini or template",
        f"  line 5: github-token can't be set here: {_SECRET}",
        "  line 6: output-dir is '../x'; it takes a folder of the repository",
        "  line 7: recipe is '/etc'; it takes a built-in recipe, or a folder of the repository",
        "  line 8: repairs is '1'; it takes a whole number from 0 to 9",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("- jobs\n", "line 1: it must be a mapping ('key: value' lines)"),
        ("jobs: 1\njobs: 2\n", "line 2: it: 'jobs' appears twice; rename one or merge them"),
        ("jobs: [\n", "not valid YAML"),
        ("jobs: &a 1\n", "line 1: YAML anchors, aliases and tags are not allowed; write the value out"),
        ("jobs: 2026-99-99\n", "line 1: jobs: its value can't be read; put it in quotes"),
        ("report: x\n", "report can't be set here: only a job of the workflow hands it to another; take it out"),
        ("thinking: low\n", "there is no key 'thinking'; keys: provider, model"),
        ("options: auth\n", "options is 'auth'; it takes options of the recipe, such as auth=jwt"),
        ("options: a=1 a=2\n", "options is 'a=1 a=2'; it takes options of the recipe, such as auth=jwt"),
        ("deadline-minutes: .inf\n", "it takes a number of minutes above 0"),
        ("max-tokens: true\n", "it takes a whole number above 0"),
    ],
)
def test_what_the_action_does_not_take(text: str, told: str) -> None:
    assert told in refused(read_action_file, text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[tool.phasebot]\njob = 1\n", "[tool.phasebot]: line 2: there is no key 'job'; did you mean jobs?"),
        ("[tool]\nphasebot = 1\n", "tool.phasebot is 1; write a table, [tool.phasebot]"),
        ("[tool.phasebot]\njobs = \n", "line 2: not valid TOML"),
        ("[tool.phasebot]\njobs = 1\njobs = 2\n", "not valid TOML: Cannot overwrite a value"),
        (
            "[tool.phasebot]\npush = false\n",
            "what a repository says must not change where it is read from or pushed to",
        ),
        ("[tool.phasebot]\nremote = 'x'\n", "remote can't be set here"),
        ("[tool.phasebot]\nrepo = '..'\n", "repo can't be set here"),
        ("[tool.phasebot]\ndiscard-edits = true\n", "it is said with each command; take it out"),
        ("[tool.phasebot]\nrecipe = '../x'\n", "it takes a built-in recipe, or a folder of the repository"),
        ("[tool.phasebot]\nx = " + "[" * 100_000, "it can't be read (RecursionError)"),
    ],
)
def test_what_commands_do_not_take(text: str, told: str) -> None:
    assert told in refused(read_project_file, text)


def test_a_secret_is_not_repeated() -> None:
    assert "AIza" not in refused(read_action_file, "gemini-api-key: AIza-not-a-key\n")


def test_many_mistakes_are_cut() -> None:
    told = refused(read_action_file, "".join(f"x{number}: 1\n" for number in range(40)))
    assert told.count("\n") == 21
    assert told.endswith("and 20 more")


# What the files and the options have in common


def _taken(command: click.Command) -> Mapping[str, click.Option]:
    return {str(each.name): each for each in command.params if isinstance(each, click.Option)}


def test_the_files_have_the_names_of_inputs_and_options() -> None:
    inputs = _taken(action)
    assert set(ACTION_KEYS) == {name.replace("_", "-") for name in inputs} - {
        "run",
        "head",
        "report",
        "finish",
        "verify",
        "write-page",
        "page",
    }
    names = {option.opts[0] for command in (commands.generate, commands.plan) for option in _taken(command).values()}
    assert {f"--{key}" for key in COMMAND_KEYS} <= names
    assert set(ACTION_KEYS.values()) | set(COMMAND_KEYS.values()) == set(Configuration.model_fields)


def test_the_files_have_the_bounds_of_the_options() -> None:
    for options, keys in ((_taken(action), ACTION_KEYS), (_taken(commands.generate), COMMAND_KEYS)):
        by_key = {option.opts[0].removeprefix("--"): option for option in options.values()}
        for key, field in keys.items():
            kind = by_key[key].type
            if isinstance(kind, click.IntRange | click.FloatRange):
                edges = [kind.min, kind.max]
                values: list[Any] = [edge + step for edge in edges if edge is not None for step in (-1, 0, 1)]
            elif isinstance(kind, click.Choice):
                values = [*kind.choices, "other"]
            else:
                continue
            for value in values:
                assert _accepts(kind, value) == _configures(field, value), (key, value)


def _accepts(kind: click.ParamType[Any], value: object) -> bool:
    try:
        kind.convert(value, None, None)
    except click.BadParameter:
        return False
    return True


def _configures(field: str, value: object) -> bool:
    try:
        Configuration.model_validate({field: value})
    except ValidationError:
        return False
    return True


def test_options_of_commands_get_what_a_project_sets() -> None:
    found = as_options(read_project_file(PROJECT))

    assert set(found) <= set(_taken(commands.generate))
    assert (found["fallback_model"], found["options"]) == (SHARED.fallback_models, ["auth=jwt", "docker=true"])


def test_what_takes_too_long_is_refused() -> None:
    def run(task: str, shared: object, items: Sequence[object]) -> Sequence[Failure]:
        assert (task, shared, len(items)) == ("toml", None, 1)
        return [Failure("it took longer than 5 s")]

    with pytest.raises(UsageError, match="it can't be read: it took longer than 5 s"):
        read_with("[tool.phasebot]\n", run)
