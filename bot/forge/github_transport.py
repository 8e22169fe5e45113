"""Sends requests to GitHub, with retries and rate limits.  PyGithub's exceptions do not leave this module.

PyGithub retries requests that are safe to repeat.  Requests that create something are retried here, after a check
whether the first attempt succeeded.
"""

import math
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import responses
from typing import Any, NamedTuple, TypeVar

import github
import urllib3
from github.GithubException import BadAttributeException, IncompletableObject, RateLimitExceededExceedsMaxWait
from github.GithubRetry import GithubRetry
from requests.exceptions import ChunkedEncodingError

from bot.errors import ForgeError, ForgeGoneError, ForgeRefusedError, UsageError
from bot.forge import bounded_http
from bot.forge.bounded_http import AnswerTooLargeError, NoAnswerError, OutOfTimeError
from bot.forge.client import VALID_SETTINGS
from bot.redaction import Redactor

T = TypeVar("T")
_MAX_MESSAGE, _ATTEMPTS = 200, 4
_GRAPHQL = {"FORBIDDEN": 403, "NOT_FOUND": 404, "RATE_LIMITED": 429}
_TOO_LONG, _NO_ANSWER, _UNREADABLE, _FORBIDDEN, _TOO_MANY, _SERVER_ERROR = -1, 0, 200, 403, 429, 500
_GONE = (301, 404, 410)
_UNREADABLE_ANSWER = (  # what PyGithub raises for an answer of an unexpected form
    *(BadAttributeException, IncompletableObject, ChunkedEncodingError, AssertionError, RuntimeError),
    *(ValueError, TypeError, LookupError, AttributeError),
)
_LIMIT = re.compile(r"rate limit|abuse detection|before you try again|request again later", re.IGNORECASE)
_ADVICE = (  # what to do next, by the status and message of the answer
    (r".*not permitted to create or approve", "allow it under Settings > Actions > General, or open it by hand"),
    (r"429 ", "wait a while and try again"),
    (r"403 .*is locked", "unlock the conversation and try again"),
    (r"401 ", "the token is wrong or has expired; check github-token"),
    (r"403 ", "the token needs {needs} (in a workflow, set it under `permissions:`)"),
    (r"(301|404|410) ", "check that it exists, and that the token has {needs}"),
    (r"(-1|0|2..|3..|5..) ", "check GITHUB_API_URL and the network, or try again later"),
    (r"", "fix this and try again"),
)


@dataclass(frozen=True, slots=True)
class RequestPacing:
    """How long to wait between requests and retries, in seconds."""

    backoff: float = 1.0
    limit_wait: float = 60.0  # after a rate limit without a Retry-After header
    longest_wait: float = 120.0  # give up if GitHub asks for a longer wait
    between_requests: float = 0.25
    between_writes: float = 1.0
    timeout: int = 15
    """For the connection, and for each byte."""
    total: float = 300.0
    """For one question with all its attempts, waits and pages."""
    sleep: Callable[[float], None] = time.sleep


class Failure(NamedTuple):
    """A failed request."""

    status: int
    """The HTTP status; 200 if the answer could not be read, 0 if there was none, -1 if the time is over."""
    message: str
    headers: Mapping[str, str]

    @property
    def is_gone(self) -> bool:
        """Whether the target does not exist, was deleted or was moved."""
        return self.status in _GONE

    @property
    def is_limit(self) -> bool:
        asks_to_wait = "retry-after" in self.headers or bool(_LIMIT.search(self.message))
        return self.status == _TOO_MANY or (self.status == _FORBIDDEN and asks_to_wait)

    def __str__(self) -> str:
        return f"GitHub said {self.status} {self.message}" if self.status > 0 else f"GitHub {self.message}"

    def wait(self, pacing: RequestPacing, attempt: int, *, creates: bool) -> float:
        """Return the seconds to wait before a retry; infinity if it is useless, or PyGithub has retried already."""
        temporary = creates and (self.status == _NO_ANSWER or self.status >= _SERVER_ERROR or self.is_limit)
        exhausted = attempt == _ATTEMPTS or "api rate limit exceeded" in self.message.lower()
        if exhausted or not (temporary or self.status == _UNREADABLE):
            return math.inf
        retry_after = self.headers.get("retry-after", "")
        limit_wait = pacing.limit_wait if self.is_limit else 0.0
        if re.fullmatch(r"\d{1,9}", retry_after):
            limit_wait = float(retry_after)
        return max(limit_wait, math.ldexp(pacing.backoff, attempt - 1))


_Call = Callable[[], T]
_Find = Callable[[], T | None] | None
_Recover = Callable[[Failure], T | None] | None


class GitHubTransport:
    """Sends requests about one repository.  Thread-safe: it sends one request at a time."""

    def __init__(self, token: str, *, repository: str, api_url: str, pacing: RequestPacing) -> None:
        """Store the settings; nothing is sent.

        Raises:
            UsageError: A value is missing or malformed; the message does not show it.
        """
        if not VALID_SETTINGS.fullmatch(f"{token} {repository} {api_url}"):
            raise UsageError("GITHUB_TOKEN, GITHUB_REPOSITORY or GITHUB_API_URL is missing or malformed; correct it")
        self._redactor, self._pacing = Redactor([token]), pacing
        self._one_at_a_time = threading.Lock()
        bounded_http.install()
        hub = github.Github(
            auth=github.Auth.Token(token),
            base_url=api_url,
            timeout=pacing.timeout,
            per_page=100,
            retry=_Retry(
                total=5,
                backoff_factor=pacing.backoff,
                status_forcelist=[_TOO_MANY, 500, 502, 503, 504],
                allowed_methods={"GET", "HEAD", "PATCH", "PUT", "DELETE"},  # not POST
                secondary_rate_wait=pacing.limit_wait,
                max_rate_limit_wait=pacing.longest_wait,
                raise_on_status=False,  # the last answer is more specific
            ),
            seconds_between_requests=pacing.between_requests,
            seconds_between_writes=pacing.between_writes,
            lazy=True,
        )
        self.requester, self.repository = hub.requester, hub.get_repo(repository)

    def ask(
        self,
        doing: str,
        needs: str,
        call: _Call[T],
        find: _Find[T] = None,
        recover: _Recover[T] = None,
        *,
        moved: bool = False,
    ) -> T:
        """Send a request, and retry it where PyGithub does not.

        A *call* that creates something comes with *find*, which looks for the result of an attempt whose reply was
        lost.  *recover* turns a harmless failure into a result.  Only with *moved* may the answer come from where
        GitHub redirects to: it may be about something else than what was asked, so nothing is decided by it.
        """
        deadline = time.monotonic() + self._pacing.total
        outcome, attempt = self._try(call, deadline, moved=moved), 1
        while isinstance(outcome, Failure):
            wait = outcome.wait(self._pacing, attempt, creates=bool(find))
            if wait > self._pacing.longest_wait or time.monotonic() + wait > deadline:
                recovered = recover(outcome) if recover else None
                if recovered is None:
                    raise self._error(doing, needs, outcome)  # raised here, so PyGithub's exception is not its context
                return recovered
            self._pacing.sleep(wait)
            found = find() if find else None
            outcome, attempt = (self._try(call, deadline, moved=moved) if found is None else found), attempt + 1
        return outcome

    def _try(self, call: _Call[T], deadline: float, *, moved: bool) -> T | Failure:
        try:
            return self._call(call, deadline, moved=moved)
        except OutOfTimeError:
            return Failure(_TOO_LONG, f"did not answer completely within {self._pacing.total:g} seconds", {})
        except (NoAnswerError, AnswerTooLargeError) as exc:
            return Failure(exc.status, str(exc), {})
        except _UNREADABLE_ANSWER as exc:
            return Failure(_UNREADABLE, f"with an answer that can't be read ({type(exc).__name__})", {})
        except github.GithubException as exc:
            headers = {name.lower(): str(value) for name, value in (exc.headers or {}).items()}
            status, message = _parse_error(exc.status, exc.data)
            return Failure(status, self._printable(message), headers)
        except (OSError, urllib3.exceptions.HTTPError) as exc:
            return Failure(_NO_ANSWER, f"did not answer ({type(exc).__name__})", {})

    def _call(self, call: _Call[T], deadline: float, *, moved: bool) -> T:
        if not self._one_at_a_time.acquire(timeout=max(0.0, deadline - time.monotonic())):
            raise OutOfTimeError
        try:
            return bounded_http.call_within(deadline - time.monotonic(), call, moved=moved)
        finally:
            self._one_at_a_time.release()

    def _error(self, doing: str, needs: str, failure: Failure) -> ForgeError:
        case = "429 " if failure.is_limit else f"{failure.status} {failure.message}"
        advice = next(advice for pattern, advice in _ADVICE if re.match(pattern, case, re.IGNORECASE))
        needs = self._printable(failure.headers.get("x-accepted-github-permissions", needs)).replace("_", "-")
        needs = re.sub(
            r"([a-z-]+)(?:=([a-z]+))?", lambda each: f"`{each[1]}: {each[2]}`" if each[2] else each[0], needs
        )
        needs = needs.replace(";", " or").replace(",", " and ")
        refused = case.startswith("403 ") or "is not permitted to" in failure.message
        kind = ForgeGoneError if failure.is_gone else ForgeRefusedError if refused else ForgeError
        return kind(f"{self._printable(doing)}: {failure}; {advice.format(needs=needs)}")

    def _printable(self, text: str) -> str:
        """Return untrusted *text* as one short printable line without the token."""
        return self._redactor.line(text, _MAX_MESSAGE)


class _Retry(GithubRetry):
    """PyGithub's retry, with an upper limit for the wait that a server asks for, and for bodies that it reads."""

    def increment(self, *arguments: Any, **more: Any) -> urllib3.Retry:  # type: ignore[override]  # noqa: ANN401
        bounded_http.check_time()
        retry = super().increment(*arguments, **more)
        if response := more.get("response"):
            response.close()  # else urllib3 would read it to its end, to use the connection again
        return retry

    @staticmethod
    def get_content(resp: urllib3.BaseHTTPResponse, url: str) -> bytes:  # noqa: ARG004
        return bounded_http.read_body(resp)

    def get_retry_after(self, response: urllib3.BaseHTTPResponse) -> float | None:
        wait = super().get_retry_after(response)
        if wait is not None and wait > (self.max_rate_limit_wait or math.inf):
            data = {"message": f"wait {wait:.0f} seconds before you try again"}
            raise RateLimitExceededExceedsMaxWait(response.status, data, dict(response.headers), wait=wait)
        return wait


def _parse_error(status: int, data: object) -> tuple[int, str]:
    """Return the status and the message of an error response, whose body may have any shape."""
    body = data if isinstance(data, dict) else {}
    rows = body.get("errors") or {}
    rows = rows if isinstance(rows, list) else [rows]
    errors = [row if isinstance(row, dict) else {"message": row} for row in rows]
    messages = [body.get("message"), *(row.get("message") or row.get("code") for row in errors)]
    consumed = status == _FORBIDDEN and data is None  # PyGithub read the body to look for a rate limit
    default = "rate limit" if consumed else responses.get(status, "")
    message = ": ".join(str(each) for each in messages if each) or default
    return _GRAPHQL.get(str(errors[0].get("type")), status), message
