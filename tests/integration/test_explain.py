"""``explain``, ``/explain`` and the line of it in ``status``, as people see them."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.engine.requests import RunRequest
from tests.action_world import World, small_world
from tests.history_picture import bot, edit_plan, finished, generate, person, well, work
from tests.repositories import SMALL, ScriptedProvider, commit, git, leaving_out, new_repository

MINI = ".phasebot/recipes/mini"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A complete run, with its branch checked out."""
    return finished(tmp_path / "shop")


def explain(folder: Path, *keys: str) -> str:
    """Return what is explained, with stars for commits, and without times and who is at this machine."""
    text = well(folder, "explain", *keys).out
    text = re.sub(r"\b[0-9a-f]{7}\b", "*", text)
    return re.sub(r"\d\d \w{3} \d\d:\d\d, ", "", re.sub(r"(?<= \*) by [^,\n]+", "", text))


def test_a_run_that_is_simply_complete_has_nothing_to_explain(shop: Path) -> None:
    assert explain(shop) == "every phase is complete, and nothing that it was made from has changed\n"
    assert (
        explain(shop, "core")
        == """\
core  complete
  made      *  templates, 2 files
"""
    )


def test_every_kind_of_cause_has_a_line_and_the_next_command(shop: Path) -> None:
    edit_plan(shop, "name: string", "name: string(80) unique")
    person(shop, "Edit", {"app/db.py": "DB = None\n", "app/routers/order.py": None})
    provider = ScriptedProvider({"entity/Order": leaving_out("app/models/order.py")})
    work(shop, provider, request=RunRequest(regenerate=["entity/Order"]))

    assert (
        explain(shop)
        == """\
core  complete
  made      *  templates, 2 files
  edited    app/db.py  in *

entity/Item  complete, outdated: the plan changed
  made      *  templates, 2 files
  plan      Item.name: string → string(80) unique  in *
  next      phasebot generate makes it again

entity/Order  partial
  made      *  some-model, 0 of 2 files, 100 in + 20 out tokens
  missing   app/models/order.py: the file does not parse
  removed   app/routers/order.py  in *
  next      run generate again, or use another --model

support  complete, outdated: the plan changed
  made      *  templates, 2 files
  plan      Item.name: string → string(80) unique  in *
  next      phasebot generate makes it again
"""
    )


def test_a_change_that_was_taken_back_is_no_cause(shop: Path) -> None:
    edit_plan(shop, "name: string", "name: text")
    edit_plan(shop, "name: text", "name: string")

    assert explain(shop, "entity/Item") == "entity/Item  complete\n  made      *  templates, 2 files\n"


def test_a_rollback_and_a_revert_are_named(shop: Path) -> None:
    well(shop, "rollback", "main")
    git(shop, "revert", "--no-edit", git(shop, "log", "--format=%H", "--grep=Generate support"))

    assert (
        explain(shop)
        == """\
support  reverted
  reverted  it was rolled back  in *
  next      phasebot generate makes it

main  reverted
  reverted  it was rolled back  in *
  next      phasebot generate makes it
"""
    )


def test_a_recipe_of_the_repository_is_compared_file_by_file(tmp_path: Path) -> None:
    folder = new_repository(tmp_path / "own")
    shutil.copytree(SMALL, folder / MINI)
    commit(folder, "Add a recipe", {f"{MINI}/recipe.yaml": (SMALL / "recipe.yaml").read_text()})
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "-m", "Add its templates")
    git(folder, "switch", "--quiet", "-c", "phasebot/shop")
    generate(folder, "# Shop\n\n- Item: name string\n", "--run", "shop", recipe="mini")
    person(folder, "Edit", {f"{MINI}/templates/entity.j2": "# other\n"})

    assert (
        explain(folder)
        == """\
entity/Item  complete, outdated: the recipe changed
  made      *  templates, 2 files
  recipe    small: templates/entity.j2
  next      phasebot regenerate entity/Item --run shop makes it with the recipe as it is now
"""
    )


def test_of_other_recipes_only_the_digest_is_known(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe"
    shutil.copytree(SMALL, recipe)
    folder = tmp_path / "shop"
    generate(folder, "# Shop\n\n- Item: name string\n", "--run", "shop", recipe=recipe)
    (recipe / "templates" / "entity.j2").write_text("# other\n")

    assert "  recipe    small: other version than the one it was made with\n" in explain(folder, "entity/Item")


def test_a_plan_that_can_not_be_read_any_more_is_said_and_not_guessed(shop: Path) -> None:
    made = git(shop, "log", "--format=%H", "--grep=Generate entity Item")
    message = git(shop, "log", "-1", "--format=%B", made)
    digest = re.search(r"Inputs: (sha256:\w+)", message)
    assert digest
    git(shop, "commit", "--quiet", "--allow-empty", "-m", message.replace(digest[1], f"sha256:{'0' * 64}"))

    assert "what the phase was made from can't be read any more" in explain(shop, "entity/Item")


def test_programs_get_every_value(shop: Path) -> None:
    edit_plan(shop, "name: string", "name: string(80)")
    told = well(shop, "explain", "entity/Item", "--format", "json").json()
    (phase,) = told["phases"]

    assert (told["run"], told["branch"], told["head"]) == ("shop", "phasebot/shop", git(shop, "rev-parse", "HEAD"))
    assert (phase["key"], phase["status"], phase["stale"], phase["next"]) == (
        "entity/Item",
        "complete",
        "plan",
        "generate",
    )
    assert (phase["tokens"], phase["cost"]) == ({"in": 0, "out": 0}, None)
    (cause,) = phase["causes"]
    assert (cause["kind"], cause["path"], cause["old"], cause["new"]) == (
        "plan",
        "entities.Item.fields.name",
        "string",
        "string(80)",
    )
    assert [each["commit"] for each in cause["commits"]] == [git(shop, "rev-parse", "HEAD")]


def test_an_unknown_phase_is_refused_with_the_nearest_first(shop: Path) -> None:
    told = bot(shop, "explain", "entity/Itme")

    assert told.code == 2
    assert "phase 'entity/Itme' is not in the plan; phases are: entity/Item, " in told.err


def test_a_broken_plan_is_told_beside_what_the_last_readable_one_says(shop: Path) -> None:
    edit_plan(shop, "entities:", "entities: {")
    told = bot(shop, "explain", "core")

    assert told.code == 2
    assert told.out.startswith("core  complete\n")
    assert "the plan .phasebot/plan.yaml at commit" in told.err


def test_status_has_one_line_of_it(shop: Path) -> None:
    edit_plan(shop, "name: string", "name: string(80)")
    work(shop, request=RunRequest(regenerate=["entity/Order"]), only=["entity/Order"])

    text = re.sub(r"\b[0-9a-f]{7}\b", "*", well(shop, "status").out)
    assert "outdated: the plan changed\n       why: Item.name: string → string(80), in * by " in text
    assert "outdated: a phase it depends on was regenerated\n       why: entity/Order is newer, in *" in text
    assert "Item.name" not in json.dumps(well(shop, "status", "--format", "json").json()["phases"])


# ---- comments


@pytest.fixture
def github(tmp_path: Path) -> Iterator[World]:
    with small_world(tmp_path) as found:
        yield found


def _answer(github: World) -> str:
    return re.sub(r"\b[0-9a-f]{7}\b", "*", github.said()[-1].partition("\n")[2])


def test_a_comment_is_answered_at_once_and_changes_nothing(github: World) -> None:
    github.say("/generate")
    laptop = github.clone()
    git(laptop, "switch", "--quiet", "phasebot/issue-12")
    plan = (laptop / ".phasebot/plan.yaml").read_text()
    commit(laptop, "Edit", {".phasebot/plan.yaml": plan.replace("text: text", "text: string(80)")})
    git(laptop, "push", "--quiet", "origin", "HEAD")
    before = github.commits()

    ending = github.say("/explain entity/Note")

    assert (ending.status, ending.outputs["status"], github.commits()) == ("answered", "answered", before)
    assert "**`entity/Note`**: complete, outdated: the plan changed\n" in _answer(github)
    assert "- plan: Note.text: text → string(80), in * by " in _answer(github)
    assert "- next: `/generate` makes it again" in _answer(github)

    github.say("/status")
    assert "  - why: Note.text: text → string(80), in * by " in _answer(github)

    github.say("/explain")
    assert [line for line in _answer(github).split("\n") if line.startswith("**")] == [
        "**`entity/Note`**: complete, outdated: the plan changed",
        "**`support`**: complete, outdated: the plan changed",
    ]


def test_a_phase_that_is_not_there_is_refused_with_a_list(github: World) -> None:
    github.say("/generate")

    assert github.say("/explain entity/Nite").status == "refused"
    assert "is not in the plan; phases are: entity/Note" in github.said()[-1]


def test_before_there_is_a_plan_the_answer_says_what_to_do(github: World) -> None:
    assert github.say("/explain core").status == "refused"
    assert "it has no plan; start the run with /generate" in github.said()[-1]
