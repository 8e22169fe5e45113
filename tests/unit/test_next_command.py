"""Remedies with commands that can be copied."""

import pytest

from bot.cli.next_command import as_options, with_commands

_WHERE = tuple(as_options({"--repo": "../blog", "--run": "shop"}))
_HOW = tuple(as_options({"--model": "large", "--fallback-model": ("a", "b"), "--jobs": 2, "--no-push": True}))
_AGAIN = "phasebot generate --repo ../blog --run shop --model large --fallback-model a --fallback-model b --jobs 2"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            "stopped as asked; what was finished is committed, run generate again to continue",
            f"stopped as asked; what was finished is committed, run '{_AGAIN} --no-push' again to continue",
        ),
        (
            "main, which needs core; run generate for those, or for all phases",
            f"main, which needs core; run '{_AGAIN} --no-push' for those, or for all phases",
        ),
        (
            "outdated: main; generate --cascade regenerates them",
            f"outdated: main; '{_AGAIN} --no-push --cascade' regenerates them",
        ),
        (
            "a.py: take the new one with 'phasebot regenerate core --run shop --discard-edits'",
            "a.py: take the new one with 'phasebot regenerate --repo ../blog core --run shop --discard-edits'",
        ),
        (
            "1 error left in core; 'phasebot assess' lists them",
            "1 error left in core; 'phasebot assess --repo ../blog --run shop' lists them",
        ),
        ("the plan is wrong; correct it", "the plan is wrong; correct it"),
    ],
)
def test_a_command_names_the_run_and_how_it_is_made(message: str, expected: str) -> None:
    assert with_commands(message, _WHERE, _HOW) == expected


@pytest.mark.parametrize(
    ("message", "given", "expected"),
    [
        (
            "run generate again with another --model",
            {"--model": "m"},
            "run 'phasebot generate' again with another --model",
        ),
        (
            "run generate again with --max-tokens 14000",
            {"--max-tokens": 9},
            "run 'phasebot generate' again with --max-tokens 14000",
        ),
        (
            "correct --model, then run generate again",
            {"--model": "m"},
            "correct --model, then run 'phasebot generate' again",
        ),
        (
            "set GEMINI_API_KEY or use --provider gemini, then run generate again",
            {"--provider": "template", "--jobs": 2},
            "set GEMINI_API_KEY or use --provider gemini, then run 'phasebot generate --jobs 2' again",
        ),
        (
            "run generate again, or use another --model",
            {"--model": "m"},
            "run 'phasebot generate --model m' again, or use another --model",
        ),
    ],
)
def test_an_option_that_people_should_change_is_left_to_them(
    message: str, given: dict[str, object], expected: str
) -> None:
    assert with_commands(message, (), tuple(as_options(given))) == expected


def test_words_are_quoted_for_the_shell() -> None:
    where = tuple(as_options({"--repo": "my blog; rm -r ~"}))

    assert with_commands("run generate again", where, ()) == "run `phasebot generate --repo 'my blog; rm -r ~'` again"
