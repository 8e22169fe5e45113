"""Plans that a model makes of prose: they follow the same rules, and are sent back a limited number of times."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import NoModelAnswered, ProviderError, UsageError
from bot.generation.llm.client import ModelRequest, ModelResponse
from bot.generation.llm.planner import REPAIRS, Planner
from bot.generation.llm.retry_policy import RETRY_POLICY, FailureKind, ModelError
from bot.generation.llm.token_budget import TokenBudget
from bot.generation.provider import ProposedPlan, Tokens
from bot.planning.recipe import load_recipe
from bot.planning.resolved_plan import ProseSpec, resolve_plan_file
from bot.planning.schema_changes import MigrationStart
from tests.gemini_server import Author, as_proposed
from tests.unit.test_llm_provider import ScriptedModel, client_of
from tests.unit.values import write_recipe

_COST = Tokens(100, 20)
_BLOG = Author().laid.plan


def _described(text: str = "A blog with posts.", **more: str) -> ProseSpec:
    values = {"source": "the spec blog.md", "project": "", "name": "blog", "recipe": "fastapi", "output_dir": "."}
    return ProseSpec(text=text, base=None, **(values | more))  # type: ignore[arg-type]  # texts only


def _entity(*fields: Mapping[str, object], name: str = "Post", **more: object) -> dict[str, object]:
    return {"name": name, "fields": list(fields or [_field()]), **more}


def _field(name: str = "title", kind: str = "string", **more: object) -> dict[str, object]:
    return {"name": name, "type": kind, **more}


def _proposal(*entities: Mapping[str, object], **more: object) -> dict[str, Any]:
    return {"project": "Blog", "description": "A blog.", "entities": list(entities), **more}


def _told(proposal: object) -> str:
    return proposal if isinstance(proposal, str) else json.dumps(proposal)


def _plan(
    *proposals: object, described: ProseSpec | None = None, model: ScriptedModel | None = None
) -> tuple[ProposedPlan, list[ModelRequest]]:
    """Plan with a model that gives *proposals* one after the other, the last one again and again."""
    model = model or _model(*proposals)
    budget = TokenBudget()
    proposed = asyncio.run(Planner(client_of(model, budget=budget), budget).plan(described or _described()))
    return proposed, [question for _, question in model.asked]


def _model(*proposals: object) -> ScriptedModel:
    return ScriptedModel(lambda number, *_: ModelResponse(_told(proposals[min(number, len(proposals)) - 1]), _COST))


def _prompt(question: ModelRequest) -> str:
    return "".join(question.parts)


# ---- what can be built


def test_a_good_proposal_is_the_plan_it_was_written_from() -> None:
    proposed, asked = _plan(as_proposed(_BLOG))

    assert proposed.planned.plan == _BLOG
    phases = proposed.planned.on(MigrationStart()).phases
    assert [phase.inputs for phase in phases] == [phase.inputs for phase in Author().laid.phases]
    assert (proposed.model, proposed.tokens, len(asked)) == ("first", _COST, 1)


def test_a_description_that_adds_to_a_project_changes_its_plan_and_keeps_its_name() -> None:
    base = resolve_plan_file(Author().laid.text, source="x", output_dir=".")
    entities = [*as_proposed(_BLOG)["entities"], _entity(name="Category")]
    described = replace(_described("Posts have categories."), base=base)

    proposed, asked = _plan(_proposal(*entities, project="Other"), described=described)

    assert base.text in _prompt(asked[0])
    assert proposed.planned.plan.project == _BLOG.project
    assert [each.name for each in proposed.planned.plan.entities][-1] == "Category"
    before = {phase.key: phase.inputs for phase in base.phases}
    assert [phase.key for phase in proposed.planned.phases if before.get(phase.key) != phase.inputs] == [
        "plan",
        "entity/Category",
        "support",
        "main",
    ]


def test_the_text_of_the_plan_reads_back_as_the_plan() -> None:
    proposed, _ = _plan(as_proposed(_BLOG) | {"description": "One.\n\nTwo: # \u00fc \u4e16"})

    read = resolve_plan_file(proposed.planned.text, source="the plan", output_dir=".")
    assert (read.plan, read.text, read.phases) == (
        proposed.planned.plan,
        proposed.planned.text,
        proposed.planned.phases,
    )


def test_every_property_of_a_field_arrives() -> None:
    fields = [
        _field("slug", unique=True),
        _field("state", "enum", choices=["draft", "out"], default="draft", index=True),
        _field("price", "decimal", optional=True),
        _field("parent", "relation", target="Post", optional=True),
        _field("made", "datetime", default="now"),
        _field("note", "text", default='it\'s "quoted", = and -> too'),
    ]

    proposed, _ = _plan(_proposal(_entity(*fields)))

    made = proposed.planned.plan.entities[0].fields
    assert [field.model_dump(exclude_defaults=True, mode="json") for field in made] == fields


def test_instructions_land_under_their_entity() -> None:
    proposed, _ = _plan(
        _proposal(_entity(instruction=" A title has no digits (422).\n"), _entity(name="Tag", instruction=" \n "))
    )

    plan, phases = proposed.planned.plan, {phase.key: phase for phase in proposed.planned.phases}
    assert dict(plan.instructions) == {"entity/Post": "A title has no digits (422)."}
    assert phases["entity/Post"].slice["instruction"] == "A title has no digits (422)."
    assert "instruction" not in phases["entity/Tag"].slice


def test_instructions_for_other_phases_arrive_in_two_forms() -> None:
    for form in ([{"phase": "support", "text": "The README is short."}], {"support": "The README is short."}):
        proposed, _ = _plan(_proposal(_entity(), instructions=form))

        assert dict(proposed.planned.plan.instructions) == {"support": "The README is short."}


def test_what_is_empty_means_nothing() -> None:
    field = _field(unique=False, index=False, optional=False, default="", choices=[], target="")

    proposed, asked = _plan(_proposal(_entity(field, instruction="")))

    assert proposed.planned.plan.entities[0].fields[0].model_dump(exclude_defaults=True) == _field()
    assert len(asked) == 1


def test_null_means_nothing_too() -> None:
    proposed, _ = _plan(_proposal(_entity(_field(default=None, choices=None, target=None))))

    assert proposed.planned.plan.entities[0].fields[0].model_dump(exclude_defaults=True) == _field()


def test_what_the_model_adds_is_ignored() -> None:
    field = _field(comment="the title", max_length=20, primary_key=True)

    proposed, _ = _plan(
        _proposal(_entity(field, colour="red"), recipe="../evil", secrets={"core": "x"}, **{"output-dir": "/"})
    )

    plan = proposed.planned.plan
    assert (plan.recipe, plan.output_dir, plan.instructions) == ("fastapi", ".", {})
    assert plan.entities[0].fields[0].model_dump(exclude_defaults=True) == _field()


@pytest.mark.parametrize(
    ("heading", "proposed", "name", "project"),
    [
        ("My Blog", "Other", "my-blog", "My Blog"),
        ("", "Other", "blog", "Other"),
        ("", "", "blog", "blog"),
        ("", "\u5546\u5e97", "blog", "\u5546\u5e97"),
    ],
)
def test_the_project_is_named_by_heading_then_model_then_run(
    heading: str, proposed: str, name: str, project: str
) -> None:
    described = _described(project=heading, name=name)

    assert _plan(_proposal(_entity(), project=proposed), described=described)[0].planned.plan.project == project


def test_recipe_and_folder_are_the_person_s() -> None:
    proposed, _ = _plan(_proposal(_entity()), described=_described(output_dir="api"))

    assert proposed.planned.plan.output_dir == "api"
    assert next(iter(proposed.planned.phases[1].files)).startswith("api/")


# ---- what is asked


@pytest.mark.parametrize(
    "text",
    [
        "A shop with items.",
        "Ein Laden: Artikel haben einen Namen und einen Preis in \u20ac.",
        "\u5546\u5e97\u3002\u6bcf\u4ef6\u5546\u54c1\u90fd\u6709\u540d\u79f0\u548c\u4ef7\u683c\u3002",
        "\u041c\u0430\u0433\u0430\u0437\u0438\u043d \u0441 \u0442\u043e\u0432\u0430\u0440\u0430\u043c\u0438.",
        "\u0645\u062a\u062c\u0631 \u0628\u0647 \u0645\u0646\u062a\u062c\u0627\u062a",
        "\u0e23\u0e49\u0e32\u0e19\u0e04\u0e49\u0e32\u0e21\u0e35\u0e2a\u0e34\u0e19\u0e04\u0e49\u0e32",
    ],
)
def test_a_description_in_any_language_is_asked_for_as_it_is_and_planned(text: str) -> None:
    proposed, asked = _plan(_proposal(_entity(), description=text), described=_described(text))

    assert asked[0].parts == [f"<spec>\n{text}\n</spec>\n"]
    assert proposed.planned.plan.description == text
    assert text in proposed.planned.text


def test_the_model_is_told_which_names_are_reserved() -> None:
    _, asked = _plan(_proposal(_entity()))

    reserved = load_recipe("fastapi").reserved
    assert all(f"`{name}`" in asked[0].system for name in reserved.entities | reserved.fields)


def test_a_recipe_without_prompts_can_t_plan_and_nothing_is_asked(tmp_path: Path) -> None:
    write_recipe(tmp_path)
    model = _model(_proposal(_entity()))

    with pytest.raises(UsageError, match="no prompts"):
        _plan(model=model, described=_described(recipe=str(tmp_path)))

    assert model.asked == []


# ---- what breaks a rule

_BROKEN = [
    (_proposal(), "it has no entities"),
    (_proposal(_entity(_field("author", "relation", target="User"))), "unknown entity 'User'"),
    (_proposal(_entity(_field("author", "relation"))), "unknown entity"),
    (_proposal(_entity(_field("next", "relation", target="Post"))), "cycle"),
    (_proposal(_entity(name="Doc")), "'Doc' is reserved"),
    (_proposal(_entity(_field("id", "integer"))), "'id' is reserved"),
    (_proposal(_entity(_field("class"))), "'class' is a Python keyword"),
    (_proposal(_entity(name="None")), "'None' is a Python keyword"),
    (_proposal(_entity(name="blog post")), "is not a valid entity name"),
    (_proposal(_entity(name="\u5546\u54c1")), "is not a valid entity name"),
    (_proposal(_entity(_field("Title"))), "is not a valid field name"),
    (_proposal(_entity(_field("title "))), "is not a valid field name"),
    (_proposal({"name": "Post", "fields": []}), "has no fields"),
    (_proposal(_entity(_field("count", "integer", default="many"))), "does not fit type integer"),
    (_proposal(_entity(_field("state", "enum", choices=["a"], default="b"))), "write one of: a"),
    (_proposal(_entity(_field("state", "enum"))), "an enum needs"),
    (_proposal(_entity(_field("state", "enum", choices=["a b"]))), "enum choice 'a b'"),
    (_proposal(_entity(_field("author", "relation", target="Post", default="1"))), "can't have a default"),
    (_proposal(_entity(), _entity()), "entity Post is defined twice"),
    (_proposal(_entity(), _entity(name="POST")), "would share the"),
    (_proposal(_entity(_field(), _field())), "name 'title' is used twice"),
    (_proposal(_entity(_field(kind="varchar"))), "entities.0.fields.0.type"),
    (_proposal(_entity(name="Con")), "reserved on Windows"),
    (_proposal(_entity(), project="x" * 101), "project"),
    (_proposal(_entity(), description="\u202etxt"), "U+202E"),
    (_proposal(*(_entity(name=f"E{number}") for number in range(501))), "501 entities are too many"),
    (_proposal(_entity(instruction="x" * 4_001)), "the instruction for entity/Post has 4,001 characters"),
    (_proposal(_entity(), instructions=[{"phase": "supprt", "text": "x"}]), "'supprt'; did you mean 'support'?"),
    (_proposal(_entity(), options={"theme": "dark"}), "it has no option 'theme'"),
    (_proposal(_entity(rules=["x" * 1_001])), "has 1,001 characters; the limit is 1,000: split it"),
    (_proposal(_entity(rules=["a\u202eb"])), "U+202E"),
    (_proposal(_entity(unique=["title, owner"])), "'owner' is not a field; fields are: title"),
    (_proposal({"name": "Post", "fields": ["title strng"]}), "did you mean 'string'?"),
    (_proposal({"name": "Post", "fields": ["title string(9..3)"]}), "Post.title: "),
    (_proposal(_entity(), features=[{"name": "Feed", "does": "x", "uses": ["Pots"]}]), "did you mean 'Post'?"),
    (_proposal(_entity(), features=[{"name": "Feed"}]), "Feed does not say what it does"),
    (_proposal(_entity(), features=[{"name": "Post", "does": "x"}]), "Post is defined twice"),
    (_proposal(_entity(), left_out=["\u202e"]), "left_out"),
    (_proposal(_entity(), left_out=[f"ghp_{'1aB' * 12}"]), "a GitHub token"),
    (_proposal(_entity(rules=[f"Refuse ghp_{'1aB' * 12} (403)."])), "a GitHub token"),
    (_proposal(_entity(), features=[{"name": "Feed", "does": f"Sends ghp_{'1aB' * 12}"}]), "a GitHub token"),
    (_proposal({"name": "Post", "fields": [f'title string "ghp_{"1aB" * 12}"']}), "a GitHub token"),
    (_proposal(_entity(), rules=[f"ghp_{'1aB' * 12}"]), "a GitHub token"),
    (_proposal(_entity(), instructions={"main": f"ghp_{'1aB' * 12}"}), "a GitHub token"),
]
_IDS = [reason for _, reason in _BROKEN]


@pytest.mark.parametrize(("proposal", "reason"), _BROKEN, ids=_IDS)
def test_a_proposal_that_breaks_a_rule_is_sent_back_with_the_rule(proposal: object, reason: str) -> None:
    proposed, asked = _plan(proposal, as_proposed(_BLOG))

    assert len(asked) == 2
    assert proposed.planned.plan == _BLOG
    assert asked[1].parts[0] == asked[0].parts[0]
    assert f"<answer>\n{_told(proposal)}\n</answer>\n" in asked[1].parts[1]
    assert reason in asked[1].parts[1].rpartition("</answer>")[2]
    assert proposed.tokens == Tokens(200, 40)


@pytest.mark.parametrize(("proposal", "reason"), _BROKEN, ids=_IDS)
def test_a_rule_that_stays_broken_is_told_to_the_person(proposal: object, reason: str) -> None:
    model = _model(proposal)

    with pytest.raises(NoModelAnswered) as caught:
        _plan(model=model)

    assert len(model.asked) == 1 + REPAIRS
    first_line = str(caught.value).split("\n")[0]
    assert first_line.startswith(f"planning the spec blog.md: after {REPAIRS} repairs the model's plan still breaks")
    assert reason in first_line
    assert first_line.isprintable()
    assert "(:" not in first_line


@pytest.mark.parametrize(
    ("proposal", "place"),
    [
        (_proposal(_entity(_field("author", "relation", target="User"))), "Post.author: "),
        (_proposal(_entity(), _entity(_field("count", "integer", default="many"), name="Tag")), "Tag.count: "),
        (_proposal(_entity(), _entity(_field("id"), name="Tag")), "Tag.id: "),
        (_proposal(_entity(name="Doc")), "Doc: "),
        (_proposal(_entity(_field("slug", "json", unique=True))), "Post.slug: "),
    ],
)
def test_a_rule_that_is_broken_is_told_with_the_place(proposal: object, place: str) -> None:
    _, asked = _plan(proposal, as_proposed(_BLOG))

    assert f"This plan was refused: {place}" in asked[1].parts[1]


def test_all_that_is_wrong_is_sent_back_at_once() -> None:
    wrong = _proposal(
        {"name": "Post", "fields": ["title strng", "id integer", "author -> User"]},
        _entity(_field("class"), name="Doc"),
        {"name": "Tag", "fields": ["name string = "], "rules": ["x" * 1_001]},
        left_out=["\u202e"],
        instructions={"main": "x" * 4_001},
    )

    proposed, asked = _plan(wrong, as_proposed(_BLOG))

    assert proposed.planned.plan == _BLOG
    told = asked[1].parts[1].rpartition("</answer>")[2].split("\n")
    assert told[1:2] + told[-2:] == ["This plan was refused:", "Correct all of that.", ""]
    assert [line.partition(": ")[0] for line in told[2:-2]] == [
        "- Post",  # strng
        "- Tag",  # no default
        "- left_out",
        "- the instruction for main has 4,001 characters; the limit is 4,000",
        "- Doc",
        "- Doc.class",
    ]


def test_at_most_twenty_faults_are_sent_back() -> None:
    _, asked = _plan(_proposal({"name": "Post", "fields": [f"f{n} strng" for n in range(50)]}), as_proposed(_BLOG))

    assert asked[1].parts[1].count("\n- Post: field ") == 20


def test_only_the_last_answer_is_sent_back() -> None:
    first, second = _proposal(), _proposal(_entity(name="Doc"))

    _, asked = _plan(first, second, as_proposed(_BLOG))

    assert len(asked) == 3
    assert len(asked[2].parts) == 2
    assert _told(second) in asked[2].parts[1]
    assert _told(first) not in _prompt(asked[2])


def test_what_is_sent_back_can_be_sent() -> None:
    """Half a character, which JSON can write and UTF-8 can't."""
    _, asked = _plan('{"entities": [], "more": "\ud800"}', '{"entities": [], "more": "\\ud800"}', as_proposed(_BLOG))

    for question in asked:
        assert _prompt(question).encode()


# ---- what is no proposal


@pytest.mark.parametrize(
    "text",
    [
        "Sure! Here is your plan.",
        "",
        "[]",
        "null",
        "{}",
        '{"entities": null}',
        '{"entities": [{"name": "Post"}]}',
        '{"entities": [{"name": "Post", "fields": [{"name": "title"}]}]}',
        '{"entities": [{"name": 1, "fields": []}]}',
        '{"entities": "Post"}',
        json.dumps(_proposal(_entity()))[:-2],
    ],
)
def test_an_answer_that_is_no_plan_is_asked_for_again(text: str) -> None:
    proposed, asked = _plan(text, as_proposed(_BLOG))

    assert proposed.planned.plan == _BLOG
    assert asked[0] == asked[1]


def test_a_fenced_plan_is_a_plan() -> None:
    assert _plan(f"```json\n{_told(as_proposed(_BLOG))}\n```")[0].planned.plan == _BLOG


def test_no_plan_at_all_is_given_up_with_the_reason() -> None:
    model = _model("Sure!")

    with pytest.raises(NoModelAnswered, match="first: unreadable response: it is not JSON"):
        _plan(model=model)

    assert len(model.asked) == RETRY_POLICY[FailureKind.UNREADABLE].attempts


def test_a_plan_longer_than_an_answer_says_so() -> None:
    model = ScriptedModel(lambda *_: ModelResponse(_told(as_proposed(_BLOG))[:200], _COST, cut=True))

    with pytest.raises(NoModelAnswered, match="the plan does not fit in one response"):
        _plan(model=model)

    assert len(model.asked) == RETRY_POLICY[FailureKind.UNREADABLE].attempts


def test_a_plan_that_was_cut_is_not_taken_even_if_it_can_be_read() -> None:
    whole = ModelResponse(_told(as_proposed(_BLOG)), _COST)
    model = ScriptedModel(
        lambda n, *_: ModelResponse(_told(_proposal(_entity())), _COST, cut=True) if n == 1 else whole
    )

    assert _plan(model=model)[0].planned.plan == _BLOG


@pytest.mark.parametrize(("kind", "error"), [(FailureKind.KEY, ProviderError), (FailureKind.BLOCKED, NoModelAnswered)])
def test_a_model_that_does_not_answer_plans_nothing(kind: FailureKind, error: type[Exception]) -> None:
    with pytest.raises(error, match=str(kind)):
        _plan(model=ScriptedModel(lambda *_: ModelError(kind, "no")))


# ---- whatever it is

_WORDS = st.sampled_from(["Post", "Tag", "Doc", "title", "id", "class", "", "string", "now", "\u202e", "\ud800"])
_ANY = st.none() | st.booleans() | st.integers() | st.floats() | _WORDS | st.text(max_size=10)
_SOME: Callable[[Sequence[str]], st.SearchStrategy[object]] = lambda usual: st.sampled_from(usual) | _WORDS | _ANY  # noqa: E731
_FIELDS = st.fixed_dictionaries(
    {"name": _SOME(["title", "body", "state"]), "type": _SOME(["string", "integer", "enum", "relation", "json"])},
    optional={
        "unique": st.booleans() | _ANY,
        "optional": st.booleans() | _ANY,
        "default": _SOME(["1", "now", "a"]),
        "choices": st.lists(_SOME(["a", "b"]), max_size=3) | _ANY,
        "target": _SOME(["Post", "Tag"]),
    },
)
_LINES = st.sampled_from(["title string(3..9)?", "tags -> Tag*", "author -> User", "n integer(0..) = 1"]) | st.text()
_LISTS = st.lists(_SOME(["title, author", "A rule (422)."]), max_size=3) | _ANY
_ENTITIES = st.fixed_dictionaries(
    {"name": _SOME(["Post", "Tag", "User"]), "fields": st.lists(_FIELDS | _LINES, max_size=3) | _ANY},
    optional={"instruction": _ANY, "extra": _ANY, "unique": _LISTS, "rules": _LISTS, "access": _SOME(["read anyone"])},
)
_ITEMS = st.fixed_dictionaries(
    {"name": _SOME(["Feed", "Post"]), "does": _SOME(["Shows posts. Uses Post."])},
    optional={"uses": st.lists(_SOME(["Post", "Feed"]), max_size=2) | _ANY, "rules": _LISTS},
)
_PROPOSALS = st.fixed_dictionaries(
    {"entities": st.lists(_ENTITIES, max_size=3) | _ANY},
    optional={
        "project": _ANY,
        "description": _ANY,
        "recipe": _ANY,
        "features": st.lists(_ITEMS, max_size=2) | _ANY,
        "rules": _LISTS,
        "left_out": _LISTS,
        "options": _ANY,
        "instructions": _ANY,
    },
)


@given(st.lists(_PROPOSALS | _ANY | st.lists(_ENTITIES), min_size=1, max_size=3))
def test_whatever_is_proposed_is_a_plan_or_unanswered(proposals: list[object]) -> None:
    model = _model(*proposals)

    try:
        proposed, _ = _plan(model=model)
    except NoModelAnswered as exc:
        assert str(exc).replace("\n", "").isprintable()  # noqa: PT017  # some are plans
    else:
        assert resolve_plan_file(proposed.planned.text, source="x", output_dir=".").plan == proposed.planned.plan
    assert len(model.asked) <= (1 + REPAIRS) * RETRY_POLICY[FailureKind.UNREADABLE].attempts
    assert all(_prompt(question).encode() for _, question in model.asked)
