"""Every kind of repository works, and the files of people stay untouched."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from bot.errors import RepositoryError
from bot.history import git as history_git
from bot.history.head_tree import HeadTree
from tests.repositories import (
    NOTE,
    SMALL,
    House,
    clone,
    commit,
    git,
    new_origin,
    new_repository,
    phasebot,
    phasebot_here,
    phasebot_limited,
    phases_of,
    picture,
)

WHOLE = ["plan", "core", "support", "entity/Note", "main"]


def generate(folder: Path, *more: object) -> None:
    """Run the command line on *folder*; it must succeed."""
    done = phasebot_here("generate", NOTE, "--repo", folder, "--recipe", SMALL, *more)
    assert done.returncode == 0, done.stderr


def files_of(folder: Path) -> dict[str, bytes]:
    """Return every file of the worktree."""
    paths = (path for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts)
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def test_a_folder_that_is_not_there_becomes_a_repository_with_the_files_in_it(tmp_path: Path) -> None:
    generate(tmp_path / "a" / "note")

    folder = tmp_path / "a" / "note"
    assert git(folder, "branch", "--show-current") == "phasebot/note"
    assert git(folder, "status", "--porcelain") == ""
    assert git(folder, "log", "--format=%s", "main") == "Start the repository"
    assert picture(folder, "note") == (
        "Start the repository\n"
        "Generate plan [1/5]  complete\n"
        "Generate core [2/5]  complete\n"
        "Generate support files [4/5]  complete\n"
        "Generate entity Note [3/5]  complete\n"
        "Generate main application [5/5]  complete\n"
        "--\n"
        ".gitignore\n"
        ".phasebot/plan.yaml\n"
        ".phasebot/spec.md\n"
        "README.md\n"
        "app/__init__.py\n"
        "app/db.py\n"
        "app/models/note.py\n"
        "app/routers/note.py\n"
        "main.py\n"
    )
    assert sorted(files_of(folder)) == git(folder, "ls-files").split("\n")


@pytest.mark.parametrize(
    "name", ["a b", "-x", *(pytest.param(name, marks=pytest.mark.slow) for name in ("$HOME", "ü", "it's", "~"))]
)
def test_a_folder_may_have_an_odd_name(tmp_path: Path, name: str) -> None:
    generate(tmp_path / name)
    generate(tmp_path / name)

    assert phases_of(tmp_path / name, "note") == WHOLE
    assert git(tmp_path / name, "status", "--porcelain") == ""


def test_an_empty_repository_is_as_good_as_none(tmp_path: Path) -> None:
    folder = tmp_path / "note"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=trunk")

    generate(folder)

    assert git(folder, "branch", "--show-current") == "phasebot/note"
    assert git(folder, "rev-parse", "phasebot/note~5") == git(folder, "rev-parse", "trunk")
    assert git(folder, "status", "--porcelain") == ""


def test_an_unborn_branch_with_files_keeps_them_and_stays_checked_out(tmp_path: Path) -> None:
    folder = tmp_path / "note"
    folder.mkdir()
    git(folder, "init", "--quiet")
    (folder / "main.py").write_text("mine\n")
    (folder / "staged.txt").write_text("mine too\n")
    git(folder, "add", "staged.txt")

    generate(folder)

    assert phases_of(folder, "note") == WHOLE
    assert git(folder, "branch", "--show-current") == "main"
    assert git(folder, "status", "--porcelain") == "A  staged.txt\n?? main.py"
    assert files_of(folder) == {"main.py": b"mine\n", "staged.txt": b"mine too\n"}


def test_a_dirty_worktree_on_another_branch_is_not_touched(tmp_path: Path) -> None:
    folder = new_repository(tmp_path / "note", {"README.md": "mine\n", "kept.txt": "1\n"})
    (folder / "kept.txt").write_text("changed\n")
    (folder / "new.txt").write_text("untracked\n")
    git(folder, "rm", "--quiet", "--cached", "README.md")
    before = files_of(folder), git(folder, "status", "--porcelain"), git(folder, "rev-parse", "HEAD")

    generate(folder)

    assert (files_of(folder), git(folder, "status", "--porcelain"), git(folder, "rev-parse", "HEAD")) == before
    assert phases_of(folder, "note") == WHOLE


def test_a_file_that_was_there_before_stays_and_is_reported(tmp_path: Path) -> None:
    folder = new_repository(tmp_path / "note", {"README.md": "mine\n", "app": "a file where a folder must be\n"})

    done = phasebot_here("generate", NOTE, "--repo", folder, "--recipe", SMALL)

    assert done.returncode == 3, "a file is where a folder must be"
    assert "kept yours: README.md" in done.stderr
    assert git(folder, "show", "phasebot/note:README.md") == "mine"
    assert git(folder, "show", "phasebot/note:app") == "a file where a folder must be"
    assert "Phasebot-Conflict: app/db.py" in git(folder, "log", "--format=%B", "phasebot/note")


def test_a_checked_out_branch_follows_but_never_over_a_local_change(tmp_path: Path) -> None:
    folder = new_repository(tmp_path / "note")
    git(folder, "switch", "--quiet", "-c", "phasebot/note")
    (folder / "README.md").write_text("in the way\n")
    (folder / "app").mkdir()
    (folder / "app" / "routers").symlink_to(tmp_path)

    generate(folder)

    assert (folder / "README.md").read_text() == "in the way\n"
    assert not (tmp_path / "note.py").exists(), "nothing is written through a symlink"
    assert (folder / "app" / "models" / "note.py").read_bytes() == (
        git(folder, "show", "HEAD:app/models/note.py") + "\n"
    ).encode()
    assert " M README.md" in git(folder, "status", "--porcelain").split("\n")


def test_a_linked_worktree_follows_too(tmp_path: Path) -> None:
    folder = new_repository(tmp_path / "note")
    git(folder, "worktree", "add", "--quiet", "-b", "phasebot/note", str(tmp_path / "linked"))

    generate(folder)

    assert git(tmp_path / "linked", "status", "--porcelain") == ""
    assert (tmp_path / "linked" / "main.py").exists()
    assert not (folder / "main.py").exists()


def test_a_detached_head_stays_detached(tmp_path: Path) -> None:
    folder = new_repository(tmp_path / "note")
    git(folder, "switch", "--quiet", "--detach")

    generate(folder)

    assert git(folder, "branch", "--show-current") == ""
    assert phases_of(folder, "note") == WHOLE


def test_a_stale_index_lock_does_not_matter_and_the_next_run_finishes_the_refresh(tmp_path: Path) -> None:
    folder = new_repository(tmp_path / "note")
    git(folder, "switch", "--quiet", "-c", "phasebot/note")
    lock = folder / ".git" / "index.lock"
    lock.touch()

    generate(folder)
    assert phases_of(folder, "note") == WHOLE

    lock.unlink()
    generate(folder)
    assert git(folder, "status", "--porcelain") == ""


def test_a_broken_index_is_the_worktrees_trouble_not_the_runs(tmp_path: Path) -> None:
    folder = new_repository(tmp_path / "note")
    git(folder, "switch", "--quiet", "-c", "phasebot/note")
    (folder / ".git" / "index").write_bytes(b"no index at all")

    done = phasebot_here("generate", NOTE, "--repo", folder, "--recipe", SMALL)

    assert done.returncode == 0
    assert "it was not refreshed (git " in done.stderr
    assert "index file smaller than expected); correct the cause and run generate again" in done.stderr
    assert phases_of(folder, "note") == WHOLE


def test_stale_ref_locks_of_a_killed_process_are_cleared(tmp_path: Path) -> None:
    folder = new_repository(tmp_path / "note")
    git(folder, "switch", "--quiet", "-c", "phasebot/note")
    (folder / ".git" / "HEAD.lock").touch()
    (folder / ".git" / "refs" / "heads" / "phasebot" / "note.lock").touch()

    generate(folder)

    assert phases_of(folder, "note") == WHOLE
    assert git(folder, "status", "--porcelain") == ""


def test_hooks_do_not_run(tmp_path: Path) -> None:
    origin = new_origin(tmp_path / "origin.git")
    folder = clone(origin, tmp_path / "note")
    names = (
        "pre-commit",
        "commit-msg",
        "post-commit",
        "reference-transaction",
        "post-index-change",
        "pre-push",
        "post-checkout",
    )
    (folder / ".git" / "hooks").mkdir()
    for name in names:
        hook = folder / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran-{name}\nexit 1\n")
        hook.chmod(0o755)

    generate(folder)

    assert not list(tmp_path.glob("ran-*"))
    assert phases_of(origin, "note") == WHOLE


def test_line_endings_and_signing_are_the_persons_affair(tmp_path: Path) -> None:
    folder = new_repository(tmp_path / "note", {".gitattributes": "*.md text eol=crlf\n"})
    git(folder, "config", "core.autocrlf", "true")
    git(folder, "config", "commit.gpgSign", "true")
    git(folder, "config", "gpg.program", "false")
    git(folder, "switch", "--quiet", "-c", "phasebot/note")

    generate(folder)

    assert git(folder, "status", "--porcelain") == ""
    assert b"\r\n" in (folder / "main.py").read_bytes()
    assert "\r" not in git(folder, "show", "HEAD:main.py")


def test_a_shallow_clone_pushes_and_a_fresh_shallow_clone_sees_it_complete(tmp_path: Path) -> None:
    origin = new_origin(tmp_path / "origin.git")
    seed = clone(origin, tmp_path / "seed")
    for number in range(3):
        commit(seed, f"Change {number}", {"LICENSE": f"{number}\n"})
    git(seed, "push", "--quiet")

    generate(clone(origin, tmp_path / "one", "--depth=1", "--no-local"))
    commit(seed, "Main moves on", {"LICENSE": "4\n"})
    git(seed, "push", "--quiet")
    again = clone(origin, tmp_path / "two", "--depth=1", "--no-local")
    done = phasebot_here("generate", NOTE, "--repo", again, "--recipe", SMALL)

    assert done.returncode == 0
    assert "all 5 phases are complete" in done.stderr
    assert phases_of(origin, "note") == WHOLE


def test_nobody_known_to_git_commits_as_phasebot(tmp_path: Path, sealed: Path) -> None:
    (sealed / ".gitconfig").write_text("")

    generate(tmp_path / "note")

    assert git(tmp_path / "note", "log", "-1", "--format=%an <%ae> %cn") == "Phasebot <phasebot@localhost> Phasebot"


def test_a_subfolder_of_a_repository_works_on_the_repository(tmp_path: Path) -> None:
    folder = new_repository(tmp_path / "note", {"docs/index.md": "hello\n"})

    done = phasebot("generate", NOTE, "--recipe", SMALL, cwd=folder / "docs")

    assert done.returncode == 0, done.stderr
    assert phases_of(folder, "note") == WHOLE


def test_an_output_folder_holds_the_whole_project(tmp_path: Path) -> None:
    folder = new_repository(tmp_path / "note")

    generate(folder, "--output-dir", "services/note/")
    again = phasebot_here("generate", "--repo", folder)

    assert "services/note/.phasebot/plan.yaml" in picture(folder, "note")
    assert again.returncode == 0, again.stderr
    assert len(phases_of(folder, "note")) == 5


def test_a_sha256_repository_works(tmp_path: Path) -> None:
    folder = tmp_path / "note"
    folder.mkdir()
    git(folder, "init", "--quiet", "--object-format=sha256")

    generate(folder)
    generate(folder)

    assert phases_of(folder, "note") == WHOLE
    assert git(folder, "status", "--porcelain") == ""


@pytest.mark.parametrize("ignores", ["true", "false"])
def test_a_name_that_differs_only_in_case_is_taken(tmp_path: Path, ignores: str) -> None:
    mine = {"Readme.md": "# Mine\n", "App/mine.py": "MINE = True\n"}
    folder = new_repository(tmp_path / "note", mine)
    git(folder, "config", "core.ignoreCase", ignores)

    done = phasebot_here("generate", NOTE, "--repo", folder, "--recipe", SMALL, "--format", "json")

    assert done.returncode == 3, "there is a folder App"
    assert "kept your Readme.md" in done.stderr
    phases = {each["key"]: each for each in json.loads(done.stdout)["phases"]}
    assert phases["support"]["conflicts"] == []
    assert phases["core"]["conflicts"] == ["app/__init__.py", "app/db.py"]
    assert phases["main"]["files"] == ["main.py"]
    tree = git(folder, "ls-tree", "-r", "--name-only", "phasebot/note").split("\n")
    assert tree == [".gitignore", ".phasebot/plan.yaml", ".phasebot/spec.md", "App/mine.py", "Readme.md", "main.py"]
    assert {name: git(folder, "show", f"phasebot/note:{name}") + "\n" for name in mine} == mine


def test_a_name_in_another_case_is_free_again_once_its_file_is_gone(tmp_path: Path) -> None:
    folder = new_repository(tmp_path / "note", {"Readme.md": "# Mine\n", "LICENSE": "none\n"})
    generate(folder)
    git(folder, "switch", "--quiet", "phasebot/note")
    commit(folder, "Remove mine", {"Readme.md": None})

    done = phasebot_here("regenerate", "support", "--repo", folder, "--format", "json")

    assert json.loads(done.stdout)["phases"][3]["conflicts"] == []
    assert (folder / "README.md").exists()


def test_a_commit_that_git_made_otherwise_is_never_pushed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = clone(new_origin(tmp_path / "origin.git"), tmp_path / "note")
    commit(folder, "Add mine", {"Readme.md": "# Mine\n"})
    git(folder, "push", "--quiet", "origin", "main")
    monkeypatch.setattr(history_git, "_CONFIG", (*history_git._CONFIG, "core.ignoreCase=true"))  # noqa: SLF001
    monkeypatch.setattr(HeadTree, "_other_spelling", lambda *_: None)

    with pytest.raises(RepositoryError, match=r"git changed README\.md, Readme\.md in another way") as caught:
        House(folder, spec=NOTE).run()

    assert "remove it with 'git update-ref refs/heads/phasebot/blog " in str(caught.value)
    for oid in git(tmp_path / "origin.git", "for-each-ref", "--format=%(objectname)", "refs/heads/phasebot/").split():
        assert git(folder, "show", f"{oid}:Readme.md") == "# Mine"


@pytest.mark.parametrize("zone", ["LMT-1:23:45", "LMT1:23:45", "XXX-14"])
def test_a_time_zone_may_have_seconds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zone: str) -> None:
    monkeypatch.setenv("TZ", zone)  # which a process reads when it starts

    done = phasebot("generate", NOTE, "--repo", tmp_path / "note", "--recipe", SMALL)

    assert done.returncode == 0, done.stderr

    assert git(tmp_path / "note", "fsck", "--strict") == ""


@pytest.mark.parametrize("name", ["GIT_GLOB_PATHSPECS", "GIT_ICASE_PATHSPECS", "GIT_NOGLOB_PATHSPECS"])
def test_how_a_person_writes_pathspecs_does_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    folder = new_repository(tmp_path / "note", {"README.md": "# Mine\n"})
    git(folder, "switch", "--quiet", "-c", "phasebot/note")
    monkeypatch.setenv(name, "1")

    generate(folder)

    assert phases_of(folder, "note") == WHOLE


def test_a_shared_repository_has_a_shared_lock(tmp_path: Path) -> None:
    folder = tmp_path / "note"
    folder.mkdir()
    git(folder, "init", "--quiet", "--shared=group")

    generate(folder)

    lock = folder / ".git" / "phasebot" / "note.lock"
    assert lock.parent.stat().st_mode & 0o070 == 0o070
    assert lock.stat().st_mode & 0o060 == 0o060


def test_a_tag_with_the_name_of_the_base_changes_nothing(tmp_path: Path) -> None:
    folder = new_repository(tmp_path / "note")
    git(folder, "branch", "--move", "trunk")
    git(folder, "tag", "trunk")

    done = phasebot_here("generate", NOTE, "--repo", folder, "--recipe", SMALL, "--format", "json")

    assert json.loads(done.stdout)["base"] == "trunk"


def test_a_default_branch_that_was_renamed_away_is_no_base(tmp_path: Path) -> None:
    folder = clone(new_origin(tmp_path / "origin.git"), tmp_path / "note")
    git(folder, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/old")

    done = phasebot_here("generate", NOTE, "--repo", folder, "--recipe", SMALL, "--format", "json")

    assert json.loads(done.stdout)["base"] == "main"
    assert git(folder, "merge-base", "main", "phasebot/note") == git(folder, "rev-parse", "main")


# ---- repositories that can't be written, or belong to somebody else


def read_only(folder: Path, *, writable: bool = False) -> None:
    """Take away, or give back, the permission to write anything in *folder*."""
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | 0o200 if writable else path.stat().st_mode & ~0o222)


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Path]:
    """Give a clone with a finished run, checked out, in which nothing can be written."""
    folder = clone(new_origin(tmp_path / "origin.git"), tmp_path / "note")
    git(folder, "switch", "--quiet", "-c", "phasebot/note")
    generate(folder)
    read_only(folder)
    yield folder
    read_only(folder, writable=True)


def test_a_read_only_repository_with_nothing_to_do_is_a_success(locked: Path) -> None:
    status, generated = (phasebot_limited(command, "--repo", locked) for command in ("status", "generate"))

    assert status.returncode == generated.returncode == 0, generated.stderr
    assert "complete: 5 of 5 phases" in status.stdout
    assert generated.stderr == "phasebot/note: all 5 phases are complete, nothing to do\n"


@pytest.mark.parametrize(
    "arguments",
    [("regenerate", "main"), ("rollback", "main"), ("generate", NOTE, "--run", "new", "--recipe", SMALL)],
    ids=lambda arguments: arguments[0],
)
def test_a_read_only_repository_with_something_to_do_is_told_once(locked: Path, arguments: Sequence[object]) -> None:
    done = phasebot_limited(*arguments, "--repo", locked)

    run = "new" if "new" in arguments else "note"
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        f"phasebot: committing to phasebot/{run}: there is no permission to write to {locked / '.git'}; "
        "get write permission for it, or work in a clone of your own"
    )
    assert done.stderr.count("permission") == 2


def test_what_others_pushed_can_not_be_fetched_into_a_read_only_repository(locked: Path, tmp_path: Path) -> None:
    other = clone(tmp_path / "origin.git", tmp_path / "other")
    git(other, "switch", "--quiet", "phasebot/note")
    commit(other, "Tune", {"main.py": "# tuned\n"})
    git(other, "push", "--quiet")

    done = phasebot_limited("generate", "--repo", locked)

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        f"phasebot: fetching phasebot/note from origin: there is no permission to write to {locked / '.git'}; "
        "get write permission for it, or work in a clone of your own"
    )


def test_a_repository_of_another_user_is_told_how_to_allow_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = new_repository(tmp_path / "note")
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")

    for command in (("status",), ("generate", NOTE, "--recipe", SMALL)):
        done = phasebot_here(*command, "--repo", folder)

        assert done.returncode == 2
        assert done.stderr == (
            f"phasebot: opening {folder}: the folder belongs to another user, so git refuses to read it; "
            f"if you trust it, run 'git config --global --add safe.directory {folder}'\n"
        )
