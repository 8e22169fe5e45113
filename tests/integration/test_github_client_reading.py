"""The GitHub client: issues, review comments and replies."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.errors import ForgeError, ForgeGoneError, ForgeRefusedError
from bot.forge.client import Issue, ReviewComment
from bot.forge.github_client import GitHubClient
from tests.github_server import LOGIN, FakeGitHub, Reply, at, contract, refusal
from tests.integration.test_github_client import ACTS, FORBIDDEN, LOST, MARKER, NEVER, PAGE, failing, serving

PULL = 1001
LINES = f"GET /pulls/{PULL}/comments"
ANSWERING = f"POST /pulls/{PULL}/comments/1001/replies"
ISSUE = {"number": 12, "title": "Blog", "body": "A blog.", "state": "open", "locked": False}
LINE = {"id": 1001, "user": {"login": "alice"}, "body": "Why?", "path": "a.py", "updated_at": "2026-01-02T03:04:05Z"}


def showing(kind: str, known: object, **odd: object) -> Reply:
    """Answer 200 with a valid object, or a list of one, with the *odd* values replaced; ``...`` removes a key."""
    [filled] = [contract().filled(kind, each) for each in (known if isinstance(known, list) else [known])]
    body: dict[str, Any] = {key: value for key, value in {**filled, **odd}.items() if value is not ...}
    return Reply(status=200, body=json.dumps([body] if isinstance(known, list) else body).encode())


def with_thread(fake: FakeGitHub) -> list[int]:
    """Open a pull request with two interleaved threads; return the ids of the first thread's three comments."""
    fake.add_pull(number=PULL)
    first = fake.add_review_comment("/generate", pull=PULL, login="alice").id
    other = fake.add_review_comment("Nice.", pull=PULL, login="bob").id
    second = fake.add_review_comment("Done.", pull=PULL, in_reply_to=first).id
    fake.add_review_comment("Thanks.", pull=PULL, in_reply_to=other)
    return [first, second, fake.add_review_comment("Again", pull=PULL, login="alice", in_reply_to=first).id]


# Issues


def test_an_issue_is_read() -> None:
    with serving() as (fake, hub):
        assert hub.issue(12) == Issue(12, "Blog", "A blog.", is_pull_request=False, is_open=True)
        assert fake.lines == ["GET /issues/12"]


def test_a_pull_request_is_read_as_an_issue() -> None:
    with serving() as (fake, hub):
        fake.add_pull(number=14, title="Blog API", state="closed")
        assert hub.issue(14) == Issue(14, "Blog API", "", is_pull_request=True, is_open=False)
        assert fake.lines == ["GET /issues/14"]


@pytest.mark.parametrize(
    ("body", "read"), [(None, ""), ("", ""), ("a\r\n\r\nb\rc\n", "a\n\nb\nc\n"), ("☃" * 65_536, "☃" * 65_536)]
)
def test_the_text_of_an_issue(body: str | None, read: str) -> None:
    with serving() as (fake, hub):
        fake.issues[12].body = body
        assert hub.issue(12).body == read


def test_an_issue_without_a_text_at_all() -> None:
    with serving(at("GET /issues/12", showing("issue", ISSUE, body=...))) as (fake, hub):
        assert hub.issue(12).body == ""
        assert len(fake.requests) == 1


@pytest.mark.parametrize(
    "odd",
    [
        {"title": None},
        {"title": 7},
        {"title": ...},
        {"body": 7},
        {"body": ["A blog."]},
        {"state": 7},
        {"number": "12"},
        {"number": None},
        {"pull_request": "yes"},
    ],
)
def test_an_issue_with_invalid_values(odd: dict[str, object]) -> None:
    error = failing(ACTS["issue"], at("GET .*", showing("issue", ISSUE, **odd), ever=True))
    assert str(error).startswith("reading #12: GitHub said ")
    assert not isinstance(error, ForgeRefusedError)


@pytest.mark.parametrize("name", ["issue", "review_thread"])
def test_a_request_with_a_truncated_answer_is_retried(name: str) -> None:
    with serving(at(".*", Reply(cut=20), Reply(cut=0))) as (fake, hub):
        with_thread(fake)
        assert ACTS[name](hub)
        assert len(fake.requests) == 3


def test_an_issue_that_was_deleted() -> None:
    with serving() as (fake, hub):
        fake.issues[12].deleted = True
        for act in (lambda: hub.issue(12), lambda: hub.find_comment(12, MARKER), lambda: hub.comment(12, MARKER)):
            with pytest.raises(ForgeGoneError, match=r"GitHub said 410 This issue was deleted; check that it exists"):
                act()


@pytest.mark.parametrize(
    "act",
    [
        lambda hub: hub.issue(13),
        lambda hub: hub.pull(13),
        lambda hub: hub.pull(12),
        lambda hub: hub.comment(13, "Hello"),
        lambda hub: hub.edit_comment(7, "Hello"),
        lambda hub: hub.react(7, "eyes"),
        lambda hub: hub.react(7, "eyes", in_review=True),
        lambda hub: hub.review_thread(12, 1001),
        lambda hub: hub.reply(12, 1001, "Hello"),
    ],
)
def test_a_missing_target_is_gone_and_not_refused(act: Callable[[GitHubClient], object]) -> None:
    error = failing(act)
    assert isinstance(error, ForgeGoneError)
    assert not isinstance(error, ForgeRefusedError)
    assert "GitHub said 404 Not Found; check that it exists, and that the token has `" in str(error)


def test_a_comment_that_was_deleted_meanwhile() -> None:
    with serving() as (fake, hub):
        number = hub.comment(12, MARKER)
        fake.comments.clear()
        with pytest.raises(ForgeGoneError):
            hub.edit_comment(number, MARKER)


def test_an_issue_that_was_transferred() -> None:
    with serving() as (fake, hub):
        there = f"{fake.url}/repositories/8/issues/3"
        moved = at("GET /issues/12", Reply(status=301, headers={"Location": there}))
        found = at("GET /repositories/8/issues/3", showing("issue", ISSUE | {"number": 3}))
        fake.script = lambda asked: moved(asked) or found(asked)
        with pytest.raises(ForgeGoneError, match=r"^reading #12: GitHub said 301 Moved Permanently; check"):
            hub.issue(12)


def test_a_repository_of_another_name_has_the_same_issue() -> None:
    with serving() as (fake, hub):
        there = f"{fake.url}/repositories/7/issues/12"
        moved = at("GET /issues/12", Reply(status=301, headers={"Location": there}))
        found = at("GET /repositories/7/issues/12", showing("issue", ISSUE))
        fake.script = lambda asked: moved(asked) or found(asked)
        assert hub.issue(12).title == "Blog"


# Reactions to comments on a line


def test_reactions_in_review_are_added_once_and_removed() -> None:
    with serving() as (fake, hub):
        fake.add_pull(number=PULL)
        comment = fake.add_review_comment("/generate", pull=PULL, login="alice").id
        assert comment == fake.add_comment("/generate", login="alice").id  # each kind counts for itself
        hub.react(comment, "eyes")
        hub.react(comment, "eyes", in_review=True)
        hub.react(comment, "eyes", in_review=True)
        hub.react(comment, "+1", in_review=True)
        fake.reactions.insert(0, fake.reactions[1]._replace(id=7, login="mallory"))
        hub.take_back_reaction(comment, "eyes", in_review=True)
        hub.take_back_reaction(comment, "eyes", in_review=True)
        left = [(each.login, each.content, each.in_review) for each in fake.reactions]
        assert left == [("mallory", "eyes", True), (LOGIN, "eyes", False), (LOGIN, "+1", True)]


def test_our_reaction_in_review_on_the_third_page() -> None:
    with serving() as (fake, hub):
        fake.add_pull(number=PULL)
        comment = fake.add_review_comment("/generate", pull=PULL, login="alice").id
        hub.react(comment, "eyes", in_review=True)
        ours = fake.reactions.pop()
        fake.reactions = [ours._replace(id=number, login=f"user-{number}") for number in range(210)]
        fake.reactions.append(ours)
        hub.take_back_reaction(comment, "eyes", in_review=True)
        assert ours not in fake.reactions
        assert len(fake.reactions) == 210


@pytest.mark.parametrize("reply", [LOST, refusal(404, "Not Found"), refusal(410, "Gone")])
def test_a_reaction_in_review_that_is_already_removed(reply: Reply) -> None:
    with serving(at("DELETE .*", reply)) as (fake, hub):
        fake.add_pull(number=PULL)
        comment = fake.add_review_comment("/generate", pull=PULL, login="alice").id
        hub.react(comment, "eyes", in_review=True)
        hub.take_back_reaction(comment, "eyes", in_review=True)


@pytest.mark.parametrize(
    ("name", "needs"),
    [
        ("react", "`issues: write` or `pull-requests: write`"),
        ("react in review", "`pull-requests: write`"),
        ("take_back_reaction in review", "`pull-requests: write`"),
        ("reply", "`pull-requests: write`"),
        ("review_thread", "`pull-requests: read`"),
        ("issue", "`issues: read` or `pull-requests: read`"),
    ],
)
def test_a_permission_that_github_does_not_name(name: str, needs: str) -> None:
    error = failing(ACTS[name], at(".*", refusal(403, FORBIDDEN), ever=True))
    assert isinstance(error, ForgeRefusedError)
    assert f"GitHub said 403 {FORBIDDEN}; the token needs {needs} (in" in str(error)


# Threads


@pytest.mark.parametrize("of", [0, 1, 2])
def test_a_thread_from_any_of_its_comments(of: int) -> None:
    with serving() as (fake, hub):
        first, second, third = ids = with_thread(fake)
        time = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
        assert hub.review_thread(PULL, ids[of]) == [
            ReviewComment(first, "alice", "/generate", time, None),
            ReviewComment(second, LOGIN, "Done.", time, first),
            ReviewComment(third, "alice", "Again", time, first),
        ]
        assert fake.lines == [LINES]


@pytest.mark.parametrize("of", [0, -1])
def test_a_thread_over_three_pages_among_others(of: int) -> None:
    with serving() as (fake, hub):
        fake.add_pull(number=PULL)
        ours = [fake.add_review_comment("/generate", pull=PULL, login="alice").id]
        for number in range(115):
            other = fake.add_review_comment("Nice.", pull=PULL, login="bob", in_reply_to=None).id
            fake.add_review_comment("Yes.", pull=PULL, login="alice", in_reply_to=other)
            if number % 50 == 0:
                ours.append(fake.add_review_comment("Done.", pull=PULL, in_reply_to=ours[0]).id)
        assert [each.id for each in hub.review_thread(PULL, ours[of])] == ours
        assert fake.lines == [LINES] * 3  # and none for each comment
        assert [asked.query.get("page") for asked in fake.requests] == [None, "2", "3"]
        assert {asked.query["per_page"] for asked in fake.requests} == {"100"}


def test_a_thread_is_returned_oldest_first() -> None:
    with serving() as (fake, hub):
        ids = with_thread(fake)
        fake.review_comments.reverse()
        assert [each.id for each in hub.review_thread(PULL, ids[0])] == ids


def test_a_thread_of_one() -> None:
    with serving() as (fake, hub):
        fake.add_pull(number=PULL)
        fake.add_review_comment("Nice.", pull=PULL, login="bob")
        comment = fake.add_review_comment("/generate", pull=PULL, login="alice").id
        assert [each.id for each in hub.review_thread(PULL, comment)] == [comment]


def test_a_thread_whose_first_comment_was_deleted() -> None:
    with serving() as (fake, hub):
        first, *left = with_thread(fake)
        del fake.review_comments[0]
        for comment in (first, *left):
            assert [each.id for each in hub.review_thread(PULL, comment)] == left


def test_a_comment_that_is_in_no_thread() -> None:
    with serving() as (fake, hub):
        fake.add_pull(number=PULL)
        assert not hub.review_thread(PULL, 7)
        fake.add_pull(number=PULL + 1)
        elsewhere = fake.add_review_comment("Nice.", pull=PULL + 1).id
        fake.add_review_comment("Nice.", pull=PULL)
        assert not hub.review_thread(PULL, elsewhere)


def test_a_comment_of_a_deleted_account() -> None:
    with serving() as (fake, hub):
        fake.add_pull(number=PULL)
        comment = fake.add_review_comment("a\r\nb", pull=PULL, login=None).id
        assert [(each.author, each.body) for each in hub.review_thread(PULL, comment)] == [("", "a\nb")]


@pytest.mark.parametrize("known", [{"body": None}, {"in_reply_to_id": None}])
def test_a_comment_with_unusual_values(known: dict[str, object]) -> None:
    with serving(at(LINES, showing("pull-request-review-comment", [LINE], **known))) as (fake, hub):
        [comment] = hub.review_thread(PULL, 1001)
        assert comment.body == ("" if "body" in known else "Why?")
        assert comment.in_reply_to is None
        assert len(fake.requests) == 1


@pytest.mark.parametrize(
    "odd",
    [
        {"id": None},
        {"id": "1001"},
        {"user": "alice"},
        {"user": {}},
        {"user": {"login": None}},
        {"body": 7},
        {"updated_at": None},
        {"updated_at": "yesterday"},
        {"updated_at": "2026-01-02T03:04:05"},
        {"in_reply_to_id": "7"},
        {"url": None, "updated_at": ...},
    ],
)
def test_a_comment_with_invalid_values(odd: dict[str, object]) -> None:
    reply = showing("pull-request-review-comment", [LINE], **odd)
    error = failing(ACTS["review_thread"], at(LINES, reply, ever=True))
    assert str(error).startswith("reading the thread of review comment 1001 on #1001: GitHub said 200 with an answer")


# Answers


def test_an_answer_in_a_thread() -> None:
    with serving() as (fake, hub):
        first, *_ = with_thread(fake)
        number = hub.reply(PULL, first, f"{MARKER}\nDone. ☃")
        made = fake.review_comments[-1]
        assert (made.id, made.in_reply_to, made.login, made.body) == (number, first, LOGIN, f"{MARKER}\nDone. ☃")
        assert fake.lines == [ANSWERING]


def test_an_answer_that_may_have_been_given_before_is_edited_if_it_differs() -> None:
    with serving() as (fake, hub):
        first, second, _ = with_thread(fake)
        fake.add_review_comment(f"{MARKER}\nof somebody", pull=PULL, login="mallory", in_reply_to=first)
        number = hub.reply(PULL, first, f"{MARKER}\nworking", again=True)
        assert fake.lines == [LINES, ANSWERING]
        assert hub.reply(PULL, second, f"{MARKER}\nworking", again=True) == number
        assert fake.lines[2:] == [LINES]
        assert hub.reply(PULL, first, f"{MARKER}\ndone", again=True) == number
        assert fake.lines[3:] == [LINES, f"PATCH /pulls/comments/{number}"]
        assert [each.body for each in fake.review_comments[-2:]] == [f"{MARKER}\nof somebody", f"{MARKER}\ndone"]


@pytest.mark.parametrize("script", [None, at(".*/1003/replies", refusal(422, "in_reply_to is invalid"))])
@pytest.mark.parametrize("of", [1, 2])
def test_a_reply_to_a_reply_goes_to_the_first_comment(of: int, script: Callable[..., Reply | None] | None) -> None:
    with serving(script) as (fake, hub):
        ids = with_thread(fake)
        number = hub.reply(PULL, ids[of], "Done.")
        assert (fake.review_comments[-1].id, fake.review_comments[-1].in_reply_to) == (number, ids[0])
        assert fake.lines == [ANSWERING.replace("1001/replies", f"{ids[of]}/replies"), LINES, ANSWERING]


@pytest.mark.parametrize("reply", [LOST, replace(PAGE, acts=True), Reply(cut=10), Reply(cut=0)])
@pytest.mark.parametrize("body", [f"{MARKER}\nDone.", "Nothing to do.", "  Two lines\nof it  \n", "a\r\nb"])
def test_one_answer_however_the_reply_is_lost(reply: Reply, body: str) -> None:
    with serving(at(ANSWERING, reply)) as (fake, hub):
        first, *_ = with_thread(fake)
        fake.add_review_comment(body, pull=PULL, login="mallory", in_reply_to=first)
        fake.add_review_comment(body, pull=PULL, login=None, in_reply_to=first)
        others = {each.id for each in fake.review_comments}
        number = hub.reply(PULL, first, body)
        assert {each.id for each in fake.review_comments} - others == {number}
        assert fake.lines == [ANSWERING, LINES]


@pytest.mark.parametrize("reply", [LOST, Reply(cut=10)])
def test_one_answer_to_an_answer_however_the_reply_is_lost(reply: Reply) -> None:
    with serving(at(ANSWERING, reply)) as (fake, hub):
        _, second, _ = with_thread(fake)
        number = hub.reply(PULL, second, MARKER)
        assert [each.id for each in fake.review_comments if each.body == MARKER] == [number]
        assert fake.lines[-3:] == [LINES, ANSWERING, LINES]


def test_an_answer_that_did_not_get_through_is_written_again() -> None:
    with serving(at(ANSWERING, NEVER, PAGE, NEVER)) as (fake, hub):
        first, *_ = with_thread(fake)
        fake.add_review_comment(f"{MARKER}\nof another thread", pull=PULL, in_reply_to=first + 1)
        fake.add_review_comment(f"{MARKER}\nof somebody", pull=PULL, login="mallory", in_reply_to=first)
        number = hub.reply(PULL, first, MARKER)
        assert [each.id for each in fake.review_comments if each.body == MARKER] == [number]
        assert fake.lines == [ANSWERING, LINES] * 3 + [ANSWERING]


def test_an_answer_is_identified_by_its_marker() -> None:
    with serving(at(ANSWERING, NEVER), login="Phasebot[bot]") as (fake, hub):
        first, *_ = with_thread(fake)
        other_job = fake.add_review_comment(f"{MARKER}\ndone", pull=PULL, login="phasebot[bot]", in_reply_to=first)
        assert hub.reply(PULL, first, f"{MARKER}\nworking") == other_job.id


def test_an_answer_is_given_up_after_four_attempts() -> None:
    with serving(at("POST .*", NEVER, ever=True)) as (fake, hub):
        first, *_ = with_thread(fake)
        with pytest.raises(ForgeError):
            hub.reply(PULL, first, MARKER)
        assert fake.lines.count(ANSWERING) == 4


@pytest.mark.parametrize("left", [0, 1])
def test_an_answer_to_a_comment_that_was_deleted(left: int) -> None:
    with serving() as (fake, hub):
        ids = with_thread(fake)
        del fake.review_comments[0]
        with pytest.raises(
            ForgeGoneError, match=r"^replying to review comment \d+ on #1001: GitHub said 404 Not Found"
        ):
            hub.reply(PULL, ids[left], "Done.")
        assert [line for line in fake.lines if line == LINES] == [LINES]


@pytest.mark.parametrize("status", [404, 422])
def test_a_thread_with_a_cycle(status: int) -> None:
    with serving(at("POST .*", refusal(status, "no"), ever=True)) as (fake, hub):
        first, second, _ = with_thread(fake)
        fake.review_comments[0].in_reply_to = second
        with pytest.raises(ForgeError, match=f"GitHub said {status} no"):
            hub.reply(PULL, first, "Done.")
        assert len(fake.requests) == 3


def test_an_answer_where_the_conversation_is_locked() -> None:
    with serving() as (fake, hub):
        first, *_ = with_thread(fake)
        fake.pulls[0].locked = True
        with pytest.raises(ForgeRefusedError, match=r"issue is locked.; unlock the conversation and try again$"):
            hub.reply(PULL, first, "Done.")
        assert fake.lines == [ANSWERING]


# Our login


def test_our_login_is_learned_from_an_answer() -> None:
    with serving() as (fake, hub):
        fake.login = "My-App[bot]"
        ours = fake.add_comment(MARKER, login="my-app[bot]").id
        fake.add_comment(MARKER, login=LOGIN)
        command = fake.add_comment("/generate", login="alice").id

        hub.react(command, "eyes")

        assert hub.find_comment(12, MARKER) == ours
        hub.take_back_reaction(command, "eyes")
        assert not fake.reactions
