"""Runs with a model: the real client against the loopback service, with short waits, and helpers to check them."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from pydantic import SecretStr

from bot.engine.requests import RunRequest, RunResult
from bot.engine.runner import Runner
from bot.generation.fallback_provider import FallbackProvider
from bot.generation.llm.gemini import GeminiModel
from bot.generation.llm.planner import Planner
from bot.generation.llm.provider import LlmProvider
from bot.generation.llm.retry import RetryingClient
from bot.generation.llm.retry_policy import Timeouts
from bot.generation.llm.token_budget import TokenBudget
from bot.generation.provider import Provider
from bot.generation.templates import TemplateProvider
from bot.planning.resolved_plan import ProseSpec, resolve_spec
from bot.settings import GeminiSettings
from tests.gemini_server import KEY, Asked, Author, FakeGemini, Reply, files
from tests.repositories import Recorder, git, open_run, picture
from tests.unit.values import BLOG

SENTENCE = "A small blog: users write posts, others comment on them, and posts have tags."
TIMEOUTS = Timeouts(request=20.0, total=60.0, first_wait=0.01, longest_wait=1.0)
MODELS = ("gemini-3.8-flash", "gemini-3.7-flash")


def run(
    folder: Path,
    fake: FakeGemini,
    *,
    spec: str | None = BLOG,
    request: RunRequest | None = None,
    fallback: bool = False,
    stop: asyncio.Event | None = None,
    announcer: Recorder | None = None,
) -> RunResult:
    """Start or continue the run ``blog`` in this process, with the real client."""
    request = request or RunRequest()
    announcer = announcer or Recorder()
    first = resolve_spec(spec, source="the spec", project="blog", recipe="fastapi", output_dir=".") if spec else None
    opened = open_run(folder)
    opened.writer.start_repository()
    budget = TokenBudget(request.max_tokens, opened.branch.token_counts)

    async def work() -> RunResult:
        settings = GeminiSettings(SecretStr(KEY), fake.url)
        async with GeminiModel(settings, thinking="medium", timeouts=TIMEOUTS) as gemini:
            client = RetryingClient(
                gemini, MODELS, budget=budget, jobs=request.jobs, timeouts=TIMEOUTS, notify=announcer.note
            )
            provider: Provider = LlmProvider("gemini", client, budget, secrets=[KEY])
            runner = Runner(
                run=opened,
                provider=FallbackProvider(provider, TemplateProvider()) if fallback else provider,
                announcer=announcer,
                request=replace(request, spec=first),
                propose_plan=partial(Planner(client, budget).plan, first) if isinstance(first, ProseSpec) else None,
                budget=budget,
                timer=time.monotonic,
            )
            return await runner.work(stop or asyncio.Event())

    return asyncio.run(work())


def commits(folder: Path) -> list[str]:
    """Return subject, status and what else the trailers tell of each commit, sorted by the place in the plan."""
    rows = picture(folder).partition("\n--\n")[0].split("\n")
    return sorted(
        (row for row in rows if row.startswith("Generate")),
        key=lambda row: int(row.partition("[")[2].partition("/")[0]),
    )


def body_of(folder: Path, phase: str) -> str:
    """Return the newest message of a phase."""
    return "\n" + git(folder, "log", "-1", "--format=%B", f"--grep=^Phasebot-Phase: {phase}$", "phasebot/blog") + "\n"


TEN = [
    "Generate plan [1/10]  complete",
    "Generate core [2/10]  complete",
    "Generate entity User [3/10]  complete",
    "Generate entity Post [4/10]  complete",
    "Generate entity Comment [5/10]  complete",
    "Generate entity Tag [6/10]  complete",
    "Generate entity PostTag [7/10]  complete",
    "Generate migration [8/10]  complete",
    "Generate support files [9/10]  complete",
    "Generate main application [10/10]  complete",
]


def spoiling(spoil: Callable[[Asked, dict[str, str]], Mapping[str, str] | Reply]) -> Callable[[Asked], Reply]:
    """Answer as the perfect model, but for what *spoil* makes of the files."""
    author = Author()

    def script(asked: Asked) -> Reply:
        if not asked.paths:
            return author(asked)
        made = spoil(asked, author.texts(asked.paths))
        return made if isinstance(made, Reply) else files(made)

    return script


def phasebot(
    *arguments: object, fake: FakeGemini | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the command line with the service in its environment."""
    whole = os.environ | (fake.environment if fake else {}) | environment
    command = [sys.executable, "-m", "bot", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=whole, timeout=120)
