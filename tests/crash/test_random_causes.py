"""Random histories with planted causes: ``explain`` names every one of them, and no other.

A game plays people and the bot: plans, recipes and files are edited, also back; phases are made, made again, made in
part, rolled back, reverted. It keeps its own books of what differs for which phase since when, from what it did itself.

The fast set plays 30 histories, the slow set 1,000. ``PHASEBOT_CAUSES=0:5000`` plays these seeds instead.
"""

import os
import random
import subprocess
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.engine.explanation import explain_run
from bot.generation.templates import render_phase
from bot.history.causes import (
    Cause,
    Change,
    Edit,
    Missing,
    NeverMade,
    NewerNeed,
    PlanChange,
    RecipeChange,
    Reverted,
)
from bot.history.checkout import Checkout, RunLocation
from bot.history.git import open_repository
from bot.history.trailers import Trailers, format_message, format_revert
from bot.planning.phases import Phase
from bot.planning.recipe import read_recipe
from bot.planning.resolved_plan import ResolvedPlan, resolve_plan_file
from tests.repositories import git, new_repository

FOLDER = ".phasebot/recipes/mini"
PLAN = ".phasebot/plan.yaml"
RECIPE = """\
name: mini
phases:
  - {key: core, title: core, files: {core.py: core.j2, base.py: base.j2}}
  - key: entity/${name}
    title: entity ${name}
    for-each: entity
    needs: [core]
    files: {"models/${module}.py": entity.j2, "routes/${module}.py": base.j2}
  - {key: support, title: support, sees: entities, files: {README.md: list.j2}}
  - {key: main, title: main, needs: [core, entity/*], sees: names, files: {main.py: list.j2}}
"""
TEMPLATES = {name: f"{name} 0\n" for name in ("core.j2", "base.j2", "entity.j2", "list.j2")}
USED = {
    "core": ("core.j2", "base.j2"),
    "entity": ("entity.j2", "base.j2"),
    "support": ("list.j2",),
    "main": ("list.j2",),
}
TYPES = ("string", "text", "integer")
CODES = ("quota", "unparsable", "timeout")
_chosen = os.environ.get("PHASEBOT_CAUSES")
SEEDS: Sequence[int] = range(*map(int, _chosen.split(":"))) if _chosen else range(30)
MORE_SEEDS: Sequence[int] = () if _chosen else range(30, 1_030)

Leaf = tuple[str, ...]
"""``("Post", "title", "unique")``, ``("project",)``, ``("instructions", "main")``, ``("rules", "Be fast.")``"""


@dataclass
class Made:
    """What a phase was made from, and when."""

    oid: str
    place: int
    changed_by: str
    """The newest commit that made a file of it: the one that outdates what needs it."""
    leaves: Mapping[Leaf, str]
    recipe: Mapping[str, int]
    missing: Mapping[str, str]
    reverted: Change | None = None


@dataclass
class Game:
    """One branch, and the books of what was done to it."""

    folder: Path
    run: str
    dice: random.Random
    leaves: dict[Leaf, str] = field(default_factory=dict)
    changed: dict[Leaf, Change] = field(default_factory=dict)
    """The last commit that changed a leaf."""
    recipe: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TEMPLATES, 0))
    made: dict[str, Made] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    alone: dict[str, str] = field(default_factory=dict)
    """Path → what the bot last made of it alone."""
    editors: dict[str, list[Change]] = field(default_factory=dict)
    commits: int = 0
    told: list[str] = field(default_factory=list)

    # What is there

    @property
    def entities(self) -> list[str]:
        return sorted({leaf[0] for leaf in self.leaves if leaf[0].istitle()})

    def fields(self, entity: str) -> list[str]:
        return sorted({leaf[1] for leaf in self.leaves if leaf[0] == entity and len(leaf) == 3})

    def plan_text(self) -> str:
        lines = [f"project: {self.leaves['project',]}", f"recipe: {FOLDER}", "entities:"]
        for entity in self.entities:
            lines.append(f"  {entity}:")
            lines += [f"    {name}: {self.spell(self.leaves, entity, name)}" for name in self.fields(entity)]
        notes = {leaf[1]: text for leaf, text in self.leaves.items() if leaf[0] == "instructions"}
        lines += ["instructions:", *(f"  {key}: {text}" for key, text in notes.items())] if notes else []
        rules = sorted(leaf[1] for leaf in self.leaves if leaf[0] == "rules")
        lines += ["rules:", *(f"  - {rule}" for rule in rules)] if rules else []
        return "\n".join(lines) + "\n"

    @staticmethod
    def spell(leaves: Mapping[Leaf, str], entity: str, name: str) -> str:
        said = {leaf[2]: value for leaf, value in leaves.items() if leaf[:2] == (entity, name)}
        return f"{said['type']}{' unique' * (said.get('unique') == 'yes')}{'?' * (said.get('optional') == 'yes')}"

    def planned(self) -> ResolvedPlan:
        files = {f"templates/{name}": f"{name} {number}\n" for name, number in self.recipe.items()} | {
            "recipe.yaml": RECIPE
        }
        recipe = read_recipe(FOLDER, lambda name: files[name].encode())
        return resolve_plan_file(self.plan_text(), source="the plan", output_dir=".", load=lambda _: recipe)

    def phases(self) -> Mapping[str, Phase]:
        return {phase.key: phase for phase in self.planned().phases[1:]}

    # What is done

    def commit(self, who: str, message: str, changes: Mapping[str, str | None], asked_by: str = "") -> Change:
        """Commit with one stream of git fast-import, which costs next to nothing."""
        self.commits += 1
        ref = f"refs/heads/phasebot/{self.run}"
        stamp = f"{who} <{who}@x> {1_700_000_000 + self.commits} +0000"
        text = [f"commit {ref}\nmark :1\nauthor {stamp}\ncommitter {stamp}\n{_data(message)}"]
        text.append(f"from {'refs/heads/main' if self.commits == 1 else ref}^0\n")
        for path, content in changes.items():
            text.append(f"D {path}\n" if content is None else f"M 100644 inline {path}\n{_data(content)}")
        stream = "".join([*text, "get-mark :1\ndone\n"]).encode()
        command = ["git", "-C", str(self.folder), "fast-import", "--quiet", "--done", "--date-format=raw"]
        done = subprocess.run(command, input=stream, capture_output=True, check=True)
        for path, content in changes.items():
            self.files.pop(path, None)
            self.files |= {} if content is None else {path: content}
        oid = done.stdout.decode().split()[0]
        self.told.append(f"{oid[:7]} {who}: {message.splitlines()[0]}: {', '.join(changes)}")
        return Change(oid, asked_by or who)

    def change_plan(self, leaves: Mapping[Leaf, str], who: str = "alice") -> None:
        gone = {leaf for leaf in self.leaves if leaf not in leaves}
        differing = {leaf for leaf, value in leaves.items() if self.leaves.get(leaf) != value} | gone
        self.leaves = dict(leaves)
        by = self.commit(who, "Edit the plan", {PLAN: self.plan_text()})
        self.changed |= dict.fromkeys(differing, by)

    def instruct(self, key: str, text: str) -> None:
        """Have the bot commit an instruction of carol's."""
        self.leaves["instructions", key] = text
        planned = self.planned()
        trailers = Trailers(run=self.run, requested_by="carol").for_phase(planned.phases[0], "complete")
        message = format_message(planned.phases[0], len(planned.phases), [], trailers)
        self.changed["instructions", key] = self.commit("bot", message, {PLAN: self.plan_text()}, "carol")

    def make(self, key: str, missing: Mapping[str, str] | None = None) -> None:
        planned = self.planned()
        phase = next(each for each in planned.phases if each.key == key)
        missing, changes = missing or {}, dict[str, str | None]()
        for path in phase.files:
            if path in missing or (path in self.alone and path not in self.files):
                continue
            content = f"made {self.commits}\n"
            if self.is_edited(path):
                changes[path] = f"{content}merged\n"
            else:
                changes[path] = self.alone[path] = content
                self.editors.pop(path, None)
        trailers = Trailers(
            run=self.run,
            model="m",
            tokens=(10, 1),
            missing=tuple(missing),
            reason=tuple((code, path) for path, code in missing.items()),
        ).for_phase(phase, "partial" if missing else "complete")
        by = self.commit("bot", format_message(phase, len(planned.phases), [], trailers), changes)
        place, changed_by, earlier = self.commits, by.oid, self.made.get(key)
        if missing and not changes and earlier and not earlier.reverted:
            place, changed_by = earlier.place, earlier.changed_by
        self.made[key] = Made(by.oid, place, changed_by, dict(self.leaves), dict(self.recipe), missing)

    def edit_file(self, path: str, content: str | None) -> None:
        by = self.commit("bob", "Edit a file", {path: content})
        self.editors.setdefault(path, []).append(by)
        if not self.is_edited(path):
            self.editors.pop(path)

    def is_edited(self, path: str) -> bool:
        return path in self.alone and self.files.get(path) != self.alone[path]

    def take_back(self, key: str, *, by_hand: bool) -> None:
        paths = [path for path in self.phases()[key].files if path in self.files]
        if by_hand:
            message = f'Revert "Generate"\n\nThis reverts commit {self.made[key].oid}.\n'
        else:
            message = format_revert([key], [], Trailers(run=self.run, reverts=(key,)))
        self.made[key].reverted = self.commit("bob" if by_hand else "bot", message, dict.fromkeys(paths))
        for path in paths:
            self.alone.pop(path, None)
            self.editors.pop(path, None)

    def change_recipe(self, name: str, number: int) -> None:
        self.recipe[name] = number
        self.commit("dave", "Edit the recipe", {f"{FOLDER}/templates/{name}": f"{name} {number}\n"})

    # What is to be named

    def sees(self, key: str, leaf: Leaf) -> bool:
        entity = key.partition("/")[2]
        if leaf[0] == "instructions":
            return leaf[1] == key
        if leaf[0] == "project":
            return key in ("support", "main")
        if leaf[0] == "rules":
            return key == "main" or bool(entity)
        return key == "support" or leaf[0] == entity or (key == "main" and len(leaf) == 1)

    def expected(self, key: str, phase: Phase) -> list[Cause]:
        made = self.made.get(key)
        if made is None:
            return [NeverMade()]
        if made.reverted:
            return [Reverted((made.reverted,))]
        causes: list[Cause] = [*self.plan_changes(key, made)]
        files = [name for name in USED[key.partition("/")[0]] if self.recipe[name] != made.recipe[name]]
        if files:
            causes.append(RecipeChange("mini", tuple(f"templates/{name}" for name in sorted(files))))
        for need in phase.needs:
            other = self.made.get(need)
            if other is None or other.reverted:
                causes.append(NewerNeed(need))
            elif other.place > made.place:
                causes.append(NewerNeed(need, (Change(other.changed_by, "bot"),)))
        causes += [Missing(path, code) for path, code in made.missing.items()]
        for path in phase.files:
            if self.is_edited(path):
                causes.append(Edit(path, tuple(self.editors[path]), removed=path not in self.files))
        return causes

    def plan_changes(self, key: str, made: Made) -> list[PlanChange]:
        then, now = ({leaf: it for leaf, it in each.items() if it != "no"} for each in (made.leaves, self.leaves))
        differing = [leaf for leaf in {*then, *now} if self.sees(key, leaf) and then.get(leaf) != now.get(leaf)]
        found = []
        for subject in {leaf[:2] if len(leaf) == 3 else leaf for leaf in differing}:
            if len(subject) == 2 and subject[0].istitle() and (subject[:1] in then) != (subject[:1] in now):
                continue  # the whole entity is new, or gone
            leaves = [leaf for leaf in differing if leaf[: len(subject)] == subject and len(leaf) >= len(subject)]
            if (subject in then or subject in now) and len(subject) == 1 and subject[0].istitle():
                leaves = [subject]
            by = {self.changed[leaf] for leaf in leaves}
            ordered = sorted(by, key=lambda each: [line.split()[0] for line in self.told].index(each.oid[:7]))
            found.append(self.plan_change(subject, then, now, tuple(ordered)))
        return found

    def plan_change(
        self, subject: Leaf, then: Mapping[Leaf, str], now: Mapping[Leaf, str], by: tuple[Change, ...]
    ) -> PlanChange:
        old, new = (self.words(subject, leaves) for leaves in (then, now))
        if subject[0] in ("project", "rules", "instructions"):
            return PlanChange(".".join(subject), subject[0], old, new, by)
        path = ["entities", subject[0], *(["fields", subject[1]] if len(subject) == 2 else [])]
        return PlanChange(".".join(path), ".".join(subject), old, new, by)

    def words(self, subject: Leaf, leaves: Mapping[Leaf, str]) -> str | None:
        if subject[0] == "rules":
            return subject[1] if subject in leaves else None
        if len(subject) == 2 and subject[0].istitle():
            return self.spell(leaves, *subject) if (*subject, "type") in leaves else None
        return leaves.get(subject)


def _data(text: str) -> str:
    return f"data {len(text.encode())}\n{text}\n"


def _field(entity: str, name: str, dice: random.Random) -> dict[Leaf, str]:
    return {
        (entity, name, "name"): name,
        (entity, name, "type"): dice.choice(TYPES),
        (entity, name, "unique"): dice.choice(["yes", "no"]),
        (entity, name, "optional"): "no",
    }


# What happens


def _edit_plan(game: Game, dice: random.Random) -> None:
    leaves, entity = dict(game.leaves), dice.choice(game.entities)
    match dice.randrange(6):
        case 0:
            leaves["project",] = f"Project {dice.randrange(3)}"
        case 1:
            leaves |= _field(entity, f"f{dice.randrange(4)}", dice)
        case 2 if len(game.fields(entity)) > 1:
            name = dice.choice(game.fields(entity))
            leaves = {leaf: value for leaf, value in leaves.items() if leaf[:2] != (entity, name)}
        case 3:
            new = dice.choice(["Tag", "Zoo"])
            if new in game.entities:
                leaves = {leaf: value for leaf, value in leaves.items() if leaf[0] != new}
                for key in (f"entity/{new}",):
                    _forget(game, key)
            else:
                leaves |= {(new,): "", **_field(new, "name", dice)}
        case 4:
            rule = ("rules", f"Rule {dice.randrange(2)}.")
            leaves = {leaf: value for leaf, value in leaves.items() if leaf != rule} | (
                {} if rule in leaves else {rule: ""}
            )
        case _:
            name = dice.choice(game.fields(entity))
            leaf = (entity, name, dice.choice(["type", "unique", "optional"]))
            leaves[leaf] = dice.choice(TYPES) if leaf[2] == "type" else {"yes": "no", "no": "yes"}[leaves[leaf]]
    if leaves != game.leaves:
        game.change_plan(leaves, dice.choice(["alice", "erin"]))


def _forget(game: Game, key: str) -> None:
    """Write down that nobody keeps books of a phase that the plan no longer has; the game makes it only once."""
    game.made.pop(key, None)


def _edit_plan_and_back(game: Game, dice: random.Random) -> None:
    before = dict(game.leaves)
    game.change_plan(before | {("project",): "Something else"})
    if dice.random() < 0.5:
        game.make(dice.choice([*game.made, "core"]) if dice.random() < 0.3 else "core")
    game.change_plan(before)


def _instruct(game: Game, dice: random.Random) -> None:
    game.instruct(dice.choice([*game.phases()]), f"Mind {dice.randrange(3)} things {game.commits}")


def _make(game: Game, dice: random.Random) -> None:
    for key in dice.sample([*game.phases()], dice.randint(1, 3)):
        game.make(key)


def _make_in_part(game: Game, dice: random.Random) -> None:
    key, phase = dice.choice([(key, phase) for key, phase in game.phases().items() if len(phase.files) > 1])
    game.make(key, {dice.choice([*phase.files]): dice.choice(CODES)})


def _change_recipe(game: Game, dice: random.Random) -> None:
    name = dice.choice([*TEMPLATES])
    number = dice.randrange(3)
    if number != game.recipe[name]:
        game.change_recipe(name, number)


def _edit_file(game: Game, dice: random.Random) -> None:
    owned = [path for phase in game.phases().values() for path in phase.files]
    if not (paths := [path for path in owned if path in game.alone]):
        return
    path, kind = dice.choice(paths), dice.random()
    if kind < 0.25 and path in game.files:
        game.edit_file(path, None)
    elif kind < 0.5 and game.is_edited(path):
        game.edit_file(path, game.alone[path])
    else:
        game.edit_file(path, f"by hand {game.commits}\n")


def _take_back(game: Game, dice: random.Random) -> None:
    fit = [
        key
        for key, phase in game.phases().items()
        if key in game.made
        if not (game.made[key].reverted or game.made[key].missing or any(map(game.is_edited, phase.files)))
    ]
    if fit:
        game.take_back(dice.choice(fit), by_hand=dice.random() < 0.4)


ACTS = {
    _edit_plan: 8,
    _edit_plan_and_back: 2,
    _instruct: 1,
    _make: 5,
    _make_in_part: 3,
    _change_recipe: 6,
    _edit_file: 5,
    _take_back: 2,
}


def play(folder: Path, seed: int) -> Counter[str]:
    """Play one history, and compare what is explained with what was planted."""
    dice = random.Random(seed)  # noqa: S311  # a game, to be repeated
    game = Game(folder, f"h{seed}", dice)
    game.leaves = {("project",): "Blog", ("Post",): "", **_field("Post", "title", dice), **_field("Post", "body", dice)}
    game.leaves |= {("User",): "", **_field("User", "name", dice)}
    planned = game.planned()
    trailers = Trailers(run=game.run, base="main").for_phase(planned.phases[0], "complete")
    game.commit("bot", format_message(planned.phases[0], len(planned.phases), [], trailers), {PLAN: game.plan_text()})
    for key in game.phases():
        if dice.random() < 0.9:
            game.make(key)
    for act in dice.choices([*ACTS], [*ACTS.values()], k=dice.randint(2, 9)):
        act(game, dice)
    for name, number in game.recipe.items():
        (folder / FOLDER / "templates" / name).write_text(f"{name} {number}\n")
    return _compare(game)


def _compare(game: Game) -> Counter[str]:
    repository = open_repository(game.folder)
    assert repository
    checkout = Checkout(RunLocation(folder=game.folder, run=game.run), repository, render_phase)
    branch = checkout.open_run(game.run, lambda: datetime.now(UTC)).branch
    branch.read()
    phases, seen = game.phases(), Counter[str]()
    found = {each.state.phase.key: each for each in explain_run(branch, [*phases]).phases}
    for key, phase in phases.items():
        want, got = game.expected(key, phase), found[key].causes
        assert sorted(map(repr, got)) == sorted(map(repr, want)), "\n".join([f"{game.run}, {key}", *game.told])
        seen.update(type(each).__name__ for each in want)
    assert {each.state.phase.key for each in explain_run(branch).phases} - {"plan"} == {
        key for key, each in found.items() if each.causes
    }
    return seen


def _chunks(seeds: Sequence[int], number: int) -> list[Sequence[int]]:
    return [seeds[first::number] for first in range(min(number, len(seeds)))]


@pytest.mark.parametrize(
    "seeds",
    [*_chunks(SEEDS, 2), *(pytest.param(each, marks=pytest.mark.slow) for each in _chunks(MORE_SEEDS, 20))],
    ids=lambda seeds: f"from {seeds[0]}",
)
def test_every_planted_cause_is_named_and_no_other(tmp_path: Path, seeds: Sequence[int]) -> None:
    files = {f"{FOLDER}/templates/{name}": text for name, text in TEMPLATES.items()}
    folder = new_repository(tmp_path / "project", {"LICENSE": "none\n", f"{FOLDER}/recipe.yaml": RECIPE} | files)
    git(folder, "branch", "-M", "main")
    seen = Counter[str]()
    for seed in seeds:
        seen += play(folder, seed)
    print(dict(seen))
    kinds = [PlanChange, RecipeChange, NewerNeed, Edit, Missing, Reverted, NeverMade]
    assert _chosen or all(seen[kind.__name__] for kind in kinds)
