"""Where recipes are read from: a text names built-in ones and folders of the base, a person with the command any."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.errors import UsageError
from bot.history.recipe_files import worktree_file
from bot.planning.recipe import MAX_BYTES
from bot.planning.recipe_names import RecipeFinder
from tests.action_world import ISSUE, World, small_world
from tests.history_picture import bot, well
from tests.repositories import DATA, NOTE, SMALL, clone, commit, git, new_repository, phasebot_here

NAMES = json.loads((DATA / "hostile" / "recipes" / "names.json").read_text())
SPEC = "{fields}entities:\n  Note: text text\n"


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder beside a good recipe, with everything in it that is none."""
    folder = tmp_path_factory.mktemp("places") / "repository"
    shutil.copytree(SMALL, folder.parent / "outside")
    for name in ("pipe", "pipes", "leak", "huge", "submodule"):
        (folder / name).mkdir(parents=True)
    os.mkfifo(folder / "pipe" / "recipe.yaml")
    (folder / "huge" / "recipe.yaml").write_bytes(b" " * (MAX_BYTES + 1))
    (folder / "submodule" / ".git").write_text("gitdir: ../.git/modules/x\n")
    (folder / "file").write_text("name: x\n")
    (folder / "link").symlink_to(folder.parent / "outside")
    (folder / "linked-inside").symlink_to(folder / "pipe")
    for name in ("pipes", "leak"):
        shutil.copytree(SMALL, folder / name, dirs_exist_ok=True)
        (folder / name / "templates" / "core.j2").unlink()
    os.mkfifo(folder / "pipes" / "templates" / "core.j2")
    (folder / "leak" / "templates" / "core.j2").symlink_to(folder.parent / "outside" / "recipe.yaml")
    return folder


@pytest.mark.parametrize("case", NAMES, ids=lambda case: case["recipe"][:30])
def test_a_text_names_nothing_outside_the_repository(places: Path, case: dict[str, str]) -> None:
    name = case["recipe"].replace("{outside}", str(places.parent / "outside"))

    with pytest.raises(UsageError) as caught:
        RecipeFinder(read=lambda path: worktree_file(places, path))(name)

    assert case["told"] in str(caught.value)
    assert "fastapi" in str(caught.value) or "'core.j2'" in str(caught.value)


@pytest.mark.parametrize("where", ["/", "../"])
def test_a_spec_and_an_edited_plan_are_refused_alike(tmp_path: Path, where: str) -> None:
    shutil.copytree(SMALL, tmp_path / "outside")
    name = f"{tmp_path}/outside" if where == "/" else "../outside"
    folder = new_repository(tmp_path / "shop")

    told = bot(folder, "generate", SPEC.format(fields=f"recipe: {name}\n"), "--run", "shop")
    assert (told.code, "is outside the repository: name a built-in recipe (fastapi)" in told.err) == (2, True)
    assert git(folder, "for-each-ref", "--format=%(refname)") == "refs/heads/main"

    well(folder, "generate", NOTE, "--run", "shop", "--recipe", SMALL, "--only", "core")
    git(folder, "switch", "--quiet", "phasebot/shop")
    plan = (folder / ".phasebot" / "plan.yaml").read_text().replace(str(SMALL), name)
    commit(folder, "Edit it", {".phasebot/plan.yaml": plan})
    told = bot(folder, "generate")
    assert (told.code, f"recipe '{name}' is outside the repository" in told.err) == (2, True)


def test_a_folder_that_a_person_named_is_asked_for_again_in_another_clone(tmp_path: Path) -> None:
    one = new_repository(tmp_path / "one")
    shutil.copytree(SMALL, tmp_path / "recipe")
    recipe = tmp_path / "recipe"
    well(one, "generate", NOTE, "--run", "shop", "--recipe", recipe)
    assert f"recipe: {recipe}\n" in git(one, "show", "phasebot/shop:.phasebot/plan.yaml")
    well(one, "generate", "--run", "shop")
    two = clone(one, tmp_path / "two")

    told = bot(two, "generate", "--run", "shop")

    assert told.code == 2
    assert f"if you trust that folder, name it yourself with --recipe {recipe}" in told.err
    well(two, "status", "--run", "shop", "--recipe", recipe)


def test_a_folder_of_the_repository_is_recorded_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = new_repository(tmp_path / "shop")
    shutil.copytree(SMALL, folder / "recipes" / "mine")
    monkeypatch.chdir(folder / "recipes")

    well(folder, "generate", NOTE, "--run", "shop", "--recipe", "./mine/")

    assert "recipe: recipes/mine\n" in git(folder, "show", "phasebot/shop:.phasebot/plan.yaml")
    assert "outside" not in well(folder, "generate", "--run", "shop").err


def test_options_win_over_the_spec_and_that_is_said(tmp_path: Path) -> None:
    spec = SPEC.format(fields="recipe: ../../x\noutput-dir: api\n")

    told = well(tmp_path / "new", "generate", spec, "--recipe", SMALL, "--output-dir", "web", "--run", "shop")

    assert "note: the spec: recipe '../../x' is not used, because --recipe is " in told.err
    assert "note: the spec: output-dir 'api' is not used, because --output-dir is web\n" in told.err
    assert (tmp_path / "new" / "web" / "main.py").exists()
    assert "not used" not in well(tmp_path / "b", "generate", SPEC.format(fields="output-dir: .\n"), "--recipe", SMALL,
                                  "--output-dir", ".").err  # fmt: skip


# ---- GitHub Actions


_PLACES = {"recipes/notes": "recipes/notes", "mine": ".phasebot/recipes/mine"}
"""How the recipes of the base are named, and where they are."""


@pytest.fixture
def github(tmp_path: Path) -> Iterator[World]:
    """A repository whose base has two recipes."""
    with small_world(tmp_path) as found:
        laptop = found.clone("seed")
        for folder in _PLACES.values():
            shutil.copytree(SMALL, laptop / folder)
        git(laptop, "add", "--all")
        git(laptop, "commit", "--quiet", "-m", "Add a recipe")
        git(laptop, "push", "--quiet", "origin", "HEAD")
        yield found


def test_inputs_win_over_the_issue_and_the_comment_says_so(github: World) -> None:
    github.github.issues[ISSUE].body = SPEC.format(
        fields="recipe: ../../x\noutput-dir: .github\n".replace(".github", "a")
    )

    ending = github.say("/generate", output_dir="services")

    assert ending.status == "complete"
    told = github.said()[0].replace("\\", "").replace("`", "")
    assert "issue #12: output-dir 'a' is not used, because the action's input output-dir is services" in told
    assert "issue #12: recipe '../../x' is not used, because the action's input recipe is " in told
    assert "services/main.py" in git(github.origin, "ls-tree", "-r", "--name-only", "phasebot/issue-12")


@pytest.mark.parametrize("name", ["{outside}", "../../outside", "recipes/../../x"])
def test_an_issue_names_no_recipe_outside(github: World, tmp_path: Path, name: str) -> None:
    shutil.copytree(SMALL, tmp_path / "outside")
    github.github.issues[ISSUE].body = SPEC.format(fields=f"recipe: {name}\n".format(outside=tmp_path / "outside"))

    ending = github.say("/generate", recipe=None)

    assert (ending.status, ending.exit_code) == ("refused", 2)
    assert (
        "is outside the repository: name a built-in recipe (fastapi), or a folder of the repository" in ending.message
    )
    assert "--recipe" not in ending.message
    assert github.commits() == []


@pytest.mark.parametrize(("named", "name"), [("issue", "recipes/notes"), ("input", "recipes/notes"), ("input", "mine")])
def test_a_recipe_is_read_from_the_base_and_not_from_the_workspace(github: World, named: str, name: str) -> None:
    """A line comment, or a workflow that is started on a branch, has the branch of a pull request in the workspace."""
    fields = f"recipe: {name}\n" if named == "issue" else ""
    github.github.issues[ISSUE].body = SPEC.format(fields=fields)
    folder = github.checkout()
    for template in (folder / _PLACES[name] / "templates").iterdir():
        template.write_text("EVIL = 1\n")

    ending = github.say("/generate", folder=folder, recipe=name if named == "input" else None)

    assert ending.status == "complete"
    assert f"recipe: {name}\n" in github.file(".phasebot/plan.yaml")
    assert "EVIL" not in git(github.origin, "grep", "-h", "", "phasebot/issue-12")


def test_an_option_that_a_run_can_not_follow_any_more_is_told(tmp_path: Path) -> None:
    folder = new_repository(tmp_path / "shop")
    assert phasebot_here("generate", NOTE, "--repo", folder, "--recipe", SMALL).returncode == 0

    same = phasebot_here("generate", "--repo", folder, "--recipe", SMALL, "--output-dir", "./")
    other = phasebot_here("generate", "--repo", folder, "--recipe", "fastapi", "--output-dir", "web")
    bad = phasebot_here("generate", "--repo", folder, "--output-dir", "../web")

    assert (same.returncode, "is not used" in same.stderr) == (0, False)
    assert "note: --recipe 'fastapi' is not used: the plan of phasebot/note has '" in other.stderr
    assert "note: --output-dir 'web' is not used: the plan of phasebot/note has '.'" in other.stderr
    assert (bad.returncode, bad.stderr.split(";")[0]) == (
        2,
        "phasebot: --output-dir: '../web' is not a folder inside the repository",
    )
