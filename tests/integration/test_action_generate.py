"""``/generate`` as people see it: commits, a pull request, and the comments on the way."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.generation.provider import GenerationRequest, GenerationResult
from tests.action_world import BLOG_STORY, ISSUE, World, scripted, small_world, world
from tests.git_http_server import Refusal
from tests.github_server import LOGIN, Asked
from tests.repositories import NOTE, SMALL, House, ScriptedProvider, clone, commit, git, phasebot

BOT = "github-actions[bot] <41898282+github-actions[bot]@users.noreply.github.com>"
MARKER = "<!-- phasebot:issue-12 -->"
COMMENT = 1001
"""The id of the first comment in a world."""


@pytest.fixture
def github(tmp_path: Path) -> Iterator[World]:
    with small_world(tmp_path) as found:
        yield found


async def nothing(request: GenerationRequest) -> GenerationResult:
    return GenerationResult({}, dict.fromkeys(request.paths, "no answer"), stopped=True)


def progress(github: World, run: str = "issue-12") -> str:
    """Return our only progress comment."""
    begin = f"<!-- phasebot:{run} -->\n"
    (body,) = (each.body for each in github.github.comments if each.login == LOGIN and each.body.startswith(begin))
    return body


def push(folder: Path, message: str, path: str, content: str) -> None:
    """Commit and push as a person, on what is checked out."""
    commit(folder, message, {path: content})
    git(folder, "push", "--quiet", "origin", "HEAD")


# ---- the whole story


def test_generate_makes_a_commit_per_phase_and_a_pull_request_and_tells_people_how_it_goes(tmp_path: Path) -> None:
    with world(tmp_path) as github:
        ending = github.say("/generate")

        assert github.picture() == BLOG_STORY
        head = git(github.origin, "rev-parse", "phasebot/issue-12")
        assert ending.exit_code == 0
        assert ending.outputs == {
            "status": "complete",
            "run": "issue-12",
            "branch": "phasebot/issue-12",
            "head": head,
            "pull-request-number": str(github.pull().number),
            "pull-request-url": f"https://github.example/acme/blog/pull/{github.pull().number}",
            "phases-done": "10",
            "phases-total": "10",
            "files": "75",
            "tokens": "0",
        }
        assert (github.pull().body or "").startswith("Closes #12\n\nA small blog with comments and tags.\n")
        inside = f"/pull/{github.pull().number}/commits/{head})"
        assert inside in (github.pull().body or "")
        assert inside in progress(github)
        assert "gantt" in ending.summary


def test_every_commit_is_the_bots_and_says_who_asked_and_by_which_comment(github: World) -> None:
    github.say("/generate")

    people = git(github.origin, "log", "--format=%an <%ae>%n%cn <%ce>", "main..phasebot/issue-12")
    assert set(people.split("\n")) == {BOT}
    asked = git(github.origin, "log", "--format=%(trailers:key=Phasebot-Comment,valueonly)", "main..phasebot/issue-12")
    assert asked.split() == [str(COMMENT)] * 5


def test_nothing_is_told_before_it_is_pushed_and_the_pull_request_is_a_draft_until_the_end(github: World) -> None:
    pushed: dict[str, int] = {}
    lost: list[str] = []

    def watch(asked: Asked) -> None:
        pushed[asked.line] = len(github.commits())
        told = re.findall(r"/commits?/(\w+)", str(asked.body))
        lost.extend(oid for oid in told if git(github.origin, "cat-file", "-t", oid, check=False) != "commit")

    github.github.script = watch
    github.say("/generate")

    assert lost == []
    assert pushed["POST /pulls"] >= 1
    assert next(asked.body["draft"] for asked in github.github.requests if asked.line == "POST /pulls") is True
    assert pushed["POST /graphql"] == 5
    assert not github.pull().draft


def test_the_pull_request_can_be_ready_from_the_beginning(github: World) -> None:
    github.say("/generate", draft=False)

    assert next(asked.body["draft"] for asked in github.github.requests if asked.line == "POST /pulls") is False
    assert "POST /graphql" not in github.github.lines


# ---- again, and elsewhere


def test_again_makes_nothing_and_keeps_the_same_comment(github: World) -> None:
    github.say("/generate")
    head, told = git(github.origin, "rev-parse", "phasebot/issue-12"), progress(github)
    pushes = sum(asked.carries for asked in github.server.requests)

    ending = github.say("/generate")

    assert (ending.status, ending.exit_code, ending.outputs["phases-done"]) == ("complete", 0, "5")
    assert git(github.origin, "rev-parse", "phasebot/issue-12") == head
    assert sum(asked.carries for asked in github.server.requests) == pushes
    assert github.github.lines.count("POST /pulls") == 1
    assert progress(github).replace("runs/902", "runs/901").split("\n")[2:] == told.split("\n")[2:]
    assert github.picture().split("\n\n")[2:] == [
        """\
#12 alice: /generate  :rocket:
#12 bot: **Phasebot finished `@alice`'s request**
#12 bot: **Done:** 5 of 5 phases, 9 files. Review pull request #PR1 commit by commit.
#12 alice: /generate  :rocket:
#12 bot: **Done:** 5 of 5 phases, 9 files. Review pull request #PR1 commit by commit.
"""
    ]


def test_the_progress_comment_is_found_over_all_pages_and_a_strangers_is_left_alone(github: World) -> None:
    stranger = github.github.add_comment(f"{MARKER}\nmine", login="mallory")
    for number in range(120):
        github.github.add_comment(f"talk {number}", login="bob")
    with scripted({"main": nothing}):
        github.say("/generate")
    for number in range(120):
        github.github.add_comment(f"more talk {number}", login="bob")

    github.say("/generate")

    assert progress(github).startswith(f"{MARKER}\n**Phasebot finished")
    assert stranger.body == f"{MARKER}\nmine"


def test_on_the_pull_request_it_goes_on_and_the_issue_keeps_the_progress(github: World) -> None:
    with scripted({"main": nothing}):
        ending = github.say("/generate")
    assert (ending.status, ending.exit_code) == ("incomplete", 3)

    github.github.permissions["bob"] = ("admin", "admin")
    github.say("/generate", number=github.pull().number, author="bob")

    assert (
        github.picture()
        == """
Generate plan [1/5]  github-actions[bot] for alice
Generate core [2/5]  github-actions[bot] for alice
Generate entity Note [3/5]  github-actions[bot] for alice
Generate support files [4/5]  github-actions[bot] for alice
Generate main application [5/5]  github-actions[bot] for bob

#PR1 open ready: Generate Blog API (phasebot/issue-12, main)

#12 alice: /generate  :confused:
#12 bot: **Phasebot finished `@bob`'s request**
#12 bot: **Not finished:** 4 of 5 phases done, 8 files in pull request #PR1.
#PR1 bob: /generate  :rocket:
#PR1 bot: **Done:** 5 of 5 phases, 9 files. Review pull request #PR1 commit by commit.
"""
    )


def test_a_run_that_was_begun_on_a_laptop_is_continued_on_its_pull_request(github: World) -> None:
    laptop = github.clone()
    House(laptop, spec="- Note: text text\n", provider=ScriptedProvider({"main": nothing})).run()
    github.github.add_pull(number=7, head="phasebot/blog", draft=True)

    ending = github.say("/generate", number=7)

    assert ending.outputs["branch"] == "phasebot/blog"
    assert (
        github.picture("blog")
        == """
Generate plan [1/5]  laptop
Generate core [2/5]  laptop
Generate entity Note [3/5]  laptop
Generate support files [4/5]  laptop
Generate main application [5/5]  github-actions[bot] for alice

#PR1 open ready: Blog (phasebot/blog, main)

#PR1 alice: /generate  :rocket:
#PR1 bot: **Phasebot finished `@alice`'s request**
#PR1 bot: **Done:** 5 of 5 phases, 9 files. Review pull request #PR1 commit by commit.
"""
    )
    assert "Closes" not in (github.pull().body or "")


def test_a_run_that_is_named_like_an_issue_that_is_not_there_is_told_on_its_pull_request(github: World) -> None:
    done = phasebot("generate", NOTE, "--run", "issue-77", "--recipe", SMALL, "--repo", github.clone())
    assert done.returncode == 0, done.stderr
    github.github.add_pull(number=7, head="phasebot/issue-77", draft=True)

    ending = github.say("/generate", number=7)

    assert (ending.status, github.pull().draft) == ("complete", False)
    assert github.picture("issue-77").split("\n\n")[2] == (
        "#PR1 alice: /generate  :rocket:\n"
        "#PR1 bot: **Done:** 5 of 5 phases, 9 files. Review pull request #PR1 commit by commit.\n"
    )


def test_a_plan_can_be_edited_before_anything_is_made_of_it(github: World) -> None:
    ending = github.say("/plan")
    assert (ending.status, ending.exit_code, ending.outputs["phases-done"]) == ("answered", 0, "1")
    assert "```mermaid\nerDiagram" in progress(github)

    laptop = github.clone()
    git(laptop, "switch", "--quiet", "phasebot/issue-12")
    plan = github.file(".phasebot/plan.yaml") + "\n  Tag:\n    name: string unique\n"
    push(laptop, "Add tags", ".phasebot/plan.yaml", plan)
    github.say("/generate", number=github.pull().number)

    assert (
        github.picture()
        == """
Generate plan [1/5]  github-actions[bot] for alice
Generate core [2/6]  github-actions[bot] for alice
Generate entity Note [3/6]  github-actions[bot] for alice
Generate entity Tag [4/6]  github-actions[bot] for alice
Generate support files [5/6]  github-actions[bot] for alice
Generate main application [6/6]  github-actions[bot] for alice
Add tags  laptop

#PR1 open ready: Generate Blog API (phasebot/issue-12, main)

#12 alice: /plan  :+1:
#12 bot: **Phasebot finished `@alice`'s request**
#12 bot: **Planned:** 5 phases. Edit `.phasebot/plan.yaml` if you like, then comment `/generate` to generate …
#PR1 alice: /generate  :rocket:
#PR1 bot: **Done:** 6 of 6 phases, 11 files. Review pull request #PR1 commit by commit.
"""
    )


def test_a_comment_on_a_line_of_the_diff_is_answered_there(github: World) -> None:
    github.say("/generate")
    pull = github.pull().number

    assert github.ended(github.line_comment("/status", pull=pull)).status == "answered"

    asked, answer = github.github.review_comments
    assert (answer.in_reply_to, "is complete**" in answer.body) == (asked.id, True)
    assert [(each.content, each.comment) for each in github.github.reactions if each.in_review] == [("+1", asked.id)]


# ---- what the spec is


def test_the_spec_is_the_issue_as_people_see_it_and_what_the_command_adds(tmp_path: Path) -> None:
    body = (
        "### What should be built?\r\n\r\nNotes of a house.\r\n\r\n<!-- - Secret: key string\r\n\r\n-->"
        "- Note: text text\r\n\r\n### Anything else?\r\n\r\n_No response_\r\n"
    )
    with small_world(tmp_path) as github:
        github.github.issues[ISSUE].title, github.github.issues[ISSUE].body = "  House   notes", body
        github.say("/generate -- keep it short\r\n\r\n- Tag: name string unique")

        assert github.pull().title == "Generate House notes"
        plan = github.file(".phasebot/plan.yaml")
        assert re.findall(r"^  (\w+):$", plan, re.MULTILINE) == ["Note", "Tag"]
        assert "Notes of a house" in plan
        assert "keep it short" in plan
        assert "House notes" in plan
        for unseen in ("Secret", "What should", "Anything", "No response"):
            assert unseen not in plan


def test_what_a_later_command_adds_is_not_used_and_the_comment_says_so(github: World) -> None:
    github.say("/generate")

    github.say("/generate -- make it blue\n\n- Tag: name string")

    assert "this run has a plan already" in progress(github)
    assert "blue" not in github.file(".phasebot/plan.yaml")


# ---- other branches


def test_main_may_move_on_and_be_merged_into_the_branch(github: World) -> None:
    with scripted({"main": nothing}):
        github.say("/generate")
    laptop = github.clone()
    push(laptop, "Meanwhile", "README.md", "of main\n")
    assert github.say("/generate").status == "complete"
    git(laptop, "fetch", "--quiet")
    git(laptop, "switch", "--quiet", "phasebot/issue-12")
    git(laptop, "merge", "--quiet", "--strategy-option=ours", "-m", "Update branch", "origin/main")
    git(laptop, "push", "--quiet", "origin", "HEAD")

    ending = github.say("/generate")

    assert (ending.status, ending.outputs["head"]) == ("complete", git(laptop, "rev-parse", "HEAD"))
    assert len(github.commits()) == 6


def test_the_base_is_what_the_workflow_says(github: World) -> None:
    laptop = github.clone()
    git(laptop, "switch", "--quiet", "-c", "develop")
    push(laptop, "Develop", "NOTES.md", "notes\n")

    github.say("/generate", base_branch="develop")

    assert github.pull().base == "develop"
    assert github.file("NOTES.md") == "notes"


def test_an_issue_begins_anew_once_its_branch_was_thrown_away(github: World) -> None:
    github.say("/generate")
    github.pull().state = "closed"
    git(github.origin, "branch", "--quiet", "-D", "phasebot/issue-12")

    github.say("/generate")

    assert [each.state for each in github.github.pulls] == ["closed", "open"]
    assert "pull request #" + str(github.github.pulls[1].number) in progress(github)
    assert len(github.commits()) == 5


def test_a_project_may_lie_in_a_folder(tmp_path: Path) -> None:
    with small_world(tmp_path, output_dir="services/notes") as github:
        github.say("/generate")

        files = git(
            clone(github.origin, tmp_path / "clone"), "ls-tree", "-r", "--name-only", "origin/phasebot/issue-12"
        )
    assert [name for name in files.split("\n") if not name.startswith("services/notes/")] == ["LICENSE"]


def test_a_push_that_is_refused_says_what_is_lost_with_the_job(github: World) -> None:
    reason = "protected branch hook declined"
    github.server.refuse = lambda asked: Refusal(reason=reason) if asked.carries else None

    ending = github.say("/generate")

    told = f"[remote rejected] ({reason}); exclude 'phasebot/**' from the repository's branch rules, or let the owner"
    lost = next(part for part in ending.message.split("; ") if "lost" in part)
    assert ending.exit_code == 1
    assert told in ending.message
    assert lost.startswith("5 phases (plan, ")
    assert lost.endswith(") are only in this job's clone and lost with it")
    assert ending.message.endswith("; comment /generate to generate what is lost again")
    assert "safe" not in github.said()[-1]
    github.server.refuse = lambda _: None
    assert github.say("/generate").status == "complete"
