"""A run that was merged into its base is shown as it is, and goes on; only the base's phases can't be taken back."""

from pathlib import Path
from typing import Any

import pytest

from tests.history_picture import SHOP, assert_settled, bot, content, finished, head, person, well
from tests.repositories import SMALL, clone, git, new_origin

WAYS = ["--ff-only", "--no-ff"]


def merge(folder: Path, how: str, *, main_moves: str = "") -> None:
    """Merge the run into main; main moves on before or after that, or not at all."""
    git(folder, "switch", "--quiet", "main")
    if main_moves == "before":
        person(folder, "Before", {"before.txt": "1\n"})
    git(folder, "merge", "--quiet", how, "--no-edit", "phasebot/shop")
    if main_moves == "after":
        person(folder, "After", {"after.txt": "1\n"})


def shown(folder: Path) -> list[dict[str, Any]]:
    """Return what status shows of the phases."""
    found: list[dict[str, Any]] = well(folder, "status", "--run", "shop", "--format", "json").json()["phases"]
    return found


@pytest.mark.parametrize(
    ("how", "main_moves", "follows"),
    [
        ("--ff-only", "", False),
        ("--no-ff", "before", True),
        pytest.param("--ff-only", "after", False, marks=pytest.mark.slow),
        pytest.param("--ff-only", "after", True, marks=pytest.mark.slow),
        pytest.param("--no-ff", "after", False, marks=pytest.mark.slow),
        pytest.param("--no-ff", "after", True, marks=pytest.mark.slow),
    ],
)
def test_a_merged_run_is_shown_as_before(tmp_path: Path, how: str, main_moves: str, *, follows: bool) -> None:
    """Also where its branch *follows* main afterwards."""
    folder = finished(tmp_path / "shop")
    before = shown(folder)
    merge(folder, how, main_moves=main_moves)
    git(folder, "switch", "--quiet", "phasebot/shop")
    if follows:
        git(folder, "merge", "--quiet", "--ff-only", "main")

    assert shown(folder) == before
    assert_settled(folder)
    person(folder, "Mine", {"NOTES.md": "mine\n"})
    assert shown(folder) == before
    assert_settled(folder)


@pytest.mark.parametrize("how", WAYS)
def test_a_run_that_was_merged_through_a_remote_is_shown_as_before(tmp_path: Path, how: str) -> None:
    origin = new_origin(tmp_path / "origin.git")
    one = clone(origin, tmp_path / "one")
    well(one, "generate", SHOP, "--run", "shop", "--recipe", SMALL)
    before = shown(one)
    merge(one, how)
    git(one, "push", "--quiet", "origin", "main", "main:phasebot/shop")

    two = clone(origin, tmp_path / "two")

    assert shown(two) == shown(one) == before
    assert "nothing to do" in well(one, "generate", "--run", "shop").err
    assert "nothing to do" in well(two, "generate").err


@pytest.mark.parametrize("how", WAYS)
def test_a_run_that_is_merged_again_and_again_keeps_its_phases(tmp_path: Path, how: str) -> None:
    folder = finished(tmp_path / "shop")
    merge(folder, how, main_moves="after" if how == "--no-ff" else "")
    git(folder, "switch", "--quiet", "phasebot/shop")
    well(folder, "regenerate", "main", "--jobs", 1)
    before = shown(folder)
    merge(folder, how)
    git(folder, "switch", "--quiet", "phasebot/shop")
    git(folder, "merge", "--quiet", "--ff-only", "main")

    assert shown(folder) == before
    assert_settled(folder)


def test_what_the_base_has_already_is_not_taken_back(tmp_path: Path) -> None:
    folder = finished(tmp_path / "shop")
    merge(folder, "--no-ff")
    before = head(folder, "phasebot/shop")

    for phases in (("main",), ("--to", "entity/Order")):
        told = bot(folder, "rollback", *phases, "--run", "shop")

        assert told.code == 2
        assert "main: the base main has it already, and this run can't change that" in told.err
    assert head(folder, "phasebot/shop") == before


def test_what_was_made_after_the_merge_is_taken_back_to_what_the_base_has(tmp_path: Path) -> None:
    folder = finished(tmp_path / "shop")
    person(folder, "Mine", {"main.py": "# of main\n"})
    merge(folder, "--no-ff")
    git(folder, "switch", "--quiet", "phasebot/shop")
    well(folder, "regenerate", "core")

    well(folder, "rollback", "core")

    assert content(folder, "app/db.py") == content(folder, "app/db.py", "main")
    assert git(folder, "diff", "--name-only", "main", "HEAD") == ""


def test_a_plan_that_was_changed_after_the_merge_makes_the_difference(tmp_path: Path) -> None:
    folder = finished(tmp_path / "shop")
    merge(folder, "--no-ff")
    git(folder, "switch", "--quiet", "phasebot/shop")
    git(folder, "merge", "--quiet", "--ff-only", "main")
    plan = content(folder, ".phasebot/plan.yaml").replace("    name: string\n", "    name: string\n    size: integer\n")
    person(folder, "Edit the plan", {".phasebot/plan.yaml": plan})

    well(folder, "generate", "--jobs", 1)

    made = git(folder, "log", "--reverse", "--format=%s", "main..").split("\n")
    assert made == [
        "Edit the plan",
        "Generate entity Item [3/6]",
        "Generate support files [5/6]",
    ]
    assert_settled(folder)
