"""The Gemini client.  Only this module imports Google's SDK, and the SDK's exceptions don't leave it.

The SDK only sends requests.  Responses and errors are read and parsed here, because the SDK reads bodies of any size,
raises many unrelated exceptions for malformed ones, and none for a blocked or empty response.  Its retries and
automatic continuation are off, because they would spend tokens without checking the budget.
"""

import json
import re
from collections.abc import Awaitable, Iterator, Mapping, Sequence
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
from bot.redaction import Redactor
from bot.settings import GeminiSettings

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
_MAX_MESSAGE = 200
_MAX_BYTES = 32_000_000
"""Of a decompressed body."""
_TOO_LARGE = f"the answer is larger than {_MAX_BYTES // 1_000_000} MB"
_ENCODINGS = ("", "identity", "gzip")


class GeminiModel:
    """A connection to Gemini, used as an asynchronous context manager."""

    def __init__(self, settings: GeminiSettings, *, thinking: str, timeouts: Timeouts) -> None:
        """Create the client; *settings* must have a key, and *thinking* is the thinking level of every request.

        Raises:
            UsageError: The environment has invalid proxy or certificate settings.
        """
        assert settings.key, "checked when the provider is chosen"  # noqa: S101
        key = settings.key.get_secret_value()
        self._redactor = Redactor([key])
        self._thinking = thinking
        try:
            # No redirects, because the header with the key would be sent along.  Without an httpx client of ours,
            # the SDK would use aiohttp where that is installed.
            self._http = httpx2.AsyncClient(
                follow_redirects=False, headers={"Accept-Encoding": "gzip"}, event_hooks={"response": [_read_response]}
            )
            self._client = genai.Client(
                api_key=key,
                vertexai=False,
                http_options=types.HttpOptions(
                    base_url=settings.base_url or _URL,
                    api_version=settings.api_version,
                    timeout=round(timeouts.request * 1000),
                    httpx_async_client=self._http,
                ),
            )
        except (ValueError, OSError, ImportError, httpx2.InvalidURL) as exc:  # the message may contain a password
            raise UsageError(
                f"connecting to Gemini: {type(exc).__name__}; check the environment variables for proxies and SSL"
            ) from None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._client.close()
        await self._http.aclose()

    async def ask(self, model: str, request: ModelRequest) -> ModelResponse:
        """Send one request; see :class:`bot.generation.llm.client.ModelClient`."""
        parts: list[types.PartUnion] = [*request.parts]
        asking = self._client.aio.models.generate_content(model=model, contents=parts, config=self._config(request))
        received = await self._received(asking)
        if received.code == _OK and received.fault is None:
            return self._parse(received.body, request)
        raise self._classify(received, plain=request.schema is None)

    async def find(self, model: str) -> None:
        """Make sure that the key is accepted, and that there is the model; this costs no tokens.

        Raises:
            ModelError: There is none, or it can't be asked for.
        """
        received = await self._received(self._client.aio.models.get(model=model))
        if received.code != _OK or received.fault is not None:
            raise self._classify(received, plain=True)

    async def _received(self, asking: Awaitable[object]) -> "_Response":
        """Return the answer to a request that *asking* sends.  Raises ModelError if there is none."""
        received: _Response
        failure: ModelError | None
        try:
            await asking
            failure = ModelError(FailureKind.UNREADABLE, "there was no response")
        except _Response as exc:
            received, failure = exc, None
        except httpx2.TimeoutException as exc:
            failure = ModelError(FailureKind.TIMEOUT, type(exc).__name__)
        except httpx2.DecodingError:
            failure = ModelError(FailureKind.UNREADABLE, "the body does not match its Content-Encoding header")
        except (httpx2.HTTPError, httpx2.InvalidURL) as exc:
            failure = ModelError(FailureKind.CONNECTION, self._plain(f"{type(exc).__name__} {exc}"))
        except (ValueError, TypeError, AssertionError, RecursionError) as exc:  # bad headers can cause any of these
            failure = ModelError(FailureKind.UNREADABLE, f"the body could not be decoded ({type(exc).__name__})")
        # Outside the try, so an error has no context: the library's exceptions contain the request and the key.
        if failure is not None:
            raise failure
        return received

    def _config(self, request: ModelRequest) -> types.GenerateContentConfig:
        plain = request.schema is None  # models that reject the schema may also reject the thinking level
        return types.GenerateContentConfig(
            system_instruction=f"{request.system}\n{request.form}" if plain else request.system,
            response_mime_type="application/json",
            response_json_schema=request.schema,
            thinking_config=None if plain else types.ThinkingConfig(thinking_level=types.ThinkingLevel(self._thinking)),
            automatic_continuation=False,
            automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
        )

    def _parse(self, body: str, request: ModelRequest) -> ModelResponse:
        """Parse the body of a 200 response; it counts only if the model finished or reached its output limit."""
        content = _parse_body(body)
        if isinstance(content, str):
            raise ModelError(FailureKind.UNREADABLE, content)
        candidate = content.candidates[0] if content.candidates else _Candidate()
        blocked = content.prompt_feedback.block_reason if content.prompt_feedback else None
        reason, text = blocked or candidate.finish_reason, "".join(candidate.texts())
        tokens = _tokens(content.usage_metadata)
        if blocked or reason in _BLOCKED:
            raise ModelError(FailureKind.BLOCKED, self._plain(str(reason)), tokens=tokens)
        if reason == "RECITATION":
            raise ModelError(FailureKind.RECITATION, "the model would have quoted existing text", tokens=tokens)
        cut = reason in _CUT or (reason is None and bool(text))
        if not cut and not (reason == "STOP" and text):
            raise ModelError(FailureKind.EMPTY, self._plain(str(reason or "no candidate")), tokens=tokens)
        return ModelResponse(text, tokens or _estimate(request, text), cut=cut)

    def _classify(self, response: "_Response", *, plain: bool) -> ModelError:
        """Classify an error response to a request with a schema, or a *plain* one, or one whose body can't be read."""
        if response.code == _OK:
            return ModelError(FailureKind.UNREADABLE, str(response.fault))
        error = _parse_error(response.body)
        code, message = response.code, error.message
        kind = _BY_CODE.get(code, FailureKind.SERVER if code >= _SERVER else FailureKind.REQUEST)
        if code == _TOO_MANY:
            kind = FailureKind.QUOTA if error.is_lasting() else FailureKind.RATE
        elif code == _BAD_REQUEST:
            kind = FailureKind.KEY if error.is_about_the_key() else FailureKind.REQUEST if plain else FailureKind.SCHEMA
        return ModelError(kind, self._plain(f"{code} {message}"), delay=error.delay(response.retry_after))

    def _plain(self, text: str) -> str:
        """Return a message from a server or library as one short printable line without the key."""
        return self._redactor.line(text, _MAX_MESSAGE)


class _Received(BaseModel):
    """Part of a response body as the service documents it; unknown keys are ignored."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class _Part(_Received):
    text: Any = None
    """Not checked here, so that a lone surrogate spoils one file and not the whole response."""
    thought: bool | None = None


class _Content(_Received):
    parts: list[_Part] | None = None


class _Candidate(_Received):
    content: _Content | None = None
    finish_reason: str | None = None

    def texts(self) -> Iterator[str]:
        """Yield the text parts without the thoughts."""
        for part in (self.content.parts or []) if self.content else []:
            if isinstance(part.text, str) and not part.thought:
                yield part.text


class _Feedback(_Received):
    block_reason: str | None = None


class _Usage(_Received):
    prompt_token_count: int = Field(ge=0, lt=10**12)
    candidates_token_count: int | None = Field(default=None, ge=0, lt=10**12)
    thoughts_token_count: int | None = Field(default=None, ge=0, lt=10**12)


class _Body(_Received):
    candidates: list[_Candidate] | None = None
    prompt_feedback: _Feedback | None = None
    usage_metadata: Any = None
    """Parsed separately, so that a good response is kept even if its usage can't be parsed."""


def _tokens(usage: object) -> Tokens | None:
    try:
        counts = _Usage.model_validate(usage)
    except ValidationError:
        return None
    tokens = Tokens(
        counts.prompt_token_count, (counts.candidates_token_count or 0) + (counts.thoughts_token_count or 0)
    )
    return tokens if tokens.total else None


def _estimate(request: ModelRequest, text: str) -> Tokens:
    """Estimate the tokens of a response without usage data, rather than count it as free."""
    return Tokens(1 + request.size // _CHARACTERS_PER_TOKEN, 1 + len(text) // _CHARACTERS_PER_TOKEN)


def _parse_body(text: str) -> "_Body | str":
    """Parse the body of a 200 response, or return the reason why not: an exception would contain the body."""
    try:
        return _Body.model_validate(json.loads(text or "{}"))
    except ValidationError as exc:
        return f"the body has an unexpected structure: {exc.errors()[0]['type']}"
    except (ValueError, RecursionError):
        return "the body is not JSON"


class _Response(Exception):
    """A response, raised so that the SDK does not look at it."""

    def __init__(self, code: int, body: str, retry_after: str | None, fault: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.body = body
        self.retry_after = retry_after
        self.fault = fault
        """Why the body can't be read; it then stands in for the body."""


async def _read_response(response: httpx2.Response) -> None:
    """Read a response before the SDK does, and raise it.

    Raises:
        _Response: Always, unless the connection fails.
    """
    code, retry_after = response.status_code, response.headers.get("retry-after")
    try:
        body = await _read_body(response)
        text = body.decode("utf-8", "strict" if code == _OK else "replace")
    except _BodyError as exc:
        raise _Response(code, str(exc), retry_after, str(exc)) from None
    except httpx2.DecodingError:
        fault = "the body does not match its Content-Encoding header"
        raise _Response(code, "", retry_after, fault) from None
    raise _Response(code, text, retry_after)


class _BodyError(Exception):
    """The body must not be read to its end."""


async def _read_body(response: httpx2.Response) -> bytes:
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding not in _ENCODINGS:
        raise _BodyError("the body has an encoding that was not asked for")
    content = bytearray()
    async for piece in response.aiter_bytes():  # decompressed in pieces of at most 1 MiB
        content += piece
        if len(content) > _MAX_BYTES:
            raise _BodyError(_TOO_LARGE)
    return bytes(content)


class _Error(NamedTuple):
    """The content of an error response."""

    message: str
    details: Sequence[Mapping[str, Any]]

    def is_about_the_key(self) -> bool:
        reasons = str([row.get("reason") for row in self.details])
        return "API_KEY" in reasons or "api key" in self.message.lower()

    def is_lasting(self) -> bool:
        """Whether a 429 is about a daily or a zero quota, so that waiting does not help."""
        violations = json.dumps([row.get("violations") for row in self.details])
        zero_quota = '"quotaValue": "0"' in violations or re.search(r"limit: 0\b", self.message)
        return "PerDay" in violations or bool(zero_quota)

    def delay(self, retry_after: str | None) -> float | None:
        """Return the seconds that the service asks to wait, from RetryInfo or else from the header."""
        values = [*(row.get("retryDelay") for row in self.details), retry_after]
        matches = (_DELAY.fullmatch(each.strip()) for each in values if isinstance(each, str))
        return next((float(match[1]) for match in matches if match), None)


def _parse_error(text: str) -> _Error:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return _Error(text, ())
    content = content[0] if isinstance(content, list) and content else content
    error = content.get("error") if isinstance(content, dict) else None
    error = error if isinstance(error, dict) else {}
    rows = error.get("details")
    details = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return _Error(str(error.get("message") or error.get("status") or text), details)
