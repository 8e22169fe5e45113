"""Trailers that a person wrote by hand: wrong ones lose nobody's lines, and the next run repairs the rest."""

from pathlib import Path

import pytest

from tests.history_picture import (
    assert_settled,
    bot,
    commits,
    content,
    finished,
    head,
    person,
    phase_commit,
    replace,
    tree,
    well,
)
from tests.repositories import git

ITEM = "app/models/item.py"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A complete run, with its branch checked out."""
    return finished(tmp_path / "shop")


def forged(*facts: str) -> str:
    """Return a paragraph of trailers that anybody may write."""
    return "\n".join(["Phasebot-Run: shop", *facts])


@pytest.mark.parametrize(
    "facts",
    [
        ("Phasebot-Phase: entity/Nope", "Phasebot-Status: complete"),
        ("Phasebot-Phase: main",),
        ("Phasebot-Phase: main", "Phasebot-Status: done"),
        ("Phasebot-Reverts: entity/Nope",),
        ("Phasebot-Reverts: ../../etc",),
        ("Phasebot-Status: complete",),
        ("Phasebot-Phase: plan", "Phasebot-Status: complete"),
        ("Phasebot-Phase: plan", "Phasebot-Status: partial", "Phasebot-Missing: /etc/passwd"),
    ],
)
def test_trailers_of_what_is_not_there_change_nothing(shop: Path, facts: tuple[str, ...]) -> None:
    person(shop, "Forged", {"NOTES.md": "mine\n"}, forged(*facts))

    assert_settled(shop)
    assert content(shop, "NOTES.md") == "mine\n"


def test_a_revert_of_a_commit_that_is_missing_changes_nothing(shop: Path) -> None:
    person(shop, "Revert", {}, f"This reverts commit {'1' * 40}.")

    assert_settled(shop)


def test_a_phase_that_is_forged_with_files_of_another_loses_no_persons_line(shop: Path) -> None:
    inputs = git(shop, "log", "-1", "--format=%(trailers:key=Phasebot-Inputs)", phase_commit(shop, "main"))
    facts = forged("Phasebot-Phase: main", "Phasebot-Status: complete", inputs.strip())
    person(shop, "Forged", replace(shop, ITEM, "# Item", "# My item"), facts)

    well(shop, "regenerate", "entity/Item")

    assert content(shop, ITEM).startswith("# My item")
    assert well(shop, "status", "--format", "json").phase("entity/Item")["edited"] == [ITEM]


def test_a_forged_commit_without_inputs_is_made_again(shop: Path) -> None:
    person(shop, "Forged", {"main.py": None}, forged("Phasebot-Phase: main", "Phasebot-Status: complete"))

    well(shop, "generate")

    assert "main.py" in tree(shop)
    assert_settled(shop)


def test_missing_files_that_are_forged_are_no_way_out(shop: Path) -> None:
    inputs = git(shop, "log", "-1", "--format=%(trailers:key=Phasebot-Inputs)", phase_commit(shop, "main"))
    facts = ("Phasebot-Phase: main", "Phasebot-Status: partial", inputs.strip())
    person(shop, "Forged", {}, forged(*facts, "Phasebot-Missing: ../../x", "Phasebot-Missing: LICENSE"))
    before = head(shop)

    told = bot(shop, "generate")

    assert content(shop, "LICENSE") == "none\n"
    assert "x" not in commits(shop, before)
    assert told.code == 0


def test_a_forged_rollback_can_be_made_good(shop: Path) -> None:
    whole = head(shop, "HEAD^{tree}")
    person(shop, "Forged", {"app/db.py": None, "LICENSE": None}, forged("Phasebot-Reverts: core"))

    well(shop, "generate")

    assert "app/db.py" in tree(shop)
    assert "LICENSE" not in tree(shop)
    git(shop, "checkout", "--quiet", "main", "--", "LICENSE")
    person(shop, "Licence")
    assert head(shop, "HEAD^{tree}") == whole


def test_trailers_of_another_run_are_a_persons(shop: Path) -> None:
    facts = ("Phasebot-Run: other", "Phasebot-Phase: entity/Item", "Phasebot-Status: complete")
    person(shop, "Other", replace(shop, ITEM, "# Item", "# My item"), "\n".join(facts))

    assert well(shop, "status", "--format", "json").phase("entity/Item")["edited"] == [ITEM]
    assert_settled(shop)
