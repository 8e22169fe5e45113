"""Thirty planted faults: which level finds each, and which phase it blames.

``PHASEBOT_GOLDEN=1`` writes the table `planted_faults.md` again; then read the difference.
"""

import json
import os
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from filelock import FileLock

from tests.gemini_client import run, spoiling
from tests.gemini_server import Asked, FakeGemini
from tests.recipes.planted import CHECKED, RUNNING, STATIC, Fault, plant_blog
from tests.repositories import commit, git, new_repository, phasebot

TABLE = Path(__file__).with_name("planted_faults.md")
REWRITES = bool(os.environ.get("PHASEBOT_GOLDEN"))
FAULTS = {each.name: each for each in (*CHECKED, *STATIC, *RUNNING)}
FOUND, RIGHT = 28, 27
"""How many of the thirty are to be found at least, and to be blamed on the right phase."""
_HEAD = """\
# Planted faults

Each fault is planted alone into a blog with logins, limits and a rule, as a person or a model would commit it.
*Checked*: refused before its commit; *assessed*: found without executing anything; *verified*: found by the project's
own checks and tests. Written by `test_planted_faults.py`.

| fault | file | level | found as | blamed | right |
|---|---|---|---|---|---|
"""


@pytest.fixture(scope="module")
def blog(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Generate the blog; once for all workers, and only when it is asked for."""
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "planted-blog"

    def make() -> Path:
        with FileLock(f"{shared}.lock"):
            if not (shared / "ready").exists():
                plant_blog(shared / "blog")
                (shared / "ready").touch()
        return shared / "blog"

    return make


def row(fault: Fault, level: str, found: Mapping[str, Sequence[str]]) -> str:
    """Return the line of the table for a fault: *found* has the rules that were broken, by phase."""
    rules = ", ".join(f"`{each}`" for each in sorted({rule for rules in found.values() for rule in rules}))
    right = "yes" if set(found) == {fault.phase} else f"no, it is `{fault.phase}`" if found else ""
    blamed = ", ".join(f"`{each}`" for each in sorted(found))
    return f"| {fault.name} | `{fault.path}` | {level} | {rules} | {blamed} | {right} |"


def hold(fault: Fault, line: str) -> None:
    """Compare a line of the table with what it was; ``PHASEBOT_GOLDEN=1`` puts it there."""
    if REWRITES:
        with FileLock(Path(tempfile.gettempdir(), "planted-faults.lock")):
            before = TABLE.read_text().splitlines() if TABLE.exists() else []
            known = (each for each in [*before, line] if each.startswith("| "))
            lines = {each.partition(" | ")[0]: each for each in known}
            TABLE.write_text(_HEAD + "\n".join(lines[f"| {name}"] for name in FAULTS if f"| {name}" in lines) + "\n")
    assert line in TABLE.read_text().splitlines(), fault.name


@pytest.mark.skipif(REWRITES, reason="the table is written again")
def test_of_thirty_faults_most_are_found_and_blamed_on_the_right_phase() -> None:
    lines = [re.split(r" ?\| ?", each)[1:-1] for each in TABLE.read_text().splitlines() if each.startswith("| ")][1:]

    assert [each[0] for each in lines] == [*FAULTS]
    assert len(lines) == 30
    assert sum(each[2] != "not found" for each in lines) >= FOUND
    assert sum(each[5] == "yes" for each in lines) >= RIGHT


def broken(fault: Fault, text: str) -> str:
    """Return the text of a file with the fault."""
    for old, new in fault.changes:
        assert text.count(old) >= 1, fault.name
        text = text.replace(old, new)
    return text


@pytest.mark.slow
@pytest.mark.parametrize("name", [each.name for each in CHECKED])
def test_what_a_model_must_not_write_is_refused_before_its_commit(name: str, tmp_path: Path) -> None:
    fault = FAULTS[name]

    def spoil(_asked: Asked, made: dict[str, str]) -> dict[str, str]:
        return {path: broken(fault, text) if path == fault.path else text for path, text in made.items()}

    with FakeGemini(spoiling(spoil)) as fake:
        phases = run(new_repository(tmp_path / "blog"), fake).state.phases

    found = {each.phase.key: [*each.reasons.values()] for each in phases if each.missing}
    hold(fault, row(fault, "checked" if found else "not found", found))


@pytest.mark.slow
@pytest.mark.parametrize("name", [each.name for each in (*STATIC, *RUNNING)])
def test_a_planted_fault_is_found_and_its_phase_is_blamed(
    name: str, blog: Callable[[], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault, source = FAULTS[name], blog()
    monkeypatch.setenv("XDG_CACHE_HOME", str(source.parent))  # packages are downloaded once
    git(tmp_path, "clone", "--quiet", "--branch", "phasebot/blog", str(source), "blog")
    folder = tmp_path / "blog"
    commit(folder, "Change it", {fault.path: broken(fault, (folder / fault.path).read_text())})

    level, found = "assessed", findings(folder, "assess")
    if not found:
        level, found = "verified", findings(folder, "verify")
    hold(fault, row(fault, level if found else "not found", found))


def findings(folder: Path, command: str) -> Mapping[str, Sequence[str]]:
    """Return what a command finds: phase → rules."""
    found: dict[str, list[str]] = {}
    for each in json.loads(phasebot(command, "--repo", folder, "--format", "json").stdout)["findings"]:
        found.setdefault(each["phase"], []).append(each["rule"])
    return found
