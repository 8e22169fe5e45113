"""The action outside GitHub: its scripts as a runner starts them, and whole jobs run by act, without a container.

act can't check permissions, concurrency (it refuses ``queue``, see the README) or cancelled jobs; signals are tested on
the script itself. Its ``actions/checkout`` copies the current folder and knows no ``ref``.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.action_world import World
from tests.repositories import clone, commit, git

ROOT = Path(__file__).parents[1]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
STEPS: dict[str, dict[str, Any]] = {step["id"]: step for step in ACTION["runs"]["steps"]}
VERIFY = ROOT / ".github" / "actions" / "verify" / "action.yml"
VERIFY_STEPS: dict[str, dict[str, Any]] = {
    step["id"]: step for step in yaml.safe_load(VERIFY.read_text())["runs"]["steps"]
}
PLACE = ".github/workflows/phasebot.yml"
WORKFLOW = ROOT / PLACE
UPLOAD = next(
    step["uses"]
    for step in yaml.safe_load(WORKFLOW.read_text())["jobs"]["generate"]["steps"]
    if "upload-artifact" in step.get("uses", "")
)
_UPLOADING = """\
name: Upload
inputs: {path: {}, archive: {}, overwrite: {}, retention-days: {}}
runs:
  using: composite
  steps:
    - {shell: bash, run: 'mkdir -p "$TO" && cp "$FILE" "$TO"', env: {FILE: "${{ inputs.path }}", TO: %s}}
"""
"""Stands for the action that uploads an artifact, which needs a server: copies the file into a folder."""
_ARTIFACTS = "artifacts"
LAST_JOBS = "\n  # The next two jobs "
"""Begins what people can leave out of the workflow."""
CLEAN = ROOT / "bot" / "action" / "clean_environment.sh"
"""What every step sources."""
TOOLS = Path(sys.executable).parent
"""Where the programs of this virtual environment are."""


def copy_action(folder: Path) -> Path:
    """Put what a runner would download of this repository, as far as the action uses it, into *folder*."""
    shutil.copytree(ROOT / "bot", folder / "bot", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(VERIFY.parent, folder / VERIFY.parent.relative_to(ROOT))
    for name in ("action.yml", "requirements.lock"):
        shutil.copy(ROOT / name, folder)
    return folder


# Steps


def run_step(step: str, cwd: Path, **environ: object) -> subprocess.CompletedProcess[str]:
    """Run the script of a step to its end, with *environ* and no more than a runner sets besides."""
    command, environment = _started(step, cwd, environ)
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=300)


def start_step(step: str, cwd: Path, **environ: object) -> subprocess.Popen[str]:
    """Begin what :func:`run_step` does."""
    command, environment = _started(step, cwd, environ)
    return subprocess.Popen(command, cwd=cwd, env=environment, stdout=subprocess.PIPE, text=True)


def _started(step: str, cwd: Path, environ: Mapping[str, object]) -> tuple[list[str], dict[str, str]]:
    script = cwd.with_name(f"{cwd.name}-{step}.sh")
    script.write_text(STEPS[step]["run"])
    kept = ("PATH", "HOME", "PIP_", "GIT_CONFIG")
    environment = {name: value for name, value in os.environ.items() if name.startswith(kept)}
    environment |= {"RUNNER_OS": "Linux", "GITHUB_WORKSPACE": str(cwd), "GITHUB_OUTPUT": str(cwd.with_name("output"))}
    told = {name: value for name, value in STEPS[step]["env"].items() if "${{" not in value}
    environment |= {"PHASEBOT_CLEAN": str(CLEAN)} | {name: str(value) for name, value in environ.items()}
    command = shlex.split(STEPS[step]["shell"].replace("{0}", shlex.quote(str(script))))
    return command, environment | told


class Installed:
    """The action, installed by its own script from a hostile workspace."""

    def __init__(self, folder: Path) -> None:
        """Name the places in *folder*."""
        self.workspace, self.action, self.temp = folder / "workspace", folder / "action", folder / "temp"
        self.environment = self.temp / "phasebot-action"
        self.python = self.environment / "bin" / "python"
        self.outputs = folder / "output"

    def install(self) -> None:
        """Run the step."""
        self.temp.mkdir(parents=True)
        copy_action(self.action)
        settings = hostile_workspace(self.workspace)
        done = run_step("install", self.workspace, RUNNER_TEMP=self.temp, GITHUB_ACTION_PATH=self.action, **settings)
        assert done.returncode == 0, done.stdout + done.stderr
        subprocess.run(
            [self.python, "-I", "-c", "import bot.action.handler, jinja2, github, git"], check=True
        )  # is compiled


def hostile_workspace(folder: Path) -> dict[str, str]:
    """Make a workspace that leaves a file ``noticed`` if it is; return settings of a job that would lead into it."""
    noticed = folder / "noticed"
    shout = f"from pathlib import Path; Path({str(noticed)!r}).touch(); raise SystemExit('noticed')\n"
    modules = ("bot/__init__.py", "bot/__main__.py", "click.py", "pip.py", "venv.py", "sitecustomize.py", "json.py")
    programs = ("bin/python3", "bin/python3.13", "bin/cmp", "bin/cp", "bin/uv")
    settings = {
        "uv.toml": 'index-url = "http://127.0.0.1:9/simple"\n',
        "pip.conf": "[global]\nindex-url = http://127.0.0.1:9/simple\n",
        "constraints.txt": "click==1.0\n",
        ".python-version": "2.7\n",
    }
    files = dict.fromkeys(modules, shout) | dict.fromkeys(programs, f"#!/bin/sh\ntouch {shlex.quote(str(noticed))}\n")
    for name, text in {**files, **settings}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
    return {
        "PATH": f"bin:{folder}/bin::{os.environ['PATH']}",
        "PYTHONPATH": str(folder),
        "PYTHONHOME": str(folder),
        "PIP_CONSTRAINT": "constraints.txt",
        "PIP_TARGET": "packages",
    }


INTERPRETER = """\
#!/bin/sh
echo "$0 $*" >>"$PHASEBOT_NOTES"
case "$*" in
*version_info*) exit {usable} ;;
*"-m venv"*) mkdir -p "$5/bin" && cp "$0" "$5/bin/python" ;;
*"-m pip config list") printf '%s' "$PHASEBOT_PIP_SETTINGS" ;;
*"--target $RUNNER_TEMP/phasebot-action/uv"*)
  [ "$PHASEBOT_UV_EXITS" != absent ] && mkdir -p "$RUNNER_TEMP/phasebot-action/uv/bin" &&
    cp "$PHASEBOT_NOTES.uv" "$RUNNER_TEMP/phasebot-action/uv/bin/uv" ;;
*"-m pip"*) exit "$PHASEBOT_PIP_EXITS" ;;
*sysconfig*) mkdir -p "$PHASEBOT_NOTES.packages" && echo "$PHASEBOT_NOTES.packages" ;;
esac
"""
UV = """\
#!/bin/sh
[ "$1" = --version ] && echo "{version}" && exit
echo "$0 $*" >>"$PHASEBOT_NOTES"
echo "$UV_INDEX_URL|$UV_EXTRA_INDEX_URL|$UV_FIND_LINKS|$UV_NO_INDEX|$SSL_CERT_FILE" >>"$PHASEBOT_NOTES"
exit "$PHASEBOT_UV_EXITS"
"""


class Runner:
    """A runner whose interpreters are scripts that note what they are asked."""

    def __init__(self, folder: Path) -> None:
        """Start with none; *folder* holds all of it."""
        self.folder, self.workspace, self.bin = folder, folder / "workspace", folder / "bin"
        self.temp, self.notes, self.packages = folder / "temp", folder / "notes", folder / "notes.packages"
        for each in (self.workspace, self.bin, self.temp):
            each.mkdir()
        for tool in ("cmp", "rm", "cp", "mkdir"):
            (self.bin / tool).symlink_to(shutil.which(tool) or "")
        self.action = copy_action(folder / "action")
        self.add_uv("notes.uv")

    def add_uv(self, place: str, version: str = "uv 0.13.9") -> None:
        """Put a uv at *place*; pip installs the one at ``notes.uv``."""
        path = self.folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(UV.format(version=version))
        path.chmod(0o755)

    def add(self, place: str, *, usable: bool = True) -> None:
        """Put an interpreter at *place*."""
        path = self.folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(INTERPRETER.format(usable=int(not usable)))
        path.chmod(0o755)

    def install(
        self, *, pip_exits: int = 0, uv_exits: int | str = 0, pip_settings: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run the step; *pip_settings* are those that pip lists, and a uv that is "absent" can't be installed."""
        self.notes.unlink(missing_ok=True)
        settings = {
            "PHASEBOT_NOTES": self.notes,
            "PHASEBOT_PIP_EXITS": pip_exits,
            "PHASEBOT_PIP_SETTINGS": pip_settings,
            "PHASEBOT_UV_EXITS": uv_exits,
            "PATH": f"{self.workspace}/bin:{self.bin}",
        }
        places = {"RUNNER_TEMP": self.temp, "RUNNER_TOOL_CACHE": self.folder / "tools"}
        return run_step("install", self.workspace, GITHUB_ACTION_PATH=self.action, **places, **settings)

    @property
    def installers(self) -> list[str]:
        """What was started to install packages, in order: uv by its path, pip, or pip for uv."""
        lines = self.notes.read_text().splitlines() if self.notes.exists() else []
        found = []
        for line in lines:
            if "/uv --no-config" in line:
                found.append(line.split()[0].removeprefix(f"{self.folder}/"))
            elif "-m pip --python" in line:
                found.append("pip for uv" if "--target" in line else "pip")
        return found

    @property
    def chosen(self) -> list[str]:
        """The interpreters that made an environment."""
        lines = self.notes.read_text().splitlines() if self.notes.exists() else []
        return [line.split()[0].removeprefix(f"{self.folder}/") for line in lines if "-m venv" in line]


# Jobs


@dataclass(frozen=True)
class Job:
    """What act made of an event."""

    log: str
    rows: list[Mapping[str, Any]]

    @property
    def results(self) -> dict[str, str]:
        """How each job ended, by its id."""
        return {row["jobID"]: row["jobResult"] for row in self.rows if "jobResult" in row}

    @property
    def steps(self) -> dict[str, str]:
        """How each step of the action ended, by its id."""
        return {row["stepID"][1]: row["stepResult"] for row in self._of("stepResult") if len(row["stepID"]) > 1}

    @property
    def outputs(self) -> dict[str, str]:
        """The action's outputs, without the empty ones."""
        rows = [row for row in self._of("command") if row["command"] == "set-output" and len(row["stepID"]) == 1]
        return {row["name"]: row["arg"] for row in rows if row["arg"]}

    @property
    def summary(self) -> str:
        return next((row["content"] for row in self._of("command") if row["command"] == "summary"), "")

    def _of(self, name: str) -> Iterator[Mapping[str, Any]]:
        return (row for row in self.rows if name in row and row.get("stage") == "Main" and "stepID" in row)


@dataclass
class Consumer:
    """A repository that uses the action as the README says."""

    world: World
    environment: Path
    """What the action would install; linked into each job, which saves the time."""
    step: str = ""
    """A script that runs before the action."""
    inputs: Mapping[str, str] = field(default_factory=dict)
    """Of the action, besides those of the workflow."""
    verifies: bool = False
    """Whether the workflow has the jobs that verify and report, which people can leave out."""

    def __post_init__(self) -> None:
        """Commit the workflow, and files that would be imported if the workspace were looked at."""
        copy_action(self.world.root / "action")
        prepared = f'      - run: cp -Rl "{self.environment}" "$RUNNER_TEMP"\n'
        if self.step:
            prepared += f"      - run: {json.dumps(self.step)}\n"
        prepared += "      - uses: acme/phasebot@v1"
        workflow = WORKFLOW.read_text() if self.verifies else WORKFLOW.read_text().partition(LAST_JOBS)[0]
        fetch = f"git fetch --quiet --unshallow {self.world.origin.as_uri()} '+refs/heads/*:refs/remotes/origin/*'"
        verify = prepared.replace("phasebot@", "phasebot/.github/actions/verify@")
        verify = f"      - run: {json.dumps(fetch)}\n{verify}"  # what act's checkout does not do
        for name, step in ((r"\./\.github/actions/verify", verify), (r"\./ ", prepared)):
            workflow = re.sub(rf"^      - uses: {name}.*$", step.replace("\\", r"\\"), workflow, flags=re.MULTILINE)
        more = "".join(f"          {name}: {value}\n" for name, value in self.inputs.items())
        workflow = workflow.replace("          deadline-minutes:", f"{more}          deadline-minutes:")
        for unknown in (r" +queue: max\n", r" +ref: .*\n", r" +fetch-depth: .*\n"):
            workflow = re.sub(unknown, "", workflow)
        writer = clone(self.world.origin, self.world.root / "writer")
        shadows = dict.fromkeys(("bot/__init__.py", "click.py"), "raise SystemExit('imported from the workspace')\n")
        commit(writer, "Use Phasebot", {PLACE: workflow} | shadows)
        git(writer, "push", "--quiet", "origin", "main")

    @property
    def artifacts(self) -> Path:
        """Where uploaded files are."""
        return self.world.root / _ARTIFACTS

    def act(
        self,
        payload: Mapping[str, Any],
        *,
        prepare: Callable[[Path], None] = lambda _: None,
        under: Sequence[str] = (),
        **secrets: str,
    ) -> Job:
        """Do what the workflow says to an event, in a checkout after *prepare*, *under* a program that watches it."""
        replace = {"acme/phasebot@v1": self.world.root / "action"}
        return act(self.world, payload, prepare=prepare, under=under, replace=replace, **secrets)


def _copy_upload(world: World) -> Path:
    upload = world.root / "upload"
    upload.mkdir(exist_ok=True)
    (upload / "action.yml").write_text(_UPLOADING % json.dumps(str(world.root / _ARTIFACTS)))
    return upload


def act(
    world: World,
    payload: Mapping[str, Any],
    *,
    replace: Mapping[str, Path],
    job: str = "",
    prepare: Callable[[Path], None] = lambda _: None,
    under: Sequence[str] = (),
    **secrets: str,
) -> Job:
    """Do what the workflow says to an event, as :meth:`Consumer.act`; *replace* says where other actions are.

    With *job*, only that job runs.
    """
    upload, checkout = _copy_upload(world), world.checkout()
    prepare(checkout)
    environ = world.environment(checkout, payload)
    told = {name: environ[name] for name in ("GITHUB_API_URL", "GITHUB_SERVER_URL", "GITHUB_REPOSITORY")}
    kept = world.root / "secrets"
    kept.write_text("".join(f"{name}={value}\n" for name, value in (secrets | {"GITHUB_TOKEN": world.token}).items()))
    command = [
        *(*under, TOOLS / "act", environ["GITHUB_EVENT_NAME"], "--workflows", PLACE, "--json", "--no-cache-server"),
        *("--platform", "ubuntu-latest=-self-hosted", "--eventpath", environ["GITHUB_EVENT_PATH"]),
        *(
            word
            for name, place in {UPLOAD: upload, **replace}.items()
            for word in ("--local-repository", f"{name}={place}")
        ),
        *("--actor", payload["sender"]["login"], "--secret-file", kept, *(("--job", job) if job else ())),
        *(word for name, value in told.items() for word in ("--env", f"{name}={value}")),
    ]
    own = dict.fromkeys(("XDG_CACHE_HOME", "XDG_CONFIG_HOME"), str(world.root / "cache"))
    done = subprocess.run(
        command, cwd=checkout, env=os.environ | own, capture_output=True, text=True, check=False, timeout=300
    )
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return Job(done.stdout + done.stderr, rows)
