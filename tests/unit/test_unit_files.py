"""Every module of the pure core has a file of unit tests named after it, and the architecture names every module."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PURE = "The pure core does no I/O and reads no clock"


def pure_modules() -> Iterator[str]:
    """Yield the modules that the import contract calls pure; a package stands for all of its modules."""
    linter = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (contract,) = (each for each in linter["contracts"] if each["name"] == PURE)
    for name in contract["source_modules"]:
        place = ROOT / name.replace(".", "/")
        files = place.rglob("*.py") if place.is_dir() else [place.with_suffix(".py")]
        yield from (file.stem for file in files if file.stem != "__init__")


def test_every_module_of_the_pure_core_has_its_file_of_unit_tests() -> None:
    modules = set(pure_modules())
    tested = {file.stem.removeprefix("test_") for file in Path(__file__).parent.glob("test_*.py")}

    assert {"trailers", "spec_parser", "markdown"} <= modules
    assert modules - tested == set()


def test_the_architecture_names_every_module_in_its_room() -> None:
    rows = [line for line in (ROOT / "bot" / "README.md").read_text().splitlines() if line.startswith("| `")]
    rooms = {
        line.split("`")[1].rstrip("/"): set(line.split("`")[3::2]) for line in rows if line.split("`")[1][-1] == "/"
    }
    modules: dict[str, set[str]] = {}
    for file in (ROOT / "bot").rglob("*.py"):
        room = str(file.parent.relative_to(ROOT / "bot"))
        if room != "." and not room.startswith("recipes") and file.stem != "__init__":
            modules.setdefault(room, set()).add(file.stem)

    assert {room: names - rooms.get(room, set()) for room, names in modules.items()} == {
        room: set() for room in modules
    }
    assert {room: {name for name in names if name.isidentifier()} - modules[room] for room, names in rooms.items()} == {
        room: set() for room in modules
    }
