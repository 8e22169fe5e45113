"""Events as GitHub sends them, and as nobody would: every field is checked, and no payload makes it raise.

The recorded payloads are from @octokit/webhooks-examples, trimmed.
"""

import copy
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.forge.comment_command import Command, InvalidCommand
from bot.forge.webhook_event import CommandEvent, Ignored, read_event

EVENTS = Path(__file__).parent.parent / "data" / "events"
COMMENT, REVIEW, DISPATCH = "issue_comment", "pull_request_review_comment", "workflow_dispatch"
WHOLE: dict[str, Any] = {
    COMMENT: json.loads((EVENTS / "issue_comment.created.json").read_text()),
    REVIEW: json.loads((EVENTS / "pull_request_review_comment.created.json").read_text()),
    DISPATCH: json.loads((EVENTS / "workflow_dispatch.json").read_text()),
}
for _name in (COMMENT, REVIEW):
    WHOLE[_name]["comment"]["body"] = "/generate"
WHOLE[DISPATCH]["inputs"] = {"issue": "12", "command": "/generate", "login": "alice"}
DISPATCHES = json.loads((EVENTS.parent / "hostile" / "events" / "dispatches.json").read_text())
EVERY = pytest.mark.parametrize("name", WHOLE)
GONE = object()


def read(name: str, payload: object) -> CommandEvent | Ignored:
    return read_event(name, json.dumps(payload).encode())


def commanded(name: str, payload: object) -> CommandEvent:
    found = read(name, payload)
    assert isinstance(found, CommandEvent), found
    return found


def reason(name: str, content: bytes) -> str:
    found = read_event(name, content)
    assert isinstance(found, Ignored)
    assert found.reason.isprintable()
    return found.reason


# Commands


def test_a_comment_on_an_issue() -> None:
    assert commanded(COMMENT, WHOLE[COMMENT]) == CommandEvent(
        command=Command(verb="generate"),
        number=1,
        is_pull_request=False,
        title="Spelling error in the README file",
        body="It looks like you accidently spelled 'commit' with two 't's.",
        is_open=True,
        default_branch="master",
        login="Codertocat",
        vouching=("Codertocat",),
        comment=492700400,
        in_review=False,
    )


def test_a_comment_on_a_line_of_a_diff_is_about_its_pull_request() -> None:
    found = commanded(REVIEW, WHOLE[REVIEW])

    assert (found.number, found.is_pull_request, found.in_review, found.comment) == (2, True, True, 284312630)


def test_an_invalid_command_is_read_so_that_it_is_answered() -> None:
    assert isinstance(
        commanded(COMMENT, changed(WHOLE[COMMENT], ("comment", "body"), "/genrate")).command, InvalidCommand
    )


@pytest.mark.parametrize("told", DISPATCHES, ids=lambda told: f"{told['actor']} for {told['login']}")
def test_a_dispatch_in_anothers_name_says_who_started_it(told: Mapping[str, Any]) -> None:
    payload = changed(WHOLE[DISPATCH], ("sender", "login"), told["actor"])
    found = commanded(DISPATCH, changed(payload, ("inputs", "login"), told["login"]))

    assert (found.login, list(found.vouching), found.started_by) == (told["for"], told["vouching"], told["started-by"])
    assert found.continues == bool(told["login"])
    assert (found.number, found.is_pull_request, found.comment, found.title) == (12, None, None, "")


# Boxes that people tick

_OLD = "<!-- phasebot:issue-1 -->\nDone.\n- [ ] <!-- phasebot:box:rollback:main --> roll `main` back"


def ticked(**more: object) -> Any:  # noqa: ANN401  # as JSON is
    """Return the event of a box that a person ticked; *more* replaces fields: ``sender__type="Bot"``."""
    payload = copy.deepcopy(WHOLE[COMMENT])
    payload |= {"action": "edited", "changes": {"body": {"from": _OLD}}}
    payload["comment"] |= {"body": _OLD.replace("[ ]", "[x]"), "user": {"login": "phasebot[bot]", "type": "Bot"}}
    for place, value in more.items():
        payload = changed(payload, tuple(place.split("__")), value)
    return payload


def test_a_ticked_box_is_the_command_of_who_ticked_it() -> None:
    found = commanded(COMMENT, ticked())

    assert found.command == Command(verb="rollback", phases=("main",), cascade=True)
    assert (found.login, found.vouching, found.comment) == ("Codertocat", ("Codertocat",), None)
    assert found.tick
    assert (found.tick.author, found.tick.run, found.tick.comment) == ("phasebot[bot]", "issue-1", 492700400)


def test_one_edit_has_one_id_and_no_other_has_it() -> None:
    later = ticked(comment__updated_at="2019-05-15T15:20:22Z")
    same_second = ticked(
        comment__body=_OLD.replace("[ ]", "[x]").replace("main", "core"),
        changes__body__from=_OLD.replace("main", "core"),
    )
    ids = [commanded(COMMENT, each).request_id or "" for each in (ticked(), ticked(), later, same_second)]

    assert ids[0] == ids[1]
    assert len(set(ids)) == 3
    assert all(each.isascii() and each.isdigit() and len(each) > 19 for each in ids), "no id of a comment is so long"


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"sender__type": "Bot"}, "which is not a person"),
        ({"sender__login": "phasebot[bot]"}, "which is not a person"),
        ({"comment__user__type": "User"}, "which is not a bot"),
        ({"comment__user": None}, "which is not a bot"),
        ({"comment__body": _OLD}, "no box of the progress comment was ticked"),
        ({"changes": {}}, "no box of the progress comment was ticked"),
        ({"changes__body__from": _OLD.replace("issue-1", "issue-2")}, "no box of the progress comment was ticked"),
        ({"comment__body": "/generate"}, "only a new comment can be a command"),
        ({"comment__body": "<!-- phasebot: answer 1 -->\n- [x] <!-- phasebot:box:rollback:main -->"}, "only a new"),
        ({"action": "deleted"}, "only a new comment can be a command"),
        ({"comment__updated_at": "yesterday"}, "is not a time"),
        ({"comment__updated_at": None}, "is not a time"),
        ({"comment__id": 0}, "is not a number above 0"),
    ],
)
def test_other_edits_are_ignored(more: dict[str, object], why: str) -> None:
    assert why in reason(COMMENT, json.dumps(ticked(**more)).encode())


def test_an_edit_of_a_comment_on_a_line_is_ignored() -> None:
    assert "only a new comment" in reason(REVIEW, json.dumps(ticked()).encode())


# Everything else is ignored


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000, b'{"a": NaN'])
@EVERY
def test_a_file_that_is_no_json_is_ignored(name: str, content: bytes) -> None:
    assert reason(name, content).startswith("the event file is not JSON (")


@pytest.mark.parametrize("payload", [None, [], 1, "x", {}, [[]], {"comment": []}, {"comment": {"user": []}}])
@EVERY
def test_a_payload_of_another_shape_is_ignored(name: str, payload: object) -> None:
    assert reason(name, json.dumps(payload).encode())


def test_talk_is_ignored() -> None:
    content = json.dumps(changed(WHOLE[COMMENT], ("comment", "body"), "thanks!")).encode()

    assert reason(COMMENT, content) == "the text is not a command"


@pytest.mark.parametrize("name", ["", "push", "issues", "issue_comment ", "ISSUE_COMMENT", "pull_request_target"])
def test_other_events_are_ignored(name: str) -> None:
    assert "hold no command" in reason(name, json.dumps(WHOLE[COMMENT]).encode())


# Payloads with fields missing or replaced


def places(payload: object, *above: str) -> Iterator[tuple[str, ...]]:
    """Yield the place of every field."""
    for key, value in payload.items() if isinstance(payload, dict) else ():
        yield (*above, key)
        yield from places(value, *above, key)


def changed(payload: Any, place: tuple[str, ...], value: object) -> Any:  # noqa: ANN401  # as JSON is
    """Return *payload* with another *value* at *place*, or without it."""
    made = copy.deepcopy(payload)
    part = made
    for key in place[:-1]:
        part = part[key]
    if value is GONE:
        del part[place[-1]]
    else:
        part[place[-1]] = value
    return made


VALUES: tuple[Any, ...] = (
    GONE,
    None,
    [],
    {},
    0,
    -1,
    12,
    1.5,
    True,
    10**30,
    "",
    "alice",
    "a\n::error::b",
    "/stop",
    "x" * 70_000,
)


def test_no_field_of_an_edit_makes_it_raise_or_lets_anybody_else_tick() -> None:
    for place in places(ticked()):
        for value in VALUES:
            found = read(COMMENT, changed(ticked(), place, value))
            assert isinstance(found, Ignored) or (found.tick and set(found.vouching) == {found.login})


@EVERY
def test_no_field_makes_it_raise_or_another_person_speak(name: str) -> None:
    tried = 0
    for place in places(WHOLE[name]):
        for value in VALUES:
            found = read(name, changed(WHOLE[name], place, value))
            tried += 1
            if isinstance(found, Ignored):
                assert found.reason.isprintable(), (place, value)
                continue
            assert found.number in (1, 2, 12), (place, value)
            if name != DISPATCH:
                assert found.vouching == ("Codertocat",), (place, value)
            elif place == ("sender", "login"):
                assert found.vouching == ("alice", "alice"), value
            elif place[0] == "inputs" and place[-1] != "command" and place[-1] != "issue":
                assert "Codertocat" in found.vouching, (place, value)
            else:
                assert found.vouching == ("Codertocat", "alice"), (place, value)
    assert tried > 500


def test_one_who_is_not_permitted_can_not_borrow_a_login_by_any_single_field() -> None:
    for name in (COMMENT, REVIEW):
        for place in places(WHOLE[name]):
            found = read(name, changed(WHOLE[name], place, "alice"))
            assert isinstance(found, Ignored) or "alice" not in found.vouching, place


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@given(st.sampled_from([*WHOLE, "push"]), st.binary(max_size=50) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_file_is_read_or_ignored(name: str, content: bytes) -> None:
    assert isinstance(read_event(name, content), CommandEvent | Ignored)


@given(st.sampled_from(sorted(WHOLE)), st.lists(st.tuples(st.integers(0, 10**6), JSON), min_size=1, max_size=4))
def test_any_changed_payload_is_read_or_ignored(name: str, changes: list[tuple[int, Any]]) -> None:
    payload = WHOLE[name]
    for number, value in changes:
        known = list(places(payload))
        if known:
            payload = changed(payload, known[number % len(known)], value)
    assert isinstance(read(name, payload), CommandEvent | Ignored)


def with_fields(name: str, changes: dict[str, object]) -> Any:  # noqa: ANN401  # as JSON is
    """Return the payload with *changes*: a place such as ``comment.user`` → its value, or ``GONE``."""
    payload = WHOLE[name]
    for place, value in changes.items():
        payload = changed(payload, tuple(place.split(".")), value)
    return payload


@pytest.mark.parametrize(("merged_at", "state"), [(None, "open"), ("2026-07-01T00:00:00Z", "closed")])
def test_a_comment_on_a_pull_request(merged_at: str | None, state: str) -> None:
    pull = {"url": "https://api.github.com/repos/a/b/pulls/1", "merged_at": merged_at}
    found = commanded(COMMENT, with_fields(COMMENT, {"issue.pull_request": pull, "issue.state": state}))

    assert (found.is_pull_request, found.is_open) == (True, state == "open")


def test_a_comment_on_a_line_names_its_file() -> None:
    assert commanded(REVIEW, WHOLE[REVIEW]).path == "README.md"


@pytest.mark.parametrize("nothing", [None, GONE])
def test_a_text_that_is_not_there_is_empty(nothing: object) -> None:
    found = commanded(COMMENT, with_fields(COMMENT, {"issue.body": nothing, "issue.title": nothing}))

    assert (found.body, found.title) == ("", "")


def test_lines_of_a_comment_end_as_in_a_file() -> None:
    found = commanded(COMMENT, with_fields(COMMENT, {"comment.body": "/generate\r\na\r\n\rb\r"}))

    assert isinstance(found.command, Command)
    assert found.command.text == "a\n\nb"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"action": "edited"}, "only a new comment can be a command; this one was 'edited'"),
        ({"action": "deleted"}, "only a new comment can be a command; this one was 'deleted'"),
        ({"action": GONE}, "only a new comment can be a command; this one was (of type NoneType)"),
        ({"comment.user": None}, "the comment's author is not a user any more"),
        ({"comment": GONE}, "the comment's author is not a user any more"),
        ({"comment.user.type": "Bot"}, "the comment's author 'Codertocat' is not a person"),
        ({"comment.user.type": "Organization"}, "the comment's author 'Codertocat' is not a person"),
        ({"comment.user.type": GONE}, "the comment's author 'Codertocat' is not a person"),
        ({"comment.user.login": "evil[bot]"}, "the comment's author 'evil[bot]' is not a person"),
        ({"comment.user.login": "../.."}, "the comment's author '../..' is not a login"),
        ({"comment.user.login": "a\nb\u202e"}, "the comment's author 'a\\nb\\u202e' is not a login"),
        ({"comment.user.login": None}, "the comment's author (of type NoneType) is not a login"),
        ({"comment.performed_via_github_app": {"id": 1}}, "the comment was written by an app in a person's name"),
        ({"sender": None}, "the comment is by 'Codertocat' and was sent by (of type NoneType)"),
        ({"sender.login": "mallory"}, "the comment is by 'Codertocat' and was sent by 'mallory'"),
        ({"comment.body": "<!-- phasebot:issue-1 -->\n/generate"}, "the comment is one of our own"),
        ({"comment.body": "\r\n<!-- phasebot:issue-1 -->"}, "the comment is one of our own"),
        ({"comment.body": ["/generate"]}, "comment.body (of type list) is not text"),
        ({"comment.id": True}, "comment.id (of type bool) is not a number above 0"),
        ({"comment.id": 10**4000}, "comment.id (of type int) is not a number above 0"),
        ({"repository.default_branch": ""}, "repository.default_branch '' is not a branch name"),
        ({"repository.default_branch": "-x"}, "repository.default_branch '-x' is not a branch name"),
        ({"repository.default_branch": "a b"}, "repository.default_branch 'a b' is not a branch name"),
        ({"repository.default_branch": "a\x00"}, "repository.default_branch 'a\\x00' is not a branch name"),
    ],
)
@pytest.mark.parametrize("name", [COMMENT, REVIEW])
def test_what_no_person_just_wrote_is_ignored(name: str, changes: dict[str, object], expected: str) -> None:
    assert reason(name, json.dumps(with_fields(name, changes)).encode()) == expected


def test_a_number_that_is_not_one_is_named_by_its_place() -> None:
    def why(name: str, changes: dict[str, object]) -> str:
        return reason(name, json.dumps(with_fields(name, changes)).encode())

    assert why(COMMENT, {"issue.number": "1"}) == "issue.number '1' is not a number above 0"
    assert why(COMMENT, {"issue": None}) == "issue.number (of type NoneType) is not a number above 0"
    assert why(REVIEW, {"pull_request": []}) == "pull_request.number (of type NoneType) is not a number above 0"


@pytest.mark.parametrize("nothing", [None, "", "  ", GONE])
def test_a_dispatch_names_nobody(nothing: object) -> None:
    found = commanded(DISPATCH, with_fields(DISPATCH, {"inputs.login": nothing}))

    assert (found.login, found.continues) == ("Codertocat", False)


def test_what_people_write_into_the_form_is_understood() -> None:
    inputs = {"issue": " #12 ", "command": " /plan\r\n- User: name string\r\n", "login": " @alice "}
    found = commanded(DISPATCH, with_fields(DISPATCH, {"inputs": inputs}))

    assert (found.number, found.login) == (12, "alice")
    assert found.command == Command(verb="plan", text="- User: name string")
    assert commanded(DISPATCH, with_fields(DISPATCH, {"inputs.issue": 7})).number == 7


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"inputs": None}, "the input 'command' is ''; write a command such as /generate"),
        ({"inputs.command": "generate"}, "the input 'command' is 'generate'; write a command such as /generate"),
        ({"inputs.command": 1}, "inputs.command (of type int) is not text"),
        ({"inputs.issue": ""}, "the input 'issue' is ''; write the number of an issue or pull request"),
        ({"inputs.issue": "0"}, "the input 'issue' is '0'; write the number of an issue or pull request"),
        ({"inputs.issue": "\u0661"}, "the input 'issue' is '\u0661'; write the number of an issue or pull request"),
        ({"inputs.issue": "1; rm"}, "the input 'issue' is '1; rm'; write the number of an issue or pull request"),
        ({"inputs.issue": GONE}, "inputs.issue (of type NoneType) is not a number above 0"),
        ({"inputs.login": "a b"}, "the input 'login' is 'a b', which is not a person's login"),
        ({"inputs.login": "evil[bot]"}, "the input 'login' is 'evil[bot]', which is not a person's login"),
        ({"sender": GONE}, "the sender (of type NoneType) is not a login"),
        ({"sender.login": "a/b"}, "the sender 'a/b' is not a login"),
    ],
)
def test_inputs_that_hold_no_command_are_ignored(changes: dict[str, object], expected: str) -> None:
    assert reason(DISPATCH, json.dumps(with_fields(DISPATCH, changes)).encode()) == expected


def test_an_ignored_comment_costs_next_to_nothing() -> None:
    script = (
        "import sys, time, bot.forge.webhook_event, bot.forge.workflow_commands\n"
        "bot.forge.webhook_event.parse_command('/etc/passwd')\n"
        "print(sorted({'pydantic', 'yaml', 'github', 'git', 'click'} & set(sys.modules)), time.process_time())"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    heavy, seconds = done.stdout.rsplit(maxsplit=1)
    assert heavy == "[]"
    assert float(seconds) < 0.3
