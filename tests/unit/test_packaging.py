"""The lock file and what it locks."""

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

from bot.history.installation import FORM, WORKFLOW, packaged_file

ROOT = Path(__file__).parents[2]


def test_the_lock_pins_every_dependency_within_its_bounds() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pins = dict(re.findall(r"^([\w.-]+)==([\w.]+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE))

    for requirement in map(Requirement, [*project["dependencies"], *project["optional-dependencies"]["import"]]):
        assert pins[requirement.name.lower()] in requirement.specifier, requirement


def test_the_lock_names_no_address() -> None:
    assert "://" not in (ROOT / "requirements.lock").read_text()


def test_the_lock_names_the_command_that_contributors_are_told_to_run() -> None:
    command = "uv pip compile pyproject.toml --extra import -o requirements.lock"
    assert (ROOT / "requirements.lock").read_text().splitlines()[1] == f"#    {command}"
    assert f".venv/bin/{command}" in (ROOT / ".github" / "CONTRIBUTING.md").read_text()


def test_the_wheel_has_the_files_that_init_writes() -> None:
    targets = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]

    assert targets["wheel"]["force-include"] == {
        path: f"bot/cli/init_files/{Path(path).name}" for path in (WORKFLOW, FORM)
    }
    assert {WORKFLOW, FORM} <= {*targets["sdist"]["include"]}, "a wheel is built from it, too"
    assert [path for path in (WORKFLOW, FORM) if packaged_file(ROOT / "bot", path) != (ROOT / path).read_text()] == []
