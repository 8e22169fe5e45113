"""Proof of rebuild: the commits of real runs are made again, and each line is told to be the bot's or a person's."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.engine.rebuild import rebuild_run
from bot.generation.provider import GenerationRequest, GenerationResult
from bot.generation.templates import TemplateProvider, render_phase
from bot.history.checkout import Checkout, RunLocation
from bot.history.proof import FileProof, Rebuild
from bot.history.proof_formats import format_rebuild, format_rebuild_json
from bot.history.repository import ACTIONS_BOT
from tests.history_picture import (
    SHOP,
    bot,
    content,
    edit_plan,
    finished,
    first_edition,
    generate,
    head,
    own,
    person,
    phase_commit,
    well,
    work,
    write_recipe,
)
from tests.repositories import SMALL, ScriptedProvider, commit, git, leaving_out, new_repository, open_git, open_run

ITEM = "app/models/item.py"


def rebuild(folder: Path, run: str = "shop") -> Rebuild:
    return rebuild_run(open_run(folder, run, render=render_phase))


def verdicts(found: Rebuild) -> dict[str, str]:
    """Return what the newest commit of each phase is."""
    return {each.phase or "rollback": each.verdict for each in found.commits}


def of(found: Rebuild, path: str) -> Mapping[str, int]:
    counts = next(each.counts for each in found.files if each.path == path)
    return {str(origin): number for origin, number in counts.items()}


def faults(found: Rebuild) -> list[tuple[str | None, FileProof]]:
    return [(each.phase, file) for each in found.commits for file in each.files if file.verdict != "proven"]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A complete run, with its branch checked out."""
    return finished(tmp_path / "shop")


@pytest.fixture
def roomy(tmp_path: Path) -> Path:
    """A complete run of a recipe whose files have room for two changes."""
    return finished(tmp_path / "shop", recipe=first_edition())


# ---- honest histories


def test_all_of_a_run_of_templates_is_proven_and_every_line_the_bots(shop: Path) -> None:
    found = rebuild(shop)

    assert verdicts(found) == dict.fromkeys(["core", "entity/Item", "entity/Order", "support", "main"], "proven")
    assert {origin for each in found.files for origin in each.lines} == {"bot"}
    assert [each.path for each in found.files][:3] == ["app/__init__.py", "app/db.py", "app/models/item.py"]
    assert found.head == head(shop)


def test_a_persons_lines_are_told_from_the_bots(shop: Path) -> None:
    person(shop, "Edit", {ITEM: f"# mine\n{content(shop, ITEM)}# mine, too\n"})
    person(shop, "A file of one's own", {"notes.md": "mine\n"})

    found = rebuild(shop)

    assert verdicts(found)["entity/Item"] == "proven"
    assert of(found, ITEM) == {"bot": 2, "human": 2}
    told = format_rebuild(found)
    assert f"  {ITEM}  2 bot, 2 human\n" in told
    assert "notes.md" not in told
    assert told.endswith("commits: 5 proven; lines: 19 bot, 2 human")
    lines = next(each["lines"] for each in json.loads(format_rebuild_json(found))["files"] if each["path"] == ITEM)
    assert lines == [["human", 1], ["bot", 2], ["human", 1]]


def test_who_takes_an_edit_back_leaves_lines_of_the_bot(shop: Path) -> None:
    edit = person(shop, "Edit", {ITEM: "# mine\n"})
    assert of(rebuild(shop), ITEM) == {"human": 1}

    git(shop, "revert", "--no-edit", edit)

    assert of(rebuild(shop), ITEM) == {"bot": 2}


def test_a_regeneration_that_merged_an_edit_is_proven(roomy: Path) -> None:
    person(roomy, "Edit", {ITEM: f"{content(roomy, ITEM)}# mine\n"})
    edit_plan(roomy, "name: string", "name: string\n    size: integer")
    well(roomy, "generate")
    assert "# mine" in content(roomy, ITEM)

    found = rebuild(roomy)

    assert faults(found) == []
    assert [each.verdict for each in found.commits if each.phase == "entity/Item"] == ["proven", "proven"]
    lines = content(roomy, ITEM).splitlines()
    assert of(found, ITEM) == {"bot": len(lines) - 1, "human": 1}


def test_older_commits_are_held_against_the_plan_of_their_time(shop: Path) -> None:
    edit_plan(shop, "name: string", "title: string")
    well(shop, "generate")
    edit_plan(shop, "  Order:", "  Basket:\n    size: integer\n  Order:")
    well(shop, "generate")

    found = rebuild(shop)

    assert faults(found) == []
    assert {each.verdict for each in found.commits} == {"proven"}
    assert sum(each.phase == "main" for each in found.commits) == 2


def test_a_conflict_leaves_the_file_and_discarding_edits_takes_it(roomy: Path) -> None:
    person(roomy, "Edit", {ITEM: "# all mine\n"})
    edit_plan(roomy, "name: string", "title: string")
    bot(roomy, "generate")
    assert content(roomy, ITEM) == "# all mine\n"
    found = rebuild(roomy)
    assert (faults(found), of(found, ITEM)) == ([], {"human": 1})

    well(roomy, "regenerate", "entity/Item", "--discard-edits")

    found = rebuild(roomy)
    assert faults(found) == []
    assert set(of(found, ITEM)) == {"bot"}


def test_a_partial_phase_is_proven_with_the_files_that_it_has(tmp_path: Path) -> None:
    folder = finished(tmp_path / "shop")
    git(folder, "reset", "--quiet", "--hard", f"{phase_commit(folder, 'entity/Item')}^")
    script = {"entity/Item": leaving_out(ITEM)}
    work(folder, ScriptedProvider(script))

    found = rebuild(folder)

    assert faults(found) == []
    assert [file.path for each in found.commits if each.phase == "entity/Item" for file in each.files] == [
        "app/routers/item.py"
    ]


def test_a_rollback_is_proven_and_so_is_what_is_made_again(shop: Path) -> None:
    well(shop, "rollback", "main")
    assert verdicts(rebuild(shop))["rollback"] == "proven"

    well(shop, "generate")

    found = rebuild(shop)
    assert faults(found) == []
    assert of(found, "main.py") == {"bot": 3}


def test_a_file_that_the_recipe_makes_no_more_may_go(tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path / "recipe")
    folder = own(tmp_path / "shop", recipe)
    text = (recipe / "recipe.yaml").read_text()
    (recipe / "recipe.yaml").write_text(text.replace("      app/db.py: core.j2\n", ""))
    well(folder, "regenerate", "core")

    found = rebuild(folder)

    first, last = (each for each in found.commits if each.phase == "core")
    assert (first.verdict, last.verdict) == ("unproven", "proven")
    assert faults(found) == []


def test_what_the_base_has_of_a_squashed_run_needs_no_proof(shop: Path) -> None:
    git(shop, "switch", "--quiet", "main")
    git(shop, "merge", "--quiet", "--squash", "phasebot/shop")
    git(shop, "commit", "--quiet", "-m", "Shop (#1)")
    git(shop, "branch", "-D", "phasebot/shop")
    person(shop, "Edit", {ITEM: f"{content(shop, ITEM)}# mine\n"})
    generate(shop, "# More\n\n- Basket: size integer\n", "--run", "more")

    found = rebuild(shop, "more")

    assert faults(found) == []
    assert {"core", "entity/Item", "entity/Order"} <= set(found.inherited)
    assert of(found, ITEM) == {"bot": 2, "base": 1}
    assert set(of(found, "app/models/basket.py")) == {"bot"}
    assert "nothing to prove: the base has core, entity/Item, entity/Order" in format_rebuild(found)


def test_the_built_in_recipe_is_proven_with_its_migrations(tmp_path: Path) -> None:
    folder = new_repository(tmp_path / "shop")
    git(folder, "switch", "--quiet", "-c", "phasebot/shop")
    generate(folder, "# Shop\n\n- Item: name string\n", "--run", "shop", recipe="fastapi")
    edit_plan(folder, "name: string", "title: string")
    well(folder, "generate")

    found = rebuild(folder)

    assert faults(found) == []
    assert {each.verdict for each in found.commits} == {"proven"}
    assert {origin for each in found.files for origin in each.lines} == {"bot"}


# ---- what is not as it says


def amend(folder: Path, files: dict[str, str | None]) -> None:
    """Change the newest commit and keep its message."""
    commit(folder, "Change", files)
    git(folder, "reset", "--quiet", "--soft", "HEAD~1")
    git(folder, "commit", "--quiet", "--amend", "--allow-empty", "--no-edit")


def test_an_amended_phase_commit_is_tampered(shop: Path) -> None:
    text = content(shop, "main.py")
    amend(shop, {"main.py": text.replace("# Order", "import os")})

    found = rebuild(shop)

    assert verdicts(found)["main"] == "tampered"
    assert [(file.path, file.line) for _, file in faults(found)] == [("main.py", 3)]
    assert of(found, "main.py") == {"bot": 2, "human": 1}
    assert f"{head(shop)[:10]}  main  tampered\n  main.py:3  neither what the recipe makes" in format_rebuild(found)
    assert json.loads(format_rebuild_json(found))["proven"] is False


def test_the_command_executes_nothing_and_ends_with_0_if_nothing_is_tampered(shop: Path) -> None:
    person(shop, "Edit", {ITEM: f"{content(shop, ITEM)}# mine\n"})

    told = well(shop, "verify", "--rebuild")

    assert f"  {ITEM}  2 bot, 1 human\n" in told.out
    assert told.out.endswith("commits: 5 proven; lines: 19 bot, 1 human\n")
    assert told.err == "", "the small recipe has no commands, and none is missed"
    assert well(shop, "verify", "--rebuild", "--format", "json").json()["proven"] is True


def test_the_command_ends_with_1_and_names_the_commit_that_is_tampered(shop: Path) -> None:
    amend(shop, {"main.py": "import os\n##[error]x\n"})

    told = bot(shop, "verify", "--rebuild")

    assert told.code == 1
    assert f"{head(shop)[:10]}  main  tampered\n  main.py:1  neither what the recipe makes" in told.out
    assert "1 commit can't come from plan and recipe, whatever the message says; review it as people's work" in told.err
    assert told.err.endswith(f": git show {head(shop)[:10]}\n")
    assert bot(shop, "verify", "--rebuild", "--format", "json").json()["commits"][-1]["verdict"] == "tampered"


def test_what_can_not_be_made_again_is_told_by_the_command_and_is_no_failure(tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path / "recipe")
    folder = own(tmp_path / "shop", recipe)
    write_recipe(recipe, edition=2)

    told = well(folder, "verify", "--rebuild")

    assert "phasebot: rebuilding phasebot/shop: 2 commits can't be made again, as told above\n" in told.err


@pytest.mark.parametrize(
    ("option", "why"),
    [
        (("--format", "sarif"), "it has no format 'sarif'; use --format text or --format json"),
        (("--format", "markdown"), "it has no format 'markdown'"),
        (("--again",), "it runs no commands, so --again has no effect; leave one of the two out"),
    ],
)
def test_what_has_no_meaning_for_a_rebuild_is_refused(shop: Path, option: tuple[str, ...], why: str) -> None:
    told = bot(shop, "verify", "--rebuild", *option)

    assert (told.code, told.out) == (2, "")
    assert why in told.err


def test_a_line_that_a_merge_did_not_bring_is_tampered(roomy: Path) -> None:
    person(roomy, "Edit", {ITEM: f"{content(roomy, ITEM)}# mine\n"})
    edit_plan(roomy, "name: string", "name: string\n    size: integer")
    well(roomy, "generate")
    oid = phase_commit(roomy, "entity/Item")
    git(roomy, "reset", "--quiet", "--hard", oid)
    amend(roomy, {ITEM: content(roomy, ITEM).replace("# size", "# smuggled\n# size")})

    found = rebuild(roomy)

    assert [(phase, file.path, file.line) for phase, file in faults(found)] == [("entity/Item", ITEM, 5)]


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"evil.py": "import os\n"}, "no file of phase main"),
        ({"app/db.py": "import os\n"}, "no file of phase main"),
        ({"main.py": None}, "the recipe makes it, and the commit lacks it"),
    ],
)
def test_a_commit_with_other_files_is_tampered(shop: Path, files: dict[str, str | None], why: str) -> None:
    amend(shop, files)

    found = rebuild(shop)

    assert verdicts(found)["main"] == "tampered"
    assert why in [file.why for _, file in faults(found)]


def test_a_file_that_became_a_link_or_a_program_is_tampered(shop: Path) -> None:
    git(shop, "update-index", "--chmod=+x", "main.py")
    git(shop, "commit", "--quiet", "--amend", "--no-edit")

    assert [file.why for _, file in faults(rebuild(shop))] == ["it is no plain file, as the recipe makes them"]


def test_a_rollback_that_brings_something_is_tampered(shop: Path) -> None:
    well(shop, "rollback", "main")
    amend(shop, {"main.py": "import os\n"})

    found = rebuild(shop)

    assert verdicts(found)["rollback"] == "tampered"
    assert of(found, "main.py") == {"human": 1}


def test_another_edition_of_the_recipe_proves_nothing(tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path / "recipe")
    folder = own(tmp_path / "shop", recipe)
    write_recipe(recipe, edition=2)

    found = rebuild(folder)

    assert (verdicts(found)["entity/Item"], verdicts(found)["core"]) == ("unproven", "proven")
    assert "entity/Item  can't be rebuilt: it was made with another version of the recipe\n" in format_rebuild(found)
    assert of(found, ITEM) == {"unproven": 7}


def test_a_phase_of_a_plan_that_is_gone_proves_nothing(shop: Path) -> None:
    message = git(shop, "log", "-1", "--format=%B").replace("Phasebot-Inputs: sha256:", "Phasebot-Inputs: sha256:0")
    git(shop, "commit", "--quiet", "--amend", "-m", message)

    found = rebuild(shop)

    why = "no plan in the history has what it says to be made from"
    assert [each.why for each in found.commits if each.phase == "main"] == [why]


def test_what_a_model_made_is_the_models_and_what_stood_in_for_it_is_proven(tmp_path: Path) -> None:
    async def act(request: GenerationRequest) -> GenerationResult:
        made = await TemplateProvider().generate(request)
        files = {**made.files, ITEM: "# by a model\n"}
        return GenerationResult(files, made.missing, "some-model", fallback=("app/routers/item.py",))

    folder = finished(tmp_path / "shop")
    git(folder, "reset", "--quiet", "--hard", f"{phase_commit(folder, 'entity/Item')}^")
    work(folder, ScriptedProvider({"entity/Item": act}, name="gemini"))
    person(folder, "Edit", {ITEM: "# by a model\n# mine\n"})

    found = rebuild(folder)

    made = next(each for each in found.commits if each.phase == "entity/Item")
    assert (made.verdict, [*made.files]) == ("model", [FileProof("app/routers/item.py", "proven")])
    assert of(found, ITEM) == {"model": 1, "human": 1}
    assert of(found, "app/routers/item.py") == {"bot": 2}


def test_on_actions_a_commit_with_copied_trailers_is_a_persons(shop: Path) -> None:
    message = git(shop, "log", "-1", "--format=%B")
    git(shop, "config", "user.name", "Mallory")
    commit(shop, message, {"main.py": "import os\n"})
    location = RunLocation(folder=shop, is_workspace=True, run="shop", committer=ACTIONS_BOT, recipe=str(SMALL))
    run = Checkout(location, open_git(shop), render_phase).open_run("shop", lambda: datetime.now(UTC))

    found = rebuild_run(run)

    assert (faults(found), len(found.commits), of(found, "main.py")) == ([], 5, {"human": 1})
    assert any("not by github-actions[bot]" in note for note in found.notes)


def test_a_rollback_is_held_against_the_base_of_its_time(tmp_path: Path) -> None:
    folder = new_repository(tmp_path / "shop", {"main.py": "# of the base\n"})
    git(folder, "switch", "--quiet", "-c", "phasebot/shop")
    generate(folder, SHOP, "--run", "shop")
    well(folder, "regenerate", "main", "--discard-edits")
    well(folder, "rollback", "main")
    assert content(folder, "main.py") == "# of the base\n"
    git(folder, "switch", "--quiet", "main")
    person(folder, "The base moves on", {"main.py": "# of the base, later\n"})
    git(folder, "switch", "--quiet", "phasebot/shop")
    git(folder, "merge", "--quiet", "--no-edit", "main")

    found = rebuild(folder)

    assert faults(found) == []
    assert verdicts(found)["rollback"] == "proven"
