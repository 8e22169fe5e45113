"""Builders that the tests share: repositories, runs in this process, and pictures of runs."""

import asyncio
import contextlib
import ctypes
import io
import resource
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.cli.main import main
from bot.engine.requests import Requester, RunRequest, RunResult
from bot.engine.runner import Runner
from bot.engine.snapshot import Snapshot
from bot.generation.provider import GenerationRequest, GenerationResult, Tokens
from bot.generation.templates import TemplateProvider
from bot.history.checkout import Checkout, OpenRun, RunLocation
from bot.history.credentials import Credentials
from bot.history.git import Git, create_repository, open_repository
from bot.history.merged_runs import RenderPhase, render_nothing
from bot.history.reasons import Reason
from bot.history.recipe_files import remember
from bot.history.repository import Identity
from bot.planning.resolved_plan import ResolvedPlan, resolve_exact_spec
from bot.planning.schema_changes import MigrationStart
from tests.unit.values import BLOG

DATA = Path(__file__).parent / "data"
SMALL = DATA / "recipes" / "small"
_PR_CAPBSET_DROP, _CAPABILITIES = 24, (0, 1, 2, 3)
"""Linux: drop the right to change owners, and to ignore permissions."""
NOTE = "# Note\n\n- Note: text text\n"


def git(folder: Path, *arguments: str, check: bool = True, stdin: str = "") -> str:
    """Run git as a person would and return what it prints."""
    command = ["git", "-C", str(folder), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, input=stdin)
    if check and done.returncode != 0:
        raise AssertionError(f"git {' '.join(arguments)}: {done.stderr}")
    return done.stdout.rstrip("\n")


def commit(folder: Path, message: str, files: Mapping[str, str | None]) -> str:
    """Commit *files* (None removes one) as a person, and return the commit."""
    for name, content in files.items():
        path = folder / name
        if content is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
    git(folder, "add", "--all", "--", *files)
    git(folder, "commit", "--quiet", "--allow-empty", "-m", message)
    return git(folder, "rev-parse", "HEAD")


def new_repository(folder: Path, files: Mapping[str, str] | None = None) -> Path:
    """Make a repository with one commit on main."""
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet")
    commit(folder, "Begin", files or {"LICENSE": "none\n"})
    return folder


def new_origin(folder: Path) -> Path:
    """Make a bare repository that has one commit on main."""
    seed = new_repository(folder.with_name(folder.name + "-seed"))
    subprocess.run(["git", "clone", "--quiet", "--bare", str(seed), str(folder)], check=True)
    return folder


def clone(origin: Path, folder: Path, *options: str) -> Path:
    """Clone *origin* as a person of its own would, so that no two clones make the very same commit."""
    subprocess.run(["git", "clone", "--quiet", *options, str(origin), str(folder)], check=True)
    git(folder, "config", "user.name", folder.name)
    trust(folder)
    return folder


def trust(folder: Path, recipe: Path = SMALL) -> None:
    """Let the clone at *folder* remember that its person named *recipe* with --recipe."""
    remember(open_git(folder), str(recipe))


def phasebot(*arguments: object, cwd: Path | None = None, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    command = [sys.executable, "-m", "bot", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, input=stdin, timeout=120)


def phasebot_limited(*arguments: object, file_size: int | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process that may not write what it has no permission for, even as root.

    It may not write files larger than *file_size* either.
    """

    def limit() -> None:
        prctl = ctypes.CDLL(None).prctl
        for capability in _CAPABILITIES:
            prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)  # only root has any to lose
        if file_size:
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_size, file_size))

    command = [sys.executable, "-m", "bot", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, preexec_fn=limit)


def phasebot_here(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command line in this process, which takes a tenth of the time."""
    command, out, err = ["phasebot", *map(str, arguments)], io.StringIO(), io.StringIO()
    before, handlers = sys.argv, {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    sys.argv = command
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as ended:
            main()
    finally:
        sys.argv = before
        for number, handler in handlers.items():
            signal.signal(number, handler)
    return subprocess.CompletedProcess(command, int(ended.value.code or 0), out.getvalue(), err.getvalue())


def planned(spec: str, recipe: Path | str = SMALL) -> ResolvedPlan:
    """Read a spec into a plan with its phases, for a run that starts from nothing."""
    found = resolve_exact_spec(spec, source="the spec", project="project", recipe=str(recipe), output_dir=".")
    return found.on(MigrationStart())


@dataclass
class ScriptedProvider:
    """Renders templates, but for what the script says of a phase: wait, raise, or leave files out."""

    script: Mapping[str, Callable[[GenerationRequest], Awaitable[GenerationResult]]] = field(default_factory=dict)
    name: str = "template"
    asked: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    """Every request: phase and files."""

    async def generate(self, request: GenerationRequest) -> GenerationResult:
        self.asked.append((request.phase.key, request.paths))
        if act := self.script.get(request.phase.key):
            return await act(request)
        return await TemplateProvider().generate(request)


def leaving_out(*paths: str) -> Callable[[GenerationRequest], Awaitable[GenerationResult]]:
    """Make all files of the phase but *paths*, with a model's name and tokens."""

    async def act(request: GenerationRequest) -> GenerationResult:
        made = await TemplateProvider().generate(request)
        files = {path: text for path, text in made.files.items() if path not in paths}
        return GenerationResult(
            files, dict.fromkeys(paths, Reason("unparsable", "it did not parse")), "some-model", Tokens(100, 20)
        )

    return act


@dataclass
class Recorder:
    """An announcer that keeps what it was told."""

    notes: list[str] = field(default_factory=list)
    out: list[str] = field(default_factory=list)
    """Phases in the order in which they were told as published."""
    last: Snapshot | None = None

    def show(self, snapshot: Snapshot) -> None:
        self.last = snapshot
        self.out += [key for key, _ in snapshot.published if key not in self.out]

    def note(self, message: str) -> None:
        self.notes.append(message)


def open_git(folder: Path) -> Git:
    """Open or make the repository in *folder*."""
    return open_repository(folder) or create_repository(folder)


def open_run(  # noqa: PLR0913  # what a location says, and who opens it
    folder: Path,
    run: str = "blog",
    *,
    push: bool | None = None,
    credentials: Credentials | None = None,
    now: Callable[[], datetime] = lambda: datetime(2026, 11, 23, 12, tzinfo=UTC),
    committer: Identity | None = None,
    render: RenderPhase = render_nothing,
    disposable: bool = False,
) -> OpenRun:
    """Open a run in *folder*, by default with a clock that stands still."""
    location = RunLocation(
        folder=folder, run=run, push=push, credentials=credentials, committer=committer, disposable=disposable
    )
    return Checkout(location, open_git(folder), render).open_run(run, now)


@dataclass
class House:
    """A run in this process, with its collaborators at hand."""

    folder: Path
    spec: str | None = BLOG
    recipe: Path = SMALL
    provider: ScriptedProvider = field(default_factory=ScriptedProvider)
    request: RunRequest = field(default_factory=RunRequest)
    announcer: Recorder = field(default_factory=Recorder)
    push: bool | None = None
    credentials: Credentials | None = None
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    timer: Callable[[], float] = lambda: 0.0
    requested: Requester | None = None
    with_model: bool = False
    """Whether to spare the provider as if it cost money."""
    disposable: bool = False

    def run(self) -> RunResult:
        """Start or continue the run ``blog``."""
        return asyncio.run(self.work())

    async def work(self) -> RunResult:
        """Do as :meth:`run`, in a loop that others run in, too."""
        run = open_run(self.folder, push=self.push, credentials=self.credentials, disposable=self.disposable)
        spec = planned(self.spec, self.recipe) if self.spec else None
        if spec:
            run.writer.start_repository()
        runner = Runner(
            run=run,
            provider=self.provider,
            announcer=self.announcer,
            request=replace(self.request, spec=spec, requester=self.requested),
            timer=self.timer,
            with_model=self.with_model,
        )
        return await runner.work(self.stop)


def picture(folder: Path, run: str = "blog") -> str:
    """Draw a branch: subjects and what their trailers say, oldest first, then the files at head."""
    form = "%s%x1f%(trailers:key=Phasebot-Status,valueonly,separator=%x2C)%x1f%(trailers:only,unfold,separator=%x2C )"
    ref = f"phasebot/{run}"
    lines = []
    for row in git(folder, "log", "--reverse", "--first-parent", f"--format={form}", ref).split("\n"):
        subject, status, trailers = row.split("\x1f")
        told = [part for part in trailers.split(", ") if part.startswith(("Phasebot-Missing", "Phasebot-Conflict"))]
        lines.append("  ".join(part for part in (subject, status, *told) if part))
    return "\n".join([*lines, "--", *git(folder, "ls-tree", "-r", "--name-only", ref).split("\n")]) + "\n"


def phases_of(folder: Path, run: str = "blog") -> list[str]:
    """Return the phases on the branch, a commit each, oldest first."""
    form = "%(trailers:key=Phasebot-Phase,valueonly,separator=%x2C)"
    rows = git(folder, "log", "--reverse", "--first-parent", f"--format={form}", f"phasebot/{run}").split("\n")
    return [row for row in rows if row]


def tree_of(folder: Path, run: str = "blog") -> str:
    """Return the id of the tree at head."""
    return git(folder, "rev-parse", f"phasebot/{run}^{{tree}}")
