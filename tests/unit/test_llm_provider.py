"""The provider that asks a model: what it keeps, what it asks again, and that it always ends."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.assessment.finding import Finding
from bot.errors import ProviderError
from bot.generation.fallback_provider import FallbackProvider
from bot.generation.llm.client import ModelRequest, ModelResponse
from bot.generation.llm.provider import RETRIES, LlmProvider
from bot.generation.llm.response_parser import NOT_THERE
from bot.generation.llm.retry import RetryingClient
from bot.generation.llm.retry_policy import RETRY_POLICY, FailureKind, ModelError, Timeouts
from bot.generation.llm.token_budget import TokenBudget
from bot.generation.provider import GenerationRequest, GenerationResult, Tokens
from bot.generation.templates import TemplateProvider
from bot.planning.path_rules import path_problem
from tests.gemini_server import KEY, Author

_COST = Tokens(100, 20)
_AUTHOR = Author()
_WHOLE = _AUTHOR.request("entity/Tag")
_TAG = replace(_WHOLE, paths=_WHOLE.paths[:4])
_MODEL, _SCHEMAS, _REPOSITORY, _ROUTER = _TAG.paths
_BAD = "A = (\n"
_SPENT = (
    "120 of 200 tokens are used, and the next request would probably exceed the limit; raise --max-tokens and try again"
)
_PARSES_NOT = "line 1 does not parse: '(' was never closed"

Reply = ModelResponse | ModelError
Script = Callable[[int, str, ModelRequest], Reply | Awaitable[Reply]]


@dataclass
class ScriptedModel:
    """Answers the question of a number, from 1, as its script says, and keeps what it was asked."""

    script: Script
    asked: list[tuple[str, ModelRequest]] = field(default_factory=list)

    async def ask(self, model: str, request: ModelRequest) -> ModelResponse:
        self.asked.append((model, request))
        reply = self.script(len(self.asked), model, request)
        reply = await reply if isinstance(reply, Awaitable) else reply
        await asyncio.sleep(0)
        if isinstance(reply, ModelError):
            raise reply
        return reply

    @property
    def wanted(self) -> list[tuple[str, ...]]:
        """What each question asked for."""
        return [wanted_of(question) for _, question in self.asked]


def client_of(model: ScriptedModel, *names: str, budget: TokenBudget) -> RetryingClient:
    """Return a client of *model* that hardly waits."""
    timeouts = Timeouts(first_wait=0.001, longest_wait=0.003)
    return RetryingClient(model, names or ("first",), budget=budget, jobs=4, timeouts=timeouts, notify=lambda _: None)


def wanted_of(question: ModelRequest) -> tuple[str, ...]:
    """Return the paths that a question asks for."""
    return tuple(line.removeprefix("- ") for line in question.parts[-1].split("\n") if line.startswith("- "))


def _files(contents: Mapping[str, object], *, cut: int | None = None) -> ModelResponse:
    text = json.dumps({"files": [{"path": path, "content": text} for path, text in contents.items()]})
    return ModelResponse(text[:cut], _COST, cut=cut is not None)


def _good(paths: Sequence[str], **changed: object) -> ModelResponse:
    return _files(_AUTHOR.texts(paths) | changed)


def _provider(model: ScriptedModel, *names: str, budget: TokenBudget | None = None) -> LlmProvider:
    budget = budget or TokenBudget()
    return LlmProvider("gemini", client_of(model, *names, budget=budget), budget, secrets=[KEY])


def _generate(
    script: Script, request: GenerationRequest = _TAG, *, names: Sequence[str] = (), budget: TokenBudget | None = None
) -> tuple[GenerationResult, ScriptedModel]:
    model = ScriptedModel(script)
    made = asyncio.run(_provider(model, *names, budget=budget).generate(request))
    _check(made, request)
    return made, model


def _check(made: GenerationResult, request: GenerationRequest) -> None:
    """Check what holds of everything that is generated."""
    assert made.files.keys() | made.missing.keys() == set(request.paths)
    assert not made.files.keys() & made.missing.keys()
    assert [path for path in request.paths if path in made.files] == list(made.files)
    assert all(why and why.isprintable() for why in (*made.missing.values(), *made.refused))


# ---- good answers


@pytest.mark.parametrize("key", ["core", "entity/Post", "support", "main"])
def test_a_good_answer_is_one_question(key: str) -> None:
    request = _AUTHOR.request(key)

    made, model = _generate(lambda *asked: _good(wanted_of(asked[2])), request)

    assert made == GenerationResult(_AUTHOR.texts(request.paths), {}, "first", _COST)
    assert model.wanted == [request.paths]


def test_only_the_wanted_files_of_a_partial_phase_are_asked_for() -> None:
    request = replace(_TAG, paths=(_SCHEMAS,), at_head=lambda: {_MODEL: "# by a person\n"})

    made, model = _generate(lambda *asked: _good(wanted_of(asked[2])), request)

    assert list(made.files) == [_SCHEMAS]
    assert "# by a person" in "".join(model.asked[0][1].parts)


# ---- files that can't be taken


def test_a_bad_file_is_asked_for_again_alone_with_the_reason() -> None:
    made, model = _generate(lambda n, _, asked: _good(wanted_of(asked), **{_SCHEMAS: _BAD} if n == 1 else {}))

    assert made.files == _AUTHOR.texts(_TAG.paths)
    assert made.missing == {}
    assert made.tokens == Tokens(200, 40)
    assert model.wanted == [_TAG.paths, (_SCHEMAS,)]
    assert model.asked[1][1].parts[-1].endswith(f"Your last {_SCHEMAS} was refused: {_PARSES_NOT}.\n")


def test_a_file_asked_for_again_is_shown_the_good_ones() -> None:
    _, model = _generate(lambda n, _, asked: _good(wanted_of(asked), **{_SCHEMAS: _BAD} if n == 1 else {}))

    prompt = "".join(model.asked[1][1].parts)
    assert all(f'<file path="{path}">\n{_AUTHOR.texts([path])[path]}' in prompt for path in (_MODEL, _ROUTER))


def test_a_file_that_stays_bad_is_missing_with_the_reason_and_costs_no_other() -> None:
    made, model = _generate(lambda *asked: _good(wanted_of(asked[2]), **{_SCHEMAS: _BAD}))

    assert made.missing == {_SCHEMAS: _PARSES_NOT}
    assert made.files == _AUTHOR.texts([_MODEL, _REPOSITORY, _ROUTER])
    assert model.wanted == [_TAG.paths, *[(_SCHEMAS,)] * RETRIES]
    assert made.tokens == Tokens(300, 60)
    assert not made.stopped


def test_bad_files_are_asked_for_again_each_alone() -> None:
    bad = {_MODEL: _BAD, _ROUTER: f"# {KEY}\n"}

    made, model = _generate(lambda n, _, asked: _good(wanted_of(asked), **bad if n == 1 else {}))

    assert made.missing == {}
    assert model.wanted == [_TAG.paths, (_MODEL,), (_ROUTER,)]


def test_a_file_that_is_not_in_the_answer_is_asked_for_again() -> None:
    made, model = _generate(lambda *asked: _good([path for path in wanted_of(asked[2]) if path != _ROUTER]))

    assert made.missing == {_ROUTER: NOT_THERE}
    assert model.wanted == [_TAG.paths, *[(_ROUTER,)] * RETRIES]


def test_an_answer_without_files_has_each_asked_for_alone() -> None:
    made, model = _generate(lambda n, _, asked: _files({}) if n == 1 else _good(wanted_of(asked)))

    assert made.missing == {}
    assert model.wanted == [_TAG.paths, *((path,) for path in _TAG.paths)]


def test_a_secret_is_never_shown() -> None:
    made, model = _generate(lambda *asked: _good(wanted_of(asked[2]), **{_MODEL: f'KEY = "{KEY}"\n'}))

    assert list(made.missing) == [_MODEL]
    assert KEY not in repr(made) + repr([question.parts for _, question in model.asked])


def test_what_nobody_asked_for_is_reported_and_not_made() -> None:
    extra = {".github/workflows/x.yml": "on: push\n", "app/models/user.py": "A = 1\n"}

    made, model = _generate(lambda n, _, asked: _good(wanted_of(asked), **extra if n == 1 else {}))

    assert made.files == _AUTHOR.texts(_TAG.paths)
    assert len(model.asked) == 1
    assert made.refused == (
        f"'.github/workflows/x.yml': {path_problem('.github/workflows/x.yml')}",
        "'app/models/user.py': was not requested",
    )


# ---- files that a review finds fault with

_WORSE = "import nothing\nimport never\n"


async def _review(files: Mapping[str, str]) -> Sequence[Finding]:
    """Find one error for each import of a file that is not one of the perfect model's."""
    return [
        Finding(path=path, line=number, rule="unknown-import", message="there is no such module")
        for path, text in files.items()
        if text != _AUTHOR.texts([path])[path]
        for number, line in enumerate(text.split("\n"), start=1)
        if line.startswith("import")
    ]


_REVIEWED = replace(_TAG, review=_review)


def test_a_file_with_errors_is_asked_for_once_more_with_them() -> None:
    made, model = _generate(
        lambda n, _, asked: _good(wanted_of(asked), **{_SCHEMAS: _WORSE} if n == 1 else {}), _REVIEWED
    )

    assert (made.files, made.given, made.findings) == (_AUTHOR.texts(_TAG.paths), 2, ())
    assert model.wanted == [_TAG.paths, (_SCHEMAS,)]
    prompt = "".join(model.asked[1][1].parts)
    assert f'as you wrote them; mend them, and keep all that is right:\n<file path="{_SCHEMAS}">\n{_WORSE}' in prompt
    assert f"- {_SCHEMAS}:2: there is no such module\n" in prompt


@pytest.mark.parametrize("second", [_WORSE, f"import os\n{_WORSE}", _BAD])
def test_the_first_version_is_kept_where_the_second_is_not_better(second: str) -> None:
    made, model = _generate(
        lambda n, _, asked: _good(wanted_of(asked), **{_SCHEMAS: _WORSE if n == 1 else second}), _REVIEWED
    )

    assert made.files[_SCHEMAS] == _WORSE
    assert [each.line for each in made.findings] == [1, 2]
    assert model.wanted[:2] == [_TAG.paths, (_SCHEMAS,)]
    assert not made.missing
    assert len(model.asked) <= 2 + RETRIES


def test_what_a_better_version_still_has_is_left() -> None:
    made, model = _generate(
        lambda n, _, asked: _good(wanted_of(asked), **{_SCHEMAS: _WORSE if n == 1 else "import nothing\n"}), _REVIEWED
    )

    assert made.files[_SCHEMAS] == "import nothing\n"
    assert (made.given, [each.line for each in made.findings]) == (2, [1])
    assert len(model.asked) == 2


def test_errors_that_the_budget_leaves_no_room_for_are_left_and_the_files_are_made() -> None:
    made, model = _generate(
        lambda *asked: _good(wanted_of(asked[2]), **{_SCHEMAS: _WORSE}), _REVIEWED, budget=TokenBudget(200)
    )

    assert made.files[_SCHEMAS] == _WORSE
    assert (made.given, len(made.findings), made.missing, made.stopped) == (0, 2, {}, False)
    assert len(model.asked) == 1


def test_an_error_elsewhere_has_all_code_of_the_phase_asked_for_again() -> None:
    async def review(_: Mapping[str, str]) -> Sequence[Finding]:
        return [Finding(path="main.py", rule="unmounted-router", message="nothing takes it")]

    made, model = _generate(lambda *asked: _good(wanted_of(asked[2])), replace(_TAG, review=review))

    assert model.wanted == [_TAG.paths, _TAG.paths]
    assert len(made.findings) == 1


# ---- answers that are too long


def test_of_a_cut_answer_the_rest_is_asked_for_together() -> None:
    def script(number: int, _: str, asked: ModelRequest) -> ModelResponse:
        texts = _AUTHOR.texts(wanted_of(asked))
        return _files(texts, cut=len(_files({_MODEL: texts[_MODEL]}).text) + 20) if number == 1 else _files(texts)

    made, model = _generate(script)

    assert made.files == _AUTHOR.texts(_TAG.paths)
    assert made.refused == ()
    assert model.wanted == [_TAG.paths, (_SCHEMAS, _REPOSITORY, _ROUTER)]


def test_a_cut_answer_that_holds_nothing_has_its_halves_asked_for() -> None:
    def script(number: int, _: str, asked: ModelRequest) -> ModelResponse:
        return _files(_AUTHOR.texts(wanted_of(asked)), cut=30 if number == 1 else None)

    made, model = _generate(script)

    assert made.files == _AUTHOR.texts(_TAG.paths)
    assert model.wanted == [_TAG.paths, (_MODEL, _SCHEMAS), (_REPOSITORY, _ROUTER)]


@pytest.mark.parametrize("cut", [0, 11, 12, 13, 20, 60, 100], ids=str)
def test_a_file_longer_than_an_answer_is_missing_after_few_questions_and_says_so(cut: int) -> None:
    def script(_: int, __: str, asked: ModelRequest) -> ModelResponse:
        wanted = wanted_of(asked)
        texts = {path: text for path, text in _AUTHOR.texts(wanted).items() if path != _SCHEMAS}
        if _SCHEMAS not in wanted:
            return _files(texts)
        return _files(texts | {_SCHEMAS: "A = 1\n" * 1000}, cut=len(_files(texts).text) - 2 + cut)

    made, model = _generate(script)

    assert made.missing == {_SCHEMAS: "it does not fit in one response of the model"}
    assert made.files == _AUTHOR.texts([_MODEL, _REPOSITORY, _ROUTER])
    assert model.wanted[0] == _TAG.paths
    assert set(model.wanted[1:]) == {(_SCHEMAS,)}
    assert len(model.asked) <= 1 + RETRIES


def test_a_model_that_cuts_everything_is_asked_a_bounded_number_of_times() -> None:
    request = _AUTHOR.request("core")

    made, model = _generate(lambda *_: ModelResponse("", _COST, cut=True), request)

    assert set(made.missing.values()) == {"it does not fit in one response of the model"}
    assert len(model.asked) <= _most(len(request.paths))


# ---- it ends, whatever the model answers


def _most(paths: int) -> int:
    """Return the most questions for so many files: every split of the group, and each file alone."""
    return (paths - 1) + (1 + RETRIES) * paths


_WAYS = ("good", "bad", "missing", "foreign", "twice", "other type")


def _entries_of(path: str, way: str) -> list[dict[str, object]]:
    text = _AUTHOR.texts([path])[path]
    entries: dict[str, list[dict[str, object]]] = {
        "good": [{"path": path, "content": text}],
        "bad": [{"path": path, "content": _BAD}],
        "missing": [],
        "foreign": [{"path": f"x/{path}", "content": text}],
        "twice": [{"path": path, "content": text}, {"path": path, "content": f"{text}\n"}],
        "other type": [{"path": path, "content": 1}],
    }
    return entries[way]


@given(
    st.sampled_from(["entity/User", "entity/Tag", "main"]),
    st.lists(st.sampled_from(_WAYS), min_size=1, max_size=12),
    st.lists(st.none() | st.floats(0, 1), min_size=1, max_size=7),
)
def test_the_number_of_questions_is_bounded_whatever_the_model_answers(
    key: str, ways: list[str], cuts: list[float | None]
) -> None:
    request = _AUTHOR.request(key)

    def script(number: int, _: str, asked: ModelRequest) -> ModelResponse:
        wanted = wanted_of(asked)
        entries = [
            entry
            for place, path in enumerate(wanted)
            for entry in _entries_of(path, ways[(number + place) % len(ways)])
        ]
        text = json.dumps({"files": entries})
        cut = cuts[number % len(cuts)]
        return ModelResponse(text if cut is None else text[: int(cut * len(text))], _COST, cut=cut is not None)

    made, model = _generate(script, request)

    good = _AUTHOR.texts(request.paths)
    assert all(text == good[path] for path, text in made.files.items())
    assert len(model.asked) <= _most(len(request.paths))
    assert made.tokens == Tokens(100 * len(model.asked), 20 * len(model.asked))


@given(
    st.lists(st.sampled_from([*FailureKind, "good", "garbage", "cut", "bad"]), min_size=1, max_size=10), st.booleans()
)
def test_failures_of_every_kind_end_too(ways: list[str], second: bool) -> None:  # noqa: FBT001
    names = ("first", "second") if second else ("first",)

    def script(number: int, _: str, asked: ModelRequest) -> Reply:
        way = ways[number % len(ways)]
        if isinstance(way, FailureKind):
            return ModelError(way, "as scripted", tokens=_COST)
        return {
            "good": _good(wanted_of(asked)),
            "garbage": ModelResponse("\x1b[31mno\u202e", _COST),
            "cut": ModelResponse("", _COST, cut=True),
            "bad": _files(dict.fromkeys(wanted_of(asked), _BAD)),
        }[way]

    model = ScriptedModel(script)
    made = asyncio.run(_provider(model, *names).generate(_TAG))

    _check(made, _TAG)
    attempts = max(rule.attempts for rule in RETRY_POLICY.values()) * len(names)
    assert len(model.asked) <= _most(len(_TAG.paths)) * attempts
    assert made.tokens == Tokens(100 * len(model.asked), 20 * len(model.asked))


def test_a_model_that_answers_nothing_is_asked_for_each_file_alone() -> None:
    request = _AUTHOR.request("core")

    _, model = _generate(lambda *_: _files({}), request)

    assert len(model.asked) == 1 + RETRIES * len(request.paths)


# ---- the budget


def test_what_the_budget_ends_keeps_its_files_and_is_stopped() -> None:
    budget = TokenBudget(limit=200)

    made, model = _generate(lambda *asked: _good(wanted_of(asked[2]), **{_SCHEMAS: _BAD}), budget=budget)

    assert len(model.asked) == 1
    assert made.files.keys() == {_MODEL, _REPOSITORY, _ROUTER}
    assert made.stopped
    assert made.missing == {_SCHEMAS: f"{_PARSES_NOT}; asking again: {_SPENT}"}


def test_a_budget_that_is_used_up_asks_nothing() -> None:
    made, model = _generate(lambda *_: _files({}), budget=TokenBudget(limit=100, recorded=lambda: [100]))

    assert (model.asked, made.files, made.stopped, made.tokens) == ([], {}, True, Tokens())


def test_a_budget_that_ends_after_another_failure_stops_the_phase_too() -> None:
    """One file was blocked, then there was nothing left for the other: that one was stopped."""

    def script(number: int, _: str, asked: ModelRequest) -> Reply:
        if number == 1:
            return _good(wanted_of(asked), **{_MODEL: _BAD, _ROUTER: _BAD})
        return ModelError(FailureKind.BLOCKED, "SAFETY", tokens=_COST)

    made, model = _generate(script, budget=TokenBudget(limit=250))

    assert len(model.asked) == 2
    assert "raise --max-tokens" in "".join(made.missing.values())
    assert made.stopped


# ---- models that don't answer


def test_a_question_that_no_model_answers_leaves_its_files_missing_with_the_reason() -> None:
    made, model = _generate(lambda *_: ModelError(FailureKind.BLOCKED, "SAFETY"))

    assert len(model.asked) == 1
    assert made.files == {}
    assert made.model is None
    assert not made.stopped
    assert set(made.missing.values()) == {"first: blocked: SAFETY; reword the plan, then run generate again"}


def test_a_file_that_is_not_answered_for_the_second_time_has_both_reasons() -> None:
    def script(number: int, _: str, asked: ModelRequest) -> Reply:
        return _good(wanted_of(asked), **{_SCHEMAS: _BAD}) if number == 1 else ModelError(FailureKind.BLOCKED, "SAFETY")

    made, _ = _generate(script)

    assert made.files.keys() == {_MODEL, _REPOSITORY, _ROUTER}
    assert made.missing[_SCHEMAS].startswith(f"{_PARSES_NOT}; asking again: first: blocked: SAFETY")


def test_an_answer_that_can_t_be_read_is_asked_for_again_as_it_was() -> None:
    made, model = _generate(lambda n, _, asked: ModelResponse("no", _COST) if n == 1 else _good(wanted_of(asked)))

    assert made.missing == {}
    assert model.wanted == [_TAG.paths, _TAG.paths]
    assert made.tokens == Tokens(200, 40)


def test_what_fails_for_every_question_is_raised_if_there_is_nothing_to_keep() -> None:
    model = ScriptedModel(lambda *_: ModelError(FailureKind.KEY, "API_KEY_INVALID"))

    with pytest.raises(ProviderError, match="asking first: API key rejected: API_KEY_INVALID; set GEMINI_API_KEY"):
        asyncio.run(_provider(model).generate(_TAG))

    assert len(model.asked) == 1


def test_what_fails_for_every_question_leaves_files_missing_if_there_are_some_to_keep() -> None:
    def script(number: int, _: str, asked: ModelRequest) -> Reply:
        return _good(wanted_of(asked), **{_SCHEMAS: _BAD}) if number == 1 else ModelError(FailureKind.KEY, "revoked")

    made, _ = _generate(script)

    assert made.files.keys() == {_MODEL, _REPOSITORY, _ROUTER}
    assert "API key rejected: revoked" in made.missing[_SCHEMAS]
    assert made.tokens == _COST


def test_what_fails_for_every_question_but_cost_tokens_is_no_error_so_that_they_are_recorded() -> None:
    made, _ = _generate(lambda n, *_: _files({}) if n == 1 else ModelError(FailureKind.KEY, "revoked"))

    assert made.files == {}
    assert made.tokens == _COST


def test_the_model_named_is_the_first_that_answered() -> None:
    def script(number: int, name: str, asked: ModelRequest) -> Reply:
        if number == 1:
            return ModelError(FailureKind.BLOCKED, "SAFETY")
        return _good(wanted_of(asked), **{_SCHEMAS: _BAD} if name == "second" else {})

    made, model = _generate(script, names=["first", "second"])

    assert [name for name, _ in model.asked] == ["first", "second", "first"]
    assert made.model == "second"
    assert made.missing == {}


# ---- being stopped


async def _for_ever(started: asyncio.Event) -> ModelResponse:
    started.set()
    await asyncio.sleep(3600)
    raise AssertionError


async def _cancelled(
    script: Callable[[int, ModelRequest, asyncio.Event], Reply | Awaitable[Reply]],
) -> GenerationResult:
    """Cancel the generation while its model is thinking."""
    started = asyncio.Event()
    model = ScriptedModel(lambda number, _, asked: script(number, asked, started))
    task = asyncio.create_task(_provider(model).generate(_TAG))
    await started.wait()
    task.cancel()
    return await task


def test_stopped_after_the_first_answer_it_gives_the_files_that_are_paid_for() -> None:
    def script(number: int, asked: ModelRequest, started: asyncio.Event) -> Reply | Awaitable[Reply]:
        return _good(wanted_of(asked), **{_SCHEMAS: _BAD}) if number == 1 else _for_ever(started)

    made = asyncio.run(_cancelled(script))

    _check(made, _TAG)
    assert made.stopped
    assert made.files == _AUTHOR.texts([_MODEL, _REPOSITORY, _ROUTER])
    assert made.missing == {_SCHEMAS: _PARSES_NOT}
    assert (made.model, made.tokens) == ("first", _COST)


def test_stopped_while_the_rest_of_a_cut_answer_is_asked_for_the_rest_was_stopped() -> None:
    def script(number: int, asked: ModelRequest, started: asyncio.Event) -> Reply | Awaitable[Reply]:
        texts = _AUTHOR.texts(wanted_of(asked))
        if number > 1:
            return _for_ever(started)
        return _files(texts, cut=len(_files({_MODEL: texts[_MODEL]}).text) - 2)

    made = asyncio.run(_cancelled(script))

    assert made.stopped
    assert list(made.files) == [_MODEL]
    assert made.missing == dict.fromkeys([_SCHEMAS, _REPOSITORY, _ROUTER], "the run was stopped first")


@pytest.mark.parametrize("first", [None, _files({})], ids=["no-answer", "an-answer-without-files"])
def test_stopped_before_there_is_a_file_it_is_cancelled(first: ModelResponse | None) -> None:
    def script(number: int, _: ModelRequest, started: asyncio.Event) -> Reply | Awaitable[Reply]:
        return first if first and number == 1 else _for_ever(started)

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(_cancelled(script))


# ---- the fallback


def _fall_back(
    script: Script, request: GenerationRequest = _TAG, *, budget: TokenBudget | None = None
) -> GenerationResult:
    first = _provider(ScriptedModel(script), budget=budget)
    both = FallbackProvider(first, TemplateProvider())
    assert both.name == "gemini"
    made = asyncio.run(both.generate(request))
    assert made.files.keys() | made.missing.keys() == set(request.paths)
    assert not made.files.keys() & made.missing.keys()
    return made


def test_the_fallback_makes_what_is_missing_and_says_which() -> None:
    own = {_MODEL: "A = 1\n", _SCHEMAS: _BAD, _REPOSITORY: "B = 1\n", _ROUTER: "C = 1\n"}

    made = _fall_back(lambda *asked: _files({path: own[path] for path in wanted_of(asked[2])}))

    assert made.files == {**own, _SCHEMAS: _AUTHOR.texts([_SCHEMAS])[_SCHEMAS]}
    assert (made.missing, made.fallback, made.model) == ({}, (_SCHEMAS,), "first")
    assert made.tokens == Tokens(300, 60)


def test_the_fallback_is_not_needed_for_a_good_answer() -> None:
    made = _fall_back(lambda *asked: _good(wanted_of(asked[2])))

    assert (made.fallback, made.missing) == ((), {})


def test_the_fallback_makes_all_where_no_model_answers() -> None:
    made = _fall_back(lambda *_: ModelError(FailureKind.BLOCKED, "SAFETY"))

    assert made.files == _AUTHOR.texts(_TAG.paths)
    assert (made.fallback, made.model, made.tokens) == (_TAG.paths, None, Tokens())


def test_the_fallback_makes_nothing_where_the_run_is_stopped() -> None:
    made = _fall_back(lambda *asked: _good(wanted_of(asked[2]), **{_SCHEMAS: _BAD}), budget=TokenBudget(limit=200))

    assert (made.fallback, list(made.missing), made.stopped) == ((), [_SCHEMAS], True)


def test_what_the_fallback_can_t_make_either_is_missing_with_the_first_reason() -> None:
    phase = replace(_TAG.phase, files={**_TAG.phase.files, _SCHEMAS: "no such template"}, prompt=None)

    made = _fall_back(lambda *asked: _good(wanted_of(asked[2]), **{_SCHEMAS: _BAD}), replace(_TAG, phase=phase))

    assert made.missing == {_SCHEMAS: _PARSES_NOT}
    assert made.fallback == ()


def test_a_provider_that_can_t_go_on_is_no_case_for_the_fallback() -> None:
    with pytest.raises(ProviderError):
        _fall_back(lambda *_: ModelError(FailureKind.KEY, "no"))
