"""Chains of plans on databases with rows: each edit of a plan brings a migration that the rows survive.

By hand, for more chains or for PostgreSQL:
``python -m tests.recipes.plan_chains FOLDER FIRST LAST``, then, with a project's interpreter,
``python tests/data/projects/migrate_chain.py URL FOLDER/*``, where ``{folder}`` in the URL is the chain's.
"""

from pathlib import Path

import pytest

from tests.recipes.conftest import run
from tests.recipes.plan_chains import write_projects

MIGRATE = Path(__file__).parents[1] / "data" / "projects" / "migrate_chain.py"


@pytest.mark.parametrize(
    "seeds", [range(15), range(15, 30), pytest.param(range(30, 130), marks=pytest.mark.slow)], ids=str
)
def test_rows_survive_every_edit_and_the_tables_are_those_of_the_models(
    tmp_path: Path, python: Path, seeds: range
) -> None:
    for seed in seeds:
        write_projects(tmp_path / str(seed), seed)

    run(tmp_path, python, MIGRATE, "sqlite:///{folder}/app.db", *(tmp_path / str(seed) for seed in seeds))
