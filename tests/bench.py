"""The benchmark: ``python -m tests.bench``.  Figures are ratios within one run, so a slow machine changes little.

``--readme`` also writes some of them into README.md, with today's date: run it on a machine that does nothing else.
Repositories lie in memory where the system has ``/dev/shm``: a virtual disk's mkdir would hide the differences.
"""

import argparse
import asyncio
import itertools
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bot.engine.requests import RunRequest
from bot.generation.llm.prompts import files_request
from bot.generation.provider import GenerationRequest, GenerationResult
from bot.generation.templates import TemplateProvider
from bot.history.checkout import OpenRun
from bot.history.commits import PhaseCommit
from bot.history.fast_import import NewCommit, format_stream
from bot.history.trailers import Trailers, format_message
from bot.planning.phases import Phase
from tests.documents import README, write_between
from tests.gemini_client import SENTENCE, phasebot
from tests.gemini_server import Author, FakeGemini
from tests.repositories import House, ScriptedProvider, clone, git, new_origin, new_repository, open_run, planned
from tests.unit.values import BLOG, run_here

_FILE = "".join(f"line {number} of a generated file\n" for number in range(60))
_WHO = "Ada <ada@example.com> 1763900000 +0000"


_QUOTED = {
    "phase commit ÷ bare fast-import, 20,000 files": "Commit of a phase among 20,000 files ÷ by git alone",
    "phase 500 ÷ phase 5": "Commit of phase 500 ÷ of phase 5",
    "the same for bare fast-import": "The same by git alone",
    "wall time ÷ critical path, 2 s a phase, pushed": "Time of a run, 2 s a phase ÷ of its longest chain",
    "requests for finished phases on resume": "Model requests for finished phases when a run continues",
    "requests for the blog from a sentence": "Model requests for the blog, ten phases, from a sentence",
}
_FIGURES: dict[str, float] = {}


def main() -> None:
    """Print every figure beside its goal."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure Phasebot.")
    parser.add_argument("--readme", action="store_true", help="write figures into README.md, too")
    options = parser.parse_args()
    measure()
    if options.readme:
        lines = [f"Measured on {datetime.now(UTC):%d %B %Y} with `python -m tests.bench`:".replace(" 0", " "), ""]
        lines += ["| | |", "|---|---:|", *(f"| {words} | {_FIGURES[name]:.4g} |" for name, words in _QUOTED.items())]
        write_between(README, "<!-- figures -->", "<!-- end of figures -->", "\n".join(lines))


def measure() -> None:
    """Measure and print everything."""
    os.environ |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.com"}
    os.environ |= {"GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.com"}
    shared = Path("/dev/shm")  # noqa: S108  # the system's memory, for a folder of our own in it
    with tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None) as scratch:
        root = Path(scratch)
        empty = commit_times(root / "empty", phases=40)
        full = commit_times(root / "full", phases=40, tree=20_000)
        long = commit_times(root / "long", phases=500)
        early, late = slice(2, 12), slice(490, 500)
        tell("phase commit ÷ bare fast-import, empty repository", ratio(empty), "≤ 1.3")
        tell("phase commit ÷ bare fast-import, 20,000 files", ratio(full), "≤ 1.3")
        tell("20,000 files ÷ empty", median(full[0]) / median(empty[0]), "≤ 1.3")
        tell("phase 500 ÷ phase 5", median(long[0][late]) / median(long[0][early]), "≤ 1.3")
        tell("the same for bare fast-import", median(long[1][late]) / median(long[1][early]), "")
        tell("ms of a phase commit, empty repository", median(empty[0]) * 1000, "")
        wall, path, alone = whole_run(root / "run", seconds=2.0)
        tell("wall time ÷ critical path, 2 s a phase, pushed", wall / path, "≤ 1.1")
        tell("one after the other ÷ wall time", alone / wall, "≥ 4 on the blog")
        tell("percent added to the model's time at 20 s a phase", 100 * (wall - path) / (path * 10), "< 1")
        tell("requests for finished phases on resume", resumed(root / "resume"), "0")
        added, asked = by_model(root / "model", seconds=2.0)
        tell("wall time ÷ critical path by a model, 20 s a request, pushed", 1 + added / (4 * 20), "≤ 1.1")
        tell("percent added to the model's time, the process's start included", 100 * added / (9 * 20), "< 1")
        tell("requests for the blog from a sentence", asked, "9")
        sizes = {count: prompt_sizes(count) for count in (5, 50, 200)}
        for count, (entity, whole) in sizes.items():
            tell(f"prompt characters of an entity's phase, {count} entities", entity, "")
            tell(f"prompt characters of the run ÷ entities, {count} entities", whole, "")
        tell("prompt of an entity at 50 entities ÷ at 5", sizes[50][0] / sizes[5][0], "≤ 1.3")


def tell(name: str, figure: float, goal: str) -> None:
    """Print one row."""
    _FIGURES[name] = figure
    print(f"{name:<60} {figure:8.2f}   {goal}", flush=True)


def median(times: list[float]) -> float:
    return statistics.median(times)


def ratio(times: tuple[list[float], list[float]]) -> float:
    """Return the median of the ratios pair by pair."""
    return statistics.median(ours / bare for ours, bare in zip(*times, strict=True))


def commit_times(root: Path, *, phases: int, tree: int = 0) -> tuple[list[float], list[float]]:
    """Return seconds for each phase: the bot's commit, and a bare ``git fast-import`` of the same commit in a twin."""
    ours, twin = _repository(root / "ours", tree), _repository(root / "twin", tree)
    laid = planned("\n".join(f"- E{number}: name string" for number in range(min(phases, 500))))
    run = open_run(ours)
    run.branch.read()
    head = git(twin, "rev-parse", "HEAD")
    mine, bare = [], []
    for phase in laid.phases[:phases]:
        files = {path: _FILE.encode() + path.encode() for path in _four(phase)}
        mine.append(_timed(run, phase, laid.phases, files))
        run.sync.combine_packs()  # in the background of a real run
        seconds, head = _bare(twin, head, format_message(phase, len(laid.phases), ["4 files"], _trailers(phase)), files)
        bare.append(seconds)
    return mine, bare


def _repository(folder: Path, tree: int) -> Path:
    if not tree:
        return new_repository(folder)
    files = {f"part{number % 100}/package{number % 1000}/file{number}.txt": f"{number}\n" for number in range(tree)}
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    commit_all = ["git", "-C", str(folder), "-c", "gc.auto=0"]
    subprocess.run([*commit_all, "add", "."], check=True)
    subprocess.run([*commit_all, "commit", "--quiet", "-m", "Begin"], check=True)
    subprocess.run([*commit_all, "repack", "-adq"], check=True)
    return folder


def _four(phase: Phase) -> Iterator[str]:
    """Yield four paths a phase, as many as an entity of the built-in recipe has."""
    return itertools.islice(itertools.chain(phase.files, (f"app/more/{phase.place}-{n}.py" for n in range(4))), 4)


def _trailers(phase: Phase) -> Trailers:
    return Trailers(
        run="blog", phase=phase.key, status="complete", inputs=phase.inputs, recipe=phase.recipe, provider="template"
    )


def _timed(run: OpenRun, phase: Phase, phases: Sequence[Phase], files: Mapping[str, bytes]) -> float:
    begun = time.perf_counter()
    run.writer.commit(
        PhaseCommit(phase=phase, total=len(phases), files=files, trailers=_trailers(phase), body=["4 files"]), phases
    )
    return time.perf_counter() - begun


def _bare(folder: Path, parent: str, message: str, files: Mapping[str, bytes]) -> tuple[float, str]:
    stream = format_stream("refs/heads/phasebot/blog", parent, [NewCommit(message, _WHO, _WHO, files)])
    begun = time.perf_counter()
    done = subprocess.run(
        ["git", "-C", str(folder), "fast-import", "--quiet", "--done"], input=stream, capture_output=True, check=True
    )
    return time.perf_counter() - begun, done.stdout.decode().strip()


def whole_run(root: Path, seconds: float) -> tuple[float, float, float]:
    """Return wall seconds of the blog pushed to a remote, of its critical path, and of one phase after the other."""

    async def like_a_model(request: GenerationRequest) -> GenerationResult:
        await asyncio.sleep(seconds)
        return await TemplateProvider().generate(request)

    keys = [phase.key for phase in planned(BLOG).phases[1:]]
    folder = clone(new_origin(root / "origin.git"), root / "clone")
    house = House(folder, provider=ScriptedProvider(dict.fromkeys(keys, like_a_model)), request=RunRequest(jobs=8))
    begun = time.perf_counter()
    outcome = house.run()
    wall = time.perf_counter() - begun
    assert outcome.state.complete
    assert outcome.state.pushed
    return wall, 3 * seconds, len(keys) * seconds


def by_model(root: Path, seconds: float) -> tuple[float, float]:
    """Return seconds that the command line adds to the blog's critical path from a sentence, and its requests."""
    folder = clone(new_origin(root / "origin.git"), root / "clone")
    with FakeGemini(Author(latency=seconds)) as fake:
        begun = time.perf_counter()
        done = phasebot("generate", SENTENCE, "--repo", folder, fake=fake)
        wall = time.perf_counter() - begun
    assert done.returncode == 0, done.stderr
    return wall - 4 * seconds, len(fake.requests)


def prompt_sizes(count: int) -> tuple[float, float]:
    """Return prompt characters of an entity's phase, and of all phases by entity, in a plan of *count* entities."""
    spec = "\n".join(
        f"- E{number}: name string, body text, parent -> E{max(number - 1, 0)} ?" for number in range(count)
    )
    author = Author(spec)
    sizes = {phase.key: _prompt_size(author, phase) for phase in author.laid.phases[1:]}
    entities = [size for key, size in sizes.items() if key.startswith("entity/")]
    return statistics.mean(entities), sum(sizes.values()) / count


def _prompt_size(author: Author, phase: Phase) -> int:
    request = author.request(phase.key)
    at_head = author.texts(phase.reads)
    return files_request(request, request.paths, at_head=at_head, generated={}, faults={}, run=run_here).size


def resumed(root: Path) -> float:
    """Return how many finished phases a rerun asks the provider for."""
    folder = new_repository(root)
    House(folder, request=RunRequest(only=("core", "support", "entity/User"))).run()
    again = House(folder)
    again.run()
    return sum(key in ("core", "support", "entity/User") for key, _ in again.provider.asked)


if __name__ == "__main__":
    main()
