"""Helpers of the tests of history: commands in this process, a finished run, and a picture of its commits."""

import asyncio
import atexit
import dataclasses
import json
import shutil
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, NamedTuple

from bot.engine.requests import Requester, RunRequest, RunResult
from bot.engine.runner import Runner
from bot.generation.templates import render_phase
from tests.repositories import SMALL, Recorder, ScriptedProvider, git, new_repository, open_run, phasebot_here

SHOP = "# Shop\n\n- Item: name string\n- Order: amount integer, item -> Item\n"
"""Six phases with the small recipe: plan, core, two entities of which one needs no other, support, main."""

ENTITY = """\
# {{ entity.name }}, edition 1.
#
#
{% for field in entity.fields %}
# {{ field.name }}: {{ field.type }}
{% endfor %}
#
#
# The end of {{ entity.name }}.
"""
"""A template with room for two changes in one file."""

_FACTS = ("Phase", "Status", "Reverts", "Missing", "Conflict")
_MARK = "\x1e"


class Told(NamedTuple):
    """What one command said."""

    code: int
    out: str
    err: str

    def json(self) -> Any:  # noqa: ANN401  # as json.loads says
        """Return what it printed as JSON."""
        return json.loads(self.out)

    def phase(self, key: str) -> dict[str, Any]:
        """Return one phase of the JSON it printed."""
        return next(each for each in self.json()["phases"] if each["key"] == key)

    def stale(self) -> dict[str, str]:
        """Return the phases that are stale, and why, of the JSON it printed."""
        return {each["key"]: each["stale"] for each in self.json()["phases"] if each["stale"]}


def bot(folder: Path, command: str, *arguments: object) -> Told:
    """Run one command of the command line on *folder*, in this process."""
    done = phasebot_here(command, *arguments, "--repo", folder)
    return Told(done.returncode, done.stdout, done.stderr)


def well(folder: Path, command: str, *arguments: object) -> Told:
    """Run one command that is to succeed."""
    told = bot(folder, command, *arguments)
    assert told.code == 0, told.err
    return told


def unmet(folder: Path, command: str, *arguments: object) -> Told:
    """Run one command that makes all files, but by templates, which can't do all that people ask."""
    told = bot(folder, command, *arguments)
    assert told.code == 3, told.err
    assert "templates can't carry out what is asked of" in told.err
    return told


def generate(folder: Path, spec: str, *arguments: object, recipe: Path | str = SMALL) -> Told:
    """Start a run from *spec*, which is to succeed."""
    return well(folder, "generate", spec, "--recipe", recipe, *arguments)


def work(
    folder: Path,
    provider: ScriptedProvider | None = None,
    *,
    request: RunRequest | None = None,
    requested: Requester | None = None,
    only: Sequence[str] = (),
    run: str = "shop",
) -> RunResult:
    """Go on with a run in this process, by a provider that does as it is told."""
    runner = Runner(
        run=open_run(folder, run, render=render_phase),
        provider=provider or ScriptedProvider(),
        announcer=Recorder(),
        request=dataclasses.replace(request or RunRequest(), only=only, jobs=1, requester=requested),
        timer=lambda: 0.0,
    )
    return asyncio.run(runner.work(asyncio.Event()))


def _scratch() -> Path:
    """Make a folder that goes with the process."""
    folder = Path(mkdtemp(prefix="history-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def _finished(spec: str, run: str, recipe: str) -> Path:
    return own(_scratch() / "made", Path(recipe), spec, run)


def finished(folder: Path, spec: str = SHOP, run: str = "shop", recipe: Path | str = SMALL) -> Path:
    """Put a repository into *folder* that has a complete run, whose branch is checked out; made once, then copied."""
    shutil.copytree(_finished(spec, run, str(recipe)), folder, symlinks=True)
    git(folder, "status", "--porcelain")  # the index learns of the copies
    return folder


def own(folder: Path, recipe: Path, spec: str = SHOP, run: str = "shop") -> Path:
    """Put a repository into *folder* that has a complete run made with *recipe*, its branch checked out."""
    new_repository(folder)
    git(folder, "switch", "--quiet", "-c", f"phasebot/{run}")
    generate(folder, spec, "--run", run, "--jobs", 1, recipe=recipe)
    return folder


def write_recipe(folder: Path, edition: int = 1) -> Path:
    """Write the small recipe into *folder*, in the *edition* that the files of its entities name."""
    shutil.copytree(SMALL, folder, dirs_exist_ok=True)
    (folder / "templates" / "entity.j2").write_text(ENTITY.replace("edition 1", f"edition {edition}"))
    return folder


@cache
def _own_recipe() -> Path:
    return _scratch() / "recipe"


def first_edition() -> Path:
    """Return a recipe of one's own, of which :func:`write_recipe` makes a new edition; one for all tests."""
    return write_recipe(_own_recipe())


def person(folder: Path, message: str, files: Mapping[str, str | bytes | None] | None = None, *more: str) -> str:
    """Commit *files* (None removes one), and what is staged, as a person; each of *more* is a paragraph."""
    for name, content in (files or {}).items():
        path = folder / name
        if content is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
    if files:
        git(folder, "add", "--all", "--", *files)
    paragraphs = [word for text in (message, *more) for word in ("-m", text)]
    git(folder, "commit", "--quiet", "--allow-empty", *paragraphs)
    return git(folder, "rev-parse", "HEAD")


def replace(folder: Path, path: str, old: str, new: str) -> dict[str, str | bytes | None]:
    """Return the file at *path* with *old* as *new*, to be committed."""
    text = (folder / path).read_text()
    assert old in text
    return {path: text.replace(old, new)}


def edit_plan(folder: Path, old: str, new: str) -> str:
    """Commit the plan with *old* as *new*, as a person."""
    return person(folder, "Edit the plan", replace(folder, ".phasebot/plan.yaml", old, new))


def head(folder: Path, ref: str = "HEAD") -> str:
    """Return the commit at *ref*."""
    return git(folder, "rev-parse", ref)


def phase_commit(folder: Path, phase: str, ref: str = "HEAD") -> str:
    """Return the newest commit of *phase*."""
    return git(folder, "log", "-1", "--format=%H", f"--grep=^Phasebot-Phase: {phase}$", ref)


def commits(folder: Path, since: str = "", ref: str = "HEAD") -> str:
    """Draw the commits after *since*, oldest first: subject, facts of its trailers, and below what it changed."""
    form = f"{_MARK}%s%x1f%(trailers:only,unfold)%x1f"
    arguments = ("log", "--reverse", "--first-parent", "--diff-merges=first-parent", "--name-status", "--no-renames")
    drawn = ""
    for row in git(folder, *arguments, f"--format={form}", f"{since}..{ref}" if since else ref).split(_MARK)[1:]:
        subject, trailers, changes = row.split("\x1f")
        facts = [line.removeprefix("Phasebot-") for line in trailers.split("\n")]
        told = [fact for fact in facts if fact.startswith(tuple(f"{name}:" for name in _FACTS))]
        drawn += "".join(f"{line}\n" for line in ["  ".join([subject, *told])])
        drawn += "".join(f"  {line.replace(chr(9), ' ')}\n" for line in changes.split("\n") if line)
    return drawn


def tree(folder: Path, ref: str = "HEAD") -> Sequence[str]:
    """Return the files at *ref*."""
    return git(folder, "ls-tree", "-r", "--name-only", ref).split("\n")


def picture(folder: Path, since: str = "", ref: str = "HEAD") -> str:
    """Draw a branch: its commits after *since*, then the files at its head."""
    return commits(folder, since, ref) + "--\n" + "".join(f"{path}\n" for path in tree(folder, ref))


def content(folder: Path, path: str, ref: str = "HEAD") -> str:
    """Return a file at *ref*."""
    return git(folder, "show", f"{ref}:{path}") + "\n"


def assert_settled(folder: Path, code: int = 0) -> None:
    """Check that the worktree is as the head is, and that generating once more makes nothing and ends with *code*."""
    before = head(folder)
    told = bot(folder, "generate")
    assert told.code == code, told.err
    assert "nothing to do" in told.err, told.err
    assert head(folder) == before
    assert git(folder, "status", "--porcelain") == ""
