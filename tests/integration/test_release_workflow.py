"""The scripts of the release workflow, run against a copy of the repository and a stand-in for ``gh``.

What they build is installed from an index on the loopback.
"""

import os
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot import __version__

ROOT = Path(__file__).parents[2]
JOBS: Mapping[str, Any] = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())["jobs"]
SCRIPTS: Mapping[str, str] = {
    step["name"]: step["run"] for job in JOBS.values() for step in job["steps"] if "run" in step
}
CHANGELOG = f"# Changelog\n\n## {__version__} - 2026-12-01\n\n- A feature.\n\n## 0.0.9 - 2026-11-01\n\n- Older.\n"
GH = """\
#!/bin/sh
echo "$*" >>calls
case $* in
  *matching-refs*) printf 'refs/tags/%s\\n' $TAGS ;;
  *git/ref/tags/*) [ -n "$MAJOR_EXISTS" ] ;;
  "release view"*) [ -n "$RELEASED" ] ;;
esac
"""


def run(script: str, folder: Path, tag: str, **environ: str) -> subprocess.CompletedProcess[str]:
    environ = os.environ | {"GITHUB_REF_NAME": tag, "GITHUB_OUTPUT": str(folder / "output")} | environ
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", SCRIPTS[script]]
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)


def check(folder: Path, tag: str, changelog: str) -> subprocess.CompletedProcess[str]:
    (folder / "bot").mkdir()
    (folder / "bot" / "__init__.py").write_text((ROOT / "bot" / "__init__.py").read_text())
    (folder / "CHANGELOG.md").write_text(changelog)
    commit = ("-c", "user.name=a", "-c", "user.email=a@b.example", "commit", "--quiet", "--allow-empty", "-m", "Start")
    for arguments in (("init", "--quiet"), commit):
        subprocess.run(["git", *arguments], cwd=folder, check=True)
    return run("Check the tag and find the release notes", folder, tag)


def test_the_tag_of_the_version_gives_the_notes_and_the_commit(tmp_path: Path) -> None:
    done = check(tmp_path, f"v{__version__}", CHANGELOG)

    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "release" / "notes.md").read_text().strip() == "- A feature."
    assert (tmp_path / "output").read_text().startswith("commit=")


@pytest.mark.parametrize(
    ("tag", "changelog", "message"),
    [
        ("v9.9.9", CHANGELOG, f"The tag is v9.9.9, but bot/__init__.py has version {__version__}"),
        (f"v{__version__}", "# Changelog\n\n## Unreleased\n\n- A feature.\n", "CHANGELOG.md has no section"),
    ],
)
def test_a_tag_that_does_not_fit_stops_the_release(tmp_path: Path, tag: str, changelog: str, message: str) -> None:
    done = check(tmp_path, tag, changelog)

    assert done.returncode == 1
    assert done.stdout.startswith(f"::error::{message}")


@pytest.mark.parametrize(
    ("tags", "major_exists", "change"),
    [
        ("v0.1.0", "", "api --silent --method POST repos/o/p/git/refs -f ref=refs/tags/v0 -f sha=abc"),
        ("v0.0.9 v0.1.0", "yes", "api --silent --method PATCH repos/o/p/git/refs/tags/v0 -f sha=abc -F force=true"),
        ("v0.1.0 v0.10.0 v0.11.0rc1", "yes", None),
    ],
)
def test_the_newest_release_of_a_major_version_moves_its_tag(
    tmp_path: Path, tags: str, major_exists: str, change: str | None
) -> None:
    (tmp_path / "gh").write_text(GH)
    (tmp_path / "gh").chmod(0o755)
    environ = {"GH_REPO": "o/p", "COMMIT": "abc", "TAGS": tags, "MAJOR_EXISTS": major_exists}

    done = run("Move the major tag", tmp_path, "v0.1.0", PATH=f"{tmp_path}:{os.environ['PATH']}", **environ)

    assert done.returncode == 0, done.stderr
    calls = (tmp_path / "calls").read_text().splitlines()
    assert [call for call in calls if "--method" in call] == ([change] if change else [])


@pytest.mark.parametrize("released", ["", "yes"])
def test_a_release_is_created_once_with_its_notes_and_files(tmp_path: Path, released: str) -> None:
    (tmp_path / "gh").write_text(GH)
    (tmp_path / "gh").chmod(0o755)
    (tmp_path / "dist").mkdir()
    for name in ("a.whl", "a.tar.gz"):
        (tmp_path / "dist" / name).touch()

    done = run("Create the release", tmp_path, "v0.1.0", PATH=f"{tmp_path}:{os.environ['PATH']}", RELEASED=released)

    assert done.returncode == 0, done.stderr
    view, *calls = (tmp_path / "calls").read_text().splitlines()
    assert view == "release view v0.1.0"
    files = "dist/a.tar.gz dist/a.whl"
    create = f"release create v0.1.0 {files} --verify-tag --title v0.1.0 --notes-file notes.md"
    assert calls == ([] if released else [create])


@pytest.mark.slow
def test_what_the_workflow_builds_can_be_installed_from_an_index_and_generates(tmp_path: Path) -> None:
    folder = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", "--no-local", "--depth=1", ROOT.as_uri(), str(folder)], check=True)
    built = run("Build the sdist and the wheel", folder, f"v{__version__}", RUNNER_TEMP=str(tmp_path))
    assert built.returncode == 0, built.stdout + built.stderr
    made = {path.name: path for path in (folder / "release" / "dist").iterdir()}
    wheel, sdist = f"phasebot-{__version__}-py3-none-any.whl", f"phasebot-{__version__}.tar.gz"
    assert set(made) == {wheel, sdist}
    with tarfile.open(made[sdist]) as packed:
        inside = {name.partition("/")[2] for name in packed.getnames()}
    assert {"README.md", "LICENSE", "CHANGELOG.md", "bot/docs/commands.md", "bot/recipes/fastapi/recipe.yaml"} <= inside

    (tmp_path / "index" / "phasebot").mkdir(parents=True)
    made[wheel].rename(tmp_path / "index" / "phasebot" / wheel)
    with _index(tmp_path / "index") as url:
        uvx = [str(Path(sys.executable).parent / "uvx"), "--no-cache", "--index", url, "--from", "phasebot", "phasebot"]
        command = [*uvx, "generate", "- Note: title string", "--repo", "notes"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("complete: ")
    assert (tmp_path / "notes" / "app" / "models" / "note.py").exists()


@contextmanager
def _index(folder: Path) -> Iterator[str]:
    """Serve a package index: *folder* has a folder for each project."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def test_only_the_job_that_publishes_may_write_to_the_repository() -> None:
    assert {name: job["permissions"] for name, job in JOBS.items()} == {
        "build": {"contents": "read"},
        "attest": {"attestations": "write", "id-token": "write"},
        "publish": {"contents": "write"},
    }


def test_shellcheck_finds_nothing_in_the_scripts(tmp_path: Path) -> None:
    for number, script in enumerate(SCRIPTS.values()):
        (tmp_path / f"{number}.sh").write_text(script)
    command: list[str | Path] = [Path(sys.executable).parent / "shellcheck", "--shell=bash", *tmp_path.iterdir()]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == ""
