"""The second look at a spec: no sentence is lost, and if the look fails, the plan stands and a note says so."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from bot.engine.first_plan import wait_for_plan
from bot.generation.llm.client import ModelRequest, ModelResponse
from bot.generation.llm.planner import Planner
from bot.generation.llm.retry_policy import FailureKind, ModelError
from bot.generation.llm.token_budget import TokenBudget
from bot.generation.provider import ProposedPlan, Tokens
from bot.planning.resolved_plan import ProseSpec, ResolvedPlan, resolve_spec
from tests.gemini_server import as_proposed, covered
from tests.repositories import planned
from tests.unit.test_llm_provider import ScriptedModel, client_of

_COST = Tokens(100, 20)
_TEXT = (
    "# Tools\nA shop hires tools out. A tool has a name. It is hired for 30 days at most. Send a mail the day before."
)
_LAST = 5
_PLAN = {
    "project": "Tools",
    "description": "A shop hires tools out.",
    "entities": [
        {"name": "Tool", "fields": ["name string"]},
        {"name": "Hire", "fields": ["days integer(1..30)", "tool -> Tool"]},
    ],
    "features": [{"name": "Report", "does": "`GET /report` counts hires.", "uses": ["Hire"]}],
    "left_out": [],
}
_NOTE = (
    "planning the spec shop.md: whether the plan has every sentence was not checked ({}); "
    "compare the plan with the text before you merge"
)

Answer = Mapping[str, Any] | str | ModelError


def _plan(
    *answers: Answer, text: str = _TEXT, exact: ResolvedPlan | None = None, limit: int | None = None
) -> tuple[ProposedPlan, Sequence[ModelRequest]]:
    """Plan with a model that gives *answers* one after the other, the last one again and again."""

    def script(number: int, *_: object) -> ModelResponse | ModelError:
        given = answers[min(number, len(answers)) - 1]
        if isinstance(given, ModelError):
            return given
        return ModelResponse(given if isinstance(given, str) else json.dumps(given), _COST)

    model, budget = ScriptedModel(script), TokenBudget(limit)
    spec = ProseSpec(text, "the spec shop.md", "", "tools", "fastapi", ".", exact=exact)
    proposed = asyncio.run(Planner(client_of(model, budget=budget), budget).plan(spec))
    return proposed, [question for _, question in model.asked]


def _found(number: int, kind: str, of: str = "", text: str = "", **more: object) -> dict[str, Any]:
    return covered(range(1, _LAST + 1), {"number": number, "kind": kind, "of": of, "text": text, **more})


def test_a_plan_that_has_every_sentence_stays() -> None:
    proposed, asked = _plan(_PLAN, covered(range(1, _LAST + 1)))

    assert (
        as_proposed(proposed.planned.plan)["entities"]
        == as_proposed(_plan(_PLAN, text="Short.")[0].planned.plan)["entities"]
    )
    assert (len(asked), proposed.tokens, proposed.planned.notes) == (2, Tokens(200, 40), ())
    assert asked[1].system == asked[0].system
    assert proposed.planned.text in asked[1].parts[0]
    assert "2. A shop hires tools out.\n3. A tool has a name.\n4. It is" in asked[1].parts[1]


@pytest.mark.parametrize(
    ("found", "value", "of"),
    [
        (_found(5, "left_out", text="mail the day before"), ("mail the day before",), lambda plan: plan.left_out),
        (_found(4, "rule", "Hire", "30 days (422)."), ("30 days (422).",), lambda plan: plan.entities[1].rules),
        (_found(4, "rule", "Report", "30 days."), ("30 days.",), lambda plan: plan.features[0].rules),
        (_found(4, "rule", "project", "30 days."), ("30 days.",), lambda plan: plan.rules),
        (_found(4, "instruction", "main", "Log hires."), {"main": "Log hires."}, lambda plan: dict(plan.instructions)),
        (_found(4, "rule", text="30 days."), ("30 days.",), lambda plan: plan.rules),
        (_found(3, "field", "Tool", "made date?"), "made", lambda plan: plan.entities[0].fields[1].name),
        (_found(3, "field", "Shop", "name string"), "Shop", lambda plan: plan.entities[2].name),
        (_found(5, "features", "Due", "Lists hires.", uses=["Hire"]), ("Hire",), lambda plan: plan.features[1].uses),
        (_found(5, "features", "Report", "And so on."), "s.\nAnd so on.", lambda plan: plan.features[0].does[-13:]),
    ],
)  # fmt: skip
def test_what_a_plan_lacks_is_added(found: Answer, value: object, of: Callable[[Any], object]) -> None:
    proposed, asked = _plan(_PLAN, found)

    assert of(proposed.planned.plan) == value
    assert len(asked) == 2
    assert proposed.planned.notes == ()


def test_a_sentence_can_become_several_things() -> None:
    answer = covered(
        [1, 2, 3],
        {"number": 4, "kind": "rule", "of": "Hire", "text": "One."},
        {"number": 4, "kind": "rule", "of": "Hire", "text": "Two."},
        {"number": 4, "kind": "rule", "of": "Hire", "text": "One."},
        {"number": 5, "kind": "background"},
    )

    assert _plan(_PLAN, answer)[0].planned.plan.entities[1].rules == ("One.", "Two.")


_BROKEN = [
    (covered([1, 2, 3]), "there is no answer for the sentences 4, 5"),
    (_found(4, "rule", "Hires", "x"), "a rule is for 'Hires', which the plan does not have; did you mean 'Hire'?"),
    (_found(4, "rule", "Hire"), "sentence 4: it is a 'rule', so 'text' has to say it"),
    (_found(4, "covered", "Mail"), "sentence 4: it is not covered by 'Mail', which the plan does not have"),
    (_found(4, "covered"), "sentence 4: it is not covered by ''"),
    (_found(4, "dropped", "Hire", "x"), "sentence 4: kind 'dropped' is not known; use one of: covered, background,"),
    (_found(4, "instruction", "mian", "x"), "instructions: there is no phase 'mian'; did you mean 'main'?"),
    (_found(6, "background"), "sentence 6 does not exist; the last one is 5"),
    (_found(4, "field", "Hire", "days strng"), "Hire: field 'days strng': unknown type 'strng'; did you"),
    (_found(4, "field", "Hire", "days integer"), "Hire.days: name 'days' is used twice in Hire"),
    (_found(4, "features", "Hire", "x"), "Hire is defined twice"),
    (_found(4, "rule", "Hire", "x" * 1_001), "has 1,001 characters"),
    (_found(4, "left_out", text=f"ghp_{'1aB' * 12}"), "a GitHub token"),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "fault"), _BROKEN, ids=[fault for _, fault in _BROKEN])
def test_what_can_t_be_added_is_sent_back_once_with_the_reason(answer: Answer, fault: str) -> None:
    mended, asked = _plan(_PLAN, answer, _found(5, "left_out", text="mail"))

    assert len(asked) == 3
    assert fault in asked[2].parts[-1].rpartition("</answer>")[2]
    assert (mended.planned.plan.left_out, mended.planned.notes) == (("mail",), ())

    failed, asked = _plan(_PLAN, answer)
    assert len(asked) == 3
    assert failed.planned.text == _plan(_PLAN, text="Short.")[0].planned.text
    assert fault in failed.planned.notes[0]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("Sure!", "first: unreadable response: it is not JSON"),
        ("{}", "it is not a list of sentences: sentences: Field required"),
        ('{"sentences": [{"number": "x", "kind": "rule"}]}', "sentences.0.number"),
        (ModelError(FailureKind.BLOCKED, "no"), "first: blocked: no"),
        (ModelError(FailureKind.KEY, "no"), "asking first: API key rejected: no"),
    ],
)
def test_if_the_second_look_fails_the_plan_stands_and_a_note_says_so(answer: Answer, reason: str) -> None:
    proposed, _ = _plan(_PLAN, answer)

    assert proposed.planned.plan.entities[1].name == "Hire"
    assert reason in proposed.planned.notes[0]
    before, after = _NOTE.split("{}")
    assert proposed.planned.notes[0].startswith(before)
    assert proposed.planned.notes[0].endswith(after)


def test_a_spent_budget_ends_the_second_look_and_not_the_plan() -> None:
    proposed, asked = _plan(_PLAN, limit=150)

    assert (len(asked), proposed.tokens) == (1, _COST)
    assert "of 150 tokens are used" in proposed.planned.notes[0]


@pytest.mark.parametrize(("asked", "is_planned"), [(1, False), (2, True)])
def test_a_run_that_stops_during_the_second_look_keeps_its_plan(asked: int, is_planned: bool) -> None:  # noqa: FBT001
    stop, budget = asyncio.Event(), TokenBudget()

    async def answer() -> ModelResponse:
        stop.set()
        await asyncio.Event().wait()
        raise AssertionError

    plan = ModelResponse(json.dumps(_PLAN), _COST)
    model = ScriptedModel(lambda number, *_: answer() if number == asked else plan)
    spec = ProseSpec(_TEXT, "the spec shop.md", "", "tools", "fastapi", ".")

    async def work() -> ProposedPlan | None:
        return await wait_for_plan(Planner(client_of(model, budget=budget), budget).plan(spec), stop, None)

    proposed = asyncio.run(work())

    assert (proposed is not None, len(model.asked)) == (is_planned, asked)
    if proposed:
        assert proposed.planned.notes == (_NOTE.format("the run was stopped first"),)
        assert proposed.tokens == _COST


@pytest.mark.parametrize(
    ("text", "looks"),
    [
        ("A shop hires tools out.", 1),
        ("# Tools\n\nA shop hires tools out.", 1),
        ("A shop hires tools out. It sends mail.", 2),
        ("A shop hires tools out, " * 10, 2),
    ],
)
def test_a_spec_of_one_short_sentence_is_not_looked_at_again(text: str, looks: int) -> None:
    sentences = range(1, 3 if "mail" in text else 2)

    assert len(_plan(_PLAN, covered(sentences), text=text)[1]) == looks


# ---- beside an exact plan

_EXACT = planned(
    "# Tools\n\n- Tool: name string(80) unique, in_stock integer(0..)\n- Hire: days integer, tool -> Tool\n", "fastapi"
)
_HIRE_RULES = {"name": "Hire", "rules": ["`days` is at most 30 (422)."]}
_RULES = {
    "entities": [_HIRE_RULES],
    "features": [{"name": "Return", "does": "`POST /hires/{id}/return` ends a hire.", "uses": ["Hire", "Tool"]}],
    "rules": ["Lists are sorted by id."],
    "instructions": [{"phase": "support", "text": "The README is short."}],
    "left_out": ["mail"],
}
_TRICKS: Sequence[Mapping[str, Any]] = [
    {"name": "Tool", "fields": ["name text"]},
    {"name": "Tool", "fields": [{"name": "name", "type": "integer"}], "unique": ["name, in_stock"]},
    {"name": "Tool", "plural": "things", "table": "things", "access": "read anyone", "index": ["name, in_stock"]},
    {"name": "Tool", "fields": []},
]


def test_beside_an_exact_plan_prose_becomes_rules_features_and_what_is_left_out() -> None:
    proposed, asked = _plan(_RULES, covered([1]), text="Mind the rules.", exact=_EXACT)

    plan = proposed.planned.plan
    assert [entity.fields for entity in plan.entities] == [entity.fields for entity in _EXACT.plan.entities]
    assert [entity.rules for entity in plan.entities] == [(), ("`days` is at most 30 (422).",)]
    assert [feature.name for feature in plan.features] == ["Return"]
    assert (plan.rules, plan.left_out) == (("Lists are sorted by id.",), ("mail",))
    assert dict(plan.instructions) == {"support": "The README is short."}
    assert (plan.project, plan.description) == (_EXACT.plan.project, _EXACT.plan.description)
    assert _EXACT.text in asked[0].parts[0]


@pytest.mark.parametrize("trick", _TRICKS)
def test_whatever_a_model_says_of_exact_entities_they_stay_to_the_letter(trick: Mapping[str, Any]) -> None:
    answer = {**_RULES, "project": "Other", "recipe": "x", "entities": [_HIRE_RULES, trick]}

    plan = _plan(answer, covered([1]), text="Mind the rules.", exact=_EXACT)[0].planned.plan

    without_rules = [entity.model_copy(update={"rules": ()}) for entity in plan.entities]
    assert without_rules == list(_EXACT.plan.entities)
    assert plan.project == _EXACT.plan.project


@pytest.mark.parametrize(
    ("entity", "fault"),
    [
        ({"name": "Tools", "rules": ["x"]}, "'Tools' is not an entity of the plan, which gets none; did you mean"),
        ({"name": "Rating", "fields": ["stars integer"]}, "'Rating' is not an entity of the plan"),
        ({"name": "Tool", "fields": ["price decimal"]}, "Tool: its fields are exact, and 'price' is none of them"),
        ({"name": "Tool", "fields": [{"name": "price", "type": "decimal"}]}, "'price' is none of them"),
    ],
)  # fmt: skip
def test_what_an_exact_plan_does_not_have_is_sent_back(entity: Mapping[str, Any], fault: str) -> None:
    proposed, asked = _plan({"entities": [entity]}, _RULES, text="Mind the rules.", exact=_EXACT)

    assert fault in asked[1].parts[-1].rpartition("</answer>")[2]
    assert proposed.planned.plan.left_out == ("mail",)


def test_beside_an_exact_plan_the_second_look_adds_no_field() -> None:
    text = "Tools have a price. Hires end."
    field = covered([2], {"number": 1, "kind": "field", "of": "Tool", "text": "price decimal"})
    left_out = covered([2], {"number": 1, "kind": "left_out", "text": "a price of tools"})

    proposed, asked = _plan({"left_out": []}, field, left_out, text=text, exact=_EXACT)

    assert "sentence 1: the entities are exact and get no field" in asked[2].parts[-1]
    assert proposed.planned.plan.left_out == ("a price of tools",)
    assert proposed.planned.plan.entities == _EXACT.plan.entities


def test_what_was_told_of_the_exact_part_is_told_still() -> None:
    exact = ResolvedPlan(_EXACT.plan, _EXACT.recipe, _EXACT.phases, _EXACT.text, name="more", notes=("a note",))

    proposed, _ = _plan(_RULES, text="Mind the rules.", exact=exact)

    assert (proposed.planned.notes, proposed.planned.slug) == (("a note",), "more")


def test_of_an_exact_spec_with_prose_only_the_prose_is_asked_about() -> None:
    text = (
        "# Tools\n\nTools for hire.\n\n- Tool: name string unique, in_stock integer(0..)\n"
        "- Hire: quantity integer, tool -> Tool\n  - a hire ends (409)\n\n"
        "Quantity must be at least 1. A hire is refused\nwhen fewer tools are left.\n\n## Rules\n- Lists are sorted.\n"
    )
    spec = resolve_spec(text, source="the spec shop.md", recipe="fastapi")
    assert isinstance(spec, ProseSpec)

    rules = {"entities": [{"name": "Hire", "rules": ["`quantity` is at least 1 (422)."]}], "left_out": []}
    found = covered([1, 2], {"number": 3, "kind": "rule", "of": "Hire", "text": "Refused if too few are left (409)."})
    proposed, asked = _plan(rules, found, text=text, exact=spec.exact)

    prose = "Tools for hire.\n\nQuantity must be at least 1. A hire is refused\nwhen fewer tools are left."
    assert asked[0].parts[1] == f"<spec>\n{prose}\n</spec>\n"
    assert asked[1].parts[1].split("\n")[1:-2] == [
        "1. Tools for hire.",
        "2. Quantity must be at least 1.",
        "3. A hire is refused when fewer tools are left.",
    ]
    assert proposed.planned.plan.entities[1].rules == (
        "a hire ends (409)",
        "`quantity` is at least 1 (422).",
        "Refused if too few are left (409).",
    )
    assert proposed.planned.plan.rules == ("Lists are sorted.",)


def test_the_recipe_of_an_exact_part_is_the_recipe() -> None:
    spec = ProseSpec("Mind the rules.", "the spec", "", "tools", "no-such-recipe", ".", exact=_EXACT)

    assert spec.load_recipe() is _EXACT.recipe
