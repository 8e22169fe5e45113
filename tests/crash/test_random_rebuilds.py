"""Random histories of templates: whatever people and processes do, no commit of the bot is called tampered.

Nobody rewrites the branch here: who squashes or amends a phase commit, or drops what it was made from, changes it.

``PHASEBOT_HISTORIES=0:5000`` plays these seeds instead, and ``-s`` shows what the commits and lines were.
"""

import os
from collections import Counter
from collections.abc import Sequence

import pytest

from bot.engine.rebuild import rebuild_run
from bot.errors import UsageError
from bot.history.proof_formats import format_rebuild
from tests.crash import history_world
from tests.crash.history_world import World
from tests.crash.interruptions import Author, Broken
from tests.crash.person_actions import Person
from tests.crash.test_random_histories import History, Step, chunks, draw, play

SEEDS: Sequence[int] = range(8)
MORE_SEEDS: Sequence[int] = range(8, 150)
if _chosen := os.environ.get("PHASEBOT_HISTORIES"):
    SEEDS, MORE_SEEDS = range(*map(int, _chosen.split(":"))), ()


def honest(seed: int) -> History:
    """Draw the history of *seed*; who would rewrite it edits instead."""
    history = draw(seed)
    steps = [Step("edit", step.seed) if step.name == "rewrite" else step for step in history.steps]
    return history._replace(steps=steps)


@pytest.mark.parametrize(
    "seeds",
    [*chunks(SEEDS, 4), *(pytest.param(each, marks=pytest.mark.slow) for each in chunks(MORE_SEEDS, 10))],
    ids=lambda seeds: f"from {seeds[0]}",
)
def test_honest_histories_are_never_called_tampered(seeds: Sequence[int], monkeypatch: pytest.MonkeyPatch) -> None:
    found: Counter[str] = Counter()
    check_base = World.check_base

    def check(world: World) -> None:
        check_base(world)
        for place in (world.ada, world.bob):
            found.update(_checked(world, place.folder.name))

    def _checked(world: World, name: str) -> Counter[str]:
        try:
            run = world.open_run(world.folder / name, push=False)
            made = rebuild_run(run)
        except UsageError:  # there is no plan yet, or it is broken
            return Counter()
        if made.tampered:
            raise Broken(f"{name} is called tampered:\n{format_rebuild(made)}")
        lines = (origin for each in made.files for origin in each.lines)
        return Counter([*(each.verdict for each in made.commits), *lines, *(each.why for each in made.unproven)])

    monkeypatch.setattr(history_world, "Author", lambda _: Author(None))
    monkeypatch.setattr(Person, "rewrite", Person.edit)
    monkeypatch.setattr(World, "check_base", check)
    for seed in seeds:
        play(honest(seed))
    print(dict(found.most_common()))
