"""What can stand in recipe.yaml, and its JSON Schema for editors."""

from pathlib import Path

import jsonschema
import pytest
import yaml

from bot.planning import recipe_model
from bot.planning.recipe import BUILT_IN
from bot.planning.recipe_model import RecipeOption, RecipePhase, schema
from tests.repositories import DATA
from tests.unit.values import SMALL

_PUBLISHED = Path(recipe_model.__file__).with_name("recipe.schema.json")
_RECIPES = sorted([*BUILT_IN.glob("*/recipe.yaml"), *(DATA / "recipes").glob("*/recipe.yaml")])


def test_the_published_schema_is_that_of_the_model() -> None:
    """``python -m bot.planning.recipe_model > bot/planning/recipe.schema.json`` writes it."""
    assert _PUBLISHED.read_text() == recipe_model.schema_text()
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize(
    "text", [*(path.read_text() for path in _RECIPES), SMALL], ids=lambda text: text.split("\n")[0][:30]
)
def test_every_recipe_keeps_to_the_schema(text: str) -> None:
    jsonschema.Draft202012Validator(schema()).validate(yaml.safe_load(text))


@pytest.mark.parametrize(
    "wrong",
    [
        {"for_each": "entity"},
        {"files": {}},
        {"files": ["x"]},
        {"sees": 1},
        {"needs": "core"},
    ],
)
def test_the_schema_refuses_what_loading_refuses(wrong: dict[str, object]) -> None:
    phase = {"key": "a", "title": "a", "files": {"x": "t.j2"}} | wrong

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema()).validate({"name": "x", "phases": [phase]})


def test_the_words_that_a_phase_sees() -> None:
    def seen(sees: object, each: str | None = None) -> frozenset[str]:
        return RecipePhase.model_validate(
            {"key": "a", "title": "a", "files": {"x": None}, "sees": sees, "for-each": each}
        ).seen

    assert seen("nothing") == frozenset()
    assert seen("names") == {"names"}
    assert seen(["names", "options/auth"]) == {"names", "options/auth"}
    assert seen("entities", "entity") == {"project"}
    assert seen("entities", "entities") == {"entities"}


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("boolean", "Yes", True),
        ("boolean", "off", False),
        ("boolean", "2", "2"),
        ("integer", "-7", -7),
        ("integer", "9" * 50, "9" * 50),
        ("integer", "\u00b2", "\u00b2"),
        ("text", "true", "true"),
    ],
)
def test_a_text_is_read_as_the_options_type(kind: str, text: str, value: object) -> None:
    default = {"boolean": False, "integer": 0, "text": ""}[kind]
    option = RecipeOption.model_validate({"type": kind, "default": default, "about": "x"})

    assert option.read(text) == value
    assert type(option.read(text)) is type(value)
    assert (option.problem(option.read(text)) is None) == (kind == "text" or type(value) is not str)
