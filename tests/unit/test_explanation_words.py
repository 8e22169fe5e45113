"""What the terminal and comments say alike of a phase and why it is as it is."""

from dataclasses import replace

from bot.history.causes import (
    ByPeople,
    Cause,
    Change,
    Conflict,
    Edit,
    Missing,
    NeverMade,
    NewerNeed,
    PlanChange,
    RecipeChange,
    Unmet,
)
from bot.history.explanation import Explanation, explain
from bot.history.explanation_words import made_words, reason_words, status_words, why
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


def _why(*causes: Cause) -> str:
    return why(replace(_explain(bot_commit(1, CORE)), causes=causes))


def test_the_line_of_a_status_is_the_main_cause_and_the_number_of_others() -> None:
    assert (
        _why(NewerNeed("core"), TITLE, RecipeChange("x"))
        == "Post.title: string → text, in 1111111 by alice, and 2 more"
    )
    assert _why(TITLE, Conflict("a.py")) == "a.py: people's version stays, the new one was not written, and 1 more"
    assert _why(RecipeChange("x", ("a.j2",))) == "x: a.j2"
    assert _why(Edit("a.py", (Change("2" * 40, "bob"),))) == "edited a.py, in 2222222 by bob"
    assert _why(ByPeople()) == "made by people, who wrote all of its files"
    assert _why(Unmet("x" * 999)).endswith("\u2026")


def test_a_phase_that_is_complete_or_only_never_made_needs_no_line() -> None:
    assert _why() == ""
    assert _why(NeverMade()) == ""


def test_a_reason_to_make_a_phase_stands_alone() -> None:
    assert reason_words(NeverMade()) == "never made"
    assert reason_words(Missing("a.py", "timeout")) == "missing a.py: timed out"
    assert reason_words(TITLE) == "Post.title: string → text, in 1111111 by alice"
