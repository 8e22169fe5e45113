"""Which recipe a name stands for, and which names are refused.

Anybody can write an issue, a spec or the plan file of a branch.  So a name in a text is a built-in recipe, or a folder
of the repository as its base has it.  A folder elsewhere is taken only from the person who runs the command.
"""

import os
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path, PurePosixPath

from bot.errors import UsageError
from bot.planning.recipe import Recipe, built_in_names, load_recipe, read_recipe, unknown_recipe
from bot.text import find_hidden, shown

LoadRecipe = Callable[[str], Recipe]
RECIPES = ".phasebot/recipes"
"""The folder of a repository's own recipes, which are named like built-in ones."""
_MAX_NAME = 200


def load_built_in(name: str) -> Recipe:
    """Load the built-in recipe *name*: what a text can name where there is no repository.

    Raises:
        UsageError: There is none.
    """
    return RecipeFinder()(name)


def given_name(recipe: str, root: Path | None, *, relative_to: Path) -> str:
    """Return how a plan records the *recipe* that a person named: relative to *root* inside it, else absolute."""
    if recipe in built_in_names() or "\0" in recipe:
        return recipe
    path = Path(os.path.abspath(relative_to / recipe))  # noqa: PTH100  # links stay as they were named
    if not os.path.lexists(path / "recipe.yaml"):
        return recipe
    return path.relative_to(root).as_posix() if root and path.is_relative_to(root) else str(path)


class RecipeFinder:
    """Loads recipes by name."""

    def __init__(
        self,
        given: Collection[str] = (),
        read: Callable[[str], bytes] | None = None,
        *,
        load: LoadRecipe = load_recipe,
        on_given: Callable[[str], None] | None = None,
    ) -> None:
        """Load recipes of the repository with *read*, which gets a path in it, and raises OSError or ValueError.

        *given* are the folders elsewhere that a person named; *load* loads them, and what is built in.  *on_given* is
        told each that is used.
        """
        self._given, self._read, self._load, self._on_given = frozenset(given), read, load, on_given

    def __call__(self, name: str) -> Recipe:
        """Load the recipe *name*.

        Raises:
            UsageError: A text can't name it, there is none, or it is invalid.
        """
        if name in built_in_names():
            return self._load(name)
        if name in self._given and Path(name).is_absolute():
            if self._on_given:
                self._on_given(name)
            return self._load(name)
        if problem := _problem(name):
            remedy = f"; if you trust that folder, name it yourself with --recipe {name}" if _is_elsewhere(name) else ""
            raise UsageError(
                f"recipe {shown(name)} {problem}: name a built-in recipe ({', '.join(built_in_names())}), or a folder "
                f"of the repository{remedy}"
            )
        if read := self._read:
            for folder in recipe_folders(name):
                with suppress(OSError, ValueError):
                    read(f"{folder}/recipe.yaml")
                    return read_recipe(name, partial(_read_in, folder, read))
        raise unknown_recipe(name)


def _read_in(folder: str, read: Callable[[str], bytes], file: str) -> bytes:
    return read(f"{folder}/{file}")


def recipe_folders(name: str) -> Iterator[str]:
    """Yield the folders of the repository that *name* can stand for; a plain word also names one of its recipes.

    A name that no text can use stands for none.
    """
    if _problem(name):
        return
    yield str(PurePosixPath(name))
    if "/" not in name:
        yield f"{RECIPES}/{name}"


def _is_elsewhere(name: str) -> bool:
    return name.isprintable() and Path(name).is_absolute() and len(name) <= _MAX_NAME


def _problem(name: str) -> str | None:
    """Return what is wrong with the name of a folder of the repository; it continues ``recipe 'x' …``."""
    parts = name.split("/")
    if not 0 < len(name) <= _MAX_NAME:
        return f"does not have 1 to {_MAX_NAME} characters"
    if find_hidden(name) or not name.isprintable() or "\\" in name:
        return "holds a character that no folder's name should have"
    if str(PurePosixPath(name)).startswith(("/", "~")) or ".." in parts:
        return "is outside the repository"
    if any(part.casefold().rstrip(" .") in (".git", "git~1") for part in parts):
        return "is git's own folder"
    return None
