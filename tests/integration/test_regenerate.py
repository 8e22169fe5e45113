"""Phases that are regenerated: what people changed in their files stays."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.engine.requests import RunRequest
from bot.errors import ProviderError
from bot.generation.provider import GenerationRequest, GenerationResult
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
    well,
    work,
    write_recipe,
)
from tests.repositories import SMALL, ScriptedProvider, git, leaving_out, new_repository

ITEM = "app/models/item.py"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A complete run, with its branch checked out."""
    return finished(tmp_path / "shop")


@pytest.fixture
def recipe() -> Path:
    """A recipe that can have a new edition."""
    return first_edition()


@pytest.fixture
def mine(tmp_path: Path, recipe: Path) -> Path:
    """A complete run with that recipe."""
    return finished(tmp_path / "mine", recipe=recipe)


# ---- what is made


def test_a_file_that_the_recipe_has_no_more_goes_with_its_phase_unless_a_person_edited_it(
    mine: Path, recipe: Path
) -> None:
    person(mine, "Edit it", {"app/routers/item.py": "# mine\n"})
    before = head(mine)
    text = (recipe / "recipe.yaml").read_text()
    (recipe / "recipe.yaml").write_text(text.replace("app/routers/", "app/api/"))

    told = well(mine, "regenerate", "entity/Order", "entity/Item")

    assert (
        commits(mine, before)
        == """\
Generate entity Item [3/6]  Phase: entity/Item  Status: complete
  A app/api/item.py
Generate entity Order [4/6]  Phase: entity/Order  Status: complete
  A app/api/order.py
  D app/routers/order.py
"""
    )
    assert "Removed what the recipe does not make any more: app/routers/order.py." in git(mine, "log", f"{before}..")
    assert "app/routers/item.py, because people edited it; the recipe makes no such file any more" in told.err
    assert_settled(mine, 0)


def test_one_phase_is_one_new_commit_on_top(mine: Path, recipe: Path) -> None:
    before = head(mine)
    write_recipe(recipe, 2)

    told = well(mine, "regenerate", "entity/Order")

    assert (
        picture(mine, before)
        == """\
Generate entity Order [4/6]  Phase: entity/Order  Status: complete
  M app/models/order.py
  M app/routers/order.py
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
main.py
"""
    )
    assert content(mine, "app/models/order.py").startswith("# Order, edition 2.")
    assert told.err.endswith(f"was regenerated: main; 'phasebot generate --repo {mine} --cascade' regenerates them\n")
    assert_settled(mine)


def test_several_phases_are_made_in_plan_order_each_once(shop: Path) -> None:
    before = head(shop)

    told = well(shop, "regenerate", "entity/Order", "core", "entity/Order", "--jobs", 1, "--format", "json")

    assert (
        commits(shop, before)
        == """\
Generate core [2/6]  Phase: core  Status: complete
Generate entity Order [4/6]  Phase: entity/Order  Status: complete
"""
    )
    assert told.stale() == {"entity/Item": "dependency", "main": "dependency"}


def test_cascade_makes_all_that_need_it_in_order(shop: Path) -> None:
    before = head(shop)

    told = well(shop, "regenerate", "core", "--cascade", "--jobs", 1, "--format", "json")

    assert (
        commits(shop, before)
        == """\
Generate core [2/6]  Phase: core  Status: complete
Generate entity Item [3/6]  Phase: entity/Item  Status: complete
Generate entity Order [4/6]  Phase: entity/Order  Status: complete
Generate main application [6/6]  Phase: main  Status: complete
"""
    )
    assert told.stale() == {}
    assert_settled(shop)


def test_cascade_makes_nothing_that_was_not_made_before(shop: Path) -> None:
    well(shop, "rollback", "main", "entity/Order")
    before = head(shop)

    told = bot(shop, "regenerate", "core", "--cascade", "--jobs", 1)

    assert (
        commits(shop, before)
        == """\
Generate core [2/6]  Phase: core  Status: complete
Generate entity Item [3/6]  Phase: entity/Item  Status: complete
"""
    )
    assert told.code == 0


def test_cascade_is_stopped_by_a_phase_that_can_not_be_made_and_goes_on_later(shop: Path) -> None:
    before = head(shop)
    failing = ScriptedProvider({"entity/Item": leaving_out(ITEM)})

    outcome = work(shop, failing, request=RunRequest(regenerate=["core"], cascade=True))

    assert outcome.remaining == ["entity/Item", "main"]
    assert (
        commits(shop, before)
        == """\
Generate core [2/6]  Phase: core  Status: complete
Generate entity Item [3/6]  Phase: entity/Item  Status: partial  Missing: app/models/item.py
Generate entity Order [4/6]  Phase: entity/Order  Status: complete
"""
    )
    assert bot(shop, "generate", "--cascade").code == 0
    assert well(shop, "status", "--format", "json").stale() == {}


def test_of_a_partial_phase_all_is_made_again(shop: Path) -> None:
    work(shop, ScriptedProvider({"entity/Item": leaving_out(ITEM)}), request=RunRequest(regenerate=["entity/Item"]))
    before, provider = head(shop), ScriptedProvider()

    outcome = work(shop, provider, request=RunRequest(regenerate=["entity/Item"]))

    assert provider.asked in (
        [("entity/Item", (ITEM, "app/routers/item.py"))],
        [("entity/Item", (ITEM,))],
    )
    assert commits(shop, before) == "Generate entity Item [3/6]  Phase: entity/Item  Status: complete\n"
    assert outcome.remaining == []


def test_a_phase_that_was_never_made_is_made(tmp_path: Path) -> None:
    folder = new_repository(tmp_path / "shop")
    git(folder, "switch", "--quiet", "-c", "phasebot/shop")
    well(folder, "generate", SHOP, "--recipe", SMALL, "--only", "core")
    before = head(folder)

    told = bot(folder, "regenerate", "entity/Item")

    assert (
        commits(folder, before)
        == """\
Generate entity Item [3/6]  Phase: entity/Item  Status: complete
  A app/models/item.py
  A app/routers/item.py
"""
    )
    assert told.code == 0
    assert told.out.startswith("incomplete: 3 of 6 phases")


def test_a_phase_whose_needs_are_not_made_waits_for_them(shop: Path) -> None:
    well(shop, "rollback", "core", "--cascade")
    before = head(shop)

    told = bot(shop, "regenerate", "entity/Item")

    assert told.code == 3
    assert "not generated yet: entity/Item, which needs core; run " in told.err
    assert told.err.endswith(f"run 'phasebot generate --repo {shop}' for those, or for all phases\n")
    assert head(shop) == before


def test_what_a_provider_can_not_make_leaves_the_phase_as_it_was(shop: Path) -> None:
    async def refuse(request: GenerationRequest) -> GenerationResult:
        raise ProviderError(f"asking for {request.phase.key}: no answer")

    before = head(shop)
    provider = ScriptedProvider({"entity/Item": refuse})

    outcome = work(shop, provider, request=RunRequest(regenerate=["core", "entity/Item"]))

    assert isinstance(outcome.error, ProviderError)
    assert outcome.remaining == ["entity/Item"]
    assert commits(shop, before) == "Generate core [2/6]  Phase: core  Status: complete\n"
    assert outcome.state.complete


# ---- with what people did


def clean(folder: Path) -> None:
    person(folder, "Mine", {ITEM: (folder / ITEM).read_bytes().replace(b"# The end", b"# My end")})


def conflict(folder: Path) -> None:
    person(folder, "Mine", replace(folder, ITEM, "edition 1", "edition mine"))


def binary(folder: Path) -> None:
    person(folder, "Mine", {ITEM: b"\0\1\2"})


def dos(folder: Path) -> None:
    person(folder, "Mine", {ITEM: (folder / ITEM).read_bytes().replace(b"\n", b"\r\n")})


def deleted(folder: Path) -> None:
    person(folder, "Mine", {ITEM: None})


def moved(folder: Path) -> None:
    git(folder, "mv", ITEM, "app/models/thing.py")
    person(folder, "Mine")


def link(folder: Path) -> None:
    (folder / ITEM).unlink()
    (folder / ITEM).symlink_to("order.py")
    git(folder, "add", "--all")
    person(folder, "Mine")


def directory(folder: Path) -> None:
    (folder / ITEM).unlink()
    person(folder, "Mine", {f"{ITEM}/inside.py": "# mine\n"})


def executable(folder: Path) -> None:
    (folder / ITEM).chmod(0o755)
    git(folder, "add", ITEM)
    person(folder, "Mine")


@pytest.mark.parametrize(
    ("edit", "facts"),
    [
        (clean, "\n  M app/models/item.py"),
        (conflict, "  Conflict: app/models/item.py"),
        (binary, "  Conflict: app/models/item.py"),
        (dos, "  Conflict: app/models/item.py"),
        (deleted, "  Conflict: app/models/item.py"),
        (moved, "  Conflict: app/models/item.py"),
        (link, "  Conflict: app/models/item.py"),
        (directory, "  Conflict: app/models/item.py"),
    ],
)
def test_a_persons_edit_is_merged_or_stays_and_is_told(
    mine: Path, recipe: Path, edit: Callable[[Path], None], facts: str
) -> None:
    edit(mine)
    before, theirs = head(mine), git(mine, "ls-tree", "-r", "HEAD", "app/models")
    write_recipe(recipe, 2)

    told = bot(mine, "regenerate", "entity/Item", "--format", "json")

    code = 3 if "Conflict" in facts and edit not in (deleted, moved) else 0
    assert told.code == code, told.err
    told_of_item = told.phase("entity/Item")
    assert commits(mine, before) == (
        f"Generate entity Item [3/6]  Phase: entity/Item  Status: complete{facts}\n  M app/routers/item.py\n"
    )
    assert told_of_item["edited"] == [ITEM]
    assert told_of_item["conflicts"] == ([ITEM] if "Conflict" in facts else [])
    if "Conflict" in facts:
        assert git(mine, "ls-tree", "-r", "HEAD", "app/models") == theirs
        assert f"{'conflict' if code else 'removed by people'}: {ITEM}" in well(mine, "status").out
    assert_settled(mine, code)


def test_a_clean_merge_holds_both(mine: Path, recipe: Path) -> None:
    clean(mine)
    write_recipe(recipe, 2)

    well(mine, "regenerate", "entity/Item")

    assert content(mine, ITEM) == "# Item, edition 2.\n#\n#\n# name: string\n#\n#\n# My end of Item.\n"


def test_a_file_that_a_person_made_executable_stays_so(mine: Path, recipe: Path) -> None:
    executable(mine)
    write_recipe(recipe, 2)

    well(mine, "regenerate", "entity/Item")

    assert content(mine, ITEM).startswith("# Item, edition 2.")
    assert git(mine, "ls-tree", "HEAD", ITEM).startswith("100755")


def test_a_file_in_dos_format_that_a_person_changed_is_merged_in_that_format(mine: Path, recipe: Path) -> None:
    # The recipe itself writes CRLF here, so both sides have it.
    template = recipe / "templates" / "entity.j2"
    template.write_bytes(template.read_bytes().replace(b"edition 1.", b"edition 1.{{ '\\r' }}"))
    well(mine, "regenerate", "entity/Item")
    clean(mine)
    template.write_bytes(template.read_bytes().replace(b"edition 1.", b"edition 2."))

    told = well(mine, "regenerate", "entity/Item", "--format", "json").phase("entity/Item")

    assert told["conflicts"] == []
    assert (mine / ITEM).read_bytes().startswith(b"# Item, edition 2.\r\n")


def test_a_folder_replaced_by_a_symlink_is_never_written_through(mine: Path, recipe: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    shutil.rmtree(mine / "app" / "models")
    (mine / "app" / "models").symlink_to(outside)
    git(mine, "add", "--all")
    person(mine, "Mine")
    before = head(mine)
    write_recipe(recipe, 2)

    told = bot(mine, "regenerate", "entity/Item")

    assert "conflict: app/models is in the way of app/models/item.py; move it on phasebot/shop" in told.err
    assert told.code == 3
    assert (
        commits(mine, before)
        == """\
Generate entity Item [3/6]  Phase: entity/Item  Status: complete  Conflict: app/models/item.py
  M app/routers/item.py
"""
    )
    assert list(outside.iterdir()) == []
    assert (mine / "app" / "models").is_symlink()


def test_what_is_not_committed_stays_in_the_worktree(mine: Path, recipe: Path) -> None:
    (mine / ITEM).write_text("# not committed\n")
    write_recipe(recipe, 2)

    well(mine, "regenerate", "entity/Item")

    assert (mine / ITEM).read_text() == "# not committed\n"
    assert content(mine, ITEM).startswith("# Item, edition 2.")


def test_an_edit_merged_once_is_merged_the_next_time_too(mine: Path, recipe: Path) -> None:
    clean(mine)
    write_recipe(recipe, 2)
    well(mine, "regenerate", "entity/Item")
    write_recipe(recipe, 3)

    told = well(mine, "regenerate", "entity/Item", "--format", "json").phase("entity/Item")

    assert told["conflicts"] == []
    assert content(mine, ITEM) == "# Item, edition 3.\n#\n#\n# name: string\n#\n#\n# My end of Item.\n"


def test_a_plan_changed_and_changed_back_leaves_no_merged_file_behind(mine: Path) -> None:
    clean(mine)
    edit_plan(mine, "    name: string", "    title: string")
    well(mine, "generate")
    assert "# title: string" in content(mine, ITEM)
    edit_plan(mine, "    title: string", "    name: string")

    told = well(mine, "generate", "--format", "json").phase("entity/Item")

    assert "# name: string" in content(mine, ITEM) or told["conflicts"] == [ITEM]


def test_phases_of_an_earlier_recipe_are_told_where_others_are_made_beside_them(mine: Path, recipe: Path) -> None:
    write_recipe(recipe, 2)
    assert "earlier version of the recipe" not in well(mine, "generate").err

    edit_plan(mine, "entities:\n", "entities:\n  Tag:\n    name: string\n")
    told = well(mine, "generate").err

    assert "entity/Item, entity/Order were made with an earlier version of the recipe" in told
    assert "'phasebot regenerate entity/Item entity/Order --run shop' makes them again" in told
