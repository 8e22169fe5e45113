"""Choose the run if none is named, and check that git can have the branch of a new one."""

from collections.abc import Iterable, Sequence

from bot.errors import UsageError
from bot.history.remote import Remote, RemoteBranches
from bot.history.repository import BRANCHES, Repository, branch_ref

_ALL_RUNS = BRANCHES.rstrip("/")


def choose_run(repository: Repository, remote: str | None) -> str:
    """Return the run to use if none is named: the checked-out one, else the only one.

    Raises:
        UsageError: There is no run, or more than one; the message lists them.
    """
    head = repository.current_branch() or ""
    if head.startswith(BRANCHES):
        return head.removeprefix(BRANCHES)
    runs = known_runs(repository, remote)
    if len(runs) == 1:
        return runs[0]
    if runs:
        raise UsageError(f"choosing a run: there are several; name one with --run: {', '.join(runs)}")
    raise UsageError(
        "choosing a run: this repository has no phasebot/* branch; start one with 'phasebot generate SPEC'"
    )


def known_runs(repository: Repository, remote: str | None) -> Sequence[str]:
    """Return the runs that have a branch here, or had one on *remote* when it was fetched last."""
    prefixes = [f"refs/heads/{BRANCHES}", *([f"refs/remotes/{remote}/{BRANCHES}"] if remote else [])]
    return sorted({name.removeprefix(prefix) for prefix in prefixes for name in repository.refs(prefix)})


def check_run_is_free(
    repository: Repository, remote: Remote | None, look: RemoteBranches | None, run: str, *, can_be_named: bool
) -> None:
    """Check that no branch is in the way of the branch of *run*: git keeps ``a`` as a file, and ``a/b`` in a folder.

    *look* is what *remote* has; None if it did not answer.  If people can name the run, the message says so.

    Raises:
        UsageError: A branch is in the way, here or on the remote.
    """
    name = f"{BRANCHES}{run}"
    here = _in_the_way(branch_ref(run), repository.refs(f"refs/heads/{_ALL_RUNS}"))
    there = _in_the_way(name, look.names) if look else None
    if other := (here.removeprefix("refs/heads/") if here else there):
        where = "" if here or remote is None else f" of {remote.name}"
        rename = f"with 'git branch -m {other} NEW-NAME'" if here or remote is None else f"on {remote.name}"
        another = ", or name another run with --run" if can_be_named and other != _ALL_RUNS else ""
        raise UsageError(
            f"starting {name}: git can't have it beside the branch {other}{where}; rename it {rename}{another}"
        )
    if remote and (old := _in_the_way(remote.tracking_ref(name), repository.refs(remote.tracking_ref(_ALL_RUNS)))):
        raise UsageError(
            f"starting {name}: git can't have it beside {old.removeprefix('refs/remotes/')}, which {remote.name} may "
            f"no longer have; run 'git remote prune {remote.name}'"
        )


def _in_the_way(ref: str, others: Iterable[str]) -> str | None:
    return next((each for each in others if ref.startswith(f"{each}/") or each.startswith(f"{ref}/")), None)
