"""`phasebot init`: what it writes, what it leaves alone, and which commit it pins."""

import json
import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from bot.errors import UsageError
from bot.forge.workflow_file import Pins, read_pins
from bot.history.installation import FORM, WORKFLOW, Source, find_source, named_source, packaged_file
from tests.act_jobs import ROOT, TOOLS
from tests.history_picture import Told, bot, well
from tests.repositories import clone, commit, git, new_origin, new_repository, phasebot_here

SHA = "0123456789abcdef0123456789abcdef01234567"
FROM = ("--from", f"acme/phasebot@{SHA}")
SOURCE = Source("acme/phasebot", SHA)


@pytest.fixture
def blog(tmp_path: Path) -> Path:
    return new_repository(tmp_path / "blog")


def refused(folder: Path, *arguments: str) -> str:
    """Run init, which is to refuse and to leave everything as it was."""
    before = sorted(folder.rglob("*"))
    told: Told = bot(folder, "init", *(arguments or FROM))
    assert (told.code, told.out) == (2, "")
    assert sorted(folder.rglob("*")) == before
    return told.err


# ---- what it writes


def test_it_writes_our_own_workflow_with_a_pin_and_the_form(blog: Path) -> None:
    told = well(blog, "init", *FROM)

    workflow = (blog / WORKFLOW).read_text()
    uses = [step["uses"] for job in yaml.safe_load(workflow)["jobs"].values() for step in job["steps"]]
    assert {each for each in uses if not each.startswith("actions/")} == {
        f"acme/phasebot@{SHA}",
        f"acme/phasebot/.github/actions/verify@{SHA}",
    }
    assert read_pins(workflow) == Pins(
        read_pins((ROOT / WORKFLOW).read_text()).text, frozenset({f"acme/phasebot@{SHA}"})
    )
    assert (blog / FORM).read_text() == (ROOT / FORM).read_text()
    assert told.out.startswith(f"written: {WORKFLOW}\nwritten: {FORM}\n\nNext:\n1. Commit the files")
    assert git(blog, "status", "--porcelain") == "?? .github/"
    assert oct((blog / WORKFLOW).stat().st_mode & 0o777) == oct(0o666 & ~_umask())


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_what_it_writes_passes_the_checks_of_workflows_and_forms(blog: Path) -> None:
    well(blog, "init", *FROM)

    for kind, path in (("vendor.github-workflows", WORKFLOW), ("vendor.github-issue-forms", FORM)):
        done = subprocess.run(
            [TOOLS / "check-jsonschema", "--builtin-schema", kind, blog / path],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
    found = subprocess.run(
        [TOOLS / "zizmor", "--offline", "--quiet", blog / ".github"], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout


def test_a_second_time_it_writes_nothing(blog: Path) -> None:
    well(blog, "init", *FROM)
    before = (blog / WORKFLOW).stat().st_mtime_ns

    told = well(blog, "init", *FROM)

    assert told.out.startswith(f"already there: {WORKFLOW}\nalready there: {FORM}\n")
    assert (blog / WORKFLOW).stat().st_mtime_ns == before


def test_it_finds_the_root_from_any_folder(blog: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git(blog, "remote", "add", "origin", "git@github.com:acme/blog.git")
    (blog / "deep" / "er").mkdir(parents=True)
    monkeypatch.chdir(blog / "deep" / "er")

    done = phasebot_here("init", *FROM)

    assert (blog / WORKFLOW).is_file()
    assert "     gh secret set GEMINI_API_KEY --repo acme/blog\n" in done.stdout
    assert "under Actions > General: https://github.com/acme/blog/settings/actions\n" in done.stdout
    line = next(line for line in done.stdout.split("\n") if "git -C" in line)
    subprocess.run(["sh", "-c", line.replace("commit", "commit --quiet")], check=True)
    assert git(blog, "show", "--format=%s", "--name-only") == f"Add Phasebot\n\n{FORM}\n{WORKFLOW}"
    assert shlex.split(line)[:2] == ["git", "-C"]


# ---- what it leaves alone


def test_a_workflow_with_another_pin_is_named(blog: Path) -> None:
    well(blog, "init", "--from", "acme/phasebot@" + "f" * 40)

    told = refused(blog)

    assert f"it is there, and uses acme/phasebot@{'f' * 40}; to use acme/phasebot@{SHA}, change it there" in told


@pytest.mark.parametrize("path", [WORKFLOW, FORM])
def test_a_file_that_differs_stays_and_nothing_is_written(blog: Path, path: str) -> None:
    (blog / path).parent.mkdir(parents=True)
    (blog / path).write_text("name: Mine\n")

    assert f"writing {path}: it is there and differs; move it away" in refused(blog)


@pytest.mark.parametrize("link", [".github", ".github/workflows", WORKFLOW])
def test_it_follows_no_link(blog: Path, tmp_path: Path, link: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    (blog / link).parent.mkdir(parents=True, exist_ok=True)
    (blog / link).symlink_to(tmp_path / "elsewhere")

    assert f"{link} is a link; move it away and try again" in refused(blog)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_file_where_a_folder_belongs_is_told(blog: Path) -> None:
    (blog / ".github").write_text("x")

    assert ".github is in the way; move it away and try again" in refused(blog)


def test_outside_of_a_repository_it_says_so(tmp_path: Path) -> None:
    assert "there is no repository; run 'git init' in it, or name another folder" in refused(tmp_path)


def test_a_disk_that_refuses_leaves_nothing_half_written(blog: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = os.link

    def refusing(source: str, target: Path) -> None:
        if target.name == "generate.yml":
            raise OSError(28, "No space left on device")
        link(source, target)

    monkeypatch.setattr(os, "link", refusing)

    assert f"writing {FORM}: No space left on device; nothing was written" in refused(blog)


# ---- which commit it pins


@pytest.fixture
def phasebot_clone(tmp_path: Path) -> Path:
    """A clone of a Phasebot whose origin is said to be on GitHub; returns its package."""
    folder = clone(new_origin(tmp_path / "phasebot.git"), tmp_path / "phasebot")
    commit(folder, "Add", {path: (ROOT / path).read_text() for path in (WORKFLOW, FORM)} | {"bot/__init__.py": ""})
    git(folder, "push", "--quiet", "origin", "main")
    git(folder, "remote", "set-url", "origin", "https://ghs_token@github.com/acme/phasebot.git")
    return folder / "bot"


def unknown(package: Path, direct_url: object = None) -> str:
    with pytest.raises(UsageError) as caught:
        find_source(package, json.dumps(direct_url) if direct_url else None)
    assert "ghs_token" not in str(caught.value)
    assert "name the commit yourself with --from OWNER/REPOSITORY@SHA" in str(caught.value)
    return str(caught.value)


def test_a_clone_pins_its_own_commit(phasebot_clone: Path) -> None:
    assert find_source(phasebot_clone, None) == ("acme/phasebot", git(phasebot_clone, "rev-parse", "HEAD"))


def test_a_commit_that_was_not_pushed_is_refused(phasebot_clone: Path) -> None:
    commit(phasebot_clone.parent, "Here only", {"x": "x"})

    assert "is not on its origin, as far as the clone knows, so GitHub could not get it; push it" in unknown(
        phasebot_clone
    )


def test_a_clone_whose_workflow_was_changed_is_refused(phasebot_clone: Path) -> None:
    (phasebot_clone.parent / WORKFLOW).write_text("name: Other\n")

    assert f"{WORKFLOW} of this installation is not that of commit" in unknown(phasebot_clone)


@pytest.mark.parametrize("url", ["", "/srv/phasebot.git", "https://ghs_token@gitlab.example/acme/phasebot"])
def test_a_clone_from_elsewhere_is_refused(phasebot_clone: Path, url: str) -> None:
    git(phasebot_clone.parent, *(("remote", "set-url", "origin", url) if url else ("remote", "remove", "origin")))

    assert "does not come from a repository on github.com" in unknown(phasebot_clone)


def test_an_installation_from_a_repository_knows_its_commit(tmp_path: Path) -> None:
    recorded = {
        "url": "https://github.com/acme/phasebot.git",
        "vcs_info": {"vcs": "git", "requested_revision": "main", "commit_id": SHA},
    }

    assert find_source(tmp_path / "bot", json.dumps(recorded)) == SOURCE


def test_an_installation_from_a_clone_asks_the_clone(phasebot_clone: Path, tmp_path: Path) -> None:
    package = tmp_path / "site-packages" / "bot"
    (package / "cli" / "init_files").mkdir(parents=True)
    for path in (WORKFLOW, FORM):
        shutil.copy(ROOT / path, package / "cli" / "init_files")
    recorded = {"url": phasebot_clone.parent.as_uri(), "dir_info": {}}

    assert packaged_file(package, FORM) == (ROOT / FORM).read_text()
    assert find_source(package, json.dumps(recorded)).commit == git(phasebot_clone, "rev-parse", "HEAD")
    (package / "cli" / "init_files" / "phasebot.yml").write_text("name: Older\n")
    assert "is not that of commit" in unknown(package, recorded)


@pytest.mark.parametrize(
    "recorded",
    [
        None,
        [],
        {"url": "https://files.example/phasebot.whl", "archive_info": {}},
        {"url": "https://github.com/acme/phasebot", "vcs_info": {"vcs": "hg", "commit_id": SHA}},
        {"url": "https://github.com/acme/phasebot", "vcs_info": {"vcs": "git", "commit_id": "main"}},
        {"url": "https://ghs_token@other.example/acme/phasebot", "vcs_info": {"vcs": "git", "commit_id": SHA}},
        {"url": "file:///nowhere", "dir_info": {"editable": True}},
    ],
)
def test_nothing_is_guessed(tmp_path: Path, recorded: object) -> None:
    assert unknown(tmp_path / "bot", recorded).startswith("pinning the workflow: ")


@pytest.mark.parametrize(
    "text", ["", "acme/phasebot", "acme/phasebot@main", f"acme/phasebot@{SHA[:10]}", f"a/b/c@{SHA}", f"../x@{SHA}"]
)
def test_a_source_is_named_in_full(blog: Path, text: str) -> None:
    assert "it is not OWNER/REPOSITORY@SHA with all 40 digits" in refused(blog, f"--from={text}")


def test_a_named_source_is_taken_as_it_is() -> None:
    assert named_source(f"my-org/phase.bot@{SHA}") == ("my-org/phase.bot", SHA)
