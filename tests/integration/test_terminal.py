"""What a person sees of a run on a terminal: real processes, a real pseudo-terminal."""

import re
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.gemini_server import KEY, Asked, Author, FakeGemini, Reply, error, retry_info
from tests.repositories import git, new_repository
from tests.terminal import Shown, run_in_terminal
from tests.unit.values import BLOG

_HERE = {"PYTHONPATH": str(Path(__file__).parents[2])}
_RUNNING = re.compile(r"\[\d+/10\] +entity/\S+ +\d+:\d\d  \S")


def generate(
    folder: Path,
    fake: FakeGemini | None = None,
    environ: Mapping[str, str] | None = None,
    **options: Any,  # noqa: ANN401  # those of run_in_terminal
) -> Shown:
    key = {"GEMINI_API_KEY": KEY, "GOOGLE_GEMINI_BASE_URL": fake.url} if fake else {"GEMINI_API_KEY": ""}
    command = [sys.executable, "-m", "bot", "generate", BLOG, "--repo", folder]
    return run_in_terminal(command, environ={**key, **(environ or {})}, **options)


def running_in(lines: Sequence[str]) -> Sequence[str]:
    return [line for line in lines if _RUNNING.match(line)]


@pytest.mark.parametrize("columns", [80, 200])
def test_running_phases_have_a_line_each_and_what_is_done_stays_above(tmp_path: Path, columns: int) -> None:
    with FakeGemini(Author(latency=3)) as fake:
        shown = generate(tmp_path / "blog", fake, columns=columns)

    assert shown.code == 0
    busiest = max((lines for _, lines in shown.frames), key=lambda lines: len(running_in(lines)))
    running = running_in(busiest)
    assert len(running) == 5, "the entities"
    below = busiest[busiest.index(running[-1]) + 1 :]
    assert below[0] == "2 waiting: migration, main"
    assert re.fullmatch(r"[23]/10 · 0:\d\d · about \d+ (s|min) left · \dk tokens · under \$0\.01", below[1])
    assert not any(below[2:])
    assert not running_in(shown.last), "all of it is gone at the end"
    assert not any(" waiting: " in line for line in shown.last)
    done = [line for line in shown.history if " committed " in line]
    assert len(done) == 10


@pytest.mark.slow
def test_forty_phases_fit_on_a_small_screen_and_the_last_lines_stay(tmp_path: Path) -> None:
    spec = "# Shop\n" + "".join(f"- Thing{number}: name string unique\n" for number in range(40))
    command = [sys.executable, "-m", "bot", "generate", spec, "--repo", "shop"]

    shown = run_in_terminal(command, cwd=tmp_path, environ={"GEMINI_API_KEY": "", **_HERE})

    assert shown.code == 0
    live = [lines for _, lines in shown.frames if re.match(r"\d+/45 ", next(filter(None, lines[::-1]), ""))]
    assert live, "the total is the last line of the screen"
    for lines in live:
        running = [index for index, line in enumerate(lines) if re.match(r"\[\d+/45\] +\S+ +\d+:\d\d  ", line)]
        assert running == [*range(running[0], running[0] + len(running))] if running else True, "one line each"
    assert any(len(line) == 80 and line.endswith("\u2026") for lines in live for line in lines), "cut, not wrapped"
    finished = [line for line in shown.history if " committed " in line]
    assert len(finished) == 45, "each phase is told once, and the live view has left nothing behind"
    last = [line for line in shown.last if line]
    assert "  cd shop" in last
    assert [line for line in last if line.startswith("complete: 45 of 45 phases")]


def test_the_last_lines_say_how_to_try_a_new_project(tmp_path: Path) -> None:
    shown = generate(tmp_path / "blog", cwd=tmp_path, environ=_HERE)

    assert [line for line in shown.last if line][-5:] == [
        "phasebot: try it:",
        "  cd blog",
        "  python3 -m venv .venv && .venv/bin/pip install -q -r requirements.txt",
        "  .venv/bin/uvicorn main:app --reload",
        "  # then open http://127.0.0.1:8000/docs",
    ]


def test_in_a_repository_with_other_work_the_branch_is_named_first(tmp_path: Path) -> None:
    shown = generate(new_repository(tmp_path / "shop"), cwd=tmp_path, environ=_HERE)

    last = [line for line in shown.last if line]
    assert last[-5:-3] == ["  cd shop", "  git switch phasebot/blog-api"]


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_who_wants_no_colours_gets_none(tmp_path: Path, name: str, value: str) -> None:
    shown = generate(tmp_path / "blog", environ={name: value})

    assert shown.code == 0
    assert not re.search(rb"\x1b\[[0-9;]*[34][0-9][;m]", shown.output)
    assert name != "TERM" or b"\x1b" not in shown.output


def test_no_colour_is_unreadable_on_a_light_ground(tmp_path: Path) -> None:
    with FakeGemini(Author(latency=0.2)) as fake:
        shown = generate(tmp_path / "blog", fake)

    codes = {code for found in re.findall(rb"\x1b\[([0-9;]+)m", shown.output) for code in found.split(b";")}
    assert codes <= {b"0", b"1", b"31"}, "bold and red only"


def test_ctrl_c_leaves_the_reason_and_the_next_step_at_the_end(tmp_path: Path) -> None:
    def interrupt(lines: Sequence[str], process: "subprocess.Popen[bytes]") -> None:
        if any(line.startswith("2/10 ") for line in lines):
            process.send_signal(signal.SIGINT)

    with FakeGemini(Author(latency=2)) as fake:
        shown = generate(tmp_path / "blog", fake, columns=120, at_frame=interrupt)

    assert shown.code == 130
    last = "".join(shown.last).replace(" ", "")  # the terminal breaks lines anywhere
    told = f"what was finished is committed, run 'phasebot generate --repo {tmp_path / 'blog'}' again to continue"
    assert last.endswith(told.replace(" ", ""))
    assert not running_in(shown.last)
    assert git(tmp_path / "blog", "log", "--format=%s", "-1").startswith("Generate ")


def test_notes_that_are_alike_are_one_line(tmp_path: Path) -> None:
    author, number = Author(), 0

    def answer(asked: Asked) -> Reply:
        nonlocal number
        number += 1
        return error(429, "slow down", "RESOURCE_EXHAUSTED", [retry_info(6)]) if number < 6 else author(asked)

    with FakeGemini(answer) as fake:
        shown = generate(tmp_path / "blog", fake, columns=100)

    assert shown.code == 0
    told = [line for line in shown.history if "trying again in" in line]
    assert len(told) == 2, told
    assert re.fullmatch(r"note: gemini-3.8-flash: .*429 slow down; trying again in [67] s", told[0])
    assert re.fullmatch(r"note: gemini-3.8-flash: .*429 slow down; trying again in [67] s \(\d times\)", told[1])
    live = {line for _, lines in shown.frames for line in lines if line.startswith("note \u00d7")}
    assert live, "meanwhile, they are one line below the phases"
