"""Run requests and run results: what is asked of a run, and what it still needs."""

from bot.engine.requests import Requester, RunRequest, RunResult, request_trailers
from bot.engine.snapshot import Snapshot
from tests.unit.test_snapshot import run_state
from tests.unit.values import build_phase

CORE, POST, MAIN = (
    build_phase("core", "core.py"),
    build_phase("entity/Post", "post.py", needs=["core"]),
    build_phase("main", "main.py", needs=["core", "entity/Post"]),
)


def test_a_request_is_by_default_for_all_phases_from_templates() -> None:
    request = RunRequest()

    assert (request.only, request.regenerate, request.provider.resolve()) == ((), (), "template")


def test_every_commit_names_who_asked_for_it() -> None:
    assert request_trailers("blog", None).format() == "Phasebot-Run: blog\n"
    assert request_trailers("blog", Requester("alice", "7")).format() == (
        "Phasebot-Run: blog\nPhasebot-Requested-By: alice\nPhasebot-Comment: 7\n"
    )


def test_what_blocks_a_run_is_needed_unfinished_and_not_asked_for() -> None:
    state = run_state(CORE, POST, MAIN)

    def blocked_by(*remaining: str) -> list[str]:
        return list(RunResult(Snapshot(state=state), remaining).blocked_by)

    assert blocked_by("main") == ["core", "entity/Post"]
    assert blocked_by("core", "main") == ["entity/Post"]
    assert blocked_by("core", "entity/Post", "main") == []
    assert blocked_by() == []


def test_a_finished_phase_blocks_nothing() -> None:
    state = run_state(CORE, POST, MAIN, done=["core"])

    assert RunResult(Snapshot(state=state), ["main"]).blocked_by == ["entity/Post"]
