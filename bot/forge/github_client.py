"""GitHub, asked by PyGithub: what is asked of it, and what is made of its answers."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from operator import index
from typing import Any

import github
from github.GithubObject import NotSet
from github.Issue import Issue as FoundIssue
from github.IssueComment import IssueComment
from github.PaginatedList import PaginatedList
from github.PullRequest import PullRequest as FoundPull
from github.PullRequestComment import PullRequestComment
from pydantic import AwareDatetime, TypeAdapter

from bot.errors import ForgeError
from bot.forge.client import Issue, PullRequest, Reaction, ReviewComment
from bot.forge.github_transport import Failure, GitHubTransport, RequestPacing
from bot.text import unix_newlines

_PULL, _ISSUE, _REVIEW_COMMENT = TypeAdapter(PullRequest), TypeAdapter(Issue), TypeAdapter(ReviewComment)
_TIME = TypeAdapter(AwareDatetime)
LOGIN = "github-actions[bot]"
_LONGEST = 60_000  # characters of a text; GitHub takes 65,536
_TALK, _SEE, _PULLS = "issues=write; pull_requests=write", "pull_requests=read", "pull_requests=write"
_READ = "issues=read; pull_requests=read"
_READY = "contents=write,pull_requests=write"  # cli/cli#8910: without contents, GitHub refuses this one mutation
_MOVED, _AWAY, _INVALID = 301, 404, 422


class GitHubClient:
    """One repository; see :class:`bot.forge.client.Forge`.  Threads may share it: it asks one thing at a time."""

    def __init__(
        self, token: str, *, repository: str, api_url: str, login: str = LOGIN, manners: RequestPacing | None = None
    ) -> None:
        """Take note of whom to ask, as *login* until an answer says who we are; nothing is sent.

        Raises:
            UsageError: A value can't be right; the message does not show it.
        """
        way = GitHubTransport(token, repository=repository, api_url=api_url, manners=manners or RequestPacing())
        self._ask, self._requester, self._repository = way.ask, way.requester, way.repository
        self._login, self._owner = login.lower(), repository.partition("/")[0]

    def may_write(self, login: str) -> bool:
        doing, ask = f"checking what {login} may do", partial(self._repository.get_collaborator_permission, login)
        found = self._ask(doing, "metadata=read", ask, instead=lambda failure: "" if failure.status == _AWAY else None)
        return found in ("admin", "maintain", "write")

    def react(self, comment: int, reaction: Reaction, *, in_review: bool = False) -> None:
        doing = f"reacting to {'review ' * in_review}comment {comment}"
        target = self._comment(comment, in_review=in_review)
        self._ask(
            doing,
            _PULLS if in_review else _TALK,
            lambda: self._learn(target.create_reaction(reaction).user),
            lambda: None,
        )

    def take_back_reaction(self, comment: int, reaction: Reaction, *, in_review: bool = False) -> None:
        target = self._comment(comment, in_review=in_review)

        def take_back() -> bool:
            for each in target.get_reactions():
                if each.content == reaction and self._is_ours(each.user):
                    self._requester.requestJsonAndCheck("DELETE", f"{target.url}/reactions/{index(each.id)}")
            return True

        doing = f"taking back the reaction to {'review ' * in_review}comment {comment}"
        needs = _PULLS if in_review else _TALK
        self._ask(doing, needs, take_back, instead=lambda failure: failure.is_gone or None)

    def find_comment(self, issue: int, marker: str) -> int | None:
        return self._ask(f"reading comments on #{issue}", _TALK, lambda: next(self._own_comments(issue, marker), None))

    def comment(self, issue: int, body: str) -> int:
        doing = f"commenting on #{issue}"
        _check_length(doing, body)
        begin = _beginning(body)
        find = partial(self._ask, doing, _TALK, lambda: max(self._own_comments(issue, begin), default=None))
        make = partial(self._repository.get_issue(issue).create_comment, body)
        return self._ask(doing, _TALK, lambda: index(make().id), find)

    def edit_comment(self, comment: int, body: str) -> None:
        doing = f"editing comment {comment}"
        _check_length(doing, body)
        self._ask(doing, _TALK, lambda: self._comment(comment).edit(body))

    def reply(self, pull: int, comment: int, body: str) -> int:
        """Answer, see the protocol: GitHub takes answers to the first comment of a thread only."""
        doing = f"answering review comment {comment} on #{pull}"
        _check_length(doing, body)
        begin, create = _beginning(body), self._repository.get_pull(pull).create_review_comment_reply

        def find() -> int | None:
            ours = (each for each in self.review_thread(pull, comment) if each.author.lower() == self._login)
            return max((each.id for each in ours if each.body.startswith(begin)), default=None)

        def to_first(failure: Failure) -> int | None:
            thread = self.review_thread(pull, comment) if failure.status in (_AWAY, _INVALID) else ()
            first = next((each.in_reply_to for each in thread if each.id == comment), None)
            return None if first is None else self._ask(doing, _PULLS, lambda: index(create(first, body).id), find)

        return self._ask(doing, _PULLS, lambda: index(create(comment, body).id), find, to_first)

    def review_thread(self, pull: int, comment: int) -> Sequence[ReviewComment]:
        def read() -> Sequence[ReviewComment]:
            path = f"{self._repository.url}/pulls/{pull}/comments"
            rows = PaginatedList(PullRequestComment, self._requester, path, attributesTransformer=_with_parent)
            found = {each.id: each for each in map(_review_comment, rows)}
            first = (found[comment].in_reply_to if comment in found else None) or comment
            return [found[each] for each in sorted(found) if first in (each, found[each].in_reply_to)]

        return self._ask(f"reading the thread of review comment {comment} on #{pull}", _SEE, read)

    def issue(self, number: int) -> Issue:
        def read() -> Issue:
            issue = self._repository.get_issue(number).complete()
            if issue.number != number:  # transferred to another repository, where PyGithub has followed it
                raise github.GithubException(_MOVED)
            return _issue(issue)

        return self._ask(f"reading #{number}", _READ, read)

    def pull(self, number: int) -> PullRequest:
        return self._ask(f"reading pull request #{number}", _SEE, lambda: _pull(self._repository.get_pull(number)))

    def find_pull(self, head: str) -> PullRequest | None:
        def find() -> PullRequest | None:
            listed = self._repository.get_pulls("all", "created", "desc", head=f"{self._owner}:{head}")
            found = [pull for pull in map(_pull, listed) if pull.head == head and not pull.is_fork]
            return next((pull for pull in found if pull.is_open), found[0] if found else None)

        return self._ask(f"looking for the pull request of {head}", _SEE, find)

    def open_pull(self, *, head: str, base: str, title: str, body: str, draft: bool) -> PullRequest:
        """Open one, see the protocol; it is no draft where the repository has none."""
        doing = f"opening a pull request from {head} to {base}"
        _check_length(doing, body)
        create = partial(self._repository.create_pull, base, head, title=title, body=body)

        def find() -> PullRequest | None:
            return pull if (pull := self.find_pull(head)) and pull.is_open else None

        def other(failure: Failure) -> PullRequest | None:
            said = failure.said.lower()
            if draft and "draft pull requests are not supported" in said:
                return self.open_pull(head=head, base=base, title=title, body=body, draft=False)
            return find() if "pull request already exists" in said else None

        return self._ask(doing, _PULLS, lambda: _pull(create(draft=draft)), find, other)

    def edit_pull(self, pull: PullRequest, *, title: str | None = None, body: str | None = None) -> None:
        doing = f"editing pull request #{pull.number}"
        _check_length(doing, body or "")
        new = (NotSet if title is None else title, NotSet if body is None else body)
        self._ask(doing, _PULLS, lambda: self._repository.get_pull(pull.number).edit(*new))

    def mark_ready(self, pull: PullRequest) -> None:
        mark = FoundPull(self._requester, {}, {"node_id": pull.node_id}, completed=True).mark_ready_for_review
        if pull.is_draft:
            doing = f"marking pull request #{pull.number} as ready"
            self._ask(doing, _READY, mark, lambda: None if self.pull(pull.number).is_draft else {})

    def dispatch(self, workflow: str, ref: str, inputs: Mapping[str, str]) -> None:
        """Start it, see the protocol; twice if the reply to the first request is lost, since nothing tells."""
        start = partial(self._repository.get_workflow(workflow).create_dispatch, ref, dict(inputs), throw=True)
        self._ask(f"starting {workflow} on {ref}", "actions=write", start, lambda: None)

    def _comment(self, number: int, *, in_review: bool = False) -> IssueComment | PullRequestComment:
        kind, path = (PullRequestComment, "pulls") if in_review else (IssueComment, "issues")
        return kind(self._requester, url=f"{self._repository.url}/{path}/comments/{number}")

    def _own_comments(self, issue: int, begin: str) -> Iterator[int]:
        for each in self._repository.get_issue(issue).get_comments():
            if self._is_ours(each.user) and unix_newlines(each.body or "").startswith(begin):
                yield index(each.id)

    def _learn(self, user: object) -> None:
        """Take note of who we are, which no request tells a token of an app: we are who did what we did."""
        self._login = str(getattr(user, "login", None) or self._login).lower()

    def _is_ours(self, user: object) -> bool:
        """Whether *user*, who may be gone, is us: what others write may begin as ours does."""
        return str(getattr(user, "login", "")).lower() == self._login


def _pull(pull: FoundPull) -> PullRequest:
    known = {"number": pull.number, "url": pull.html_url, "node_id": pull.node_id, "head": pull.head.ref}
    state = {"is_open": pull.state == "open", "is_merged": pull.merged_at is not None, "is_draft": pull.draft}
    fork = getattr(pull.head.repo, "id", None) != pull.base.repo.id  # the head's may be gone
    return _PULL.validate_python({**known, **state, "is_fork": fork})


def _issue(issue: FoundIssue) -> Issue:
    known = {"number": issue.number, "title": issue.title, "body": unix_newlines(issue.body or "")}
    state = {"is_open": issue.state == "open", "is_pull_request": issue.pull_request is not None}
    return _ISSUE.validate_python({**known, **state})


def _review_comment(comment: PullRequestComment) -> ReviewComment:
    known = {"id": comment.id, "body": unix_newlines(comment.body or ""), "in_reply_to": comment.in_reply_to_id}
    known |= {"author": getattr(comment.user, "login", "")}
    return _REVIEW_COMMENT.validate_python({**known, "updated_at": _TIME.validate_python(comment.updated_at)})


def _with_parent(row: Mapping[str, Any]) -> dict[str, Any]:
    """Say that the first of a thread answers none: what a row lacks, PyGithub would ask for, row by row."""
    return {"in_reply_to_id": None, **row}


def _beginning(body: str) -> str:
    """Return what a text is known by: its marker, or all of it."""
    body = unix_newlines(body)
    return (body.partition("\n")[0] if body.startswith("<!--") else body).rstrip()


def _check_length(doing: str, body: str) -> None:
    if len(body) > _LONGEST:
        raise ForgeError(f"{doing}: the text has {len(body):,} characters, of {_LONGEST:,}; cut it")
