"""`phasebot doctor`: every check in its good and its bad case, on a computer, a repository, and loopback servers."""

import json
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.engine import doctor_computer, doctor_github, doctor_model
from bot.forge.github_settings import GitHubSettings
from bot.forge.workflow_file import pin
from bot.history.installation import WORKFLOW, Source
from tests.act_jobs import ROOT
from tests.action_world import QUICK
from tests.gemini_server import KEY, Asked, FakeGemini, Reply, error
from tests.git_http_server import GitServer, Refusal
from tests.github_server import TOKEN, FakeGitHub, at, refusal
from tests.github_server import Reply as GitHubReply
from tests.history_picture import bot
from tests.repositories import clone, commit, git, new_origin, new_repository, phasebot, phasebot_limited

SHA = "0123456789abcdef0123456789abcdef01234567"


def nobody(_: object) -> Reply:
    raise AssertionError("the doctor spends no tokens")


@pytest.fixture(autouse=True)
def apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Say that all is apart, which takes a second to try; one test tries it."""
    monkeypatch.setattr(doctor_computer, "probe_isolation", lambda: frozenset({"processes", "network"}))


@pytest.fixture
def laptop(tmp_path: Path) -> Path:
    return clone(new_origin(tmp_path / "origin.git"), tmp_path / "laptop")


def examined(folder: Path, code: int = 0) -> str:
    """Run the doctor, and return its lines without those about programs."""
    told = bot(folder, "doctor")
    assert told.code == code, told.out + told.err
    return told.out


def line(out: str, part: str) -> str:
    """Return the only line with *part*."""
    (found,) = [each for each in out.splitlines() if part in each]
    return found


# ---- as a whole


def test_a_healthy_clone_is_told_line_by_line(laptop: Path) -> None:
    out = examined(laptop)

    assert (
        re.sub(r"\d+(\.\d+)+|[0-9a-f]{10}\b", "N", out).replace(str(laptop), "LAPTOP")
        == """\
ok       Python N
ok       git N
ok       Phasebot N on linux
ok       SQL files are read (extra import)
ok       files of other languages than Python are checked (extra languages)
ok       uv is there, so verify installs faster
ok       verify keeps generated code apart from processes, files and the network
ok       repository LAPTOP
ok       commits are by laptop <ada@example.com>
ok       origin answers; it has 1 branch
ok       runs can start from main at N, as branches phasebot/…
ok       origin lets you push, as far as it tells beforehand
unknown  there is no .github/workflows/phasebot.yml on main as last fetched, so comments do nothing  — run 'phasebot \
init' and push what it writes
unknown  GEMINI_API_KEY is not set, so templates write  — to let a model write, set it to your key
unknown  the remote is no repository on a server, so its settings are not checked
"""
    )
    assert git(laptop, "for-each-ref", "--format=%(refname)", "refs/heads") == "refs/heads/main", "nothing was written"
    assert git(laptop.parent / "origin.git", "for-each-ref", "--format=%(refname)") == "refs/heads/main"


def test_json_has_the_same(laptop: Path) -> None:
    told = bot(laptop, "doctor", "--format", "json")

    rows = json.loads(told.out)
    assert rows[0] == {"state": "ok", "what": rows[0]["what"], "remedy": ""}
    assert len(rows) == len(examined(laptop).splitlines())


def test_problems_are_counted_and_end_with_1(laptop: Path) -> None:
    git(laptop, "remote", "set-url", "origin", str(laptop.parent / "nowhere"))

    told = bot(laptop, "doctor")

    assert (told.code, told.err) == (1, "phasebot: 1 problem\n")
    assert line(told.out, "problem ").startswith("problem  remote: fetching the list of branches from origin: fatal:")
    assert "GEMINI_API_KEY" in told.out, "a check that fails ends no other one"


def test_without_git_only_that_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    done = phasebot("doctor", "--repo", tmp_path)

    assert done.returncode == 1
    assert done.stdout == "problem  starting git: it is not on the PATH; install git 2.33 or newer\n"


# ---- computer


def test_old_programs_and_missing_packages_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_computer, "git_version", lambda: (2, 30, 1))
    monkeypatch.setattr(doctor_computer, "find_spec", lambda _: None)
    monkeypatch.setattr(doctor_computer, "which", lambda *_, **__: None)
    monkeypatch.setattr(doctor_computer, "probe_isolation", lambda: frozenset({"network"}))

    told = [str(each) for each in doctor_computer.check_computer({})]

    assert "problem  git 2.30.1 is too old  — install git 2.33 or newer" in told
    (missing,) = [each for each in told if "SQL" in each]
    assert missing.startswith("unknown  SQL files are read only with the extra import, which is not installed")
    assert missing.endswith("if you need it: pip install 'phasebot[import]'")
    assert "ok       verify installs with pip, as uv is not there" in told
    assert told[-1].startswith("unknown  verify can't keep generated code from processes and files here")


def test_what_is_apart_is_really_tried(laptop: Path) -> None:
    done = phasebot("doctor", "--repo", laptop)

    assert re.search("^(ok|unknown)  .*verify (keeps|can't keep) generated code", done.stdout, re.MULTILINE)


# ---- repository


def test_a_folder_that_is_no_repository_is_told(tmp_path: Path) -> None:
    assert "is no git repository  — run it in one, or name one with --repo" in examined(tmp_path, 1)


def test_who_commits_has_to_be_known(laptop: Path, home: Path) -> None:
    (home / ".gitconfig").write_text("")
    git(laptop, "config", "--unset", "user.name")

    assert line(examined(laptop, 1), "problem").startswith("problem  git does not know who commits  — run 'git config")


def test_a_clone_that_can_not_be_written_is_told(laptop: Path) -> None:
    (laptop / ".git" / "objects").chmod(0o500)

    done = phasebot_limited("doctor", "--repo", laptop)

    assert ".git can't be written  — get write permission for it, or clone it" in done.stdout


def test_a_folder_of_somebody_else_ends_no_other_check(laptop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")

    out = examined(laptop, 1)

    assert "the folder belongs to another user, so git refuses to read it" in line(out, "problem  repository")
    assert "GEMINI_API_KEY is not set" in out


def test_a_branch_in_the_way_is_told(laptop: Path) -> None:
    git(laptop, "branch", "phasebot")

    assert "git can't have it beside the branch phasebot; rename it" in line(examined(laptop, 1), "problem")


def test_a_repository_without_a_remote_or_a_commit_is_fine(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    folder.mkdir()
    git(folder, "init", "--quiet")

    out = examined(folder)

    assert "ok       there is no remote, so nothing is pushed\n" in out
    assert "ok       runs can start from main, which has no commit yet, as branches phasebot/…\n" in out


def test_a_base_that_the_project_sets_has_to_be_there(laptop: Path) -> None:
    (laptop / "pyproject.toml").write_text("[tool.phasebot]\nbase = 'develop'\n")

    assert "problem  base: base 'develop' is not a commit or branch of the repository" in examined(laptop, 1)


def test_settings_that_are_wrong_are_told_beside_all_else(laptop: Path) -> None:
    (laptop / "pyproject.toml").write_text("[tool.phasebot]\njobs = 0\n")
    commit(laptop, "Configure", {".github/phasebot.yml": "jobs: 0\nprovider: x\n"})
    git(laptop, "push", "--quiet", "origin", "main")

    out = examined(laptop, 1)

    assert "problem  reading pyproject.toml, [tool.phasebot]: line 2: jobs is 0; it takes" in out
    assert "problem  settings: reading .github/phasebot.yml: it has 2 problems: line 1: jobs is 0; it takes" in out
    commit(laptop, "Configure", {".github/phasebot.yml": "jobs: 3\nmax-tokens: 9\n", "pyproject.toml": ""})
    git(laptop, "push", "--quiet", "origin", "main")
    assert "ok       .github/phasebot.yml on main sets jobs, max-tokens\n" in examined(laptop)


@pytest.mark.parametrize(
    ("ref", "change", "told"),
    [
        (SHA, "", f"ok       the workflow is on main, pinned to acme/phasebot@{SHA}"),
        (
            "main",
            "",
            "problem  the workflow on main uses acme/phasebot@main, which can become another commit at any time",
        ),
        (
            SHA,
            "# mine\n",
            f"unknown  the workflow on main, pinned to acme/phasebot@{SHA} differs from that of this version",
        ),
    ],
)
def test_the_workflow_is_compared_and_has_to_be_pinned(laptop: Path, ref: str, change: str, told: str) -> None:
    text = pin((ROOT / WORKFLOW).read_text(), Source("acme/phasebot", ref)) + change
    commit(laptop, "Use Phasebot", {WORKFLOW: text})
    git(laptop, "push", "--quiet", "origin", "main")

    assert line(examined(laptop, 1 if "problem" in told else 0), "the workflow").startswith(told)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[GitServer, Path]]:
    """A clone of a repository that everybody may read and push to, by HTTP."""
    origin = new_origin(tmp_path / "served" / "acme" / "blog.git")
    with GitServer(tmp_path / "served") as server:
        server.judge = lambda _: None
        folder = clone(origin, tmp_path / "laptop")
        git(folder, "remote", "set-url", "origin", f"{server.url}/acme/blog.git")
        yield server, folder


def test_a_login_that_fails_is_told(served: tuple[GitServer, Path]) -> None:
    server, folder = served
    server.judge = lambda _: Refusal(status=401, text="no")

    assert "the credentials are missing or expired; renew the token" in line(examined(folder, 1), "problem  remote")


def test_a_push_that_is_not_allowed_is_told(served: tuple[GitServer, Path]) -> None:
    server, folder = served
    server.judge = lambda asked: Refusal(status=403, text="no") if "git-receive-pack" in asked.path else None

    told = line(examined(folder, 1), "problem")

    assert told.startswith("problem  you can't push: pushing phasebot/doctor to origin: ")
    assert "use a token with write access to the repository" in told


def test_a_push_is_asked_for_and_not_made(served: tuple[GitServer, Path]) -> None:
    server, folder = served

    assert "ok       origin lets you push, as far as it tells beforehand\n" in examined(folder)
    asked = [each for each in server.requests if "git-receive-pack" in each.path]
    assert [each.method for each in asked] == ["GET"]


def test_a_silent_remote_is_given_up_on(laptop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bot.engine import doctor_repository

    monkeypatch.setattr(doctor_repository, "_TIMEOUT", 0.5)
    pipe = laptop.parent / "silent"
    pipe.write_text("#!/bin/sh\nexec sleep 60\n")
    pipe.chmod(0o755)
    git(laptop, "config", "remote.origin.uploadpack", str(pipe))
    git(laptop, "config", "remote.origin.receivepack", str(pipe))
    start = time.monotonic()

    out = examined(laptop, 1)

    assert time.monotonic() - start < 30
    assert "no answer within" in line(out, "problem  remote")
    assert "you can't push" not in out, "the same is not told twice"


# ---- the model


@pytest.fixture
def gemini(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGemini]:
    with FakeGemini(nobody) as fake:
        for name, value in fake.environment.items():
            monkeypatch.setenv(name, value)
        yield fake


def models(*names: str) -> list[str]:
    return [str(each) for each in doctor_model.check_models(dict(os.environ), names or ("gemini-3.8-flash",))]


def test_a_key_and_models_that_are_there(gemini: FakeGemini, laptop: Path) -> None:
    (laptop / "pyproject.toml").write_text("[tool.phasebot]\nmodel = 'gemini-x'\nfallback-model = []\n")

    assert line(examined(laptop), "GEMINI_API_KEY") == ("ok       GEMINI_API_KEY is accepted, and there is gemini-x")
    assert gemini.requests == []


def test_a_wrong_key_is_told_once_and_not_shown(gemini: FakeGemini, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "AIza-wrong-key-0123456789")
    gemini.models = lambda asked: error(400, f"API key {asked.key} not valid", "INVALID_ARGUMENT")

    (told,) = models("one", "two")

    assert told.startswith("problem  model one: API key rejected: 400 API key")
    assert "AIza" not in told
    assert "set GEMINI_API_KEY to a key with access to the model" in told


def test_an_unknown_model_is_told_and_the_next_one_asked_for(gemini: FakeGemini) -> None:
    known = gemini.models
    gemini.models = lambda asked: error(404, "not found") if asked.model == "one" else known(asked)

    first, second = models("one", "two")

    assert first.startswith("problem  model one: unknown model: 404 not found  — correct --model")
    assert second == "ok       GEMINI_API_KEY is accepted, and there is two"


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (error(503, "overloaded"), "unknown  model gemini-3.8-flash: server error: 503 overloaded"),
        (error(429, "slow down"), "unknown  model gemini-3.8-flash: too many requests"),
        (Reply(reset=True), "problem  model gemini-3.8-flash: connection failed"),
        (Reply(raw=b"SSH-2.0\r\n"), "problem  model gemini-3.8-flash: connection failed"),
        (Reply(status=302, headers={"Location": "http://127.0.0.1:1/"}), "unknown  model gemini-3.8-flash"),
        (Reply(wait=30), "problem  model gemini-3.8-flash: timed out"),
    ],
)
def test_a_service_that_fails_is_told(
    gemini: FakeGemini, monkeypatch: pytest.MonkeyPatch, reply: Reply, told: str
) -> None:
    monkeypatch.setattr(doctor_model, "_SECONDS", 1.0)
    gemini.models = lambda _: reply

    (found,) = models()

    assert found.startswith(told)
    assert "\n" not in found


def test_a_malformed_setting_is_told_without_its_value(laptop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "two words")

    assert "two words" not in line(examined(laptop, 1), "problem  model: GEMINI_API_KEY: the value contains a space")


def test_the_adapter_asks_with_the_key_in_a_header(gemini: FakeGemini) -> None:
    asked: list[Asked] = []
    known = gemini.models

    def note(each: Asked) -> Reply:
        asked.append(each)
        return known(each)

    gemini.models = note
    models()
    (only,) = asked
    assert (only.path, only.key) == ("/v1/models/gemini-3.8-flash", KEY)


# ---- GitHub


@pytest.fixture
def github(laptop: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGitHub]:
    monkeypatch.setattr(GitHubSettings.__init__, "__kwdefaults__", {"pacing": QUICK})
    with FakeGitHub() as fake:
        monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
        monkeypatch.setenv("GITHUB_API_URL", fake.url)
        git(laptop, "remote", "set-url", "--push", "origin", git(laptop, "remote", "get-url", "origin"))
        yield fake


def settings_of(host: str = "github.com") -> list[str]:
    from bot.history.remote_address import RemoteAddress

    return [str(each) for each in doctor_github.check_github(dict(os.environ), RemoteAddress(host, "acme", "blog"))]


def test_a_repository_that_is_ready(github: FakeGitHub) -> None:
    github.scopes = "repo, workflow"

    assert settings_of() == [
        "ok       the token (scopes: repo, workflow) is accepted; acme/blog has the default branch main",
        "ok       Actions are enabled",
        "ok       workflows may open pull requests",
        "ok       workflows get the secret GEMINI_API_KEY",
        "ok       no rule forbids phasebot/…",
    ]
    assert {asked.method for asked in github.requests} == {"GET"}


def test_settings_that_are_in_the_way_come_with_their_page(github: FakeGitHub) -> None:
    github.actions_enabled = github.may_open_pulls = False
    github.secrets.clear()
    github.rules = ["creation", "required_signatures", "deletion"]

    actions, pulls, secrets, rules = settings_of()[1:]
    page = "https://github.com/acme/blog/settings"
    assert actions == f"problem  Actions are disabled, so comments do nothing  — enable them: {page}/actions"
    assert pulls.startswith("problem  workflows may not open pull requests  — allow GitHub Actions to create and")
    assert pulls.endswith(f"{page}/actions")
    assert secrets.startswith("unknown  there is no secret GEMINI_API_KEY, so templates write in workflows  — ")
    assert secrets.endswith("gh secret set GEMINI_API_KEY --repo acme/blog")
    assert rules.startswith("problem  rules forbid new branches and want signed commits on phasebot/…  — exclude ")
    assert rules.endswith(f"{page}/rules")


@pytest.mark.parametrize(
    ("allowed", "told"),
    [
        ("local_only", "problem  only the repository's own actions may run"),
        ("selected", "unknown  only selected actions"),
    ],
)
def test_actions_that_may_not_run_are_told(github: FakeGitHub, allowed: str, told: str) -> None:
    github.allowed_actions = allowed

    assert settings_of()[1].startswith(told)


def test_a_secret_of_the_organisation_and_a_rule_that_may_refuse(github: FakeGitHub) -> None:
    github.secrets, github.organization_secrets = set(), {"GEMINI_API_KEY"}
    github.rules = ["commit_message_pattern"]

    told = settings_of()

    assert told[3] == "ok       workflows get the secret GEMINI_API_KEY"
    assert told[4].startswith("unknown  rules may refuse a push to phasebot/…: commit_message_pattern")


def test_what_the_token_may_not_read_is_unknown(github: FakeGitHub) -> None:
    github.readable.clear()

    told = settings_of()

    assert [each.partition(" ")[0] for each in told] == ["ok", "unknown", "unknown", "unknown", "ok"]
    assert "the token needs `administration: read`" in told[1]
    assert "the token needs `secrets: read`" in told[3]


def test_a_token_that_can_only_read_is_a_problem_and_the_rest_is_told(github: FakeGitHub) -> None:
    github.may_push = False

    told = settings_of()

    assert told[0] == "problem  the token can't push to acme/blog  — use one of somebody with write access"
    assert len(told) == 5


@pytest.mark.usefixtures("github")
def test_a_wrong_token_is_told_once_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "ghs_wrong0123456789")

    (told,) = settings_of()

    assert told.startswith("problem  token: reading the repository: GitHub said 401 Bad credentials")
    assert "ghs_wrong" not in told


@pytest.mark.parametrize("body", [b"[]", b"{}", b"<html>", b'{"enabled": "yes"}'])
def test_an_answer_that_can_not_be_read_is_a_problem_of_one_check(github: FakeGitHub, body: bytes) -> None:
    github.script = at("GET /actions/permissions", GitHubReply(status=200, body=body), ever=True)

    told = settings_of()

    assert told[1].startswith("problem  whether Actions are enabled: reading the settings of Actions: GitHub ")
    assert [each.partition(" ")[0] for each in told] == ["ok", "problem", "ok", "ok", "ok"]


def test_github_that_fails_is_a_problem_of_one_check(github: FakeGitHub) -> None:
    github.script = at("GET /rules/.*", refusal(500, "Oh no"), ever=True)

    assert settings_of()[4].startswith(
        "problem  whether rules forbid phasebot/…: reading the rules for phasebot/doctor"
    )


def test_the_token_goes_to_no_host_that_the_repository_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)

    (told,) = settings_of("evil.example")

    assert told.startswith("unknown  the settings of acme/blog on evil.example  — set GITHUB_API_URL to the address of")


def test_without_a_token_nothing_is_asked(laptop: Path) -> None:
    git(laptop, "remote", "set-url", "--push", "origin", git(laptop, "remote", "get-url", "origin"))
    assert settings_of() == ["unknown  the settings of acme/blog on github.com  — set GITHUB_TOKEN"]


def test_nothing_needs_a_remote_on_a_server(tmp_path: Path) -> None:
    assert "the remote is no repository on a server" in examined(new_repository(tmp_path / "alone"))
