"""The base is one thing for the whole run: the same for every command, in every clone, and always there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.history.base import Base
from tests.action_world import World, small_world
from tests.history_picture import Told, bot, finished, head, person, well
from tests.repositories import NOTE, SMALL, clone, commit, git, new_origin, new_repository, phases_of

BRANCH = "phasebot/note"


def generate(folder: Path, *more: object) -> Told:
    """Start or continue the run of a note."""
    return bot(folder, "generate", NOTE, "--recipe", SMALL, *more)


def base(folder: Path, *more: object) -> str:
    """Return the base that status shows."""
    found: str = well(folder, "status", "--run", "note", "--format", "json", *more).json()["base"]
    return found


def recorded(folder: Path, ref: str = BRANCH) -> list[str]:
    """Return the bases that commits record."""
    return git(folder, "log", "--format=%(trailers:key=Phasebot-Base,valueonly,separator=%x2C)", ref).split()


def roots(folder: Path, ref: str) -> str:
    return git(folder, "rev-list", "--max-parents=0", ref)


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    """A repository whose default branch is develop; main and other are there, too."""
    folder = new_origin(tmp_path / "origin.git")
    seed = clone(folder, tmp_path / "seed")
    git(seed, "switch", "--quiet", "-c", "develop")
    commit(seed, "Develop", {"DEVELOP": "1\n"})
    git(seed, "push", "--quiet", "origin", "develop", "main:other")
    git(folder, "symbolic-ref", "HEAD", "refs/heads/develop")
    return folder


# ---- the same for every command


def test_every_command_in_every_clone_sees_the_base_that_the_run_began_with(origin: Path, tmp_path: Path) -> None:
    one = clone(origin, tmp_path / "one")

    assert generate(one).code == 0

    assert recorded(one) == ["develop"]
    assert "Phasebot-Base" in git(one, "log", "--format=%B", "--grep=^Phasebot-Phase: plan$", BRANCH)
    assert git(one, "show", f"{BRANCH}:DEVELOP") == "1"
    git(one, "remote", "set-head", "origin", "main")
    git(one, "switch", "--quiet", "main")
    git(one, "branch", "-D", "develop")
    assert base(one) == "develop"
    assert bot(one, "rollback", "main", "--run", "note", "--format", "json").json()["base"] == "develop"
    assert bot(one, "generate", "--run", "note", "--format", "json").json()["base"] == "develop"
    assert base(clone(origin, tmp_path / "two", "--single-branch", "--branch=other", "--no-local")) == "develop"
    assert base(clone(origin, tmp_path / "three", "--single-branch", f"--branch={BRANCH}")) == "develop"


def test_a_named_base_is_kept_and_another_one_is_refused(origin: Path, tmp_path: Path) -> None:
    folder = clone(origin, tmp_path / "one")
    assert generate(folder, "--base", "origin/other").code == 0
    before = git(folder, "for-each-ref")

    assert recorded(folder) == ["other"]
    for same in ("other", "origin/other", "refs/heads/other"):
        assert base(folder, "--base", same) == "other"
    for command in ("generate", "status"):
        told = bot(folder, command, "--run", "note", "--base", "main")
        assert told.code == 2
        assert told.err == (
            "phasebot: continuing phasebot/note: it started from other, not from main; "
            "leave out --base, or start another run with --run\n"
        )
    assert git(folder, "for-each-ref") == before


def test_a_base_that_is_gone_loses_nothing_and_is_told(origin: Path, tmp_path: Path) -> None:
    assert generate(clone(origin, tmp_path / "one"), "--only", "core").code == 0
    git(origin, "symbolic-ref", "HEAD", "refs/heads/main")
    git(origin, "branch", "-D", "develop")
    folder = clone(origin, tmp_path / "two")

    told = bot(folder, "generate", "--run", "note", "--format", "json")

    assert (told.code, told.json()["base"], told.json()["complete"]) == (0, "develop", True)
    assert (
        "note: phasebot/note started from develop, which was deleted or renamed: restore it, "
        "or merge phasebot/note into another branch yourself\n"
    ) in told.err
    assert sorted(phases_of(origin, "note")) == ["core", "entity/Note", "main", "plan", "support"]
    assert "started from develop, which was deleted" in bot(folder, "status", "--run", "note").err


@pytest.mark.parametrize("name", ["de\u200bvelop", "a\u00a0b"])
def test_a_name_that_no_trailer_can_hold_is_not_recorded(tmp_path: Path, name: str) -> None:
    folder = new_repository(tmp_path / "note")
    git(folder, "branch", name)

    assert generate(folder, "--base", name).code == 0
    assert generate(folder, "--base", name, "--format", "json").json()["base"] == name

    assert recorded(folder) == []


@pytest.mark.parametrize("how", ["oid", "tag", "detached"])
def test_a_commit_can_be_the_base_but_is_not_recorded(tmp_path: Path, how: str) -> None:
    folder = new_repository(tmp_path / "note")
    git(folder, "tag", "v1")
    start = head(folder)
    person(folder, "More", {"MORE": "1\n"})
    if how == "detached":
        git(folder, "switch", "--quiet", "--detach", "v1")
        git(folder, "branch", "-D", "main")

    told = generate(folder, *{"oid": ("--base", start), "tag": ("--base", "v1"), "detached": ()}[how])

    assert told.code == 0
    assert git(folder, "rev-parse", f"{BRANCH}~5") == start
    assert recorded(folder) == []
    assert well(folder, "status", "--run", "note", "--format", "json").json()["complete"]


def test_a_branch_of_an_earlier_release_follows_the_order_each_time(
    origin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = clone(origin, tmp_path / "one")
    monkeypatch.setattr(Base, "recorded_name", None)
    assert generate(folder, "--base", "other").code == 0

    assert recorded(folder) == []
    assert base(folder) == "develop"
    assert base(folder, "--base", "other") == "other"
    assert bot(folder, "generate", "--run", "note", "--base", "nope").code == 2


def test_a_forged_base_is_ignored_where_git_has_no_such_branch_name(origin: Path, tmp_path: Path) -> None:
    folder = clone(origin, tmp_path / "one")
    assert generate(folder).code == 0
    git(folder, "switch", "--quiet", BRANCH)
    facts = "Phasebot-Run: note\nPhasebot-Phase: plan\nPhasebot-Status: complete\nPhasebot-Base: x:refs/heads/*"
    person(folder, "Forged", {}, facts)
    before = git(folder, "for-each-ref")

    assert bot(folder, "status").code == 0
    assert git(folder, "for-each-ref") == before


# ---- always there


def test_a_default_branch_that_was_renamed_is_found_by_its_new_name(origin: Path, tmp_path: Path) -> None:
    folder = clone(origin, tmp_path / "one")
    git(origin, "branch", "-m", "develop", "trunk")

    told = generate(folder, "--format", "json")

    assert told.json()["base"] == "trunk"
    assert recorded(folder) == ["trunk"]
    assert roots(folder, BRANCH) == roots(folder, "origin/trunk")


def test_where_nothing_says_which_branch_is_the_base_the_message_lists_them(origin: Path, tmp_path: Path) -> None:
    git(origin, "symbolic-ref", "HEAD", "refs/heads/old")
    git(origin, "branch", "-D", "main")
    for number in range(12):
        git(origin, "branch", f"topic-{number:02}", "develop")
    folder = clone(origin, tmp_path / "one")
    before = git(folder, "for-each-ref"), git(origin, "for-each-ref")

    told = generate(folder)

    assert told.code == 2
    assert told.err == (
        "phasebot: starting phasebot/note: nothing says which branch to start from, because the default branch is not "
        "there; name it with --base: develop, other, topic-00, topic-01, topic-02, topic-03, topic-04, topic-05, "
        "topic-06, topic-07 and 4 more\n"
    )
    assert (git(folder, "for-each-ref"), git(origin, "for-each-ref")) == before
    assert generate(folder, "--base", "develop").code == 0
    assert roots(folder, BRANCH) == roots(folder, "origin/develop")
    assert git(folder, "for-each-ref", "refs/heads/") == git(folder, "for-each-ref", f"refs/heads/{BRANCH}")


@pytest.mark.parametrize("fetched", [False, True])
def test_a_repository_that_has_commits_only_on_the_remote_starts_from_there(
    origin: Path, tmp_path: Path, *, fetched: bool
) -> None:
    folder = tmp_path / "one"
    folder.mkdir()
    git(folder, "init", "--quiet")
    git(folder, "remote", "add", "origin", str(origin))
    if fetched:
        git(folder, "fetch", "--quiet")

    told = generate(folder, "--format", "json")

    assert (told.code, told.json()["base"]) == (0, "develop")
    assert git(folder, "rev-parse", f"{BRANCH}~5") == head(origin, "develop")
    assert git(folder, "for-each-ref", "--format=%(refname)", "refs/heads/") == f"refs/heads/{BRANCH}"


def test_a_clone_of_another_branch_gets_the_default_branch(origin: Path, tmp_path: Path) -> None:
    folder = clone(origin, tmp_path / "one", "--single-branch", "--branch=other", "--depth=1", "--no-local")

    told = generate(folder, "--format", "json")

    assert (told.code, told.json()["base"]) == (0, "develop")
    assert git(folder, "merge-base", BRANCH, "origin/develop") == head(origin, "develop")


def test_a_clone_that_is_too_shallow_for_the_run_says_so(origin: Path, tmp_path: Path) -> None:
    assert generate(clone(origin, tmp_path / "one")).code == 0
    folder = clone(origin, tmp_path / "two", "--depth=3", f"--branch={BRANCH}", "--no-local")

    for command in ("status", "generate"):
        told = bot(folder, command)
        assert told.code == 2
        assert told.err == (
            "phasebot: reading phasebot/note: this clone is too shallow to hold the whole run; "
            "run 'git fetch --unshallow'\n"
        )
    git(folder, "fetch", "--quiet", "--unshallow")
    assert base(folder) == "develop"


def test_without_a_remote_the_branches_that_are_there_are_the_choice(tmp_path: Path) -> None:
    folder = new_repository(tmp_path / "note")
    git(folder, "branch", "-m", "feature")
    git(folder, "symbolic-ref", "HEAD", "refs/heads/unborn")

    assert generate(folder, "--run", "only", "--format", "json").json()["base"] == "feature"
    git(folder, "branch", "second", "feature")
    told = generate(folder)

    assert (told.code, told.err.rpartition("; ")[2]) == (2, "name it with --base: feature, second\n")
    assert git(folder, "branch", "--list", BRANCH) == ""


# ---- a remote without commits


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    folder = tmp_path / "empty.git"
    folder.mkdir()
    git(folder, "init", "--quiet", "--bare", "--initial-branch=trunk")
    return folder


@pytest.mark.parametrize("later", [False, True], ids=["at once", "after a run without pushing"])
def test_an_empty_remote_gets_the_base_before_the_run(empty: Path, tmp_path: Path, *, later: bool) -> None:
    folder = clone(empty, tmp_path / "one")
    if later:
        assert generate(folder, "--no-push").code == 0
    hook = empty / "hooks" / "update"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text('#!/bin/sh\ntest "$1" = refs/heads/trunk || git rev-parse --verify --quiet trunk\n')
    hook.chmod(0o755)

    told = generate(folder)

    assert told.code == 0
    assert "note: pushed the branch trunk with an empty first commit, because origin did not have it\n" in told.err
    assert git(empty, "log", "--format=%s", "trunk") == "Start the repository"
    assert git(empty, "rev-parse", f"{BRANCH}~5") == git(empty, "rev-parse", "trunk")
    assert base(folder) == base(clone(empty, tmp_path / "two")) == "trunk"


def test_people_push_their_commits_and_the_base_that_the_remote_has_themselves(empty: Path, tmp_path: Path) -> None:
    folder = new_repository(tmp_path / "one")
    git(folder, "remote", "add", "origin", str(empty))

    told = generate(folder)

    assert "note: origin has no branch main yet: push it, too, or phasebot/note may become its default" in told.err
    assert git(empty, "for-each-ref", "--format=%(refname)") == f"refs/heads/{BRANCH}"


def test_a_base_that_somebody_else_pushed_meanwhile_stays(empty: Path, tmp_path: Path) -> None:
    folder, other = clone(empty, tmp_path / "one"), clone(empty, tmp_path / "two")
    assert generate(folder, "--no-push").code == 0
    theirs = commit(other, "Begin", {"LICENSE": "none\n"})
    git(other, "push", "--quiet", "origin", "HEAD:trunk")

    generate(folder)

    assert git(empty, "rev-parse", "trunk") == theirs


def test_an_empty_repository_starts_with_the_branch_that_is_named(tmp_path: Path) -> None:
    assert generate(tmp_path / "note", "--base", "develop", "--format", "json").json()["base"] == "develop"

    assert recorded(tmp_path / "note") == ["develop"]
    assert generate(tmp_path / "other", "--base", "a..b").code == 2


# ---- a branch in the way


@pytest.mark.parametrize(
    ("other", "another_run"), [("phasebot", ""), ("phasebot/note/fix", ", or name another run with --run")]
)
@pytest.mark.parametrize("where", ["here", "on the remote"])
def test_a_branch_in_the_way_is_told_before_anything_is_made(
    origin: Path, tmp_path: Path, where: str, other: str, another_run: str
) -> None:
    folder = clone(origin, tmp_path / "one")
    git(folder if where == "here" else origin, "branch", other)
    before = git(folder, "for-each-ref"), git(origin, "for-each-ref")

    told = generate(folder)

    of, rename = ("", f"'git branch -m {other} NEW-NAME'") if where == "here" else (" of origin", "origin")
    assert told.code == 2
    assert told.err == (
        f"phasebot: starting phasebot/note: git can't have it beside the branch {other}{of}; "
        f"rename it {'with' if where == 'here' else 'on'} {rename}{another_run}\n"
    )
    assert (git(folder, "for-each-ref"), git(origin, "for-each-ref")) == before


@pytest.mark.parametrize("where", ["here", "on the remote"])
def test_a_run_inside_of_another_runs_name_is_refused(origin: Path, tmp_path: Path, where: str) -> None:
    folder = clone(origin, tmp_path / "one")
    git(folder if where == "here" else origin, "branch", BRANCH)

    told = generate(folder, "--run", "note/fix")

    assert told.code == 2
    assert "starting phasebot/note/fix: git can't have it beside the branch phasebot/note" in told.err


def test_a_branch_that_the_remote_had_once_is_pruned(origin: Path, tmp_path: Path) -> None:
    git(origin, "branch", "phasebot/note/fix")
    folder = clone(origin, tmp_path / "one")
    git(origin, "branch", "-D", "phasebot/note/fix")

    told = generate(folder)

    assert told.code == 2
    assert "git can't have it beside origin/phasebot/note/fix, which origin may no longer have; run" in told.err
    git(folder, "remote", "prune", "origin")
    assert generate(folder).code == 0


def test_a_branch_that_came_in_the_way_later_costs_one_push_and_no_phase(origin: Path, tmp_path: Path) -> None:
    folder = clone(origin, tmp_path / "one")
    assert generate(folder, "--no-push").code == 0
    git(origin, "branch", "phasebot")

    told = generate(folder)

    assert told.code == 1
    assert "git can't have it beside phasebot; rename that branch on origin; the commits are safe" in told.err
    assert git(origin, "branch", "--list", "*recovered*") == ""


# ---- the action


@pytest.fixture
def github(tmp_path: Path) -> Iterator[World]:
    with small_world(tmp_path) as found:
        yield found


def workspace(github: World) -> Path:
    """Return a checkout with all branches (fetch-depth: 0)."""
    folder = github.checkout(depth=0)
    git(folder, "fetch", "--quiet", github.origin.as_uri(), "+refs/heads/*:refs/remotes/origin/*")
    return folder


def test_the_second_command_has_the_base_of_the_first(github: World) -> None:
    laptop = finished(github.root / "laptop")
    git(laptop, "push", "--quiet", str(github.origin), "phasebot/shop:develop")
    github.github.issues[12].body = "- Category: name string\n- Item: category -> Category?\n"

    github.ended(github.comment("/plan", repository__default_branch="develop"), folder=workspace(github))
    again = workspace(github)
    ending = github.ended(github.comment("/generate", repository__default_branch="develop"), folder=again)
    github.ended(github.comment("/generate"), folder=again)

    assert ending.status == "complete"
    assert [each.base for each in github.github.pulls] == ["develop"]
    made = git(github.origin, "log", "--format=%s", "develop..phasebot/issue-12").split("\n")
    assert len(made) == 5, made
    assert recorded(github.origin, "develop..phasebot/issue-12") == ["develop"]


def test_the_base_branch_of_the_action_is_for_new_runs(github: World) -> None:
    git(github.origin, "branch", "develop", "main")
    github.say("/plan", base_branch="develop")

    github.say("/generate", base_branch="main")

    assert github.pull().base == "develop"
    note = "phasebot/issue-12 started from develop and is merged into it; main is for new runs"
    assert note in github.said()[0]


def test_a_base_that_is_gone_opens_no_pull_request_into_another_branch(github: World) -> None:
    git(github.origin, "branch", "develop", "main")
    github.say("/plan", base_branch="develop")
    github.github.pulls.clear()
    git(github.origin, "branch", "-D", "develop")

    ending = github.say("/generate", base_branch="develop")

    assert ending.status == "complete"
    assert github.github.pulls == []
    told = github.said()[0]
    assert "started from develop, which was deleted or renamed" in told
    assert "/compare/phasebot/issue-12?expand=1" in told
    github.say("/status", base_branch="develop")
    assert "started from develop, which was deleted or renamed" in github.said()[-1]


def test_what_a_person_records_does_not_count_where_the_bot_did(github: World) -> None:
    git(github.origin, "branch", "develop", "main")
    github.say("/plan")
    laptop = github.clone()
    git(laptop, "switch", "--quiet", "phasebot/issue-12")
    facts = "Phasebot-Run: issue-12\nPhasebot-Phase: plan\nPhasebot-Status: complete\nPhasebot-Base: develop"
    person(laptop, "Forged", {}, facts)
    git(laptop, "push", "--quiet", "origin", "HEAD")

    ending = github.say("/status")

    assert ending.report
    assert ending.report.state.base == "main"
