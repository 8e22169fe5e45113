"""From what a person names (a folder, a run, a base, a remote) to the branch of a run."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bot.errors import UsageError
from bot.history.git import create_repository, open_repository
from bot.history.merged_runs import RenderPhase, nothing
from bot.history.plan_reader import Plans
from bot.history.remote import Credentials, Remote, choose_remote
from bot.history.repository import Identity, Repository, choose_run
from bot.history.run_branch import RunBranch
from bot.planning.names import check_run_name
from bot.planning.phases import plan_path
from bot.planning.resolved_plan import ResolvedPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLocation:
    """Where a run is; None leaves the choice to what the repository says."""

    folder: Path
    run: str | None = None
    base: str | None = None
    default_base: str | None = None
    """What a forge says is the default branch; where there is none of this name, as if nothing were said."""
    remote: str | None = None
    push: bool | None = None
    credentials: Credentials | None = None
    committer: Identity | None = None


def open_branch(
    place: RunLocation, *, create: bool, now: Callable[[], datetime], recall: RenderPhase = nothing
) -> RunBranch:
    """Open the branch of the run at *place*; with *create* make the repository where there is none.

    *recall* tells what the templates make of a phase, see :mod:`bot.history.merged_runs`.

    Raises:
        UsageError: The place can't be what it says; nothing was written.
    """
    if place.run is not None:
        check_run_name(place.run)
    git = open_repository(place.folder, search=place.folder == Path())
    if git is None:
        if not create:
            raise UsageError(
                f"opening {place.folder}: there is no repository; "
                f"start one with 'phasebot generate SPEC --repo {place.folder}'"
            )
        if place.push or place.remote:
            raise UsageError(f"pushing: {place.folder} is yet to be made and has no remote; leave the option out")
        git = create_repository(place.folder)
    repository = Repository(git)
    name = choose_remote(repository, place.remote, required=bool(place.push))
    run = choose_run(repository, name) if place.run is None else place.run
    remote = Remote(repository, name, place.credentials) if name else None
    return RunBranch(
        repository,
        run,
        base=_base(repository, place, run, remote),
        remote=remote,
        push=place.push is not False,
        now=now,
        committer=place.committer,
        recall=recall,
    )


def base_plan(place: RunLocation, output_dir: str) -> ResolvedPlan | None:
    """Return the plan of a project that the base at *place* holds in *output_dir*; None where there is none.

    Raises:
        UsageError: There is no repository, but other files; or the plan is broken.
    """
    git = open_repository(place.folder, search=place.folder == Path())
    if git is None:
        return None
    repository = Repository(git)
    remote = choose_remote(repository, place.remote, required=False)
    base = repository.base_oid(place.base or place.default_base or repository.default_base(remote), remote)
    return Plans(repository, "", nothing).in_base(base, plan_path(output_dir), strict=True)


def _base(repository: Repository, place: RunLocation, run: str, remote: Remote | None) -> str:
    """Return the base's name: what does not exist yet has no other than the default, what does keeps its own."""
    name = remote.name if remote else None
    if repository.is_empty() or repository.has_branch(run, name) or not (place.base or place.default_base):
        return repository.default_base(name)
    for base in filter(None, (place.base, place.default_base)):
        if repository.base_oid(base, name) or (remote and place.push and remote.fetch(base)):
            return base
        if base == place.base:
            raise UsageError(f"base {base!r} is no commit or branch of the repository; name one that is")
    return repository.default_base(name)
