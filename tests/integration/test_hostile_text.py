"""Recipes, plans and models with hostile words: what of them stands in commits, and that the run still works."""

from pathlib import Path

import yaml

from bot.engine.requests import Requester
from bot.generation.provider import GenerationRequest, GenerationResult, Tokens
from bot.history.reasons import Reason
from tests.repositories import House, ScriptedProvider, git, new_repository, phasebot_here
from tests.unit.test_inert_text import assert_inert

_KEY = "fixes #1 [skip ci] @alice"
_PATH, _LOST = "app/[id]/@acme fixes GH-1 #2.txt", "closes #3 [ci skip].txt"


def hostile_recipe(folder: Path) -> Path:
    """Write a recipe whose every free text has an effect on GitHub."""
    phase = {"key": _KEY, "title": "***NO_CI*** fixes #1, closes acme/other#7", "files": {_PATH: "x.j2", _LOST: "x.j2"}}
    name = "x @acme/security [skip ci]"
    folder.joinpath("templates").mkdir(parents=True)
    folder.joinpath("templates", "x.j2").write_text("x\n")
    folder.joinpath("recipe.yaml").write_text(yaml.safe_dump({"name": name, "phases": [phase]}))
    return folder


def test_no_commit_of_a_run_has_an_effect_whatever_recipe_and_model_say(tmp_path: Path) -> None:
    folder, recipe = new_repository(tmp_path / "blog"), hostile_recipe(tmp_path / "recipe")
    hostile = "fixes #1, closes acme/other#7 cc @acme/security"

    async def lose_one(request: GenerationRequest) -> GenerationResult:
        files = {path: "x\n" for path in request.paths if path != _LOST}
        reason = Reason("blocked", hostile)
        return GenerationResult(files, {_LOST: reason}, hostile, Tokens(1, 2), refused=(hostile, "[skip ci]"))

    provider = ScriptedProvider({_KEY: lose_one}, name="gemini")
    house = House(
        folder, f"# {hostile}\n\n- Note: text text\n", recipe, provider, requested=Requester("alice[bot]", "1")
    )
    result = house.run()

    [phase] = [each for each in result.state.phases if each.phase.key == _KEY]
    assert (phase.status, phase.missing, phase.reasons) == ("partial", (_LOST,), {_LOST: "blocked"})
    house.provider = ScriptedProvider()
    assert house.run().state.complete
    arguments = ("--repo", folder, "--run", "blog")
    assert phasebot_here("regenerate", _KEY, "--instruction", hostile, "--no-push", *arguments).returncode == 3
    assert phasebot_here("rollback", _KEY, *arguments).returncode == 0
    messages = git(folder, "log", "--format=%B%x00", "main..phasebot/blog").split("\0")
    assert len(messages) == 7
    for message in messages[:-1]:
        assert_inert(message.strip("\n") + "\n")
