"""Open the branch of a run, given a folder, run, base and remote as a person names them."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path

from bot.configuration import Configuration
from bot.errors import UsageError
from bot.history.base import BaseChooser, NamedBases
from bot.history.branch_sync import BranchSync
from bot.history.branch_writer import BranchWriter
from bot.history.configuration_files import configuration_at
from bot.history.credentials import Credentials
from bot.history.git import Git, create_repository, open_repository
from bot.history.merged_runs import RenderPhase
from bot.history.plan_reader import PlanReader
from bot.history.remote import Remote, choose_remote
from bot.history.repository import Identity, Repository
from bot.history.run_branch import RunBranch
from bot.history.run_lock import lock_run
from bot.history.run_name import choose_run, known_runs
from bot.history.stop_request import StopRef
from bot.history.tree_export import TreeFiles
from bot.history.verified_ref import VerifiedRef
from bot.planning.names import check_run_name
from bot.planning.resolved_plan import ResolvedPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLocation:
    """Where to find a run; None means the repository's default."""

    folder: Path
    is_workspace: bool = False
    """Whether the folder is the workspace that a runner mounted for this job."""
    run: str | None = None
    bases: NamedBases = field(default_factory=NamedBases)
    remote: str | None = None
    push: bool | None = None
    credentials: Credentials | None = None
    committer: Identity | None = None
    recipe: str | None = None
    """The recipe that the person who runs the command named; it may be a folder anywhere."""
    disposable: bool = False
    """Whether the clone is thrown away when the process has ended, as on the runner of a job."""
    read_only: bool = False
    """Whether not even a note is left in the clone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRun:
    """The branch of a run, with the objects that write to it and keep it in sync."""

    branch: RunBranch
    repository: Repository
    """Holds what the branch's commits name."""
    writer: BranchWriter
    sync: BranchSync
    stop_ref: StopRef | None
    """Requests the run to stop; None if nothing is pushed, because nobody else can see such a run."""
    files: TreeFiles
    verified: VerifiedRef
    lock: Callable[[Callable[[], None]], AbstractContextManager[object]]
    """Lock the run in this clone; see :func:`bot.history.run_lock.lock_run`."""


class Checkout:
    """A local clone and the remote that its runs are pushed to."""

    def __init__(self, location: RunLocation, git: Git, render: RenderPhase) -> None:
        """Open the clone at *location*; *render* renders a phase from the templates.

        Raises:
            UsageError: The clone does not have the remote of *location*.
        """
        self._location = location
        self._bot = location.committer if location.is_workspace else None
        """Whose commits count as generated; None for everybody's."""
        self._repository = Repository(git)
        self._plans = PlanReader(self._repository, render, self._bot, location.recipe, remembers=not location.read_only)
        name = choose_remote(self._repository, location.remote, required=bool(location.push))
        self._remote = Remote(self._repository, name, location.credentials) if name else None
        self._bases = BaseChooser(self._repository, self._remote, location.bases, ask=location.push is not False)

    @property
    def plans(self) -> PlanReader:
        """Reads the plans of the clone's runs, and loads recipes."""
        return self._plans

    @property
    def runs(self) -> Sequence[str]:
        """The runs that have a branch here, or had one on the remote when it was fetched last."""
        return known_runs(self._repository, self._remote.name if self._remote else None)

    def configuration(self) -> Configuration:
        """Return what the repository sets for the action.

        Raises:
            UsageError: It can't be used.
            PushError: Its branch can't be fetched.
        """
        commit = self._bases.settings_commit()
        return configuration_at(self._repository, commit) if commit else Configuration()

    def base_plan(self, run: str, output_dir: str) -> ResolvedPlan | None:
        """Return the plan of an earlier, merged run in *output_dir* of the base of *run*; None if there is none.

        Raises:
            UsageError: The plan is invalid, or there is no base to start *run* from.
        """
        branch = self._branch(run)
        branch.read()
        return branch.base_plan(output_dir)

    def open_run(self, run: str | None, now: Callable[[], datetime]) -> OpenRun:
        """Open *run*, else the checked-out run, else the only one.

        Raises:
            UsageError: There is no run to choose.
        """
        location, repository = self._location, self._repository
        run = choose_run(repository, self._remote.name if self._remote else None) if run is None else run
        branch = self._branch(run)
        writer = BranchWriter(repository, branch, now, location.committer)
        push_remote = self._remote if location.push is not False else None
        return OpenRun(
            branch=branch,
            repository=repository,
            writer=writer,
            sync=BranchSync(repository, branch, push_remote, disposable=location.disposable),
            stop_ref=StopRef(repository, push_remote, run, writer.committer, now) if push_remote else None,
            files=TreeFiles(repository),
            verified=VerifiedRef(repository, run, push_remote),
            lock=partial(lock_run, repository.git.common_dir, run),
        )

    def _branch(self, run: str) -> RunBranch:
        bot = self._bot
        return RunBranch(self._repository, self._plans, run, bases=self._bases, remote=self._remote, bot=bot)


def find_checkout(location: RunLocation, render: RenderPhase) -> Checkout | None:
    """Return the clone at *location*; None if the folder is empty or does not exist.

    Raises:
        UsageError: The location is not valid.
    """
    if location.run is not None:
        check_run_name(location.run)
    search = location.folder == Path()
    git = open_repository(location.folder, search=search, is_workspace=location.is_workspace)
    return Checkout(location, git, render) if git else None


def create_checkout(location: RunLocation, render: RenderPhase) -> Checkout:
    """Create a repository at *location*.

    Raises:
        UsageError: It can't be created there, or *location* names a remote, which a new repository does not have.
    """
    if location.push or location.remote:
        raise UsageError(
            f"pushing: {location.folder} does not exist yet and so has no remote; leave out --push and --remote"
        )
    return Checkout(location, create_repository(location.folder), render)
