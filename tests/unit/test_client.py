"""The protocol of a forge: the GitHub client has each of its methods, with the same arguments."""

import inspect
from dataclasses import FrozenInstanceError

import pytest

from bot.forge.client import ForgeClient, Issue
from bot.forge.github_client import GitHubClient

METHODS = [name for name, each in vars(ForgeClient).items() if inspect.isfunction(each) and not name.startswith("_")]


def test_the_protocol_has_methods() -> None:
    assert {"may_write", "comment", "open_pull", "dispatch"} <= set(METHODS)


@pytest.mark.parametrize("name", METHODS)
def test_github_is_asked_as_the_protocol_says(name: str) -> None:
    said, done = (inspect.signature(getattr(each, name)) for each in (ForgeClient, GitHubClient))

    assert done.parameters == said.parameters
    assert done.return_annotation == said.return_annotation


def test_every_method_says_what_it_does() -> None:
    assert [name for name in METHODS if not inspect.getdoc(getattr(ForgeClient, name))] == []


def test_an_issue_does_not_change() -> None:
    issue = Issue(12, "Blog", "", is_pull_request=False, is_open=True)

    with pytest.raises(FrozenInstanceError):
        issue.title = "Other"  # type: ignore[misc]  # on purpose
