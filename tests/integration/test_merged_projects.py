"""A new spec for a project that an earlier run merged: a new branch gets the difference only."""

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

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
    picture,
    replace,
    unmet,
    well,
)
from tests.repositories import SMALL, git, new_repository
from tests.unit.values import BLOG

PLAN = ".phasebot/plan.yaml"
MORE = "# Categories\n\n- Category: name string\n- Item: category -> Category?\n"


def merge(folder: Path) -> None:
    git(folder, "merge", "--quiet", "--no-ff", "--no-edit", "phasebot/shop")


def squash(folder: Path, branch: str = "phasebot/shop") -> None:
    git(folder, "merge", "--quiet", "--squash", branch)
    git(folder, "commit", "--quiet", "--allow-empty", "-m", "Shop (#1)")


def squash_with_messages(folder: Path, branch: str = "phasebot/shop") -> None:
    """As GitHub does it: the messages of all commits in one."""
    told = git(folder, "log", "--reverse", "--format=* %B", f"main..{branch}")
    git(folder, "merge", "--quiet", "--squash", branch)
    git(folder, "commit", "--quiet", "--allow-empty", "-m", f"Shop (#1)\n\n{told}")


def rebase(folder: Path, branch: str = "phasebot/shop") -> None:
    person(folder, "Main moved on", {f"LICENSE-{branch.rpartition('/')[2]}": "some\n"})
    git(folder, "cherry-pick", "--allow-empty", f"main~1..{branch}")


WAYS = [merge, squash, squash_with_messages, rebase]


def merged(folder: Path, how: Callable[[Path], None] = squash, recipe: Path | str = SMALL) -> Path:
    """Put a repository into *folder* whose base has the finished run, and where its branch is gone."""
    finished(folder, recipe=recipe)
    git(folder, "switch", "--quiet", "main")
    how(folder)
    git(folder, "branch", "-D", "phasebot/shop")
    return folder


def evolve(folder: Path, spec: str = MORE, *arguments: object) -> None:
    """Start a run from *spec* and look at its branch."""
    well(folder, "generate", spec, "--recipe", SMALL, "--run", "more", "--jobs", 1, *arguments)
    git(folder, "switch", "--quiet", "phasebot/more")


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return merged(tmp_path / "shop")


DIFFERENCE = """\
Generate plan [1/7]  Phase: plan  Status: complete
  M .phasebot/plan.yaml
  M .phasebot/spec.md
Generate entity Item [3/7]  Phase: entity/Item  Status: complete
  M app/models/item.py
  M app/routers/item.py
Generate entity Category [5/7]  Phase: entity/Category  Status: complete
  A app/models/category.py
  A app/routers/category.py
Generate support files [6/7]  Phase: support  Status: complete
  M README.md
Generate main application [7/7]  Phase: main  Status: complete
  M main.py
"""


@pytest.mark.parametrize("how", WAYS)
def test_only_the_difference_is_made_however_the_run_was_merged(tmp_path: Path, how: Callable[[Path], None]) -> None:
    folder = merged(tmp_path / "shop", how)

    evolve(folder)

    assert commits(folder, "main") == DIFFERENCE
    state = well(folder, "status", "--format", "json")
    assert state.json()["complete"]
    assert {
        each["key"]: each["commit"] for each in state.json()["phases"] if each["commit"] == head(folder, "main")
    } == {
        "core": head(folder, "main"),
        "entity/Order": head(folder, "main"),
    }
    assert state.stale() == {}
    assert [each["key"] for each in state.json()["phases"] if each["edited"]] == []
    assert_settled(folder)


@pytest.mark.parametrize("how", WAYS)
def test_what_people_did_since_is_merged(tmp_path: Path, how: Callable[[Path], None]) -> None:
    folder = merged(tmp_path / "shop", how, first_edition())
    person(folder, "Mine", replace(folder, "app/models/item.py", "# The end", "# My end"))
    person(folder, "Other", {"NOTES.md": "ours\n"})

    evolve(folder)

    assert content(folder, "app/models/item.py") == (
        "# Item, edition 1.\n#\n#\n# name: string\n# category: relation\n#\n#\n# My end of Item.\n"
    )
    told = well(folder, "status", "--format", "json")
    assert told.phase("entity/Item")["edited"] == ["app/models/item.py"]
    assert told.phase("entity/Item")["conflicts"] == []
    assert_settled(folder)


def test_what_people_did_before_the_merge_is_merged(tmp_path: Path) -> None:
    folder = finished(tmp_path / "shop", recipe=first_edition())
    person(folder, "Mine", replace(folder, "app/models/item.py", "# The end", "# My end"))
    git(folder, "switch", "--quiet", "main")
    squash(folder)

    evolve(folder)

    assert content(folder, "app/models/item.py").endswith("# category: relation\n#\n#\n# My end of Item.\n")


def test_where_both_changed_a_line_the_persons_stays_and_is_told(base: Path) -> None:
    mine = "# Item, and more\n# name: my text\n"
    person(base, "Mine", {"app/models/item.py": mine})

    told = bot(base, "generate", MORE, "--recipe", SMALL, "--run", "more", "--jobs", 1)
    git(base, "switch", "--quiet", "phasebot/more")

    assert told.code == 3

    assert content(base, "app/models/item.py") == mine
    assert well(base, "status", "--format", "json").phase("entity/Item")["conflicts"] == ["app/models/item.py"]
    assert "Phase: entity/Item  Status: complete  Conflict: app/models/item.py\n" in commits(base, "main")


def test_a_file_that_people_removed_from_the_base_is_made_for_what_lacks_it(base: Path) -> None:
    person(base, "Mine", {"app/models/order.py": None})

    evolve(base)

    told = well(base, "status", "--format", "json")
    assert told.json()["complete"]
    assert_settled(base)


def test_an_entity_that_the_plan_has_no_more_is_removed_on_the_new_branch(base: Path) -> None:
    evolve(base)
    before = edit_plan(base, "  Order:\n    amount: integer\n    item: -> Item\n", "")

    told = well(base, "generate", "--jobs", 1)

    assert "no longer in the plan, rolled back: entity/Order" in told.err
    assert commits(base, before).startswith(
        "Roll back entity/Order  Reverts: entity/Order\n  D app/models/order.py\n  D app/routers/order.py\n"
    )
    assert_settled(base)


def test_what_the_base_has_of_an_entity_goes_too_where_it_was_taken_back_before(base: Path) -> None:
    evolve(base)
    well(base, "regenerate", "entity/Order")
    well(base, "rollback", "entity/Order", "--cascade")
    before = edit_plan(base, "  Order:\n    amount: integer\n    item: -> Item\n", "")

    well(base, "generate", "--jobs", 1)

    assert commits(base, before).startswith(
        "Roll back entity/Order  Reverts: entity/Order\n  D app/models/order.py\n  D app/routers/order.py\n"
    )
    assert_settled(base)


def test_an_edited_file_of_the_base_stays_when_its_entity_goes(base: Path) -> None:
    person(base, "Mine", replace(base, "app/models/order.py", "# Order", "# My order"))
    evolve(base)
    edit_plan(base, "  Order:\n    amount: integer\n    item: -> Item\n", "")

    told = well(base, "generate")

    assert "kept, because people edited it: app/models/order.py" in told.err
    assert content(base, "app/models/order.py").startswith("# My order")
    assert_settled(base)


def test_the_spec_may_be_yaml(base: Path) -> None:
    evolve(base, "entities:\n  Category:\n    name: string\n  Item:\n    category: -> Category?\n")

    assert commits(base, "main") == DIFFERENCE


def test_a_relation_to_what_only_the_base_has(base: Path) -> None:
    evolve(base, "# Reviews\n\n- Review: text text, item -> Item\n")

    assert (
        commits(base, "main").split("\n")[3] == "Generate entity Review [5/7]  Phase: entity/Review  Status: complete"
    )
    assert "Generate entity Item" not in commits(base, "main")


def test_a_relation_to_what_nobody_has_is_refused(base: Path) -> None:
    before = git(base, "for-each-ref")

    told = bot(base, "generate", "# Reviews\n\n- Review: item -> Itm\n", "--recipe", SMALL)

    assert told.code == 2
    assert "relation to unknown entity 'Itm'; did you mean 'Item'?" in told.err
    assert git(base, "for-each-ref") == before


def test_a_field_that_is_there_is_as_the_new_spec_says(base: Path) -> None:
    evolve(base, "# Names\n\n- Item: name text\n")

    assert "# name: text" in content(base, "app/models/item.py")
    assert "    name: text\n" in content(base, PLAN)


@pytest.mark.parametrize("how", WAYS)
def test_the_same_spec_again_makes_a_plan_and_nothing_else(tmp_path: Path, how: Callable[[Path], None]) -> None:
    folder = merged(tmp_path / "shop", how)

    evolve(folder, SHOP)

    assert "Generate entity" not in commits(folder, "main")
    assert "Generate core" not in commits(folder, "main")
    assert well(folder, "status", "--format", "json").json()["complete"]
    assert_settled(folder)


def test_the_run_is_named_after_the_new_spec(base: Path) -> None:
    told = well(base, "generate", MORE, "--recipe", SMALL)

    assert "phasebot/categories" in told.out
    assert content(base, PLAN, "phasebot/categories").split("\n")[2] == "project: Shop"


def test_a_plan_with_comments_in_the_base_is_read(base: Path) -> None:
    person(base, "Ours", {PLAN: "# ours\n" + content(base, PLAN).replace("name: string", "name: 'string'  # why")})

    evolve(base)

    assert "Generate entity Order" not in commits(base, "main")
    assert commits(base, "main") == DIFFERENCE


def test_a_broken_plan_in_the_base_is_told_and_not_passed_over(base: Path) -> None:
    person(base, "Break it", replace(base, PLAN, "name: string", "name: strng"))
    before = git(base, "for-each-ref")

    told = bot(base, "generate", MORE, "--recipe", SMALL)

    assert told.code == 2
    assert "unknown type 'strng'" in told.err
    assert git(base, "for-each-ref") == before


def test_an_instruction_of_the_base_is_kept(base: Path) -> None:
    person(base, "Tell", {PLAN: content(base, PLAN) + "instructions:\n  entity/Item: Cents.\n"})

    unmet(base, "generate", MORE, "--recipe", SMALL, "--run", "more")
    git(base, "switch", "--quiet", "phasebot/more")

    assert content(base, PLAN).endswith("instructions:\n  entity/Item: Cents.\n")


def test_two_merged_runs_are_the_base_of_a_third(base: Path) -> None:
    evolve(base)
    git(base, "switch", "--quiet", "main")
    git(base, "merge", "--quiet", "--no-ff", "--no-edit", "phasebot/more")
    git(base, "branch", "-D", "phasebot/more")

    well(base, "generate", "# Tags\n\n- Tag: name string\n", "--recipe", SMALL, "--run", "tags", "--jobs", 1)

    assert picture(base, "main", "phasebot/tags").startswith("""\
Generate plan [1/8]  Phase: plan  Status: complete
  M .phasebot/plan.yaml
  M .phasebot/spec.md
Generate entity Tag [6/8]  Phase: entity/Tag  Status: complete
  A app/models/tag.py
  A app/routers/tag.py
Generate support files [7/8]  Phase: support  Status: complete
  M README.md
Generate main application [8/8]  Phase: main  Status: complete
  M main.py
--
""")


def test_the_same_run_goes_on_after_it_was_merged(base: Path) -> None:
    evolve(base)
    git(base, "switch", "--quiet", "main")
    git(base, "merge", "--quiet", "--ff-only", "phasebot/more")
    git(base, "switch", "--quiet", "phasebot/more")

    assert_settled(base)


def test_a_project_in_a_folder_is_found_there(tmp_path: Path) -> None:
    folder = new_repository(tmp_path / "shop")
    common = ("--recipe", SMALL, "--output-dir", "api/v1", "--jobs", 1)
    well(folder, "generate", SHOP, "--run", "shop", *common)
    squash(folder)

    well(folder, "generate", MORE, "--run", "more", *common)
    well(folder, "generate", MORE, "--run", "else", "--recipe", SMALL, "--output-dir", "api/v2")

    assert commits(folder, "main", "phasebot/more").startswith(
        DIFFERENCE[:51] + "  M api/v1/.phasebot/plan.yaml\n  M api/v1/.phasebot/spec.md\nGenerate entity Item [3/7]"
    )
    assert "Generate core" in commits(folder, "main", "phasebot/else")


def test_a_squash_that_kept_one_commits_trailers_is_no_phase_of_the_new_run(tmp_path: Path) -> None:
    folder = finished(tmp_path / "shop")
    git(folder, "switch", "--quiet", "main")
    git(folder, "merge", "--quiet", "--squash", "phasebot/shop")
    git(folder, "commit", "--quiet", "-C", "phasebot/shop")
    git(folder, "branch", "-D", "phasebot/shop")

    evolve(folder)

    assert commits(folder, "main") == DIFFERENCE
    assert well(folder, "status", "--format", "json").phase("entity/Item")["conflicts"] == []


def test_what_the_base_made_is_not_for_the_new_run_to_take_back(base: Path) -> None:
    evolve(base)
    before = head(base)

    told = bot(base, "rollback", "entity/Order")

    assert told.code == 2
    assert "rolling back entity/Order: the base main has it already" in told.err
    assert head(base) == before


def test_what_was_made_anew_is_taken_back_to_what_the_base_has(base: Path) -> None:
    evolve(base)

    well(base, "rollback", "support", "entity/Item", "--cascade")

    assert git(base, "diff", "--name-status", "main", "HEAD") == (
        "M\t.phasebot/plan.yaml\nM\t.phasebot/spec.md\nA\tapp/models/category.py\nA\tapp/routers/category.py"
    )
    well(base, "generate", "--jobs", 1)
    assert "# category: relation" in content(base, "app/models/item.py")
    assert_settled(base)


def test_a_phase_of_the_base_is_made_again_when_asked(base: Path) -> None:
    evolve(base)
    before = head(base)

    well(base, "regenerate", "core", "--cascade", "--jobs", 1)

    assert (
        commits(base, before)
        == """\
Generate core [2/7]  Phase: core  Status: complete
Generate entity Item [3/7]  Phase: entity/Item  Status: complete
Generate entity Order [4/7]  Phase: entity/Order  Status: complete
Generate entity Category [5/7]  Phase: entity/Category  Status: complete
Generate main application [7/7]  Phase: main  Status: complete
"""
    )


# ---- the built-in recipe


def test_the_blog_gets_categories(tmp_path: Path) -> None:
    folder = finished(tmp_path / "blog", BLOG, "shop", "fastapi")
    git(folder, "switch", "--quiet", "main")
    squash(folder)
    spec = "# Categories\n\n- Category: name string unique\n- Post: category -> Category?\n"

    well(folder, "generate", spec, "--run", "more", "--jobs", 1)
    git(folder, "switch", "--quiet", "phasebot/more")

    made = git(folder, "log", "--reverse", "--format=%s", "main..").split("\n")
    assert [subject.split(" [")[0].removeprefix("Generate ") for subject in made] == [
        "plan",
        "entity Post",
        "entity Category",
        "migration",
        "support files",
        "main application",
    ]
    trees = {path: ast.parse(path.read_text()) for path in folder.rglob("*.py")}
    imports = [node for node in ast.walk(trees[folder / "app" / "api.py"]) if isinstance(node, ast.ImportFrom)]
    assert "app.routers.categories" in [node.module for node in imports]
    assert "category_id" in content(folder, "app/models/post.py")
