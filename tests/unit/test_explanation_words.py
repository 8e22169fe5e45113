"""What the terminal and comments say alike of a phase and why it is as it is."""

from dataclasses import replace

from bot.history.causes import Change, Missing, NeverMade, NewerNeed, PlanChange, RecipeChange
from bot.history.explanation import Explanation, explain
from bot.history.explanation_words import made_words, main_cause, reason_words, status_words
from bot.history.ledger import derive_state
from bot.history.run_state import Commit
from tests.unit.values import bot_commit, build_phase

CORE = build_phase("core", "app/core.py", "app/config.py")
TITLE = PlanChange("entities.Post.fields.title", "Post.title", "string", "text", (Change("1" * 40, "alice"),))


def _explain(made: Commit) -> Explanation:
    return explain(CORE, derive_state("blog", {}, [made]), [made])


def test_the_state_says_why_a_phase_is_outdated() -> None:
    assert status_words(_explain(bot_commit(1, CORE)).state) == "complete"
    assert status_words(_explain(bot_commit(1, CORE, inputs="x")).state) == "complete, outdated: the plan changed"


def test_what_a_phase_was_made_by_and_what_it_cost() -> None:
    made = bot_commit(1, CORE, model="m", tokens=(4100, 1020))
    asked = replace(made, trailers=made.trailers and replace(made.trailers, requested_by="bob"))
    partial = bot_commit(1, CORE, provider="template", status="partial", missing=["app/config.py"])

    assert made_words(_explain(made), "about $1") == "m, 2 files, 4,100 in + 1,020 out tokens, about $1"
    assert made_words(_explain(asked), "") == "m, 2 files, 4,100 in + 1,020 out tokens, asked for by bob"
    assert made_words(_explain(partial), "") == "templates, 1 of 2 files"
    assert made_words(_explain(bot_commit(1, CORE, model="m", fallback=["app/core.py"])), "").endswith(
        "1 of them from the template"
    )


def test_the_main_cause_is_a_field_of_the_plan_before_all_others() -> None:
    assert main_cause([NewerNeed("core"), TITLE, RecipeChange("x")]) == "Post.title: string → text, and 2 more"
    assert main_cause([RecipeChange("x")]) == ""
    assert main_cause([RecipeChange("x", ("a.j2",))]) == "x: a.j2"
    assert main_cause([]) == ""


def test_a_reason_to_make_a_phase_stands_alone() -> None:
    assert reason_words(NeverMade()) == "never made"
    assert reason_words(Missing("a.py", "timeout")) == "missing a.py: timed out"
    assert reason_words(TITLE) == "Post.title: string → text, in 1111111 by alice"
