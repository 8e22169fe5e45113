"""How GitHub is asked: patiently, and again where that is safe.  PyGithub's exceptions end here.

PyGithub repeats what is safe to repeat; what creates something is repeated here, after a look for what came of it.
"""

import math
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import responses
from typing import NamedTuple, TypeVar

import github
import urllib3
from github.GithubException import BadAttributeException, IncompletableObject, RateLimitExceededExceedsMaxWait
from github.GithubRetry import GithubRetry
from requests.exceptions import ChunkedEncodingError

from bot.errors import ForgeError, ForgeGoneError, ForgeRefusedError, UsageError
from bot.text import one_line

T = TypeVar("T")
_SANE = re.compile(r"[!-~]+ [\w.-]+/[\w.-]+ https?://[\w.-]+(:\d{1,5})?(/[\w./-]*)?", re.ASCII)
_TOLD, _ATTEMPTS = 200, 4  # characters of what it said; requests
_GRAPHQL = {"FORBIDDEN": 403, "NOT_FOUND": 404, "RATE_LIMITED": 429}
_NO_ANSWER, _UNREADABLE, _FORBIDDEN, _TOO_MANY, _SERVER = 0, 200, 403, 429, 500
_GONE = (301, 404, 410)
_BROKEN = (BadAttributeException, IncompletableObject, ChunkedEncodingError, AssertionError, RuntimeError)
_ODD = (*_BROKEN, ValueError, TypeError, LookupError, AttributeError)
_LIMIT = re.compile(r"rate limit|abuse detection|before you try again|request again later", re.IGNORECASE)
_ADVICE = (
    (r".*not permitted to create or approve", "allow it under Settings > Actions > General, or open it by hand"),
    (r"429 ", "wait a while and run it again"),
    (r"403 .*is locked", "unlock the conversation and run it again"),
    (r"401 ", "the token is wrong or has expired; check github-token"),
    (r"403 ", "the token needs {needs} (in a workflow under `permissions:`)"),
    (r"(301|404|410) ", "check that it exists; a token without {needs} may not see it"),
    (r"(nothing|2..|5..) ", "check GITHUB_API_URL and the network, or run it again when GitHub is well"),
    (r"", "correct that and run it again"),
)  # what to do next, by how the answer begins


@dataclass(frozen=True, slots=True)
class RequestPacing:
    """How patiently GitHub is asked, and how fast; in seconds."""

    backoff: float = 1.0
    limit_wait: float = 60.0  # after a rate limit that says nothing of its end
    longest_wait: float = 120.0  # who is told to wait for longer gives up
    between_requests: float = 0.25
    between_writes: float = 1.0
    timeout: int = 15
    sleep: Callable[[float], None] = time.sleep


class Failure(NamedTuple):
    """What came instead of an answer."""

    status: int
    said: str
    headers: Mapping[str, str]

    @property
    def is_gone(self) -> bool:
        """Whether what was asked for is not there, or is no more, or is somewhere else."""
        return self.status in _GONE

    @property
    def is_limit(self) -> bool:
        slow = "retry-after" in self.headers or bool(_LIMIT.search(self.said))
        return self.status == _TOO_MANY or (self.status == _FORBIDDEN and slow)

    def wait(self, manners: RequestPacing, attempt: int, *, creates: bool) -> float:
        """Return how long to wait before one more attempt, which PyGithub has not made; for ever if it is of no use."""
        passing = creates and (self.status == _NO_ANSWER or self.status >= _SERVER or self.is_limit)
        spent = attempt == _ATTEMPTS or "api rate limit exceeded" in self.said.lower()
        if spent or not (passing or self.status == _UNREADABLE):
            return math.inf
        asked = self.headers.get("retry-after", "")
        limit = float(asked) if re.fullmatch(r"\d{1,9}", asked) else manners.limit_wait if self.is_limit else 0.0
        return max(limit, math.ldexp(manners.backoff, attempt - 1))


_Call = Callable[[], T]
_Find = Callable[[], T | None] | None
_Instead = Callable[[Failure], T | None] | None


class GitHubTransport:
    """The way to one repository.  Threads may share it: it asks one thing at a time."""

    def __init__(self, token: str, *, repository: str, api_url: str, manners: RequestPacing) -> None:
        """Take note of whom to ask; nothing is sent.

        Raises:
            UsageError: A value can't be right; the message does not show it.
        """
        if not _SANE.fullmatch(f"{token} {repository} {api_url}"):
            raise UsageError("GITHUB_TOKEN, GITHUB_REPOSITORY or GITHUB_API_URL: missing or malformed; correct it")
        self._token, self._manners = token, manners
        self._one_at_a_time = threading.Lock()
        hub = github.Github(
            auth=github.Auth.Token(token),
            base_url=api_url,
            timeout=manners.timeout,
            per_page=100,
            retry=_Retry(
                total=5,
                backoff_factor=manners.backoff,
                status_forcelist=[_TOO_MANY, 500, 502, 503, 504],
                allowed_methods={"GET", "HEAD", "PATCH", "PUT", "DELETE"},  # not POST
                secondary_rate_wait=manners.limit_wait,
                max_rate_limit_wait=manners.longest_wait,
                raise_on_status=False,  # the last answer says more
            ),
            seconds_between_requests=manners.between_requests,
            seconds_between_writes=manners.between_writes,
            lazy=True,
        )
        self.requester, self.repository = hub.requester, hub.get_repo(repository)

    def ask(self, doing: str, needs: str, call: _Call[T], find: _Find[T] = None, instead: _Instead[T] = None) -> T:
        """Ask, and again where PyGithub does not.  What creates has a *find*; *instead* knows harmless failures."""
        outcome, attempt = self._try(call), 1
        while isinstance(outcome, Failure):
            wait = outcome.wait(self._manners, attempt, creates=bool(find))
            if wait > self._manners.longest_wait:
                other = instead(outcome) if instead else None
                if other is None:
                    raise self._error(doing, needs, outcome)  # not where it is caught: PyGithub's would hang on to it
                return other
            self._manners.sleep(wait)
            found = find() if find else None
            outcome, attempt = (self._try(call) if found is None else found), attempt + 1
        return outcome

    def _try(self, call: _Call[T]) -> T | Failure:
        try:
            with self._one_at_a_time:
                return call()
        except _ODD as exc:  # what PyGithub makes of an odd answer
            return Failure(_UNREADABLE, f"something that can't be read ({type(exc).__name__})", {})
        except github.GithubException as exc:
            headers = {name.lower(): str(value) for name, value in (exc.headers or {}).items()}
            status, said = _said(exc.status, exc.data)
            return Failure(status, self._plain(said), headers)
        except (OSError, urllib3.exceptions.HTTPError) as exc:  # what it makes of no answer
            return Failure(_NO_ANSWER, f"nothing ({type(exc).__name__})", {})

    def _error(self, doing: str, needs: str, failure: Failure) -> ForgeError:
        line = f"{failure.status or ''} {failure.said}".strip()
        sort = "429 " if failure.is_limit else line
        advice = next(advice for begin, advice in _ADVICE if re.match(begin, sort, re.IGNORECASE))
        needs = self._plain(failure.headers.get("x-accepted-github-permissions", needs)).replace("_", "-")
        needs = re.sub(r"([a-z-]+)=([a-z]+)", r"`\1: \2`", needs).replace(";", " or").replace(",", " and ")
        kind = ForgeRefusedError if sort.startswith("403 ") or "is not permitted to" in failure.said else ForgeError
        kind = ForgeGoneError if failure.is_gone else kind
        return kind(f"{self._plain(doing)}: GitHub said {line}; {advice.format(needs=needs)}")

    def _plain(self, text: str) -> str:
        """Make one line of what others wrote, without the token."""
        return one_line(text.replace(self._token, "***"), _TOLD)


class _Retry(GithubRetry):
    """PyGithub's, which would wait for as long as a server asks."""

    def get_retry_after(self, response: urllib3.BaseHTTPResponse) -> float | None:
        asked = super().get_retry_after(response)
        if asked is not None and asked > (self.max_rate_limit_wait or math.inf):
            said = {"message": f"request again later, in {asked:.0f} seconds"}
            raise RateLimitExceededExceedsMaxWait(response.status, said, dict(response.headers), wait=asked)
        return asked


def _said(status: int, data: object) -> tuple[int, str]:
    """Read the body of a refusal, whatever shape it has: the status that it stands for, and what it says."""
    body = data if isinstance(data, dict) else {}
    rows = body.get("errors") or {}
    rows = rows if isinstance(rows, list) else [rows]
    errors = [row if isinstance(row, dict) else {"message": row} for row in rows]
    told = [body.get("message"), *(row.get("message") or row.get("code") for row in errors)]
    bare = "rate limit" if status == _FORBIDDEN and data is None else responses.get(status, "")  # PyGithub has read it
    return _GRAPHQL.get(str(errors[0].get("type")), status), ": ".join(str(each) for each in told if each) or bare
