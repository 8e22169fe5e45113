"""One branch and several clones: rejected pushes, a branch created again, remotes that can't be reached."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from bot.engine.requests import RunRequest
from bot.errors import PushError
from bot.generation.provider import GenerationRequest, GenerationResult
from bot.generation.templates import TemplateProvider
from tests.repositories import SMALL, House, ScriptedProvider, clone, commit, git, new_origin, phases_of, tree_of
from tests.unit.values import BLOG

WHOLE = sorted(
    ["plan", "core", "support", "main", *(f"entity/{name}" for name in ("User", "Post", "Comment", "Tag", "PostTag"))]
)


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    return new_origin(tmp_path / "origin.git")


def test_every_phase_is_pushed_and_told_only_then(origin: Path, tmp_path: Path) -> None:
    house = House(clone(origin, tmp_path / "one"))

    outcome = house.run()

    assert outcome.state.pushed
    assert house.announcer.out == phases_of(origin)
    assert sorted(phases_of(origin)) == WHOLE


def test_without_push_nothing_leaves_and_a_later_run_pushes_it(origin: Path, tmp_path: Path) -> None:
    folder = clone(origin, tmp_path / "one")

    outcome = House(folder, push=False).run()
    assert not outcome.state.pushed
    assert git(origin, "branch", "--list", "phasebot/*") == ""

    again = House(folder)
    assert again.run().state.pushed
    assert again.provider.asked == []
    assert tree_of(origin) == tree_of(folder)


def test_a_fresh_clone_continues_where_the_other_stopped(origin: Path, tmp_path: Path) -> None:
    git(origin, "symbolic-ref", "HEAD", "refs/heads/main")
    House(clone(origin, tmp_path / "one"), provider=ScriptedProvider({"main": _nothing})).run()
    fresh = House(clone(origin, tmp_path / "two"), spec=None)

    outcome = fresh.run()

    assert fresh.provider.asked == [("main", ("main.py",))]
    assert outcome.state.complete
    assert sorted(phases_of(origin)) == WHOLE


async def _nothing(request: GenerationRequest) -> GenerationResult:
    return GenerationResult({}, dict.fromkeys(request.paths, "no answer"), stopped=True)


def test_a_fresh_clone_continues_without_push_too(origin: Path, tmp_path: Path) -> None:
    House(clone(origin, tmp_path / "one"), provider=ScriptedProvider({"main": _nothing})).run()
    fresh = House(clone(origin, tmp_path / "two"), push=False)

    outcome = fresh.run()

    assert fresh.provider.asked == [("main", ("main.py",))]
    assert outcome.state.complete
    assert not outcome.state.pushed
    assert "main" not in phases_of(origin)


def test_commits_pushed_meanwhile_stay_and_ours_go_on_top(origin: Path, tmp_path: Path) -> None:
    other = clone(origin, tmp_path / "other")

    async def while_a_person_pushes(request: GenerationRequest) -> GenerationResult:
        while not git(origin, "branch", "--list", "phasebot/blog"):
            await asyncio.sleep(0.02)  # until the push in the background got there
        git(other, "fetch", "--quiet")
        git(other, "switch", "--quiet", "phasebot/blog")
        commit(other, "A person was here", {"NOTES.md": "hello\n"})
        while git(other, "push", "--quiet", check=False) or "NOTES.md" not in git(origin, "ls-tree", "phasebot/blog"):
            git(other, "pull", "--quiet", "--rebase")
        return await TemplateProvider().generate(request)

    folder = clone(origin, tmp_path / "one")
    outcome = House(folder, provider=ScriptedProvider({"entity/Tag": while_a_person_pushes})).run()

    assert outcome.error is None
    assert outcome.state.pushed
    assert sorted(phases_of(origin)) == WHOLE
    assert git(origin, "show", "phasebot/blog:NOTES.md") == "hello"
    assert tree_of(origin) == tree_of(folder)


def test_a_phase_another_clone_finished_meanwhile_is_dropped(origin: Path, tmp_path: Path) -> None:
    late = clone(origin, tmp_path / "late")
    House(late, push=False).run()
    House(clone(origin, tmp_path / "first"), provider=ScriptedProvider({"main": _nothing})).run()

    outcome = House(late).run()

    assert outcome.error is None
    assert outcome.state.pushed
    assert sorted(phases_of(origin)) == WHOLE
    assert phases_of(late) == phases_of(origin)


def test_a_persons_edit_of_a_phase_that_was_dropped_is_kept(origin: Path, tmp_path: Path) -> None:
    late = clone(origin, tmp_path / "late")
    git(late, "switch", "--quiet", "-c", "phasebot/blog")
    House(late, push=False).run()
    commit(late, "Mine", {"app/models/post.py": "# mine\n"})
    House(clone(origin, tmp_path / "first")).run()

    outcome = House(late).run()

    assert outcome.error is None
    assert git(origin, "show", "phasebot/blog:app/models/post.py") == "# mine"
    assert sorted(phases_of(origin)) == WHOLE
    assert git(late, "status", "--porcelain") == ""


def test_a_checked_out_branch_gets_what_others_pushed_too(origin: Path, tmp_path: Path) -> None:
    one = clone(origin, tmp_path / "one")
    git(one, "switch", "--quiet", "-c", "phasebot/blog")
    House(one, provider=ScriptedProvider({"main": _nothing})).run()
    two = clone(origin, tmp_path / "two")
    git(two, "switch", "--quiet", "phasebot/blog")
    commit(two, "A person was here", {"NOTES.md": "hello\n"})
    git(two, "push", "--quiet")
    House(one, push=False).run()

    outcome = House(one).run()

    assert outcome.error is None
    assert (one / "NOTES.md").read_text() == "hello\n"
    assert git(one, "status", "--porcelain") == ""
    assert tree_of(origin) == tree_of(one)


def test_a_worktree_follows_to_what_puts_a_file_back_as_it_once_was(origin: Path, tmp_path: Path) -> None:
    one = clone(origin, tmp_path / "one")
    git(one, "switch", "--quiet", "-c", "phasebot/blog")
    House(one).run()
    commit(one, "Tune", {"main.py": "# tuned\n"})
    git(one, "push", "--quiet", "origin", "HEAD")
    two = clone(origin, tmp_path / "two")
    git(two, "switch", "--quiet", "phasebot/blog")
    git(two, "revert", "--no-edit", "HEAD")
    commit(two, "A person was here", {"NOTES.md": "hello\n"})
    git(two, "push", "--quiet")

    House(one).run()

    assert git(one, "status", "--porcelain") == ""
    assert tree_of(origin) == tree_of(one)


def test_a_persons_unpushed_commit_that_does_not_fit_is_kept_on_a_branch_of_its_own(
    origin: Path, tmp_path: Path
) -> None:
    one = clone(origin, tmp_path / "one")
    House(one).run()
    two = clone(origin, tmp_path / "two")
    git(two, "switch", "--quiet", "phasebot/blog")
    commit(two, "Theirs", {"main.py": "theirs\n"})
    git(two, "push", "--quiet")
    git(one, "switch", "--quiet", "phasebot/blog")
    mine = commit(one, "Mine", {"main.py": "mine\n"})

    outcome = House(one).run()

    assert isinstance(outcome.error, PushError)
    assert "phasebot/blog-recovered-1" in str(outcome.error)
    assert git(origin, "rev-parse", "phasebot/blog-recovered-1") == mine
    assert git(origin, "show", "phasebot/blog:main.py") == "theirs"
    assert git(one, "rev-parse", "phasebot/blog") == mine


def test_a_remote_that_is_gone_costs_no_phase(origin: Path, tmp_path: Path) -> None:
    folder = clone(origin, tmp_path / "one")
    origin.rename(tmp_path / "away")
    house = House(folder)

    outcome = house.run()

    assert isinstance(outcome.error, PushError)
    assert outcome.state.complete
    assert not outcome.state.pushed
    assert house.announcer.notes
    (tmp_path / "away").rename(origin)
    assert House(folder).run().state.pushed


def test_a_remote_that_refuses_says_why(origin: Path, tmp_path: Path) -> None:
    hook = origin / "hooks" / "update"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'protected by policy 7' >&2\nexit 1\n")
    hook.chmod(0o755)

    outcome = House(clone(origin, tmp_path / "one")).run()

    assert isinstance(outcome.error, PushError)
    assert "hook declined" in str(outcome.error)
    assert outcome.state.complete


@pytest.mark.parametrize("clones", [1, 2])
def test_two_at_once_make_one_branch_with_each_phase_once(origin: Path, tmp_path: Path, clones: int) -> None:
    folders = [clone(origin, tmp_path / f"clone-{number}") for number in range(clones)]
    command = [sys.executable, "-m", "bot", "generate", BLOG, "--run", "blog", "--recipe", str(SMALL), "--repo"]

    running = [subprocess.Popen([*command, str(folders[number % clones])]) for number in range(3)]

    assert [process.wait(120) for process in running] == [0, 0, 0]
    assert sorted(phases_of(origin)) == WHOLE
    assert all(tree_of(folder) == tree_of(origin) for folder in folders)


def test_what_a_killed_rebase_left_behind_is_in_nobodys_way(origin: Path, tmp_path: Path) -> None:
    one, two = clone(origin, tmp_path / "one"), clone(origin, tmp_path / "two")
    House(one, push=False, request=RunRequest(only=("core",))).run()
    House(two, request=RunRequest(only=("support",))).run()
    tree = git(one, "hash-object", "-w", "-t", "tree", "/dev/null")
    left = git(one, "commit-tree", "-m", "Left", tree)
    git(one, "update-ref", f"refs/phasebot/rewrite/{git(one, 'rev-parse', 'phasebot/blog')}", left)

    outcome = House(one).run()

    assert outcome.error is None
    assert outcome.state.complete
    assert outcome.state.pushed
    assert git(one, "for-each-ref", "refs/phasebot/rewrite") == ""
