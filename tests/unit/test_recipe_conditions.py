"""Conditions of recipes: what is wrong with one, and for which plans one holds."""

import pytest

from bot.planning.recipe_conditions import condition_problem, holds, options_of_new_plan
from bot.planning.recipe_model import RecipeOption
from tests.unit.values import read_plan

OPTIONS = {
    "auth": RecipeOption.model_validate(
        {
            "type": "choice",
            "choices": ["none", "jwt"],
            "default": "none",
            "new": "jwt",
            "new-when": "types/password",
            "about": "Who may call.",
        }
    ),
    "count": RecipeOption.model_validate({"type": "integer", "default": 3, "about": "How many."}),
    "on": RecipeOption.model_validate({"type": "boolean", "default": False, "new": True, "about": "Whether."}),
}
OPEN = read_plan("- Cat: name string\n").entities
CLOSED = read_plan("- User: password string\n").entities


@pytest.mark.parametrize("condition", ["options/auth=jwt", "options/count=4", "options/on=true", "types/bytes"])
def test_a_condition_can_be_about_an_option_or_a_type(condition: str) -> None:
    assert condition_problem(condition, OPTIONS) is None


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ("auth", "'auth' is not a condition; write options/NAME=VALUE or types/TYPE"),
        ("options/auth", "is not a condition"),
        ("options/aut=jwt", "'aut' is not an option; did you mean 'auth'?"),
        ("options/auth=jwtt", "'jwtt' is not one of its choices: none, jwt"),
        ("options/count=many", "'many' is not a number without a point"),
        ("types/passwort", "'passwort' is not a type; did you mean 'password'?"),
    ],
)
def test_a_wrong_condition_is_told(condition: str, told: str) -> None:
    assert told in (condition_problem(condition, OPTIONS) or "")


def test_a_condition_on_an_option_compares_what_was_chosen_or_else_the_default() -> None:
    assert holds("options/auth=none", OPEN, OPTIONS, {})
    assert holds("options/auth=jwt", OPEN, OPTIONS, {"auth": "jwt"})
    assert holds("options/count=3", OPEN, OPTIONS, {})
    assert not holds("options/on=true", OPEN, OPTIONS, {})


def test_a_string_named_password_is_a_password() -> None:
    assert holds("types/password", CLOSED, OPTIONS, {})
    assert not holds("types/password", OPEN, OPTIONS, {})
    assert holds("types/string", OPEN, OPTIONS, {})


def test_a_field_that_tells_of_a_deletion_is_a_kind_of_its_own() -> None:
    assert holds("types/deletion", read_plan("- Cat: name string, gone datetime auto delete\n").entities, OPTIONS, {})
    assert not holds("types/deletion", read_plan("- Cat: name string, gone datetime?\n").entities, OPTIONS, {})
    assert condition_problem("types/deletion", OPTIONS) is None


def test_a_new_plan_gets_what_nobody_named() -> None:
    assert options_of_new_plan(OPTIONS, CLOSED, ()) == {"auth": "jwt", "on": True}
    assert options_of_new_plan(OPTIONS, OPEN, ()) == {"on": True}
    assert options_of_new_plan(OPTIONS, CLOSED, ["auth", "on"]) == {}
