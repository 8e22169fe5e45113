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


def test_a_database_of_another_version_of_a_migration_is_refused(blog: Path, python: Path, tmp_path: Path) -> None:
    script = """
import sqlalchemy as sa
from fastapi.testclient import TestClient
from app.core.config import Settings
from main import create_app

app = create_app(Settings())
with TestClient(app) as client, app.state.database.engine.begin() as connection:
    connection.execute(sa.text("UPDATE alembic_version SET version_num = '0001_other'"))
try:
    with TestClient(create_app(Settings())):
        print("it started")
except RuntimeError as error:
    print(error)
with TestClient(create_app(Settings(migrate_on_start=False))) as client:
    print(client.get("/readyz").status_code)
"""

    told = run(blog, python, "-c", script, DATABASE_URL=f"sqlite:///{tmp_path}/blog.db")

    assert "The database has the migration 0001_other, which migrations/versions has not" in told
    assert told.endswith("503\n")
