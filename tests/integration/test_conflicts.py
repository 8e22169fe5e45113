"""Conflicts with people's edits, files that were there before, and how people resolve them."""

from pathlib import Path

import pytest

from tests.history_picture import (
    Told,
    assert_settled,
    bot,
    content,
    edit_plan,
    generate,
    head,
    own,
    person,
    phase_commit,
    replace,
    well,
    work,
    write_recipe,
)
from tests.repositories import SMALL, ScriptedProvider, git, leaving_out, new_repository

ITEM = "app/models/item.py"
CONFLICT = (
    f"conflict in {ITEM}: your version stays; edit and commit it, "
    "or take the new one with 'phasebot regenerate entity/Item --run shop --discard-edits', "
    "which drops all edits in files of entity/Item"
)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Return a finished run in whose plan and file people changed the same lines."""
    folder = own(tmp_path / "shop", write_recipe(tmp_path / "recipe"))
    person(folder, "Mine", replace(folder, ITEM, "# name: string\n", "# my name\n"))
    edit_plan(folder, "name: string", "name: text")
    return folder


def conflict(folder: Path) -> Told:
    """Generate, which comes to the conflict."""
    told = bot(folder, "generate", "--jobs", 1, "--format", "json")
    assert told.code == 3
    return told


def test_a_run_with_a_conflict_is_no_success(shop: Path) -> None:
    told = conflict(shop)

    assert told.err.endswith(f"phasebot: {CONFLICT.replace('regenerate', f'regenerate --repo {shop}')}\n")
    assert not told.json()["complete"]
    assert told.phase("entity/Item")["conflicts"] == [ITEM]
    assert "# my name\n" in content(shop, ITEM)
    assert "1 of them not written: people's files stay." in git(
        shop, "log", "-1", "--format=%b", phase_commit(shop, "entity/Item")
    )
    status = well(shop, "status")
    assert status.out.split("\n")[-2].startswith("complete with 1 conflict: 6 of 6 phases, ")
    assert "-# my name\n+# name: text\n" in status.err, "the change that was not written"
    assert status.err.endswith(f"phasebot: {CONFLICT}\n")


def test_it_stays_one_until_somebody_acts(shop: Path) -> None:
    conflict(shop)
    before = head(shop)

    again = bot(shop, "generate")

    assert (again.code, head(shop)) == (3, before)
    assert again.err.endswith(f"phasebot: {CONFLICT.replace('regenerate', f'regenerate --repo {shop}')}\n")


def test_touching_the_file_resolves_it(shop: Path) -> None:
    conflict(shop)

    person(shop, "Resolve", replace(shop, ITEM, "# my name\n", "# my name: text\n"))

    assert well(shop, "status", "--format", "json").json()["complete"]
    assert_settled(shop)
    git(shop, "revert", "--no-edit", "HEAD")
    assert bot(shop, "generate").code == 3, "the file is as it was, and so is the conflict"


def test_the_new_version_may_be_taken(shop: Path) -> None:
    conflict(shop)

    told = well(shop, "regenerate", "entity/Item", "--discard-edits", "--format", "json")

    assert told.phase("entity/Item")["conflicts"] == []
    assert told.phase("entity/Item")["edited"] == []
    assert "# name: text\n" in content(shop, ITEM)
    assert f"Phasebot-Discarded: {ITEM}" in git(shop, "log", "-1", "--format=%B")
    edit_plan(shop, "name: text", "name: string")
    well(shop, "generate")
    assert "# name: string\n" in content(shop, ITEM)
    assert_settled(shop)


def test_a_new_version_that_fits_resolves_it(shop: Path) -> None:
    conflict(shop)
    edit_plan(shop, "name: text", "name: string")

    told = well(shop, "generate", "--format", "json")

    assert told.phase("entity/Item")["conflicts"] == []
    assert "# my name\n" in content(shop, ITEM)


def test_completing_a_phase_leaves_its_conflict_open(shop: Path) -> None:
    half = ScriptedProvider({"entity/Item": leaving_out("app/routers/item.py")})
    work(shop, half)
    assert "# name: text" not in content(shop, "app/routers/item.py")

    told = conflict(shop)

    assert "# name: text" in content(shop, "app/routers/item.py")
    assert told.phase("entity/Item")["conflicts"] == [ITEM]


def test_a_rollback_ends_it(shop: Path) -> None:
    conflict(shop)

    well(shop, "rollback", "entity/Item", "--cascade", "--discard-edits")

    assert bot(shop, "status", "--format", "json").phase("entity/Item")["conflicts"] == []
    well(shop, "generate", "--jobs", 1)
    assert_settled(shop)


def test_a_removed_file_stays_removed(shop: Path) -> None:
    person(shop, "Remove it", {ITEM: None})

    told = well(shop, "generate", "--jobs", 1, "--format", "json")

    assert told.phase("entity/Item")["conflicts"] == [ITEM]
    assert "removed by people: " + ITEM in well(shop, "status").out
    assert not (shop / ITEM).exists()
    assert_settled(shop)


NOTE = "# Note\n\n- Note: text text\n"


@pytest.mark.parametrize("name", ["README.md", "Readme.md"])
def test_a_file_that_was_there_before_is_no_conflict(tmp_path: Path, name: str) -> None:
    folder = new_repository(tmp_path / "note", {name: "# Mine\n"})
    git(folder, "switch", "--quiet", "-c", "phasebot/note")

    told = generate(folder, NOTE, "--run", "note", "--jobs", 1, "--format", "json")

    advice = {
        "README.md": "kept your README.md; "
        "'phasebot regenerate support --run note --discard-edits' takes the generated one",
        "Readme.md": "kept your Readme.md, which is in the way of README.md; to get the generated one, "
        "rename yours on phasebot/note, commit that, and run generate again",
    }
    assert f"note: {advice[name]}\n" in told.err
    assert told.json()["complete"]
    assert told.phase("support")["conflicts"] == []
    assert told.phase("support")["files"] == [".gitignore"]
    assert content(folder, name) == "# Mine\n"
    assert "Phasebot-Kept: README.md" in git(folder, "log", "-1", "--format=%B", phase_commit(folder, "support"))
    assert "kept your" not in well(folder, "generate").err
    assert f"kept yours: {name}" in well(folder, "status").out
    assert_settled(folder)


def test_it_is_replaced_when_somebody_asks_for_that_and_comes_back_with_a_rollback(tmp_path: Path) -> None:
    folder = new_repository(tmp_path / "note", {"README.md": "# Mine\n"})
    git(folder, "switch", "--quiet", "-c", "phasebot/note")
    generate(folder, NOTE, "--run", "note", "--jobs", 1)

    taken = well(folder, "regenerate", "support", "--discard-edits", "--format", "json")
    readme = content(folder, "README.md")
    well(folder, "rollback", "support")
    rolled_back = content(folder, "README.md")
    well(folder, "generate")

    assert taken.phase("support")["files"] == ["README.md", ".gitignore"]
    assert readme.startswith("# Note")
    assert (rolled_back, content(folder, "README.md")) == ("# Mine\n", "# Mine\n")
    assert_settled(folder)


def test_a_branch_made_before_named_it_a_conflict(tmp_path: Path) -> None:
    folder = new_repository(tmp_path / "note", {"README.md": "# Mine\n"})
    git(folder, "switch", "--quiet", "-c", "phasebot/note")
    generate(folder, NOTE, "--run", "note", "--jobs", 1, "--only", "plan", "--only", "core", "--only", "support")
    message = git(folder, "log", "-1", "--format=%B").replace("Phasebot-Kept", "Phasebot-Conflict")
    git(folder, "commit", "--quiet", "--amend", "-m", message)

    told = well(folder, "generate", "--jobs", 1, "--format", "json")

    assert told.json()["complete"]
    assert told.phase("support")["conflicts"] == []


@pytest.mark.parametrize(
    ("in_the_way", "name"), [({"app": "a file\n"}, "app"), ({"App/mine.py": "MINE = 1\n"}, "App")], ids=["file", "case"]
)
def test_what_is_in_the_way_is_named_and_once_it_is_gone_the_files_are_made(
    tmp_path: Path, in_the_way: dict[str, str], name: str
) -> None:
    folder = new_repository(tmp_path / "note", in_the_way)
    git(folder, "switch", "--quiet", "-c", "phasebot/note")

    told = bot(folder, "generate", NOTE, "--recipe", SMALL, "--run", "note", "--jobs", 1)

    why = ", because the names differ only in case" if name == "App" else ""
    assert told.code == 3
    assert (
        f"conflict: {name} is in the way of app/__init__.py, app/db.py, app/models/note.py and 1 more{why}; "
        "move it on phasebot/note, commit that, "
        f"and run 'phasebot generate --repo {folder} --run note --jobs 1' again\n"
    ) in told.err
    person(folder, "Move mine", {**dict.fromkeys(in_the_way), "mine.py": "MINE = 1\n"})
    assert well(folder, "generate", "--jobs", 1, "--format", "json").json()["complete"]
    assert content(folder, "app/db.py") == "# The core.\n"
    assert_settled(folder)


def test_a_folder_is_never_discarded(tmp_path: Path) -> None:
    folder = own(tmp_path / "shop", write_recipe(tmp_path / "recipe"))
    person(folder, "A folder", {ITEM: None, f"{ITEM}/mine.txt": "mine\n"})

    told = bot(folder, "regenerate", "entity/Item", "--discard-edits")

    assert told.code == 3
    assert f"conflict: {ITEM} is a folder or link, and not a file; move it on phasebot/shop" in told.err
    assert content(folder, f"{ITEM}/mine.txt") == "mine\n"


def test_what_is_discarded_is_named(shop: Path) -> None:
    conflict(shop)
    person(shop, "Mine", {"app/routers/item.py": "# mine\n"})
    before = head(shop)

    told = well(shop, "regenerate", "entity/Item", "--discard-edits")

    assert (
        f"note: discarded people's edits in {ITEM}, app/routers/item.py; commit {before[:10]} still holds them\n"
    ) in told.err


def test_the_advice_names_the_run(shop: Path) -> None:
    git(shop, "switch", "--quiet", "main")

    told = bot(shop, "generate", "--run", "shop", "--jobs", 1)

    assert f"'phasebot regenerate --repo {shop} entity/Item --run shop --discard-edits'" in told.err
