"""The command `assess`: findings about what stands on the branch, from real git."""

import json
from pathlib import Path

import pytest

from bot.assessment import ruff
from bot.errors import PhasebotError
from tests.history_picture import bot, generate, person
from tests.repositories import git, phasebot
from tests.unit.values import write_recipe

SPEC = "# Shop\n\n- Item: title string, owner -> Person\n- Person: name string\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("assess") / "shop"
    assert phasebot("generate", SPEC, "--repo", folder).returncode == 0
    return folder


@pytest.fixture
def shop(made: Path, tmp_path: Path) -> Path:
    """A finished run that a test may change."""
    git(tmp_path, "clone", "--quiet", "--branch", "phasebot/shop", str(made), "shop")
    return tmp_path / "shop"


def edit(folder: Path, path: str, old: str, new: str) -> None:
    """Change a file as a person does."""
    file = folder / path
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))
    git(folder, "commit", "--quiet", "--all", "-m", "Change it")


def test_nothing_is_wrong_with_a_finished_run(made: Path) -> None:
    done = phasebot("assess", "--repo", made)

    assert (done.returncode, done.stdout, done.stderr) == (0, "0 errors, 0 warnings\n", "")


def test_what_a_person_broke_is_told_by_phase_in_each_format(shop: Path) -> None:
    edit(shop, "app/models/item.py", '"people.id"', '"items.id"')
    edit(shop, "app/routers/items.py", "repository.release()", "repo.release()")

    done = phasebot("assess", "--repo", shop)

    assert done.returncode == 1
    assert "entity/Item\n  error  app/models/item.py:" in done.stdout
    assert "Item.owner_id refers to 'items.id'; by the plan it is 'people.id' [wrong-reference]" in done.stdout
    assert "'phasebot regenerate entity/Item' makes them again" in done.stderr
    content = json.loads(phasebot("assess", "--repo", shop, "--format", "json").stdout)
    assert content["head"] == git(shop, "rev-parse", "HEAD")
    assert {each["phase"] for each in content["findings"]} == {"entity/Item"}
    sarif = json.loads(phasebot("assess", "--repo", shop, "--format", "sarif").stdout)
    assert len(sarif["runs"][0]["results"]) == content["errors"] + content["warnings"]
    told = phasebot("assess", "--repo", shop, "--format", "markdown").stdout
    assert told.startswith("**`entity/Item`**\n\n- ❌ `app/models/item.py:")


def test_what_is_still_to_come_is_not_missed(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    phasebot("generate", SPEC, "--repo", folder, "--only", "core", "--only", "main", "--only", "entity/Person")

    done = phasebot("assess", "--repo", folder)

    assert "[unknown-import]" not in done.stdout
    assert done.returncode == 0, done.stdout


def test_files_that_resist_are_findings_too(shop: Path) -> None:
    (shop / "app" / "deep.py").write_text("x = " + "(" * 50_000)
    (shop / "app" / "link.py").symlink_to("/etc/passwd")
    (shop / "app" / "loud.py").write_text('"""::error::x\x1b[2J"""\nimport app.nothing\n')
    git(shop, "add", "--all")
    git(shop, "commit", "--quiet", "-m", "Add files")

    done = phasebot("assess", "--repo", shop)

    assert done.returncode == 1
    assert "app/deep.py" in done.stdout
    assert "link.py" not in done.stdout
    assert "there is no module 'app.nothing'" in done.stdout
    assert "\x1b" not in done.stdout


def test_a_project_in_a_folder_is_assessed_there(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    phasebot("generate", SPEC, "--repo", folder, "--output-dir", "back/api")
    edit(folder, "back/api/main.py", "app = serve()", "app = server()")

    done = phasebot("assess", "--repo", folder)

    assert "main\n  error  back/api/main.py:" in done.stdout
    assert "1 error, 0 warnings" in done.stdout


def test_a_repository_without_a_run_is_refused(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "empty")

    assert phasebot("assess", "--repo", tmp_path / "empty").returncode == 2


def test_a_project_can_not_silence_ruff_but_for_imports_with_an_effect() -> None:
    texts = {
        "ruff.toml": 'exclude = ["*"]\n',
        "a.py": "import os  # noqa: F401\nimport re\nx = y  # noqa\n# ruff: noqa\n",
        "b/c.py": "def f(:\n",
    }

    found = ruff.diagnose(texts)

    assert {(each.path, each.line, each.rule, each.is_error) for each in found} >= {
        ("a.py", 2, "F401", False),
        ("a.py", 3, "F821", True),
        ("b/c.py", 1, "invalid-syntax", True),
    }
    assert ("a.py", 1, "F401") not in {each[:3] for each in found}
    assert ruff.diagnose({}) == []


def test_a_ruff_that_is_gone_is_told_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> str:
        raise FileNotFoundError("no ruff here")

    monkeypatch.setattr("ruff.find_ruff_bin", gone)

    with pytest.raises(PhasebotError, match="ruff can't be started: no ruff here; install Phasebot again"):
        ruff.diagnose({"a.py": ""})


SITE = """\
name: site
phases:
  - key: site
    title: site
    files: {web/app.js: app.j2, web/style.css: style.j2, web/index.html: page.j2}
language: {"*.js": javascript, "*.css": css, "*.html": html}
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A finished run of a recipe that names other languages than Python."""
    write_recipe(tmp_path / "recipe", SITE, {"app.j2": "f(1);", "style.j2": "a { b: c; }", "page.j2": "<p>d</p>"})
    generate(tmp_path / "site", SPEC, recipe=tmp_path / "recipe")
    return tmp_path / "site"


def test_syntax_errors_in_other_languages_are_told_where_the_recipe_names_them(site: Path) -> None:
    assert bot(site, "assess").out == "0 errors, 0 warnings\n"
    files = {"web/app.js": "f(1);\nconst = ;\n", "web/style.css": "a {\n  b: c;\n} }\n", "other.js": "const = ;\n"}
    person(site, "Break", files)

    told = bot(site, "assess")

    assert told.code == 1
    assert told.out == (
        "site\n"
        "  error  web/app.js:2  it does not parse as javascript: near 'const = ;' [invalid-syntax]\n"
        "  error  web/style.css:3  it does not parse as css: near '} }' [invalid-syntax]\n"
        "2 errors, 0 warnings\n"
    )


@pytest.mark.parametrize("text", ["{a:" * 200_000, "(" * 900_000, "<a>" * 200_000, "`${" * 200_000])
def test_a_file_that_a_parser_can_not_stand_is_told_and_the_others_are_checked(site: Path, text: str) -> None:
    person(site, "Break", {"web/app.js": text, "web/style.css": "} }\n"})

    told = bot(site, "assess")

    assert told.code == 1
    assert "web/style.css:1  it does not parse as css" in told.out
    assert "web/app.js" in told.out


def test_without_grammars_a_note_says_what_was_not_checked(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    person(site, "Break", {"web/app.js": "const = ;\n"})
    monkeypatch.setattr("bot.engine.assessment.is_installed", lambda: False)

    told = bot(site, "assess")

    note = "the syntax of 3 files was not checked, for there is no grammar of css, html, javascript here; "
    note += "pip install 'phasebot[languages]'"
    assert (told.code, told.out, told.err) == (0, "0 errors, 0 warnings\n", f"phasebot: {note}\n")
    assert json.loads(bot(site, "assess", "--format", "json").out)["notes"] == [note]
    (run,) = json.loads(bot(site, "assess", "--format", "sarif").out)["runs"]
    assert run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"] == note
