"""The result of a command: exit codes and outputs of the job."""

import pytest

from bot.action.result import EXIT_CODES, CommandResult, Status
from bot.forge.client import PullRequest
from bot.forge.run_report import Report
from tests.unit.test_snapshot import CORE, MAIN, run_state

PULL = PullRequest(
    7,
    "https://github.com/acme/blog/pull/7",
    "PR_7",
    "phasebot/blog",
    is_open=True,
    is_merged=False,
    is_draft=True,
    is_fork=False,
)


@pytest.mark.parametrize(
    ("status", "code"), [("complete", 0), ("answered", 0), ("failed", 1), ("refused", 2), ("incomplete", 3)]
)
def test_each_status_has_its_exit_code(status: Status, code: int) -> None:
    assert CommandResult(status).exit_code == code
    assert EXIT_CODES[status] == code


def test_an_interrupted_job_exits_with_130() -> None:
    assert CommandResult("incomplete", interrupted=True).exit_code == 130


def test_a_refusal_has_no_outputs_but_its_status() -> None:
    assert CommandResult("refused", "no").outputs == {"status": "refused"}


def test_a_run_has_all_outputs() -> None:
    state = run_state(CORE, MAIN, done=["core"])
    report = Report(state=state, outcome="incomplete", requested_by="alice", server_url="https://x", repository="a/b")

    assert CommandResult("incomplete", report=report, pull=PULL).outputs == {
        "status": "incomplete",
        "pull-request-number": "7",
        "pull-request-url": "https://github.com/acme/blog/pull/7",
        "run": "blog",
        "branch": "phasebot/blog",
        "head": state.head,
        "phases-done": "1",
        "phases-total": "2",
        "files": "1",
        "tokens": "0",
    }
