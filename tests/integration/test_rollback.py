"""Phases that are rolled back, by a command or by ``git revert``, and generated again."""

import asyncio
from pathlib import Path

import pytest

from bot.engine import factory
from bot.engine.requests import Requester, RollbackRequest
from tests.history_picture import (
    SHOP,
    assert_settled,
    bot,
    commits,
    content,
    finished,
    first_edition,
    generate,
    head,
    person,
    phase_commit,
    picture,
    replace,
    tree,
    well,
    work,
    write_recipe,
)
from tests.repositories import ScriptedProvider, git, leaving_out, new_repository, open_run, phasebot

ITEM = "app/models/item.py"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A complete run, with its branch checked out."""
    return finished(tmp_path / "shop")


def statuses(folder: Path) -> dict[str, str]:
    """Return the phases that are not complete, and what they are."""
    phases = well(folder, "status", "--format", "json").json()["phases"]
    return {each["key"]: each["status"] for each in phases if each["status"] != "complete"}


# ---- what goes


def test_a_phase_is_taken_back_in_one_commit_and_made_again(shop: Path) -> None:
    before, whole = head(shop), head(shop, "HEAD^{tree}")

    told = well(shop, "rollback", "main", "--format", "json")

    assert (
        picture(shop, before)
        == """\
Roll back main  Reverts: main
  D main.py
--
.gitignore
.phasebot/plan.yaml
.phasebot/spec.md
LICENSE
README.md
app/__init__.py
app/db.py
app/models/item.py
app/models/order.py
app/routers/item.py
app/routers/order.py
"""
    )
    assert told.phase("main")["status"] == "reverted"
    assert git(shop, "status", "--porcelain") == ""
    assert not (shop / "main.py").exists()
    well(shop, "generate")
    assert head(shop, "HEAD^{tree}") == whole
    assert_settled(shop)


def test_several_phases_are_one_commit(shop: Path) -> None:
    before = head(shop)

    well(shop, "rollback", "support", "main", "support")

    assert (
        commits(shop, before)
        == """\
Roll back 2 phases  Reverts: support  Reverts: main
  D .gitignore
  D README.md
  D main.py
"""
    )
    assert statuses(shop) == {"support": "reverted", "main": "reverted"}


def test_to_a_phase_takes_back_all_that_come_after_it(shop: Path) -> None:
    before = head(shop)

    well(shop, "rollback", "--to", "entity/Item")

    assert (
        commits(shop, before)
        == """\
Roll back 3 phases  Reverts: entity/Order  Reverts: support  Reverts: main
  D .gitignore
  D README.md
  D app/models/order.py
  D app/routers/order.py
  D main.py
"""
    )


def test_to_the_plan_takes_back_all_but_the_plan(shop: Path) -> None:
    well(shop, "rollback", "--to", "plan")

    assert tree(shop) == [".phasebot/plan.yaml", ".phasebot/spec.md", "LICENSE"]
    told = bot(shop, "rollback", "--to", "plan")
    assert (told.code, "no phase after plan is generated" in told.err) == (2, True)


def test_what_needs_it_is_listed_and_only_goes_with_cascade(shop: Path) -> None:
    before = head(shop)

    told = bot(shop, "rollback", "core")

    assert told.code == 2
    assert told.err == (
        "phasebot: rolling back core: entity/Item, entity/Order, main depend on it; "
        "add --cascade to roll back entity/Item, entity/Order, main too\n"
    )
    assert head(shop) == before
    well(shop, "rollback", "core", "--cascade")
    assert commits(shop, before).split("\n")[0] == (
        "Roll back 4 phases  Reverts: core  Reverts: entity/Item  Reverts: entity/Order  Reverts: main"
    )
    assert tree(shop) == [".gitignore", ".phasebot/plan.yaml", ".phasebot/spec.md", "LICENSE", "README.md"]


def test_a_file_of_a_person_in_the_base_comes_back(tmp_path: Path) -> None:
    folder = new_repository(tmp_path / "shop", {"README.md": "# Ours\n", "main.py": "ours = 1\n"})
    git(folder, "switch", "--quiet", "-c", "phasebot/shop")
    generate(folder, SHOP, "--run", "shop")
    before, whole = head(folder), head(folder, "HEAD^{tree}")

    well(folder, "rollback", "support", "main", "--discard-edits")

    assert content(folder, "README.md") == "# Ours\n"
    assert content(folder, "main.py") == "ours = 1\n"
    assert commits(folder, before).startswith("Roll back 2 phases  Reverts: support  Reverts: main\n")
    well(folder, "generate")
    assert head(folder, "HEAD^{tree}") == whole


# ---- what people did


def test_what_people_edited_is_shown_first_and_stays(shop: Path) -> None:
    before = person(shop, "Mine", replace(shop, "main.py", "# Shop", "# My shop"))

    told = well(shop, "rollback", "main", "support")

    assert told.err.startswith("kept, because people edited it: main.py; --discard-edits removes it, too\n")
    assert (
        commits(shop, before)
        == """\
Roll back 2 phases  Reverts: support  Reverts: main
  D .gitignore
  D README.md
"""
    )
    assert "Kept, because people edited it: main.py" in git(shop, "log", "-1", "--format=%B")
    assert statuses(shop) == {"support": "reverted", "main": "reverted"}


def test_what_stays_is_merged_when_the_phase_is_made_again(tmp_path: Path) -> None:
    shop = finished(tmp_path / "shop", recipe=first_edition())
    before = person(shop, "Mine", replace(shop, ITEM, "# The end", "# My end"))
    well(shop, "rollback", "entity/Item", "--cascade")
    write_recipe(first_edition(), 2)

    told = well(shop, "generate", "--jobs", 1, "--format", "json")

    assert (
        commits(shop, before)
        == """\
Roll back 2 phases  Reverts: entity/Item  Reverts: main
  D app/routers/item.py
  D main.py
Generate entity Item [3/6]  Phase: entity/Item  Status: complete
  M app/models/item.py
  A app/routers/item.py
Generate main application [6/6]  Phase: main  Status: complete
  A main.py
"""
    )
    assert content(shop, ITEM) == "# Item, edition 2.\n#\n#\n# name: string\n#\n#\n# My end of Item.\n"
    assert told.phase("entity/Item")["edited"] == [ITEM]
    assert_settled(shop)


def test_discarding_edits_takes_them_too_and_says_where_they_are(shop: Path) -> None:
    mine = person(shop, "Mine", replace(shop, "main.py", "# Shop", "# My shop"))

    told = well(shop, "rollback", "main", "--discard-edits")

    assert told.err.startswith(f"discarding people's edits in main.py; commit {mine[:10]} still holds them\n")
    assert commits(shop, mine) == "Roll back main  Reverts: main\n  D main.py\n"
    well(shop, "generate")
    assert content(shop, "main.py") == "# Shop\n# Item\n# Order\n"
    assert well(shop, "status", "--format", "json").phase("main")["edited"] == []


def test_discarding_edits_names_a_file_that_was_a_persons_from_the_beginning(tmp_path: Path) -> None:
    shop = new_repository(tmp_path / "shop")
    git(shop, "switch", "--quiet", "-c", "phasebot/shop")
    person(shop, "Mine", {"README.md": "mine\n"})
    generate(shop, SHOP)
    git(shop, "switch", "--quiet", "phasebot/shop")
    mine = head(shop)

    told = well(shop, "rollback", "support", "--discard-edits")

    assert told.err.startswith(f"discarding people's edits in README.md; commit {mine[:10]} still holds them\n")
    assert commits(shop, mine) == "Roll back support  Reverts: support\n  D .gitignore\n  D README.md\n"


def test_a_file_that_a_person_removed_is_theirs_to_remove(shop: Path) -> None:
    mine = person(shop, "Mine", {"README.md": None})

    well(shop, "rollback", "support")

    assert commits(shop, mine) == "Roll back support  Reverts: support\n  D .gitignore\n"


def test_a_folder_or_a_link_in_place_of_a_file_stays(shop: Path) -> None:
    (shop / ".gitignore").unlink()
    (shop / ".gitignore").symlink_to("README.md")
    git(shop, "add", "--all")
    person(shop, "Mine", {"main.py": None})
    mine = person(shop, "Mine", {"main.py/inside": "mine\n"})

    well(shop, "rollback", "support", "main")

    assert commits(shop, mine) == "Roll back 2 phases  Reverts: support  Reverts: main\n  D README.md\n"
    assert content(shop, "main.py/inside") == "mine\n"


def test_what_is_not_committed_stays_in_the_worktree(shop: Path) -> None:
    (shop / "main.py").write_text("not committed\n")

    well(shop, "rollback", "main")

    assert (shop / "main.py").read_text() == "not committed\n"


# ---- people's own reverts


def test_a_persons_revert_of_a_phase_counts_and_so_does_its_revert(shop: Path) -> None:
    git(shop, "revert", "--no-edit", phase_commit(shop, "main"))
    first, before = statuses(shop), head(shop)
    git(shop, "revert", "--no-edit", "HEAD")
    second = statuses(shop)

    assert (first, second) == ({"main": "reverted"}, {})
    assert commits(shop, before).endswith("  A main.py\n")
    assert_settled(shop)


@pytest.mark.parametrize("subject", ['Revert "Generate main application"', "Undo"])
def test_the_text_of_githubs_button_counts_whatever_the_subject(shop: Path, subject: str) -> None:
    oid = phase_commit(shop, "main")
    person(shop, subject, {"main.py": None}, f"This reverts commit {oid}.")

    assert statuses(shop) == {"main": "reverted"}


def test_a_subject_alone_takes_nothing_back(shop: Path) -> None:
    person(shop, 'Revert "Generate main application [6/6]"', {"main.py": None})

    assert statuses(shop) == {}
    assert_settled(shop)


def test_a_persons_revert_of_a_rollback_brings_the_phases_back(shop: Path) -> None:
    whole = head(shop, "HEAD^{tree}")
    well(shop, "rollback", "support", "main")
    git(shop, "revert", "--no-edit", "HEAD")

    assert statuses(shop) == {}
    assert head(shop, "HEAD^{tree}") == whole
    assert_settled(shop)
    git(shop, "revert", "--no-edit", "HEAD")
    assert statuses(shop) == {"support": "reverted", "main": "reverted"}


def test_a_revert_in_part_keeps_the_persons_lines_when_made_again(tmp_path: Path) -> None:
    shop = finished(tmp_path / "shop", recipe=first_edition())
    person(shop, "Mine", replace(shop, ITEM, "# The end", "# My end"))
    oid = phase_commit(shop, "entity/Item")
    person(shop, "Revert", {"app/routers/item.py": None}, f"This reverts commit {oid}.")

    well(shop, "generate")

    assert "# My end of Item." in content(shop, ITEM)


def test_a_squashed_revert_of_two_takes_both_back(shop: Path) -> None:
    git(shop, "revert", "--no-commit", phase_commit(shop, "main"), phase_commit(shop, "support"))
    told = [f"This reverts commit {phase_commit(shop, key)}." for key in ("main", "support")]
    git(shop, "commit", "--quiet", "-m", "Revert two", *(word for text in told for word in ("-m", text)))

    assert statuses(shop) == {"support": "reverted", "main": "reverted"}
    git(shop, "revert", "--no-edit", "HEAD")
    assert statuses(shop) == {}


def test_a_revert_that_keeps_a_persons_lines_in_the_file_loses_none_when_it_is_made_again(tmp_path: Path) -> None:
    shop = finished(tmp_path / "shop", recipe=first_edition())
    write_recipe(first_edition(), 2)
    well(shop, "regenerate", "entity/Item")
    person(shop, "Mine", replace(shop, ITEM, "# The end", "# My end"))
    git(shop, "revert", "--no-edit", phase_commit(shop, "entity/Item"))
    assert "edition 1" in content(shop, ITEM)
    write_recipe(first_edition(), 3)

    well(shop, "generate")

    assert content(shop, ITEM) == "# Item, edition 3.\n#\n#\n# name: string\n#\n#\n# My end of Item.\n"
    assert_settled(shop)


# ---- what can't be


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "name phases, or one with --to"),
        (("main", "--to", "core"), "name phases, or one with --to"),
        (("plan",), "rolling back plan: every phase needs it; delete the branch to start again"),
        (("plan", "--cascade"), "rolling back plan"),
        (("mian",), "phase 'mian' is not in the plan; phases are: main, plan"),
        (("--to", "mian"), "phase 'mian' is not in the plan; phases are: main, plan"),
        (("main", "entity/Nope"), "phase 'entity/Nope' is not in the plan"),
        (("--to", "main"), "nothing to roll back: no phase after main is generated on phasebot/shop"),
        (("main", "--run", "nothing"), "it has no plan"),
    ],
)
def test_what_can_not_be_taken_back_is_refused_and_nothing_is_written(
    shop: Path, arguments: tuple[str, ...], message: str
) -> None:
    before = git(shop, "for-each-ref")

    told = bot(shop, "rollback", *arguments)

    assert told.code == 2
    assert message in told.err
    assert told.out == ""
    assert git(shop, "for-each-ref") == before


def test_what_was_taken_back_or_never_made_can_not_be_taken_back(tmp_path: Path) -> None:
    folder = new_repository(tmp_path / "shop")
    git(folder, "switch", "--quiet", "-c", "phasebot/shop")
    generate(folder, SHOP, "--run", "shop", "--only", "core", "--only", "support")
    well(folder, "rollback", "support")
    before = head(folder)

    for keys in (["support"], ["main"], ["core", "main"]):
        told = bot(folder, "rollback", *keys)
        assert told.code == 2
        assert (
            f"cannot roll back {keys[-1]}: it has not been generated on phasebot/shop; 'phasebot status' lists"
            in told.err
        )
    assert head(folder) == before


def test_a_partial_phase_is_taken_back_like_any_other(shop: Path) -> None:
    well(shop, "rollback", "support")
    work(shop, ScriptedProvider({"support": leaving_out("README.md")}))
    before = head(shop)

    well(shop, "rollback", "support")

    assert commits(shop, before) == "Roll back support  Reverts: support\n  D .gitignore\n"


def test_the_same_comment_takes_back_once(shop: Path) -> None:
    def ask() -> str:
        request = RollbackRequest(phases=["main"], requester=Requester("alice", "2"))
        return asyncio.run(factory.roll_back_phases(open_run(shop, "shop"), request, print)).state.phases[-1].status

    before = head(shop)
    first, second = ask(), ask()
    well(shop, "generate")
    third = ask()

    assert (first, second, third) == ("reverted", "reverted", "complete")
    assert (
        commits(shop, before)
        == """\
Roll back main  Reverts: main
  D main.py
Generate main application [6/6]  Phase: main  Status: complete
  A main.py
"""
    )


def test_from_outside_it_is_the_same(shop: Path) -> None:
    before = head(shop)

    done = phasebot("rollback", "main", "--repo", shop)

    assert done.returncode == 0
    assert done.stdout == f"incomplete: 5 of 6 phases, 10 files on phasebot/shop at {head(shop)[:7]}\n"
    assert commits(shop, before) == "Roll back main  Reverts: main\n  D main.py\n"
