"""The virtual environment for generated projects: their own requirements, installed once for all workers."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from filelock import FileLock

from tests.repositories import phasebot

LOGIN = ("pwdlib[argon2]>=0.3,<1", "limits>=5.8,<6", "pyjwt>=2.15,<3", "python-multipart>=0.0.34")
"""What projects with passwords require besides what the blog does."""
EXAMPLES = Path(__file__).parents[2] / "bot" / "recipes" / "fastapi" / "examples"


def generate(spec: Path | str, folder: Path, *options: str) -> Path:
    """Generate a project with the built-in recipe and return its folder."""
    done = phasebot("generate", spec, "--repo", folder, *options)
    assert done.returncode == 0, done.stderr
    return folder


def run(folder: Path, *command: object, exit_code: int = 0, **environment: str) -> str:
    """Run a command in a project as its owner would; it must end with *exit_code*."""
    done = subprocess.run(
        [*map(str, command)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=570,
        env=environment or None,
    )
    assert done.returncode == exit_code, done.stdout[-6000:] + done.stderr[-3000:]
    return done.stdout


@contextmanager
def serving(project: Path, python: Path, database: str, **settings: str) -> Iterator[str]:
    """Serve a generated project, and give its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {"DATABASE_URL": database, "PATH": os.environ["PATH"], **settings}
    command = [str(python), "-m", "uvicorn", "main:app", "--port", str(port), "--log-level", "warning"]
    with subprocess.Popen(command, cwd=project, env=environment) as server:
        try:
            _wait_for(f"http://127.0.0.1:{port}/health")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


def _wait_for(url: str) -> None:
    for _ in range(200):
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.05)
    raise AssertionError(f"{url} did not answer")


@pytest.fixture(scope="session")
def blog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The blog, generated."""
    return generate(EXAMPLES / "blog.md", tmp_path_factory.mktemp("blog") / "blog")


@pytest.fixture(scope="session")
def python(tmp_path_factory: pytest.TempPathFactory, blog: Path, worker_id: str) -> Path:
    """The interpreter of a virtual environment that holds what generated projects require, and nothing of ours."""
    base = tmp_path_factory.getbasetemp()
    shared = (base if worker_id == "master" else base.parent) / "project-environment"
    with FileLock(f"{shared}.lock"):
        if not (shared / "ready").exists():
            run(blog, sys.executable, "-m", "venv", shared)
            run(blog, shared / "bin" / "pip", "install", "--quiet", "-r", "requirements-dev.txt", *LOGIN)
            (shared / "ready").touch()
    return shared / "bin" / "python"
