"""What all unit tests share, because preparing it takes longer than most of them: recipes and a home folder."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from bot.planning import resolved_plan
from bot.planning.recipe import Recipe, load_recipe
from tests.conftest import new_home

_read_once = cache(load_recipe)


def _load(name: str) -> Recipe:
    """Load a recipe; one in a folder is read anew each time, since a test may change it."""
    return _read_once(name) if name.isidentifier() else load_recipe(name)


@pytest.fixture(autouse=True, scope="module")
def cached_recipes() -> Iterator[None]:
    """Cache the built-in recipes for the tests of a module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resolved_plan, "load_recipe", _load)
        yield


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One home for all unit tests; none of them writes there."""
    return new_home(tmp_path_factory)
