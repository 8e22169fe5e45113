"""The inputs of the action, as ``/help`` shows them."""

from pydantic import SecretStr

from bot.settings import GeminiSettings
from tests.action_world import build_inputs

KEY = "AIza-not-a-key-0123456789"


def test_without_a_key_only_what_templates_need_is_shown() -> None:
    assert build_inputs().shown() == [
        ("provider", "template", "the default"),
        ("recipe", "fastapi", "the default"),
        ("output folder", ".", "the default"),
        ("phases at the same time", "8", "the default"),
    ]


def test_with_a_key_models_and_limits_are_shown_and_the_key_is_not() -> None:
    inputs = build_inputs(
        gemini=GeminiSettings(SecretStr(KEY)), max_tokens=50_000, deadline_minutes=7.5, base_branch="develop"
    )

    shown = {each.name: each.value for each in inputs.shown()}

    assert (shown["provider"], shown["model"]) == ("gemini", "gemini-3.8-flash")
    assert (shown["token limit"], shown["time limit"], shown["base branch"]) == ("50,000", "7.5 minutes", "develop")
    assert KEY not in str(shown)
    assert KEY not in repr(inputs)


def test_what_somebody_set_is_shown_with_its_place() -> None:
    inputs = build_inputs(jobs=2, draft=False, origins={"jobs": ".github/phasebot.yml", "draft": "the workflow"})

    assert inputs.shown()[-2:] == [
        ("phases at the same time", "2", ".github/phasebot.yml"),
        ("draft", "false", "the workflow"),
    ]
