"""Work that is paid for arrives: lost races, refusals, outages, and conflicts that only a person can resolve."""

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.engine.requests import RunRequest, RunResult
from bot.errors import PushError
from bot.generation.provider import GenerationRequest, GenerationResult
from bot.generation.templates import TemplateProvider
from bot.history import push_queue
from bot.history.commits import PhaseCommit
from bot.history.push_queue import PushQueue
from bot.history.trailers import Trailers
from tests.repositories import (
    SMALL,
    House,
    ScriptedProvider,
    clone,
    commit,
    git,
    new_origin,
    open_run,
    phases_of,
    planned,
)
from tests.unit.values import BLOG

BRANCH = "refs/heads/phasebot/blog"
PHASES = 9
OTHERS_PUSH_FIRST = f"""\
#!/bin/sh
# Others push while a push is under way, as often as the file says.
unset GIT_QUARANTINE_PATH GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES
left=$(cat left)
if [ "$left" -gt 0 ] && tip=$(git rev-parse --verify --quiet {BRANCH}); then
    git update-ref {BRANCH} "$(git commit-tree "$tip^{{tree}}" -p "$tip" -m "Push $left")"
    echo $((left - 1)) >left
fi
"""
REFUSE = "#!/bin/sh\ntouch refused\necho 'protected by policy 7' >&2\nexit 1\n"

Act = Callable[[GenerationRequest], Awaitable[GenerationResult]]


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    return new_origin(tmp_path / "origin.git")


@pytest.fixture
def folder(origin: Path, tmp_path: Path) -> Path:
    return clone(origin, tmp_path / "one")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait next to nothing before a lost race is tried again."""
    monkeypatch.setattr(push_queue, "_LONGEST_WAIT", 0.001)


def hook(origin: Path, name: str, script: str) -> None:
    file = origin / "hooks" / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(script)
    file.chmod(0o755)


def others_push_first(origin: Path, times: int) -> None:
    (origin / "left").write_text(str(times))
    hook(origin, "pre-receive", OTHERS_PUSH_FIRST)


def start(folder: Path) -> None:
    """Push the plan, so that there is a branch that others can move."""
    House(folder, request=RunRequest(only=["plan"])).run()


async def until(true: Callable[[], object]) -> None:
    while not true():
        await asyncio.sleep(0.01)


def after(true: Callable[[], object], do: Callable[[], object] = bool) -> Act:
    """Generate a phase once something is *true*, and *do* something first."""

    async def act(request: GenerationRequest) -> GenerationResult:
        await until(true)
        do()
        return await TemplateProvider().generate(request)

    return act


# Others push first


@pytest.mark.usefixtures("quick")
def test_a_push_that_others_beat_many_times_arrives_all_the_same(origin: Path, folder: Path) -> None:
    start(folder)
    others_push_first(origin, 8)

    outcome = House(folder, request=RunRequest(only=["core"])).run()

    assert outcome.error is None
    assert outcome.state.pushed
    assert phases_of(origin) == ["plan", "core"]
    assert (origin / "left").read_text().strip() == "0"
    assert git(origin, "branch", "--list", "*recovered*") == ""


@pytest.mark.usefixtures("quick")
def test_a_push_that_gave_up_is_tried_again_with_the_next_phase(
    origin: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(push_queue, "_ATTEMPTS", 2)
    start(folder)
    others_push_first(origin, 2)
    lost = after(lambda: (origin / "left").read_text().strip() == "0")

    outcome = House(folder, provider=ScriptedProvider({"core": lost})).run()

    assert outcome.error is None
    assert len(set(phases_of(origin))) == PHASES


@pytest.mark.usefixtures("quick")
def test_a_run_that_lost_every_race_says_where_its_commits_are(
    origin: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(push_queue, "_ATTEMPTS", 2)
    start(folder)
    others_push_first(origin, 1000)

    outcome = House(folder, request=RunRequest(only=["core"])).run()

    assert str(outcome.error) == (
        "pushing phasebot/blog: others pushed first, 2 times in a row; "
        "the commits are safe on the local branch, run generate again to push them"
    )
    assert phases_of(folder) == ["plan", "core"]
    assert git(origin, "branch", "--list", "*recovered*") == ""
    (origin / "left").write_text("0")
    again = House(folder, request=RunRequest(only=["core"]))
    assert again.run().state.pushed
    assert again.provider.asked == []


def test_every_phase_of_workers_that_race_arrives(origin: Path, tmp_path: Path) -> None:
    names = [f"Item{number}" for number in range(9)]
    spec = "# Shop\n\n" + "".join(f"- {name}: name string\n" for name in names)
    House(clone(origin, tmp_path / "first"), spec=spec, request=RunRequest(only=["core"])).run()
    houses = [
        House(
            clone(origin, tmp_path / f"worker-{number}"),
            spec=None,
            request=RunRequest(only=[f"entity/{name}" for name in names[number::3]], jobs=1),
        )
        for number in range(3)
    ]

    async def at_once() -> list[RunResult]:
        return await asyncio.gather(*(house.work() for house in houses))

    outcomes = asyncio.run(at_once())

    assert [outcome.error for outcome in outcomes] == [None] * 3
    assert sorted(phases_of(origin)) == sorted(["plan", "core", *(f"entity/{name}" for name in names)])


@pytest.mark.slow
@pytest.mark.parametrize("workers", [4, 8])
def test_every_phase_of_many_workers_arrives(origin: Path, tmp_path: Path, workers: int) -> None:
    names = [f"Item{number:03}" for number in range(200)]
    spec = "# Shop\n\n" + "".join(f"- {name}: name string\n" for name in names)
    House(clone(origin, tmp_path / "first"), spec=spec, request=RunRequest(only=["core", "support"])).run()
    command = [sys.executable, "-m", "bot", "generate", "--run", "blog", "--repo"]

    running = [
        subprocess.Popen(
            [
                *(*command, str(clone(origin, tmp_path / f"worker-{number}"))),
                *(word for name in names[number::workers] for word in ("--only", f"entity/{name}")),
            ],
            stdout=subprocess.DEVNULL,
        )
        for number in range(workers)
    ]

    assert [process.wait(600) for process in running] == [0] * workers
    assert len(phases_of(origin)) == len(set(phases_of(origin))) == 203
    assert git(origin, "branch", "--list", "*recovered*") == ""


# The remote refuses


def test_nothing_is_paid_for_when_the_remote_refuses_the_plan(origin: Path, folder: Path) -> None:
    hook(origin, "update", REFUSE)
    house = House(folder, with_model=True)

    outcome = house.run()

    assert str(outcome.error) == (
        "pushing phasebot/blog to origin: [remote rejected] (hook declined); the commits are safe on the local branch, "
        "run generate again to push them; until then, no model is asked; --no-push goes on without it"
    )
    assert outcome.error is not None
    assert outcome.error.exit_code == 1
    assert house.provider.asked == []
    assert phases_of(folder) == ["plan"]
    (origin / "hooks" / "update").unlink()
    assert House(folder, with_model=True).run().state.pushed


def test_a_refusal_on_the_way_ends_the_asking_and_what_is_under_way_is_committed(origin: Path, folder: Path) -> None:
    refused = (origin / "refused").exists
    script = {
        "core": after(lambda: True, lambda: hook(origin, "update", REFUSE)),
        "support": after(refused),
        **{f"entity/{name}": after(refused) for name in ("User", "Post", "Comment", "Tag", "PostTag")},
    }
    house = House(folder, provider=ScriptedProvider(script), request=RunRequest(jobs=2), with_model=True)
    house.disposable = True

    outcome = house.run()

    asked = [key for key, _ in house.provider.asked]
    assert outcome.remaining
    assert "main" in outcome.remaining
    assert sorted(phases_of(folder)) == sorted(["plan", *asked])
    assert phases_of(origin) == ["plan"]
    lost = [key for key in phases_of(folder) if key != "plan"]
    assert str(outcome.error) == (
        "pushing phasebot/blog to origin: [remote rejected] (hook declined); "
        f"{len(lost)} phases ({', '.join(lost)}) are only in this job's clone and lost with it; "
        "comment /generate to generate what is lost again; until then, no model is asked"
    )


# The remote can't be reached


def test_a_remote_that_comes_back_gets_every_phase(origin: Path, folder: Path, tmp_path: Path) -> None:
    away = tmp_path / "away"
    origin.rename(away)
    house = House(folder, provider=ScriptedProvider({"main": after(lambda: True, lambda: away.rename(origin))}))

    outcome = house.run()

    assert outcome.error is None
    assert any("continuing without it" in note for note in house.announcer.notes)
    assert len(set(phases_of(origin))) == PHASES


def test_what_could_not_be_pushed_is_tried_again_at_the_end(origin: Path, folder: Path, tmp_path: Path) -> None:
    House(folder, push=False).run()
    away = tmp_path / "away"
    origin.rename(away)
    run = open_run(folder)
    run.branch.read()
    queue = PushQueue(run.branch, run.sync)

    async def push_nowhere() -> None:
        async with queue:
            queue.publish()
            await queue.flush()
            assert queue.failure
            away.rename(origin)

    asyncio.run(push_nowhere())

    assert queue.failure is None
    assert len(set(phases_of(origin))) == PHASES


# A person's commit conflicts


def test_the_recovery_branch_grows_and_the_message_says_what_is_on_it(
    origin: Path, folder: Path, tmp_path: Path
) -> None:
    git(folder, "switch", "--quiet", "-c", "phasebot/blog")
    other = clone(origin, tmp_path / "other")
    recovered = "phasebot/blog-recovered-1"

    def two_people_edit() -> None:
        git(other, "fetch", "--quiet")
        git(other, "switch", "--quiet", "phasebot/blog")
        commit(other, "Theirs", {"NOTES.md": "theirs\n"})
        git(other, "push", "--quiet")
        commit(folder, "Mine", {"NOTES.md": "mine\n"})

    provider = ScriptedProvider(
        {
            "support": after(lambda: git(origin, "branch", "--list", "phasebot/blog"), two_people_edit),
            "core": after(lambda: git(origin, "branch", "--list", recovered)),
        }
    )
    outcome = House(folder, provider=provider).run()

    mine = git(folder, "log", "-1", "--format=%h", "--abbrev=10", "--grep=^Mine$")
    assert isinstance(outcome.error, PushError)
    assert str(outcome.error) == (
        f"pushing phasebot/blog: commit {mine} and the pushed branch both changed 'NOTES.md'; "
        "rebase it, then run again; "
        f"until then, 2 phases (support, core) and 1 other commit are on {recovered}"
    )
    assert git(origin, "rev-parse", recovered) == git(folder, "rev-parse", "phasebot/blog")
    assert git(origin, "show", "phasebot/blog:NOTES.md") == "theirs"
    assert {key for key, _ in provider.asked} == {"core", "support"}

    git(folder, "rebase", "--quiet", "-X", "ours", "origin/phasebot/blog")
    again = House(folder)
    assert again.run().state.pushed
    assert not {"core", "support"} & {key for key, _ in again.provider.asked}
    assert git(origin, "branch", "--list", "--format=%(refname:short)", "*recovered*") == recovered


# The local branch moves


def test_a_commit_goes_on_top_however_often_others_move_the_branch(folder: Path) -> None:
    start(folder)
    moves: list[str] = []

    def now() -> datetime:
        if len(moves) < 16:  # two for each attempt, for author and committer
            tip = git(folder, "rev-parse", BRANCH)
            moves.append(git(folder, "commit-tree", f"{tip}^{{tree}}", "-p", tip, "-m", f"Move {len(moves)}"))
            git(folder, "update-ref", BRANCH, moves[-1])
        return datetime(2026, 11, 23, 12, tzinfo=UTC)

    run = open_run(folder, now=now)
    run.branch.read()
    phase = next(each for each in planned(BLOG, SMALL).phases if each.key == "core")
    files = dict.fromkeys(phase.files, b"pass\n")
    trailers = Trailers(run="blog").for_phase(phase, "complete")

    committed = run.writer.commit(
        PhaseCommit(phase=phase, total=PHASES, files=files, trailers=trailers, body=[]), planned(BLOG).phases
    )

    assert committed is not None
    assert len(moves) == 16
    assert git(folder, "rev-parse", f"{BRANCH}^") == moves[-1]
