"""``generate --dry-run``: what the run would make and why, and that it leaves no trace."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests import gemini_client
from tests.gemini_server import Author, FakeGemini
from tests.history_picture import bot, edit_plan, finished, person, well
from tests.repositories import NOTE, SMALL, clone, git, new_origin, new_repository, phases_of

SPEC = "# Shop\n\n- Item: name string\n- Order: amount integer, item -> Item\n"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A complete run, with its branch checked out."""
    return finished(tmp_path / "shop")


def everything(folder: Path) -> Mapping[str, str]:
    """Return every file of a repository, those of git included, with what is in it."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        for path in sorted(folder.rglob("*"))
    }


def rehearse(folder: Path, *arguments: object) -> list[str]:
    """Return the phases that a dry run names, in plan order; it has to leave everything as it is."""
    before = everything(folder)
    told = well(folder, "generate", *arguments, "--dry-run", "--format", "json").json()
    assert everything(folder) == before
    return [each["key"] for each in told["phases"]]


def test_a_complete_run_has_nothing_to_do(shop: Path) -> None:
    assert rehearse(shop) == []
    assert well(shop, "generate", "--dry-run").out == "nothing to generate on phasebot/shop\n"


def test_each_phase_is_listed_with_its_reason(shop: Path) -> None:
    edit_plan(shop, "name: string", "name: string(80)")
    well(shop, "rollback", "main")
    commit = git(shop, "rev-parse", "--short=7", "HEAD~1"), git(shop, "rev-parse", "--short=7", "HEAD")
    who = git(shop, "log", "-1", "--format=%an")

    assert (
        well(shop, "generate", "--dry-run").out
        == f"""\
entity/Item  2 files  Item.name: string → string(80), in {commit[0]} by {who}
support      2 files  Item.name: string → string(80), in {commit[0]} by {who}
main         1 file   it was rolled back, in {commit[1]} by {who}
3 phases would be made on phasebot/shop by templates, without tokens
"""
    )


@pytest.mark.parametrize(
    "options",
    [(), ("--cascade",), ("--only", "core"), ("--only", "entity/Item", "--cascade")],
    ids=" ".join,
)
@pytest.mark.parametrize("what", ["plan", "rolled back", "removed", "file", "newer need"])
def test_the_run_makes_what_the_dry_run_said(shop: Path, what: str, options: Sequence[str]) -> None:
    match what:
        case "plan":
            edit_plan(shop, "name: string", "name: string(80)")
        case "rolled back":
            well(shop, "rollback", "core", "--cascade")
        case "removed":
            edit_plan(shop, "  Order:\n    amount: integer\n    item: -> Item\n", "")
        case "file":
            person(shop, "Edit", {"app/models/item.py": "x = 1\n"})
            well(shop, "regenerate", "entity/Item")
        case _:
            well(shop, "regenerate", "core")
    said = rehearse(shop, *options)
    before = phases_of(shop, "shop")

    assert bot(shop, "generate", *options, "--jobs", 1).code in (0, 3)
    assert sorted(phases_of(shop, "shop")[len(before) :]) == sorted(said)


def test_phases_that_the_plan_no_longer_has_are_named(shop: Path) -> None:
    edit_plan(shop, "  Order:\n    amount: integer\n    item: -> Item\n", "")

    told = well(shop, "generate", "--dry-run").out
    assert "entity/Order  2 files  rolled back: the plan no longer has it\n" in told


@pytest.mark.parametrize("kind", ["absent", "empty"])
def test_without_a_repository_all_is_new_and_none_is_made(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "new"
    if kind == "empty":
        folder.mkdir()
    told = well(folder, "generate", SPEC, "--recipe", SMALL, "--dry-run")

    assert list(tmp_path.rglob("*")) == [folder] * (kind == "empty")
    assert (
        told.out
        == """\
plan          2 files  new
core          2 files  new
entity/Item   2 files  new
entity/Order  2 files  new
support       2 files  new
main          1 file   new
6 phases would be made on phasebot/shop by templates, without tokens
"""
    )


def test_a_new_run_in_a_clone_asks_no_remote_and_fetches_nothing(tmp_path: Path) -> None:
    folder = clone(new_origin(tmp_path / "origin.git"), tmp_path / "mine")
    git(tmp_path / "origin.git", "branch", "phasebot/shop", "main")
    before = everything(tmp_path)
    told = well(folder, "generate", SPEC, "--recipe", SMALL, "--dry-run")

    assert everything(tmp_path) == before
    assert told.out.startswith("plan          2 files  new\n")
    assert "note: a dry run does not ask the remote\n" in told.err


def test_not_even_a_note_of_the_recipe_is_left(tmp_path: Path) -> None:
    folder = new_repository(tmp_path / "shop")

    assert rehearse(folder, SPEC, "--recipe", SMALL)[:2] == ["plan", "core"]


def test_an_entity_more_makes_only_what_sees_it(shop: Path) -> None:
    edit_plan(shop, "  Order:\n", "  Tag:\n    name: string\n  Order:\n")

    assert rehearse(shop) == ["entity/Tag", "support", "main"]


def test_what_a_request_names_wrong_is_refused_as_by_the_run(shop: Path) -> None:
    told = bot(shop, "generate", "--dry-run", "--only", "entity/Itme")

    assert told.code == 2
    assert "phase 'entity/Itme' is not in the plan" in told.err
    assert bot(shop, "generate", "--dry-run", "--run", "none").code == 2


def test_a_phase_without_a_template_is_said_to_need_a_model(tmp_path: Path) -> None:
    spec = "# Notes\n\n- Note: text text\n\n## Features\n\n- Feed: `GET /feed` lists the newest notes. Uses Note.\n"
    told = well(tmp_path / "new", "generate", spec, "--dry-run", "--format", "json").json()

    assert "feature/Feed" in [*told["waiting"], *(each["key"] for each in told["phases"] if each["without-template"])]


# ---- with a model


def test_tokens_and_cost_are_those_of_this_runs_own_phases(tmp_path: Path) -> None:
    folder, spec = tmp_path / "notes", tmp_path / "note.md"
    spec.write_text(NOTE)
    with FakeGemini(Author(NOTE)) as fake:
        assert gemini_client.phasebot("generate", spec, "--repo", folder, fake=fake).returncode == 0
        asked, before = len(fake.requests), everything(folder)
        edit_plan(folder, "text: text", "text: string(80)")
        before = everything(folder)
        done = gemini_client.phasebot("generate", "--repo", folder, "--dry-run", "--format", "json", fake=fake)
        text = gemini_client.phasebot("generate", "--repo", folder, "--dry-run", fake=fake).stdout
        new = gemini_client.phasebot("generate", spec, "--repo", tmp_path / "x", "--dry-run", fake=fake)

        assert len(fake.requests) == asked
    told = json.loads(done.stdout)
    files = sum(len(each["files"]) for each in told["phases"])
    measured = told["measured"]
    assert everything(folder) == before
    assert measured["model"] == "gemini-3.8-flash"
    read = round(1000 * measured["commits"] / measured["files"])
    assert told["tokens"]["in"] == pytest.approx(read * files, rel=0.05)
    assert told["cost"].startswith("about $")
    assert f"as {measured['files']} files in {measured['commits']} commits by gemini-3.8-flash in this run took" in text
    assert new.stdout.endswith("tokens and cost are unknown, because no phase of this run was made by the model yet\n")


def test_prose_is_not_planned(tmp_path: Path) -> None:
    with FakeGemini(Author()) as fake:
        done = gemini_client.phasebot(
            "generate", gemini_client.SENTENCE, "--repo", tmp_path / "x", "--dry-run", fake=fake
        )

        assert not fake.requests
    assert (done.returncode, done.stdout) == (2, "")
    assert "dry run: a model has to plan this spec first, and a dry run asks none" in done.stderr
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("options", [(), ("--only", "entity/Tag")], ids=["all", "only"])
def test_what_a_new_spec_adds_to_a_merged_project_is_named(shop: Path, options: Sequence[str]) -> None:
    git(shop, "switch", "--quiet", "main")
    git(shop, "merge", "--quiet", "--no-ff", "-m", "Merge", "phasebot/shop")
    more = ("# Shop\n\n- Tag: name string\n", "--run", "more", *options)
    told = well(shop, "generate", *more, "--dry-run").out
    said = rehearse(shop, *more)

    assert "new\n" in told.split("plan  ")[1]
    assert options or "main        1 file   Tag: added\n" in told
    bot(shop, "generate", *more, "--jobs", 1)
    assert sorted(phases_of(shop, "more")) == sorted(said)
