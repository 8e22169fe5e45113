"""Where settings of a repository are read from, and what wins over them."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.configuration import _ELSEWHERE
from tests.action_world import World, small_world
from tests.history_picture import bot, well
from tests.repositories import NOTE, SMALL, commit, git, new_repository, phasebot_here

FILE = ".github/phasebot.yml"
EMPTY = {f"PHASEBOT_ACTION_{name}": "" for name in ("OUTPUT_DIR", "JOBS", "BASE_BRANCH", "RECIPE", "OPTIONS", "MODEL")}
PROJECT = """\
[tool.phasebot]
recipe = "recipes/small"
output-dir = "web"
jobs = 2
"""


# ---- the command line


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A repository with settings, and the recipe that they name."""
    files = {str(path.relative_to(SMALL)): path.read_text() for path in SMALL.rglob("*") if path.is_file()}
    recipe = {f"recipes/small/{name}": text for name, text in files.items()}
    return new_repository(tmp_path / "shop", {"pyproject.toml": PROJECT} | recipe)


def test_a_project_sets_options_and_that_is_said(shop: Path) -> None:
    told = well(shop, "generate", NOTE)

    assert told.err.startswith("note: pyproject.toml sets jobs, output-dir, recipe\n")
    assert "recipe: recipes/small\noutput-dir: web\n" in git(shop, "show", "phasebot/note:web/.phasebot/plan.yaml")


def test_an_option_wins_over_the_environment_and_that_over_the_project(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHASEBOT_GENERATE_OUTPUT_DIR", "from-environment")
    well(shop, "generate", NOTE, "--run", "one")
    well(shop, "generate", NOTE, "--run", "two", "--output-dir", "from-option")

    assert git(shop, "ls-tree", "--name-only", "phasebot/one", "from-environment", "web") == "from-environment"
    assert git(shop, "ls-tree", "--name-only", "phasebot/two", "from-option", "from-environment") == "from-option"


def test_a_run_that_goes_on_is_not_told_that_its_defaults_are_not_used(shop: Path) -> None:
    well(shop, "generate", NOTE, "--output-dir", "api")

    assert "is not used" not in well(shop, "generate").err
    assert "--output-dir 'web' is not used" in well(shop, "generate", "--output-dir", "web").err


def test_the_settings_are_those_of_the_whole_repository(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (shop / "deep" / "er").mkdir(parents=True)
    (shop / "deep" / "pyproject.toml").write_text("[tool.phasebot]\noutput-dir = 'wrong'\n")
    monkeypatch.chdir(shop / "deep" / "er")

    planned = phasebot_here("plan", NOTE)

    assert planned.returncode == 0, planned.stderr
    assert planned.stderr.startswith("note: pyproject.toml sets output-dir, recipe\n")


def test_a_bad_setting_is_a_usage_error_and_nothing_is_written(shop: Path) -> None:
    (shop / "pyproject.toml").write_text("[tool.phasebot]\nremote = 'evil'\njobs = 0\n")

    told = bot(shop, "generate", NOTE)

    assert told.code == 2
    assert told.err.split("\n")[:3] == [
        "phasebot: reading pyproject.toml, [tool.phasebot]: it has 2 problems:",
        f"  line 2: remote can't be set here: {_ELSEWHERE}",
        "  line 3: jobs is 0; it takes a whole number from 1 to 64",
    ]
    assert git(shop, "for-each-ref", "--format=%(refname)") == "refs/heads/main"


def test_a_project_names_no_recipe_outside_the_repository(shop: Path) -> None:
    (shop / "pyproject.toml").write_text(f"[tool.phasebot]\nrecipe = '{SMALL}'\n")

    assert "it takes a built-in recipe, or a folder of the repository" in bot(shop, "generate", NOTE).err


@pytest.mark.parametrize("kind", ["pipe", "link", "latin"])
def test_what_is_no_file_that_can_be_read_is_refused(shop: Path, tmp_path: Path, kind: str) -> None:
    (tmp_path / "outside.toml").write_text("[tool.phasebot]\njobs = 1\n")
    (shop / "pyproject.toml").unlink()
    if kind == "pipe":
        os.mkfifo(shop / "pyproject.toml")
    elif kind == "link":
        (shop / "pyproject.toml").symlink_to(tmp_path / "outside.toml")
    else:
        (shop / "pyproject.toml").write_bytes(b"# phasebot \xe4\n")

    told = bot(shop, "status")

    assert (told.code, told.err.startswith("phasebot: reading pyproject.toml: it is not")) == (2, kind != "link")


def test_a_project_file_that_would_take_minutes_is_given_up_on(shop: Path) -> None:
    (shop / "pyproject.toml").write_text("[tool.phasebot]\n" + "a." * 50_000 + "a = 1\n")

    told = bot(shop, "status")

    assert (told.code, "[tool.phasebot]: it can't be read: it took longer than" in told.err) == (2, True)


def test_a_project_file_that_says_nothing_about_us_is_not_parsed(shop: Path) -> None:
    (shop / "pyproject.toml").write_bytes(b"[broken \xe4\n")

    assert bot(shop, "status").err.startswith("phasebot: choosing a run: this repository has no ")


def test_help_needs_no_valid_settings(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (shop / "pyproject.toml").write_text("[tool.phasebot]\nremote = 'evil'\n")
    monkeypatch.chdir(shop)

    assert [phasebot_here(command, "--help").returncode for command in ("generate", "plan")] == [0, 0]


# ---- GitHub Actions


@pytest.fixture
def github(tmp_path: Path) -> Iterator[World]:
    with small_world(tmp_path, recipe="fastapi") as found:
        yield found


def configure(github: World, text: str, *, branch: str = "main", name: str = FILE) -> None:
    """Commit a file with settings."""
    laptop = github.clone(f"seed-{branch}-{len(list(github.root.iterdir()))}")
    if branch != "main":
        git(laptop, "switch", "--quiet", "-c", branch)
    commit(laptop, "Configure", {name: text})
    git(laptop, "push", "--quiet", "origin", "HEAD")


def job(github: World, command: str, **inputs: str) -> str:
    """Answer a comment in a process of its own, and return its log."""
    environ = EMPTY | {f"PHASEBOT_ACTION_{name.upper()}": value for name, value in inputs.items()}
    log, _ = github.start(github.comment(command), environ=environ, hurry=True).communicate(timeout=120)
    return log


def test_the_file_of_the_base_counts_below_inputs_and_above_the_issue(github: World) -> None:
    configure(github, "output-dir: from-file\njobs: 3\n")
    github.github.issues[12].body = "output-dir: from-issue\nentities:\n  Note: text text\n"

    job(github, "/plan", jobs="5")

    assert "output-dir: from-file\n" in github.file("from-file/.phasebot/plan.yaml")
    job(github, "/help", jobs="5")
    told = github.said()[-1]
    assert "| output folder | `from-file` | .github/phasebot.yml |" in told
    assert "| phases at the same time | `5` | the workflow |" in told
    assert "| recipe | `fastapi` | the default |" in told


def test_what_the_workspace_says_does_not_count(github: World) -> None:
    configure(github, "jobs: 3\n")
    folder = github.checkout()
    (folder / FILE).write_text("jobs: 64\n")
    git(folder, "checkout", "--quiet", "-b", "phasebot/issue-12")
    git(folder, "commit", "--quiet", "--all", "-m", "Configure it here")

    github.start(github.comment("/help"), environ=EMPTY, folder=folder, hurry=True).communicate(timeout=120)

    assert "| phases at the same time | `3` | .github/phasebot.yml |" in github.said()[-1]


def test_the_base_that_the_workflow_names_has_the_file(github: World) -> None:
    configure(github, "jobs: 3\n", branch="develop")

    job(github, "/help", base_branch="develop")
    job(github, "/help")

    assert "| phases at the same time | `3` | .github/phasebot.yml |" in github.said()[-2]
    assert "| phases at the same time | `8` | the default |" in github.said()[-1]


def test_a_base_that_the_file_names_is_the_base_of_runs(github: World) -> None:
    configure(github, "nothing\n", branch="develop", name="x")
    configure(github, "base-branch: develop\n")

    job(github, "/plan")

    assert github.pull().base == "develop"


@pytest.mark.parametrize("command", ["/generate", "/help"])
def test_a_broken_file_is_told_in_a_comment(github: World, command: str) -> None:
    configure(github, "jobs: many\ngemini-api-key: AIza-not-a-key\n")

    job(github, command)

    (told,) = github.said()
    assert "Not run: reading" in told
    assert "jobs is 'many'; it takes a whole number from 1 to 64" in told
    assert "AIza" not in told
    assert github.commits() == []


def test_a_broken_file_keeps_nobody_from_stopping_or_looking(github: World) -> None:
    configure(github, "jobs: many\n")

    log = job(github, "/status") + job(github, "/stop")

    assert log.count("jobs is 'many'; it takes a whole number from 1 to 64") == 2
    assert [each.partition(" ")[0] for each in github.reactions()] == ["+1", "+1"]
    assert git(github.origin, "for-each-ref", "--format=%(refname)", "refs/phasebot") == "refs/phasebot/stop/issue-12"


def test_the_other_ending_is_told(github: World) -> None:
    configure(github, "jobs: 3\n", name=".github/phasebot.yaml")

    job(github, "/help")

    assert "only .github/phasebot.yml is read; rename the file" in github.said()[-1].replace("`", "")
