"""The GitHub client: the requests to GitHub's API, and what their answers mean."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from operator import attrgetter, index
from typing import Any
from urllib.parse import quote

import github
from github.GithubObject import NotSet
from github.Issue import Issue as GitHubIssue
from github.IssueComment import IssueComment
from github.PaginatedList import PaginatedList
from github.PullRequest import PullRequest as GitHubPull
from github.PullRequestComment import PullRequestComment
from pydantic import AwareDatetime, TypeAdapter

from bot.errors import ForgeError
from bot.forge.client import WRITING, Issue, PullRequest, Reaction, ReviewComment, StatusState
from bot.forge.github_transport import Failure, GitHubTransport, RequestPacing
from bot.redaction import Redactor
from bot.text import shown, unix_newlines

_PULL, _ISSUE, _REVIEW_COMMENT = TypeAdapter(PullRequest), TypeAdapter(Issue), TypeAdapter(ReviewComment)
_TIME = TypeAdapter(AwareDatetime)
LOGIN = "github-actions[bot]"
_MAX_BODY = 60_000  # characters; GitHub's limit is 65,536
_READ_ISSUES, _WRITE_ISSUES = "issues=read; pull_requests=read", "issues=write; pull_requests=write"
_READ_PULLS, _WRITE_PULLS = "pull_requests=read", "pull_requests=write"
_WHO = "query { viewer { login } }"
_MARK_READY = "contents=write,pull_requests=write"  # cli/cli#8910: without contents, GitHub refuses this one mutation
_MOVED, _NOT_FOUND, _INVALID = 301, 404, 422


class GitHubClient:
    """A :class:`bot.forge.client.ForgeClient` for GitHub.  Thread-safe: it sends one request at a time."""

    def __init__(
        self,
        token: str,
        *,
        repository: str,
        api_url: str,
        login: str = LOGIN,
        pacing: RequestPacing | None = None,
        secrets: Iterable[str] = (),
    ) -> None:
        """Store the settings; nothing is sent.  *login* is our login until an answer shows the real one.

        What is posted is redacted: it holds neither the token nor one of *secrets*.

        Raises:
            UsageError: A value is missing or malformed; the message does not show it.
        """
        transport = GitHubTransport(token, repository=repository, api_url=api_url, pacing=pacing or RequestPacing())
        self._ask, self._requester, self._repository = transport.ask, transport.requester, transport.repository
        self._redactor = Redactor([token, *secrets])
        self._login, self._owner = login.lower(), repository.partition("/")[0]

    def may_write(self, login: str) -> bool:
        doing, path = (
            f"checking the permissions of {login}",
            f"{self._repository.url}/collaborators/{quote(login, safe='')}",
        )

        def read() -> tuple[str, str]:
            answer = self._requester.requestJsonAndCheck("GET", f"{path}/permission")[1]
            permission = answer["permission"]
            found = (permission, answer["user"]["login"] if permission in WRITING else login)
            if not all(isinstance(each, str) for each in found):
                raise TypeError("they are text")
            return found

        def nobody(failure: Failure) -> tuple[str, str] | None:
            return ("none", login) if failure.status == _NOT_FOUND else None

        permission, about = self._ask(doing, "metadata=read", read, recover=nobody)
        if about.lower() != login.lower():
            raise ForgeError(
                f"{doing}: GitHub answered about {shown(about)}; "
                "check GITHUB_API_URL and the network, or try again later"
            )
        return permission in WRITING

    def own_login(self) -> str:
        """Return our login; an app's token can ask for it by GraphQL only."""

        def ask() -> str:
            login: object = self._requester.graphql_query(_WHO, {})[1]["data"]["viewer"]["login"]
            if not isinstance(login, str) or not login:
                raise TypeError(f"a login is text, not {type(login).__name__}")
            return login

        self._login = self._ask("asking whom the token stands for", "metadata=read", ask, lambda: None).lower()
        return self._login

    def react(self, comment: int, reaction: Reaction, *, in_review: bool = False) -> None:
        doing = f"reacting to {'review ' * in_review}comment {comment}"
        target = self._comment(comment, in_review=in_review)
        self._ask(
            doing,
            _WRITE_PULLS if in_review else _WRITE_ISSUES,
            lambda: self._remember_login(target.create_reaction(reaction).user),
            lambda: None,
        )

    def take_back_reaction(self, comment: int, reaction: Reaction, *, in_review: bool = False) -> None:
        target = self._comment(comment, in_review=in_review)

        def remove() -> bool:
            for each in target.get_reactions():
                if each.content == reaction and self._is_ours(each.user):
                    self._requester.requestJsonAndCheck("DELETE", f"{target.url}/reactions/{index(each.id)}")
            return True

        doing = f"removing the reaction from {'review ' * in_review}comment {comment}"
        needs = _WRITE_PULLS if in_review else _WRITE_ISSUES
        self._ask(doing, needs, remove, recover=lambda failure: failure.is_gone or None)

    def _checked(self, doing: str, body: str) -> str:
        """Return *body* without keys, if it is short enough."""
        if len(body) > _MAX_BODY:
            raise ForgeError(f"{doing}: the text has {len(body):,} characters, the limit is {_MAX_BODY:,}; shorten it")
        return self._redactor.redact(body)

    def find_comment(self, issue: int, marker: str) -> int | None:
        doing, own = f"reading comments on #{issue}", partial(self._own_comments, issue, marker)
        return self._ask(doing, _WRITE_ISSUES, lambda: next((number for number, _ in own()), None))

    def comment(self, issue: int, body: str, *, again: bool = False) -> int:
        doing = f"commenting on #{issue}"
        body = self._checked(doing, body)
        own = partial(self._own_comments, issue, _identifying_prefix(body))
        create = partial(self._repository.get_issue(issue).create_comment, body)

        def find(*, edit: bool = False) -> int | None:
            number, text = self._ask(doing, _WRITE_ISSUES, lambda: max(own(), default=(None, "")))
            if edit and number is not None and text != unix_newlines(body):
                self.edit_comment(number, body)
            return number

        earlier = find(edit=True) if again else None
        return self._ask(doing, _WRITE_ISSUES, lambda: index(create().id), find) if earlier is None else earlier

    def edit_comment(self, comment: int, body: str) -> None:
        doing = f"editing comment {comment}"
        body = self._checked(doing, body)
        self._ask(doing, _WRITE_ISSUES, lambda: self._comment(comment).edit(body))

    def reply(self, pull: int, comment: int, body: str, *, again: bool = False) -> int:
        """Reply in a thread; GitHub accepts replies to the first comment of a thread only."""
        doing = f"replying to review comment {comment} on #{pull}"
        body = self._checked(doing, body)
        prefix, create = _identifying_prefix(body), self._repository.get_pull(pull).create_review_comment_reply

        def find(*, edit: bool = False) -> int | None:
            ours = (each for each in self.review_thread(pull, comment) if each.author.lower() == self._login)
            found = max((each for each in ours if each.body.startswith(prefix)), key=attrgetter("id"), default=None)
            if found and edit and found.body != unix_newlines(body):
                edited = self._comment(found.id, in_review=True)
                self._ask(doing, _WRITE_PULLS, lambda: edited.edit(body))
            return found.id if found else None

        def to_first(failure: Failure) -> int | None:
            thread = self.review_thread(pull, comment) if failure.status in (_NOT_FOUND, _INVALID) else ()
            first = next((each.in_reply_to for each in thread if each.id == comment), None)
            return (
                None if first is None else self._ask(doing, _WRITE_PULLS, lambda: index(create(first, body).id), find)
            )

        if again and (earlier := find(edit=True)) is not None:
            return earlier
        return self._ask(doing, _WRITE_PULLS, lambda: index(create(comment, body).id), find, to_first)

    def review_thread(self, pull: int, comment: int) -> Sequence[ReviewComment]:
        def read() -> Sequence[ReviewComment]:
            path = f"{self._repository.url}/pulls/{pull}/comments"
            rows = PaginatedList(PullRequestComment, self._requester, path, attributesTransformer=_with_parent)
            found = {each.id: each for each in map(_review_comment, rows)}
            first = (found[comment].in_reply_to if comment in found else None) or comment
            return [found[each] for each in sorted(found) if first in (each, found[each].in_reply_to)]

        return self._ask(f"reading the thread of review comment {comment} on #{pull}", _READ_PULLS, read)

    def issue(self, number: int) -> Issue:
        def read() -> Issue:
            issue = self._repository.get_issue(number).complete()
            if issue.number != number:  # transferred to another repository; PyGithub followed the redirect
                raise github.GithubException(_MOVED)
            return _issue(issue)

        return self._ask(f"reading #{number}", _READ_ISSUES, read, moved=True)

    def pull(self, number: int) -> PullRequest:
        def read() -> PullRequest:
            pull = _pull(self._repository.get_pull(number).complete())
            if pull.number != number:
                raise ValueError(f"the answer is about #{pull.number}")
            return pull

        return self._ask(f"reading pull request #{number}", _READ_PULLS, read)

    def find_pull(self, head: str) -> PullRequest | None:
        def find() -> PullRequest | None:
            listed = self._repository.get_pulls("all", "created", "desc", head=f"{self._owner}:{head}")
            found = [pull for pull in map(_pull, listed) if pull.head == head and not pull.is_fork]
            return next((pull for pull in found if pull.is_open), found[0] if found else None)

        return self._ask(f"looking for the pull request of {head}", _READ_PULLS, find)

    def open_pull(self, *, head: str, base: str, title: str, body: str, draft: bool) -> PullRequest:
        """Open a pull request; it is not a draft if the repository does not support drafts."""
        doing = f"opening a pull request from {head} to {base}"
        body = self._checked(doing, body)
        create = partial(self._repository.create_pull, base, head, title=self._redactor.redact(title), body=body)

        def find() -> PullRequest | None:
            return pull if (pull := self.find_pull(head)) and pull.is_open else None

        def recover(failure: Failure) -> PullRequest | None:
            message = failure.message.lower()
            if draft and "draft pull requests are not supported" in message:
                return self.open_pull(head=head, base=base, title=title, body=body, draft=False)
            return find() if "pull request already exists" in message else None

        return self._ask(doing, _WRITE_PULLS, lambda: _pull(create(draft=draft)), find, recover)

    def edit_pull(self, pull: PullRequest, *, title: str | None = None, body: str | None = None) -> None:
        doing = f"editing pull request #{pull.number}"
        new = (
            NotSet if title is None else self._redactor.redact(title),
            NotSet if body is None else self._checked(doing, body),
        )
        self._ask(doing, _WRITE_PULLS, lambda: self._repository.get_pull(pull.number).edit(*new))

    def mark_ready(self, pull: PullRequest) -> None:
        mark = GitHubPull(self._requester, {}, {"node_id": pull.node_id}, completed=True).mark_ready_for_review
        if pull.is_draft:
            doing = f"marking pull request #{pull.number} as ready for review"
            self._ask(doing, _MARK_READY, mark, lambda: None if self.pull(pull.number).is_draft else {})

    def set_status(self, commit: str, context: str, state: StatusState, description: str, url: str) -> None:
        target = f"{self._repository.url}/statuses/{commit}"
        body = {"state": state, "context": context, "description": self._redactor.redact(description)}

        def post() -> bool:
            return bool(self._requester.requestJsonAndCheck("POST", target, input={**body, "target_url": url}))

        self._ask(f"setting the status {context} of {commit[:10]}", "statuses=write", post, lambda: None)

    def dispatch(self, workflow: str, ref: str, inputs: Mapping[str, str]) -> None:
        """Start a workflow.  If the reply is lost, it is started twice: nothing shows whether the first one started."""
        start = partial(self._repository.get_workflow(workflow).create_dispatch, ref, dict(inputs), throw=True)
        self._ask(f"starting {workflow} on {ref}", "actions=write", start, lambda: None)

    def _comment(self, number: int, *, in_review: bool = False) -> IssueComment | PullRequestComment:
        kind, path = (PullRequestComment, "pulls") if in_review else (IssueComment, "issues")
        return kind(self._requester, url=f"{self._repository.url}/{path}/comments/{number}")

    def _own_comments(self, issue: int, prefix: str) -> Iterator[tuple[int, str]]:
        """Yield the id and text of our comments that begin with *prefix*."""
        for each in self._repository.get_issue(issue).get_comments():
            if self._is_ours(each.user) and (body := unix_newlines(each.body or "")).startswith(prefix):
                yield index(each.id), body

    def _remember_login(self, user: object) -> None:
        """Remember our login: an app's token cannot ask for it, but the answer to a reaction contains it."""
        self._login = str(getattr(user, "login", None) or self._login).lower()

    def _is_ours(self, user: object) -> bool:
        """Return whether *user* is us; others can copy our markers, and an account may be deleted."""
        return str(getattr(user, "login", "")).lower() == self._login


def _pull(pull: GitHubPull) -> PullRequest:
    fields = {"number": pull.number, "url": pull.html_url, "node_id": pull.node_id, "head": pull.head.ref}
    state = {"is_open": pull.state == "open", "is_merged": pull.merged_at is not None, "is_draft": pull.draft}
    base = index(pull.base.repo.id)
    fork = getattr(pull.head.repo, "id", None) != base  # the head's repository may be deleted
    return _PULL.validate_python({**fields, **state, "is_fork": fork})


def _issue(issue: GitHubIssue) -> Issue:
    fields = {"number": issue.number, "title": issue.title, "body": unix_newlines(issue.body or "")}
    state = {"is_open": issue.state == "open", "is_pull_request": issue.pull_request is not None}
    return _ISSUE.validate_python({**fields, **state})


def _review_comment(comment: PullRequestComment) -> ReviewComment:
    fields = {"id": comment.id, "body": unix_newlines(comment.body or ""), "in_reply_to": comment.in_reply_to_id}
    fields |= {"author": getattr(comment.user, "login", "")}
    return _REVIEW_COMMENT.validate_python({**fields, "updated_at": _TIME.validate_python(comment.updated_at)})


def _with_parent(row: Mapping[str, Any]) -> dict[str, Any]:
    """Add the missing ``in_reply_to_id`` of a first comment, or PyGithub sends a request per comment to get it."""
    return {"in_reply_to_id": None, **row}


def _identifying_prefix(body: str) -> str:
    """Return the part that identifies a comment: its marker, or else the whole text."""
    body = unix_newlines(body)
    return (body.partition("\n")[0] if body.startswith("<!--") else body).rstrip()
