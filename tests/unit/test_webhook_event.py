"""Webhook events: recorded ones from @octokit/webhooks-examples, trimmed, and damaged ones."""

import copy
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.forge.webhook_event import Comment, Dispatch, Ignored, read_event

EVENTS = Path(__file__).parent.parent / "data" / "events"
RECORDED = {path.stem: json.loads(path.read_text()) for path in EVENTS.glob("*.json")}
COMMENT, REVIEW, DISPATCH = "issue_comment", "pull_request_review_comment", "workflow_dispatch"
INPUTS = {"issue": "12", "command": "/generate", "login": "alice"}
BODY = "It looks like you accidently spelled 'commit' with two 't's."
ABSENT = object()


def _payload(event: str, changes: dict[str, object] | None = None) -> Any:  # noqa: ANN401  # as JSON is
    """Return a recorded payload with *changes*: a place such as ``comment.user`` → its value, or ``ABSENT``."""
    payload = copy.deepcopy(RECORDED[event if event == DISPATCH else f"{event}.created"])
    if event == DISPATCH:
        payload["inputs"] = dict(INPUTS)
    for place, value in (changes or {}).items():
        *folders, key = place.split(".")
        at = payload
        for folder in folders:
            at = at[folder]
        if value is ABSENT:
            del at[key]
        else:
            at[key] = value
    return payload


def _comment(changes: dict[str, object], event: str = COMMENT) -> Comment:
    read = read_event(event, _payload(event, changes))
    assert isinstance(read, Comment)
    return read


def _reason(event: str, changes: dict[str, object]) -> str:
    read = read_event(event, _payload(event, changes))
    assert isinstance(read, Ignored)
    assert read.reason
    assert read.reason.isprintable()
    return read.reason


def test_a_comment_on_an_issue() -> None:
    assert _comment({}) == Comment(
        repository="Codertocat/Hello-World",
        default_branch="master",
        number=1,
        is_pull_request=False,
        title="Spelling error in the README file",
        body=BODY,
        is_open=True,
        is_locked=False,
        is_merged=False,
        comment_id=492700400,
        text="You are totally right! I'll get this fixed right away.",
        author="Codertocat",
    )


@pytest.mark.parametrize(("merged_at", "is_merged"), [(None, False), ("2026-07-01T00:00:00Z", True)])
def test_a_comment_on_a_pull_request(merged_at: str | None, *, is_merged: bool) -> None:
    pull = {"url": "https://api.github.com/repos/a/b/pulls/1", "merged_at": merged_at}
    read = _comment({"issue.pull_request": pull, "issue.state": "closed", "issue.locked": True})
    assert (read.is_pull_request, read.is_merged, read.is_open, read.is_locked) == (True, is_merged, False, True)


def test_a_comment_on_a_line_of_a_diff() -> None:
    read = _comment({}, REVIEW)
    assert (read.number, read.comment_id, read.is_pull_request, read.is_merged) == (2, 284312630, True, False)
    assert (read.in_review, read.path, read.in_reply_to) == (True, "README.md", None)
    assert read.title == "Update the README with new information."
    assert _comment({"comment.in_reply_to_id": 7}, REVIEW).in_reply_to == 7
    assert _comment({"pull_request.merged_at": "2026-07-01T00:00:00Z"}, REVIEW).is_merged


def test_lines_of_a_comment_end_like_those_of_a_file_and_the_body_is_as_it_was() -> None:
    read = _comment({"comment.body": "/generate\r\na\r\n\rb\r", "issue.body": "a\r\nb"})
    assert (read.text, read.body) == ("/generate\na\n\nb\n", "a\r\nb")


@pytest.mark.parametrize("nothing", [None, ABSENT])
def test_a_text_that_is_not_there_is_empty(nothing: object) -> None:
    read = _comment({"issue.body": nothing, "issue.title": nothing, "comment.body": nothing})
    assert (read.body, read.title, read.text) == ("", "", "")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"action": "edited"}, "only a new comment is a command; this one was 'edited'"),
        ({"action": "deleted"}, "only a new comment is a command; this one was 'deleted'"),
        ({"action": ABSENT}, "only a new comment is a command; this one was (of type NoneType)"),
        ({"comment.user": None}, "the comment's author is no user any more"),
        ({"comment": ABSENT}, "the comment's author is no user any more"),
        ({"comment.user.type": "Bot"}, "the comment's author 'Codertocat' is no person"),
        ({"comment.user.type": "Organization"}, "the comment's author 'Codertocat' is no person"),
        ({"comment.user.type": ABSENT}, "the comment's author 'Codertocat' is no person"),
        ({"comment.user.login": "evil[bot]"}, "the comment's author 'evil[bot]' is no person"),
        ({"comment.user.login": "../.."}, "the comment's author '../..' is no login"),
        ({"comment.user.login": "a\nb\u202e"}, "the comment's author 'a\\nb\\u202e' is no login"),
        ({"comment.user.login": None}, "the comment's author (of type NoneType) is no login"),
        ({"comment.performed_via_github_app": {"id": 1}}, "the comment was written by an app in a person's name"),
        ({"sender": None}, "the comment is by 'Codertocat' and was sent by (of type NoneType)"),
        ({"sender.login": "mallory"}, "the comment is by 'Codertocat' and was sent by 'mallory'"),
        ({"comment.body": "<!-- phasebot:issue-1 -->\n/generate"}, "the comment is one of our own"),
        ({"comment.body": "\r\n<!-- phasebot:issue-1 -->"}, "the comment is one of our own"),
        ({"comment.body": ["/generate"]}, "comment.body (of type list) is no text"),
        ({"comment.id": True}, "comment.id (of type bool) is no number above 0"),
        ({"comment.id": 10**5000}, "comment.id (of type int) is no number above 0"),
        ({"repository": None}, "repository.full_name (of type NoneType) is no repository"),
        ({"repository.full_name": "a/.."}, "repository.full_name 'a/..' is no repository"),
        ({"repository.full_name": "a/b/c"}, "repository.full_name 'a/b/c' is no repository"),
        ({"repository.full_name": "a/b\n"}, "repository.full_name 'a/b\\n' is no repository"),
        ({"repository.default_branch": ""}, "repository.default_branch '' is no branch"),
        ({"repository.default_branch": "-x"}, "repository.default_branch '-x' is no branch"),
        ({"repository.default_branch": "a b"}, "repository.default_branch 'a b' is no branch"),
        ({"repository.default_branch": "a\x00"}, "repository.default_branch 'a\\x00' is no branch"),
    ],
)
@pytest.mark.parametrize("event", [COMMENT, REVIEW])
def test_what_no_person_newly_wrote_is_ignored(event: str, changes: dict[str, object], reason: str) -> None:
    assert _reason(event, changes) == reason


def test_a_number_that_is_none_is_named_by_its_place() -> None:
    assert _reason(COMMENT, {"issue.number": "1"}) == "issue.number '1' is no number above 0"
    assert _reason(COMMENT, {"issue": None}) == "issue.number (of type NoneType) is no number above 0"
    assert _reason(REVIEW, {"pull_request": []}) == "pull_request.number (of type NoneType) is no number above 0"


def test_an_app_that_did_not_write_it_is_null_in_the_payload() -> None:
    assert _comment({"comment.performed_via_github_app": None}).author == "Codertocat"


@pytest.mark.parametrize("name", ["push", "issues", "pull_request_target", "", "a\n\x1b::error::", "\ud800", "x" * 999])
def test_another_event_is_ignored(name: str) -> None:
    read = read_event(name, _payload(COMMENT))
    assert isinstance(read, Ignored)
    assert read.reason.isprintable()
    assert len(read.reason) < 300


# ---- dispatches


def _dispatch(changes: dict[str, object]) -> Dispatch:
    read = read_event(DISPATCH, _payload(DISPATCH, changes))
    assert isinstance(read, Dispatch)
    return read


def test_a_dispatch() -> None:
    assert _dispatch({}) == Dispatch(
        repository="octo-org/octo-repo",
        default_branch="master",
        number=12,
        command="/generate",
        actor="Codertocat",
        on_behalf_of="alice",
    )


def test_a_run_that_continues_itself_names_the_person() -> None:
    read = _dispatch({"sender.login": "github-actions[bot]", "sender.type": "Bot"})
    assert (read.actor, read.on_behalf_of) == ("github-actions[bot]", "alice")


@pytest.mark.parametrize("nothing", [None, "", "  ", ABSENT])
def test_a_dispatch_names_nobody(nothing: object) -> None:
    assert _dispatch({"inputs.login": nothing}).on_behalf_of == ""


def test_what_people_write_into_the_form_is_understood() -> None:
    read = _dispatch(
        {"inputs": {"issue": " #12 ", "command": " /plan\r\n- User: name string\r\n", "login": " @alice "}}
    )
    assert (read.number, read.command, read.on_behalf_of) == (12, "/plan\n- User: name string", "alice")
    assert _dispatch({"inputs.issue": 7}).number == 7


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"inputs": None}, "the input 'command' is ''; write a command such as /generate"),
        ({"inputs.command": "generate"}, "the input 'command' is 'generate'; write a command such as /generate"),
        ({"inputs.command": 1}, "inputs.command (of type int) is no text"),
        ({"inputs.issue": ""}, "the input 'issue' is ''; write the number of an issue or pull request"),
        ({"inputs.issue": "0"}, "the input 'issue' is '0'; write the number of an issue or pull request"),
        ({"inputs.issue": "\u0661"}, "the input 'issue' is '\u0661'; write the number of an issue or pull request"),
        ({"inputs.issue": "1; rm"}, "the input 'issue' is '1; rm'; write the number of an issue or pull request"),
        ({"inputs.issue": ABSENT}, "inputs.issue (of type NoneType) is no number above 0"),
        ({"inputs.login": "a b"}, "the input 'login' is 'a b', which is no person's login"),
        ({"inputs.login": "evil[bot]"}, "the input 'login' is 'evil[bot]', which is no person's login"),
        ({"sender": ABSENT}, "the sender (of type NoneType) is no login"),
        ({"sender.login": "a/b"}, "the sender 'a/b' is no login"),
    ],
)
def test_inputs_that_are_no_command_are_ignored(changes: dict[str, object], reason: str) -> None:
    assert _reason(DISPATCH, changes) == reason


# ---- hostile payloads


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from([10**300, "\ud800"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)


def _places(value: object) -> list[tuple[str, ...]]:
    if not isinstance(value, dict):
        return []
    return [place for key, inner in value.items() for place in [(key,), *((key, *deeper) for deeper in _places(inner))]]


@given(st.sampled_from([COMMENT, REVIEW, DISPATCH]), st.data())
def test_a_payload_with_fields_lost_or_replaced_is_read_or_ignored(event: str, data: st.DataObject) -> None:
    payload = _payload(event)
    for place in data.draw(st.lists(st.sampled_from(_places(payload)), min_size=1, max_size=4)):
        at = payload
        for key in place[:-1]:
            at = at.get(key) if isinstance(at, dict) else None
        if not isinstance(at, dict):
            continue
        if data.draw(st.booleans()):
            at.pop(place[-1], None)
        else:
            at[place[-1]] = data.draw(_JSON)
    read = read_event(event, payload)
    if isinstance(read, Ignored):
        assert read.reason.isprintable()
    else:
        assert read.number > 0
        assert read.repository.isprintable()


@given(st.sampled_from([COMMENT, REVIEW, DISPATCH]) | st.text(), _JSON)
def test_no_json_makes_it_raise(event: str, payload: object) -> None:
    assert isinstance(read_event(event, payload), Ignored)


def test_an_ignored_comment_costs_next_to_nothing() -> None:
    script = (
        "import sys, time, bot.forge.webhook_event, bot.forge.comment_command, bot.forge.workflow_commands\n"
        "bot.forge.comment_command.parse_command('/etc/passwd')\n"
        "print(sorted({'pydantic', 'yaml', 'github', 'git', 'click'} & set(sys.modules)), time.process_time())"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    heavy, seconds = done.stdout.rsplit(maxsplit=1)
    assert heavy == "[]"
    assert float(seconds) < 0.3
