"""Choose the run if none is named."""

from bot.errors import UsageError
from bot.history.repository import BRANCHES, Repository


def choose_run(repository: Repository, remote: str | None) -> str:
    """Return the run to use if none is named: the checked-out one, else the only one.

    Raises:
        UsageError: There is no run, or more than one; the message lists them.
    """
    head = repository.current_branch() or ""
    if head.startswith(BRANCHES):
        return head.removeprefix(BRANCHES)
    prefixes = [f"refs/heads/{BRANCHES}", *([f"refs/remotes/{remote}/{BRANCHES}"] if remote else [])]
    runs = sorted({name.removeprefix(prefix) for prefix in prefixes for name in repository.refs(prefix)})
    if len(runs) == 1:
        return runs[0]
    if runs:
        raise UsageError(f"choosing a run: there are several; name one with --run: {', '.join(runs)}")
    raise UsageError(
        "choosing a run: this repository has no phasebot/* branch; start one with 'phasebot generate SPEC'"
    )
