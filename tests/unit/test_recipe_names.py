"""Which recipe a name stands for, without a repository; `test_recipe_places.py` reads real ones."""

import shutil
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.errors import UsageError
from bot.history.recipe_files import worktree_file
from bot.planning.recipe_names import RecipeFinder, given_name, load_built_in
from tests.repositories import SMALL

_PARTS = st.sampled_from(["..", ".", "", "~", ".git", ".GIT ", "git~1", "a", "recipes", "\\", "\x00", "\u202e", "/"])


@given(st.lists(_PARTS, max_size=6).map("/".join))
@example("./~")
def test_no_name_makes_anybody_read_outside_the_repository(name: str) -> None:
    read: list[str] = []

    def remember(path: str) -> bytes:
        read.append(path)
        raise FileNotFoundError(path)

    with pytest.raises(UsageError):
        RecipeFinder(read=remember)(name)

    for path in read:
        parts = path.split("/")
        assert not path.startswith(("/", "~"))
        assert not {"..", ".git", "git~1"} & {part.casefold().rstrip(" .") or part for part in parts}


def test_a_text_alone_can_name_what_is_built_in_and_nothing_else() -> None:
    assert load_built_in("fastapi").name == "fastapi"
    for name in (str(SMALL), "small", "FastAPI"):
        with pytest.raises(UsageError, match="fastapi"):
            load_built_in(name)


def test_a_folder_elsewhere_is_loaded_if_a_person_named_it_and_that_is_noted() -> None:
    noted: list[str] = []

    assert RecipeFinder([str(SMALL)], on_given=noted.append)(str(SMALL)).name == "small"
    assert noted == [str(SMALL)]


def test_a_folder_is_recorded_relative_to_the_repository_it_is_in(tmp_path: Path) -> None:
    shutil.copytree(SMALL, tmp_path / "recipes" / "small")

    assert given_name("small", tmp_path, relative_to=tmp_path / "recipes") == "recipes/small"
    assert given_name("recipes/small", tmp_path / "other", relative_to=tmp_path) == str(tmp_path / "recipes" / "small")
    assert given_name("fastapi", tmp_path, relative_to=tmp_path) == "fastapi"
    assert given_name("nothing", tmp_path, relative_to=tmp_path) == "nothing"


def test_a_plain_word_names_a_recipe_of_the_repository_after_built_in_ones_and_folders(tmp_path: Path) -> None:
    def finder() -> RecipeFinder:
        return RecipeFinder(read=lambda path: worktree_file(tmp_path, path))

    for name in ("mine", "fastapi"):
        shutil.copytree(SMALL, tmp_path / ".phasebot" / "recipes" / name)

    assert finder()("mine").name == "small"
    assert finder()("fastapi").name == "fastapi"
    with pytest.raises(UsageError, match="recipe 'recipes/mine' is not known"):
        finder()("recipes/mine")

    shutil.copytree(SMALL, tmp_path / "mine")
    recipe = tmp_path / "mine" / "recipe.yaml"
    recipe.write_text(recipe.read_text().replace("name: small", "name: folder"))
    assert finder()("mine").name == "folder"
