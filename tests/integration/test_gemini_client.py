"""Every way in which Gemini can fail: Google's client over loopback HTTP, and how each failure is handled."""

import asyncio
import gc
import json
import logging
import socket
import threading
import time
import traceback
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from bot.errors import NoModelAnswered, PhasebotError, ProviderError, UsageError
from bot.generation.llm import retry
from bot.generation.llm.client import ModelRequest, ModelResponse
from bot.generation.llm.gemini import GeminiModel
from bot.generation.llm.retry_policy import RETRY_POLICY, AfterFailure, FailureKind, ModelError, Timeouts
from bot.generation.llm.token_budget import TokenBudget
from bot.generation.provider import Tokens
from bot.settings import read_settings
from tests.gemini_server import KEY, Asked, FakeGemini, Reply, answer, error, quota, retry_info

SCHEMA = {
    "type": "object",
    "properties": {"n": {"type": "integer"}, "of_it": {"$ref": "#/$defs/it"}},
    "required": ["n"],
    "additionalProperties": False,
    "$defs": {"it": {"anyOf": [{"type": "string"}, {"type": "null"}]}},
}
QUESTION = ModelRequest(
    "Be exact.", ("What never changes.", "What does."), SCHEMA, 'Answer with JSON such as {"n": 1}.'
)
GOOD = answer('{"n": 1}')
BILL = 1500
"""Tokens of an answer by the server's default."""

QUICK = Timeouts(request=5.0, total=20.0, first_wait=0.01, longest_wait=0.06)
WAITING = replace(QUICK, longest_wait=0.5)
"""For servers that say how long to wait."""
SHORT = replace(QUICK, request=0.4)
"""For servers that never get to the end of an answer."""

Script = Callable[[Asked], Reply]


@dataclass
class Desk:
    """Where questions are asked, and what became of it beside the answers."""

    client: retry.RetryingClient
    budget: TokenBudget
    told: list[str]

    async def ask(self, phase: str = "core", question: ModelRequest = QUESTION) -> retry.ParsedResponse[ModelResponse]:
        return await self.client.ask(question, phase=phase, parse=read)


@dataclass
class Outcome:
    """What became of some questions, one after the other."""

    requests: list[Asked]
    told: list[str]
    budget: TokenBudget
    results: list[retry.ParsedResponse[ModelResponse] | PhasebotError] = field(default_factory=list)

    @property
    def models(self) -> list[str]:
        return [request.model for request in self.requests]

    @property
    def answered(self) -> retry.ParsedResponse[ModelResponse]:
        assert isinstance(self.results[-1], retry.ParsedResponse), self.results[-1]
        return self.results[-1]

    @property
    def error(self) -> PhasebotError:
        assert isinstance(self.results[-1], PhasebotError), self.results[-1]
        return self.results[-1]


async def read(given: ModelResponse) -> ModelResponse:
    """Take JSON objects, and whatever was cut off."""
    if not given.cut and not isinstance(json.loads(given.text), dict):
        raise ValueError("that is no object")
    return given


def script(**replies: Sequence[Reply]) -> Script:
    """Answer each model's requests in order; the last reply is for all that follow."""
    seen = dict.fromkeys(replies, 0)

    def reply(asked: Asked) -> Reply:
        seen[asked.model] += 1
        return replies[asked.model][min(seen[asked.model], len(replies[asked.model])) - 1]

    return reply


@asynccontextmanager
async def desk(
    url: str,
    names: Sequence[str] = ("one", "two"),
    timeouts: Timeouts = QUICK,
    *,
    jobs: int = 8,
    limit: int | None = None,
) -> AsyncIterator[Desk]:
    settings = read_settings({"GEMINI_API_KEY": KEY, "GOOGLE_GEMINI_BASE_URL": url})
    budget, told = TokenBudget(limit), list[str]()
    async with GeminiModel(settings, thinking="medium", timeouts=timeouts) as model:
        client = retry.RetryingClient(model, names, budget=budget, jobs=jobs, timeouts=timeouts, notify=told.append)
        yield Desk(client, budget, told)


def ask(
    replies: Script, names: Sequence[str] = ("one", "two"), timeouts: Timeouts = QUICK, *, questions: int = 1
) -> Outcome:
    """Ask a server that follows *replies*."""
    with FakeGemini(replies) as fake:
        outcome = ask_at(fake.url, names, timeouts, questions=questions)
        outcome.requests = fake.requests
    return outcome


def ask_at(url: str, names: Sequence[str], timeouts: Timeouts, *, questions: int = 1) -> Outcome:
    async def go() -> Outcome:
        async with desk(url, names, timeouts) as here:
            outcome = Outcome([], here.told, here.budget)
            for _ in range(questions):
                try:
                    outcome.results.append(await here.ask())
                except PhasebotError as exc:
                    outcome.results.append(exc)
        return outcome

    return asyncio.run(go())


def asked_directly(reply: Reply, timeouts: Timeouts = QUICK) -> ModelResponse:
    """Return what one request comes to, before anybody tries again."""

    async def go(url: str) -> ModelResponse:
        settings = read_settings({"GEMINI_API_KEY": KEY, "GOOGLE_GEMINI_BASE_URL": url})
        async with GeminiModel(settings, thinking="medium", timeouts=timeouts) as model:
            return await model.ask("one", QUESTION)

    with FakeGemini(lambda _: reply) as fake:
        return asyncio.run(go(fake.url))


def reason(name: str) -> Mapping[str, object]:
    return {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": name, "domain": "googleapis.com"}


def body(content: object) -> Reply:
    return Reply(body=json.dumps(content).encode())


def candidate(content: object, finish: object = "STOP") -> Reply:
    return body({"candidates": [{"content": content, "finishReason": finish}]})


@pytest.fixture(autouse=True)
def direct(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Reach the server whatever proxy there is, and don't read the system's certificates for every client."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))


_DEEP = b"[" * 100_000
_LATIN = "<html><h1>Aufräumen, déjà</h1></html>".encode("latin-1")
_HTML = {"Content-Type": "text/html"}
_PER_DAY = quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier", "250")
_PER_MINUTE = quota("GenerateRequestsPerMinutePerProjectPerModel-FreeTier")
_EXHAUSTED = "RESOURCE_EXHAUSTED"

FAULTS: Mapping[str, tuple[FailureKind, Reply]] = {
    "429": (FailureKind.RATE, error(429, "slow down", _EXHAUSTED)),
    "429 per minute": (FailureKind.RATE, error(429, "slow down", _EXHAUSTED, [_PER_MINUTE, retry_info(0.01)])),
    "429 limit 10": (FailureKind.RATE, error(429, "Quota exceeded, limit: 10, model: one", _EXHAUSTED)),
    "429 details of no known shape": (FailureKind.RATE, error(429, "no", "", ["x", None, {"violations": 5}])),
    "429 retry in no known form": (FailureKind.RATE, error(429, "no", "", [{"retryDelay": 3}, {"retryDelay": "soon"}])),
    "429 retry after a date": (FailureKind.RATE, error(429, "no", Retry_After="Mon, 23 Nov 2026 20:00:00 GMT")),
    "429 HTML": (FailureKind.RATE, Reply(status=429, body=b"<html>slow down</html>", headers=_HTML)),
    "429 HTML in latin-1": (FailureKind.RATE, Reply(status=429, body=_LATIN, headers=_HTML)),
    "429 per day": (FailureKind.QUOTA, error(429, "no more today", _EXHAUSTED, [_PER_DAY, retry_info(0.01)])),
    "429 per day and minute": (FailureKind.QUOTA, error(429, "no more", _EXHAUSTED, [_PER_MINUTE, _PER_DAY])),
    "429 quota of 0": (FailureKind.QUOTA, error(429, "none", _EXHAUSTED, [quota("PerMinute", "0"), retry_info(0.01)])),
    "429 limit 0": (FailureKind.QUOTA, error(429, "Quota exceeded for metric x, limit: 0, model: one", _EXHAUSTED)),
    "402": (FailureKind.QUOTA, error(402, "pay", "FAILED_PRECONDITION")),
    "500": (FailureKind.SERVER, error(500, "internal", "INTERNAL")),
    "502": (FailureKind.SERVER, Reply(status=502, body=b"<html>Bad Gateway</html>", headers=_HTML)),
    "503": (FailureKind.SERVER, error(503, "overloaded", "UNAVAILABLE")),
    "504": (FailureKind.SERVER, error(504, "deadline", "DEADLINE_EXCEEDED")),
    "408": (FailureKind.SERVER, error(408, "too slow")),
    "500 without a body": (FailureKind.SERVER, Reply(status=500)),
    "500 HTML in latin-1": (FailureKind.SERVER, Reply(status=500, body=_LATIN, headers=_HTML)),
    "500 in fake gzip": (FailureKind.SERVER, Reply(status=500, body=b"no gzip", headers={"Content-Encoding": "gzip"})),
    "500 nested deeply": (FailureKind.SERVER, Reply(status=500, body=_DEEP)),
    "500 null": (FailureKind.SERVER, Reply(status=500, body=b"null")),
    "500 error is a string": (FailureKind.SERVER, Reply(status=500, body=b'{"error": "no"}')),
    "reset": (FailureKind.CONNECTION, Reply(reset=True)),
    "closed": (FailureKind.CONNECTION, Reply(raw=b"")),
    "cut off": (FailureKind.CONNECTION, replace(GOOD, cut=20)),
    "no HTTP": (FailureKind.CONNECTION, Reply(raw=b"\x00\xff SSH-2.0-hello\r\n\r\n")),
    "HTML": (FailureKind.UNREADABLE, Reply(body=b"<html>Sign in to the Wi-Fi</html>", headers=_HTML)),
    "truncated JSON": (FailureKind.UNREADABLE, Reply(body=GOOD.body[:-30])),
    "two JSONs": (FailureKind.UNREADABLE, Reply(body=GOOD.body * 2)),
    "number": (FailureKind.UNREADABLE, Reply(body=b"123")),
    "null": (FailureKind.UNREADABLE, Reply(body=b"null")),
    "list": (FailureKind.UNREADABLE, Reply(body=b"[]")),
    "string": (FailureKind.UNREADABLE, Reply(body=b'"x"')),
    "no UTF-8 at all": (FailureKind.UNREADABLE, Reply(body=b"\xff\xfe\x80")),
    "no UTF-8 in the text": (
        FailureKind.UNREADABLE,
        Reply(body=GOOD.body.replace(b'\\"n\\": 1', b'\\"n\\": \\"caf\xe9\\"')),
    ),
    "fake gzip": (FailureKind.UNREADABLE, replace(GOOD, headers={"Content-Encoding": "gzip"})),
    "nested deeply": (FailureKind.UNREADABLE, Reply(body=_DEEP)),
    "nested deeply inside": (FailureKind.UNREADABLE, Reply(body=b'{"candidates": ' + _DEEP)),
    "candidates is a number": (FailureKind.UNREADABLE, body({"candidates": 1})),
    "candidates is an object": (FailureKind.UNREADABLE, body({"candidates": {"content": {}}})),
    "candidate is null": (FailureKind.UNREADABLE, body({"candidates": [None]})),
    "content is a string": (FailureKind.UNREADABLE, candidate('{"n": 1}')),
    "parts is a string": (FailureKind.UNREADABLE, candidate({"parts": '{"n": 1}'})),
    "part is a string": (FailureKind.UNREADABLE, candidate({"parts": ['{"n": 1}']})),
    "finishReason is a number": (FailureKind.UNREADABLE, candidate({"parts": [{"text": '{"n": 1}'}]}, 1)),
    "promptFeedback is a list": (FailureKind.UNREADABLE, body({"promptFeedback": [1]})),
    "text is no JSON": (FailureKind.UNREADABLE, answer("Sure! Here you are:")),
    "text is not the JSON asked for": (FailureKind.UNREADABLE, answer("[1]")),
    "no body": (FailureKind.EMPTY, Reply()),
    "object without anything": (FailureKind.EMPTY, Reply(body=b"{}")),
    "no candidates": (FailureKind.EMPTY, body({"candidates": []})),
    "candidates null": (FailureKind.EMPTY, body({"candidates": None})),
    "STOP without text": (FailureKind.EMPTY, answer("")),
    "STOP without parts": (FailureKind.EMPTY, answer(None)),
    "only thoughts": (FailureKind.EMPTY, candidate({"parts": [{"text": '{"n": 1}', "thought": True}]})),
    "text is a number": (FailureKind.EMPTY, candidate({"parts": [{"text": 1}]})),
    "only a function call": (FailureKind.EMPTY, candidate({"parts": [{"functionCall": {"name": "f"}}]})),
    "OTHER": (FailureKind.EMPTY, answer(None, "OTHER")),
    "MALFORMED_RESPONSE": (FailureKind.EMPTY, answer('{"n": 1}', "MALFORMED_RESPONSE")),
    "unknown finishReason": (FailureKind.EMPTY, answer('{"n": 1}', "BORED")),
    "neither text nor reason": (FailureKind.EMPTY, answer(None, None)),
    "SAFETY": (FailureKind.BLOCKED, answer(None, "SAFETY")),
    "SAFETY with text": (FailureKind.BLOCKED, answer('{"n": 1}', "SAFETY")),
    "PROHIBITED_CONTENT": (FailureKind.BLOCKED, answer(None, "PROHIBITED_CONTENT")),
    "BLOCKLIST": (FailureKind.BLOCKED, answer(None, "BLOCKLIST")),
    "SPII": (FailureKind.BLOCKED, answer(None, "SPII")),
    "LANGUAGE": (FailureKind.BLOCKED, answer(None, "LANGUAGE")),
    "MODEL_ARMOR": (FailureKind.BLOCKED, answer(None, "MODEL_ARMOR")),
    "prompt blocked": (FailureKind.BLOCKED, body({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}})),
    "prompt blocked for a reason unknown": (FailureKind.BLOCKED, body({"promptFeedback": {"blockReason": "BORED"}})),
    "RECITATION": (FailureKind.RECITATION, answer('{"n": 1', "RECITATION")),
    "400": (FailureKind.SCHEMA, error(400, "too many states for serving", "INVALID_ARGUMENT")),
    "400 a list": (
        FailureKind.SCHEMA,
        Reply(status=400, body=b'[{"error": {"code": 400, "message": "too many states"}}]'),
    ),
    "400 two in a list": (FailureKind.SCHEMA, Reply(status=400, body=b'[{"error": {}}, 2]')),
    "400 an empty list": (FailureKind.SCHEMA, Reply(status=400, body=b"[]")),
    "400 HTML in latin-1": (FailureKind.SCHEMA, Reply(status=400, body=_LATIN, headers=_HTML)),
    "405": (FailureKind.REQUEST, error(405, "no such method")),
    "413": (FailureKind.REQUEST, Reply(status=413, body=b"<html>too large</html>", headers=_HTML)),
    "422": (FailureKind.REQUEST, error(422, "no")),
    "201": (FailureKind.REQUEST, replace(GOOD, status=201)),
    "404": (FailureKind.MODEL, error(404, "models/one is not found", "NOT_FOUND")),
    "404 HTML in latin-1": (FailureKind.MODEL, Reply(status=404, body=_LATIN, headers=_HTML)),
    "400 API_KEY_INVALID": (FailureKind.KEY, error(400, "no", "INVALID_ARGUMENT", [reason("API_KEY_INVALID")])),
    "400 key in words": (FailureKind.KEY, error(400, "API key expired. Please renew the API key.", "INVALID_ARGUMENT")),
    "401": (FailureKind.KEY, error(401, "no", "UNAUTHENTICATED")),
    "403": (FailureKind.KEY, error(403, "no", "PERMISSION_DENIED")),
    "403 HTML in latin-1": (FailureKind.KEY, Reply(status=403, body=_LATIN, headers=_HTML)),
    "silence": (FailureKind.TIMEOUT, Reply(wait=2.0)),
    "dripping": (FailureKind.TIMEOUT, replace(GOOD, drip=0.05)),
}


def _timeouts(kind: FailureKind) -> Timeouts:
    return SHORT if kind is FailureKind.TIMEOUT else QUICK


def test_every_kind_of_failure_is_here() -> None:
    assert {kind for kind, _ in FAULTS.values()} == set(FailureKind)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_tried_as_often_as_its_rule_says_and_then_what_the_rule_says_is_done(fault: str) -> None:
    kind, reply = FAULTS[fault]
    rule = RETRY_POLICY[kind]

    outcome = ask(script(one=[reply], two=[GOOD]), timeouts=_timeouts(kind))

    assert outcome.models.count("one") == rule.attempts
    if rule.then in (AfterFailure.NEXT, AfterFailure.LEAVE):
        assert outcome.models[rule.attempts :] == ["two"]
        assert outcome.answered.model == "two"
    else:
        assert "two" not in outcome.models
        assert type(outcome.error) is (ProviderError if rule.then is AfterFailure.RUN else NoModelAnswered)


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if not fault.startswith("text is no")])
def test_a_fault_is_told_by_its_kind_in_a_line(fault: str) -> None:
    kind, reply = FAULTS[fault]
    if kind is FailureKind.TIMEOUT:
        reply = replace(reply, wait=1.0)

    with pytest.raises(ModelError) as caught:
        asked_directly(reply, replace(QUICK, request=0.3) if kind is FailureKind.TIMEOUT else QUICK)

    assert caught.value.kind is kind
    assert str(caught.value).startswith(f"{kind}: ")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize(
    "fault", ["429", "402", "500", "silence", "reset", "HTML", "no body", "SAFETY", "RECITATION", "405", "404", "401"]
)
def test_a_question_nobody_answers_says_of_which_model_what_and_the_remedy(fault: str) -> None:
    kind, reply = FAULTS[fault]

    outcome = ask(lambda _: reply, ["one"], _timeouts(kind))

    assert f"one: {kind}" in str(outcome.error)
    assert str(outcome.error).endswith(f"; {RETRY_POLICY[kind].remedy}")
    assert str(outcome.error).isprintable()


@pytest.mark.parametrize(
    "fault", ["429", "500", "cut off", "HTML", "no body", "RECITATION", "reset", "text is no JSON"]
)
def test_a_fault_that_passes_costs_nothing_but_another_request(fault: str) -> None:
    outcome = ask(script(one=[FAULTS[fault][1], GOOD]))

    assert outcome.models == ["one", "one"]
    assert outcome.answered == retry.ParsedResponse(ModelResponse('{"n": 1}', Tokens(1000, 500)), "one")
    assert outcome.told == []


@pytest.mark.parametrize("reply", [Reply(wait=2.0), replace(GOOD, drip=0.05)], ids=["silent", "dripping"])
def test_no_attempt_takes_longer_than_its_deadline(reply: Reply) -> None:
    began = time.monotonic()

    outcome = ask(lambda _: reply, ["one"], SHORT)

    assert len(outcome.requests) == RETRY_POLICY[FailureKind.TIMEOUT].attempts
    assert 0.79 <= time.monotonic() - began < 3.0
    assert "timed out" in str(outcome.error)


def test_a_refused_connection_ends_the_question_for_all_models() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # and doesn't listen
        outcome = ask_at(f"http://127.0.0.1:{closed.getsockname()[1]}", ["one", "two"], QUICK)

    assert type(outcome.error) is NoModelAnswered
    assert "one: connection failed: ConnectError" in str(outcome.error)
    assert "two:" not in str(outcome.error)
    assert "check the network" in str(outcome.error)


@pytest.mark.parametrize(
    "fault",
    [
        error(429, "slow down", _EXHAUSTED, [_PER_MINUTE, retry_info(0.3)]),
        error(429, "slow down", _EXHAUSTED, Retry_After="0.3"),
        error(429, "slow down", _EXHAUSTED, [retry_info(0.3)], Retry_After="50"),
        error(429, "slow down", _EXHAUSTED, [{"retryDelay": "soon"}], Retry_After="0.3"),
        error(503, "overloaded", "UNAVAILABLE", [retry_info(0.3)]),
        Reply(status=503, body=b"<html>later</html>", headers={"Retry-After": "0.3"}),
    ],
    ids=["RetryInfo", "Retry-After", "both", "RetryInfo unreadable", "503 RetryInfo", "503 Retry-After"],
)
def test_a_server_that_says_how_long_to_wait_is_waited_for(fault: Reply) -> None:
    times: list[float] = []

    def reply(asked: Asked) -> Reply:
        times.append(time.monotonic())
        return fault if asked.number == 1 else GOOD

    outcome = ask(reply, ["one"], WAITING)

    assert outcome.answered.model == "one"
    assert len(times) == 2
    assert times[1] - times[0] >= 0.29


def test_others_that_ask_the_same_model_wait_too() -> None:
    times: list[float] = []

    def reply(asked: Asked) -> Reply:
        times.append(time.monotonic())
        return error(429, details=[retry_info(0.3)]) if asked.number == 1 else GOOD

    async def go(url: str) -> None:
        async with desk(url, ["one"], WAITING) as here:
            first = asyncio.create_task(here.ask("first"))
            while here.client._limiters["one"].limit == 8:  # noqa: SLF001  # nothing else tells
                await asyncio.sleep(0.005)
            await here.ask("second")
            await first

    with FakeGemini(reply) as fake:
        asyncio.run(go(fake.url))

    assert len(times) == 3
    assert all(later - times[0] >= 0.29 for later in times[1:])


@pytest.mark.parametrize("code", [429, 503])
def test_a_server_that_asks_for_too_long_a_wait_is_left_for_the_next_model_at_once(code: int) -> None:
    outcome = ask(script(one=[error(code, details=[retry_info(3600)])], two=[GOOD]))

    assert outcome.models == ["one", "two"]
    assert outcome.answered.model == "two"


def test_a_server_that_asks_for_too_long_a_wait_is_not_waited_for_by_the_next_question_either() -> None:
    began = time.monotonic()

    outcome = ask(
        script(one=[error(429, details=[retry_info(3600)])], two=[GOOD]),
        timeouts=replace(QUICK, longest_wait=4.0),
        questions=2,
    )

    assert [outcome.answered.model, outcome.models[-1]] == ["two", "two"]
    assert time.monotonic() - began < 3.0


def test_a_long_wait_is_told() -> None:
    async def go(url: str) -> list[str]:
        async with desk(url, ["one"], Timeouts()) as here:
            task = asyncio.create_task(here.ask())
            while not here.told:
                await asyncio.sleep(0.005)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            return here.told

    with FakeGemini(lambda _: error(429, "slow down", details=[retry_info(7)])) as fake:
        assert asyncio.run(go(fake.url)) == ["one: too many requests: 429 slow down; trying again in 7 s"]


@pytest.mark.parametrize(
    "fault",
    [
        fault
        for fault, (kind, _) in FAULTS.items()
        if RETRY_POLICY[kind].then is AfterFailure.LEAVE and "latin" not in fault
    ],
)
def test_a_model_that_is_left_is_not_asked_again_and_people_are_told_once(fault: str) -> None:
    kind, reply = FAULTS[fault]

    outcome = ask(script(one=[reply], two=[GOOD]), questions=2)

    assert outcome.models == ["one", "two", "two"]
    assert [asked.model for asked in outcome.results if isinstance(asked, retry.ParsedResponse)] == ["two", "two"]
    assert len(outcome.told) == 1
    assert outcome.told[0].startswith(f"one: {kind}: ")
    assert outcome.told[0].endswith("; continuing with two")


def test_a_model_that_only_failed_is_asked_again_by_the_next_question() -> None:
    outcome = ask(script(one=[FAULTS["SAFETY"][1], GOOD], two=[GOOD]), questions=2)

    assert outcome.models == ["one", "two", "one"]
    assert outcome.told == []


def test_when_all_models_are_unknown_questions_end_at_once_and_name_them_and_the_remedy() -> None:
    outcome = ask(lambda asked: error(404, f"models/{asked.model} is not found"), questions=2)

    assert outcome.models == ["one", "two"]
    for result in outcome.results:
        assert isinstance(result, NoModelAnswered)
        assert "one: unknown model: 404 models/one is not found" in str(result)
        assert "two: unknown model: 404 models/two is not found" in str(result)
        assert str(result).endswith("; correct --model, then run generate again")
    assert [line.partition(":")[0] for line in outcome.told] == ["one", "two"]
    assert "going on" not in outcome.told[1]


@pytest.mark.parametrize("names", [("one", "one"), ("one", "two", "one")])
def test_a_model_named_twice_is_asked_once(names: Sequence[str]) -> None:
    outcome = ask(lambda _: FAULTS["SAFETY"][1], names)

    assert outcome.models == list(dict.fromkeys(names))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_refused_and_the_key_does_not_go_there(status: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        other.setblocking(False)
        where = f"http://127.0.0.1:{other.getsockname()[1]}/v1"
        outcome = ask(lambda _: Reply(status=status, headers={"Location": where}))

        assert outcome.models == ["one", "two"]
        assert f"one: request rejected: {status}" in str(outcome.error)
        with pytest.raises(BlockingIOError):
            other.accept()


def test_a_schema_that_is_refused_is_left_out_and_its_words_stand_in() -> None:
    refused = error(400, "too many states for serving", "INVALID_ARGUMENT")

    outcome = ask(lambda asked: refused if asked.schema else GOOD, questions=2)

    first, second, third = outcome.requests
    assert outcome.models == ["one", "one", "one"]
    assert first.schema == SCHEMA
    for plain in (second, third):
        assert plain.schema is None
        assert "thinkingConfig" not in plain.body["generationConfig"]
        assert plain.system == f"{QUESTION.system}\n{QUESTION.form}"
        assert plain.prompt == first.prompt
        assert plain.body["generationConfig"]["responseMimeType"] == "application/json"


def test_a_schema_refused_by_one_model_is_still_sent_to_another() -> None:
    outcome = ask(script(one=[error(400, "no")], two=[GOOD]))

    assert [(asked.model, asked.schema is not None) for asked in outcome.requests] == [
        ("one", True),
        ("one", False),
        ("two", True),
    ]


def test_a_request_refused_without_its_schema_too_is_no_more_about_the_schema() -> None:
    outcome = ask(lambda _: error(400, "no"), ["one"], questions=2)

    assert [asked.schema is not None for asked in outcome.requests] == [True, False, False]
    for result in outcome.results:
        assert "one: request rejected: 400 no" in str(result)


def test_a_schema_refused_after_other_failures_is_left_out_all_the_same() -> None:
    server_error = FAULTS["500"][1]

    outcome = ask(script(one=[server_error, server_error, error(400, "no"), GOOD]), ["one"])

    assert [asked.schema is not None for asked in outcome.requests] == [True, True, True, False]
    assert outcome.answered.model == "one"


def test_a_request_holds_the_question_and_nothing_that_was_not_chosen() -> None:
    outcome = ask(lambda _: GOOD)

    (asked,) = outcome.requests
    assert asked.path == "/v1/models/one:generateContent"
    assert asked.system == QUESTION.system
    assert [part["text"] for content in asked.body["contents"] for part in content["parts"]] == list(QUESTION.parts)
    assert [content["role"] for content in asked.body["contents"]] == ["user"]
    config = dict(asked.body["generationConfig"])
    assert config.pop("responseJsonSchema") == SCHEMA
    thinking = config.pop("thinkingConfig")
    assert list(thinking.values()) == ["MEDIUM"]
    assert set(thinking) <= {"thinking_level", "thinkingLevel"}
    assert config == {"responseMimeType": "application/json"}
    assert set(asked.body) == {"contents", "systemInstruction", "generationConfig"}


def test_a_question_of_any_characters_arrives_as_it_was() -> None:
    strange = replace(QUESTION, system="ü\x00\u2028🐘", parts=("\ufffd\u202e", '"\\\n'))

    async def go(url: str) -> None:
        async with desk(url) as here:
            await here.ask(question=strange)

    with FakeGemini(lambda _: GOOD) as fake:
        asyncio.run(go(fake.url))

    assert fake.requests[0].system == strange.system
    assert fake.requests[0].prompt == "".join(strange.parts)


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        (answer('{"n": 1, "of', "MAX_TOKENS"), '{"n": 1, "of'),
        (answer(None, "MAX_TOKENS"), ""),
        (answer('{"n": 1, "of', None), '{"n": 1, "of'),
        (answer('{"n": 1, "of', "CONTINUATION", continuationToken="more"), '{"n": 1, "of'),
    ],
    ids=["MAX_TOKENS", "MAX_TOKENS without text", "no finishReason", "CONTINUATION"],
)
def test_an_answer_that_was_cut_off_is_one_and_is_not_asked_for_again(reply: Reply, text: str) -> None:
    outcome = ask(lambda _: reply)

    assert len(outcome.requests) == 1
    assert outcome.answered.content == ModelResponse(text, Tokens(1000, 500), cut=True)


def test_a_continuation_token_in_the_candidate_is_not_followed_either() -> None:
    entry = {"content": {"parts": [{"text": "{"}]}, "finishReason": "CONTINUATION", "continuationToken": "more"}

    outcome = ask(lambda _: body({"candidates": [entry], "continuationToken": "more"}))

    assert len(outcome.requests) == 1
    assert outcome.answered.content.cut


def test_half_a_character_is_left_to_who_reads_the_answer() -> None:
    outcome = ask(lambda _: answer('{"n": "\ud800"}'))

    assert outcome.models == ["one"]
    assert outcome.answered.content.text == '{"n": "\ud800"}'


def test_text_in_several_parts_is_one_and_thoughts_are_none() -> None:
    parts = [{"text": '{"n"'}, {"text": "Let me see", "thought": True}, {"functionCall": {}}, {"text": ": 1}"}]

    outcome = ask(lambda _: candidate({"parts": parts}))

    assert outcome.answered.content.text == '{"n": 1}'
    assert not outcome.answered.content.cut


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ({"promptTokenCount": 1000, "candidatesTokenCount": 400, "thoughtsTokenCount": 100}, Tokens(1000, 500)),
        ({"promptTokenCount": 1000, "candidatesTokenCount": 400}, Tokens(1000, 400)),
        ({"promptTokenCount": 1000, "thoughtsTokenCount": 100}, Tokens(1000, 100)),
        ({"promptTokenCount": 7, "candidatesTokenCount": None, "thoughtsTokenCount": 3, "new": []}, Tokens(7, 3)),
    ],
)
def test_thoughts_count_as_written(usage: object, tokens: Tokens) -> None:
    outcome = ask(lambda _: answer('{"n": 1}', usage=usage))

    assert outcome.answered.content.tokens == tokens
    assert outcome.budget.unrecorded("core") == tokens


@pytest.mark.parametrize(
    "usage",
    [
        None,
        {},
        [],
        "a lot",
        5,
        {"promptTokenCount": -1, "candidatesTokenCount": 5},
        {"promptTokenCount": 10, "candidatesTokenCount": -5},
        {"promptTokenCount": "many"},
        {"promptTokenCount": 1.5},
        {"promptTokenCount": [1]},
        {"promptTokenCount": 10**30},
        {"candidatesTokenCount": 5},
        {"promptTokenCount": 0, "candidatesTokenCount": 0},
    ],
    ids=str,
)
def test_an_answer_without_a_readable_bill_is_good_and_not_free(usage: object) -> None:
    outcome = ask(lambda _: answer('{"n": 1}', usage=usage))

    assert len(outcome.requests) == 1
    tokens = outcome.answered.content.tokens
    assert QUESTION.size // 5 <= tokens.read <= QUESTION.size
    assert 1 <= tokens.written < 20
    assert outcome.budget.unrecorded("core") == tokens


@pytest.mark.parametrize("fault", ["SAFETY", "RECITATION", "OTHER", "STOP without text", "text is no JSON"])
def test_an_attempt_that_failed_is_paid_for_all_the_same(fault: str) -> None:
    kind, reply = FAULTS[fault]

    outcome = ask(script(one=[reply], two=[GOOD]))

    assert outcome.budget.unrecorded("core").total == BILL * (RETRY_POLICY[kind].attempts + 1)


def test_a_blocked_prompt_is_paid_for_too() -> None:
    blocked = body({"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 70}})

    outcome = ask(lambda _: blocked, ["one"])

    assert outcome.budget.unrecorded("core") == Tokens(70, 0)


_ECHO = f"you said {KEY}, didn't you? {KEY}"
ECHOES: Mapping[str, Reply] = {
    "400": error(400, _ECHO, _ECHO, [reason(_ECHO)]),
    "400 about the key": error(400, f"API key {KEY} not valid", details=[reason("API_KEY_INVALID")]),
    "401": error(401, _ECHO),
    "404": error(404, _ECHO),
    "429": error(429, _ECHO),
    "429 limit 0": error(429, f"limit: 0 {_ECHO}"),
    "500": error(500, _ECHO),
    "500 HTML": Reply(status=500, body=_ECHO.encode(), headers=_HTML),
    "500 HTML in latin-1": Reply(status=500, body=_LATIN + KEY.encode(), headers=_HTML),
    "500 message is an object": Reply(status=500, body=json.dumps({"error": {"message": {"x": KEY}}}).encode()),
    "302": Reply(status=302, body=_ECHO.encode(), headers={"Location": f"/{KEY}"}),
    "200 HTML": Reply(body=_ECHO.encode(), headers=_HTML),
    "200 of a wrong type": candidate({"parts": KEY}),
    "finishReason": answer(None, KEY),
    "blockReason": body({"promptFeedback": {"blockReason": KEY}}),
    "no HTTP": Reply(raw=f"{KEY} {KEY}\r\n\r\n".encode()),
    "header": Reply(raw=f"HTTP/1.1 200 OK\r\n{KEY}\r\n\r\n".encode()),
    "fake gzip": Reply(body=KEY.encode(), headers={"Content-Encoding": "gzip"}),
}


def _chain(exc: BaseException | None) -> Iterator[BaseException]:
    """Yield *exc* and all that led to it, shown or not."""
    if exc is not None:
        yield exc
        yield from _chain(exc.__cause__)
        yield from _chain(exc.__context__)


def _said(exc: BaseException) -> str:
    return "\n".join(
        f"{each} {each!r} {each.args!r} {getattr(each, '__notes__', '')} {''.join(traceback.format_exception(each))}"
        for each in _chain(exc)
    )


@pytest.mark.parametrize("echo", ECHOES)
def test_a_key_that_the_server_repeats_is_in_no_message_and_no_log(
    echo: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)

    outcome = ask(lambda _: ECHOES[echo], ["one"])

    assert KEY not in _said(outcome.error)
    assert KEY not in "".join(outcome.told)
    assert [record for record in caplog.records if record.name.startswith(("google_genai", "httpx2", "httpcore2"))]
    assert [record for record in caplog.records if KEY in record.getMessage() and not _is_received(record)] == []
    assert KEY not in "".join(capfd.readouterr())


def _is_received(record: logging.LogRecord) -> bool:
    """Whether the log only repeats the server's headers, which nobody but the server put the key into."""
    return record.name.startswith("httpcore2") and record.getMessage().startswith("receive_response_headers")


@pytest.mark.parametrize("echo", ECHOES)
def test_a_key_that_the_server_repeats_is_not_even_hidden_in_the_exception(echo: str) -> None:
    with pytest.raises(ModelError) as caught:
        asked_directly(ECHOES[echo])

    assert KEY not in _said(caught.value)


def test_a_key_is_sent_in_one_header_and_nowhere_else(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("GOOGLE_API_KEY", "another-key")
    monkeypatch.setenv("GOOGLE_GENAI_USE_VERTEXAI", "true")

    outcome = ask(script(one=[FAULTS["500"][1], GOOD]))

    for asked in outcome.requests:
        assert [name for name, value in asked.headers.items() if KEY in value] == ["x-goog-api-key"]
        assert asked.key == KEY
        assert KEY not in asked.path
        assert KEY not in json.dumps(asked.body)
    assert KEY not in caplog.text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HTTPS_PROXY", "gopher://ada:hunter2@example.com"),
        ("HTTPS_PROXY", "http://ada:hunter2@example.com:port"),
        ("HTTPS_PROXY", "http://ada:hunter2@[::1"),
        ("ALL_PROXY", "socks5://ada:hunter2@example.com"),
        ("SSL_CERT_FILE", "/nowhere/at/all"),
    ],
)
def test_an_impossible_environment_is_the_persons_to_mend(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    settings = read_settings({"GEMINI_API_KEY": KEY})

    with pytest.raises(
        UsageError, match=r"^connecting to Gemini: .*check the environment variables for proxies and SSL"
    ) as caught:
        GeminiModel(settings, thinking="medium", timeouts=QUICK)

    assert "hunter2" not in str(caught.value)
    assert KEY not in str(caught.value)
    gc.collect()


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:99999", "http://[::1", "http://127.0.0.1:1:2", "http://host:port", "http://:80", "http://]"],
)
def test_an_address_that_is_none_is_the_persons_to_mend(url: str) -> None:
    with pytest.raises(UsageError, match=r"^GOOGLE_GEMINI_BASE_URL: "):
        read_settings({"GEMINI_API_KEY": KEY, "GOOGLE_GEMINI_BASE_URL": url})


@pytest.mark.parametrize("path", ["/", "/a/prefix/"])
def test_an_address_may_have_a_path(path: str) -> None:
    with FakeGemini(lambda _: GOOD) as fake:
        assert ask_at(fake.url + path, ["one"], QUICK).answered.model == "one"

    assert fake.requests[0].path == f"{path}v1/models/one:generateContent"


def test_eight_questions_at_once_slow_down_together_and_all_are_answered() -> None:
    most_after = 0
    lock = threading.Lock()

    def reply(asked: Asked) -> Reply:
        nonlocal most_after
        if asked.number <= 8:
            return replace(error(429, details=[retry_info(0.1)]), wait=0.2)
        with lock:
            most_after = max(most_after, fake.active)
        return replace(GOOD, wait=0.05)

    async def go(url: str) -> list[retry.ParsedResponse[ModelResponse]]:
        async with desk(url, ["one"], WAITING) as here:
            return await asyncio.gather(*(here.ask(f"entity/{number}") for number in range(8)))

    with FakeGemini(reply) as fake:
        answers = asyncio.run(go(fake.url))

    assert [asked.model for asked in answers] == ["one"] * 8
    assert len(fake.requests) == 16
    assert most_after <= 4 < fake.most


def test_questions_at_once_leave_a_model_together_and_people_are_told_once() -> None:
    async def go(url: str) -> tuple[list[retry.ParsedResponse[ModelResponse]], list[str]]:
        async with desk(url) as here:
            return await asyncio.gather(*(here.ask(f"entity/{number}") for number in range(8))), here.told

    quota_used = replace(FAULTS["429 per day"][1], wait=0.1)
    with FakeGemini(script(one=[quota_used], two=[GOOD])) as fake:
        answers, told = asyncio.run(go(fake.url))

    assert [asked.model for asked in answers] == ["two"] * 8
    assert len(told) == 1


def test_a_budget_is_asked_before_every_attempt() -> None:
    async def go(url: str) -> TokenBudget:
        async with desk(url, ["one"], limit=2 * BILL) as here:
            with pytest.raises(NoModelAnswered, match=r"of 3,000 tokens are used, .*; raise --max-tokens"):
                await here.ask()
            return here.budget

    with FakeGemini(lambda _: FAULTS["text is no JSON"][1]) as fake:
        budget = asyncio.run(go(fake.url))

    assert len(fake.requests) == 2
    assert budget.exhausted
    assert budget.unrecorded("core").total == 2 * BILL


def test_retries_end_when_the_question_has_taken_too_long() -> None:
    timeouts = replace(WAITING, total=0.5)

    outcome = ask(lambda _: error(500, details=[retry_info(0.3)]), ["one"], timeouts)

    assert 1 <= len(outcome.requests) <= 2  # of five
    assert type(outcome.error) is NoModelAnswered


def test_no_other_model_is_asked_when_the_question_has_taken_too_long() -> None:
    outcome = ask(lambda _: replace(GOOD, status=500, wait=0.4), timeouts=replace(QUICK, total=0.3))

    assert outcome.models == ["one"]
    assert "two:" not in str(outcome.error)


def test_an_attempt_ends_when_the_question_has_taken_too_long() -> None:
    began = time.monotonic()

    outcome = ask(lambda _: Reply(wait=4.0), timeouts=replace(QUICK, request=3.0, total=0.4))

    assert "one: timed out" in str(outcome.error)
    assert time.monotonic() - began < 2.5


@pytest.mark.parametrize("reply", [Reply(wait=3.0), replace(GOOD, drip=0.05), error(429, details=[retry_info(5)])])
def test_a_cancelled_question_leaves_nothing_behind(reply: Reply) -> None:
    async def go(fake: FakeGemini) -> set[asyncio.Task[object]]:
        async with desk(fake.url, ["one"], Timeouts(), jobs=1, limit=100 * BILL) as here:
            task = asyncio.create_task(here.ask())
            while not fake.requests:
                await asyncio.sleep(0.005)
            await asyncio.sleep(0.05)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            left = asyncio.all_tasks() - {asyncio.current_task()}
            if reply.status != 429:  # which has the next one wait
                fake.script = lambda _: GOOD
                assert (await here.ask()).model == "one"  # neither its turn nor its room in the budget is held
        return left

    with FakeGemini(lambda _: reply) as fake:
        assert asyncio.run(go(fake)) == set()
    gc.collect()  # an unclosed socket would be a ResourceWarning, which is an error here


def test_a_client_works_in_one_loop_after_the_other() -> None:
    with FakeGemini(lambda _: GOOD) as fake:
        for _ in range(2):
            assert ask_at(fake.url, ["one"], QUICK).answered.model == "one"
    gc.collect()
