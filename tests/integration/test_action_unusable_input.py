"""Issues, pull requests, specs and plans that can't be used: the answer says what to do."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.action_world import ISSUE, World, small_world
from tests.git_http_server import Refusal
from tests.github_server import Json
from tests.integration.test_action_refusals import refused
from tests.repositories import commit, git


@pytest.fixture
def github(tmp_path: Path) -> Iterator[World]:
    with small_world(tmp_path) as found:
        yield found


# ---- places


def pull(github: World, **about: Json) -> int:
    """Open the pull request #7."""
    return github.github.add_pull(number=7, **about).number


@pytest.mark.parametrize("command", ["/generate", "/plan"])
def test_a_closed_issue_is_to_be_reopened_first(github: World, command: str) -> None:
    github.github.issues[ISSUE].state = "closed"

    assert refused(github, github.comment(command)) == "Not run: #`12` is closed; reopen it and comment again"


@pytest.mark.parametrize("number", [ISSUE, 7])
def test_what_is_merged_is_not_gone_on_with(github: World, number: int) -> None:
    pull(github, state="closed", merged=True)

    answer = refused(github, github.comment("/generate", number=number), number=number)

    assert answer == "Not run: pull request #`7` of issue-12 is merged; describe what to build next in a new issue"


def test_a_closed_pull_request_is_to_be_reopened_first(github: World) -> None:
    pull(github, state="closed")

    answer = refused(github, github.comment("/generate", number=7), number=7)

    assert answer == "Not run: #`7` is closed; reopen it and comment again"


@pytest.mark.parametrize(
    ("about", "why"),
    [
        ({"repository": "mallory/blog"}, "its branch is in a fork"),
        ({"repository": None}, "its branch is in a fork"),
        ({"head": "feature"}, "its branch is feature, not phasebot/…"),
        ({"head": "x/phasebot/issue-12"}, "its branch is x/phasebot/issue-12, not phasebot/…"),
        ({"head": "phasebot"}, "its branch is phasebot, not phasebot/…"),
    ],
)
@pytest.mark.parametrize("command", ["/generate", "/status", "/stop"])
def test_other_peoples_pull_requests_are_no_runs(github: World, about: dict[str, Json], why: str, command: str) -> None:
    pull(github, **about)

    answer = refused(github, github.comment(command, number=7), number=7)

    assert answer == (
        f"Not run: #`7` is not the pull request of a run: {why}; comment on the issue that says what to build"
    )


@pytest.mark.parametrize("head", ["phasebot/$(id)", "phasebot/-x", "phasebot/a..b", "phasebot/", "phasebot/a b"])
def test_a_branch_whose_name_no_run_has_is_refused(github: World, head: str) -> None:
    pull(github, head=head)

    assert refused(github, github.comment("/generate", number=7), number=7, folder=github.checkout())


def test_a_pull_request_whose_branch_is_gone_holds_no_plan(github: World) -> None:
    pull(github, head="phasebot/blog")

    answer = refused(github, github.comment("/generate", number=7), number=7, folder=github.checkout())

    assert answer == ("Not run: phasebot/blog has no plan; comment on the issue that describes the project")


def test_without_a_checkout_the_workflow_is_to_be_mended(github: World) -> None:
    assert "put a step 'uses: actions/checkout' before this" in refused(github, github.comment("/generate"))


def test_on_a_locked_issue_the_run_goes_its_way_and_the_log_says_why_nobody_is_told(github: World) -> None:
    github.github.issues[ISSUE].locked = True

    ending = github.say("/generate")

    assert (ending.status, ending.exit_code) == ("complete", 0)
    assert github.said() == []
    assert len(github.commits()) == 5
    assert not github.pull().draft
    assert any("unlock the conversation" in line for line in github.log)


# ---- specs and plans


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("A shop, please.", "issue #`12`: it contains no entities"),
        (None, "issue #`12`: it is empty"),
        ("- Note: text texxt", "issue #`12`, line "),
        ("- Note: author -> Nobody", "Nobody"),
        ("- Note: text text\n- Note: text text", "Note"),
    ],
)
def test_a_spec_that_can_not_be_built_is_refused_with_what_to_write(github: World, body: str | None, told: str) -> None:
    github.github.issues[ISSUE].body = body

    assert told in refused(github, github.comment("/generate"), folder=github.checkout())
    assert github.github.pulls == []


def edit_plan(github: World, change: Callable[[str], str | None]) -> str:
    """Edit the plan as a person, and return how the next command ended."""
    github.say("/plan")
    laptop = github.clone()
    git(laptop, "switch", "--quiet", "phasebot/issue-12")
    commit(laptop, "Edit", {".phasebot/plan.yaml": change(github.file(".phasebot/plan.yaml"))})
    git(laptop, "push", "--quiet", "origin", "HEAD")
    ending = github.say("/generate")
    assert (ending.status, ending.exit_code) == ("refused", 2)
    assert len(github.commits()) == 2
    return ending.message


def test_a_plan_that_an_edit_broke_is_refused_with_commit_and_line(github: World) -> None:
    message = edit_plan(github, lambda text: text + "\n  Tag:\n    name: strng\n")

    edit = git(github.origin, "rev-parse", "phasebot/issue-12")
    assert message.startswith(f"the plan .phasebot/plan.yaml at commit {edit[:10]}")
    assert "'strng'" in message
    assert "**Phasebot could not run `@alice`'s request" in github.said()[0]
    assert "strng" in github.said()[0]


def test_a_plan_that_was_removed_is_to_be_brought_back(github: World) -> None:
    assert "restore it with 'git revert " in edit_plan(github, lambda _: None)


def test_a_base_that_is_not_there_is_refused(github: World) -> None:
    ending = github.say("/generate", base_branch="nope")

    assert (ending.status, ending.exit_code) == ("refused", 2)
    assert "'nope' is not a commit or branch" in ending.message
    assert github.commits() == []


def test_a_comment_does_not_show_where_the_runner_keeps_its_files(github: World) -> None:
    github.say("/generate", base_branch="nope")

    assert str(github.root) not in github.said()[-1]


def test_a_comment_does_not_offer_options_of_the_command_line(github: World) -> None:
    folder = github.checkout()
    github.server.judge = lambda _: Refusal(status=503, text="Down for maintenance")

    github.say("/generate", folder=folder)

    assert "--no-push" not in github.said()[-1]


def test_a_comment_about_a_missing_key_names_the_input_of_the_action(github: World) -> None:
    answer = refused(github, github.comment("/generate --provider gemini"), folder=github.checkout())

    assert "gemini-api-key" in answer


def test_the_grammar_that_a_refusal_shows_has_a_line_for_each_of_its_lines(github: World) -> None:
    github.github.issues[ISSUE].body = "A shop, please."

    answer = refused(github, github.comment("/generate"), folder=github.checkout())

    assert "\n- User: username string unique" in answer.replace("  - ", "- ")
