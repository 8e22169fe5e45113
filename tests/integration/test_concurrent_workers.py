"""Several workers on one branch, and people who rewrite it: nothing is doubled, no edit is lost."""

import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from bot.engine.requests import RunRequest
from bot.generation.provider import GenerationRequest, GenerationResult
from bot.generation.templates import TemplateProvider
from tests.history_picture import (
    SHOP,
    assert_settled,
    bot,
    commits,
    content,
    edit_plan,
    finished,
    first_edition,
    head,
    person,
    phase_commit,
    replace,
    tree,
    unmet,
    well,
    work,
    write_recipe,
)
from tests.repositories import SMALL, ScriptedProvider, clone, git, new_origin, phasebot, trust

ITEM = "app/models/item.py"
PHASES = ["plan", "core", "entity/Item", "entity/Order", "support", "main"]


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    return new_origin(tmp_path / "origin.git")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A complete run, with its branch checked out."""
    return finished(tmp_path / "shop")


@pytest.fixture
def shared(tmp_path: Path, shop: Path) -> Path:
    """A bare repository that has the complete run."""
    subprocess.run(["git", "clone", "--quiet", "--bare", str(shop), str(tmp_path / "shared.git")], check=True)
    git(tmp_path / "shared.git", "symbolic-ref", "HEAD", "refs/heads/main")
    return tmp_path / "shared.git"


def at(origin: Path, folder: Path) -> Path:
    """Clone *origin* and check the run's branch out."""
    clone(origin, folder)
    git(folder, "switch", "--quiet", "phasebot/shop")
    return folder


def made(folder: Path, ref: str = "phasebot/shop") -> list[str]:
    """Return the phases that have commits on the branch, in order of name."""
    rows = git(folder, "log", "--format=%(trailers:key=Phasebot-Phase,valueonly,separator=)", ref).split("\n")
    return sorted(row for row in rows if row)


def meanwhile(do: Callable[[], object]) -> Callable[[GenerationRequest], Awaitable[GenerationResult]]:
    """Make a phase, and *do* something while it is under way, once."""
    done: list[bool] = []

    async def act(request: GenerationRequest) -> GenerationResult:
        if not done:
            done.append(True)
            do()
        return await TemplateProvider().generate(request)

    return act


# ---- several processes


def test_three_workers_on_phases_of_their_own_make_one_run(origin: Path, tmp_path: Path) -> None:
    first = clone(origin, tmp_path / "first")
    well(first, "generate", SHOP, "--recipe", SMALL, "--run", "shop", "--only", "core")
    folders = [clone(origin, tmp_path / name) for name in ("one", "two", "three")]
    shares = [("entity/Item",), ("entity/Order",), ("support",)]
    command = [sys.executable, "-m", "bot", "generate", "--run", "shop"]

    running = [
        subprocess.Popen([*command, "--repo", str(folder), *(w for key in share for w in ("--only", key))])
        for folder, share in zip(folders, shares, strict=True)
    ]
    assert [process.wait(120) for process in running] == [0, 0, 0]
    well(first, "generate", "--run", "shop")

    assert made(origin) == sorted(PHASES)
    assert git(origin, "rev-list", "--count", "--merges", "phasebot/shop") == "0"
    assert head(first, "phasebot/shop") == head(origin, "phasebot/shop")
    assert tree(origin, "phasebot/shop")[-1] == "main.py"


def test_two_that_make_a_phase_again_at_once_end_in_one_line(shared: Path, tmp_path: Path) -> None:
    one, two = at(shared, tmp_path / "one"), at(shared, tmp_path / "two")
    before = head(one)

    def other() -> None:
        assert phasebot("regenerate", "entity/Item", "--repo", two).returncode == 0

    work(one, ScriptedProvider({"entity/Item": meanwhile(other)}), request=RunRequest(regenerate=["entity/Item"]))

    assert head(one) == head(shared, "phasebot/shop")
    assert commits(one, before) == "Generate entity Item [3/6]  Phase: entity/Item  Status: complete\n"
    assert_settled(one)


def test_instructions_of_two_at_once_both_stay(shared: Path, tmp_path: Path) -> None:
    one, two = at(shared, tmp_path / "one"), at(shared, tmp_path / "two")

    def other() -> None:
        assert phasebot("regenerate", "entity/Order", "--instruction", "Of two.", "--repo", two).returncode == 3

    provider = ScriptedProvider({"entity/Item": meanwhile(other)})
    outcome = work(one, provider, request=RunRequest(regenerate=["entity/Item"], instruction="Of one."))

    assert outcome.error is None
    plan = content(shared, ".phasebot/plan.yaml", "phasebot/shop")
    assert "entity/Item: Of one." in plan
    assert "entity/Order: Of two." in plan
    unmet(one, "generate")
    assert_settled(one, 3)
    assert well(one, "status", "--format", "json").stale().get("entity/Item") != "plan"


def test_an_instruction_that_could_not_be_pushed_goes_on_top_of_anothers(shared: Path, tmp_path: Path) -> None:
    one, two = at(shared, tmp_path / "one"), at(shared, tmp_path / "two")
    unmet(one, "regenerate", "core", "--instruction", "Of one.", "--no-push")
    unmet(two, "regenerate", "support", "--instruction", "Of two.")

    unmet(one, "generate")

    plan = content(shared, ".phasebot/plan.yaml", "phasebot/shop")
    assert ("Of one." in plan, "Of two." in plan) == (True, True)
    assert_settled(one, 3)


def test_a_rollback_on_top_of_what_others_pushed(shared: Path, tmp_path: Path) -> None:
    one, two = at(shared, tmp_path / "one"), at(shared, tmp_path / "two")
    before = person(two, "Mine", {"NOTES.md": "mine\n"})
    git(two, "push", "--quiet")

    well(one, "rollback", "main")

    assert commits(shared, before, "phasebot/shop") == "Roll back main  Reverts: main\n  D main.py\n"
    assert content(shared, "NOTES.md", "phasebot/shop") == "mine\n"


def test_a_rollback_that_was_not_pushed_is_not_lost(shared: Path, tmp_path: Path) -> None:
    one, two = at(shared, tmp_path / "one"), at(shared, tmp_path / "two")
    well(one, "rollback", "main", "--no-push")
    person(two, "Mine", {"main.py": "mine\n"})
    git(two, "push", "--quiet")

    told = bot(one, "generate")

    assert told.code == 0, told.err
    assert content(shared, "main.py", "phasebot/shop") == "mine\n"
    assert head(one) == head(shared, "phasebot/shop")
    assert_settled(one)


def test_a_phase_made_again_goes_on_top_of_its_own_rollback(shared: Path, tmp_path: Path) -> None:
    one, two = at(shared, tmp_path / "one"), at(shared, tmp_path / "two")
    edit_plan(one, "  Item:", "  Crate:\n    size: integer\n  Item:")
    well(one, "generate", "--no-push")
    well(two, "rollback", "main")
    before = head(shared, "phasebot/shop")

    well(one, "generate")

    assert "Conflict" not in commits(shared, before, "phasebot/shop")
    assert content(shared, "main.py", "phasebot/shop") == "# Shop\n# Crate\n# Item\n# Order\n"
    assert_settled(one)


def test_a_phase_made_again_as_it_was_brings_its_files_on_top_of_its_own_rollback(shared: Path, tmp_path: Path) -> None:
    one, two = at(shared, tmp_path / "one"), at(shared, tmp_path / "two")
    well(one, "regenerate", "support", "--no-push")
    well(two, "rollback", "support")
    before = head(shared, "phasebot/shop")

    well(one, "generate")

    assert (
        commits(shared, before, "phasebot/shop")
        == """\
Generate support files [5/6]  Phase: support  Status: complete
  A .gitignore
  A README.md
"""
    )
    assert_settled(one)


def test_a_revert_of_a_commit_that_was_put_on_top_of_others_still_counts(shared: Path, tmp_path: Path) -> None:
    one, two = at(shared, tmp_path / "one"), at(shared, tmp_path / "two")
    edit_plan(one, "  Item:", "  Crate:\n    size: integer\n  Item:")
    well(one, "generate", "--no-push")
    git(one, "revert", "--no-edit", phase_commit(one, "entity/Crate"))
    person(two, "Mine", {"NOTES.md": "mine\n"})
    git(two, "push", "--quiet")

    well(one, "generate")

    assert made(shared).count("entity/Crate") == 2
    assert "app/models/crate.py" in tree(shared, "phasebot/shop")
    assert phase_commit(one, "entity/Crate", "HEAD~2") in git(one, "log", "--format=%b", "--grep=^Revert")
    assert_settled(one)


def test_two_changes_of_one_file_are_both_merged_with_what_was_pushed(shared: Path, tmp_path: Path) -> None:
    one, two = at(shared, tmp_path / "one"), at(shared, tmp_path / "two")
    rows = [f"{number}\n" for number in range(30)]
    person(two, "Rows", {"NOTES.md": "".join(rows)})
    git(two, "push", "--quiet")
    git(one, "pull", "--quiet")
    person(one, "First", replace(one, "NOTES.md", "\n5\n", "\nfirst\n"))
    person(one, "Second", replace(one, "NOTES.md", "\n25\n", "\nsecond\n"))
    person(two, "Third", replace(two, "NOTES.md", "\n15\n", "\nthird\n"))
    git(two, "push", "--quiet")

    well(one, "generate")

    rows[5], rows[15], rows[25] = "first\n", "third\n", "second\n"
    assert content(shared, "NOTES.md", "phasebot/shop") == "".join(rows)
    assert_settled(one)


def test_a_worktree_in_which_a_person_commits_beside_the_run_follows_on(tmp_path: Path) -> None:
    one = finished(tmp_path / "one", recipe=first_edition())
    write_recipe(first_edition(), 2)

    def other() -> None:
        person(one, "Mine", replace(one, ITEM, "# The end", "# My end"))

    provider = ScriptedProvider({"entity/Item": meanwhile(other)})
    work(one, provider, request=RunRequest(regenerate=["entity/Item", "entity/Order"]))

    assert git(one, "status", "--porcelain") == ""
    assert (one / ITEM).read_text() == "# Item, edition 2.\n#\n#\n# name: string\n#\n#\n# My end of Item.\n"


def test_files_of_a_refresh_that_was_killed_are_nobodys_edits(tmp_path: Path) -> None:
    own_one = finished(tmp_path / "first", recipe=first_edition())
    subprocess.run(["git", "clone", "--quiet", "--bare", str(own_one), str(tmp_path / "shared.git")], check=True)
    one, two = at(tmp_path / "shared.git", tmp_path / "one"), at(tmp_path / "shared.git", tmp_path / "two")
    for each in (one, two):
        trust(each, first_edition())
    (one / ".git" / "index.lock").touch()  # files are written, and can't be recorded
    write_recipe(first_edition(), 2)
    well(one, "regenerate", "entity/Item", "--no-push")
    write_recipe(first_edition(), 3)
    well(two, "regenerate", "entity/Item")
    assert "edition 2" in (one / ITEM).read_text()
    (one / ".git" / "index.lock").unlink()

    well(one, "generate")

    assert "edition 3" in (one / ITEM).read_text()
    assert head(one) == head(two)
    assert_settled(one)


def test_a_refresh_that_was_killed_after_it_removed_files_is_finished(shop: Path) -> None:
    (shop / ".git" / "index.lock").touch()
    well(shop, "rollback", "core", "--cascade")
    assert not (shop / "app").exists()
    (shop / ".git" / "index.lock").unlink()

    well(shop, "generate")

    assert_settled(shop)


def test_a_file_that_a_killed_refresh_left_goes_where_the_branch_has_it_no_more(shared: Path, tmp_path: Path) -> None:
    one, two = at(shared, tmp_path / "one"), at(shared, tmp_path / "two")
    well(one, "rollback", "entity/Item", "--cascade")
    (one / ".git" / "index.lock").touch()
    well(one, "generate", "--no-push")
    assert (one / ITEM).exists()
    (one / ".git" / "index.lock").unlink()
    well(two, "generate")
    person(two, "Not this one", {ITEM: None})
    git(two, "push", "--quiet")

    well(one, "generate")

    assert not (one / ITEM).exists()
    assert_settled(one)


def test_plans_that_two_people_edited_at_one_place_are_kept_apart(shared: Path, tmp_path: Path) -> None:
    one, two = at(shared, tmp_path / "one"), at(shared, tmp_path / "two")
    first = content(one, ".phasebot/plan.yaml").partition("\n")[0]
    mine = edit_plan(one, first, f"# Of one.\n{first}")
    edit_plan(two, first, f"# Of two.\n{first}")
    git(two, "push", "--quiet")

    told = bot(one, "generate")

    assert told.code == 1
    assert "'.phasebot/plan.yaml'; rebase it, then run again" in told.err
    assert head(shared, "phasebot/shop-recovered-1") == head(one) == mine


def test_a_remote_whose_default_branch_is_the_runs_own_is_no_base(shared: Path, tmp_path: Path) -> None:
    """A forge makes the branch that is pushed first the default one."""
    git(shared, "symbolic-ref", "HEAD", "refs/heads/phasebot/shop")
    one = clone(shared, tmp_path / "one")
    person(one, "Mine", {"NOTES.md": "mine\n"})

    told = bot(one, "generate")

    assert told.code == 0, told.err
    assert content(shared, "NOTES.md", "phasebot/shop") == "mine\n"


# ---- people who rewrite the branch


def push_rewritten(folder: Path, *rebase: str) -> None:
    git(folder, "fetch", "--quiet")
    git(folder, "reset", "--quiet", "--hard", "origin/phasebot/shop")
    git(folder, *rebase)
    git(folder, "push", "--quiet", "--force")


def test_what_a_person_drops_while_a_run_is_under_way_is_not_brought_back(shared: Path, tmp_path: Path) -> None:
    one, two = at(shared, tmp_path / "one"), at(shared, tmp_path / "two")
    person(two, "A secret", {"SECRET": "x\n"})
    keep = person(two, "Notes", {"NOTES.md": "mine\n"})
    git(two, "push", "--quiet")
    secret = head(two, f"{keep}~1")
    git(one, "pull", "--quiet")

    def drop() -> None:
        push_rewritten(two, "rebase", "--quiet", "--onto", f"{secret}~1", secret)

    provider = ScriptedProvider({"entity/Item": meanwhile(drop)})
    outcome = work(one, provider, request=RunRequest(regenerate=["core", "entity/Item", "support"]))

    assert outcome.error is None
    subjects = git(shared, "log", "--format=%s", "phasebot/shop").split("\n")
    assert "A secret" not in subjects
    assert subjects.count("Notes") == 1
    assert "SECRET" not in tree(shared, "phasebot/shop")
    assert head(one) == head(shared, "phasebot/shop")
    well(one, "generate")
    assert_settled(one)


def test_a_branch_reset_under_a_run_loses_the_phases_and_they_are_made_again(shared: Path, tmp_path: Path) -> None:
    one, two = at(shared, tmp_path / "one"), at(shared, tmp_path / "two")
    whole = head(one, "HEAD^{tree}")

    def reset() -> None:
        push_rewritten(two, "reset", "--quiet", "--hard", phase_commit(two, "entity/Item"))

    work(one, ScriptedProvider({"core": meanwhile(reset)}), request=RunRequest(regenerate=["core"]))
    well(one, "generate")

    assert head(one, "HEAD^{tree}") == whole
    assert head(one) == head(shared, "phasebot/shop")
    assert_settled(one)


def test_a_rebase_onto_main_is_the_same_run(shared: Path, tmp_path: Path) -> None:
    one = at(shared, tmp_path / "one")
    person(one, "Mine", replace(one, ITEM, "# Item", "# My item"))
    git(one, "switch", "--quiet", "main")
    person(one, "Main moves on", {"LICENSE": "some\n"})
    git(one, "switch", "--quiet", "phasebot/shop")
    git(one, "rebase", "--quiet", "main")
    git(one, "push", "--quiet", "--force", "origin", "main", "phasebot/shop")

    assert_settled(one)

    two = at(shared, tmp_path / "two")
    assert_settled(two)
    assert well(two, "status", "--format", "json").phase("entity/Item")["edited"] == [ITEM]


def test_a_rebase_by_another_is_taken_over(shared: Path, tmp_path: Path) -> None:
    one, two = at(shared, tmp_path / "one"), at(shared, tmp_path / "two")
    person(one, "Mine", {"NOTES.md": "mine\n"})
    git(one, "push", "--quiet")
    push_rewritten(two, "rebase", "--quiet", "--force-rebase", "HEAD~3")

    told = bot(one, "generate")

    assert told.code == 0, told.err
    assert head(one) == head(shared, "phasebot/shop") == head(two)
    assert git(one, "log", "--format=%s").split("\n").count("Mine") == 1


def test_a_persons_unpushed_commit_goes_on_top_of_a_rebase_once(shared: Path, tmp_path: Path) -> None:
    one, two = at(shared, tmp_path / "one"), at(shared, tmp_path / "two")
    person(one, "Mine", {"NOTES.md": "mine\n"})
    push_rewritten(two, "rebase", "--quiet", "--force-rebase", "HEAD~3")

    told = bot(one, "generate")

    assert told.code == 0, told.err
    assert git(shared, "log", "--format=%s", "phasebot/shop").split("\n").count("Mine") == 1
    assert git(shared, "log", "--format=%s", "phasebot/shop").split("\n").count("Generate main application [6/6]") == 1
    assert_settled(one)


def test_a_rollback_that_a_person_rebased_is_there_once(shared: Path, tmp_path: Path) -> None:
    one, two = at(shared, tmp_path / "one"), at(shared, tmp_path / "two")
    well(one, "rollback", "main")
    push_rewritten(two, "rebase", "--quiet", "--force-rebase", "HEAD~3")
    git(one, "fetch", "--quiet")

    well(one, "generate")

    subjects = git(shared, "log", "--format=%s", "phasebot/shop").split("\n")
    assert subjects.count("Roll back main") == 1
    assert_settled(one)


def test_what_a_person_squashed_is_not_brought_back(shared: Path, tmp_path: Path) -> None:
    one, two = at(shared, tmp_path / "one"), at(shared, tmp_path / "two")
    person(one, "First", {"ONE.md": "one\n"})
    git(one, "push", "--quiet")
    git(two, "pull", "--quiet")
    person(two, "Second", {"TWO.md": "two\n"})
    git(two, "push", "--quiet")
    git(one, "fetch", "--quiet")
    person(one, "Third", {"THREE.md": "three\n"})
    git(two, "reset", "--quiet", "--soft", "HEAD~2")
    person(two, "First and second")
    git(two, "push", "--quiet", "--force")

    well(one, "generate")

    assert git(shared, "log", "-3", "--format=%s", "phasebot/shop").split("\n")[:2] == ["Third", "First and second"]
    assert "First" not in git(shared, "log", "--format=%s", "phasebot/shop").split("\n")
    assert_settled(one)


def test_a_merge_of_main_in_the_branch_is_nothing_to_a_run(shop: Path) -> None:
    git(shop, "switch", "--quiet", "main")
    person(shop, "Main moves on", {"LICENSE": "some\n", "main.txt": "x\n"})
    git(shop, "switch", "--quiet", "phasebot/shop")
    person(shop, "Mine", replace(shop, ITEM, "# Item", "# My item"))
    git(shop, "merge", "--quiet", "--no-edit", "main")
    before = head(shop)

    assert_settled(shop)
    well(shop, "regenerate", "entity/Item", "main", "--jobs", 1)

    assert (
        commits(shop, before)
        == """\
Generate entity Item [3/6]  Phase: entity/Item  Status: complete
Generate main application [6/6]  Phase: main  Status: complete
"""
    )
    assert content(shop, ITEM).startswith("# My item")
    well(shop, "rollback", "main")
    assert content(shop, "LICENSE") == "some\n"


@pytest.mark.parametrize("kept", ["main", "plan", ""])
def test_a_squashed_branch_goes_on_and_keeps_what_people_wrote(shop: Path, kept: str) -> None:
    """All in one commit, with one phase's message or a person's own."""
    person(shop, "Mine", replace(shop, ITEM, "# Item", "# My item"))
    message = ["-C", phase_commit(shop, kept)] if kept else ["-m", "All in one"]
    person(shop, "Notes", {"NOTES.md": "mine\n"})
    mine = head(shop, "HEAD^{tree}")
    git(shop, "reset", "--quiet", "--soft", "main")
    git(shop, "commit", "--quiet", *message)

    told = bot(shop, "generate", "--jobs", 1)
    if told.code == 2 and "'phasebot generate SPEC'" in told.err:
        well(shop, "generate", SHOP, "--recipe", SMALL, "--run", "shop")

    assert head(shop, "HEAD^{tree}") == mine
    assert_settled(shop)


def test_a_squash_of_all_but_the_plan_keeps_what_people_wrote(shop: Path) -> None:
    person(shop, "Mine", replace(shop, ITEM, "# Item", "# My item"))
    mine, last = head(shop, "HEAD^{tree}"), phase_commit(shop, "main")
    git(shop, "reset", "--quiet", "--soft", phase_commit(shop, "plan"))
    git(shop, "commit", "--quiet", "-C", last)

    well(shop, "generate", "--jobs", 1)

    assert head(shop, "HEAD^{tree}") == mine
    assert_settled(shop)
