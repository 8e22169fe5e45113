"""Random histories: nine invariants hold, whatever people and processes do to a branch.

(a) No line that a person wrote is lost, unless they removed it themselves or were told.
(b) The state follows from history: a fresh clone says the same as the process that worked, and reading never raises.
(c) ``generate`` completes the run with the files of the plan, and running it again changes nothing.
(d) People's commits are there once, and the origin only moves forward, unless a person forced it.
(e) A worktree that has the branch checked out ends at the branch's head.
(f) The base of a run never changes.
(g) A conflict is only where git has one between the true versions: what the bot would have made alone of the plan that
    the file was last made from, the file at head, and the new one.
(h) A phase commit changes only files of its phase, and what git committed is what it was told.
(i) A phase counts as made by people only if they wrote all of its files.

The fast set plays seeds 0 to 7 and half of those that once found a fault, the slow set the others and seeds up to 299.
``PHASEBOT_HISTORIES=0:5000`` plays these seeds instead, and ``-s`` shows how often each thing happened.
"""

import io
import os
import random
import re
import shutil
import subprocess
import tarfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from bot.engine.requests import Requester, RollbackRequest, RunRequest, RunResult
from bot.generation.templates import render_phase
from tests.crash.history_world import World
from tests.crash.interruptions import BRANCH, Broken, Mishap, Place, read_ref
from tests.crash.person_actions import Person, read_plan
from tests.crash.starting_points import STARTS, Start, new_world
from tests.history_picture import commits
from tests.repositories import git

FOUND = [376, 412, 430, 551, 562, 636, 644, 686, 709, 775, 779, 853, 865, 1116, 1142, 1380, 1901, 1956, 2183, 2791]
FOUND += [3401, 3508, 3559, 3584, 5116, 5406, 7008, 10121, 11514, 11618]
"""Seeds that once found a fault."""
SEEDS: Sequence[int] = [*range(8), *FOUND[::2]]
MORE_SEEDS: Sequence[int] = [*range(8, 300), *FOUND[1::2]]
if _chosen := os.environ.get("PHASEBOT_HISTORIES"):
    SEEDS, MORE_SEEDS = range(*map(int, _chosen.split(":"))), ()
_ROUNDS = 8
_WRITERS = 0.4
"""In how many histories a person writes a whole phase."""
_SHRINKINGS = 40
_EDITION = re.compile(r"^# Edition \d+\.$", re.MULTILINE)


class Step(NamedTuple):
    """One thing that happens; *seed* decides how, as far as the world lets it."""

    name: str
    seed: int


class History(NamedTuple):
    start: Start
    steps: list[Step]


def draw(seed: int) -> History:
    """Draw the history of *seed*."""
    dice = random.Random(seed)  # noqa: S311  # a game, to be repeated
    names = dice.choices(list(STEPS), [weight for _, weight in STEPS.values()], k=dice.randint(3, 7))
    history = History(dice.choice(STARTS), [Step(name, dice.randrange(10**6)) for name in names])
    more = random.Random(f"{seed} more")  # noqa: S311  # so that what was drawn before stays
    if seed not in FOUND and more.random() < _WRITERS:
        place = more.randrange(len(history.steps) + 1)
        work = [Step("roll back", more.randrange(10**6)), Step("write phase", more.randrange(10**6))]
        history.steps[place:place] = work if more.random() < 0.5 else work[1:]
    return history


# What happens


def _somebody(world: World, dice: random.Random) -> Place:
    return world.ada if dice.random() < 0.65 else world.bob


def _generate(world: World, dice: random.Random, mishap: Mishap | None = None, place: Place | None = None) -> None:
    place = place or _somebody(world, dice)
    keys = _keys(world, place)
    only = dice.sample(keys, min(2, len(keys))) if dice.random() < 0.2 else []
    request = RunRequest(cascade=dice.random() < 0.2)
    world.generate(place, only=only, request=request, jobs=dice.choice([1, 8]), push=dice.random() < 0.8, mishap=mishap)


def _regenerate(world: World, dice: random.Random, mishap: Mishap | None = None, place: Place | None = None) -> None:
    place = place or _somebody(world, dice)
    keys = _keys(world, place) or ["core"]
    said = f"Mind {world.number()}." if dice.random() < 0.3 else ""
    phases = dice.sample(keys, min(len(keys), dice.randint(1, 2)))
    request = RunRequest(regenerate=phases, cascade=dice.random() < 0.3, instruction=said)
    requested = Requester("alice", f"{world.number()}") if dice.random() < 0.5 else None
    if request.cascade:  # what needs a phase is made again as often as that one is, and rightly so
        requested = None
    world.told.append(f"  {request} {requested}")
    push = dice.random() < 0.85
    world.generate(place, request=request, requested=requested, push=push, mishap=mishap)
    if mishap and requested:  # the job is started anew
        world.generate(place, request=request, requested=requested)


def _roll_back(world: World, dice: random.Random, mishap: Mishap | None = None, place: Place | None = None) -> None:
    place = place or _somebody(world, dice)
    keys, to = _keys(world, place) or ["core"], dice.random() < 0.2
    request = RollbackRequest(
        phases=dice.sample(keys, 1 if to else min(len(keys), dice.randint(1, 2))),
        to=to,
        cascade=dice.random() < 0.7,
        discard_edits=dice.random() < 0.3,
    )
    requested = Requester("alice", f"{world.number()}") if dice.random() < 0.5 else None
    request = replace(request, requester=requested)
    world.told.append(f"  {request}")
    world.roll_back(place, request, mishap)
    if mishap and requested:
        world.roll_back(place, request)


def _keys(world: World, place: Place) -> list[str]:
    found = read_plan(place) or read_plan(world.origin)
    return [phase.key for phase in found.phases[1:]] if found else []


def _kill(world: World, dice: random.Random) -> None:
    work = dice.choice([_generate, _generate, _regenerate, _roll_back])
    work(world, dice, Mishap(dice.randint(1, 14), before=dice.random() < 0.5, act=None))


def _meanwhile(world: World, dice: random.Random) -> None:
    """While the bot works in one place, somebody does something in the other, or in the very same."""
    place, work = _somebody(world, dice), dice.choice([_generate, _generate, _regenerate, _roll_back])
    other = world.bob if place is world.ada else world.ada
    acts: list[Callable[[], object]] = [
        lambda: world.generate(other),
        lambda: _generate(world, dice, place=other),
        lambda: _regenerate(world, dice, place=other),
        lambda: _roll_back(world, dice, place=other),
        lambda: _by_hand(world, dice, other, Person.edit),
        lambda: _by_hand(world, dice, other, Person.edit_plan),
        lambda: _by_hand(world, dice, other, Person.rewrite, force=True),
        lambda: _by_hand(world, dice, place, Person.edit, push=False, sync=False),
    ]
    number = dice.randrange(len(acts))

    def act() -> None:
        world.happened["meanwhile"] += 1
        world.told.append(f"  meanwhile, act {number} at {other.name}")
        acts[number]()

    work(world, dice, Mishap(dice.randint(1, 8), before=dice.random() < 0.5, act=act), place)


def _by_hand(  # how a person works
    world: World,
    dice: random.Random,
    place: Place,
    what: Callable[[Person], None],
    *,
    sync: bool = True,
    push: bool = True,
    force: bool = False,
) -> None:
    person = Person(world, place, dice)
    person.act(lambda: what(person), sync=sync, push=push, force=force)


def _person(what: Callable[[Person], None], *, force: bool = False) -> Callable[[World, random.Random], None]:
    def act(world: World, dice: random.Random) -> None:
        sync, push = force or dice.random() < 0.7, force or dice.random() < 0.6
        _by_hand(world, dice, _somebody(world, dice), what, sync=sync, push=push, force=force)

    return act


def _break_plan(world: World, dice: random.Random) -> None:
    _by_hand(world, dice, world.ada, Person.break_plan)
    _generate(world, dice)
    _by_hand(world, dice, world.ada, Person.mend_plan)


def _new_clone(world: World, _: random.Random) -> None:
    """Lose bob's disk, and what he never pushed."""
    world.observe(world.bob)
    shutil.rmtree(world.bob.folder)
    git(world.folder, "clone", "--quiet", str(world.origin.folder), "bob")
    git(world.bob.folder, "config", "user.name", "bob")
    world.observe(world.bob, by="bob")


STEPS: Mapping[str, tuple[Callable[[World, random.Random], None], int]] = {
    "generate": (_generate, 12),
    "kill": (_kill, 12),
    "edit": (_person(Person.edit), 22),
    "revert": (_person(Person.revert), 10),
    "edit plan": (_person(Person.edit_plan), 14),
    "break plan": (_break_plan, 1),
    "regenerate": (_regenerate, 12),
    "roll back": (_roll_back, 9),
    "rewrite": (_person(Person.rewrite, force=True), 9),
    "meanwhile": (_meanwhile, 14),
    "new clone": (_new_clone, 2),
    "write phase": (_person(Person.write_phase), 0),
}


# What holds


def play(history: History, *, keep: bool = False) -> Counter[str]:
    """Play *history*; return how often what happened.

    Raises:
        Broken: An invariant does not hold; the message tells the story.
    """
    with new_world(history.start, keep=keep) as world:
        try:
            for step in history.steps:
                world.happened[step.name] += 1
                world.told.append(f"{step.name} ({step.seed})")
                STEPS[step.name][0](world, random.Random(step.seed))  # noqa: S311  # a game, to be repeated
                _mend(world)
                world.check_base()
            _finish(world)
        except Exception as exc:
            raise Broken(_story(world, history, exc)) from exc
        return world.happened


def _mend(world: World) -> None:
    """Do by hand what the bot said only a person can do."""
    for place in (world.ada, world.bob):
        if place.error and ("rebase it, then" in str(place.error) or "is a merge that was not" in str(place.error)):
            world.happened["mended by hand"] += 1
            Person(world, place, random.Random(0)).act(lambda: None)  # noqa: S311
            git(place.folder, "reset", "--quiet", "--hard", f"origin/{BRANCH}")
            world.observe(place, by=place.name)
        place.error = None


def _finish(world: World) -> None:
    """Generate here and there until nothing changes, and look at what has become of it."""
    quiet = 0
    for place in (world.ada, world.bob):
        if read_ref(place.folder, "refs/remotes/origin/main") != read_ref(world.origin.folder, "refs/heads/main"):
            git(place.folder, "fetch", "--quiet", "origin", "main")
    for number in range(_ROUNDS):
        place = (world.ada, world.bob)[number % 2]
        before = world.origin.floor
        outcome = world.generate(place)
        apart = place.error and "recovered" in str(place.error)
        if outcome is None or (outcome.error and not apart):
            raise Broken(f"(c) generate at {place.name} failed: {place.error}")
        if outcome.remaining and not apart:
            raise Broken(f"(c) generate left {outcome.remaining}")
        _mend(world)
        quiet = quiet + 1 if not apart and world.origin.floor == before else 0
        if quiet > 1 and world.ada.floor == world.bob.floor == world.origin.floor:
            _check_end(world, place, outcome)
            return
    raise Broken(f"(c) generating {_ROUNDS} times did not come to an end")


def _check_end(world: World, place: Place, outcome: RunResult) -> None:
    form = "--format=%(trailers:key=Phasebot-Conflict,valueonly)"
    conflicts = set(git(place.folder, "log", "--first-parent", form, BRANCH).split("\n")) - {""}
    world.happened["conflicts"] += len(conflicts)
    if strange := conflicts - world.touched:
        raise Broken(f"(c) {sorted(strange)} are in conflict, though no person was there")
    for state in outcome.state.phases:
        world.happened["by people"] += state.by_people
        if state.wanted:
            raise Broken(f"(c) the run lacks {state.wanted}")
        if state.by_people and (strange := {*state.files} - world.touched):
            raise Broken(f"(i) no person wrote {sorted(strange)} of {state.phase.key}")
    world.compare_fresh_clone(outcome.state)
    for each in (world.ada, world.bob):
        if behind := git(each.folder, "status", "--porcelain"):
            raise Broken(f"(e) the worktree at {each.name} is not what the branch has:\n{behind}")
    _check_files(world, place)


def _check_files(world: World, place: Place) -> None:
    """Look whether every file that no person had a hand in is what the plan at head makes of it."""
    found = read_plan(place)
    assert found
    want = {path: text for phase in found.phases[1:] for path, text in render_phase(found, phase).items()}
    there = _files(place)
    base = {path for path in there if path == "LICENSE" or path.startswith("docs/")}
    strange = set(there) - set(want) - base - world.touched - set(found.phases[0].files)
    if strange:
        raise Broken(f"(c) nobody made {sorted(strange)}")
    for path, text in want.items():
        if path in world.touched:
            continue
        if path not in there:
            raise Broken(f"(c) {path} is not there")
        if text not in there[path] or len(_EDITION.findall(there[path])) > 1:
            raise Broken(f"(c) {path} is not what the plan makes of it:\n{there[path]}\n-- but\n{text}")


def _files(place: Place) -> Mapping[str, str]:
    """Return the files at head."""
    packed = subprocess.run(["git", "-C", str(place.folder), "archive", BRANCH], capture_output=True, check=True)
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        opened = {member.name: archive.extractfile(member) for member in archive.getmembers()}
        return {name: file.read().decode() for name, file in opened.items() if file}


def _story(world: World, history: History, exc: Exception) -> str:
    pictures = [f"{exc!r}" if not isinstance(exc, Broken) else str(exc), "", f"start: {history.start}", *world.told]
    for place in (world.origin, world.ada, world.bob):
        since = git(place.folder, "rev-parse", "--verify", "--quiet", "main" if place.is_origin else "origin/main")
        if git(place.folder, "branch", "--list", BRANCH):
            pictures += ["", f"-- {place.name}", commits(place.folder, since, BRANCH)]
    return "\n".join(pictures)


def shrink(history: History) -> tuple[History, str]:
    """Leave out steps for as long as it still fails; return what stays, and its story."""
    story, tries = _failure(history) or "", 0
    shorter = True
    while shorter and tries < _SHRINKINGS:
        shorter = False
        for number in range(len(history.steps) - 1, -1, -1):
            less = history._replace(steps=[*history.steps[:number], *history.steps[number + 1 :]])
            tries += 1
            found = _failure(less)
            if found and found.split()[:4] == story.split()[:4]:
                history, story, shorter = less, found, True
    return history, story


def _failure(history: History) -> str | None:
    try:
        play(history)
    except Broken as exc:
        return str(exc)
    return None


def chunks(seeds: Sequence[int], number: int) -> list[Sequence[int]]:
    """Deal *seeds* out to tests, so that workers share them."""
    return [seeds[first::number] for first in range(min(number, len(seeds)))]


@pytest.mark.parametrize(
    "seeds",
    [*chunks(SEEDS, 12), *(pytest.param(each, marks=pytest.mark.slow) for each in chunks(MORE_SEEDS, 20))],
    ids=lambda seeds: f"from {seeds[0]}",
)
def test_whatever_happens_nothing_is_lost_and_generate_ends(seeds: Sequence[int]) -> None:
    happened: Counter[str] = Counter()
    for seed in seeds:
        history = draw(seed)
        try:
            happened += play(history)
        except Broken:
            shortest, story = shrink(history)
            pytest.fail(
                f"PHASEBOT_HISTORIES={seed}:{seed + 1} python -m pytest {Path(__file__).name}\n"
                f"{history}\nshortest: {shortest}\n{story}"
            )
    print(dict(happened.most_common()))
