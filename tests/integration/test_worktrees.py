"""A worktree that has the run's branch checked out: what can't be written is told, and never recorded as written."""

import os
from pathlib import Path

import pytest

from tests.repositories import (
    NOTE,
    SMALL,
    clone,
    commit,
    git,
    new_origin,
    new_repository,
    phasebot_here,
    phasebot_limited,
    phases_of,
)

FILES = [
    *(".gitignore", ".phasebot/plan.yaml", ".phasebot/spec.md", "README.md", "app/__init__.py", "app/db.py"),
    *("app/models/note.py", "app/routers/note.py", "main.py"),
]
PLAN = ".phasebot/plan.yaml"
UNUSED = f"{PLAN} has changes that are not committed, so they are not used; commit them and run generate again"


def with_repo(message: str, folder: Path) -> str:
    return message.replace("run generate", f"run 'phasebot generate --repo {folder}'")


def on_the_branch(folder: Path, files: dict[str, str] | None = None) -> Path:
    """Make a repository that has the run's branch checked out."""
    new_repository(folder, files)
    git(folder, "switch", "--quiet", "-c", "phasebot/note")
    return folder


def generate(folder: Path, code: int = 0) -> str:
    """Generate, and return the last line that the run says."""
    done = phasebot_here("generate", NOTE, "--repo", folder, "--recipe", SMALL)
    assert done.returncode == code, done.stderr
    return done.stderr.splitlines()[-1]


def lacking(folder: Path) -> list[str]:
    """Return the files of the branch that the index lacks; whatever it has must be on disk."""
    listed = git(folder, "ls-files").split("\n")
    assert [path for path in listed if not (folder / path).exists()] == []
    return sorted({*git(folder, "ls-tree", "-r", "--name-only", "HEAD").split("\n")} - {*listed})


# ---- what can't be written


def test_a_filter_that_is_not_installed_keeps_only_its_own_files_from_the_worktree(tmp_path: Path) -> None:
    folder = on_the_branch(tmp_path / "note", {".gitattributes": "*.md filter=lfs\n"})
    git(folder, "config", "filter.lfs.required", "true")
    git(folder, "config", "filter.lfs.smudge", "no-such-program smudge -- %f")

    last = generate(folder, 3)

    assert last == (
        f"phasebot: the branch is as it should be, but not the worktree {folder}: .phasebot/spec.md, README.md could "
        "not be updated (fatal: .phasebot/spec.md: smudge filter lfs failed); correct the cause "
        f"and {with_repo('run generate again', folder)} before you commit there"
    )
    assert lacking(folder) == [".phasebot/spec.md", "README.md"]
    assert not (folder / "README.md").exists()
    assert "README.md could not be updated" in generate(folder, 3), "it is told as long as it is so"

    for name in ("smudge", "clean"):
        git(folder, "config", f"filter.lfs.{name}", "cat")
    assert "all 5 phases are complete" in generate(folder)
    assert (folder / "README.md").exists()
    assert git(folder, "status", "--porcelain") == ""


def test_what_a_person_stages_in_place_of_an_unwritten_file_is_kept(tmp_path: Path) -> None:
    folder = on_the_branch(tmp_path / "note", {".gitattributes": "*.md filter=lfs\n"})
    git(folder, "config", "filter.lfs.required", "true")
    git(folder, "config", "filter.lfs.smudge", "false")
    generate(folder, 3)
    git(folder, "config", "--remove-section", "filter.lfs")
    (folder / "README.md").write_text("mine\n")
    git(folder, "add", "README.md")

    last = generate(folder)

    assert last == f"note: not updated in the worktree {folder}, because you changed, staged or blocked them: README.md"
    assert git(folder, "status", "--porcelain") == "M  README.md"
    assert "all 5 phases are complete" in generate(folder)


def test_a_folder_that_can_not_be_written_costs_only_its_own_files(tmp_path: Path) -> None:
    folder = on_the_branch(tmp_path / "note", {"app/mine.py": "MINE = True\n"})
    (folder / "app").chmod(0o555)
    command = ("generate", NOTE, "--repo", folder, "--recipe", SMALL)

    done = phasebot_limited(*command)

    (folder / "app").chmod(0o755)
    assert done.returncode == 3, done.stderr
    assert "app/db.py" in done.stderr.splitlines()[-1]
    assert "could not be updated (Permission denied); correct the cause" in done.stderr.splitlines()[-1]
    assert lacking(folder) == ["app/__init__.py", "app/db.py", "app/models/note.py", "app/routers/note.py"]
    generate(folder)
    assert git(folder, "status", "--porcelain") == ""


def test_a_file_in_a_folder_that_can_not_be_written_is_not_recorded_as_removed(tmp_path: Path) -> None:
    folder = on_the_branch(tmp_path / "note")
    generate(folder)
    (folder / "app" / "models").chmod(0o555)

    done = phasebot_limited("rollback", "entity/Note", "--cascade", "--repo", folder)

    (folder / "app" / "models").chmod(0o755)
    assert done.returncode == 3, done.stderr
    assert "app/models/note.py could not be updated (Permission denied)" in done.stderr
    assert git(folder, "ls-files", "app/models") == "app/models/note.py"
    done = phasebot_here("rollback", "support", "--repo", folder)
    assert done.returncode == 0, done.stderr
    assert git(folder, "status", "--porcelain") == ""
    assert not (folder / "app" / "models").exists()


def test_a_file_that_is_cut_off_while_it_is_written_leaves_the_old_one(tmp_path: Path) -> None:
    origin = new_origin(tmp_path / "origin.git")
    folder = clone(origin, tmp_path / "one")
    git(folder, "switch", "--quiet", "-c", "phasebot/note")
    commit(folder, "Mine", {"data.txt": "small\n"})
    generate(folder)
    other = clone(origin, tmp_path / "two")
    git(other, "switch", "--quiet", "phasebot/note")
    commit(other, "Grow", {"data.txt": "0" * 5_000_000, "b.txt": "new\n"})
    git(other, "push", "--quiet")

    done = phasebot_limited("generate", "--repo", folder, file_size=1_000_000)

    assert done.returncode == 3, done.stderr
    assert "data.txt could not be updated" in done.stderr
    assert (folder / "data.txt").read_text() == "small\n"
    assert (folder / "b.txt").read_text() == "new\n"
    assert git(folder, "status", "--porcelain") == "M  data.txt"
    generate(folder)
    assert git(folder, "status", "--porcelain") == ""


def test_an_index_that_is_locked_is_told(tmp_path: Path) -> None:
    folder = on_the_branch(tmp_path / "note")
    generate(folder)
    (folder / ".git" / "index.lock").touch()

    done = phasebot_here("rollback", "support", "--repo", folder)

    assert done.returncode == 0, done.stderr
    assert "index.lock': File exists" in done.stderr.splitlines()[-1]
    assert "correct the cause and run generate again before you commit there" in done.stderr.splitlines()[-1]
    (folder / ".git" / "index.lock").unlink()
    generate(folder)
    assert git(folder, "status", "--porcelain") == ""


def test_a_worktree_on_another_disk_follows(tmp_path: Path) -> None:
    memory = Path("/dev/shm")  # noqa: S108  # a folder of one's own is made in it
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is only one disk")
    folder = new_repository(tmp_path / "note")
    linked = memory / f"phasebot-{os.getpid()}"
    git(folder, "worktree", "add", "--quiet", "-b", "phasebot/note", str(linked))
    try:
        generate(folder)
        assert git(linked, "status", "--porcelain") == ""
        assert sorted([*FILES, "LICENSE"]) == git(linked, "ls-files").split("\n")
    finally:
        git(folder, "worktree", "remove", "--force", str(linked))


# ---- what others change


def test_links_folders_and_files_that_others_exchange_follow(tmp_path: Path) -> None:
    origin = new_origin(tmp_path / "origin.git")
    folder = clone(origin, tmp_path / "one")
    git(folder, "switch", "--quiet", "-c", "phasebot/note")
    (folder / "link").symlink_to("LICENSE")
    git(folder, "add", "link")
    commit(folder, "Begin", {"file": "a\n", "tree/leaf": "b\n"})
    generate(folder)
    other = clone(origin, tmp_path / "two")
    git(other, "switch", "--quiet", "phasebot/note")
    git(other, "rm", "--quiet", "-r", "link", "file", "tree")
    (other / "link").symlink_to("main.py")
    git(other, "add", "link")
    commit(other, "Exchange", {"file/leaf": "c\n", "tree": "d\n"})
    git(other, "push", "--quiet")

    generate(folder)

    assert git(folder, "status", "--porcelain") == ""
    assert (folder / "link").readlink() == Path("main.py")
    assert (folder / "file" / "leaf").read_text() == "c\n"
    assert (folder / "tree").read_text() == "d\n"


# ---- what people have there


def test_what_is_left_to_a_person_is_told_once(tmp_path: Path) -> None:
    folder = on_the_branch(tmp_path / "note")
    (folder / "README.md").write_text("in the way\n")
    (folder / "main.py").write_text("staged\n")
    git(folder, "add", "main.py")
    (folder / "app").symlink_to(tmp_path)

    last = generate(folder)

    assert last.startswith(f"note: not updated in the worktree {folder}, because you changed, staged or blocked them: ")
    assert last.endswith(" and 1 more")
    (folder / "app").unlink()
    assert generate(folder).endswith(": main.py"), "which is staged; nothing blocks the others any more"
    assert git(folder, "status", "--porcelain") == " M README.md\nM  main.py"
    assert (folder / "README.md").read_text() == "in the way\n"


@pytest.mark.parametrize("staged", [False, True])
def test_a_plan_that_is_edited_but_not_committed_is_no_success(tmp_path: Path, *, staged: bool) -> None:
    folder = on_the_branch(tmp_path / "note")
    generate(folder)
    plan = folder / PLAN
    plan.write_text(plan.read_text() + "  Tag:\n    name: string\n")
    if staged:
        git(folder, "add", PLAN)

    done = phasebot_here("generate", "--repo", folder)
    status = phasebot_here("status", "--repo", folder)

    assert done.returncode == 3
    assert done.stderr.splitlines()[-1] == f"phasebot: {with_repo(UNUSED, folder)}"
    assert "complete: 5 of 5 phases" in done.stdout
    assert status.stderr == f"note: {UNUSED}\n"
    assert f"note: {UNUSED}" in phasebot_here("rollback", "support", "--repo", folder).stderr

    git(folder, "commit", "--quiet", "-m", "Add tags", PLAN)
    assert phasebot_here("generate", "--repo", folder).returncode == 0
    assert "entity/Tag" in phases_of(folder, "note")


def test_a_plan_in_another_worktree_is_named_in_full_and_one_that_is_behind_is_nobodys_edit(tmp_path: Path) -> None:
    folder = new_repository(tmp_path / "note")
    linked = tmp_path / "linked"
    git(folder, "worktree", "add", "--quiet", "-b", "phasebot/note", str(linked))
    lock = Path(git(linked, "rev-parse", "--absolute-git-dir")) / "index.lock"
    lock.touch()
    generate(folder)
    assert phasebot_here("status", "--repo", folder, "--run", "note").stderr == ""
    lock.unlink()
    generate(folder)

    (linked / PLAN).unlink()

    assert generate(folder, 3) == f"phasebot: {with_repo(UNUSED.replace(PLAN, str(linked / PLAN)), folder)}"
