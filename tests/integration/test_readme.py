"""README.md and the documents that it leads to: what they show is run, and their tables are compared with the code.

``PHASEBOT_GOLDEN=1`` writes what sessions print now into README.md.
"""

import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

import click
import pytest

from bot.cli.main import cli
from bot.forge.comment_command import USAGE
from tests.documents import DOCS, DOCUMENTS, README, ROOT, Block, anchors, blocks, links, replace_block, rows
from tests.pictures import settled
from tests.repositories import phasebot_here

TOOLS = Path(sys.executable).parent
EXAMPLE = ROOT / "bot" / "recipes" / "fastapi" / "examples" / "blog.md"
SESSIONS = blocks(README, "console")
WIDEST = 90
"""Characters of code that GitHub shows in a README without a scroll bar, on a usual screen."""
GOLDEN = os.environ.get("PHASEBOT_GOLDEN") == "1"


def run(command: str, folder: Path, **environment: str) -> str:
    """Run a command line, and return all that it prints."""
    path = f"{TOOLS}{os.pathsep}{os.environ['PATH']}"
    told = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=os.environ | {"PATH": path} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=600,
    )
    return told.stdout


# ---- sessions


@pytest.fixture
def blog(tmp_path: Path) -> Path:
    """The repository that README.md lets people make first."""
    made = phasebot_here("generate", EXAMPLE, "--repo", tmp_path / "blog")
    assert made.returncode == 0, made.stderr
    return tmp_path / "blog"


def play(sessions: list[Block], folder: Path) -> list[Block]:
    """Run every command, and return the sessions as they are now; in the order of README.md where they say the same."""
    return [
        each._replace(text="".join(_told(command, shown, run(command, folder)) for command, shown in each.session))
        for each in sessions
    ]


def _told(command: str, shown: str, told: str) -> str:
    # What is generated at the same time comes in any order.
    same = sorted(settled(shown).split("\n")) == sorted(settled(told).split("\n"))
    return f"$ {command}\n{shown if same else told}"


def _without(sessions: list[Block], command: str) -> list[Block]:
    return [each for each in sessions if not any(command in line for line, _ in each.session)]


def _compare(shown: list[Block], now: list[Block]) -> None:
    if GOLDEN:
        for before, after in reversed([*zip(shown, now, strict=True)]):
            replace_block(README, before, after.text)
        return
    assert [each.text for each in shown] == [each.text for each in now]


def test_sessions_print_what_the_readme_shows(blog: Path) -> None:
    shown = _without(SESSIONS, "verify")
    assert len(shown) >= 4
    _compare(shown, play(shown, blog))


@pytest.mark.slow
def test_all_sessions_print_what_the_readme_shows_with_those_that_install(blog: Path) -> None:
    _compare(SESSIONS, play(SESSIONS, blog))


# ---- commands to copy


@pytest.mark.slow
def test_the_commands_of_the_readme_make_an_api_that_answers(tmp_path: Path) -> None:
    make, serve, alone = (each.text for each in blocks(README, "sh"))
    begun, _, server = serve.rstrip("\n").rpartition("\n")
    port = str(_free_port())
    environment = os.environ | {"URL": ROOT.as_uri(), "UVICORN_PORT": port, "PATH": f"{_with_pipx(tmp_path)}"}
    script = f"set -e\n(\n{alone})\n(\n{make})\ncd phasebot\n{begun}\nexec {server}\n"

    with subprocess.Popen(["bash", "-c", script], cwd=tmp_path, env=environment, process_group=0) as process:
        try:
            page = _answer(f"http://127.0.0.1:{port}/docs", process)
        finally:
            process.terminate()

    assert "swagger" in page.lower()
    assert (tmp_path / "notes" / "app" / "models" / "note.py").exists()
    assert (tmp_path / "tags" / "app" / "models" / "tag.py").exists()


def _with_pipx(folder: Path) -> str:
    """Return a search path with uv, and with pipx, which uv runs where it is not installed."""
    bin_folder = folder / "bin"
    bin_folder.mkdir()
    for name in ("uv", "uvx"):
        (bin_folder / name).symlink_to(TOOLS / name)
    if not shutil.which("pipx"):
        (bin_folder / "pipx").write_text(f'#!/bin/sh\nexec {TOOLS / "uvx"} --quiet pipx "$@"\n')
        (bin_folder / "pipx").chmod(0o755)
    return f"{bin_folder}{os.pathsep}{os.environ['PATH']}"


def _free_port() -> int:
    import socket

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _answer(url: str, process: subprocess.Popen[bytes]) -> str:
    while process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=10) as page:
                return str(page.read().decode())
        except urllib.error.URLError:
            time.sleep(0.5)
    raise AssertionError(f"the commands ended with exit code {process.returncode}")


def test_what_people_copy_is_not_wider_than_the_page() -> None:
    copied = [
        line
        for language in ("sh", "markdown", "")
        for each in blocks(README, language)
        for line in each.text.split("\n")
    ]
    copied += [command for each in SESSIONS for command, _ in each.session]
    assert [line for line in copied if len(line) > WIDEST] == []


def test_the_readme_shows_the_example_and_its_diagram() -> None:
    assert EXAMPLE.read_text() in [each.text for each in blocks(README, "markdown")]
    now = phasebot_here("plan", EXAMPLE, "--format", "mermaid").stdout
    (diagram,) = blocks(README, "mermaid")
    if GOLDEN and diagram.text != now:
        replace_block(README, diagram, now)
    assert diagram.text == now


# ---- tables


def commands() -> Mapping[str, click.Command]:
    return {name: each for name, each in cli.commands.items() if not each.hidden}


@pytest.mark.parametrize("document", [README, DOCS / "commands.md"], ids=["README", "commands"])
def test_every_command_has_a_row(document: Path) -> None:
    told = [re.findall(r"`phasebot (\w+)", cells[0]) for cells in rows(document, "command")]
    assert {name for names in told for name in names} == set(commands())


def test_every_option_has_a_row_that_names_its_commands() -> None:
    told: dict[str, set[str]] = {name: set() for name in commands() if name != "action"}
    for options, of, _ in rows(DOCS / "commands.md", "option"):
        named = re.findall(r"`([\w-]+)`", of)
        for name in (set(told) - set(named)) if of.startswith("all but") else named:
            told[name] |= set(re.findall(r"(?<![\w-])--[a-z][\w-]*", options.replace("/", " ")))
    assert told == {
        name: {option for each in command.params for option in (*each.opts, *each.secondary_opts) if option[0] == "-"}
        for name, command in commands().items()
        if name in told
    }


def test_every_comment_command_has_a_row() -> None:
    short = [cells[0] for cells in rows(README, "comment")]
    assert [re.findall(r"`/(\w+)", each)[0] for each in short] == list(USAGE)
    for cells, usage in zip(rows(DOCS / "github.md", "comment"), USAGE.values(), strict=True):
        assert set(re.findall(r"--\w[\w-]*", cells[0])) == set(re.findall(r"--\w[\w-]*", usage)), usage


def test_every_exit_code_has_a_meaning() -> None:
    told = [int(cells[0]) for cells in rows(DOCS / "commands.md", "exit code")]
    assert told == [int(each) for each in re.findall(r"\b(\d+) [a-z]", _paragraph("Exit codes: "))] == [0, 1, 2, 3, 130]


def _paragraph(begin: str) -> str:
    return README.read_text().partition(begin)[2].partition(".")[0]


# ---- links


def _links() -> Iterator[tuple[Path, str, str]]:
    for document in DOCUMENTS:
        for path, anchor in links(document):
            yield document, path, anchor


def test_links_lead_to_files_and_headings_that_exist() -> None:
    broken = [
        f"{document.relative_to(ROOT)}: {path}#{anchor}"
        for document, path, anchor in _links()
        if not (target := (document.parent / path if path else document)).exists()
        or (anchor and anchor not in anchors(target))
    ]
    assert broken == []


def test_nothing_is_named_that_does_not_exist_yet() -> None:
    assert [
        each.name for each in DOCUMENTS if re.search(r"phasebot@v\d|pip install phasebot\b", each.read_text())
    ] == []
