"""What a model wrote is assessed before its commit: it mends errors once, and those that are left are told."""

import re
from pathlib import Path

import pytest

from bot.engine.reviewer import Reviewer
from tests.gemini_client import TEN, body_of, commits, phasebot, run, spoiling
from tests.gemini_server import Asked, Author, FakeGemini
from tests.repositories import Recorder, new_repository, tree_of
from tests.unit.values import BLOG

_MODEL = "app/models/post.py"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return new_repository(tmp_path / "blog")


def wrong(texts: dict[str, str], path: str, old: str, new: str) -> dict[str, str]:
    """Break a file, if it is there."""
    if path in texts:
        assert old in texts[path]
        texts[path] = texts[path].replace(old, new)
    return texts


def test_an_error_is_mended_before_the_commit(folder: Path, tmp_path: Path) -> None:
    def spoil(asked: Asked, made: dict[str, str]) -> dict[str, str]:
        return wrong(made, _MODEL, '"users.id"', '"tags.id"') if len(asked.paths) > 1 else made

    with FakeGemini(spoiling(spoil)) as fake:
        assert run(folder, fake).state.complete
        again = [asked for asked in fake.requests if asked.paths == (_MODEL,)]
    with FakeGemini(Author()) as fake:
        run(new_repository(tmp_path / "whole"), fake)

    assert tree_of(folder) == tree_of(tmp_path / "whole")
    assert len(again) == 1
    assert "Post.author_id refers to 'tags.id'; by the plan it is 'users.id'" in again[0].prompt
    assert "Phasebot-Findings: given=1 left=0" in body_of(folder, "entity/Post")
    assert "Findings given to the model: 1, left: 0." in body_of(folder, "entity/Post")


def test_what_only_shows_in_another_file_is_mended_by_the_phase_that_brings_it(folder: Path) -> None:
    def spoil(asked: Asked, made: dict[str, str]) -> dict[str, str]:
        if "as you wrote them" in asked.prompt:
            return made
        return wrong(made, "app/api.py", "from app.routers.tags import", "from app.routers.posts import")

    with FakeGemini(spoiling(spoil)) as fake:
        outcome = run(folder, fake)
        again = [asked for asked in fake.requests if "app/api.py" in asked.paths]

    assert len(again) == 2
    assert "- app/routers/tags.py: nothing imports it" in again[1].prompt
    assert not any(each.findings_left for each in outcome.state.phases)


def test_errors_that_are_left_are_told_by_the_run_and_later_by_status(folder: Path) -> None:
    def spoil(_: Asked, made: dict[str, str]) -> dict[str, str]:
        return wrong(made, _MODEL, '"users.id"', '"tags.id"')

    announcer = Recorder()
    with FakeGemini(spoiling(spoil)) as fake:
        outcome = run(folder, fake, announcer=announcer)

    assert commits(folder) == TEN, "they block nothing"
    assert "Phasebot-Findings: given=1 left=1" in body_of(folder, "entity/Post")
    assert announcer.last
    [left] = announcer.last.findings["entity/Post"]
    assert left.message == "Post.author_id refers to 'tags.id'; by the plan it is 'users.id'"
    assert [each.phase.key for each in outcome.state.phases if each.findings_left] == ["entity/Post"]
    assert "errors left: 1" in phasebot("status", "--repo", folder).stdout


def test_errors_that_are_left_are_told_on_the_command_line(tmp_path: Path) -> None:
    def spoil(_: Asked, made: dict[str, str]) -> dict[str, str]:
        return wrong(made, _MODEL, '"users.id"', '"tags.id"')

    with FakeGemini(spoiling(spoil)) as fake:
        done = phasebot("generate", BLOG, "--repo", tmp_path / "blog", fake=fake)

    assert done.returncode == 0
    assert re.search(r"entity/Post  .*errors left: 1\n", done.stderr)
    assert re.search(r"      app/models/post\.py:\d+: Post\.author_id refers to 'tags\.id'; by the plan", done.stderr)


def test_a_review_that_fails_is_told_and_costs_no_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("out of luck")

    monkeypatch.setattr(Reviewer, "_assess", fail)
    announcer = Recorder()
    with FakeGemini(Author()) as fake:
        assert run(folder, fake, announcer=announcer).state.complete

    told = "core: it could not be assessed before its commit: RuntimeError: out of luck"
    assert told in announcer.notes
