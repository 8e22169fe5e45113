"""Gemini, asked by Google's SDK.  The only module that imports it; its exceptions end here.

The SDK sends the request; answers and refusals are read here, by models of our own, because the SDK's reading raises
a dozen unrelated exceptions for odd bodies and none for a blocked or an empty answer.  Its retries and its automatic
continuation are off: both spend without asking the budget.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Self

import httpx2
from google import genai
from google.genai import types
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from bot.errors import UsageError
from bot.generation.llm.client import ModelRequest, ModelResponse
from bot.generation.llm.retry_policy import FailureKind, ModelError, Timeouts
from bot.generation.provider import Tokens
from bot.settings import GeminiSettings
from bot.text import one_line

_URL = "https://generativelanguage.googleapis.com"
_CUT = ("MAX_TOKENS", "CONTINUATION")
_BLOCKED = ("SAFETY", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "LANGUAGE", "MODEL_ARMOR")
_BY_CODE = {
    **dict.fromkeys((401, 403), FailureKind.KEY),
    402: FailureKind.QUOTA,
    404: FailureKind.MODEL,
    408: FailureKind.SERVER,
}
_OK, _BAD_REQUEST, _TOO_MANY, _SERVER = 200, 400, 429, 500
_DELAY = re.compile(r"(\d{1,6}(?:\.\d{1,9})?)s?", re.ASCII)
_CHARACTERS_PER_TOKEN = 4
_TOLD = 200


class GeminiModel:
    """The service, for as long as its context lasts."""

    def __init__(self, settings: GeminiSettings, *, thinking: str, patience: Timeouts) -> None:
        """Connect by *settings*, which hold a key; *thinking* is the thinking level of every request.

        Raises:
            UsageError: The environment says something impossible of proxies or certificates.
        """
        assert settings.key, "checked where the provider is chosen"  # noqa: S101
        self._key = settings.key.get_secret_value()
        self._thinking = thinking
        try:
            # No redirects: the key's header would go with them.  Given, since the SDK prefers aiohttp if there.
            self._http = httpx2.AsyncClient(follow_redirects=False, event_hooks={"response": [_refuse]})
            self._client = genai.Client(
                api_key=self._key,
                vertexai=False,
                http_options=types.HttpOptions(
                    base_url=settings.base_url or _URL,
                    api_version=settings.api_version,
                    timeout=round(patience.request * 1000),
                    httpx_async_client=self._http,
                ),
            )
        except (ValueError, OSError, ImportError, httpx2.InvalidURL) as exc:  # what they say may hold a password
            raise UsageError(
                f"connecting to Gemini: {type(exc).__name__}; check the proxy and SSL variables of the environment"
            ) from None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._client.close()
        await self._http.aclose()

    async def ask(self, name: str, question: ModelRequest) -> ModelResponse:
        """Ask once; see :class:`bot.generation.llm.client.ModelClient`."""
        try:
            response = await self._client.aio.models.generate_content(
                model=name, contents=list(question.parts), config=self._config(question)
            )
        except _RefusedError as exc:
            failure = self._refusal(exc, question)
        except httpx2.TimeoutException as exc:
            failure = ModelError(FailureKind.TIMEOUT, type(exc).__name__)
        except httpx2.DecodingError:
            failure = ModelError(FailureKind.UNREADABLE, "the body is not encoded as its header says")
        except (httpx2.HTTPError, httpx2.InvalidURL) as exc:
            failure = ModelError(FailureKind.CONNECTION, self._plain(f"{type(exc).__name__} {exc}"))
        except (ValueError, TypeError, AssertionError, RecursionError) as exc:  # whatever a header can do to a body
            failure = ModelError(FailureKind.UNREADABLE, f"the body could not be decoded ({type(exc).__name__})")
        else:
            sent = response.sdk_http_response
            return self._read(sent.body or "" if sent else "", question)
        raise failure  # out here, where it has no context: the library's exceptions hold the request and its key

    def _config(self, question: ModelRequest) -> types.GenerateContentConfig:
        plain = question.schema is None  # some models refuse the thinking level as they do the schema
        return types.GenerateContentConfig(
            system_instruction=f"{question.system}\n{question.form}" if plain else question.system,
            response_mime_type="application/json",
            response_json_schema=question.schema,
            thinking_config=None if plain else types.ThinkingConfig(thinking_level=types.ThinkingLevel(self._thinking)),
            automatic_continuation=False,
            automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
            should_return_http_response=True,
        )

    def _read(self, body: str, question: ModelRequest) -> ModelResponse:
        """Judge the body of a 200: an answer only if the model says that it came to an end, or was cut off."""
        content = _read_body(body)
        if isinstance(content, str):
            raise ModelError(FailureKind.UNREADABLE, content)
        candidate = content.candidates[0] if content.candidates else _Candidate()
        blocked = content.prompt_feedback.block_reason if content.prompt_feedback else None
        reason, text = blocked or candidate.finish_reason, "".join(candidate.texts())
        tokens = _tokens(content.usage_metadata)
        if blocked or reason in _BLOCKED:
            raise ModelError(FailureKind.BLOCKED, self._plain(str(reason)), tokens=tokens)
        if reason == "RECITATION":
            raise ModelError(FailureKind.RECITATION, "the model would have quoted somebody's text", tokens=tokens)
        cut = reason in _CUT or (reason is None and bool(text))
        if not cut and not (reason == "STOP" and text):
            raise ModelError(FailureKind.EMPTY, self._plain(str(reason or "no candidate")), tokens=tokens)
        return ModelResponse(text, tokens or _estimate(question, text), cut=cut)

    def _refusal(self, refused: "_RefusedError", question: ModelRequest) -> ModelError:
        """Classify what the service said instead of answering."""
        error = _read_error(refused.body)
        code, message = refused.code, error.message
        kind = _BY_CODE.get(code, FailureKind.SERVER if code >= _SERVER else FailureKind.REQUEST)
        if code == _TOO_MANY:
            kind = FailureKind.QUOTA if error.is_lasting() else FailureKind.RATE
        elif code == _BAD_REQUEST:
            plain = question.schema is None
            kind = FailureKind.KEY if error.is_about_the_key() else FailureKind.REQUEST if plain else FailureKind.SCHEMA
        return ModelError(kind, self._plain(f"{code} {message}"), delay=error.delay(refused.retry_after))

    def _plain(self, text: str) -> str:
        """Make one line of what a server or a library said, without the key."""
        return one_line(text.replace(self._key, "***"), _TOLD)


class _Sent(BaseModel):
    """Part of a body as the service documents it; whatever else it holds is passed over."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class _Part(_Sent):
    text: Any = None
    """Judged where it is taken apart: one half character must cost one file, not the answer."""
    thought: bool | None = None


class _Content(_Sent):
    parts: list[_Part] | None = None


class _Candidate(_Sent):
    content: _Content | None = None
    finish_reason: str | None = None

    def texts(self) -> Iterator[str]:
        """Yield the text, the thoughts left out."""
        for part in (self.content.parts or []) if self.content else []:
            if isinstance(part.text, str) and not part.thought:
                yield part.text


class _Feedback(_Sent):
    block_reason: str | None = None


class _Usage(_Sent):
    prompt_token_count: int = Field(ge=0, lt=10**12)
    candidates_token_count: int | None = Field(default=None, ge=0, lt=10**12)
    thoughts_token_count: int | None = Field(default=None, ge=0, lt=10**12)


class _Body(_Sent):
    candidates: list[_Candidate] | None = None
    prompt_feedback: _Feedback | None = None
    usage_metadata: Any = None
    """Judged by itself: a good answer is good even if its bill can't be read."""


def _tokens(usage: object) -> Tokens | None:
    try:
        found = _Usage.model_validate(usage)
    except ValidationError:
        return None
    tokens = Tokens(found.prompt_token_count, (found.candidates_token_count or 0) + (found.thoughts_token_count or 0))
    return tokens if tokens.total else None


def _estimate(question: ModelRequest, text: str) -> Tokens:
    """Guess what an answer without a bill cost, rather than count it as free."""
    return Tokens(1 + question.size // _CHARACTERS_PER_TOKEN, 1 + len(text) // _CHARACTERS_PER_TOKEN)


def _read_body(text: str) -> "_Body | str":
    """Read the body of a 200; one that can't be read gives the reason, without an exception that holds the body."""
    try:
        return _Body.model_validate(json.loads(text or "{}"))
    except ValidationError as exc:
        return f"the body is no answer: {exc.errors()[0]['type']}"
    except (ValueError, RecursionError):
        return "the body is no JSON"


class _RefusedError(Exception):
    """An answer that is no 200."""

    def __init__(self, code: int, body: str, retry_after: str | None) -> None:
        super().__init__(code)
        self.code = code
        self.body = body
        self.retry_after = retry_after


async def _refuse(response: httpx2.Response) -> None:
    """Look at a response before the SDK does, which loses the status where it can't decode the body.

    Raises:
        _RefusedError: It is no 200.
        UnicodeDecodeError: It is one, but not in UTF-8; the SDK would replace what it can't decode.
    """
    if response.status_code == _OK:
        (await response.aread()).decode()
        return
    try:
        body = await response.aread()
    except httpx2.DecodingError:
        body = b""
    raise _RefusedError(response.status_code, body.decode("utf-8", "replace"), response.headers.get("retry-after"))


class _Error(NamedTuple):
    """What a refusal says, whatever shape it has."""

    message: str
    details: Sequence[Mapping[str, Any]]

    def is_about_the_key(self) -> bool:
        reasons = str([row.get("reason") for row in self.details])
        return "API_KEY" in reasons or "api key" in self.message.lower()

    def is_lasting(self) -> bool:
        """Whether a 429 is about a day's quota, or none at all, and so not worth waiting for."""
        violations = json.dumps([row.get("violations") for row in self.details])
        none = '"quotaValue": "0"' in violations or re.search(r"limit: 0\b", self.message)
        return "PerDay" in violations or bool(none)

    def delay(self, retry_after: str | None) -> float | None:
        """Return the seconds that the service asks to wait: by RetryInfo, else by the header."""
        said = [*(row.get("retryDelay") for row in self.details), retry_after]
        found = (_DELAY.fullmatch(each.strip()) for each in said if isinstance(each, str))
        return next((float(match[1]) for match in found if match), None)


def _read_error(text: str) -> _Error:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return _Error(text[:_TOLD], ())
    content = content[0] if isinstance(content, list) and content else content
    error = content.get("error") if isinstance(content, dict) else None
    error = error if isinstance(error, dict) else {}
    rows = error.get("details")
    details = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return _Error(str(error.get("message") or error.get("status") or text[:_TOLD]), details)
