"""The page that teaches recipes: its examples are real files, pass their check and generate."""

import re
from pathlib import Path

import pytest

from bot.cli import recipes_command
from bot.planning.recipe_model import RecipePhase
from tests.history_picture import well
from tests.repositories import git, new_repository, phasebot_here

_PAGE = Path(recipes_command.__file__).parents[1] / "recipes" / "README.md"
_STARTER = Path(recipes_command.__file__).with_name("starter_recipe")
_BLOCK = re.compile(r"^`([\w./-]+)`[^\n]*:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _files() -> dict[str, str]:
    return dict(_BLOCK.findall(_PAGE.read_text()))


def test_the_first_example_is_the_recipe_that_people_start_with() -> None:
    started = {
        path.relative_to(_STARTER).as_posix(): path.read_text() for path in _STARTER.rglob("*") if path.is_file()
    }

    assert {path: text for path, text in _files().items() if not path.startswith("site")} == started


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = new_repository(tmp_path / "cats")
    for path, text in _files().items():
        if path.startswith("site"):
            file = made / ".phasebot" / "recipes" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
    return made


def test_the_second_example_passes_its_check_and_generates(folder: Path) -> None:
    recipes = folder / ".phasebot" / "recipes"

    checked = phasebot_here("recipes", "check", "site", "--repo", folder)
    well(folder, "generate", recipes / "site.yaml", "--recipe", "site")

    assert checked.returncode == 0, checked.stderr
    assert git(folder, "show", "phasebot/cats:pages/home.md").endswith("See [Breeds](breeds.md).")
    assert git(folder, "show", "phasebot/cats:style.css") == "body { background: black; }"


def test_the_page_explains_every_key_of_a_phase() -> None:
    page = _PAGE.read_text()

    assert all(f"`{info.alias or name}`" in page for name, info in RecipePhase.model_fields.items())
