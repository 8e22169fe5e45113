"""Checks whether Phasebot can work on this computer, in this repository and on its server; changes nothing.

Each check is bounded in time by what it asks, and ends no other one.
"""

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.configuration import Configuration
from bot.engine.check import Check, guarded
from bot.engine.doctor_computer import check_computer
from bot.engine.doctor_github import check_github
from bot.engine.doctor_model import check_models
from bot.engine.doctor_repository import address_of, check_repository
from bot.errors import PhasebotError
from bot.history.configuration_files import worktree_configuration, worktree_root
from bot.history.git import open_repository
from bot.history.repository import Repository
from bot.sandbox.worker import shared_worker


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """What is to be checked."""

    folder: Path
    """The repository, or with :attr:`search` a folder in it."""
    search: bool
    environ: Mapping[str, str]
    """As the process was started, secrets included."""
    package: Path
    """The folder ``bot`` of this installation."""
    models: Sequence[str]
    """Those that are used if the repository sets none, the first one first."""


def examine(wanted: Examination) -> Iterator[Check]:
    """Yield what the checks find, one after the other."""
    yield from guarded("computer", functools.partial(check_computer, wanted.environ))
    configuration = Configuration()
    root = worktree_root(wanted.folder, search=wanted.search)
    repository = None
    try:
        git = open_repository(root) if root else None
        repository = Repository(git) if git else None
        configuration = worktree_configuration(root, shared_worker().run) if root else configuration
        if root is None:
            yield Check("problem", f"{wanted.folder} is no git repository", "run it in one, or name one with --repo")
    except PhasebotError as exc:
        yield Check("problem", str(exc))
    if repository:
        checks = functools.partial(check_repository, repository, configuration, wanted.package)
        yield from guarded("repository", checks)
    first, *others = wanted.models
    fallbacks = others if configuration.fallback_models is None else configuration.fallback_models
    models = [configuration.model or first, *fallbacks]
    yield from guarded("model", functools.partial(check_models, wanted.environ, models))
    if repository:
        found = repository
        yield from guarded("GitHub", lambda: check_github(wanted.environ, address_of(found)))
