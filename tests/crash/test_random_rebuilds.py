"""Random histories of templates: whatever people and processes do, no commit of the bot is called tampered.

Nobody rewrites the branch here: who squashes or amends a phase commit, or drops what it was made from, changes it.

``PHASEBOT_HISTORIES=0:5000`` plays these seeds instead, and ``-s`` shows what the commits and lines were.
"""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache

import pytest

from bot.engine import rebuild
from bot.errors import UsageError
from bot.generation.provider import GenerationRequest, GenerationResult
from bot.generation.templates import TemplateProvider, render_phase
from bot.history.proof import Rebuild
from bot.history.proof_formats import format_rebuild
from bot.planning.phases import Phase
from bot.planning.resolved_plan import ResolvedPlan
from tests.crash import history_world, starting_points
from tests.crash.history_world import World
from tests.crash.interruptions import Broken, Place, dressed
from tests.crash.person_actions import Person
from tests.crash.test_random_histories import History, Step, chunks, draw, play

SEEDS: Sequence[int] = range(4)
MORE_SEEDS: Sequence[int] = range(4, 100)
if _chosen := os.environ.get("PHASEBOT_HISTORIES"):
    SEEDS, MORE_SEEDS = range(*map(int, _chosen.split(":"))), ()


class Templates:
    """Renders templates with room for merges, and a line of their own for each version of a phase."""

    name = "template"

    async def generate(self, request: GenerationRequest) -> GenerationResult:
        made = await TemplateProvider().generate(request)
        return GenerationResult(_dressed(made.files, request.phase), made.missing)


def render(planned: ResolvedPlan, phase: Phase) -> Mapping[str, str]:
    """Render *phase* as :class:`Templates` does."""
    return _dressed(render_phase(planned, phase), phase)


def _dressed(files: Mapping[str, str], phase: Phase) -> Mapping[str, str]:
    edition = int(phase.inputs.removeprefix("sha256:")[:6], 16)
    return {path: dressed(text, edition) for path, text in files.items()}


def honest(seed: int) -> History:
    """Draw the history of *seed*; who would rewrite it edits instead, and there are more merges at the end."""
    history = draw(seed)
    steps = [Step("edit", step.seed) if step.name == "rewrite" else step for step in history.steps]
    more = [Step(name, seed + number) for number, name in enumerate(["edit", "edit", "edit plan", "generate"] * 2)]
    return history._replace(steps=[*steps, *more])


def rebuilt(world: World, place: Place) -> Rebuild | None:
    """Rebuild what stands at *place*; None if there is no plan yet, or it is broken."""
    try:
        return rebuild.rebuild_run(world.open_run(place.folder, push=False))
    except UsageError:
        return None


def check(world: World, found: Counter[str]) -> None:
    for place in (world.ada, world.bob):
        made = rebuilt(world, place)
        if made and made.tampered:
            raise Broken(f"{place.name} is called tampered:\n{format_rebuild(made)}")
        for commit in made.commits if made else ():
            found[commit.verdict] += 1
            found.update(file.why for file in commit.files if file.why)
        found.update(origin for each in (made.files if made else ()) for origin in each.lines)


@pytest.mark.parametrize(
    "seeds",
    [*chunks(SEEDS, 4), *(pytest.param(each, marks=pytest.mark.slow) for each in chunks(MORE_SEEDS, 10))],
    ids=lambda seeds: f"from {seeds[0]}",
)
def test_honest_histories_are_never_called_tampered(seeds: Sequence[int], monkeypatch: pytest.MonkeyPatch) -> None:
    found: Counter[str] = Counter()
    check_base = World.check_base

    def checked(world: World) -> None:
        check_base(world)
        check(world, found)

    monkeypatch.setattr(history_world, "Author", lambda _: Templates())
    monkeypatch.setattr(history_world, "render_phase", render)
    monkeypatch.setattr(rebuild, "render_phase", render)
    monkeypatch.setattr(starting_points, "_template", cache(starting_points._template.__wrapped__))  # noqa: SLF001
    monkeypatch.setattr(Person, "rewrite", Person.edit)
    monkeypatch.setattr(World, "check_base", checked)
    for seed in seeds:
        play(honest(seed))
    assert found["proven"]
    print(dict(found.most_common()))
