"""Opens the run of a job, in the workspace that the runner mounted."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from bot.action.inputs import ActionInputs
from bot.engine import factory
from bot.errors import UsageError
from bot.history.base import NamedBases
from bot.history.checkout import OpenRun, RunLocation
from bot.history.credentials import Credentials
from bot.history.repository import ACTIONS_BOT


def open_run(
    workspace: Path,
    inputs: ActionInputs,
    run: str,
    default_branch: str,
    now: Callable[[], datetime],
    *,
    credentials: Credentials | None,
) -> OpenRun:
    """Open *run*; without *credentials* nothing is fetched or pushed.

    Raises:
        UsageError: The workspace holds no repository, or the run's name is none.
    """
    if not (workspace / ".git").exists():
        raise UsageError(
            "opening the repository: the workspace holds none; put a step 'uses: actions/checkout' before this "
            "one, without a path"
        )
    location = RunLocation(
        folder=workspace,
        is_workspace=True,
        run=run,
        bases=NamedBases(named=inputs.base_branch, default=default_branch, for_new_runs=True),
        push=credentials is not None,
        credentials=credentials,
        committer=ACTIONS_BOT,
        recipe=inputs.recipe,
        disposable=True,
    )
    return factory.open_clone(location).open_run(run, now)
