"""Options of a recipe: from the command line, the spec and the plan; only phases that use one are made again."""

from pathlib import Path

import pytest

from tests.repositories import git, new_repository, phasebot, phasebot_here

_RECIPE = """\
name: site
options:
  theme: {type: choice, choices: [light, dark], default: light, about: The colours of the pages.}
  pages: {type: integer, default: 1, about: How many pages there are.}
phases:
  - key: core
    title: core
    files: {core.txt: core.j2}
  - key: style
    title: style
    sees: [options/theme]
    files: {style.txt: style.j2}
"""
_SPEC = "# Site\n\n- Page: title string\n"


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    (folder / "templates").mkdir(parents=True)
    (folder / "recipe.yaml").write_text(_RECIPE)
    (folder / "templates" / "core.j2").write_text("core\n")
    (folder / "templates" / "style.j2").write_text("{{ options.theme }}\n")
    return folder


def _spec(tmp_path: Path, text: str = _SPEC) -> Path:
    (tmp_path / "spec.md").write_text(text)
    return tmp_path / "spec.md"


def test_an_option_of_the_command_wins_and_makes_only_its_phases_again(tmp_path: Path, recipe: Path) -> None:
    spec = _spec(tmp_path, f"---\noptions: {{theme: light, pages: 2}}\n---\n{_SPEC}")
    house = tmp_path / "house"

    made = phasebot_here("generate", spec, "--repo", house, "--recipe", recipe, "--option", "theme=dark")

    assert made.returncode == 0, made.stderr
    assert (house / "style.txt").read_text() == "dark\n"
    plan = house / ".phasebot" / "plan.yaml"
    assert "options:\n  theme: dark\n  pages: 2\n" in plan.read_text()

    plan.write_text(plan.read_text().replace("  theme: dark\n", ""))
    git(house, "commit", "-qam", "Take the light theme")
    again = phasebot_here("generate", "--repo", house)
    assert again.returncode == 0, again.stderr
    assert git(house, "log", "-1", "--format=%s") == "Generate style [3/3]"
    assert (house / "style.txt").read_text() == "light\n"


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("theme", "reading the option 'theme': it has no value; write NAME=VALUE"),
        ("them=dark", "it has no option 'them'; did you mean 'theme'?"),
        ("theme=red", "option theme:"),
        ("pages=many", "option pages:"),
    ],
)
def test_a_wrong_option_is_refused_before_anything_is_written(
    tmp_path: Path, recipe: Path, option: str, message: str
) -> None:
    house = tmp_path / "house"

    told = phasebot_here("generate", _spec(tmp_path), "--repo", house, "--recipe", recipe, "--option", option)

    assert (told.returncode, house.exists()) == (2, False)
    assert message in told.stderr


def test_an_option_for_a_run_that_has_its_plan_is_told(tmp_path: Path, recipe: Path) -> None:
    house = tmp_path / "house"
    phasebot_here("generate", _spec(tmp_path), "--repo", house, "--recipe", recipe)

    told = phasebot_here("generate", "--repo", house, "--option", "theme=dark")

    assert "note: --option theme=dark is not used: edit 'options' in the plan of phasebot/site instead" in told.stderr


def test_a_file_on_a_condition_comes_when_the_plan_meets_it(tmp_path: Path) -> None:
    folder = new_repository(tmp_path / "cats", {"README": "Cats.\n"})
    assert phasebot("generate", "# Cats\n\n- Cat: name string\n", "--repo", folder).returncode == 0
    git(folder, "switch", "--quiet", "phasebot/cats")
    assert not (folder / "app/core/security.py").exists()
    plan = folder / ".phasebot/plan.yaml"
    plan.write_text(plan.read_text().replace("    name: string\n", "    name: string\n    pin: password?\n"))
    git(folder, "commit", "--quiet", "--all", "-m", "Add a password")

    assert phasebot("generate", "--repo", folder).returncode == 0

    assert (folder / "app/core/security.py").exists()
    files = git(folder, "log", "-1", "--grep=^Phasebot-Phase: core$", "--name-only", "--format=").split()
    assert files == ["app/core/security.py"], "the others are as they were"
