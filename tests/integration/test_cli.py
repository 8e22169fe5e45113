"""The command line: what it prints, how it exits, and how it refuses bad input."""

import contextlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import pytest

from bot.cli.progress import LiveAnnouncer, PlainAnnouncer
from bot.engine.snapshot import Snapshot
from bot.history.ledger import derive_state
from bot.history.reasons import Reason
from bot.history.run_state import RunState
from tests.gemini_server import Asked, Author, FakeGemini, Reply
from tests.repositories import NOTE, SMALL, commit, git, new_repository, phasebot, phasebot_here, phases_of
from tests.unit.values import BLOG, bot_commit, build_phase


def refused(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command line in this process; it must refuse *arguments*."""
    done = phasebot_here(*arguments)
    assert done.returncode == 2, done.stderr
    return done


@pytest.fixture
def blog(tmp_path: Path) -> Path:
    """A complete run of the blog."""
    done = phasebot("generate", BLOG, "--repo", tmp_path / "blog", "--recipe", SMALL, "--run", "blog")
    assert done.returncode == 0, done.stderr
    return tmp_path / "blog"


def test_progress_is_a_story_on_stderr_and_the_result_is_on_stdout(tmp_path: Path) -> None:
    done = phasebot("generate", NOTE, "--repo", tmp_path / "note", "--recipe", SMALL)

    oids = git(tmp_path / "note", "log", "--reverse", "--format=%h", "--abbrev=7", "main..HEAD").split("\n")
    assert done.stderr.split("\n") == [
        "phasebot/note: 5 phases",
        f"[1/5] plan  2/2 files  committed {oids[0]}",
        f"[2/5] core  2/2 files  committed {oids[1]}",
        f"[4/5] support  2/2 files  committed {oids[2]}",
        f"[3/5] entity/Note  2/2 files  committed {oids[3]}",
        f"[5/5] main  1/1 file  committed {oids[4]}",
        "",
    ]
    assert done.stdout == f"complete: 5 of 5 phases, 9 files on phasebot/note at {oids[4]}\n"


def test_a_rerun_of_a_complete_run_says_so_and_commits_nothing(blog: Path) -> None:
    head = git(blog, "rev-parse", "HEAD")

    done = phasebot_here("generate", "--repo", blog)

    assert done.returncode == 0
    assert done.stderr == "phasebot/blog: all 9 phases are complete, nothing to do\n"
    assert done.stdout.startswith("complete: 9 of 9 phases")
    assert git(blog, "rev-parse", "HEAD") == head


MORE = ["features", "rules", "left-out", "misplaced-instructions"]


def test_json_is_the_contract(blog: Path) -> None:
    done = phasebot_here("status", "--repo", blog, "--format", "json")

    state = json.loads(done.stdout)
    assert list(state) == ["run", "branch", "base", "head", "complete", "phases", "tokens", "pushed", *MORE]
    assert {key: state[key] for key in MORE} == {key: [] for key in MORE}
    assert {key: state[key] for key in ("run", "branch", "base", "complete", "tokens", "pushed")} == {
        "run": "blog",
        "branch": "phasebot/blog",
        "base": "main",
        "complete": True,
        "tokens": {"in": 0, "out": 0},
        "pushed": False,
    }
    assert state["head"] == git(blog, "rev-parse", "HEAD")
    assert state["phases"][3] == {
        "key": "entity/Post",
        "title": "entity Post",
        "status": "complete",
        "commit": git(blog, "log", "-1", "--format=%H", "--grep", "entity Post "),
        "files": ["app/models/post.py", "app/routers/post.py"],
        "missing": [],
        "edited": [],
        "conflicts": [],
        "stale": None,
        "tokens": {"in": 0, "out": 0},
        "rules": [],
        "unmet": [],
    }
    again = phasebot_here("generate", "--repo", blog, "--format", "json")
    assert json.loads(again.stdout) == state


def test_how_to_try_a_project_is_told_when_it_is_complete_for_the_first_time(tmp_path: Path) -> None:
    arguments = ("--repo", tmp_path / "blog", "--provider", "template")
    partly = phasebot("generate", BLOG, *arguments, "--only", "core")
    completed = phasebot("generate", *arguments)
    again = phasebot("generate", *arguments)
    made_again = phasebot("regenerate", "core", "--repo", tmp_path / "blog")

    assert ["phasebot: try it:" in each.stderr for each in (completed, again, made_again)] == [True, False, False]
    assert partly.returncode == 0


def test_a_phase_that_is_made_again_is_something_to_do(blog: Path) -> None:
    done = phasebot("regenerate", "entity/Tag", "--repo", blog)

    assert done.stderr.startswith("phasebot/blog: 9 phases, 8 of them complete\n[")


def test_the_exit_code_of_status_tells_scripts_whether_a_run_is_complete(blog: Path) -> None:
    complete = phasebot("status", "--repo", blog, "--exit-code")
    phasebot("rollback", "main", "--repo", blog)
    incomplete = phasebot("status", "--repo", blog, "--exit-code")
    plain = phasebot("status", "--repo", blog)

    assert [each.returncode for each in (complete, incomplete, plain)] == [0, 3, 0]
    assert incomplete.stdout == plain.stdout


def test_status_shows_a_persons_edit(blog: Path) -> None:
    commit(blog, "Mine", {"app/models/post.py": "mine\n"})

    done = phasebot_here("status", "--repo", blog)

    assert done.returncode == 0
    assert "edited: app/models/post.py" in done.stdout


def test_plan_prints_what_generate_would_commit(blog: Path) -> None:
    done = phasebot_here("plan", BLOG, "--recipe", SMALL)

    assert done.returncode == 0
    assert done.stdout == (blog / ".phasebot" / "plan.yaml").read_text()
    assert phasebot("plan", "-", "--recipe", SMALL, stdin=done.stdout).stdout == done.stdout


def test_plan_prints_json_and_a_diagram() -> None:
    plan = json.loads(phasebot_here("plan", BLOG, "--recipe", SMALL, "--format", "json").stdout)
    diagram = phasebot_here("plan", BLOG, "--recipe", SMALL, "--format", "mermaid").stdout

    assert [entity["name"] for entity in plan["entities"]] == ["User", "Post", "Comment", "Tag", "PostTag"]
    assert diagram.startswith("erDiagram\n    User {\n")


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_an_interrupt_exits_130_and_the_next_run_finishes(tmp_path: Path, number: signal.Signals) -> None:
    spec = "# Many\n" + "\n".join(f"- Entity{n}: name string" for n in range(12))
    folder, author = tmp_path / "many", Author(spec)
    first = {"core", "support", "entity/Entity0"}
    arguments = ["generate", spec, "--repo", str(folder), "--jobs", "16"]

    def script(asked: Asked) -> Reply:
        return author(asked) if author.phase(asked) in first else Reply(wait=60)

    command = [sys.executable, "-m", "bot", *arguments]
    with FakeGemini(script) as fake:
        process = subprocess.Popen(command, env=os.environ | fake.environment, stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        for line in process.stderr:
            if re.match(r"\[\d+/17\] entity/Entity0 ", line):
                break
        process.send_signal(number)
        _, told = process.communicate(timeout=60)

    assert process.returncode == 130, told
    assert told.rstrip().endswith(f"run 'phasebot generate --repo {folder} --jobs 16' again to continue")
    assert {"plan", "entity/Entity0"} <= set(phases_of(folder, "many")) <= {"plan", *first}
    assert git(folder, "status", "--porcelain") == ""
    assert phasebot(*arguments, "--provider", "template").returncode == 0
    assert len(phases_of(folder, "many")) == 17


def test_a_deadline_that_is_over_exits_3_and_a_rerun_continues(tmp_path: Path) -> None:
    arguments = ("generate", BLOG, "--repo", tmp_path / "blog", "--recipe", SMALL)

    done = phasebot(*arguments, "--deadline", "0.00001")

    assert done.returncode == 3
    assert "not generated yet: core, " in done.stderr
    assert phasebot(*arguments).returncode == 0


def test_a_base_is_where_a_new_branch_starts_and_stays_the_same(tmp_path: Path) -> None:
    folder = new_repository(tmp_path / "note")
    git(folder, "switch", "--quiet", "-c", "develop")
    develop = commit(folder, "Develop", {"DEVELOP": "1\n"})
    arguments = ("generate", NOTE, "--repo", folder, "--recipe", SMALL)

    assert phasebot(*arguments, "--base", "develop").returncode == 0
    again = phasebot(*arguments)
    other = phasebot(*arguments, "--base", "nowhere")

    assert again.returncode == 0
    assert "all 5 phases are complete" in again.stderr
    assert other.returncode == 2
    assert "it started from develop, not from nowhere" in other.stderr
    assert git(folder, "rev-parse", "phasebot/note~5") == develop


def test_options_come_from_the_environment_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHASEBOT_GENERATE_RECIPE", str(SMALL))
    monkeypatch.setenv("PHASEBOT_GENERATE_REPO", str(tmp_path / "note"))

    assert phasebot("generate", NOTE).returncode == 0
    assert (tmp_path / "note" / "main.py").exists()


BAD_SPECS = {
    "empty": ("", "it is empty"),
    "blank": (" \n\n", "it is empty"),
    "no entities": ("# Blog\nA blog about cats.\n", "it contains no entities"),
    "unknown type": (
        "- User: name strng",
        "line 1: '- User: name strng': unknown type 'strng'; did you mean 'string'?",
    ),
    "unknown entity": (
        "- Post: author -> Usr\n- User: name string",
        "relation to unknown entity 'Usr'; did you mean 'User'?",
    ),
    "twice": ("- User: name string\n- User: mail email", "line 2: '- User: mail email': entity User is defined twice"),
    "field twice": ("- User: name string, name text", "'name' is used twice in User"),
    "keyword": ("- User: class string", "'class' is a Python keyword"),
    "too many": (
        "\n".join(f"- E{n}: name string" for n in range(501)),
        "line 501: '- E500: name string': 501 entities are too many",
    ),
    "circle": ("- A: b -> B\n- B: a -> A", "required relations form a cycle: A -> B -> A"),
    "no fields": ("- User:", "entity User has no fields"),
    "bad YAML": ("entities:\n  User: [", "not valid YAML"),
}


@pytest.mark.parametrize(("text", "message"), BAD_SPECS.values(), ids=BAD_SPECS)
def test_a_bad_spec_exits_2_with_one_message_and_nothing_written(tmp_path: Path, text: str, message: str) -> None:
    spec = tmp_path / "spec.md"
    spec.write_text(text)

    done = refused("generate", spec, "--repo", tmp_path / "new", "--recipe", SMALL)

    assert done.stderr.startswith("phasebot: ")
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert not (tmp_path / "new").exists()


def test_a_reserved_name_is_refused(tmp_path: Path) -> None:
    done = refused("generate", "- User: id integer", "--repo", tmp_path / "new")

    assert "'id' is reserved" in done.stderr
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("content", [None, b"\xff\xfe- User: name string"], ids=["not there", "not UTF-8"])
def test_an_unreadable_spec_exits_2(tmp_path: Path, content: bytes | None) -> None:
    spec = tmp_path / "spec.md"
    if content is not None:
        spec.write_bytes(content)

    done = refused("generate", spec, "--repo", tmp_path / "new")

    assert str(spec) in done.stderr
    assert not (tmp_path / "new").exists()


def test_a_bare_repository_is_refused(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--bare", "bare.git")

    done = refused("generate", NOTE, "--repo", tmp_path / "bare.git", "--recipe", SMALL)

    assert "it is a bare repository; clone it" in done.stderr


def test_a_folder_with_files_that_is_no_repository_is_refused(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.txt").write_text("cat")

    done = refused("generate", NOTE, "--repo", tmp_path / "photos", "--recipe", SMALL)

    assert "not a git repository" in done.stderr
    assert [path.name for path in (tmp_path / "photos").iterdir()] == ["cat.txt"]


def test_a_repository_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("cat")

    done = refused("generate", NOTE, "--repo", tmp_path / "file" / "note", "--recipe", SMALL)

    assert "Not a directory; name another folder" in done.stderr


def test_a_machine_without_git_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    done = phasebot("generate", NOTE, "--repo", tmp_path / "note", "--recipe", SMALL)

    assert done.returncode == 2
    assert done.stderr == "phasebot: starting git: it is not on the PATH; install git 2.33 or newer\n"


@pytest.mark.parametrize("folder", ["../out", "/etc", "a/../../b", ".git", "a/.github", "a\nb"])
def test_an_output_folder_outside_the_repository_is_refused(tmp_path: Path, folder: str) -> None:
    done = refused("generate", NOTE, "--repo", tmp_path / "new", "--recipe", SMALL, "--output-dir", folder)

    assert "not a folder inside the repository" in done.stderr
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("run", ["a b", "../x", "x.lock", "-x", "x..y", "x~1", "", "x/", "a" * 200, "ü"])
def test_a_run_name_that_is_no_branch_name_is_refused(tmp_path: Path, run: str) -> None:
    done = refused("generate", NOTE, "--repo", tmp_path / "new", "--recipe", SMALL, f"--run={run}")

    assert "not a valid branch name" in done.stderr
    assert not (tmp_path / "new").exists()


def test_a_plan_edited_into_nonsense_names_commit_and_line(blog: Path) -> None:
    oid = commit(blog, "Break it", {".phasebot/plan.yaml": "entities:\n  User:\n    name: strng\n"})

    done = refused("generate", "--repo", blog)

    assert f".phasebot/plan.yaml at commit {oid[:10]}, line 3: 'name: strng': unknown type 'strng'" in done.stderr


def test_a_plan_that_was_removed_names_the_commit(blog: Path) -> None:
    oid = commit(blog, "Remove it", {".phasebot/plan.yaml": None})

    done = refused("status", "--repo", blog)

    assert f"commit {oid[:10]} removed .phasebot/plan.yaml" in done.stderr


def test_a_terminal_and_a_pipe_say_the_same_about_what_failed() -> None:
    core = build_phase("core", "a.py", "b.py")
    commit = bot_commit(1, core, status="partial", missing=[*core.files], reason="quota")
    state = RunState(
        "x", "phasebot/x", "main", "", [derive_state("blog", {}, [commit]).state(core)], (0, 0), {}, pushed=False
    )
    failures = {"core": {"a.py": Reason("quota", "429 [per] day"), "b.py": Reason("blocked", "SAFETY")}}
    snapshot = Snapshot(state=state, failures=failures)
    lines, shown = list[str](), io.StringIO()
    PlainAnnouncer(lines.append).show(snapshot)
    with contextlib.redirect_stderr(shown), LiveAnnouncer(time.monotonic, datetime.now) as live:
        live.show(snapshot)
        live.show(snapshot)

    assert lines == [
        "phasebot/x: 1 phase",
        "[2/1] core  0/2 files",
        "      a.py: 429 [per] day",
        "      b.py: SAFETY",
    ]
    for line in lines[1:]:
        assert shown.getvalue().count(line) == 1


def test_several_runs_must_be_told_apart(tmp_path: Path) -> None:
    folder = new_repository(tmp_path / "many")
    for name in ("one", "two"):
        assert phasebot_here("generate", NOTE, "--repo", folder, "--recipe", SMALL, "--run", name).returncode == 0

    done = phasebot_here("status", "--repo", folder)

    assert done.returncode == 2
    assert "name one with --run: one, two" in done.stderr
    assert phasebot_here("status", "--repo", folder, "--run", "two").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("status",), "no phasebot/* branch"),
        (("generate",), "no phasebot/* branch"),
        (("status", "--run", "nothing"), "it has no plan"),
        (("generate", "--run", "nothing"), "it has no plan"),
        (("generate", NOTE, "--base", "nowhere"), "base 'nowhere' is not a commit or branch"),
        (("generate", NOTE, "--remote", "nowhere"), "remote 'nowhere' is not known"),
        (("generate", NOTE, "--push"), "there is no remote"),
        (("generate", NOTE, "--only", "entity/Nope"), "phases are: entity/Note"),
        (("generate", NOTE, "--recipe", "nope"), "recipe 'nope' is not known"),
        (("generate", NOTE, "--jobs", "0"), "--jobs"),
    ],
)
def test_bad_options_exit_2_and_leave_no_branch(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    folder = new_repository(tmp_path / "note")
    recipe = () if "--recipe" in arguments or arguments[0] != "generate" else ("--recipe", str(SMALL))

    done = refused(*arguments, *recipe, "--repo", folder)

    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert git(folder, "branch", "--list", "phasebot/*") == ""


def test_help_comes_quickly_without_the_heavy_imports() -> None:
    code = "import sys; sys.argv=['phasebot','--help']\n"
    code += "from bot.cli.main import main\ntry: main()\nexcept SystemExit: pass\n"
    code += "print(sorted({'git','pydantic','jinja2','rich','yaml'} & set(sys.modules)), file=sys.stderr)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stderr == "[]\n"
    assert "generate" in done.stdout
