"""The command `recipes`: what it lists and shows, and all that it says about a broken recipe."""

import json
import os
import shutil
from pathlib import Path

import pytest

from bot.sandbox.process import Limits
from bot.sandbox.worker import Worker
from tests.history_picture import well
from tests.repositories import DATA, SMALL, git, new_repository, phasebot_here

_REWRITE = "PHASEBOT_GOLDEN" in os.environ
_BROKEN = sorted((DATA / "recipes" / "broken").iterdir())


@pytest.mark.parametrize("folder", _BROKEN, ids=lambda folder: folder.name)
def test_all_that_is_wrong_with_a_recipe_is_told_at_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``PHASEBOT_GOLDEN=1`` rewrites what is told; then read the difference."""
    monkeypatch.chdir(folder.parent)
    golden = folder / "told.txt"

    done = phasebot_here("recipes", "check", folder.name)

    if _REWRITE:
        golden.write_text(done.stderr)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == golden.read_text()


def test_there_are_fifteen_broken_recipes_and_more() -> None:
    assert len(_BROKEN) >= 15


def test_a_new_recipe_passes_its_check_and_generates(tmp_path: Path) -> None:
    folder = new_repository(tmp_path / "repository")
    mine = folder / ".phasebot" / "recipes" / "my handbook"

    made = phasebot_here("recipes", "new", mine)
    checked = phasebot_here("recipes", "check", mine)
    again = phasebot_here("recipes", "new", mine)

    assert (made.returncode, made.stdout.startswith("made ")) == (0, True)
    assert (checked.returncode, checked.stdout) == (
        0,
        (
            "recipe my-handbook is valid\nparsed: 2 templates\n"
            "rendered: a sample plan of 3 phases, 3 files, in 2 plans that differ in one option each\n"
        ),
    )
    assert again.returncode == 2
    assert "exists already; name a new folder" in again.stderr
    mine.rename(mine.with_name("handbook"))
    well(folder, "generate", "- Cat: name string", "--recipe", "handbook", "--run", "cats")
    assert git(folder, "show", "phasebot/cats:pages/cat.md") == "# Cat\n\n- `name`: string"
    assert "recipe: handbook\n" in git(folder, "show", "phasebot/cats:.phasebot/plan.yaml")
    assert "complete" in well(folder, "status", "--run", "cats").out


@pytest.mark.parametrize("there", ["file", "folder", "link"])
def test_nothing_that_is_there_is_overwritten(tmp_path: Path, there: str) -> None:
    place = tmp_path / "x"
    if there == "link":
        place.symlink_to(tmp_path / "nowhere")
    elif there == "file":
        place.write_text("mine")
    else:
        place.mkdir()
        (place / "mine").touch()

    done = phasebot_here("recipes", "new", place)

    assert done.returncode == 2
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_an_empty_folder_is_filled_and_one_that_can_t_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "file").touch()

    assert phasebot_here("recipes", "new", tmp_path / "x").returncode == 0
    done = phasebot_here("recipes", "new", tmp_path / "file" / "y")

    assert done.returncode == 2
    assert "starting a recipe in " in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "x"]


def test_the_recipes_of_a_repository_are_listed_beside_the_built_in_ones(tmp_path: Path) -> None:
    recipes = tmp_path / ".phasebot" / "recipes"
    shutil.copytree(SMALL, recipes / "notes")
    shutil.copytree(_BROKEN[0], recipes / "broken")

    listed = phasebot_here("recipes", "list", "--repo", tmp_path, "--format", "json")
    told = phasebot_here("recipes", "list", "--repo", tmp_path)

    assert [(each["name"], each["from"]) for each in json.loads(listed.stdout)] == [
        ("fastapi", "built-in"), ("broken", "repository"), ("notes", "repository"),
    ]  # fmt: skip
    assert told.stdout.splitlines()[0].startswith("fastapi  built-in    REST API")
    assert "can't be used: recipe " in told.stdout.splitlines()[1]
    assert phasebot_here("recipes", "show", "notes", "--repo", tmp_path).returncode == 0


def test_a_recipe_is_shown_as_a_tree_and_as_data() -> None:
    tree = phasebot_here("recipes", "show", SMALL).stdout.splitlines()
    data = json.loads(phasebot_here("recipes", "show", SMALL, "--format", "json").stdout)

    assert tree == [
        "small",
        "└── phases",
        "    ├── core",
        "    │   ├── app/__init__.py < core.j2",
        "    │   └── app/db.py < core.j2",
        "    ├── entity/${name}; for each of entities; needs core",
        "    │   ├── app/models/${module}.py < entity.j2",
        "    │   └── app/routers/${module}.py < entity.j2",
        "    ├── support; sees entities",
        "    │   ├── README.md < list.j2",
        "    │   └── .gitignore < core.j2",
        "    └── main; needs core, entity/*; sees names",
        "        └── main.py < list.j2",
    ]
    assert data["phases"][1]["for-each"] == "entity"
    assert data["phases"][1]["files"] == {
        "app/models/${module}.py": "entity.j2",
        "app/routers/${module}.py": "entity.j2",
    }


def test_a_folder_is_named_like_any_other_or_by_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(SMALL, tmp_path / "small")
    shutil.copytree(_BROKEN[0], tmp_path / "fastapi")
    monkeypatch.chdir(tmp_path)

    named = [phasebot_here("recipes", "check", name) for name in ("small", "./small/", "small/recipe.yaml", "fastapi")]
    missing = phasebot_here("recipes", "check", "smal")

    assert [done.returncode for done in named] == [0, 0, 0, 0]
    assert (missing.returncode, "recipe 'smal' is not known" in missing.stderr) == (2, True)


def test_a_template_that_takes_too_long_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = Worker(Limits(seconds=0.5))
    monkeypatch.setattr("bot.sandbox.worker.shared_worker", lambda: worker)
    shutil.copytree(SMALL, tmp_path / "small")
    slow = "{% for i in range(9**5) %}{% for j in range(9**5) %}{% endfor %}{% endfor %}"
    (tmp_path / "small" / "templates" / "list.j2").write_text(slow)

    done = phasebot_here("recipes", "check", tmp_path / "small")

    worker.close()
    assert done.returncode == 2
    assert "templates/list.j2: it took longer than 0.5 s" in done.stderr


def test_built_in_recipes_pass_their_check() -> None:
    done = phasebot_here("recipes", "check", "fastapi")

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("recipe fastapi is valid\nparsed: ")
