"""Take a database with rows through the migrations of a chain of projects; run by the projects' interpreter.

    python migrate_chain.py CHAIN DATABASE_URL

After each step: rows and values that stay are there, every list is answered, the tables are those that the models
make from nothing, and Alembic sees no difference.
"""

import io
import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

import alembic.command
import fastapi.testclient
import sqlalchemy as sa
from alembic.config import Config


def check_step(root: Path, url: str, rows_file: Path) -> None:
    """Migrate to the project in *root*, compare with what *rows_file* holds, add rows, and write them there."""
    os.chdir(root)
    sys.path.insert(0, str(root))
    os.environ["DATABASE_URL"] = url
    earlier = json.loads(rows_file.read_text()) if rows_file.exists() else {}
    config = Config("alembic.ini", stdout=io.StringIO())
    alembic.command.upgrade(config, "heads")
    alembic.command.check(config)

    from app.core.config import Settings
    from app.core.database import Database
    from main import create_app

    with fastapi.testclient.TestClient(create_app(Settings()), raise_server_exceptions=False) as client:
        from tests.samples import RESOURCES
        from tests.support.resource import Samples

        now = {name: _rows(client, resource.path) for name, resource in RESOURCES.items()}
        _compare(earlier, now, json.loads((root / "kept.json").read_text()))
        database: Database = client.app.state.database
        _compare_schemas(database.engine)
        for name, resource in RESOURCES.items():
            for n in range(3):
                try:
                    Samples(client, database, RESOURCES).row(name, n)
                except Exception as error:  # a row with the same values is there already
                    if type(error).__name__ not in ("ConflictError", "AssertionError"):
                        raise
        rows_file.write_text(json.dumps({name: _rows(client, each.path) for name, each in RESOURCES.items()}))


def _rows(client: Any, path: str) -> dict[str, Any]:
    answer = client.get(path, params={"limit": 100})
    assert answer.status_code == 200, (path, answer.text)
    return {str(row["id"]): row for row in answer.json()["items"]}


def _compare(earlier: dict[str, Any], now: dict[str, Any], kept: dict[str, dict[str, str]]) -> None:
    for name, columns in kept.items():
        assert earlier[name].keys() == now[name].keys(), f"{name}: rows are lost"
        for row_id, row in earlier[name].items():
            for old, new in columns.items():
                if old in row and row[old] is not None:
                    assert row[old] == now[name][row_id][new], (name, row_id, old, row[old], now[name][row_id][new])


def _compare_schemas(engine: sa.Engine) -> None:
    """Compare the tables with those that the models make in an empty database or schema."""
    from app.core.database import ModelBase

    migrated = _schema(engine)
    migrated.pop("alembic_version")
    if engine.dialect.name == "sqlite":
        fresh = sa.create_engine("sqlite://", poolclass=sa.pool.StaticPool)
        ModelBase.metadata.create_all(fresh)
        found = _schema(fresh)
    else:
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP SCHEMA IF EXISTS fresh CASCADE")
            connection.exec_driver_sql("CREATE SCHEMA fresh")
        fresh = sa.create_engine(engine.url, connect_args={"options": "-csearch_path=fresh"})
        ModelBase.metadata.create_all(fresh)
        found = _schema(fresh)
        fresh.dispose()
    assert migrated == found, _difference(migrated, found)


def _difference(left: dict[str, Any], right: dict[str, Any]) -> str:
    return "\n".join(
        f"{table}.{kind}:\n  migrated {left.get(table, {}).get(kind)}\n  fresh    {right.get(table, {}).get(kind)}"
        for table in {*left, *right}
        for kind in {*left.get(table, {}), *right.get(table, {})}
        if left.get(table, {}).get(kind) != right.get(table, {}).get(kind)
    )


def _schema(engine: sa.Engine) -> dict[str, Any]:
    look = sa.inspect(engine)
    found = {}
    for table in look.get_table_names():
        found[table] = {
            "columns": sorted((c["name"], str(c["type"]), c["nullable"]) for c in look.get_columns(table)),
            "key": (look.get_pk_constraint(table)["name"], look.get_pk_constraint(table)["constrained_columns"]),
            "foreign keys": sorted(
                (f["name"], f["constrained_columns"], f["referred_table"], f["options"])
                for f in look.get_foreign_keys(table)
            ),
            "unique": sorted((u["name"], u["column_names"]) for u in look.get_unique_constraints(table)),
            "indexes": sorted((i["name"], i["column_names"], bool(i["unique"])) for i in look.get_indexes(table)),
            "checks": sorted((c["name"], c["sqltext"]) for c in look.get_check_constraints(table)),
        }
    return found


def main(chain: Path, url: str) -> int:
    """Take all steps, each in a process of its own, because each has modules of the same names."""
    rows_file = chain / "rows.json"
    rows_file.unlink(missing_ok=True)
    if url.startswith("sqlite:///"):
        Path(url.removeprefix("sqlite:///")).unlink(missing_ok=True)
    else:
        engine = sa.create_engine(url)
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        engine.dispose()
    for root in sorted(path for path in chain.iterdir() if path.is_dir()):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                check_step(root, url, rows_file)
                code = 0
            except BaseException:  # noqa: BLE001  # whatever it is, the chain has failed
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
            print(f"{root}: failed", flush=True)
            return 1
    return 0


if __name__ == "__main__":
    failed = 0
    for each in sys.argv[2:]:
        folder = Path(each).resolve()
        failed += main(folder, sys.argv[1].format(folder=folder))
    print(f"{failed} of {len(sys.argv) - 2} chains failed")
    sys.exit(failed > 0)
