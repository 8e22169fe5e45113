"""The environment of every test: sealed from whoever runs it.  And which tests are fast and which are slow."""

import os
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from bot.history import plan_reader
from bot.planning import resolved_plan
from bot.planning.recipe import Recipe, load_recipe

_GIT_CONFIG = """\
[user]
	name = Ada
	email = ada@example.com
[init]
	defaultBranch = main
	# Without a template git copies no sample hooks, which are half the files of a small repository.
	templateDir =
[core]
	fsync = none
"""
_LEAKS = ("GIT_", "GITHUB_", "GEMINI_", "GOOGLE_", "PHASEBOT_", "XDG_")


_PLAIN = settings(deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("fast", _PLAIN, max_examples=30)
settings.register_profile("slow", _PLAIN, max_examples=300)


def pytest_configure(config: pytest.Config) -> None:
    """Try each property with few examples in the fast set, with many in every other selection of tests."""
    settings.load_profile("fast" if config.option.markexpr == "not slow" else "slow")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: Iterable[pytest.Item]) -> None:
    """Make properties part of the slow set too, where they have more examples."""
    if config.option.markexpr == "slow":
        for item in items:
            if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
                item.add_marker("slow")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Start one worker more than there are cores: tests wait a third of their time for disks and other processes."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(autouse=True, scope="session")
def cached_recipes() -> Iterator[None]:
    """Read each recipe once: parsing its YAML and templates takes longer than most of what tests do with it.

    A recipe outside this repository is read each time, since a test may change it.
    """
    read_once = cache(load_recipe)

    def load(name: str) -> Recipe:
        is_fixed = name.isidentifier() or Path(name).is_relative_to(Path(__file__).parent)
        return read_once(name) if is_fixed else load_recipe(name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resolved_plan, "load_recipe", load)
        patch.setattr(plan_reader, "load_recipe", load)
        yield


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home folder whose git configuration knows the committer."""
    return new_home(tmp_path_factory)


def new_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Create what the fixture ``home`` returns."""
    return furnish(tmp_path_factory.mktemp("home"))


def furnish(folder: Path) -> Path:
    """Make an empty folder a home folder whose git configuration knows the committer."""
    (folder / ".gitconfig").write_text(_GIT_CONFIG)
    return folder


@pytest.fixture(autouse=True)
def sealed(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the test the folder ``home``, and no key or setting of whoever runs it."""
    seal(home, monkeypatch)
    return home


def seal(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make *home* the home folder, and take keys and settings out of the environment."""
    for name in os.environ:
        if name.startswith(_LEAKS):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(home / ".gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("TZ", "UTC")
