"""The words of causes: what people wrote can't make more of them than a line of text."""

from collections.abc import Sequence

import pytest

from bot.history.causes import (
    ByPeople,
    Cause,
    Change,
    Conflict,
    Edit,
    Kept,
    Missing,
    NewerNeed,
    PlanChange,
    RecipeChange,
    Reverted,
    UnknownPlan,
    Unmet,
    sentence,
)
from bot.text import is_printable

ALICE, BOB = Change("8c1d220" + "0" * 33, "alice"), Change("77aa210" + "0" * 33, "bob")


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (
            PlanChange("entities.Post.fields.title", "Post.title", "string(120)", "string(80)", (ALICE,)),
            "Post.title: string(120) → string(80), in 8c1d220 by alice",
        ),
        (
            PlanChange("x", "Post.slug", None, "string?", (ALICE, BOB)),
            "Post.slug: added, string?, in 8c1d220 by alice, 77aa210 by bob",
        ),
        (PlanChange("x", "Tag", None, ""), "Tag: added"),
        (PlanChange("x", "Tag", "", None), "Tag: removed"),
        (PlanChange("x", "description", "", "A blog."), "description: nothing → A blog."),
        (RecipeChange("small", ("templates/a.j2", "recipe.yaml")), "small: templates/a.j2, recipe.yaml"),
        (RecipeChange("fastapi"), "fastapi: other version than the one it was made with"),
        (RecipeChange("small", (), "fastapi"), "it was made with fastapi, not with small"),
        (NewerNeed("core", (BOB,)), "core is newer, in 77aa210 by bob"),
        (NewerNeed("core"), "core is not made"),
        (Edit("a.py", (Change("1" * 40, ""),)), "a.py, in 1111111"),
        (Edit("a.py"), "a.py (before this run)"),
        (Missing("a.py", "timeout"), "a.py: timed out"),
        (Missing("a.py", "of-a-later-release"), "a.py: another reason"),
        (Reverted((ALICE,)), "it was rolled back, in 8c1d220 by alice"),
        (Unmet("Be fast."), "templates can't carry out: Be fast."),
    ],
)
def test_a_cause_is_one_sentence(cause: Cause, words: str) -> None:
    assert sentence(cause) == words


def test_of_many_commits_the_newest_are_named() -> None:
    many = tuple(Change(f"{number}" * 40, "") for number in range(1, 6))

    assert sentence(Edit("a.py", many)) == "a.py, in 3333333, 4444444, 5555555 and 2 more"


_EVIL = "x\n::error::\x1b[31m\u202e" + "y" * 500


@pytest.mark.parametrize(
    "causes",
    [
        [PlanChange(_EVIL, _EVIL, _EVIL, _EVIL, (Change("1" * 40, _EVIL),)), PlanChange(_EVIL, _EVIL, None, _EVIL)],
        [RecipeChange(_EVIL, (_EVIL,)), RecipeChange(_EVIL, (), _EVIL), NewerNeed(_EVIL)],
        [Edit(_EVIL), Missing(_EVIL), Conflict(_EVIL), Kept(_EVIL), Unmet(_EVIL)],
        [UnknownPlan(), ByPeople((Change("1" * 40, _EVIL),))],
    ],
)
def test_hostile_names_and_values_stay_on_one_printable_line_of_bounded_length(causes: Sequence[Cause]) -> None:
    for cause in causes:
        assert is_printable(sentence(cause)), cause
        assert len(sentence(cause)) < 800
