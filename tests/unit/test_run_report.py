"""What a report knows of its run, and which links it trusts."""

import pytest

from bot.forge.run_report import Report
from bot.history.ledger import derive_state
from bot.history.run_state import RunState
from tests.unit.values import bot_commit, build_phase, oid

CORE, MAIN = build_phase("core", "app/core.py", "app/config.py"), build_phase("main", "main.py")


def _report() -> Report:
    ledger = derive_state("blog", {}, [bot_commit(1, CORE)])
    phases = [ledger.state(CORE), ledger.state(MAIN)]
    state = RunState("blog", "phasebot/blog", "main", oid(1), phases, (0, 0), {}, pushed=True)
    return Report(state=state, outcome="working", requested_by="ada", server_url="https://github.com", repository="o/r")


def test_it_counts_what_is_done() -> None:
    assert (_report().done, _report().files) == ("1 of 2 phases", 2)


@pytest.mark.parametrize(
    ("url", "trusted"),
    [
        ("https://github.com/o/r/actions/runs/1", True),
        ("https://github.com/o/other/actions", False),
        ("https://evil.example/o/r/", False),
        ("https://github.com/o/r/../other", False),
        ("https://github.com/o/r/%2e%2e/other", False),
    ],
)
def test_a_link_has_to_point_into_the_repository(*, url: str, trusted: bool) -> None:
    assert bool(_report().checked_link("log", url)) is trusted
