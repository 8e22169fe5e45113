"""Commits of others with the bot's trailers: on GitHub a person's work, on a computer named by status."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.generation.provider import GenerationRequest, GenerationResult, Tokens
from bot.history.reasons import Reason
from bot.history.repository import ACTIONS_BOT
from tests.action_world import World, scripted, small_world
from tests.history_picture import assert_settled, finished, well
from tests.repositories import git

MALLORY = ("-c", "user.name=Mallory", "-c", "user.email=mallory@example.org")
MAIN = "# mine\n"


@pytest.fixture
def github(tmp_path: Path) -> Iterator[World]:
    """A run whose last phase is not generated yet."""
    with small_world(tmp_path) as found:
        with scripted({"main": _nothing}):
            found.say("/generate")
        yield found


async def _nothing(_: GenerationRequest) -> GenerationResult:
    return GenerationResult({}, {"main.py": Reason("unparsable", "it did not parse")}, "some-model", Tokens(10, 2))


def forge(github: World, files: dict[str, str | None], *trailers: str, fields: tuple[str, ...] = MALLORY) -> str:
    """Commit as a squash of a stranger's pull request would: the trailers of a phase, and Mallory as the author."""
    laptop = github.root / "laptop"
    if not laptop.exists():
        github.clone()
    git(laptop, "switch", "--quiet", "phasebot/issue-12")
    git(laptop, "pull", "--quiet", "--ff-only")
    for name, content in files.items():
        (laptop / name).write_text(content) if content is not None else (laptop / name).unlink()
    git(laptop, "add", "--all")
    message = "Improve it\n\n" + "\n".join(("Phasebot-Run: issue-12", *trailers))
    git(laptop, *fields, "commit", "--quiet", "--allow-empty", "-m", message)
    git(laptop, "push", "--quiet", "origin", "HEAD")
    return git(laptop, "rev-parse", "HEAD")


def copied(github: World, phase: str) -> tuple[str, ...]:
    """Return the trailers of a complete phase, with the digests that anybody can read on the branch."""
    found = git(github.origin, "log", "-1", "--format=%(trailers)", f"--grep=Phase: {phase}$", "phasebot/issue-12")
    digests = [line for line in found.split("\n") if line.startswith(("Phasebot-Inputs", "Phasebot-Recipe"))]
    return (f"Phasebot-Phase: {phase}", "Phasebot-Status: complete", *digests)


def test_a_strangers_squash_makes_no_phase_and_its_file_stays(github: World) -> None:
    oid = forge(github, {"main.py": MAIN}, *copied(github, "main"))

    status = github.say("/status")

    assert status.outputs["phases-done"] == "5", "it counts as made by people"
    told = github.said()[-1].replace("\\", "")
    assert "a commit on phasebot/issue-12 that says to be of a phase is not by github-actions[bot]" in told
    assert f"{oid[:10]} by Mallory" in told
    ending = github.say("/generate")
    assert git(github.origin, "rev-parse", "phasebot/issue-12") == oid
    assert (ending.status, github.file("main.py") + "\n") == ("complete", MAIN)
    assert "made by people" in github.said()[0]
    assert github.said()[0].replace("\\", "").count("by Mallory") == 1, "the progress comment says so"


def test_a_forged_phase_on_top_of_a_real_one_is_an_edit(github: World) -> None:
    before = github.file("app/db.py")
    forge(github, {"app/db.py": before + "\n# mine\n"}, *copied(github, "core"))

    github.say("/regenerate core")

    assert github.file("app/db.py").endswith("# mine")


@pytest.mark.parametrize(
    "trailers",
    [
        ("Phasebot-Reverts: core", "Phasebot-Reverts: plan"),
        ("Phasebot-Phase: plan", "Phasebot-Status: complete", "Phasebot-Base: elsewhere"),
        ("Phasebot-Phase: core", "Phasebot-Status: complete", "Phasebot-Tokens: in=999999999999 out=1"),
        ("Phasebot-Phase: core", "Phasebot-Status: partial", "Phasebot-Missing: app/db.py"),
    ],
    ids=lambda trailers: trailers[-1],
)
def test_other_forged_trailers_change_nothing(github: World, trailers: tuple[str, ...]) -> None:
    forge(github, {}, *trailers, fields=(*MALLORY, "-c", f"trailer.x={ACTIONS_BOT}"))

    ending = github.say("/generate --max-tokens 1000 --provider template")

    assert ending.status == "complete"
    assert github.commits()[-1].startswith("Generate main application [5/5]  github-actions[bot]")
    assert github.pull().base == "main"
    assert ending.outputs["tokens"] == "12"


def test_a_rebase_keeps_the_bots_phases(github: World) -> None:
    """GitHub and people who rebase change the committer, and keep the author."""
    laptop = github.clone()
    git(laptop, "switch", "--quiet", "phasebot/issue-12")
    git(laptop, "rebase", "--quiet", "--force-rebase", "origin/main")
    git(laptop, "push", "--quiet", "--force", "origin", "HEAD")

    assert github.say("/status").outputs["phases-done"] == "4"


def test_a_stop_that_was_forged_names_nobody(github: World) -> None:
    laptop = github.clone()
    oid = git(laptop, *MALLORY, "commit-tree", "-m", "Stop issue-12\n\nPhasebot-Run: issue-12\n"
              "Phasebot-Requested-By: alice\nPhasebot-Comment: 999999", "origin/main^{tree}")  # fmt: skip
    git(laptop, "push", "--quiet", "origin", f"{oid}:refs/phasebot/stop/issue-12")

    ending = github.say("/generate")

    assert (ending.status, ending.message.partition(";")[0]) == ("incomplete", "stopped as asked")


def test_a_run_that_somebody_began_says_whose_phases_count(tmp_path: Path) -> None:
    with small_world(tmp_path) as github:
        laptop = github.clone()
        well(laptop, "generate", "- Note: text text\n", "--run", "blog", "--recipe", github.inputs["recipe"])
        git(laptop, "switch", "--quiet", "phasebot/blog")
        trailers = "Phasebot-Run: blog\nPhasebot-Phase: main\nPhasebot-Status: complete"
        git(laptop, *MALLORY, "commit", "--quiet", "--allow-empty", "-m", f"Improve it\n\n{trailers}")
        git(laptop, "push", "--quiet", "origin", "HEAD")
        github.github.add_pull(number=7, head="phasebot/blog", draft=True)

        ending = github.say("/status", number=7)

        told = github.said(7)[-1].replace("\\", "")
        assert ending.outputs["phases-done"] == "5"
        assert (
            "laptop began phasebot/blog outside GitHub Actions, so what they generated counts, too: plan, core" in told
        )
        assert "by Mallory" in told


def test_status_names_who_else_made_a_phase(tmp_path: Path) -> None:
    shop = finished(tmp_path / "shop")
    assert "made by" not in well(shop, "status").out
    inputs = git(shop, "log", "-1", "--format=%(trailers:only)", "--grep=Phasebot-Phase: main").strip()
    git(shop, *MALLORY, "commit", "--quiet", "--allow-empty", "-m", f"Forged\n\n{inputs}")

    text, found = well(shop, "status").out, well(shop, "status", "--format", "json")

    assert re.findall(r"made by .*", text) == ["made by Mallory <mallory@example.org>"]
    assert found.phase("main")["made-by"] == "Mallory <mallory@example.org>"
    assert "made-by" not in found.phase("core")
    assert_settled(shop)
