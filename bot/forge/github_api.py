"""GitHub, asked by PyGithub.  The only module that imports it; its exceptions end here.

PyGithub repeats what is safe to repeat; what creates something is repeated here, after a look for what came of it.
"""

import math
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from http.client import responses
from operator import index
from typing import NamedTuple, TypeVar

import github
import urllib3
from github.GithubException import BadAttributeException, IncompletableObject, RateLimitExceededExceedsMaxWait
from github.GithubObject import NotSet
from github.GithubRetry import GithubRetry
from github.IssueComment import IssueComment
from github.PullRequest import PullRequest
from pydantic import TypeAdapter
from requests.exceptions import ChunkedEncodingError

from bot.errors import ForgeError, ForgeRefusedError, UsageError
from bot.forge.forge import Pull, Reaction

T = TypeVar("T")
_PULL = TypeAdapter(Pull)
LOGIN = "github-actions[bot]"
_SANE = re.compile(r"[!-~]+ [\w.-]+/[\w.-]+ https?://[\w.-]+(:\d{1,5})?(/[\w./-]*)?", re.ASCII)
_LONGEST, _TOLD, _ATTEMPTS = 60_000, 200, 4  # characters of a text (GitHub takes 65,536) and of what it said; requests
_TALK, _SEE, _PULLS = "issues=write; pull_requests=write", "pull_requests=read", "pull_requests=write"
_READY = "contents=write,pull_requests=write"  # cli/cli#8910: without contents, GitHub refuses this one mutation
_GRAPHQL = {"FORBIDDEN": 403, "NOT_FOUND": 404, "RATE_LIMITED": 429}
_NO_ANSWER, _UNREADABLE, _FORBIDDEN, _GONE, _TOO_MANY, _SERVER = 0, 200, 403, 404, 429, 500
_BROKEN = (BadAttributeException, IncompletableObject, ChunkedEncodingError, AssertionError, RuntimeError)
_ODD = (*_BROKEN, ValueError, TypeError, LookupError, AttributeError)
_LIMIT = re.compile(r"rate limit|abuse detection|before you try again|request again later", re.IGNORECASE)
_ADVICE = (
    (r".*not permitted to create or approve", "allow it under Settings > Actions > General, or open it by hand"),
    (r"429 ", "wait a while and run it again"),
    (r"403 .*is locked", "unlock the conversation and run it again"),
    (r"401 ", "the token is wrong or has expired; check github-token"),
    (r"403 ", "the token needs {needs} (in a workflow under `permissions:`)"),
    (r"404 ", "check that it exists; a token without {needs} may not see it"),
    (r"(nothing|2..|5..) ", "check GITHUB_API_URL and the network, or run it again when GitHub is well"),
    (r"", "correct that and run it again"),
)  # what to do next, by how the answer begins


@dataclass(frozen=True, slots=True)
class Manners:
    """How patiently GitHub is asked, and how fast; in seconds."""

    backoff: float = 1.0
    limit_wait: float = 60.0  # after a rate limit that says nothing of its end
    longest_wait: float = 120.0  # who is told to wait for longer gives up
    between_requests: float = 0.25
    between_writes: float = 1.0
    timeout: int = 15
    sleep: Callable[[float], None] = time.sleep


class _Failure(NamedTuple):
    """What came instead of an answer."""

    status: int
    said: str
    headers: Mapping[str, str]

    @property
    def is_limit(self) -> bool:
        slow = "retry-after" in self.headers or bool(_LIMIT.search(self.said))
        return self.status == _TOO_MANY or (self.status == _FORBIDDEN and slow)

    def wait(self, manners: Manners, attempt: int, *, creates: bool) -> float:
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
_Instead = Callable[[_Failure], T | None] | None


class GitHub:
    """One repository; see :class:`bot.forge.forge.Forge`.  Threads may share it: it asks one thing at a time."""

    def __init__(
        self, token: str, *, repository: str, api_url: str, login: str = LOGIN, manners: Manners | None = None
    ) -> None:
        """Take note of whom to ask, as *login*; nothing is sent.

        Raises:
            UsageError: A value can't be right; the message does not show it.
        """
        if not _SANE.fullmatch(f"{token} {repository} {api_url}"):
            raise UsageError("GITHUB_TOKEN, GITHUB_REPOSITORY or GITHUB_API_URL: missing or malformed; correct it")
        self._manners = manners = manners or Manners()
        self._token, self._login, self._owner = token, login.lower(), repository.partition("/")[0]
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
        self._requester, self._repository = hub.requester, hub.get_repo(repository)

    def may_write(self, login: str) -> bool:
        doing, ask = f"checking what {login} may do", partial(self._repository.get_collaborator_permission, login)
        found = self._ask(doing, "metadata=read", ask, instead=lambda failure: "" if failure.status == _GONE else None)
        return found in ("admin", "maintain", "write")

    def react(self, comment: int, reaction: Reaction) -> None:
        react = partial(self._comment(comment).create_reaction, reaction)
        self._ask(f"reacting to comment {comment}", _TALK, react, lambda: None)

    def take_back_reaction(self, comment: int, reaction: Reaction) -> None:
        def take_back() -> bool:
            for each in self._comment(comment).get_reactions():
                if each.content == reaction and self._is_ours(each.user):
                    path = f"{self._comment(comment).url}/reactions/{index(each.id)}"
                    self._requester.requestJsonAndCheck("DELETE", path)
            return True

        doing = f"taking back the reaction to comment {comment}"
        self._ask(doing, _TALK, take_back, instead=lambda failure: failure.status == _GONE or None)

    def find_comment(self, issue: int, marker: str) -> int | None:
        return self._ask(f"reading comments on #{issue}", _TALK, lambda: next(self._own_comments(issue, marker), None))

    def comment(self, issue: int, body: str) -> int:
        doing = f"commenting on #{issue}"
        _check_length(doing, body)
        begin = (body.partition("\n")[0] if body.startswith("<!--") else body).rstrip()
        find = partial(self._ask, doing, _TALK, lambda: max(self._own_comments(issue, begin), default=None))
        make = partial(self._repository.get_issue(issue).create_comment, body)
        return self._ask(doing, _TALK, lambda: index(make().id), find)

    def edit_comment(self, comment: int, body: str) -> None:
        doing = f"editing comment {comment}"
        _check_length(doing, body)
        self._ask(doing, _TALK, lambda: self._comment(comment).edit(body))

    def pull(self, number: int) -> Pull:
        return self._ask(f"reading pull request #{number}", _SEE, lambda: _pull(self._repository.get_pull(number)))

    def find_pull(self, head: str) -> Pull | None:
        def find() -> Pull | None:
            listed = self._repository.get_pulls("all", "created", "desc", head=f"{self._owner}:{head}")
            found = [pull for pull in map(_pull, listed) if pull.head == head and not pull.is_fork]
            return next((pull for pull in found if pull.is_open), found[0] if found else None)

        return self._ask(f"looking for the pull request of {head}", _SEE, find)

    def open_pull(self, *, head: str, base: str, title: str, body: str, draft: bool) -> Pull:
        """Open one, see the protocol; it is no draft where the repository has none."""
        doing = f"opening a pull request from {head} to {base}"
        _check_length(doing, body)
        create = partial(self._repository.create_pull, base, head, title=title, body=body)

        def find() -> Pull | None:
            return pull if (pull := self.find_pull(head)) and pull.is_open else None

        def other(failure: _Failure) -> Pull | None:
            said = failure.said.lower()
            if draft and "draft pull requests are not supported" in said:
                return self.open_pull(head=head, base=base, title=title, body=body, draft=False)
            return find() if "pull request already exists" in said else None

        return self._ask(doing, _PULLS, lambda: _pull(create(draft=draft)), find, other)

    def edit_pull(self, pull: Pull, *, title: str | None = None, body: str | None = None) -> None:
        doing = f"editing pull request #{pull.number}"
        _check_length(doing, body or "")
        new = (NotSet if title is None else title, NotSet if body is None else body)
        self._ask(doing, _PULLS, lambda: self._repository.get_pull(pull.number).edit(*new))

    def mark_ready(self, pull: Pull) -> None:
        mark = PullRequest(self._requester, {}, {"node_id": pull.node_id}, completed=True).mark_ready_for_review
        if pull.is_draft:
            doing = f"marking pull request #{pull.number} as ready"
            self._ask(doing, _READY, mark, lambda: None if self.pull(pull.number).is_draft else {})

    def dispatch(self, workflow: str, ref: str, inputs: Mapping[str, str]) -> None:
        """Start it, see the protocol; twice if the reply to the first request is lost, since nothing tells."""
        start = partial(self._repository.get_workflow(workflow).create_dispatch, ref, dict(inputs), throw=True)
        self._ask(f"starting {workflow} on {ref}", "actions=write", start, lambda: None)

    def _comment(self, number: int) -> IssueComment:
        return IssueComment(self._requester, url=f"{self._repository.url}/issues/comments/{number}")

    def _own_comments(self, issue: int, begin: str) -> Iterator[int]:
        for each in self._repository.get_issue(issue).get_comments():
            if self._is_ours(each.user) and (each.body or "").startswith(begin):
                yield index(each.id)

    def _is_ours(self, user: object) -> bool:
        """Whether *user*, who may be gone, is us: what others write may begin as ours does."""
        return str(getattr(user, "login", "")).lower() == self._login

    def _ask(self, doing: str, needs: str, call: _Call[T], find: _Find[T] = None, instead: _Instead[T] = None) -> T:
        """Ask, and again where PyGithub does not.  What creates has a *find*; *instead* knows harmless failures."""
        outcome, attempt = self._try(call), 1
        while isinstance(outcome, _Failure):
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

    def _try(self, call: _Call[T]) -> T | _Failure:
        try:
            with self._one_at_a_time:
                return call()
        except _ODD as exc:  # what PyGithub makes of an odd answer
            return _Failure(_UNREADABLE, f"something that can't be read ({type(exc).__name__})", {})
        except github.GithubException as exc:
            headers = {name.lower(): str(value) for name, value in (exc.headers or {}).items()}
            status, said = _said(exc.status, exc.data)
            return _Failure(status, self._plain(said), headers)
        except (OSError, urllib3.exceptions.HTTPError) as exc:  # what it makes of no answer
            return _Failure(_NO_ANSWER, f"nothing ({type(exc).__name__})", {})

    def _error(self, doing: str, needs: str, failure: _Failure) -> ForgeError:
        line = f"{failure.status or ''} {failure.said}".strip()
        sort = "429 " if failure.is_limit else line
        advice = next(advice for begin, advice in _ADVICE if re.match(begin, sort, re.IGNORECASE))
        needs = self._plain(failure.headers.get("x-accepted-github-permissions", needs)).replace("_", "-")
        needs = re.sub(r"([a-z-]+)=([a-z]+)", r"`\1: \2`", needs).replace(";", " or").replace(",", " and ")
        kind = ForgeRefusedError if sort.startswith("403 ") or "is not permitted to" in failure.said else ForgeError
        return kind(f"{self._plain(doing)}: GitHub said {line}; {advice.format(needs=needs)}")

    def _plain(self, text: str) -> str:
        """Make a line of what others wrote: printable, not long, and without the token."""
        line = " ".join(text.replace(self._token, "***").split())
        return "".join(each for each in line if each.isprintable())[:_TOLD]


class _Retry(GithubRetry):
    """PyGithub's, which would wait for as long as a server asks."""

    def get_retry_after(self, response: urllib3.BaseHTTPResponse) -> float | None:
        asked = super().get_retry_after(response)
        if asked is not None and asked > (self.max_rate_limit_wait or math.inf):
            said = {"message": f"request again later, in {asked:.0f} seconds"}
            raise RateLimitExceededExceedsMaxWait(response.status, said, dict(response.headers), wait=asked)
        return asked


def _pull(pull: PullRequest) -> Pull:
    known = {"number": pull.number, "url": pull.html_url, "node_id": pull.node_id}
    known |= {"head": pull.head.ref, "base": pull.base.ref}
    state = {"is_open": pull.state == "open", "is_merged": pull.merged_at is not None, "is_draft": pull.draft}
    fork = getattr(pull.head.repo, "id", None) != pull.base.repo.id  # the head's may be gone
    return _PULL.validate_python({**known, **state, "is_fork": fork})


def _said(status: int, data: object) -> tuple[int, str]:
    """Read the body of a refusal, whatever shape it has: the status that it stands for, and what it says."""
    body = data if isinstance(data, dict) else {}
    rows = body.get("errors") or {}
    rows = rows if isinstance(rows, list) else [rows]
    errors = [row if isinstance(row, dict) else {"message": row} for row in rows]
    told = [body.get("message"), *(row.get("message") or row.get("code") for row in errors)]
    bare = "rate limit" if status == _FORBIDDEN and data is None else responses.get(status, "")  # PyGithub has read it
    return _GRAPHQL.get(str(errors[0].get("type")), status), ": ".join(str(each) for each in told if each) or bare


def _check_length(doing: str, body: str) -> None:
    if len(body) > _LONGEST:
        raise ForgeError(f"{doing}: the text has {len(body):,} characters, of {_LONGEST:,}; cut it")
