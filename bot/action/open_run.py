"""Opens the run of a job, and what the repository sets, in the workspace that the runner mounted."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from bot.action.inputs import ActionInputs
from bot.configuration import Configuration
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
    location = replace(
        _location(workspace, inputs.base_branch, default_branch, credentials), run=run, recipe=inputs.recipe
    )
    return factory.open_clone(location).open_run(run, now)


def read_configuration(
    workspace: Path, base_branch: str | None, default_branch: str, *, credentials: Credentials | None
) -> Configuration:
    """Return what the repository sets for the action, as the base has it.

    Raises:
        UsageError: The workspace holds no repository, or what it sets can't be used.
        PushError: The base is not here and can't be fetched.
    """
    return factory.open_clone(_location(workspace, base_branch, default_branch, credentials)).configuration()


def _location(
    workspace: Path, base_branch: str | None, default_branch: str, credentials: Credentials | None
) -> RunLocation:
    if not (workspace / ".git").exists():
        raise UsageError(
            "opening the repository: the workspace holds none; put a step 'uses: actions/checkout' before this "
            "one, without a path"
        )
    return RunLocation(
        folder=workspace,
        is_workspace=True,
        bases=NamedBases(named=base_branch, default=default_branch, for_new_runs=True),
        push=credentials is not None,
        credentials=credentials,
        committer=ACTIONS_BOT,
        disposable=True,
    )
