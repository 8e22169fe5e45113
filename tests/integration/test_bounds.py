"""Runs with hostile recipes and answers: each costs only its own file, and the run stays responsive."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.generation.llm.client import ModelRequest, ModelResponse
from bot.generation.llm.provider import LlmProvider
from bot.generation.llm.token_budget import TokenBudget
from bot.generation.provider import GenerationResult, Tokens
from bot.generation.templates import PhaseRenderer
from bot.sandbox import worker as module
from bot.sandbox.process import Limits
from bot.sandbox.worker import Worker
from tests.gemini_server import KEY, Asked, Author, FakeGemini, Reply, files
from tests.repositories import commit, git, new_repository, phasebot_here, planned
from tests.unit.test_llm_provider import ScriptedModel, client_of, wanted_of
from tests.unit.test_template_limits import HOSTILE
from tests.unit.values import BLOG, SMALL_TEMPLATES, write_recipe

_SLOW = "a;" * 490_000 + "\n"
"""Python that takes seconds to parse."""
_AUTHOR = Author()
_TAG = _AUTHOR.request("entity/Tag")
_POISONED = _TAG.paths[1]


def _answer(question: ModelRequest) -> ModelResponse:
    contents = _AUTHOR.texts(wanted_of(question)) | {_POISONED: _SLOW}
    return ModelResponse(
        json.dumps({"files": [{"path": path, "content": contents[path]} for path in wanted_of(question)]}), Tokens(9, 9)
    )


def _provider(worker: Worker) -> tuple[LlmProvider, ScriptedModel]:
    model, budget = ScriptedModel(lambda *asked: _answer(asked[2])), TokenBudget()
    return LlmProvider("gemini", client_of(model, budget=budget), budget, secrets=[KEY], worker=worker), model


# ---- answers of a model


def test_a_file_that_takes_too_long_to_check_spoils_only_itself_and_the_event_loop_goes_on() -> None:
    worker, beats = Worker(Limits(seconds=3, megabytes=4096)), 0

    async def beat() -> None:
        nonlocal beats
        while True:
            await asyncio.sleep(0.01)
            beats += 1

    async def work() -> GenerationResult:
        heart = asyncio.create_task(beat())
        made = await _provider(worker)[0].generate(_TAG)
        heart.cancel()
        return made

    made = asyncio.run(work())
    worker.close()

    assert made.files == _AUTHOR.texts([path for path in _TAG.paths if path != _POISONED])
    assert made.missing == {_POISONED: "its check failed: it took longer than 3 s"}
    assert {reason.code for reason in made.missing.values()} == {"unfit"}  # type: ignore[attr-defined]
    assert beats >= 30


def test_a_run_that_is_stopped_does_not_wait_for_a_check_that_takes_long() -> None:
    worker = Worker(Limits(seconds=600))

    async def work() -> None:
        provider, model = _provider(worker)
        working = asyncio.create_task(provider.generate(_TAG))
        while not model.asked:
            await asyncio.sleep(0.01)
        working.cancel()
        await working

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(asyncio.wait_for(work(), 60))
    worker.close()


def test_a_stopped_run_keeps_the_files_of_an_answer_that_is_checked_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_GRACE", 60)  # for a busy machine

    def script(_number: int, _model: str, question: ModelRequest) -> ModelResponse:
        asyncio.get_running_loop().call_later(0.01, working[0].cancel)
        texts = _AUTHOR.texts(wanted_of(question))
        return ModelResponse(
            json.dumps([{"path": path, "content": text} for path, text in texts.items()]), Tokens(9, 9)
        )

    async def work() -> GenerationResult:
        budget = TokenBudget()
        client = client_of(ScriptedModel(script), budget=budget)
        working.append(asyncio.create_task(LlmProvider("gemini", client, budget, secrets=[KEY]).generate(_TAG)))
        return await working[0]

    working: list[asyncio.Task[GenerationResult]] = []
    made = asyncio.run(work())

    assert made.files == _AUTHOR.texts(_TAG.paths)
    assert made.model == "first"


@pytest.mark.slow
def test_a_signal_ends_a_run_while_answers_are_checked(tmp_path: Path) -> None:
    def slow(asked: Asked) -> Reply:
        return files(dict.fromkeys(asked.paths, _SLOW))

    repository = new_repository(tmp_path / "blog")
    (tmp_path / "blog.md").write_text(BLOG)
    with FakeGemini(slow) as fake:
        command = [sys.executable, "-m", "bot", "generate", str(tmp_path / "blog.md"), "--repo", str(repository)]
        with subprocess.Popen(command, env=os.environ | fake.environment, stderr=subprocess.PIPE, text=True) as process:
            while not fake.requests:
                assert process.poll() is None
            process.send_signal(signal.SIGTERM)
            _, told = process.communicate(timeout=30)  # all checks together would take minutes

    assert process.returncode == 130, told
    assert "stopped as asked" in told


# ---- recipes


def _generate(folder: Path, *options: object) -> subprocess.CompletedProcess[str]:
    spec, recipe = folder.parent / "blog.md", folder.parent / "recipe"
    spec.write_text(BLOG)
    return phasebot_here("generate", spec, "--repo", folder, "--recipe", recipe, *options)


def test_a_template_that_needs_too_much_costs_its_files_and_says_so(tmp_path: Path) -> None:
    hostile = (HOSTILE / "memory" / "format-method.j2").read_text()
    write_recipe(tmp_path / "recipe", templates=SMALL_TEMPLATES | {"readme.j2": hostile})

    done = _generate(tmp_path / "blog")

    assert done.returncode == 3
    assert git(tmp_path / "blog", "ls-tree", "-r", "--name-only", "phasebot/blog-api").split("\n") == [
        *(".gitignore", ".phasebot/plan.yaml", ".phasebot/spec.md", "app/core.py"),
        *(f"app/models/{name}.py" for name in ("comment", "post", "post_tag", "tag", "user")),
        *(f"app/routers/{name}.py" for name in ("comments", "post_tags", "posts", "tags", "users")),
        "main.py",
    ]
    assert "not generated yet: support; the template failed (1 file): correct the recipe's template" in done.stderr
    assert "template readme.j2: it needs more than 512 MB" in done.stderr


def test_a_template_that_needs_too_long_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hostile = (HOSTILE / "time" / "nested-ranges.j2").read_text()
    write_recipe(tmp_path / "recipe", templates=SMALL_TEMPLATES | {"readme.j2": hostile})
    quick = Worker(Limits(seconds=0.5))
    monkeypatch.setattr("bot.generation.templates.shared_worker", lambda: quick)

    done = _generate(tmp_path / "blog")
    quick.close()

    assert done.returncode == 3
    assert "template readme.j2: it took longer than 0.5 s" in done.stderr


def test_a_template_that_breaks_limits_is_rendered_for_merges_only_a_few_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile = (HOSTILE / "memory" / "join.j2").read_text()
    recipe = write_recipe(tmp_path / "recipe", templates=SMALL_TEMPLATES | {"model.j2": hostile})
    plan = planned(BLOG, tmp_path / "recipe")
    tried: list[str] = []

    class Counting(Worker):
        def run(
            self, task: str, shared: object, items: Sequence[object], call: module._Call | None = None
        ) -> Sequence[object]:
            tried.extend(str(item) for item in items)
            return super().run(task, shared, items, call)

    quick = Counting(Limits(megabytes=128))
    monkeypatch.setattr("bot.generation.templates.shared_worker", lambda: quick)
    render = PhaseRenderer()
    made = [render(plan, phase) for phase in plan.phases if phase.key.startswith("entity/")]
    quick.close()

    assert recipe.name == "small"
    assert [len(files) for files in made] == [1] * 5
    assert len([name for name in tried if "model.j2" in name]) == 2


# ---- who needs no worker


def test_commands_that_render_nothing_start_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_recipe(tmp_path / "recipe")
    assert _generate(tmp_path / "blog").returncode == 0

    def refuse(*_: object) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr(module, "Process", refuse)
    repository = tmp_path / "blog"
    for arguments in (
        *(["--help"], ["generate", "--help"]),
        *(["status", "--repo", repository], ["plan", tmp_path / "blog.md"]),
        ["rollback", "main", "--repo", repository],
    ):
        assert phasebot_here(*arguments).returncode == 0


# ---- plan files


_LARGE = "[" + "a, " * 66_000 + "]"


@pytest.mark.parametrize(
    "broken",
    [
        f"entities: {{Post: {_LARGE}}}\n",
        "project: x\nentities: [" + "{a: b}, " * 25_000 + "]\n",
        "project: x\nentities:\n" + "".join(f"  E{number}:\n    a: string\n" for number in range(18_000)),
    ],
    ids=["list", "mappings", "lines"],
)
def test_a_plan_file_with_very_many_values_is_refused_with_a_remedy(tmp_path: Path, broken: str) -> None:
    write_recipe(tmp_path / "recipe")
    _generate(tmp_path / "blog")
    git(tmp_path / "blog", "checkout", "--quiet", "phasebot/blog-api")
    made = commit(tmp_path / "blog", "Make it large", {".phasebot/plan.yaml": broken})

    done = phasebot_here("generate", "--repo", tmp_path / "blog")

    assert done.returncode == 2
    assert f"the plan .phasebot/plan.yaml at commit {made[:10]}, line " in done.stderr
    assert "it has more than 50,000 keys and values; split the project" in done.stderr
