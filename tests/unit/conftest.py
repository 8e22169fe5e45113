"""One home folder for all unit tests: preparing one takes longer than most of them."""

from pathlib import Path

import pytest

from tests.conftest import new_home


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One home for all unit tests; none of them writes there."""
    return new_home(tmp_path_factory)
