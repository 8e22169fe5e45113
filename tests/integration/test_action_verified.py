"""The jobs that verify and report: what one finds and hands over, and what the other makes of it on GitHub."""

import json
import re
import subprocess
import zlib
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.assessment.finding import Finding
from bot.errors import UsageError
from bot.verification.handover import MAX_HANDOVER, format_handover, parse_handover
from bot.verification.record import Record
from bot.verification.verdict import CommandResult, Counts, Verification
from tests.action_world import World, small_world, with_key, world
from tests.gemini_server import KEY, Author, FakeGemini
from tests.repositories import NOTE, commit, git

CHECKED = Path(__file__).parents[1] / "data" / "recipes" / "checked"
SPEC = "- Post: title string\n- Tag: name string\n"
RECORDS = "refs/phasebot/verified/"
BRANCH = "phasebot/issue-12"
NO_REPORT = "the verification gave no readable report; the log of its job says more"


@pytest.fixture
def github(tmp_path: Path) -> Iterator[World]:
    """A world with a finished run."""
    with world(tmp_path, SPEC, recipe=str(CHECKED)) as made:
        assert made.say("/generate").status == "complete"
        yield made


def head_of(github: World) -> str:
    return git(github.origin, "rev-parse", BRANCH)


def event(github: World) -> dict[str, Any]:
    """Return the event of the workflow; all its jobs have the same."""
    return github.comment("/generate")


def change(github: World, files: Mapping[str, str | None]) -> str:
    """Commit *files* on the run's branch as a person, and return the commit."""
    laptop = github.root / f"laptop-{len(list(github.root.glob('laptop-*')))}"
    github.clone(laptop.name)
    git(laptop, "checkout", "--quiet", BRANCH)
    made = commit(laptop, "Change it", files)
    git(laptop, "push", "--quiet", "origin", BRANCH)
    return made


def verify(github: World, *, head: str = "", recipe: Path = CHECKED) -> tuple[int, str, str]:
    """Verify as the job does, and return exit code, log, and what it hands over."""
    folder = github.checkout(depth=0)
    git(folder, "fetch", "--quiet", github.origin.as_uri(), "+refs/heads/*:refs/remotes/origin/*")
    temporary = github.root / f"temp-{github.jobs}"
    temporary.mkdir()
    environ = {
        "GITHUB_TOKEN": "",
        "GITHUB_ACTIONS": "true",
        "RUNNER_TEMP": str(temporary),
        "TMPDIR": str(temporary),
        "PHASEBOT_ACTION_RUN": "issue-12",
        "PHASEBOT_ACTION_HEAD": head or head_of(github),
        "PHASEBOT_ACTION_RECIPE": str(recipe),
    }
    with github.start(event(github), "--verify", environ=environ, folder=folder) as job:
        log = job.communicate(timeout=120)[0]
    assert list(temporary.iterdir()) == []
    return job.returncode, log, github.outputs().get("report", "")


def report(github: World, handed: str, *, head: str = "", code: int = 0) -> str:
    """Report as the job does, in a process of its own, and return its log."""
    environ = {
        "GITHUB_ACTIONS": "true",
        "PHASEBOT_ACTION_RUN": "issue-12",
        "PHASEBOT_ACTION_HEAD": head or head_of(github),
        "PHASEBOT_ACTION_REPORT": handed,
        "PHASEBOT_ACTION_RECIPE": str(CHECKED),
    }
    with github.start(event(github), environ=environ, hurry=True) as job:
        log = job.communicate(timeout=120)[0]
    assert job.returncode == code, log
    return log


def record(github: World, *findings: Finding, tree: str = "") -> Record:
    command = CommandResult(
        run=["pytest"],
        folder=".",
        ending="failed" if findings else "passed",
        tests=Counts(75, 0, 0),
        findings=findings,
    )
    tree = tree or git(github.origin, "rev-parse", f"{BRANCH}^{{tree}}")
    return Record("sha256:1", Verification(tree=tree, commands=[command], isolation="Apart.", expected=1))


FINDING = Finding(path="app/core.py", line=1, rule="test-failed", message="it broke", phase="core")


def records(github: World) -> str:
    return git(github.origin, "for-each-ref", "--format=%(refname)", RECORDS)


def commands(log: str) -> list[str]:
    """Return the lines that a runner takes for commands, but for those that mask the token."""
    found = [line for line in log.splitlines() if re.match(r"\s*::", line) or "##[" in line]
    return [line for line in found if not line.startswith("::add-mask::")]


# ---- both jobs


def test_what_works_is_verified_as_long_as_the_files_stay_the_same(github: World) -> None:
    code, log, handed = verify(github)
    assert code == 0, log
    assert "│ passed: python check.py" in log
    assert github.token not in log
    before = len(github.said()) + len(github.said(github.pull().number))

    log = report(github, handed)

    assert github.github.statuses == [
        {
            "sha": head_of(github),
            "state": "success",
            "context": "phasebot/verified",
            "description": "2 tests passed",
            "target_url": f"{github.server.url}/acme/blog/actions/runs/{900 + github.jobs}",
        }
    ]
    assert f"phasebot/verified of {head_of(github)[:10]}: success, 2 tests passed" in log
    assert "**Phasebot finished `@alice`'s request**\n" in github.said()[0], "without a time: it was another job's"
    assert "**Verified:** 2 tests passed." in github.said()[0]
    body = github.pull().body or ""
    assert "**Verified:** 2 tests passed." in body
    assert body.count("<br>\u2022 verified |") == 5
    assert len(github.said()) + len(github.said(github.pull().number)) == before, "nobody is notified"
    assert records(github) == f"{RECORDS}issue-12"
    assert github.outputs().items() >= {"status": "answered", "head": head_of(github)}.items()

    assert "**Verified:** 2 tests passed." in github.say("/status").summary
    change(github, {"NOTES.md": "mine\n"})
    assert "**Not yet verified:** files changed since the last verification." in github.say("/status").summary
    change(github, {"NOTES.md": None})
    assert "**Verified:** 2 tests passed." in github.say("/status").summary, "it is about files, not about commits"
    assert github.say("/generate").status == "complete"
    assert "**Verified:** 2 tests passed." in github.said()[0]


def test_what_fails_is_told_by_phase_and_annotated(github: World) -> None:
    lie = "::error::@everyone ![x](https://evil.example/y)"
    said = (
        (lie, "tests/test_post.py:1: in test&#10;app/core.py:1: in limit"),
        ("it broke", "tests/test_post.py:1: no"),
    )
    cases = "".join(
        f'<testcase classname="tests.test_post" name="test_{number}"><failure message="{message}">{trace}</failure>'
        "</testcase>"
        for number, (message, trace) in enumerate(said)
    )
    code = f"open('report.xml', 'w').write({f'<t>{cases}</t>'!r})\n"
    change(github, {"check.py": f"{code}print('::add-mask::a', '##[error]b')\nraise SystemExit('::error::c')\n"})

    exit_code, verified, handed = verify(github)
    log = report(github, handed)

    assert exit_code == 0, "it is the status that is red"
    assert commands(verified) == []
    (status,) = github.github.statuses
    assert (status["state"], status["description"]) == ("failure", "2 errors in 2 phases")
    assert commands(log) == [
        f"::error title=test-failed in core,file=app/core.py,line=1::tests/test_post.py::test_0: {lie}",
        "::error title=test-failed in entity/Post,file=app/post.py::tests/test_post.py::test_1: it broke",
    ]
    for text in (github.said()[0], github.pull().body or ""):
        assert "**Not verified:** 2 errors in 2 phases (0 tests passed, 2 failed)." in text
        assert re.search(r"verification: `?app/core\.py:1`? tests/test_post\.py::test_0: ", text.replace("<wbr>", ""))
        assert "::error::@`everyone`" in text
        assert "](https://evil" not in text
    assert "\u2022 verified" not in (github.pull().body or "")


def test_what_hangs_is_told(github: World) -> None:
    change(github, {"check.py": "import time\ntime.sleep(600)\n"})

    code, _, handed = verify(github)
    report(github, handed)

    assert code == 0
    assert github.github.statuses[0]["description"] == "1 error in 1 phase"
    assert "took longer than its time limit" in github.said()[0]
    assert "took longer than its time limit" in github.say("/status").summary


def test_exactly_the_commit_that_was_generated_is_verified(github: World) -> None:
    head = head_of(github)
    change(github, {"check.py": "raise SystemExit(1)\n"})
    comment, body = github.said()[0], github.pull().body

    code, log, handed = verify(github, head=head)
    told = report(github, handed, head=head)

    assert code == 0, log
    (status,) = github.github.statuses
    assert (status["sha"], status["state"]) == (head, "success")
    assert f"{BRANCH} moved on while {head[:10]} was verified; its newer files are not verified yet" in told
    assert (github.said()[0], github.pull().body) == (comment, body), "nothing is said of the newer files"
    assert records(github) == ""


def test_a_recipe_without_commands_has_nothing_to_verify(tmp_path: Path) -> None:
    with small_world(tmp_path) as github:
        github.say("/generate")
        comment = github.said()[0]

        code, log, handed = verify(github, recipe=CHECKED.with_name("small"))

        assert (code, handed) == (0, "")
        assert "the recipe 'small' has no commands for it" in log
        assert github.report(event(github), head_of(github), "").status == "answered"
        assert github.github.statuses == []
        assert github.said()[0] == comment
        assert "nothing was verified: the recipe of phasebot/issue-12 has no commands for it" in "\n".join(github.log)


def test_a_commit_that_is_not_in_the_clone_is_told_with_the_remedy(github: World) -> None:
    code, log, handed = verify(github, head="1" * 40)

    assert (code, handed) == (2, "")
    assert "this clone lacks the commit 1111111111; set 'fetch-depth: 0' for actions/checkout" in log
    assert "they are no run and no full id of a commit" in verify(github, head="main")[1]


# ---- what is handed over


def packed(content: bytes) -> str:
    return b64encode(zlib.compress(content, 9)).decode()


@pytest.mark.parametrize(
    "handed",
    [
        pytest.param("", id="a job that was cancelled"),
        pytest.param("::error::x\n\x1b[2J", id="commands"),
        pytest.param("A" * (MAX_HANDOVER + 4), id="large"),
        pytest.param(packed(b" " * (16 << 20)), id="a bomb"),
        pytest.param(packed(json.dumps({"digest": "", "verification": []}).encode()), id="json"),
    ],
)
def test_what_can_not_be_read_is_an_error(github: World, handed: str) -> None:
    result = github.report(event(github), head_of(github), handed)

    assert result.status == "answered"
    (status,) = github.github.statuses
    assert (status["state"], status["description"]) == ("error", f"could not be verified: {NO_REPORT}")
    assert f"- {NO_REPORT}" in github.said()[0]
    assert "erified:**" not in github.said()[0]
    assert records(github) == ""


def test_a_report_on_other_files_is_an_error(github: World) -> None:
    github.report(event(github), head_of(github), format_handover(record(github, tree="1" * 40)))

    (status,) = github.github.statuses
    assert status["state"] == "error"
    assert "the verification reported on other files than those of this commit" in status["description"]
    assert records(github) == ""


def test_thousands_of_hostile_findings_are_few_lines(github: World) -> None:
    nasty = "##[error] ::error::x @everyone fixes #1 ![a](https://evil.example/b.png) <img src=x> /rollback core"
    many = [
        replace(FINDING, message=nasty, line=number % 9 + 1, path=f"app/{number % 7}.py") for number in range(5_000)
    ]
    warning = replace(FINDING, message=nasty, phase=None, severity="warning", rule="@everyone,file=x::")
    handed = format_handover(record(github, *many, *[warning] * 5_000))
    there = parse_handover(handed)
    assert there
    assert len(there.verification.findings) == 10_000

    log = report(github, handed)

    assert len(log) < 60_000
    found = commands(log)
    known = ("::error title=test-failed in core,file=app/", "::warning title=@everyone%2Cfile=x%3A%3A,file=app/core.py")
    assert len(found) == 20
    assert all(line.startswith(known) for line in found)
    assert "##[" not in log
    assert "│ note: 9,980 more findings are in the log of the job that verified" in log
    assert github.github.statuses[0]["description"] == "5,000 errors in 1 phase"
    assert "and 4,995 more errors that the verification found" in github.said()[0]
    for text in (github.said()[0], github.pull().body or ""):
        assert len(text) < 60_000
        assert not re.search(r"@everyone|#1\b|[^\\]\]\(https://evil|[^\\]<img", text)


def test_without_a_network_nothing_is_said_about_the_files(github: World) -> None:
    offline = CommandResult(run=["pip", "install"], folder=".", ending="offline")
    found = replace(record(github).verification, commands=[offline], expected=2)

    github.report(event(github), head_of(github), format_handover(Record("", found)))

    (status,) = github.github.statuses
    told = "could not be verified: 'pip install' could not reach the network"
    assert (status["state"], status["description"]) == ("error", told)
    assert f"- {told}" in github.said()[0]
    assert records(github) == ""


def test_a_later_report_takes_the_place_of_the_one_before(github: World) -> None:
    github.report(event(github), head_of(github), format_handover(record(github, FINDING)))
    github.report(event(github), head_of(github), format_handover(record(github)))

    assert [each["state"] for each in github.github.statuses] == ["failure", "success"]
    assert "**Verified:** 75 tests passed." in github.said()[0]


# ---- branch, people and permissions


def test_a_commit_that_the_branch_lost_gets_no_status(github: World) -> None:
    head = change(github, {"NOTES.md": "mine\n"})
    git(github.origin, "update-ref", f"refs/heads/{BRANCH}", f"{head}^")

    result = github.report(event(github), head, format_handover(record(github)))

    assert result.status == "answered"
    assert github.github.statuses == []
    assert f"{BRANCH} moved on: it does not have the commit {head[:10]} any more" in "\n".join(github.log)


@pytest.mark.parametrize("kind", ["commit", "blob"])
def test_what_somebody_else_put_there_says_nothing(github: World, kind: str) -> None:
    oid = head_of(github)
    if kind == "blob":
        command = ["git", "-C", str(github.origin), "hash-object", "-w", "--stdin"]
        text = rb'{"digest": "", "verification": {"tree": "\u001b[2J"}}'
        oid = subprocess.run(command, input=text, capture_output=True, check=True).stdout.decode().strip()
    git(github.origin, "update-ref", f"{RECORDS}issue-12", oid)

    assert "erified" not in github.say("/status").summary
    github.report(event(github), head_of(github), format_handover(record(github)))
    assert "**Verified:** 75 tests passed." in github.say("/status").summary, "the last one wins"


def test_a_report_without_the_permission_is_told_and_shown_all_the_same(github: World) -> None:
    github.github.granted -= {"statuses"}

    log = report(github, format_handover(record(github)), code=1)

    assert "the token needs `statuses: write`" in log
    assert "**Verified:** 75 tests passed." in github.said()[0]
    assert github.outputs()["status"] == "failed"


def test_a_pull_request_that_somebody_closed_stays_closed(github: World) -> None:
    github.pull().state = "closed"

    github.report(event(github), head_of(github), format_handover(record(github)))

    assert github.pull().state == "closed", "and there is no other one"
    assert "**Verified:** 75 tests passed." in github.said()[0]


def test_the_event_has_to_be_the_one_of_the_run(github: World) -> None:
    head, handed = head_of(github), format_handover(record(github))

    assert github.report(github.comment("/generate", author="mallory"), head, handed).status == "refused"
    with pytest.raises(UsageError, match="reporting on issue-13: the event is about issue-12"):
        github.report(event(github), head, handed, run="issue-13")
    assert github.github.statuses == []


@pytest.fixture
def written(tmp_path: Path) -> Iterator[World]:
    """A world with a finished run that a model wrote."""
    with world(tmp_path, NOTE) as made, FakeGemini(Author(NOTE)) as fake:
        assert made.say("/generate", gemini=with_key(fake.url, KEY)).status == "complete"
        yield made


def test_a_repair_is_started_where_a_model_wrote_the_errors(written: World) -> None:
    head = head_of(written)
    written.report(event(written), head, "")
    written.report(event(written), head, format_handover(record(written)))
    assert written.github.dispatches == [], "nobody knows of an error"

    written.report(event(written), head, format_handover(record(written, FINDING)))
    (started,) = written.github.dispatches
    assert started["inputs"] == {"issue": "12", "command": "/fix", "login": "alice"}

    written.report(written.comment("/fix"), head, format_handover(record(written, FINDING)))
    assert len(written.github.dispatches) == 1, "a repair that made nothing would start itself without end"

    written.github.granted -= {"actions"}
    written.report(event(written), head, format_handover(record(written, FINDING)))
    assert "/fix was not started: " in "\n".join(written.log)


def test_a_repair_takes_up_what_another_job_verified_and_is_the_last_one(written: World) -> None:
    path = "app/models/note.py"
    finding = Finding(path=path, line=1, rule="test-failed", message="it is out of tune", phase="entity/Note")
    written.report(event(written), head_of(written), format_handover(record(written, finding)))

    with FakeGemini(Author(NOTE)) as fake:
        fixed = written.say("/fix", gemini=with_key(fake.url, KEY))

    assert fixed.status == "complete"
    (asked,) = fake.requests
    assert asked.paths == (path,)
    assert f"- {path}:1: it is out of tune" in asked.prompt
    written.github.dispatches.clear()
    written.report(written.comment("/fix"), head_of(written), format_handover(record(written, finding)))
    assert written.github.dispatches == [], "one round is all that the run may have"


def test_templates_are_not_asked_to_repair(github: World) -> None:
    github.report(event(github), head_of(github), format_handover(record(github, FINDING)))

    assert github.github.dispatches == []
