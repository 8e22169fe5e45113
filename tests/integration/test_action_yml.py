"""action.yml and the workflow: their texts agree, the action installs itself, and act runs whole jobs."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from filelock import FileLock
from packaging.requirements import Requirement

from bot.cli.action_command import action
from bot.forge.box_edit import format_box
from bot.forge.comment_command import QUESTIONS, USAGE
from bot.planning.resolved_plan import resolve_exact_spec
from bot.planning.spec_source import read_issue
from bot.verification.handover import MAX_HANDOVER
from tests.act_jobs import (
    ACTION,
    CLEAN,
    PLACE,
    ROOT,
    STEPS,
    TOOLS,
    VERIFY,
    VERIFY_STEPS,
    WORKFLOW,
    Consumer,
    Installed,
    Runner,
    act,
    copy_action,
    hostile_workspace,
    run_step,
    start_step,
)
from tests.action_world import BLOG_STORY, ISSUE, World, world
from tests.git_http_server import Asked, Refusal
from tests.repositories import clone, commit, git, phases_of

PAGE = ROOT / "bot" / "docs" / "github.md"
FORM = ROOT / ".github" / "ISSUE_TEMPLATE" / "generate.yml"
HANDED = ("run", "head", "report")
"""The inputs that one job of the workflow gets from others."""
JOBS: Mapping[str, Any] = yaml.safe_load(WORKFLOW.read_text())["jobs"]
OPTIONS = {each.name: each for each in action.params if isinstance(each, click.Option) and not each.is_flag}
"""Of ``phasebot action``, by their names in Python."""
OUTPUTS = [
    *("run", "branch", "head", "pull-request-number", "pull-request-url", "continues", "status"),
    *("phases-done", "phases-total", "files", "tokens", "page"),
]
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")


# What is written


def test_every_input_reaches_the_program() -> None:
    variables = {"github-token": "GITHUB_TOKEN", "gemini-api-key": "GEMINI_API_KEY"}
    variables |= {str(name).replace("_", "-"): f"PHASEBOT_ACTION_{str(name).upper()}" for name in OPTIONS}
    handed = {variables[name]: f"${{{{ inputs.{name} }}}}" for name in ACTION["inputs"]}
    handed |= {"PYTHON": "${{ steps.install.outputs.python }}", "PHASEBOT_CLEAN": "${{ steps.install.outputs.clean }}"}
    cleared = dict.fromkeys(("LD_PRELOAD", "LD_AUDIT", "PHASEBOT_SECRETS"), "")

    assert sorted(ACTION["inputs"]) == sorted(variables)
    assert STEPS["run"]["env"] == handed | cleared
    handed.pop("PHASEBOT_ACTION_REPORT")
    assert STEPS["finish"]["env"] == handed | cleared, "a report that is too large keeps a step from starting"
    assert STEPS["install"]["env"] == cleared, "what is installed gets no secret"
    for name in ("react", "failed"):
        assert STEPS[name]["env"] == cleared | {"GITHUB_TOKEN": "${{ inputs.github-token }}"}


def test_every_output_comes_from_the_step_that_could_write_it() -> None:
    wired = {name: f"${{{{ steps.run.outputs.{name} || steps.finish.outputs.{name} }}}}" for name in OUTPUTS}
    wired["page"] = "${{ steps.page.outputs.page }}"
    assert {name: each["value"] for name, each in ACTION["outputs"].items()} == wired


def test_inputs_and_outputs_are_described_in_one_line() -> None:
    told = [each["description"] for kind in ("inputs", "outputs") for each in ACTION[kind].values()]
    assert [line for line in told if "\n" in line or not line.endswith(".") or len(line) > 120] == []


def test_the_documents_list_the_inputs_with_their_defaults() -> None:
    page = PAGE.read_text()
    rows = re.findall(r"^\| (`[\w-]+`(?:, `[\w-]+`)*) \|(.*?)\| (.+?) \|$", page, re.MULTILINE)
    told = {name: default for names, default, _ in rows for name in re.findall(r"[\w-]+", names)}
    defaults = {
        str(name).replace("_", "-"): str(each.default).lower() for name, each in OPTIONS.items() if each.show_default
    }

    assert list(told) == [name for name in ACTION["inputs"] if name not in HANDED] + list(HANDED)
    assert {name: default for name, default in defaults.items() if f"`{default}`" not in told[name]} == {}


def test_nothing_is_pasted_into_a_script() -> None:
    assert [name for name, step in (STEPS | VERIFY_STEPS).items() if "${{" in step["run"]] == []


def test_shellcheck_finds_nothing_in_the_scripts(tmp_path: Path) -> None:
    for name, step in (*STEPS.items(), *VERIFY_STEPS.items()):
        (tmp_path / f"{len(list(tmp_path.iterdir()))}-{name}.sh").write_text(step["run"])
    # A file that is sourced is given by a variable.
    command: list[str | Path] = [TOOLS / "shellcheck", "--shell=bash", "--exclude=SC1090,SC1091"]
    command += [*CLEAN.parent.glob("*.sh"), *tmp_path.iterdir()]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == ""


def test_actions_of_others_are_pinned() -> None:
    texts = [path.read_text() for path in (ROOT / "action.yml", VERIFY, *WORKFLOW.parent.glob("*.yml"))]
    uses = [line for text in texts for line in re.findall(r"^[ -]*uses: (.+)$", text, re.MULTILINE)]
    known = r"(\./(\.github/actions/\w+)?( |$)|\S+@[0-9a-f]{40} # v\d)"
    assert uses
    assert [each for each in uses if not re.match(known, each)] == []


def test_every_command_has_the_job_that_may_do_it() -> None:
    begins = r"(!?)startsWith\(github\.event\.comment\.body \|\| inputs\.command, '(/\w*)'\)"
    told = {name: re.findall(begins, JOBS[name]["if"]) for name in ("answer", "generate")}
    working = [f"/{verb}" for verb in USAGE if verb not in QUESTIONS]

    assert told == {
        "answer": [("", "/"), *(("!", verb) for verb in working)],
        "generate": [("", verb) for verb in working],
    }
    assert (
        f"'- [x] {format_box('rollback', 'x').partition('] ')[2].partition('rollback')[0]}'" in JOBS["generate"]["if"]
    )
    assert [JOBS[name]["if"].startswith("github.event.action != 'edited' && ") for name in told] == [True, True]
    assert yaml.safe_load(WORKFLOW.read_text())["permissions"] == {}
    assert [name for name, job in JOBS.items() if "secrets." in json.dumps(job)] == ["generate"]
    for job in JOBS.values():
        assert job["steps"][0]["with"]["ref"] == "${{ github.event.repository.default_branch }}"
    assert JOBS["generate"]["concurrency"] == {
        "group": "phasebot-${{ github.event.issue.number || github.event.pull_request.number || inputs.issue }}",
        "cancel-in-progress": False,
        "queue": "max",
    }
    assert JOBS["generate"]["timeout-minutes"] - JOBS["generate"]["steps"][1]["with"]["deadline-minutes"] >= 5


def test_the_job_that_executes_generated_code_has_nothing_to_lose() -> None:
    verify = JOBS["verify"]

    assert verify["permissions"] == {"contents": "read"}
    assert "secrets." not in json.dumps(verify)
    assert "github.token" not in VERIFY.read_text()
    assert not any("TOKEN" in name or "KEY" in name for step in VERIFY_STEPS.values() for name in step.get("env", {}))
    for job in JOBS.values():
        assert job["steps"][0]["with"]["persist-credentials"] is False
    assert verify["steps"][1]["uses"] == "./.github/actions/verify"
    assert "write" not in json.dumps(verify)


def test_the_documents_list_the_outputs() -> None:
    sentence = PAGE.read_text().partition("The outputs are ")[2].partition("\n\n")[0]
    told = re.findall(r"`([\w-]+)`", re.sub(r"\([^)]*\)", "", sentence))
    assert sorted(told) == sorted(OUTPUTS)


def test_the_documents_say_what_the_workflow_may_do() -> None:
    section = PAGE.read_text().partition("**Permissions** of the workflow:\n")[2].partition("\n\nPh")[0]
    told = set(re.findall(r"^\* `([\w-]+: write)`", section, re.MULTILINE))

    granted = {name: {f"{what}: {how}" for what, how in job["permissions"].items()} for name, job in JOBS.items()}
    assert told == {each for job in granted.values() for each in job if each.endswith("write")}
    assert [name for name in JOBS if "statuses: write" in granted[name]] == ["report"]


def test_the_workflow_hands_on_what_the_actions_give() -> None:
    generate, verify, report = (JOBS[name] for name in ("generate", "verify", "report"))
    given = {name: f"${{{{ steps.phasebot.outputs.{name} }}}}" for name in ("run", "head", "status", "continues")}
    handed = {name: f"${{{{ needs.generate.outputs.{name} }}}}" for name in ("run", "head")}

    assert generate["outputs"] == given
    assert set(given) <= set(ACTION["outputs"])
    assert verify["steps"][-1]["with"] == handed
    (reporting,) = (step["with"] for step in report["steps"] if step.get("id") == "phasebot")
    assert reporting == handed | {"report": "${{ needs.verify.outputs.report }}", "page": True}
    assert set(reporting) - {"page"} == set(HANDED) <= set(ACTION["inputs"])
    for job in (generate, report):
        assert job["steps"][-1]["with"]["path"] == "${{ steps.phasebot.outputs.page }}"
    assert "page" in ACTION["outputs"]
    assert re.findall(r"outputs\.status == '(\w+)'", verify["if"]) == ["complete", "incomplete"]


def test_the_issue_form_shows_a_spec_that_works() -> None:
    area = next(each["attributes"] for each in yaml.safe_load(FORM.read_text())["body"] if each["type"] == "textarea")
    source = read_issue(12, "A blog", f"### {area['label']}\n\n{area['placeholder']}\n", prose=False)
    plan = resolve_exact_spec(
        source.text, source=source.name, project=source.project, recipe="fastapi", output_dir="."
    ).plan

    assert plan.project == "A blog"
    assert plan.description == "A small blog with comments and tags."
    assert [entity.name for entity in plan.entities] == ["User", "Post", "Comment", "Tag", "PostTag"]


# Installing


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Installed:
    """The action installed once for all workers, since that takes as long as all else here."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "installed-action"
    made = Installed(folder)
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            made.install()
    return made


def test_it_runs_from_a_workspace_that_shadows_everything(installed: Installed, tmp_path: Path) -> None:
    settings = os.environ | hostile_workspace(tmp_path / "workspace")
    command: list[str | Path] = [installed.python, "-I", "-m", "bot", "--version"]
    done = subprocess.run(
        command, cwd=tmp_path / "workspace", env=settings, capture_output=True, text=True, check=False
    )

    assert done.stdout.startswith("phasebot, version ")
    assert not (tmp_path / "workspace" / "noticed").exists()
    assert not (installed.workspace / "noticed").exists()
    assert f"python={installed.python}\n" in installed.outputs.read_text()


def test_it_holds_what_is_locked_and_nothing_else(installed: Installed) -> None:
    list_them = "from importlib.metadata import distributions as d; print(*(f'{x.name}=={x.version}' for x in d()))"
    done = subprocess.run([installed.python, "-I", "-c", list_them], capture_output=True, text=True, check=True)
    locked = re.findall(r"^[\w.-]+==[\w.]+", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    plain = [re.sub(r"[-_.]+", "-", each.partition("==")[0]).lower() for each in done.stdout.split()]

    assert set(plain) <= {each.partition("==")[0] for each in locked}
    assert {"click", "pydantic", "gitpython", "pygithub", "google-genai"} <= set(plain)


# …where the interpreters are scripts


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path)


@pytest.mark.parametrize(
    ("usable", "unusable", "chosen"),
    [
        (["bin/python3.12", "bin/python3"], [], "bin/python3.12"),
        (["bin/python3.11"], ["bin/python3.14", "bin/python3.13"], "bin/python3.11"),
        (["bin/python3", "workspace/bin/python3.13"], [], "bin/python3"),
        (["tools/Python/3.12.9/x64/bin/python"], ["bin/python3"], "tools/Python/3.12.9/x64/bin/python"),
        (["tools/Python/3.13.1/arm64/bin/python"], ["tools/Python/3.12.9/x64/bin/python"], None),
    ],
)
def test_it_takes_an_interpreter_that_runs_and_is_not_the_workspaces(
    runner: Runner, usable: list[str], unusable: list[str], chosen: str | None
) -> None:
    for place in (*usable, *unusable):
        runner.add(place, usable=place in usable)

    done = runner.install()

    assert done.returncode == 0, done.stdout + done.stderr
    assert runner.chosen == [chosen or usable[0]]


def test_without_an_interpreter_it_says_what_to_do_in_one_sentence(runner: Runner) -> None:
    runner.add("bin/python3", usable=False)
    done = runner.install()

    assert done.returncode == 1
    assert done.stdout == (
        "::error title=Phasebot::Phasebot found no Python 3.11 or newer with pip on this runner; "
        "put a step with 'uses: actions/setup-python' before it.\n"
    )
    assert not (runner.folder / "output").exists()


def test_packages_that_can_not_be_installed_are_told_and_tried_again(runner: Runner) -> None:
    runner.add("bin/python3")
    failed = runner.install(pip_exits=1, uv_exits=1)
    again = runner.install()

    assert failed.returncode == 1
    assert re.fullmatch(r"::error title=Phasebot::Installing Phasebot's locked packages failed, .*\n", failed.stdout)
    assert again.returncode == 0
    assert runner.chosen == ["bin/python3"]


def test_an_environment_is_used_again_until_the_lock_changes(runner: Runner) -> None:
    runner.add("bin/python3")
    runner.install()
    stale = runner.packages / "bot" / "stale.py"
    stale.touch()

    runner.install()
    assert runner.chosen == []
    assert not stale.exists()
    assert (stale.parent / "__main__.py").exists()

    (runner.action / "requirements.lock").write_text("other\n")
    runner.install()
    assert runner.chosen == ["bin/python3"]


# …and uv

PINNED = "temp/phasebot-action/uv/bin/uv"


def test_uv_installs_what_is_locked_and_nothing_of_it_stays(runner: Runner) -> None:
    runner.add("bin/python3")
    done = runner.install()

    assert done.returncode == 0, done.stdout + done.stderr
    assert runner.installers == ["pip for uv", PINNED]
    notes = runner.notes.read_text()
    pip, uv = (re.findall(rf"^.*{word}.*$", notes, re.MULTILINE)[0] for word in ("--target", "--no-config"))
    for call, lock in ((pip, "bot/action/installer.lock"), (uv, "requirements.lock")):
        assert "--require-hashes --only-binary :all: --no-deps" in call
        assert call.endswith(f"--requirement {runner.action}/{lock}")
    assert f"--python {runner.temp}/phasebot-action/bin/python" in uv
    assert "\n||||\n" in notes, "it has no settings"
    assert not (runner.temp / "phasebot-action" / "uv").exists()


@pytest.mark.parametrize("uv_exits", ["absent", 1, 2])
def test_where_uv_can_not_do_it_pip_does(runner: Runner, uv_exits: int | str) -> None:
    runner.add("bin/python3")
    done = runner.install(uv_exits=uv_exits)

    assert done.returncode == 0, done.stdout + done.stderr
    assert runner.installers == ["pip for uv", *([] if uv_exits == "absent" else [PINNED]), "pip"]
    assert not (runner.temp / "phasebot-action" / "uv").exists()


@pytest.mark.parametrize(
    ("place", "version", "used"),
    [
        ("bin/uv", "uv 0.13.9 (x86_64-unknown-linux-gnu)", True),
        ("bin/uv", "uv 0.5.0", True),
        ("bin/uv", "uv 0.4.30", False),
        ("bin/uv", "uv: no such option", False),
        ("workspace/bin/uv", "uv 0.13.9", False),
    ],
)
def test_a_uv_of_the_runner_saves_the_download(runner: Runner, place: str, version: str, used: bool) -> None:  # noqa: FBT001
    runner.add("bin/python3")
    runner.add_uv(place, version)
    done = runner.install()

    assert done.returncode == 0, done.stdout + done.stderr
    assert runner.installers == ([place] if used else ["pip for uv", PINNED])


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ("global.index-url='https://a/simple'", "https://a/simple||||"),
        (":env:.index-url='https://c'\nglobal.index-url='https://a'\ninstall.index-url='https://b'", "https://c||||"),
        ("global.index-url='https://a'\ninstall.index-url='https://b'", "https://b||||"),
        ("global.extra-index-url='\\nhttps://a\\nhttps://b'", "|https://a https://b|||"),
        (":env:.find-links='/a /b'\n:env:.no-index='1'", "||/a,/b|1|"),
        ("global.cert='/etc/ca.pem'\nglobal.timeout='60'\nglobal.constraint='/x'", "||||/etc/ca.pem"),
        ('global.index-url="https://a/it\'s"', "https://a/it's||||"),
        ("global.client-cert='/mine.pem'", None),
        ("global.proxy='http://proxy:1'", None),
        (":env:.trusted-host='a'", None),
        ("user.keyring-provider='subprocess'\nglobal.keyring-provider='subprocess'", None),
    ],
)
def test_packages_come_from_where_pip_is_told(runner: Runner, settings: str, told: str | None) -> None:
    runner.add("bin/python3")
    done = runner.install(pip_settings=f"{settings}\n")

    assert done.returncode == 0, done.stdout + done.stderr
    assert runner.installers == (["pip"] if told is None else ["pip for uv", PINNED])
    assert told is None or told in runner.notes.read_text().splitlines()


def test_the_installer_is_pinned_as_the_project_writes_its_lock() -> None:
    text = (ROOT / "bot" / "action" / "installer.lock").read_text()
    (version,) = re.findall(r"^uv==([\d.]+) \\$", text, re.MULTILINE)
    (wanted,) = re.findall(r'^  "(uv>=.+?)",', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)

    assert Requirement(wanted).specifier.contains(version)
    assert len(re.findall(r"^    --hash=sha256:[0-9a-f]{64}", text, re.MULTILINE)) > 10
    assert not re.search(r"^[^ #](?!v==)", text, re.MULTILINE)


# Running

PROGRAM = f"""\
#!{sys.executable}
import os, signal, sys, time
from pathlib import Path

def told(number, _):
    time.sleep(0.3)
    Path("told").write_text(signal.Signals(number).name)
    sys.exit(130)

signal.signal(signal.SIGTERM, told)
Path("deaf").write_text(str(signal.getsignal(signal.SIGINT) is signal.SIG_IGN))
Path("ready").touch()
time.sleep(float(os.environ["PHASEBOT_SECONDS"]))
sys.exit(int(os.environ["PHASEBOT_CODE"]))
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A program in the place of Python, that tells what becomes of it."""
    path = tmp_path / "python"
    path.write_text(PROGRAM)
    path.chmod(0o755)
    (tmp_path / "workspace").mkdir()
    return path


@pytest.mark.parametrize(("code", "steps"), [(0, 0), (1, 1), (2, 0), (3, 0), (4, 4), (130, 130), (137, 137)])
def test_the_step_fails_when_nobody_was_answered(program: Path, tmp_path: Path, code: int, steps: int) -> None:
    done = run_step("run", tmp_path / "workspace", PYTHON=program, PHASEBOT_SECONDS=0, PHASEBOT_CODE=code)
    assert done.returncode == steps


@pytest.mark.parametrize("signals", [("SIGINT",), ("SIGTERM",), ("SIGINT", "SIGTERM")])
def test_a_cancelled_step_lets_the_program_end_in_peace(
    program: Path, tmp_path: Path, signals: tuple[str, ...]
) -> None:
    workspace = tmp_path / "workspace"
    with start_step("run", workspace, PYTHON=program, PHASEBOT_SECONDS=60, PHASEBOT_CODE=0) as step:
        wait_for((workspace / "ready").exists)
        for name in signals:
            step.send_signal(getattr(signal, name))
            time.sleep(0.1)

        assert step.wait(timeout=10) == 130
    assert (workspace / "told").read_text() == "SIGTERM"
    assert (workspace / "deaf").read_text() == "False"


def test_a_cancelled_job_keeps_what_is_finished_and_says_so(installed: Installed, github: World) -> None:
    begun, cancelled = threading.Event(), threading.Event()

    def hold(asked: Asked) -> None:
        if asked.writes and not begun.is_set():
            begun.set()
            cancelled.wait(30)

    github.server.refuse = hold
    github.github.issues[ISSUE].body = "".join(f"- Thing{number}: name string\n" for number in range(30))
    workspace = github.checkout()
    environ = github.environment(workspace, github.comment("/generate")) | {"PHASEBOT_ACTION_JOBS": "1"}
    with start_step("run", workspace, PYTHON=installed.python, **environ) as step:
        assert begun.wait(30)
        step.send_signal(signal.SIGINT)
        time.sleep(0.2)
        cancelled.set()
        assert step.wait(timeout=9.8) == 130  # the runner kills it after ten seconds

    made, done = git(workspace, "rev-parse", "phasebot/issue-12"), len(phases_of(github.origin, "issue-12"))
    assert git(github.origin, "rev-parse", "phasebot/issue-12") == made
    assert 0 < done < 35
    assert github.outputs().items() >= {"status": "incomplete", "head": made, "phases-done": str(done)}.items()
    assert f"{done} of 35 phases" in github.said()[0]


def test_an_input_that_can_not_be_right_makes_the_job_red(installed: Installed, github: World) -> None:
    workspace = github.checkout()
    environ = github.environment(workspace, github.comment("/generate")) | {"PHASEBOT_ACTION_JOBS": "many"}

    assert run_step("run", workspace, PYTHON=installed.python, **environ).returncode == 0
    assert github.outputs() == {}, "so the step finish comes"
    finish = run_step("finish", workspace, PYTHON=installed.python, **environ)
    assert finish.returncode == 2
    assert "'many' is not a valid integer range" in finish.stderr


def test_a_report_that_no_program_can_get_is_none(installed: Installed, github: World) -> None:
    """Whoever verifies may hand over a megabyte, and the system gives no program a variable of that size."""
    assert github.say("/generate").status == "complete"
    workspace, head = github.checkout(), git(github.origin, "rev-parse", "phasebot/issue-12")
    environ = github.environment(workspace, github.comment("/generate")) | {"PHASEBOT_ACTION_HEAD": head}
    environ |= {"PHASEBOT_ACTION_RUN": "issue-12"}

    if sys.platform == "linux":
        with pytest.raises(OSError, match="Argument list too long"):
            run_step("run", workspace, PYTHON=installed.python, PHASEBOT_ACTION_REPORT="x" * 200_000, **environ)
    done = run_step("finish", workspace, PYTHON=installed.python, **environ)

    assert done.returncode == 0, done.stderr
    (status,) = github.github.statuses
    assert (status["sha"], status["state"]) == (head, "error")
    assert "gave no readable report" in status["description"]


def test_the_largest_report_reaches_the_program(program: Path, tmp_path: Path) -> None:
    report = {"PHASEBOT_ACTION_REPORT": "x" * MAX_HANDOVER}
    done = run_step("run", tmp_path / "workspace", PYTHON=program, PHASEBOT_SECONDS=0, PHASEBOT_CODE=0, **report)
    assert done.returncode == 0, done.stderr


# Whole jobs, by act


@on_linux
def test_a_comment_becomes_ten_commits_and_a_pull_request(consumer: Consumer) -> None:
    github = consumer.world
    job = consumer.act(github.comment("/generate"))

    assert job.results == {"generate": "success"}, job.log
    assert github.picture() == BLOG_STORY
    number = github.github.comments[0].id
    first = [(asked.line, asked.headers["user-agent"]) for asked in github.github.requests[:2]]
    assert first == [
        ("GET /collaborators/alice/permission", "phasebot"),
        (f"POST /issues/comments/{number}/reactions", "phasebot"),
    ], "before anything is installed"
    assert [asked.body["draft"] for asked in github.github.requests if asked.line == "POST /pulls"] == [True]
    assert job.steps.items() >= dict.fromkeys(("react", "install", "run", "page"), "success").items()
    page = job.outputs["page"]
    assert job.outputs == {
        "page": page,
        "run": "issue-12",
        "branch": "phasebot/issue-12",
        "head": git(github.origin, "rev-parse", "phasebot/issue-12"),
        "pull-request-number": str(github.pull().number),
        "pull-request-url": f"https://github.example/acme/blog/pull/{github.pull().number}",
        "status": "complete",
        "phases-done": "10",
        "phases-total": "10",
        "files": "75",
        "tokens": "0",
    }
    assert "10 of 10 phases done, 75 files." in job.summary
    assert page.endswith("/phasebot-issue-12.html")
    uploaded = (consumer.artifacts / "phasebot-issue-12.html").read_text()
    assert "10 of 10 phases done" in uploaded
    assert f'href="{github.server.url}/acme/blog/commit/{job.outputs["head"]}"' in uploaded
    assert github.token not in uploaded
    assert f"[page of this run]({github.server.url}/acme/blog/actions/runs/" in github.said()[0]


@pytest.mark.slow
@on_linux
def test_a_page_that_can_not_be_written_fails_no_job(installed: Installed, github: World) -> None:
    consumer = Consumer(github, installed.environment, step='mkdir "$RUNNER_TEMP/phasebot-issue-12.html"')

    job = consumer.act(github.comment("/plan"))

    assert job.results == {"generate": "success"}, job.log
    assert "phasebot-issue-12.html is a folder" in job.log
    assert "page" not in job.outputs
    assert not consumer.artifacts.exists()


def test_the_page_is_made_without_a_secret_and_uploaded_where_that_fails_no_job() -> None:
    step = STEPS["page"]
    assert (step["continue-on-error"], step["if"].startswith("always() && inputs.page == 'true'")) == (True, True)
    assert not [name for name in step["env"] if "TOKEN" in name or "KEY" in name]
    for name, job in JOBS.items():
        uploads = [each for each in job["steps"] if "upload-artifact" in each.get("uses", "")]
        uses = [each for each in job["steps"] if each.get("uses") == "./"]
        assert [each["with"].get("page") for each in uses if "page" in each.get("with", {})] == [True] * len(uploads)
        assert len(uploads) == (name in ("generate", "report"))
        for upload in uploads:
            assert upload["continue-on-error"] is True
            assert upload["if"] == "always() && steps.phasebot.outputs.page != ''"


@pytest.mark.slow
@on_linux
def test_what_was_generated_is_verified_and_reported(installed: Installed, tmp_path: Path) -> None:
    with world(tmp_path, "# Blog\n\n- Post: title string\n- Tag: name string\n") as github:
        consumer = Consumer(github, installed.environment, inputs={"recipe": "checked"}, verifies=True)
        recipe = ROOT / "tests" / "data" / "recipes" / "checked"
        files = {str(path.relative_to(recipe.parent)): path.read_text() for path in recipe.rglob("*.*")}
        commit(github.root / "writer", "Add a recipe", {f".phasebot/recipes/{path}": files[path] for path in files})
        git(github.root / "writer", "push", "--quiet", "origin", "main")

        job = consumer.act(github.comment("/generate"))

        assert job.results == {"generate": "success", "verify": "success", "report": "success"}, job.log
        (status,) = github.github.statuses
        assert (status["state"], status["description"]) == ("success", "2 tests passed")
        assert status["sha"] == git(github.origin, "rev-parse", "phasebot/issue-12")
        assert "**Verified:** 2 tests passed." in github.said()[0]
        assert (github.pull().body or "").count("<br>\u2022 verified |") == 5
        assert github.reactions() == ["rocket"], "the job that reports adds none"
        assert "passed: python check.py" in job.log
        uploaded = (consumer.artifacts / "phasebot-issue-12.html").read_text()
        assert "2 tests passed." in uploaded, "the report writes it again, with what was verified"
        refs = git(github.origin, "for-each-ref", "--format=%(refname)", "refs/phasebot/")
        assert refs == "refs/phasebot/verified/issue-12"


@pytest.mark.slow
@on_linux
def test_a_killed_job_tells_the_truth_and_the_next_one_makes_nothing_twice(consumer: Consumer) -> None:
    github = consumer.world
    github.server.refuse = kill_at_the_first_push(github)

    killed = consumer.act(github.comment("/generate"))

    there = git(github.origin, "rev-list", "--reverse", "main..phasebot/issue-12").split()
    assert there
    assert killed.results == {"generate": "failure"}, killed.log
    assert killed.steps.items() >= {"install": "success", "run": "failure"}.items()
    assert (killed.outputs["head"], killed.outputs["phases-done"]) == (there[-1], str(len(there)))
    assert f"{len(there)} of 10 phases" in github.said()[0]

    again = consumer.act(github.comment("/generate"))

    commits = git(github.origin, "rev-list", "--reverse", "main..phasebot/issue-12").split()
    assert again.results == {"generate": "success"}, again.log
    assert again.outputs["status"] == "complete"
    assert commits[: len(there)] == there
    assert len(commits) == len(set(phases_of(github.origin, "issue-12"))) == 10
    assert "10 of 10 phases" in github.said()[0]
    assert not github.pull().draft


@pytest.mark.slow
@on_linux
def test_other_comments_are_answered_or_run_no_job(consumer: Consumer) -> None:
    github = consumer.world

    assert consumer.act(github.comment("I would like a blog. /generate")).results == {}
    assert github.github.lines == []

    assert consumer.act(github.comment("/generate", action="edited")).results == {}, "an old command does nothing"
    assert consumer.act(github.comment("thanks", action="edited")).results == {}
    assert github.github.lines == []

    answered = consumer.act(github.comment("/help"))
    assert answered.results == {"answer": "success"}, answered.log
    assert answered.outputs["status"] == "answered"


@pytest.mark.slow
@on_linux
def test_a_failed_installation_leaves_no_comment_that_seems_to_be_in_progress(consumer: Consumer) -> None:
    github = consumer.world
    (github.root / "action" / "requirements.lock").write_text("click==0.0.0\n")  # without a hash

    job = consumer.act(github.comment("/generate"))

    assert job.results == {"generate": "failure"}, job.log
    assert job.steps == {"react": "success", "install": "failure", "failed": "success"}
    assert github.reactions() == ["eyes", "confused"]
    assert "Installing Phasebot's locked packages failed" in job.log


CHECKOUT = """\
runs:
  using: composite
  steps:
    - shell: bash
      run: |
        git init --quiet .
        git fetch --quiet --depth=1 {origin} "+refs/heads/main:refs/remotes/origin/main"
        git checkout --quiet --force -B main refs/remotes/origin/main
        git remote add origin {server}/acme/blog.git
        cp -Rl {environment} "$RUNNER_TEMP"
inputs:
  ref: {{}}
  persist-credentials: {{}}
"""
"""In the place of actions/checkout, which act would download; it also saves the installation its time."""


@pytest.mark.slow
@on_linux
def test_the_workflow_runs_in_act_without_the_line_that_the_readme_names(installed: Installed, github: World) -> None:
    writer = clone(github.origin, github.root / "writer")
    copy_action(writer)
    git(writer, "add", "--all")
    whole = WORKFLOW.read_text()
    without = re.sub(r"^ +queue: max\n", "", whole, flags=re.MULTILINE)
    assert len(without.splitlines()) == len(whole.splitlines()) - 1
    stub = github.root / "checkout"
    stub.mkdir()
    places = {"origin": github.origin.as_uri(), "server": github.server.url, "environment": installed.environment}
    (stub / "action.yml").write_text(CHECKOUT.format(**places))
    (checkout,) = set(re.findall(r"uses: (actions/checkout@\w+)", whole))
    results = []
    for text in (whole, without):
        commit(writer, "Use Phasebot", {PLACE: text})
        git(writer, "push", "--quiet", "origin", "main")
        results.append(act(github, github.comment("/generate"), replace={checkout: stub}, job="generate"))
    refused, done = results

    assert "Unknown Property queue" in refused.log, "delete what README and workflow say of this line"
    assert refused.results == {}
    assert done.results == {"generate": "success"}, done.log
    assert done.outputs["status"] == "complete"
    assert github.reactions() == ["rocket"]


@pytest.fixture
def github(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


@pytest.fixture
def consumer(installed: Installed, github: World) -> Consumer:
    return Consumer(github, installed.environment)


def kill_at_the_first_push(github: World) -> Callable[[Asked], Refusal | None]:
    """Return what kills the program when its first push has reached the server, which takes it in all the same."""
    pushed = False

    def kill(asked: Asked) -> None:
        nonlocal pushed
        if pushed or not asked.carries:
            return
        pushed = True
        address = f"GITHUB_API_URL={github.github.url}".encode()
        for place in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                words = (place / "cmdline").read_bytes().split(b"\0")
                if words[1:5] == [b"-I", b"-m", b"bot", b"action"] and address in (place / "environ").read_bytes():
                    os.kill(int(place.name), signal.SIGKILL)

    return kill


def wait_for(condition: Callable[[], bool], seconds: float = 30) -> None:
    """Wait until *condition* holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.01)
