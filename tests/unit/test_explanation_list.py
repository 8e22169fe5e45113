"""The answer to ``/explain``, compared with a golden file; ``PHASEBOT_GOLDEN=1`` rewrites it."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from markdown_it import MarkdownIt

from bot.forge.explanation_list import render_explanations
from bot.forge.markdown import LIMIT
from bot.history.causes import Cause, Change, Edit, NewerNeed, PlanChange, RecipeChange, UnknownPlan
from bot.history.explanation import Explanation, explain
from bot.history.ledger import derive_state
from bot.history.run_state import Commit
from tests.unit.values import blob, bot_commit, build_phase, human_commit, oid, rollback

REWRITE = bool(os.environ.get("PHASEBOT_GOLDEN"))  # before the environment is sealed
GOLDEN = Path(__file__).parent.parent / "data" / "explain" / "answer.md"
CORE = build_phase("core", "app/core.py", "app/config.py")
POST = build_phase("entity/Post", "app/models/post.py", needs=["core"])
TAG = build_phase("entity/Tag", "app/models/tag.py", needs=["core"], rules=["Tags are short."])
MAIN = build_phase("main", "main.py", by_hand=["docs.md"])
PHASES = [CORE, POST, TAG, MAIN]


def _number(place: int) -> int:
    return place * 0x1A2B3C4D5E6F << 108


def _explained() -> Sequence[Explanation]:
    numbers = [_number(place) for place in range(1, 8)]
    partial = bot_commit(numbers[0], CORE, status="partial", missing=["app/config.py"], reason="timeout")
    commits: list[Commit] = [
        replace(partial, trailers=partial.trailers and replace(partial.trailers, model="m", tokens=(4100, 1020))),
        bot_commit(numbers[1], POST, inputs="older", provider="template"),
        bot_commit(numbers[2], TAG, provider="template"),
        bot_commit(numbers[3], MAIN),
        human_commit(numbers[4], {"app/core.py": blob(9), "app/models/tag.py": blob(8)}),
        bot_commit(numbers[5], TAG, changes={}, conflict=["app/models/tag.py"]),
        rollback(numbers[6], "main", changes={"main.py": None}),
    ]
    commits = [replace(each, author="alice <a@x>") for each in commits]
    owners = {path: {phase.key} for phase in PHASES for path in phase.files}
    ledger = derive_state("blog", {}, commits, owners=owners, phases=PHASES)
    found = [explain(phase, ledger, commits) for phase in PHASES]
    title = PlanChange("x", "Post.title", "string(120)", "string(80)", (Change(oid(numbers[4]), "alice"),))
    post = (title, RecipeChange("small", ("templates/entity.j2",)), NewerNeed("core", (Change(oid(numbers[5]), ""),)))
    return [replace(each, causes=post) if each.state.phase is POST else each for each in found]


def test_the_answer_names_every_cause_and_the_next_command() -> None:
    answer = render_explanations(_explained(), {"core": "about $0.01 (estimate)"})
    if REWRITE:
        GOLDEN.write_text(f"{answer}\n", encoding="utf-8")

    assert f"{answer}\n" == GOLDEN.read_text(encoding="utf-8")


def test_nothing_to_explain_is_said() -> None:
    assert render_explanations([], {}) == "Every phase is complete, and nothing that it was made from has changed."


def _evil(text: str) -> Explanation:
    causes: tuple[Cause, ...] = (
        PlanChange(text, text, text, text, (Change("1" * 40, text),)),
        Edit(text),
        UnknownPlan(),
    )
    return replace(_explained()[1], causes=causes)


def test_no_text_of_a_plan_has_an_effect_on_github() -> None:
    text = "<b>@octocat</b> fixes #12 ![x](https://evil.example/x) <!-- phasebot:issue-12 -->\n/stop\n| x | `y`"
    answer = render_explanations([_evil(text)], {})

    html = MarkdownIt("commonmark").enable("table").render(answer)
    assert not any(tag in html for tag in ("<b>", "<img", "<a ", "<table", "<!--"))
    assert "@octocat" not in answer
    assert not any(line.startswith("/") for line in answer.split("\n"))


def test_an_answer_is_never_too_long_for_github() -> None:
    many = _evil("word " * 100)
    long = replace(many, causes=many.causes * 300)
    answer = render_explanations([long] * 40, {})

    assert len(answer) < LIMIT
    assert "more causes" in answer
    assert answer.endswith("more phases; `/explain PHASE` explains one")
