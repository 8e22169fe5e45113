"""From a folder, a run, a base and a remote, as a person names them, to the branch of a run."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from bot.errors import UsageError
from bot.history.branch_sync import BranchSync
from bot.history.branch_writer import BranchWriter
from bot.history.git import Git, create_repository, open_repository
from bot.history.merged_runs import RenderPhase
from bot.history.plan_reader import PlanReader
from bot.history.remote import Credentials, Remote, choose_remote
from bot.history.repository import Identity, Repository, choose_run
from bot.history.run_branch import RunBranch
from bot.history.run_lock import lock_run
from bot.history.stop_request import StopRef
from bot.planning.names import check_run_name
from bot.planning.resolved_plan import ResolvedPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLocation:
    """Where a run is; None leaves the choice to what the repository says."""

    folder: Path
    run: str | None = None
    base: str | None = None
    default_base: str | None = None
    """The forge's default branch; ignored where the repository has no branch of that name."""
    remote: str | None = None
    push: bool | None = None
    credentials: Credentials | None = None
    committer: Identity | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRun:
    """The branch of a run, with what writes to it and what keeps it in step."""

    branch: RunBranch
    writer: BranchWriter
    sync: BranchSync
    stop_ref: StopRef | None
    """Where people ask the run to stop; None where nothing is pushed, so nobody else can see it."""
    lock: Callable[[Callable[[], None]], AbstractContextManager[object]]
    """Hold the run on this clone; see :func:`bot.history.run_lock.lock_run`."""


class Checkout:
    """A clone on this machine, and the remote that its runs are pushed to."""

    def __init__(self, location: RunLocation, git: Git, render: RenderPhase) -> None:
        """Look at the clone at *location*; *render* says what the templates make of a phase.

        Raises:
            UsageError: The location names a remote that the clone does not have.
        """
        self._location = location
        self._repository = Repository(git)
        self._plans = PlanReader(self._repository, render)
        name = choose_remote(self._repository, location.remote, required=bool(location.push))
        self._remote = Remote(self._repository, name, location.credentials) if name else None

    def base_plan(self, output_dir: str) -> ResolvedPlan | None:
        """Return the plan that the base holds in *output_dir*, merged there by an earlier run; None without one.

        Raises:
            UsageError: It is broken.
        """
        location, remote = self._location, self._remote.name if self._remote else None
        base = location.base or location.default_base or self._repository.default_base(remote)
        return self._plans.in_base(self._repository.base_oid(base, remote), output_dir)

    def open_run(self, run: str | None, now: Callable[[], datetime]) -> OpenRun:
        """Open a run: *run*, else the one checked out, else the only one.

        Raises:
            UsageError: There is no such run, or its base does not exist.
        """
        location, repository = self._location, self._repository
        run = choose_run(repository, self._remote.name if self._remote else None) if run is None else run
        branch = RunBranch(repository, self._plans, run, base=self._base(run), remote=self._remote)
        writer = BranchWriter(repository, branch, now, location.committer)
        pushed_to = self._remote if location.push is not False else None
        return OpenRun(
            branch=branch,
            writer=writer,
            sync=BranchSync(repository, branch, pushed_to),
            stop_ref=StopRef(repository, pushed_to, run, writer.committer, now) if pushed_to else None,
            lock=partial(lock_run, repository.git.common_dir, run),
        )

    def _base(self, run: str) -> str:
        """Return the base's name: a new run may choose it, an existing run and an empty repository have the default."""
        location, repository, remote = self._location, self._repository, self._remote
        name = remote.name if remote else None
        if repository.is_empty() or repository.has_branch(run, name) or not (location.base or location.default_base):
            return repository.default_base(name)
        for base in filter(None, (location.base, location.default_base)):
            if repository.base_oid(base, name) or (remote and location.push and remote.fetch(base)):
                return base
            if base == location.base:
                raise UsageError(f"base {base!r} is not a commit or branch of the repository; name one that is")
        return repository.default_base(name)


def find_checkout(location: RunLocation, render: RenderPhase) -> Checkout | None:
    """Return the clone at *location*; None when the folder is empty or does not exist.

    Raises:
        UsageError: The location can't be what it says.
    """
    if location.run is not None:
        check_run_name(location.run)
    git = open_repository(location.folder, search=location.folder == Path())
    return Checkout(location, git, render) if git else None


def create_checkout(location: RunLocation, render: RenderPhase) -> Checkout:
    """Make a repository at *location*.

    Raises:
        UsageError: It can't be made there, or the location names a remote, which a new repository does not have.
    """
    if location.push or location.remote:
        raise UsageError(
            f"pushing: {location.folder} does not exist yet and so has no remote; leave out --push and --remote"
        )
    return Checkout(location, create_repository(location.folder), render)
