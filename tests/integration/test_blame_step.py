"""The blame step of `verify`: a test that one phase broke and another one has."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.isolation import need_isolation
from tests.repositories import DATA, commit, git, phasebot

RECIPE = DATA / "recipes" / "traced"
SPEC = "# Blog\n\n- Post: title string\n- Tag: name string\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("blame") / "blog"
    done = phasebot("generate", SPEC, "--repo", folder, "--recipe", RECIPE)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def blog(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A finished run that a test may change; its clean places are made in a folder of their own."""
    (tmp_path / "places").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "places"))
    git(tmp_path, "clone", "--quiet", "--branch", "phasebot/blog", str(made), "blog")
    return tmp_path / "blog"


def verify(folder: Path, *options: object) -> subprocess.CompletedProcess[str]:
    done = phasebot("verify", "--repo", folder, "--recipe", RECIPE, *options)
    assert "Traceback" not in done.stderr, done.stderr
    assert [*(folder.parent / "places").iterdir()] == []
    return done


def test_what_one_phase_broke_in_the_test_of_another_is_told_under_the_one_that_broke_it(blog: Path) -> None:
    commit(blog, "Rename", {"app/post.py": (blog / "app/post.py").read_text().replace("Post.", "A post.")})
    commit(blog, "Raise the limit", {"app/core.py": '"""What all entities share."""\n\nLIMIT = 4\n'})

    done = verify(blog)

    assert done.returncode == 1
    assert "core\n  error  app/core.py:3  tests/test_post.py::test_the_limit: AssertionError" in done.stdout
    assert "error  app/core.py:3  tests/test_tag.py::test_the_limit" in done.stdout
    assert "entity/" not in done.stdout
    assert "    core broke 2 tests, which pass without its changes\n" in done.stdout
    assert "2 errors; 'phasebot fix' lets a model mend them, 'phasebot regenerate core' makes them again" in done.stderr
    assert "looking for the phase that broke 2 tests: 8 runs at most\n" in done.stderr
    assert done.stderr.count("running: python check.py") == 3
    again = verify(blog)
    assert "(cached" in again.stdout
    assert again.stdout.splitlines()[1:] == done.stdout.splitlines()[1:]
    notes = json.loads(verify(blog, "--format", "json").stdout)["commands"][0]["notes"]
    assert notes == ["core broke 2 tests, which pass without its changes"]


def test_a_file_that_is_gone_is_to_blame(blog: Path) -> None:
    test = "from pathlib import Path\n\n\ndef test_it():\n    assert Path('app/tag.py').exists()\n"
    commit(blog, "Remove it", {"app/tag.py": None, "tests/test_tag.py": None, "tests/test_post.py": test})

    assert "entity/Tag\n  error  app/tag.py  tests/test_post.py::test_it: AssertionError" in verify(blog).stdout


def test_what_no_template_makes_is_not_found_out_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "places").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "places"))
    folder = tmp_path / "blog"
    phasebot("generate", f"{SPEC}\n## Features\n- Feed: lists posts.\n", "--repo", folder, "--recipe", RECIPE)
    test = "from app.features.feed import feed\n\n\ndef test_feed():\n    assert feed() == [1]\n"
    feed = "def feed():\n    return []\n"
    commit(folder, "Write it", {"app/features/feed.py": feed, "tests/test_feed.py": test, "app/tag.py": "NAME = 1\n"})

    done = verify(folder)

    assert "feature/Feed\n  error  app/features/feed.py  tests/test_feed.py::test_feed" in done.stdout
    assert (
        "not found out which phase broke 1 test: they fail with every file as the templates make it, too; "
        "no template makes all files of feature/Feed\n"
    ) in done.stdout


def test_code_that_spoils_the_place_harms_nothing_and_is_blamed_all_the_same(blog: Path, tmp_path: Path) -> None:
    need_isolation()
    victim = tmp_path / "victim"
    victim.mkdir(mode=0o750)
    (victim / "file").write_text("mine\n")
    spoils = f"""
import os
from app import post

def test_it():
    for name in ("../home", "../tmp"):
        os.rename(name, f"{{name}}-old")
        os.symlink({str(victim)!r}, name)
    os.symlink({str(victim)!r}, "app/inner")
    os.chmod("app", 0)
    assert post.limit() == 3
"""
    commit(blog, "Spoil it", {"tests/test_post.py": spoils, "tests/test_tag.py": None, "app/core.py": "LIMIT = 4\n"})

    done = verify(blog)

    assert done.returncode == 1
    assert victim.stat().st_mode & 0o777 == 0o750
    assert [each.name for each in victim.iterdir()] == ["file"]
    assert "core\n  error  app/core.py:1  tests/test_post.py::test_it: AssertionError" in done.stdout
