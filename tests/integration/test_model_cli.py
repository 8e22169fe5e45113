"""The command line with a model: keys, options and messages."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.gemini_client import SENTENCE, phasebot, spoiling
from tests.gemini_server import KEY, Asked, Author, FakeGemini, Reply, error
from tests.repositories import git, tree_of
from tests.unit.values import BLOG


def test_without_a_key_gemini_is_a_usage_error_that_names_the_variable(tmp_path: Path) -> None:
    done = phasebot("generate", SENTENCE, "--provider", "gemini", "--repo", tmp_path / "blog")

    assert done.returncode == 2
    assert "GEMINI_API_KEY" in done.stderr
    assert not (tmp_path / "blog").exists()


def test_with_a_key_gemini_is_the_default_and_without_one_the_templates(tmp_path: Path) -> None:
    (tmp_path / "note.md").write_text("# Blog\n\n- Note: text text\n")
    with FakeGemini(Author("# Blog\n\n- Note: text text\n")) as fake:
        done = phasebot("generate", tmp_path / "note.md", "--repo", tmp_path / "one", fake=fake)
        asked = len(fake.requests)
    phasebot("generate", tmp_path / "note.md", "--repo", tmp_path / "two")

    assert (done.returncode, asked) == (0, 5)
    assert "7,500 tokens, about $0.0" not in done.stderr
    assert "7,500 tokens, about $0.0131 (estimate)" in done.stdout
    assert tree_of(tmp_path / "one") == tree_of(tmp_path / "two")


def test_the_plan_command_plans_prose_and_writes_nothing(tmp_path: Path) -> None:
    with FakeGemini(Author()) as fake:
        done = phasebot("plan", SENTENCE, fake=fake)

    assert done.returncode == 0, done.stderr
    assert "entities:\n  User:\n    username: string unique\n" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_prose_without_a_model_is_a_usage_error(tmp_path: Path) -> None:
    done = phasebot("generate", SENTENCE, "--repo", tmp_path / "blog")

    assert done.returncode == 2
    assert "it contains no entities" in done.stderr


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--model", "../x"), "model '../x' is not a valid model name"),
        (("--fallback-model", "a b"), "model 'a b' is not a valid model name"),
        (("--max-tokens", "0"), "--max-tokens"),
        (("--fallback", "other"), "--fallback"),
    ],
)
def test_impossible_options_are_usage_errors(tmp_path: Path, options: tuple[str, str], reason: str) -> None:
    with FakeGemini(Author()) as fake:
        done = phasebot("generate", BLOG, "--repo", tmp_path / "blog", *options, fake=fake)

    assert done.returncode == 2
    assert reason in done.stderr
    assert fake.requests == []


def test_the_models_and_the_thinking_level_are_options(tmp_path: Path) -> None:
    def script(asked: Asked) -> Reply:
        return error(404) if asked.model == "one" else author(asked)

    author = Author("- Note: text text\n")
    options = ("--model", "one", "--fallback-model", "two", "--thinking", "low", "--jobs", "1")
    with FakeGemini(script) as fake:
        done = phasebot("generate", "- Note: text text\n", "--repo", tmp_path / "x", *options, fake=fake)

    assert done.returncode == 0, done.stderr
    assert [asked.model for asked in fake.requests] == ["one", "two", "two", "two", "two", "two"]
    assert fake.requests[0].body["generationConfig"]["thinkingConfig"] == {"thinking_level": "LOW"}
    assert "one: unknown model" in done.stderr


def test_no_child_process_log_or_commit_sees_the_key(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    shim = tmp_path / "bin" / "git"
    shim.parent.mkdir()
    real = subprocess.run(["which", "git"], capture_output=True, text=True, check=True).stdout.strip()
    shim.write_text(f'#!/bin/sh\n(env; echo "$@") >>{seen}\nexec {real} "$@"\n')
    shim.chmod(0o755)
    path = f"{shim.parent}:{os.environ['PATH']}"

    with FakeGemini(spoiling(lambda asked, made: error(500, KEY) if asked.number < 3 else made)) as fake:
        done = phasebot("generate", BLOG, "--repo", tmp_path / "b", fake=fake, PATH=path, GOOGLE_API_KEY=KEY)
        assert {asked.key for asked in fake.requests} == {KEY}

    assert done.returncode == 0, done.stderr
    assert "fast-import" in seen.read_text()
    for told in (seen.read_text(), done.stdout, done.stderr, git(tmp_path / "b", "log", "-p", "--all")):
        assert KEY not in told


def test_a_spent_budget_is_told_once_and_is_incomplete(tmp_path: Path) -> None:
    with FakeGemini(Author()) as fake:
        done = phasebot("generate", BLOG, "--repo", tmp_path / "blog", "--max-tokens", "4500", fake=fake)

    assert done.returncode == 3
    assert done.stderr.count("tokens are used") == 1
    assert done.stderr.endswith(f"run 'phasebot generate --repo {tmp_path / 'blog'}' again with --max-tokens 14000\n")


def test_files_that_fail_for_one_reason_are_told_together(tmp_path: Path) -> None:
    author = Author()
    with FakeGemini(lambda asked: error(400, "no") if author.phase(asked) == "entity/Tag" else author(asked)) as fake:
        done = phasebot("generate", BLOG, "--repo", tmp_path / "blog", "--fallback-model", "", fake=fake)

    layers = ["app/models/tag.py", "app/schemas/tag.py", "app/repositories/tag_repository.py", "app/routers/tags.py"]
    files = ", ".join([*layers, "tests/samples/tag.py", "tests/test_tag.py"])
    assert (
        "      all 6 files: gemini-3.8-flash: request rejected: 400 no; run generate again with another --model\n"
        in done.stderr
    )
    why = "request rejected (6 files): run generate again with another --model\n"
    told = why.replace("generate", f"`phasebot generate --repo {tmp_path / 'blog'} --fallback-model ''`")
    assert done.stderr.endswith(f"phasebot: not generated yet: entity/Tag, migration, main; {told}")
    status = phasebot("status", "--repo", tmp_path / "blog", fake=fake).stdout
    assert status.endswith(f"\nnot generated: {why}")
    assert f"missing: {files} (request rejected)\n" in status


@pytest.mark.parametrize("key", ["k", "test"])
def test_a_word_as_the_key_costs_no_file_and_no_message_and_is_told_once(tmp_path: Path, key: str) -> None:
    with FakeGemini(Author()) as fake:
        done = phasebot("generate", BLOG, "--repo", tmp_path / "blog", fake=fake, GEMINI_API_KEY=key)
        asked = len(fake.requests)

    assert (done.returncode, asked) == (0, 9), done.stderr
    assert done.stderr.count("which are too few for a key") == 1
    assert f"note: GEMINI_API_KEY has {len(key)} characters, which are too few for a key: " in done.stderr
    assert "***" not in done.stdout + done.stderr
