"""Where random histories start: repositories that are built once and copied, with every git call watched."""

import asyncio
import atexit
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Literal, ParamSpec, TypeVar

import pytest

from bot.history import git as history_git
from bot.history import plan_reader
from bot.history.git import Git
from bot.planning.recipe import load_recipe
from bot.planning.resolved_plan import ResolvedPlan, resolve_plan_file
from tests.crash.history_world import World
from tests.crash.interruptions import BRANCH, PLAN
from tests.repositories import clone, git, new_repository, planned

SPEC = "# Blog\n\n- Post: title string, body text?\n- Tag: name string\n"
MORE = "  Extra:\n    size: integer\n"
_MEMORY = Path("/dev/shm")  # noqa: S108  # a folder of one's own is made in it

P = ParamSpec("P")
T = TypeVar("T")
Start = Literal["new", "done", "readme", "merged", "squashed"]
STARTS: Sequence[Start] = ("new", "done", "done", "done", "readme", "merged", "squashed")


@cache
def _template(start: Start) -> Path:
    """Make the places of *start* once, to be copied."""
    folder = _new_folder()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    seed = new_repository(folder / "seed", {"README.md" if start == "readme" else "LICENSE": "# human 0\n"})
    git(folder, "clone", "--quiet", "--bare", str(seed), str(folder / "origin.git"))
    for name in ("ada", "bob"):
        place = clone(folder / "origin.git", folder / name)
        git(place, "config", "remote.origin.url", "../origin.git")
    git(folder / "ada", "switch", "--quiet", "-c", BRANCH)
    if start in ("merged", "squashed"):
        _merge(folder, squash=start == "squashed")
    if start != "new":
        world = World(folder, first_plan(folder, start))
        world.generate(world.ada)
        for place in (folder / "ada", folder / "bob"):
            git(place, "fetch", "--quiet")
            git(place, "switch", "--quiet", "-C", BRANCH, f"origin/{BRANCH}")
    return folder


def _merge(folder: Path, *, squash: bool) -> None:
    """Have a first run made and merged into main, and a branch for a second one."""
    world = World(folder, planned(SPEC))
    world.generate(world.ada, edition=None if squash else 0)
    bob = folder / "bob"
    git(bob, "fetch", "--quiet")
    git(bob, "merge", "--quiet", *(("--squash",) if squash else ("--no-ff", "-m", "Merge")), f"origin/{BRANCH}")
    git(bob, "commit", "--quiet", "--allow-empty", "-m", "Human 0 merges")
    git(bob, "push", "--quiet", "origin", "HEAD:main", f":{BRANCH}")
    ada = folder / "ada"
    git(ada, "fetch", "--quiet", "--prune")
    git(ada, "reset", "--quiet", "--hard", "origin/main")
    git(ada, "switch", "--quiet", "--detach")
    git(ada, "branch", "--quiet", "-D", BRANCH)  # a branch with the merged commits would be the first run's
    git(ada, "reflog", "expire", "--all", "--expire=now")


def first_plan(folder: Path, start: Start) -> ResolvedPlan:
    """Return the plan that a run begins with: where something was merged, that and more."""
    if start not in ("merged", "squashed"):
        return planned(SPEC)
    text = git(folder, "--git-dir", str(folder / "origin.git"), "show", f"main:{PLAN}") + "\n"
    return resolve_plan_file(text + MORE, source="the spec", output_dir=".")


@contextmanager
def new_world(start: Start, *, keep: bool = False) -> Iterator[World]:
    """Give a world of its own, in which all git of the bot is watched."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(history_git, "_CONFIG", (*history_git._CONFIG, "core.fsync=none"))  # noqa: SLF001
        patch.setattr(asyncio, "to_thread", _in_turn)
        patch.setattr(plan_reader, "load_recipe", _load_recipe)
        patch.setattr(plan_reader, "resolve_plan_file", _resolve)
        folder = _new_folder()
        template = _template(start)
        shutil.rmtree(folder)
        shutil.copytree(template, folder, symlinks=True, ignore=shutil.ignore_patterns("seed", "*.sample"))
        world = World(folder, first_plan(folder, start), touched={"README.md"} if start == "readme" else set())
        run = Git.run
        patch.setattr(Git, "run", lambda of, *arguments, **options: world.effect(run, of, *arguments, **options))
        try:
            yield world
        finally:
            if not keep:
                shutil.rmtree(folder, ignore_errors=True)


_load_recipe = cache(load_recipe)


@cache
def _resolve_once(text: str, source: str, output_dir: str) -> ResolvedPlan:
    return resolve_plan_file(text, source=source, output_dir=output_dir, load=_load_recipe)


def _resolve(text: str, *, source: str, output_dir: str, load: object) -> ResolvedPlan:  # noqa: ARG001  # it is cached
    """Resolve a plan once in all worlds, whatever reader asks."""
    return _resolve_once(text, source, output_dir)


def _new_folder() -> Path:
    """Make a folder in memory where there is such a place: git waits for disks a lot."""
    return Path(mkdtemp(prefix="histories-", dir=_MEMORY if _MEMORY.is_dir() else None))


async def _in_turn(work: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
    """Stand in for a thread: let others go on before and after, not meanwhile."""
    await asyncio.sleep(0)
    done = work(*arguments, **options)
    await asyncio.sleep(0)
    return done
