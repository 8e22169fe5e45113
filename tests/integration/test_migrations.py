"""The phase `migration`: from the base's tables to the plan's, made again until it is merged, and then left alone."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.test_merged_projects import WAYS
from tests.repositories import git, new_repository, phasebot

SPEC = "# Shop\n\n- Item: title string\n"
VERSIONS = "migrations/versions"


def generate(folder: Path, *arguments: object) -> str:
    """Run generate and return what it said."""
    done = phasebot("generate", *arguments, "--repo", folder)
    assert done.returncode == 0, done.stderr
    return done.stderr


def status(folder: Path, run: str) -> dict[str, str]:
    """Return the phases of a run with their status."""
    told = json.loads(phasebot("status", "--repo", folder, "--run", run, "--format", "json").stdout)
    return {phase["key"]: phase["stale"] or phase["status"] for phase in told["phases"]}


def edit(folder: Path, old: str, new: str, branch: str = "phasebot/shop") -> None:
    """Edit the plan on a branch, as a person does."""
    git(folder, "switch", "--quiet", branch)
    path = folder / ".phasebot/plan.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    git(folder, "commit", "--quiet", "--all", "-m", "Edit the plan")


def identifier(text: str) -> str:
    """Return the name of a migration, in quotes, as the next one repeats it."""
    (found,) = re.findall(r'^revision = ("[0-9a-f_]+")$', text, re.MULTILINE)
    return str(found)


def migrations(folder: Path, ref: str) -> dict[str, str]:
    """Return the migrations of a commit: name → text."""
    names = git(folder, "ls-tree", "--name-only", ref, f"{VERSIONS}/").split()
    return {Path(name).stem: git(folder, "show", f"{ref}:{name}") for name in names}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A finished run on its branch."""
    folder = new_repository(tmp_path / "shop", {"README": "A shop.\n"})
    generate(folder, SPEC, "--run", "shop")
    return folder


def merge(folder: Path, how: Callable[[Path, str], None], branch: str = "phasebot/shop") -> None:
    git(folder, "switch", "--quiet", "main")
    how(folder, branch)


def by_merging(folder: Path, branch: str) -> None:
    git(folder, "merge", "--quiet", "--no-ff", "--no-edit", branch)


MERGES = [by_merging, WAYS[1], *(pytest.param(way, marks=pytest.mark.slow) for way in WAYS[2:])]


def test_the_first_migration_makes_all_tables(shop: Path) -> None:
    (name, text), *others = migrations(shop, "phasebot/shop").items()

    assert (name, others) == ("0001", [])
    assert "down_revision = None" in text
    assert 'op.create_table(\n        "items"' in text
    assert "migrations: alembic" in git(shop, "show", "phasebot/shop:.phasebot/plan.yaml")


def test_it_is_made_again_while_the_run_is_open(shop: Path) -> None:
    edit(shop, "title: string", "title: string(50)")
    generate(shop, "--run", "shop")

    found = migrations(shop, "phasebot/shop")
    assert found.keys() == {"0001"}
    assert "sa.String(50)" in found["0001"]


def test_a_change_that_no_table_depends_on_leaves_it_alone(shop: Path) -> None:
    edit(shop, "title: string", 'title: string "Its title"')
    generate(shop, "--run", "shop")

    assert len(git(shop, "log", "--format=%s", "phasebot/shop", "--", VERSIONS).splitlines()) == 1


@pytest.mark.parametrize("how", MERGES)
def test_once_merged_it_stays(shop: Path, how: Callable[[Path, str], None]) -> None:
    merge(shop, how)
    before = git(shop, "rev-parse", "phasebot/shop")

    generate(shop, "--run", "shop")

    assert git(shop, "rev-parse", "phasebot/shop") == before
    assert status(shop, "shop")["migration"] == "complete"


@pytest.mark.parametrize("how", MERGES)
def test_once_merged_it_stays_whatever_the_plan_says_of_values(shop: Path, how: Callable[[Path, str], None]) -> None:
    edit(shop, "title: string", 'title: string = "New"')
    generate(shop, "--run", "shop")
    before = migrations(shop, "phasebot/shop")
    merge(shop, how)
    edit(shop, 'title: string = "New"', 'title: string = "Untitled"')

    generate(shop, "--run", "shop")

    assert migrations(shop, "phasebot/shop") == before
    assert status(shop, "shop")["migration"] == "complete"


@pytest.mark.parametrize("how", MERGES)
def test_the_next_run_builds_on_what_is_merged(shop: Path, how: Callable[[Path, str], None]) -> None:
    merge(shop, how)
    generate(shop, "- Item: price decimal = 1\n- Tag: name string\n", "--run", "more")

    found = migrations(shop, "phasebot/more")
    assert found.keys() == {"0001", "0002"}
    assert found["0001"] == migrations(shop, "main")["0001"]
    assert f"down_revision = {identifier(found['0001'])}" in found["0002"]
    assert 'op.add_column("items"' in found["0002"]
    assert 'op.create_table(\n        "tags"' in found["0002"]
    assert 'op.create_table(\n        "items"' not in found["0002"]


@pytest.mark.parametrize("how", MERGES)
def test_a_branch_that_goes_on_after_its_merge_gets_a_second_one(shop: Path, how: Callable[[Path, str], None]) -> None:
    merge(shop, how)
    edit(shop, "title: string", "title: string\n    size: integer?")
    generate(shop, "--run", "shop")

    found = migrations(shop, "phasebot/shop")
    assert found.keys() == {"0001", "0002"}
    assert found["0001"] == migrations(shop, "main")["0001"]
    assert f"down_revision = {identifier(found['0001'])}" in found["0002"]


@pytest.mark.parametrize("how", MERGES)
def test_of_two_open_runs_the_second_is_made_again_on_top(shop: Path, how: Callable[[Path, str], None]) -> None:
    merge(shop, how)
    generate(shop, "- Item: price decimal = 1\n", "--run", "one")
    generate(shop, "- Tag: name string\n", "--run", "two")
    merge(shop, how, "phasebot/one")
    git(shop, "switch", "--quiet", "phasebot/two")
    git(shop, "merge", "--quiet", "--no-edit", "main", check=False)
    conflicts = git(shop, "diff", "--name-only", "--diff-filter=U").split()
    assert f"{VERSIONS}/0002.py" in conflicts, "git shows that both have a migration of that number"
    git(shop, "checkout", "--theirs", "--", *conflicts)
    plan = shop / ".phasebot/plan.yaml"
    if "Tag:" not in plan.read_text():
        plan.write_text(plan.read_text() + "  Tag:\n    name: string\n")
    git(shop, "add", "--all")
    git(shop, "commit", "--quiet", "-m", "Merge main")

    generate(shop, "--run", "two", "--only", "migration")

    found = migrations(shop, "phasebot/two")
    assert found.keys() == {"0001", "0002", "0003"}
    assert found["0002"] == migrations(shop, "main")["0002"]
    assert f"down_revision = {identifier(found['0002'])}" in found["0003"]
    assert 'op.create_table(\n        "tags"' in found["0003"]
    assert "items" not in found["0003"]


def test_a_run_that_changes_no_table_has_none(shop: Path) -> None:
    merge(shop, by_merging)
    generate(
        shop, "# More\n\n- Item: title string\n\n## Rules\n- Titles are short.\n", "--run", "more", "--only", "plan"
    )

    assert "migration" not in status(shop, "more")


def test_a_change_back_to_the_tables_of_the_base_takes_it_back(shop: Path) -> None:
    merge(shop, by_merging)
    generate(shop, "- Item: price decimal = 1\n", "--run", "more")
    edit(shop, "    price: decimal = 1\n", "", "phasebot/more")

    generate(shop, "--run", "more")

    assert migrations(shop, "phasebot/more").keys() == {"0001"}
    assert "migration" not in status(shop, "more")


def test_a_plan_that_names_no_option_has_none(tmp_path: Path) -> None:
    folder = new_repository(tmp_path / "shop", {"README": "A shop.\n"})
    generate(folder, SPEC, "--run", "shop", "--option", "migrations=none")

    assert "migration" not in status(folder, "shop")
    assert "options" not in git(folder, "show", "phasebot/shop:.phasebot/plan.yaml")
    assert "alembic" not in git(folder, "grep", "-il", "alembic", "phasebot/shop", "--", "*.py", check=False)


def test_the_same_spec_again_says_nothing_of_options_that_the_recipe_chose(tmp_path: Path) -> None:
    folder = new_repository(tmp_path / "shop", {"README": "A shop.\n"})
    generate(folder, SPEC, "--run", "shop", "--option", "migrations=none")

    assert "keeps its plan" not in generate(folder, SPEC, "--run", "shop")


def test_what_rows_may_not_survive_is_said_before_anything_is_made(shop: Path) -> None:
    merge(shop, by_merging)
    generate(shop, "- Item: colour string?\n", "--run", "more", "--only", "plan")
    edit(shop, "    title: string\n", "    size: integer\n", "phasebot/more")

    told = generate(shop, "--run", "more")

    assert "Item.title is dropped with all its values; say so under left-out" in told
    assert "Item.size is required and has no default" in told
    assert told.index("Item.title is dropped") < told.index("entity/Item")
    assert "Careful:" in migrations(shop, "phasebot/more")["0002"]


def test_a_new_spec_can_rename_a_field(shop: Path) -> None:
    merge(shop, by_merging)

    told = generate(shop, "- Item: name string was title\n", "--run", "more")

    assert "required" not in told
    found = migrations(shop, "phasebot/more")["0002"]
    assert 'new_column_name="name"' in found
    assert "drop_column" not in found


def test_each_version_of_an_open_migration_has_a_name_of_its_own(shop: Path) -> None:
    before = identifier(migrations(shop, "phasebot/shop")["0001"])
    edit(shop, "title: string", "title: string(50)")
    generate(shop, "--run", "shop")
    changed = identifier(migrations(shop, "phasebot/shop")["0001"])
    edit(shop, "title: string(50)", "title: string")
    generate(shop, "--run", "shop")

    assert changed != before
    assert identifier(migrations(shop, "phasebot/shop")["0001"]) == before


def test_what_the_plan_leaves_out_is_no_risk(shop: Path) -> None:
    merge(shop, by_merging)
    generate(shop, "- Item: colour string?\n", "--run", "more", "--only", "plan")
    edit(shop, "    title: string\n", "", "phasebot/more")
    plan = shop / ".phasebot/plan.yaml"
    plan.write_text(plan.read_text() + "left-out:\n- Item.title\n")
    git(shop, "commit", "--quiet", "--all", "-m", "Leave the title out")

    told = generate(shop, "--run", "more")

    assert "is dropped" not in told
    assert "Careful:" not in migrations(shop, "phasebot/more")["0002"]


def test_a_person_s_migration_is_built_on(shop: Path) -> None:
    merge(shop, by_merging)
    first = identifier(migrations(shop, "main")["0001"])
    text = f'"""By hand."""\n\nrevision = "by_hand"\ndown_revision = {first}\n\n\ndef upgrade() -> None: ...\n'
    (shop / VERSIONS / "by_hand.py").write_text(text)
    git(shop, "add", "--all")
    git(shop, "commit", "--quiet", "-m", "Migrate by hand")

    generate(shop, "- Item: price decimal = 1\n", "--run", "more")

    assert 'down_revision = "by_hand"' in migrations(shop, "phasebot/more")["0002"]


def test_a_base_that_moved_on_after_the_merge_has_to_be_merged_first(shop: Path) -> None:
    merge(shop, by_merging)
    generate(shop, "- Tag: name string\n", "--run", "more")
    merge(shop, by_merging, "phasebot/more")
    edit(shop, "title: string", "title: string\n    size: integer?")

    done = phasebot("generate", "--run", "shop", "--repo", shop)

    assert done.returncode == 2
    assert "merge the base into the branch, then run generate again" in done.stderr
    git(shop, "merge", "--quiet", "--no-edit", "-X", "theirs", "main")
    if "size" not in (shop / ".phasebot/plan.yaml").read_text():
        edit(shop, "title: string", "title: string\n    size: integer?")
    phasebot("generate", "--run", "shop", "--repo", shop)
    second = identifier(migrations(shop, "main")["0002"])
    assert f"down_revision = {second}" in migrations(shop, "phasebot/shop")["0003"]
