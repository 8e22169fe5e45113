"""The virtual environment for generated projects: their own requirements, installed once for all workers."""

import subprocess
import sys
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
