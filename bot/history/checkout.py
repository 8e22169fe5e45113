"""Open the branch of a run, given a folder, run, base and remote as a person names them."""

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
    """Where to find a run; None means the repository's default."""

    folder: Path
    run: str | None = None
    base: str | None = None
    default_base: str | None = None
    """The forge's default branch; ignored if the repository has no branch of that name."""
    remote: str | None = None
    push: bool | None = None
    credentials: Credentials | None = None
    committer: Identity | None = None
    disposable: bool = False
    """Whether the clone is thrown away when the process has ended, as on the runner of a job."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRun:
    """The branch of a run, with the objects that write to it and keep it in sync."""

    branch: RunBranch
    writer: BranchWriter
    sync: BranchSync
    stop_ref: StopRef | None
    """Requests the run to stop; None if nothing is pushed, because nobody else can see such a run."""
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
        self._repository = Repository(git)
        self._plans = PlanReader(self._repository, render)
        name = choose_remote(self._repository, location.remote, required=bool(location.push))
        self._remote = Remote(self._repository, name, location.credentials) if name else None

    def base_plan(self, output_dir: str) -> ResolvedPlan | None:
        """Return the plan of an earlier, merged run in *output_dir* of the base; None if there is none.

        Raises:
            UsageError: The plan is invalid.
        """
        location, remote = self._location, self._remote.name if self._remote else None
        base = location.base or location.default_base or self._repository.default_base(remote)
        return self._plans.in_base(self._repository.base_oid(base, remote), output_dir)

    def open_run(self, run: str | None, now: Callable[[], datetime]) -> OpenRun:
        """Open *run*, else the checked-out run, else the only one.

        Raises:
            UsageError: There is no run to choose, or the base does not exist.
        """
        location, repository = self._location, self._repository
        run = choose_run(repository, self._remote.name if self._remote else None) if run is None else run
        branch = RunBranch(repository, self._plans, run, base=self._base(run), remote=self._remote)
        writer = BranchWriter(repository, branch, now, location.committer)
        push_remote = self._remote if location.push is not False else None
        return OpenRun(
            branch=branch,
            writer=writer,
            sync=BranchSync(repository, branch, push_remote, disposable=location.disposable),
            stop_ref=StopRef(repository, push_remote, run, writer.committer, now) if push_remote else None,
            lock=partial(lock_run, repository.git.common_dir, run),
        )

    def _base(self, run: str) -> str:
        """Return the name of the base; only a new run in a repository with commits can choose one."""
        location, repository, remote = self._location, self._repository, self._remote
        name = remote.name if remote else None
        if repository.is_empty() or repository.has_branch(run, name) or not (location.base or location.default_base):
            return repository.default_base(name)
        for base in filter(None, (location.base, location.default_base)):
            if repository.base_oid(base, name) or (remote and location.push and remote.fetch(base)):
                return base
            if base == location.base:
                raise UsageError(f"base {base!r} is not a commit or branch of the repository; name an existing one")
        return repository.default_base(name)


def find_checkout(location: RunLocation, render: RenderPhase) -> Checkout | None:
    """Return the clone at *location*; None if the folder is empty or does not exist.

    Raises:
        UsageError: The location is not valid.
    """
    if location.run is not None:
        check_run_name(location.run)
    git = open_repository(location.folder, search=location.folder == Path())
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
