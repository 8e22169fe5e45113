"""The pictures of README.md show what Phasebot does now; ``python -m tests.pictures`` makes them again."""

import re
from pathlib import Path

import pytest

from tests.pictures import FOLDER, SEEN, session, settled, thread
from tests.pictures.page import text_of
from tests.pictures.strip import last_screen

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def test_the_readme_shows_every_picture_and_says_what_is_on_it() -> None:
    shown = re.findall(r'<img src="\.github/pictures/([\w.-]+)" alt="[^"]{40,}"', README)
    assert sorted(shown) == sorted(SEEN) == sorted(path.name for path in FOLDER.iterdir())


@pytest.mark.parametrize(
    ("name", "most"), [("run.svg", 150_000), ("issue.png", 200_000), ("pull-request.png", 200_000)]
)
def test_pictures_are_small(name: str, most: int) -> None:
    assert (FOLDER / name).stat().st_size <= most


def test_the_recording_needs_nothing_else_and_can_stand_still() -> None:
    drawn = (FOLDER / "run.svg").read_text(encoding="utf-8")
    assert re.findall(r"<script|<foreignObject|\son\w+=|href=\"[^#][^\"]*|url\(|@import", drawn) == []
    assert "prefers-reduced-motion: reduce" in drawn
    assert "prefers-color-scheme: dark" in drawn
    assert last_screen(drawn) in re.sub("&gt;", ">", drawn), "who can't see it reads the last screen in its description"


@pytest.mark.slow
def test_the_recording_ends_as_the_session_does_now(tmp_path: Path) -> None:
    film = session.play(tmp_path, latency=2.5, speed=1.0)
    recorded = last_screen((FOLDER / "run.svg").read_text(encoding="utf-8"))
    assert _ending(recorded) == _ending(film.frames[-1].text)


@pytest.mark.parametrize("name", ["issue.png", "pull-request.png"])
def test_the_pages_are_what_the_action_writes_now(tmp_path: Path, name: str) -> None:
    assert _rows(text_of((FOLDER / name).read_bytes())) == _rows(thread.play(tmp_path)[name].text)


def _ending(screen: str) -> list[str]:
    """Return what follows the list of phases, of which the screen shows only the last."""
    return _rows(screen[screen.index("complete: ") :])


def _rows(text: str) -> list[str]:
    """Return the rows sorted: what is generated at the same time is committed in any order."""
    return sorted(settled(text).split("\n"))
