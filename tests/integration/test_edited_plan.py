"""A plan that a person edits on the branch: what changed is generated, what was removed goes, the rest stays."""

import json
import re
from pathlib import Path

import pytest

from tests.history_picture import (
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
    well,
    work,
)
from tests.repositories import ScriptedProvider, git, leaving_out

PLAN = ".phasebot/plan.yaml"
ORDER = "  Order:\n    amount: integer\n    item: -> Item\n"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A complete run, with its branch checked out."""
    return finished(tmp_path / "shop")


def test_an_entity_more_makes_its_phase_and_those_that_list_it(shop: Path) -> None:
    before = edit_plan(shop, ORDER, ORDER + "  Tag:\n    name: string\n")

    told = well(shop, "generate", "--jobs", 1, "--format", "json")

    assert (
        picture(shop, before)
        == """\
Generate entity Tag [5/7]  Phase: entity/Tag  Status: complete
  A app/models/tag.py
  A app/routers/tag.py
Generate support files [6/7]  Phase: support  Status: complete
  M README.md
Generate main application [7/7]  Phase: main  Status: complete
  M main.py
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
app/models/tag.py
app/routers/item.py
app/routers/order.py
app/routers/tag.py
main.py
"""
    )
    assert told.stale() == {}
    assert_settled(shop)


def test_a_field_renamed_lists_what_is_older_than_it_and_cascade_makes_that(shop: Path) -> None:
    before = edit_plan(shop, "name: string", "title: string")
    assert well(shop, "status", "--format", "json").stale() == {"entity/Item": "plan", "support": "plan"}

    told = well(shop, "generate", "--jobs", 1)

    assert told.err.endswith(
        f"was regenerated: main; 'phasebot generate --repo {shop} --jobs 1 --cascade' regenerates them\n"
    )
    assert well(shop, "status", "--format", "json").stale() == {"main": "dependency"}
    assert "main          complete  1/1 file" in well(shop, "status").out
    well(shop, "generate", "--cascade")
    assert (
        commits(shop, before)
        == """\
Generate entity Item [3/6]  Phase: entity/Item  Status: complete
  M app/models/item.py
  M app/routers/item.py
Generate support files [5/6]  Phase: support  Status: complete
Generate main application [6/6]  Phase: main  Status: complete
"""
    )
    assert_settled(shop)


def test_cascade_makes_all_at_once_in_order(shop: Path) -> None:
    before = edit_plan(shop, "  Item:\n", "  Item:\n    note: text?\n")

    told = well(shop, "generate", "--cascade", "--jobs", 1, "--format", "json")

    subjects = git(shop, "log", "--reverse", "--format=%s", f"{before}..").split("\n")
    assert [subject.split(" [")[0] for subject in subjects] == [
        "Generate entity Item",
        "Generate support files",
        "Generate main application",
    ]
    assert told.stale() == {}


def test_an_entity_less_takes_its_files_back_in_a_commit_of_their_own(shop: Path) -> None:
    before = edit_plan(shop, ORDER, "")

    told = well(shop, "generate", "--jobs", 1)

    assert "no longer in the plan, rolled back: entity/Order" in told.err
    assert (
        picture(shop, before)
        == """\
Roll back entity/Order  Reverts: entity/Order
  D app/models/order.py
  D app/routers/order.py
Generate support files [4/5]  Phase: support  Status: complete
  M README.md
Generate main application [5/5]  Phase: main  Status: complete
  M main.py
--
.gitignore
.phasebot/plan.yaml
.phasebot/spec.md
LICENSE
README.md
app/__init__.py
app/db.py
app/models/item.py
app/routers/item.py
main.py
"""
    )
    assert_settled(shop)


def test_an_edited_file_of_an_entity_less_stays_and_is_told(shop: Path) -> None:
    person(shop, "Mine", replace(shop, "app/models/order.py", "# Order", "# My order"))
    before = edit_plan(shop, ORDER, "")

    told = well(shop, "generate", "--jobs", 1)

    assert "entity/Order; kept, because people edited it: app/models/order.py" in told.err
    assert commits(shop, before).startswith(
        "Roll back entity/Order  Reverts: entity/Order\n  D app/routers/order.py\nGenerate support"
    )
    assert content(shop, "app/models/order.py").startswith("# My order")
    assert_settled(shop)


def test_an_entity_taken_out_and_put_back_is_made_again_with_what_stayed(tmp_path: Path) -> None:
    shop = finished(tmp_path / "shop", recipe=first_edition())
    whole = person(shop, "Mine", replace(shop, "app/models/order.py", "# The end", "# My end"))
    edit_plan(shop, ORDER, "")
    well(shop, "generate")
    edit_plan(shop, "entities:\n  Item:\n    name: string\n", "entities:\n  Item:\n    name: string\n" + ORDER)

    told = well(shop, "generate", "--format", "json")

    assert told.json()["complete"]
    assert git(shop, "diff", whole, "HEAD") == ""
    assert told.phase("entity/Order")["edited"] == ["app/models/order.py"]
    assert_settled(shop)


def test_an_entity_renamed_goes_and_comes(shop: Path) -> None:
    plan = (shop / PLAN).read_text()
    before = person(shop, "Rename", {PLAN: plan.replace("Order:", "Sale:")})

    well(shop, "generate", "--jobs", 1)

    assert (
        commits(shop, before)
        == """\
Roll back entity/Order  Reverts: entity/Order
  D app/models/order.py
  D app/routers/order.py
Generate entity Sale [4/6]  Phase: entity/Sale  Status: complete
  A app/models/sale.py
  A app/routers/sale.py
Generate support files [5/6]  Phase: support  Status: complete
  M README.md
Generate main application [6/6]  Phase: main  Status: complete
  M main.py
"""
    )
    assert_settled(shop)


def test_an_entity_renamed_in_case_only_keeps_its_files(shop: Path) -> None:
    plan = (shop / PLAN).read_text()
    person(shop, "Rename", {PLAN: plan.replace("Order:", "ORDER:")})

    well(shop, "generate")

    assert "app/models/order.py" in git(shop, "ls-tree", "-r", "--name-only", "HEAD").split("\n")
    assert content(shop, "app/models/order.py").startswith("# ORDER")
    assert_settled(shop)


def test_only_one_phase_removes_nothing(shop: Path) -> None:
    before = edit_plan(shop, ORDER, "")

    told = bot(shop, "generate", "--only", "support")

    assert told.code == 0
    assert commits(shop, before) == ("Generate support files [4/5]  Phase: support  Status: complete\n  M README.md\n")
    well(shop, "generate")
    assert commits(shop, before).count("Reverts: entity/Order") == 1


def test_a_partial_phase_of_an_edited_plan_is_made_whole(shop: Path) -> None:
    work(shop, ScriptedProvider({"entity/Order": leaving_out("app/models/order.py")}))
    edit_plan(shop, "amount: integer", "amount: decimal")
    work(shop, ScriptedProvider({"entity/Order": leaving_out("app/models/order.py")}))
    told = well(shop, "status", "--format", "json").phase("entity/Order")
    assert (told["status"], told["missing"]) == ("partial", ["app/models/order.py"])

    well(shop, "generate")

    assert "# amount: decimal" in content(shop, "app/models/order.py")
    assert_settled(shop)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("name: string", "name: strng", "line 8: 'name: strng': unknown type 'strng'; did you mean 'string'?"),
        ("-> Item", "-> Itm", "line 11: 'item: -> Itm'"),
        ("entities:", "entitys:", "unknown key 'entitys'; did you mean 'entities'?"),
        ("  Item:", "  Item:\n  Item:", "line 8"),
        ("output-dir: .", "output-dir: api", "a project can't be moved, so restore the old value"),
        ("output-dir: .", "output-dir: ../up", "line 5"),
        ("recipe: ", "recipe: nowhere", "recipe"),
        ("project: Shop", "project: Shop\nauthor: me", "unknown key 'author'"),
        ("project: Shop", "<<<<<<< HEAD\nproject: Shop", "line 4: 'project: Shop': not valid YAML"),
    ],
)
def test_a_broken_plan_is_refused_by_all_until_it_is_mended(shop: Path, old: str, new: str, message: str) -> None:
    oid = edit_plan(shop, old, new)

    table = bot(shop, "status").out
    assert re.fullmatch(r"(?:\[\d/6\].*\n){6}incomplete: .*\n", table)  # of the last plan that could be read
    assert json.loads(bot(shop, "status", "--format", "json").out)["complete"] is False
    for command in (("generate",), ("status",), ("regenerate", "main"), ("rollback", "main")):
        told = bot(shop, *command)
        assert (told.code, told.out) == (2, table if command == ("status",) else ""), told
        assert f"{PLAN} at commit {oid[:10]}" in told.err
        assert message in told.err
    assert head(shop) == oid

    git(shop, "revert", "--no-edit", oid)
    assert_settled(shop)


def test_a_plan_that_was_removed_is_named_and_can_be_brought_back(shop: Path) -> None:
    oid = person(shop, "Remove it", {PLAN: None})

    for command in (("generate",), ("regenerate", "main"), ("rollback", "main")):
        told = bot(shop, *command)
        assert told.code == 2
        assert f"commit {oid[:10]} removed {PLAN}; restore it with 'git revert {oid[:10]}'" in told.err
    git(shop, "revert", "--no-edit", oid)
    assert_settled(shop)


def test_a_plan_edited_in_looks_only_makes_nothing(shop: Path) -> None:
    plan = (shop / PLAN).read_text()
    person(shop, "Ours", {PLAN: "# ours\n" + plan.replace("name: string", "name: 'string'  # a name")})

    assert_settled(shop)


def test_a_description_is_for_those_who_list_it(shop: Path) -> None:
    before = edit_plan(shop, "project: Shop\n", "project: Shop\ndescription: Sells things.\n")

    well(shop, "generate")

    assert commits(shop, before) == "Generate support files [5/6]  Phase: support  Status: complete\n"
