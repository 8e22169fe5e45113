"""The command `recipes`: list the recipes there are, show one as a tree, check one, start one."""

import shlex
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.cli.door import Door
from bot.cli.help import GroupedCommands, examples
from bot.errors import UsageError
from bot.text import one_line, shown

if TYPE_CHECKING:
    from bot.planning.recipe import Recipe
    from bot.planning.recipe_model import RecipePhase

_STARTER = Path(__file__).parent / "starter_recipe"
_FILE = "recipe.yaml"
_MAX_LINE = 200
_Tree = Sequence[tuple[str, "_Tree"]]
_REPO = click.option(
    "--repo", default=".", show_default=True, type=click.Path(path_type=Path), help="The repository, for its recipes."
)
_FORMAT = click.option("--format", "output", type=click.Choice(["text", "json"]), default="text", show_default=True)


@click.group(
    cls=GroupedCommands,
    epilog=examples("recipes list", "recipes show fastapi", "recipes new .phasebot/recipes/my-recipe"),
)
def recipes() -> None:
    """List, show, check and start recipes: what kinds of project there are."""


@recipes.command("list", epilog=examples("recipes list"))
@_REPO
@_FORMAT
@click.pass_obj
def list_(door: Door, *, repo: Path, output: str) -> None:
    """List the built-in recipes, and those in .phasebot/recipes of the repository."""
    from bot.planning.recipe import built_in_names

    found = [_listed(name, "built-in", repo) for name in built_in_names()]
    found += [_listed(name, "repository", repo) for name in _names_in(repo) if name not in built_in_names()]
    if output == "json":
        _print_json(door, found)
        return
    width = max(len(each["name"]) for each in found)  # names of folders, which the streams make printable
    for each in found:
        told = each["description"] if each["problem"] is None else f"can't be used: {each['problem']}"
        click.echo(f"{each['name']:<{width}}  {each['from']:<10}  {one_line(told, _MAX_LINE)}")


@recipes.command(epilog=examples("recipes show fastapi"))
@click.argument("name")
@_REPO
@_FORMAT
@click.pass_obj
def show(door: Door, *, name: str, repo: Path, output: str) -> None:
    """Show a recipe as a tree: options, collections, phases with their files and templates.

    NAME is a built-in recipe, one of the repository, or a folder with a recipe.yaml.
    """
    recipe = _load(name, repo)
    if output == "json":
        _print_json(door, recipe.content.model_dump(mode="json", by_alias=True))
        return
    click.echo(one_line(f"{recipe.name}: {recipe.description}".removesuffix(": "), _MAX_LINE))
    for line in _lines(_tree(recipe)):
        click.echo(line)


@recipes.command(epilog=examples("recipes check .phasebot/recipes/my-recipe"))
@click.argument("folder", metavar="DIR")
@_REPO
def check(*, folder: str, repo: Path) -> None:
    """Check a recipe: load it, parse every template, and render a sample plan with them.

    DIR is a folder with a recipe.yaml, or the name of a recipe.
    """
    from bot.generation.recipe_check import check_recipe
    from bot.sandbox.worker import shared_worker

    shared_worker().start()
    recipe = _load(folder, repo)
    checked = check_recipe(recipe, folder, shared_worker().run)
    pending = f"; {_count(checked.pending, 'file')} without a template" if checked.pending else ""
    prompts = f" and {_count(checked.prompts, 'prompt')}" if checked.prompts else ""
    click.echo(one_line(f"recipe {recipe.name} is valid", _MAX_LINE))
    click.echo(f"parsed: {_count(checked.templates, 'template')}{prompts}")
    plans = f", in {checked.plans} plans that differ in one option each" if checked.plans > 1 else ""
    click.echo(
        f"rendered: a sample plan of {_count(checked.phases, 'phase')}, {_count(checked.files, 'file')}{pending}{plans}"
    )


@recipes.command(epilog=examples("recipes new .phasebot/recipes/my-recipe"))
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
def new(*, folder: Path) -> None:
    """Start a recipe in the new folder DIR: a small one that works."""
    from bot.planning.names import slug

    try:
        if folder.is_symlink() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir()))):
            raise UsageError(f"starting a recipe: {shown(str(folder))} exists already; name a new folder")
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".new-recipe-") as beside:
            made = shutil.copytree(_STARTER, Path(beside) / "recipe")
            text = (made / _FILE).read_text(encoding="utf-8")
            name = f"name: {slug(folder.resolve().name, default='recipe')}"
            (made / _FILE).write_text(text.replace("name: handbook", name, 1), encoding="utf-8")
            if folder.exists():
                folder.rmdir()
            made.rename(folder)
    except OSError as exc:
        reason = exc.strerror or str(exc)
        raise UsageError(f"starting a recipe in {shown(str(folder))}: {reason}; name another folder") from exc
    place = one_line(shlex.quote(str(folder)), _MAX_LINE)
    click.echo(f"made {place}: edit recipe.yaml and templates/, then run: phasebot recipes check {place}")


# ---- reading


def _names_in(repo: Path) -> list[str]:
    from bot.planning.recipe_names import RECIPES

    try:
        return sorted(path.parent.name for path in (repo / RECIPES).glob("*/recipe.yaml"))
    except OSError:
        return []


def _load(name: str, repo: Path) -> "Recipe":
    """Load the recipe *name*; here a person names it, so it can be anywhere."""
    from bot.history.recipe_files import worktree_file
    from bot.planning.recipe import built_in_names, files_in, read_inside, read_recipe
    from bot.planning.recipe_names import RecipeFinder

    folder = Path(name).parent if Path(name).name == _FILE else Path(name)
    try:
        is_folder = name not in built_in_names() and (folder / _FILE).is_file()
    except (OSError, ValueError):  # ValueError: a NUL in the name
        is_folder = False
    if is_folder:
        return read_recipe(name, partial(read_inside, folder), partial(files_in, folder))
    return RecipeFinder(read=partial(worktree_file, repo))(name)


def _listed(name: str, place: str, repo: Path) -> dict[str, Any]:
    from bot.planning.recipe_names import RECIPES

    try:
        recipe = _load(name if place == "built-in" else str(repo / RECIPES / name), repo)
    except UsageError as exc:
        return {"name": name, "from": place, "description": "", "problem": str(exc)}
    return {"name": name, "from": place, "description": recipe.description, "problem": None}


# ---- printing


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _print_json(door: Door, content: object) -> None:
    import json

    from bot.cli.inert_output import inert_json

    click.echo(inert_json(json.dumps(content, indent=2, ensure_ascii=False), in_job=door.in_job))


def _tree(recipe: "Recipe") -> _Tree:
    options = [
        (f"{name}: {each.type}{_choices(each.choices)}, default {each.default!r}  {each.about}", ())
        for name, each in recipe.options.items()
    ]
    collections = [(f"{name}  {each.about}", ()) for name, each in recipe.collections.items()]
    phases = [(_phase(phase), _files(phase)) for phase in recipe.phases]
    verify = [(f"{' '.join(each.run)}  in {each.folder}, {each.seconds} s", ()) for each in recipe.verify]
    parts: list[tuple[str, _Tree]] = [
        *(("options", options), ("collections", collections), ("phases", phases), ("verify", verify))
    ]
    return [(name, entries) for name, entries in parts if entries]


def _choices(choices: Sequence[str]) -> str:
    return f" of {', '.join(choices)}" if choices else ""


def _phase(phase: "RecipePhase") -> str:
    sees = [phase.sees] if isinstance(phase.sees, str) else phase.sees
    parts = {
        "for each of": [phase.collection] if phase.collection else [],
        "needs": phase.needs,
        "sees": [word for word in sees if word != "nothing"],
        "prompt": [phase.prompt] if phase.prompt else [],
    }
    return "; ".join([phase.key, *(f"{what} {', '.join(each)}" for what, each in parts.items() if each)])


def _files(phase: "RecipePhase") -> _Tree:
    if phase.is_planned:
        return [("the files that the plan lists", ())]
    files: Mapping[str, str] = phase.templates
    return [(f"{path} < {template}" if template else f"{path}  (no template)", ()) for path, template in files.items()]


def _lines(tree: _Tree, before: str = "") -> Iterator[str]:
    for number, (text, below) in enumerate(tree, start=1):
        last = number == len(tree)
        yield one_line(text, _MAX_LINE).join((f"{before}{'└── ' if last else '├── '}", ""))
        yield from _lines(below, before + ("    " if last else "│   "))
