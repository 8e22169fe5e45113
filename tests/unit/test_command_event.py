"""From an event file to a command: no field is trusted, and no file raises."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.forge.command_event import CommandEvent, read_command_event
from bot.forge.comment_command import Command, InvalidCommand
from bot.forge.webhook_event import Ignored

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
EVERY = pytest.mark.parametrize("name", WHOLE)
GONE = object()


def heard(name: str, payload: object) -> CommandEvent | Ignored:
    return read_command_event(name, json.dumps(payload).encode())


def commanded(name: str, payload: object) -> CommandEvent:
    found = heard(name, payload)
    assert isinstance(found, CommandEvent), found
    return found


def reason(name: str, content: bytes) -> str:
    found = read_command_event(name, content)
    assert isinstance(found, Ignored)
    assert found.reason.isprintable()
    return found.reason


# ---- what is heard


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


def test_a_mistake_is_heard_so_that_it_is_answered() -> None:
    assert isinstance(
        commanded(COMMENT, changed(WHOLE[COMMENT], ("comment", "body"), "/genrate")).command, InvalidCommand
    )


@pytest.mark.parametrize(
    ("actor", "login", "on_behalf_of", "vouching"),
    [
        ("alice", "", "alice", ("alice",)),
        ("alice", "bob", "bob", ("alice", "bob")),
        ("alice", "alice", "alice", ("alice", "alice")),
        ("github-actions[bot]", "alice", "alice", ("alice",)),
        ("github-actions[bot]", "", "github-actions[bot]", ()),
        ("renovate[bot]", "", "renovate[bot]", ()),
    ],
)
def test_a_dispatch_needs_everybody_who_is_a_person_behind_it(
    actor: str, login: str, on_behalf_of: str, vouching: tuple[str, ...]
) -> None:
    payload = changed(WHOLE[DISPATCH], ("sender", "login"), actor)
    found = commanded(DISPATCH, changed(payload, ("inputs", "login"), login))

    assert (found.login, found.vouching, found.continues) == (on_behalf_of, vouching, bool(login))
    assert (found.number, found.is_pull_request, found.comment, found.title) == (12, None, None, "")


# ---- what is not


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000, b'{"a": NaN'])
@EVERY
def test_a_file_that_is_no_json_is_ignored(name: str, content: bytes) -> None:
    assert reason(name, content).startswith("the event's file is no JSON (")


@pytest.mark.parametrize("payload", [None, [], 1, "x", {}, [[]], {"comment": []}, {"comment": {"user": []}}])
@EVERY
def test_a_payload_of_another_shape_is_ignored(name: str, payload: object) -> None:
    assert reason(name, json.dumps(payload).encode())


def test_talk_is_ignored() -> None:
    content = json.dumps(changed(WHOLE[COMMENT], ("comment", "body"), "thanks!")).encode()

    assert reason(COMMENT, content) == "the text is not a command"


@pytest.mark.parametrize("name", ["", "push", "issues", "issue_comment ", "ISSUE_COMMENT", "pull_request_target"])
def test_other_events_are_ignored(name: str) -> None:
    assert "carries no command" in reason(name, json.dumps(WHOLE[COMMENT]).encode())


# ---- payloads that lack something, or hold something else


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


@EVERY
def test_no_field_makes_it_raise_or_another_person_speak(name: str) -> None:
    tried = 0
    for place in places(WHOLE[name]):
        for value in VALUES:
            found = heard(name, changed(WHOLE[name], place, value))
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
            found = heard(name, changed(WHOLE[name], place, "alice"))
            assert isinstance(found, Ignored) or "alice" not in found.vouching, place


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@given(st.sampled_from([*WHOLE, "push"]), st.binary(max_size=50) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_file_is_heard_or_ignored(name: str, content: bytes) -> None:
    assert isinstance(read_command_event(name, content), CommandEvent | Ignored)


@given(st.sampled_from(sorted(WHOLE)), st.lists(st.tuples(st.integers(0, 10**6), JSON), min_size=1, max_size=4))
def test_any_changes_of_a_payload_are_heard_or_ignored(name: str, changes: list[tuple[int, Any]]) -> None:
    payload = WHOLE[name]
    for number, value in changes:
        known = list(places(payload))
        if known:
            payload = changed(payload, known[number % len(known)], value)
    assert isinstance(heard(name, payload), CommandEvent | Ignored)
