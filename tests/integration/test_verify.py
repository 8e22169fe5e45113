"""The command `verify`: generated code, executed in a clean place, by real processes."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from tests.isolation import need_isolation, phasebot_without_isolation
from tests.repositories import commit, git, phasebot

RECIPES = Path(__file__).parents[1] / "data" / "recipes"
SPEC = "# Blog\n\n- Post: title string\n- Tag: name string\n"
TOKEN = "ghp_" + "aB3dE5gH7jK9mN1pQ3sT5vW7xY9zA1bC3dE5"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("verify") / "blog"
    done = phasebot("generate", SPEC, "--repo", folder, "--recipe", RECIPES / "checked")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def blog(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A finished run that a test may change; clean places of it are made in a folder of its own."""
    monkeypatch.setenv("TMPDIR", str(places(tmp_path)))
    git(tmp_path, "clone", "--quiet", "--branch", "phasebot/blog", str(made), "blog")
    return tmp_path / "blog"


def verify(folder: Path, *options: object) -> subprocess.CompletedProcess[str]:
    done = phasebot("verify", "--repo", folder, "--recipe", RECIPES / "checked", *options)
    assert "Traceback" not in done.stderr, done.stderr
    return done


def places(tmp_path: Path) -> Path:
    """Return the folder of clean places."""
    folder = tmp_path / "places"
    folder.mkdir(exist_ok=True)
    return folder


def left(blog: Path) -> list[str]:
    """Return the clean places that are still there."""
    return [each.name for each in places(blog.parent).iterdir()]


def junit(*failures: str) -> str:
    cases = "".join(
        f'<testcase classname="tests.test_post" name="test_{number}"><failure message="it broke">{text}</failure>'
        "</testcase>"
        for number, text in enumerate(failures)
    )
    return f"<testsuite>{cases}</testsuite>"


def writes(report: str, *, status: int = 1) -> str:
    return f"import sys\nopen('report.xml', 'w').write({report!r})\nsys.exit({status})\n"


def test_what_works_is_verified_and_not_executed_twice(blog: Path) -> None:
    done = verify(blog)

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"verified: phasebot/blog, tree {git(blog, 'rev-parse', 'HEAD^{tree}')[:10]}\n")
    assert "passed: python check.py" in done.stdout
    assert "2 tests passed" in done.stdout
    assert "0 errors, 0 warnings" in done.stdout
    assert "running: python check.py\n" in done.stderr
    assert left(blog) == []
    again = verify(blog)
    assert again.returncode == 0
    assert "(cached: its commands ran on the same files before)\n" in again.stdout
    assert "running" not in again.stderr
    assert "running" in verify(blog, "--again").stderr
    assert git(blog, "for-each-ref", "refs/phasebot/", "--format=%(refname)") == "refs/phasebot/verified/blog"
    commit(blog, "Change it", {"app/core.py": "LIMIT = 4\n"})
    assert "running" in verify(blog).stderr


def test_another_ref_than_ours_is_no_cache(blog: Path) -> None:
    verify(blog)
    oid = git(blog, "rev-parse", "refs/phasebot/verified/blog")
    forged = git(blog, "cat-file", "blob", oid).replace("The commands", r"\u001bThe commands").encode()
    blob = subprocess.run(
        ["git", "-C", blog, "hash-object", "-w", "--stdin"], input=forged, capture_output=True, check=True
    ).stdout.decode()
    assert b"u001b" in forged
    for target in (blob.strip(), git(blog, "rev-parse", "HEAD")):
        git(blog, "update-ref", "refs/phasebot/verified/blog", target)
        assert "running" in verify(blog).stderr


def test_a_test_that_fails_is_told_with_what_it_tests_in_each_format(blog: Path) -> None:
    trace = "tests/test_post.py:1: in test\napp/core.py:1: in limit\nE   ValueError"
    commit(blog, "Break it", {"check.py": writes(junit(trace, "tests/test_post.py:1: AssertionError"))})

    done = verify(blog)

    assert done.returncode == 1
    assert done.stdout.startswith("not verified: ")
    assert "core\n  error  app/core.py:1  tests/test_post.py::test_0: it broke [test-failed]\n" in done.stdout
    assert "entity/Post\n  error  app/post.py  tests/test_post.py::test_1: it broke [test-failed]\n" in done.stdout
    assert "2 errors; 'phasebot fix' lets a model mend them, 'phasebot regenerate core entity/Post'" in done.stderr
    content = json.loads(verify(blog, "--format", "json").stdout)
    assert (content["verified"], content["cached"], content["errors"]) == (False, True, 2)
    assert content["commands"][1]["tests"] == {"passed": 0, "failed": 2, "skipped": 0}
    assert {each["phase"] for each in content["findings"]} == {"core", "entity/Post"}
    assert len(json.loads(verify(blog, "--format", "sarif").stdout)["runs"][0]["results"]) == 2
    assert "**`core`**\n\n- ❌ `app/core.py:1`" in verify(blog, "--format", "markdown").stdout


HANGS = "import time\nprint('waiting', flush=True)\ntime.sleep(600)\n"
ENTITIES = f'<!DOCTYPE a [<!ENTITY b "{"b" * 100}">]><testsuite name="&b;"/>'
SARIF = {
    "runs": [
        {
            "results": [
                {
                    "level": "error",
                    "message": {"text": f"lies about {path}"},
                    "locations": [{"physicalLocation": {"artifactLocation": {"uri": path}}}],
                }
                for path in ("../../etc/passwd", "file:///etc/passwd", "%2e%2e/x", "app/core.py")
            ]
        }
    ]
}


@pytest.mark.parametrize(
    ("code", "told"),
    [
        pytest.param(HANGS, "took longer than its time limit: waiting [command-time]", id="hangs"),
        pytest.param("print('no report')", "passed, but its report says nothing: there is no report.xml", id="silent"),
        pytest.param(writes("<t/>", status=0), "passed, but no test did [no-tests]", id="without tests"),
        pytest.param(writes(ENTITIES, status=0), "it declares a document type", id="entities"),
        pytest.param(writes("<t>" * 10_000, status=0), "nested too deeply", id="nested"),
        pytest.param("open('report.xml','w').write(' ' * 9_000_000)", "it is larger than 8 MB", id="large"),
        pytest.param("import os; os.symlink('/etc/passwd', 'report.xml')", "there is no report.xml", id="link"),
        pytest.param("import os; os.mkfifo('report.xml')", "there is no report.xml", id="fifo"),
        pytest.param("import os; os.kill(os.getppid(), 9); os.abort()", "ended with status", id="kills its parent"),
        pytest.param("import sys; sys.exit('::error::\\x1b[2J##[add-mask]x')", "[command-failed]", id="log commands"),
        pytest.param(f"import sys; sys.exit({TOKEN!r})", "because it looks like a GitHub token", id="secrets"),
    ],
)
def test_bad_code_fails_and_says_nothing_that_acts(blog: Path, code: str, told: str) -> None:
    commit(blog, "Make it bad", {"check.py": f"{code}\n"})

    done = verify(blog)

    assert done.returncode == 1
    assert told in done.stdout
    assert "1 error, 0 warnings" in done.stdout
    assert not any(each in done.stdout + done.stderr for each in ("\x1b", TOKEN))
    assert "phasebot: verifying phasebot/blog: 1 error; " in done.stderr
    assert left(blog) == []


def test_in_a_job_nothing_that_is_printed_is_a_command(blog: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    commit(blog, "Print commands", {"check.py": "import sys\nsys.exit('##[error]x')\n"})

    for output in ("text", "json", "sarif", "markdown"):
        assert "##[" not in verify(blog, "--format", output).stdout


def test_what_a_report_says_about_other_files_is_about_none_of_them(blog: Path) -> None:
    commit(blog, "Lie", {"lint.py": f"print({json.dumps(SARIF)!r})\nraise SystemExit(1)\n"})

    findings = json.loads(verify(blog, "--format", "json").stdout)["findings"]

    assert {(each["path"], each["phase"]) for each in findings if "core.py" not in each["message"]} == {
        ("lint.py", "support")
    }, "the file that the command names"
    assert [each["path"] for each in findings if "core.py" in each["message"]] == ["app/core.py"]


def test_much_output_is_read_to_its_end_and_not_kept(blog: Path) -> None:
    shouts = "import sys\nfor _ in range(100): sys.stdout.write('x' * 1_000_000)\nsys.exit('the last word')\n"
    commit(blog, "Shout", {"check.py": shouts})

    done = verify(blog)

    assert "ended with status 1: the last word" in done.stdout
    assert len(done.stdout) < 2_000


def test_a_report_of_the_tree_is_not_taken_for_the_commands(blog: Path) -> None:
    commit(blog, "Forge", {"check.py": "pass\n", "report.xml": '<t><testcase name="a"/></t>'})

    done = verify(blog)

    assert done.returncode == 1
    assert "there is no report.xml" in done.stdout
    assert "the project's own report.xml was removed" in done.stdout


def test_code_sees_no_secrets_and_writes_nothing_outside(
    blog: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need_isolation()
    monkeypatch.setenv("GEMINI_API_KEY", "AIza-not-a-real-key-0123456789")
    monkeypatch.setenv("MY_PASSWORD", "hunter2")
    (blog / ".env").write_text("PASSWORD=hunter2\n")
    code = f"""
import os, socket, sys
seen = [str(os.environ), open('/proc/self/environ').read()]
for pid in filter(str.isdecimal, os.listdir('/proc')):
    try: seen.append(open(f'/proc/{{pid}}/environ').read())
    except OSError: pass
for path in ({str(blog / ".env")!r}, {str(tmp_path / "leak")!r}, '/var/tmp/leak', os.path.expanduser('~root/leak')):
    try: seen.append(open(path).read() if path.endswith('.env') else str(open(path, 'w').write('')))
    except OSError: pass
try: socket.create_connection(('127.0.0.1', 22), 1)
except OSError as exc: print(exc)
found = [word for word in ('AIza', 'hunter2') if word in ' '.join(seen)]
open('report.xml', 'w').write('<t><testcase name="a"/></t>')
sys.exit(f'found: {{found}}' if found else 0)
"""
    commit(blog, "Look around", {"check.py": code})

    done = verify(blog)

    assert done.returncode == 0, done.stdout
    assert "no process and no file outside the clean place within their reach" in done.stdout
    assert not any(Path(each).exists() for each in (tmp_path / "leak", "/var/tmp/leak", "/root/leak"))  # noqa: S108


def test_where_nothing_can_be_apart_the_same_is_done_and_said(blog: Path) -> None:
    options = ("--repo", blog, "--recipe", RECIPES / "checked")

    done = phasebot_without_isolation("verify", *options)

    assert "This system does not let commands be apart" in done.stdout, done.stderr
    assert done.returncode == 0


def test_a_command_that_kills_who_watches_it_is_ended_where_nothing_can_be_apart(blog: Path) -> None:
    mark = f"mark-{time.monotonic_ns()}"
    sleep = f"['python', '-c', 'import time; time.sleep(600)', '{mark}']"
    attack = f"import os, subprocess, sys\nsubprocess.Popen({sleep}, start_new_session=True)\n"
    attack += f"os.kill(os.getppid(), 9)\nos.execv(sys.executable, {sleep})\n"
    commit(blog, "Attack", {"check.py": attack})

    done = phasebot_without_isolation("verify", "--repo", blog, "--recipe", RECIPES / "checked")

    assert strays(mark) == []
    assert done.returncode == 1
    assert "was ended by something else" in done.stdout
    assert "it left 2 processes behind, which Phasebot ended" in done.stdout
    assert left(blog) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_when_it_is_interrupted(blog: Path, number: signal.Signals) -> None:
    mark = f"mark-{time.monotonic_ns()}"
    again = f"import os, sys\nos.execv(sys.executable, ['python', '-c', 'import time; time.sleep(600)', '{mark}'])\n"
    commit(blog, "Hang", {"lint.py": again})
    command = [sys.executable, "-m", "bot", "verify", "--repo", str(blog), "--recipe", str(RECIPES / "checked")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        while not strays(mark) and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(number)
        process.communicate(timeout=60)

    assert process.returncode == (-number if number == signal.SIGKILL else 130)
    deadline = time.monotonic() + 10
    while strays(mark) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert strays(mark) == []
    if number != signal.SIGKILL:
        assert left(blog) == []
    assert git(blog, "for-each-ref", "refs/phasebot/") == ""


def strays(mark: str) -> list[str]:
    found = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True).stdout.split("\n")
    return [line for line in found if mark in line and "ps -eo" not in line]


def test_an_incomplete_run_is_verified_and_told(tmp_path: Path) -> None:
    folder = tmp_path / "blog"
    phasebot("generate", SPEC, "--repo", folder, "--recipe", RECIPES / "checked", "--only", "support")

    done = verify(folder)

    assert done.returncode == 0, done.stderr
    assert "the run is not complete, so what fails may only be missing\n" in done.stdout


def test_a_project_in_a_folder_is_verified_there(tmp_path: Path) -> None:
    folder = tmp_path / "blog"
    recipe = RECIPES / "checked"
    phasebot("generate", SPEC, "--repo", folder, "--recipe", recipe, "--output-dir", "back/api")
    commit(folder, "Break it", {"back/api/check.py": writes(junit("app/core.py:1: in limit"))})

    assert "core\n  error  back/api/app/core.py:1  tests/test_post.py::test_0" in verify(folder).stdout


def test_a_recipe_without_commands_is_refused_with_the_remedy(tmp_path: Path) -> None:
    folder = tmp_path / "blog"
    phasebot("generate", SPEC, "--repo", folder, "--recipe", RECIPES / "small")

    done = phasebot("verify", "--repo", folder, "--recipe", RECIPES / "small")

    assert done.returncode == 2
    assert "the recipe 'small' has no commands for it; add a list 'verify' to its recipe.yaml" in done.stderr


def test_requirements_that_can_not_be_installed_are_to_blame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "blog"
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("UV_NO_INDEX", "1")
    phasebot("generate", SPEC, "--repo", folder, "--recipe", RECIPES / "installed")

    done = phasebot("verify", "--repo", folder, "--recipe", RECIPES / "installed")

    assert done.returncode == 1
    assert "support\n  error  requirements.txt  'pip install -r requirements.txt' ended with status" in done.stdout
    assert "  not run: 1 more command\n" in done.stdout
    assert git(folder, "for-each-ref", "refs/phasebot/") == "", "it may work tomorrow"


def test_without_a_network_nobody_is_to_blame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "blog"
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("PIP_INDEX_URL", "UV_DEFAULT_INDEX"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/simple")
    for name in ("PIP_RETRIES", "UV_HTTP_RETRIES"):
        monkeypatch.setenv(name, "0")
    monkeypatch.setenv("HTTPS_PROXY", "http://robot:pa55-of-the-robot@127.0.0.1:9")
    phasebot("generate", SPEC, "--repo", folder, "--recipe", RECIPES / "installed")

    done = phasebot("verify", "--repo", folder, "--recipe", RECIPES / "installed")

    assert done.returncode == 1
    assert "could not reach the network: pip install -r requirements.txt" in done.stdout
    assert "HTTPS_PROXY holds credentials, so no command gets it" in done.stdout
    assert "0 errors" in done.stdout
    assert "the network can't be reached, so nothing was verified; check network" in done.stderr
    assert "pa55" not in done.stdout + done.stderr
    assert git(folder, "for-each-ref", "refs/phasebot/") == ""


def test_links_that_lead_out_are_not_followed(blog: Path) -> None:
    for name, target in (("out", "/etc"), ("up", "../../.."), ("in", "app/core.py")):
        (blog / name).symlink_to(target)
    (blog / "two").symlink_to("up/..")
    looks = (
        "import os, sys\nfound = [n for n in ('out', 'up', 'two', 'in') if os.path.lexists(n)]\nsys.exit(str(found))\n"
    )
    (blog / "check.py").write_text(looks)
    git(blog, "add", "--all")
    git(blog, "commit", "--quiet", "-m", "Add links")

    done = verify(blog)

    assert "ended with status 1: ['in']" in done.stdout
    assert all(f"the link '{name}' leads out of the project" in done.stdout for name in ("out", "up", "two"))


def test_no_link_is_made_below_a_link_that_leads_out(blog: Path, tmp_path: Path) -> None:
    """A tree can hold a name twice, as link and as folder; on some disks, it is enough that they differ in case."""
    outside = tmp_path / "outside"
    outside.mkdir()
    inner = make_tree(blog, [("120000", "blob", make_blob(blog, "anything"), "made")])
    rows = git(blog, "ls-tree", "HEAD").splitlines()
    entries = [(*row.partition("\t")[0].split(" "), row.partition("\t")[2]) for row in rows]
    twice = [("120000", "blob", make_blob(blog, str(outside)), "zz"), ("040000", "tree", inner, "zz")]
    forged = git(blog, "commit-tree", "-p", "HEAD", "-m", "Forge", make_tree(blog, [*entries, *twice]))
    git(blog, "update-ref", "HEAD", forged)

    done = verify(blog)

    assert [*outside.iterdir()] == []
    assert "the link 'zz/made' is below a link that leads out of the project" in done.stdout
    assert "the link 'zz' leads out of the project" in done.stdout


def make_blob(folder: Path, text: str) -> str:
    return git(folder, "hash-object", "-w", "--stdin", stdin=text)


def make_tree(folder: Path, entries: Iterable[Sequence[str]]) -> str:
    rows = (f"{' '.join(entry[:3])}\t{entry[3]}\n" for entry in entries)
    return git(folder, "mktree", stdin="".join(rows))


@pytest.mark.slow
def test_the_generated_blog_is_verified_for_real(tmp_path: Path) -> None:
    example = Path(__file__).parents[2] / "bot" / "recipes" / "fastapi" / "examples" / "blog.md"
    phasebot("generate", example, "--repo", tmp_path / "blog", "--provider", "template")

    done = phasebot("verify", "--repo", tmp_path / "blog")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "tests passed" in done.stdout
    assert "0 errors, 0 warnings" in done.stdout
